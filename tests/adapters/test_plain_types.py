"""The plain-Python adapter with the real packages: what scripts log and configure with is kept."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outrider import api, core
from waiting import eventually


@pytest.fixture
def keep(place: Path) -> Any:
    """Logs rows and configuration, and reads the run back."""

    def kept(row: dict[str, Any] | None = None, config: Any = None) -> api.Run:
        run = core.init(project="plain", config=config)
        core.log(row or {}, step=3)
        core.finish()
        return api.open(run.folder)

    return kept


def test_scalars_of_arrays_are_exact(keep: Any) -> None:
    """NumPy's, torch's with gradient, and jax's; a pandas row names its values."""
    torch, jnp = pytest.importorskip("torch"), pytest.importorskip("jax.numpy")
    pandas = pytest.importorskip("pandas")
    run = keep(
        {
            "numpy": np.float32(0.1),
            "torch": torch.tensor(0.5, requires_grad=True) * 3,
            "half": torch.tensor(0.1, dtype=torch.bfloat16),
            "jax": jnp.float32(0.1),
            "nan": jnp.nan,
            "row": pandas.Series({"a": 1, "b": 2.5}),
        }
    )
    (row,) = run.history().rows()
    assert np.isnan(row.pop("nan"))
    assert {key: row[key] for key in ("numpy", "torch", "half", "jax", "row.a", "row.b")} == {
        "numpy": float(np.float32(0.1)),
        "torch": 1.5,
        "half": 0.10009765625,
        "jax": float(np.float32(0.1)),
        "row.a": 1,
        "row.b": 2.5,
    }


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_frame_is_a_table(keep: Any, package: str) -> None:
    """With its columns, its rows, and what is missing."""
    frames = pytest.importorskip(package)
    frame = frames.DataFrame({"word": ["a", "b"], "value": [0.5, 2.0], "gone": [None, "x"]})
    table = keep({"frame": frame}).table("frame")
    assert table.columns == ["word", "value", "gone"]
    assert table.rows == [["a", 0.5, None], ["b", 2.0, "x"]]


def test_pictures_and_figures_are_media(keep: Any) -> None:
    """Pillow's pictures, matplotlib's figures and axes as PNG; plotly's figures as their own JSON."""
    picture = pytest.importorskip("PIL.Image").new("RGB", (5, 4), "red")
    figures = pytest.importorskip("matplotlib.figure")
    graphs = pytest.importorskip("plotly.graph_objects")
    figure = figures.Figure(figsize=(1, 1))
    axes = figure.subplots()
    axes.plot([1, 2])
    run = keep(
        {
            "picture": picture,
            "figure": figure,
            "axes": axes,
            "graph": graphs.Figure(graphs.Scatter(x=[1, 2], y=[3, 4])),
        }
    )

    def read(key: str) -> bytes:
        def part() -> Any:
            (medium,) = run.media(key)
            return medium.parts[0].state == "ok" and medium.parts[0]

        data: bytes = eventually(part, key).read()
        return data

    for key in ("picture", "figure", "axes"):
        assert read(key).startswith(b"\x89PNG")
    assert json.loads(read("graph"))["data"][0]["y"] == [3, 4]


@dataclasses.dataclass
class Plan:
    depth: int = 2


def test_configurations_keep_their_shape(keep: Any) -> None:
    """argparse's, dataclasses, pydantic's, OmegaConf's and attrs', whole or inside of others."""
    pydantic, omegaconf = pytest.importorskip("pydantic"), pytest.importorskip("omegaconf")
    attrs = pytest.importorskip("attrs")

    class Model(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        rate: float = 0.5
        layers: tuple[int, ...] = (1, 2)

    made = attrs.make_class("Made", {"a": attrs.field(default=1)})
    inside = {
        "args": argparse.Namespace(lr=0.1),
        "plan": Plan(),
        "model": Model(),
        "omega": omegaconf.OmegaConf.create({"a": [1, {"b": "${rate}"}], "rate": 3}),
        "made": made(),
    }
    assert keep(config=inside).config == {
        "args": {"lr": 0.1},
        "plan": {"depth": 2},
        "model": {"rate": 0.5, "layers": [1, 2]},
        "omega": {"a": [1, {"b": 3}], "rate": 3},
        "made": {"a": 1},
    }
    for whole, wanted in (
        (argparse.Namespace(lr=0.1), {"lr": 0.1}),
        (Plan(), {"depth": 2}),
        (Model(), {"rate": 0.5, "layers": [1, 2]}),
        (omegaconf.OmegaConf.create({"a": 1}), {"a": 1}),
    ):
        assert keep(config=whole).config == wanted


def test_none_of_them_is_imported_that_the_script_did_not(place: Path) -> None:
    """Where all of them are installed: a run with a row of numbers, a text and an odd object."""
    code = (
        "import sys; from outrider import core; core.init(mode='offline', config={'o': object()});"
        "core.log({'a': 1.0, 'odd': object()}); core.finish();"
        "print([n for n in sys.modules if n in ('numpy', 'torch', 'jax', 'pandas', 'polars', 'PIL',"
        "'matplotlib', 'plotly', 'pydantic', 'omegaconf')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OUTRIDER_QUIET": "1"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
