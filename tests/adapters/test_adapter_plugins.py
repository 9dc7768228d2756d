"""The adapters among the plugins: listed without a framework, converting what is theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from outrider import plugins


def test_each_adapter_is_listed_and_says_what_it_is() -> None:
    """By the one manager, with its hooks; none of them failed to load."""
    listed = {one["name"]: one for one in plugins.listing()}
    for name in ("lightning", "keras"):
        assert {"adapter", "config", "convert"} <= set(listed[name]["hooks"])
        assert listed[name]["problem"] is None
    frameworks = {one["framework"]: one for one in plugins.call("adapter")}
    assert frameworks["lightning"]["step"] == "optimizer batches"
    assert frameworks["keras"]["step"] == "epochs"
    for name in ("transformers", "xgboost", "lightgbm", "optuna"):
        assert listed[name]["hooks"] == ["adapter", "config"]
        assert frameworks[name]["step"]


def test_listing_them_loads_no_framework() -> None:
    """`outrider plugins` stays quick."""
    code = (
        "import sys; from outrider import plugins; plugins.listing(); plugins.call('adapter');"
        "print([n for n in sys.modules if n in ('torch', 'keras', 'jax', 'lightning')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_torchmetrics_metric_becomes_its_value() -> None:
    """Handed to `log()` as it is."""
    torch = pytest.importorskip("torch")
    torchmetrics = pytest.importorskip("torchmetrics")
    metric = torchmetrics.MeanMetric()
    metric.update(torch.tensor([1.0, 2.0]))
    convert = plugins.converter("convert", type(metric))
    assert convert(metric) == 1.5


def test_a_torch_module_becomes_its_class_and_size() -> None:
    """In hyperparameters, where people put whole networks."""
    torch = pytest.importorskip("torch")
    layer: Any = torch.nn.Linear(2, 3)
    convert = plugins.converter("config", type(layer))
    assert convert(layer) == {"class": "torch.nn.modules.linear.Linear", "parameters": 9}
