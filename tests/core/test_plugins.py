"""Plugins: found on first use, called one by one, and none can harm the training or the others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from outrider import core, hooks, plugins
from outrider.errors import UsageError
from outrider.hooks import hookimpl


@pytest.fixture
def register() -> Iterator[Any]:
    """Registers plugins for one test."""
    names: list[str] = []

    def add(plugin: object, name: str) -> None:
        plugins.register(plugin, name)
        names.append(name)

    yield add
    for name in names:
        plugins.unregister(name)


def test_our_own_parts_are_plugins_of_the_same_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_loaded", {})  # what failed in another test's run is not ours
    listed = {row["name"]: row for row in plugins.listing()}
    assert {"plain", "sampler", "http", "commands"} <= set(listed)
    assert "convert" in listed["plain"]["hooks"]
    assert "probes" in listed["sampler"]["hooks"]
    assert "sinks" in listed["http"]["hooks"]
    assert "commands" in listed["commands"]["hooks"]
    assert not [row for row in listed.values() if row["failures"]]


def test_they_are_the_entry_points_that_pyproject_declares() -> None:
    """The table stands in for them where there is no metadata, and says the same."""
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert toml.loads(text)["project"]["entry-points"][hooks.GROUP] == plugins.BUILT_IN


def test_the_installed_entry_points_are_what_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, also where `OUTRIDER_PLUGINS` switches off others; what is not declared by an
    older installation is taken from the table."""
    (tmp_path / "ours.py").write_text("")
    (tmp_path / "theirs.py").write_text("")
    for name, lines in {
        "outrider-99.dist-info": "plain = outrider_plain.plugin\nadded = ours",
        "stranger-1.0.dist-info": "plain = theirs\ngone = nowhere",
    }.items():
        (tmp_path / name).mkdir()
        called, version = name.removesuffix(".dist-info").split("-")
        (tmp_path / name / "METADATA").write_text(f"Name: {called}\nVersion: {version}\n")
        (tmp_path / name / "entry_points.txt").write_text(f"[outrider]\n{lines}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for off in (False, True):
        monkeypatch.setattr(plugins, "_loaded", {})
        monkeypatch.setenv("OUTRIDER_PLUGINS", "0" if off else "1")
        listed = {row["name"]: row for row in plugins.listing()}
        assert {*plugins.BUILT_IN, "added", "stranger:plain", "gone"} <= set(listed)
        assert listed["added"]["origin"] == "outrider"
        assert listed["added"]["enabled"]
        assert listed["plain"]["hooks"] == ["adapter", "config", "convert"]
        assert listed["stranger:plain"]["enabled"] is not off
        problem = "OUTRIDER_PLUGINS" if off else "No module named 'nowhere'"
        assert problem in listed["gone"]["problem"]


def test_a_broken_installation_leaves_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """What an installer left behind ends Python's search for entry points with an exception."""
    (tmp_path / "-.dist-info").mkdir()
    (tmp_path / "-.dist-info" / "entry_points.txt").write_text("[outrider]\nx = y\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "_loaded", {})
    assert set(plugins.BUILT_IN) <= {row["name"] for row in plugins.listing() if row["enabled"]}
    assert "plugins cannot be looked for" in capsys.readouterr().err


def test_one_plugin_that_raises_is_named_counted_and_finally_left_out(
    register: Any, capsys: Any
) -> None:
    class Broken:
        calls = 0

        @hookimpl
        def outrider_run_started(self, run: Any) -> None:
            Broken.calls += 1
            raise RuntimeError("boom")

    class Fine:
        seen: ClassVar[list[Any]] = []

        @hookimpl
        def outrider_run_started(self) -> str:
            self.seen.append(1)
            return "fine"

    register(Fine(), "fine")
    register(Broken(), "broken")
    for _ in range(5):
        assert plugins.call("run_started", run={}) == ["fine"]
    assert Broken.calls == plugins.ALLOWED_FAILURES
    assert len(Fine.seen) == 5
    row = next(row for row in plugins.listing() if row["name"] == "broken")
    assert (row["failures"], row["enabled"]) == (3, False)
    assert "boom" in row["problem"]
    assert capsys.readouterr().err.count("broken") >= 1


def test_a_type_is_asked_about_once_and_the_answer_kept(register: Any, rows: Any) -> None:
    class Celsius:
        def __init__(self, degrees: float) -> None:
            self.degrees = degrees

    asked = []

    class Plugin:
        @hookimpl
        def outrider_convert(self, cls: type) -> Any:
            asked.append(cls)
            return (lambda value: value.degrees) if cls is Celsius else None

    register(Plugin(), "celsius")
    core.init()
    core.log({"t": Celsius(1.5)})
    core.log({"t": Celsius(2.5)})
    assert [row for _, row in rows()] == [{"t": 1.5}, {"t": 2.5}]
    assert asked == [Celsius]


def test_a_converter_that_raises_costs_its_value_only(
    register: Any, rows: Any, capsys: Any
) -> None:
    class Odd:
        pass

    class Plugin:
        @hookimpl
        def outrider_convert(self, cls: type) -> Any:
            return (lambda value: 1 / 0) if cls is Odd else None

    register(Plugin(), "odd")
    core.init()
    core.log({"x": Odd(), "y": 1})
    assert [row for _, row in rows()] == [{"y": 1}]
    assert "'x'" in capsys.readouterr().err


def test_an_unknown_hook_is_a_warning(register: Any, capsys: Any) -> None:
    class Plugin:
        @hookimpl
        def outrider_not_a_hook(self) -> None:
            pass

    register(Plugin(), "future")
    assert "outrider_not_a_hook" in capsys.readouterr().err


def test_the_hooks_are_those_of_the_design() -> None:
    assert set(hooks.SPECIFICATIONS) == {
        "adapter", "convert", "config", "run_started", "run_ended", "probes", "capture", "sinks",
        "commands",
    }  # fmt: skip


def test_pandas_rows_are_logged_like_mappings(rows: Any) -> None:
    pandas = pytest.importorskip("pandas")
    core.init()
    core.log({"row": pandas.Series({"a": 1.5, "b": 2})})
    assert rows() == [(0, {"row.a": 1.5, "row.b": 2.0})]


def test_threads_that_ask_first_at_one_moment_get_the_same_plugins() -> None:
    """Whole: none of them sees a manager that another is still filling."""
    script = """
import sys, threading
from outrider import plugins
sys.setswitchinterval(1e-6)
start, seen = threading.Barrier(8), []
def ask():
    start.wait()
    seen.append((plugins.manager(), len(plugins.call("probes")), len(plugins.listing())))
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(set(seen)), len({item["name"] for item in plugins.listing()}) == seen[0][2])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "1 True\n", done.stderr


def test_a_plugin_may_ask_while_it_is_loaded(tmp_path: Path) -> None:
    """It sees what is there so far, and nothing hangs."""
    (tmp_path / "curious.py").write_text(
        "from outrider import plugins\nseen = plugins.listing()\nassert plugins.manager()\n"
    )
    script = (
        "from outrider import plugins\nplugins.BUILT_IN['curious'] = 'curious'\n"
        "print([item['problem'] for item in plugins.listing() if item['name'] == 'curious'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "[None]\n", done.stderr


NONSENSE: list[tuple[str, Any]] = [
    ("adapter", "keras"), ("convert", 3), ("config", {}), ("probes", "module:factory"),
    ("probes", [3]), ("capture", 3), ("sinks", object()), ("sinks", ["no colon"]),
    ("commands", [("a", "b", "c")]), ("commands", "report"),
]  # fmt: skip


@pytest.mark.parametrize(("hook", "answer"), NONSENSE)
def test_nonsense_is_the_fault_of_who_answers_it(
    register: Any, capsys: Any, hook: str, answer: Any
) -> None:
    """It is named, counted and finally left out; whoever asked gets what the others say."""
    register(SimpleNamespace(**{f"outrider_{hook}": hookimpl(lambda: answer)}), "odd")
    for _ in range(5):
        names = [name for name, _ in plugins.call_each(hook, cls=list, context={}, settings={})]
        assert "odd" not in names
    (row,) = [row for row in plugins.listing() if row["name"] == "odd"]
    assert (row["failures"], row["enabled"]) == (plugins.ALLOWED_FAILURES, False)
    assert "which is not" in row["problem"]
    assert "plugin odd failed in outrider_" in capsys.readouterr().err


def test_one_that_hangs_is_left_behind(register: Any, capsys: Any) -> None:
    """In the streamer, where it is given a time; the others still answer, and it is counted."""
    freed = threading.Event()

    @hookimpl
    def outrider_sinks() -> Any:
        freed.wait(60)
        return ["late:Sink"]

    register(SimpleNamespace(outrider_sinks=outrider_sinks), "hanging")
    settings = {"mode": "online"}
    for _ in range(plugins.ALLOWED_FAILURES + 1):
        answers = plugins.call_each("sinks", patience=0.05, settings=settings)
        assert [name for name, _ in answers] == ["http"]
    freed.set()
    (row,) = [row for row in plugins.listing() if row["name"] == "hanging"]
    assert (row["failures"], row["enabled"]) == (plugins.ALLOWED_FAILURES, False)
    assert "TimeoutError: no answer within 0.05 seconds" in row["problem"]
    assert plugins.call("sinks", patience=60.0, settings=settings) == [
        ["outrider.streamer.sender:Sender"]
    ]


def test_one_that_ends_the_process_does_not(register: Any, capsys: Any, rows: Any) -> None:
    """A plugin that calls `sys.exit()`, in a hook or in what it converts with, has failed."""

    class Odd:
        pass

    def leave(*_: Any) -> Any:
        sys.exit(3)

    class Plugin:
        @hookimpl
        def outrider_convert(self, cls: type) -> Any:
            return leave if cls is Odd else None

        @hookimpl
        def outrider_run_started(self) -> None:
            leave()

    register(Plugin(), "leaving")
    assert plugins.call("run_started", run={}) == []
    core.init()
    for _ in range(4):
        core.log({"x": Odd(), "y": 1})
    assert [row for _, row in rows()] == [{"y": 1}] * 4
    (row,) = [row for row in plugins.listing() if row["name"] == "leaving"]
    assert (row["failures"], row["enabled"]) == (plugins.ALLOWED_FAILURES, False)


def test_a_configuration_that_its_plugin_cannot_read_is_a_wrong_argument(register: Any) -> None:
    """`init(config=...)` says so, with what the plugin said."""

    class Odd:
        pass

    register(
        SimpleNamespace(
            outrider_config=hookimpl(lambda cls: (lambda _: 1 / 0) if cls is Odd else None)
        ),
        "reading",
    )
    with pytest.raises(UsageError, match="this Odd: ZeroDivisionError"):
        core.init(config=Odd())
