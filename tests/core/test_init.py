"""``init()``: what it makes, what it refuses with a hint, and how runs are joined and resumed."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import outrider
from outrider import core, settings
from outrider.errors import SettingsError, UsageError
from outrider.journal.reader import RunFolder, find_folders


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"project": ""}, "project"),
        ({"project": "a/b"}, "project"),
        ({"project": ".."}, "project"),
        ({"project": 3}, "project"),
        ({"id": "a/b"}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": ".hidden"}, "id"),
        ({"mode": "onlin"}, "mode"),
        ({"resume": "maybe", "id": "a"}, "resume"),
        ({"resume": "must"}, "id"),
        ({"rewind_to": "3", "id": "a"}, "rewind_to"),
        ({"rewind_to": 3}, "resume"),
        ({"reinit": "perhaps"}, "reinit"),
        ({"tags": [1]}, "tags"),
        ({"name": ""}, "name"),
        ({"config": 3}, "config"),
        ({"config": "nowhere.yaml"}, "nowhere.yaml"),
        ({"settings": {"sample_secs": 3}}, "sample_seconds"),
        ({"settings": {"sample_seconds": -1}}, "sample_seconds"),
        ({"settings": 3}, "settings"),
        ({"settings": {"url": "localhost:80"}}, "http://"),
        ({"settings": {"url": "http://user:pw@host"}}, "password"),
        ({"settings": {"url": "http://host:99999"}}, "http://"),
        ({"dir": 3}, "path"),
    ],
)
def test_a_wrong_argument_raises_with_its_name_and_a_hint(arguments: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        core.init(**arguments)
    assert caught.value.hint
    assert core.run is None  # type: ignore[unreachable, unused-ignore]


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP", "ftp", ""])
@pytest.mark.parametrize(
    "place",
    [
        "host", "host:1", "a-b.c:65535", "127.0.0.1:7878", "[::1]:80", "höst", "host:0", "host:65536",
        "host:", ":80", "", "host:x", "host:٣", "host/p", "a@b", "a?b", "a#b", "a b", "a:1:2",
        "host:000000080",
    ],
)  # fmt: skip
def test_a_url_that_needs_no_parser_is_one_that_the_parser_takes(scheme: str, place: str) -> None:
    """The short way to accept a URL takes nothing that the long way refuses."""
    url = f"{scheme}://{place}"
    if settings._is_plain_url(url):
        parts = urlsplit(url)
        assert parts.hostname == parts.netloc.partition(":")[0].lower()
        assert (parts.path, parts.query, parts.fragment, parts.username) == ("", "", "", None)
        assert parts.port is None or 0 < parts.port < 65536
        assert scheme in ("http", "https")
    assert settings._is_plain_url("http://127.0.0.1:7878")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "{"), ("a.toml", "x = "), ("a.json", "{'a'}"), ("a.txt", "x"), ("b.yaml", "- 1")],
)
def test_an_unreadable_config_file_is_named(name: str, text: str, training: Path) -> None:
    (training / name).write_text(text)
    with pytest.raises(UsageError, match=name) as caught:
        core.init(config=name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "lr: 0.1\nnet: {depth: 3}"), ("a.toml", "lr = 0.1\n[net]\ndepth = 3"),
     ("a.json", '{"lr": 0.1, "net": {"depth": 3}}')],
)  # fmt: skip
def test_config_is_read_from_a_file(name: str, text: str, training: Path, records: Any) -> None:
    (training / name).write_text(text)
    core.init(config=name)
    assert core.config.lr == 0.1
    assert records("config")[0].body["c"] == {"lr": 0.1, "net": {"depth": 3}}


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Options:
    lr: float = 0.1
    path: Path = Path("x")
    colour: Colour = Colour.RED


def test_config_takes_namespaces_dataclasses_and_odd_objects(records: Any) -> None:
    core.init(config=argparse.Namespace(lr=0.1, layers=[1, 2]))
    core.config.update(Options())
    loop: dict[str, Any] = {}
    loop["self"] = loop
    core.config.update({"loop": loop, "function": len, "nan": float("nan"), "set": {3, 1}})
    values: dict[str, Any] = {}
    for record in records("config"):
        values.update(record.body["c"])
    assert values["layers"] == [1, 2]
    assert values["path"] == "x"
    assert values["colour"] == "red"
    assert values["nan"] == "NaN"
    assert values["set"] == [1, 3]
    assert "self" in values["loop"]


def test_config_set_before_init_goes_to_the_next_run_and_follows_it(records: Any) -> None:
    config = core.config
    config.batch = 32
    config["lr"] = 0.1
    core.init(config={"lr": 0.5})
    config.later = True
    assert core.config.as_dict() == {"batch": 32, "lr": 0.5, "later": True}
    assert records("config")[0].body["c"] == {"batch": 32, "lr": 0.5}
    with pytest.raises(AttributeError, match="missing"):
        _ = config.missing
    del config["later"]
    assert records("config")[-1].body["x"] == ["later"]


def test_a_wrong_config_update_after_init_does_not_raise(capsys: Any) -> None:
    core.init()
    core.config.update(3)
    core.config.update("nowhere.yaml")
    assert "nowhere.yaml" in capsys.readouterr().err


def test_an_unknown_argument_warns_with_the_nearest_known_one(capsys: Any) -> None:
    run = core.init(entity="me", projct="x")  # type: ignore[call-arg, unused-ignore]
    said = capsys.readouterr().err
    assert "'entity'; did you mean project=" in said
    assert "'projct'; did you mean project=" in said
    assert not run.disabled


def test_the_run_is_described_and_named(training: Path) -> None:
    run = core.init(project="mnist", name="first", group="g", tags=["a", "b", "a"], notes="n")
    meta = RunFolder(run.folder or "").meta()
    assert meta["project"] == "mnist"
    assert meta["tags"] == ["a", "b"]
    assert meta["pid"] == os.getpid()
    assert run.url.endswith(f"/p/mnist/r/{run.id}")
    assert (training / ".outrider" / ".gitignore").read_text() == "*\n"
    assert core.run is run
    assert outrider.run is run


def test_init_uses_no_thread_and_no_network() -> None:
    before = threading.active_count()
    core.init(mode="online", settings={"url": "http://192.0.2.1:9", "finish_seconds": 0})
    assert threading.active_count() == before


COLLECTING = """
import gc, os
%s
from outrider import core
before = gc.isenabled()
core.init(mode="offline", settings={"quiet": True})
assert gc.isenabled() is before
os._exit(0)
"""


@pytest.mark.parametrize("said", ["gc.disable()", "gc.enable()"])
def test_init_leaves_the_collector_as_the_script_has_it(training: Path, said: str) -> None:
    subprocess.run([sys.executable, "-c", COLLECTING % said], check=True, timeout=60)


GARBAGE = """
import gc, weakref
class Tensor: pass
model = [[] for _ in range(300_000)]
gc.collect()  # with so much that lives long full passes are rare
held = Tensor(); held.itself = held; young = weakref.ref(held)
gc.collect(0)  # it has survived a pass: no look at the youngest finds it
del held
%s
frozen = gc.get_freeze_count()
from outrider import core
core.init(mode="offline")
assert (gc.get_freeze_count() > frozen // 2) if frozen else not gc.get_freeze_count()
print(young() is None)
"""


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [("pass", True), ("gc.disable()", False), ("gc.freeze()", False)],
    ids=["as it is", "off", "frozen"],
)
def test_init_keeps_no_garbage_of_the_script_and_thaws_nothing(
    said: str, is_gone: bool, training: Path
) -> None:
    """What the modules are put among is looked through by full passes alone: a dead cycle that holds
    a tensor must not get there with them."""
    done = subprocess.run(
        [sys.executable, "-c", GARBAGE % said],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == str(is_gone)


def test_disabled_records_nothing_and_every_call_works(training: Path) -> None:
    with core.init(mode="disabled", config={"lr": 1}) as run:
        core.log({"a": 1})
        core.config.lr = 2
        core.summary["x"] = 1
        core.define_metric("a")
        core.alert("x")
        core.save("nothing")
        assert run.disabled
        assert run.dir is None
    assert core.run is None
    assert list(training.iterdir()) == []


def test_dryrun_means_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_MODE", "dryrun")
    assert core.init().mode == "offline"


def test_a_folder_that_cannot_be_made_falls_back_to_the_users_own(
    training: Path, capsys: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (training / ".outrider").write_text("a file stands in the way")
    run = core.init()
    core.log({"a": 1})
    assert run.folder is not None
    assert run.folder.startswith(os.environ["XDG_STATE_HOME"])
    assert rows(run.folder) == [(0, {"a": 1})]
    assert "recording in" in capsys.readouterr().err


def test_a_working_folder_that_was_deleted_is_no_obstacle(
    training: Path, rows: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    gone = training / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    run = core.init()
    core.log({"a": 1})
    assert rows(run.folder) == [(0, {"a": 1})]
    monkeypatch.chdir(training)


def test_a_training_folder_without_room_is_left_for_the_users_own(rows: Any, capsys: Any) -> None:
    """/proc takes no files, whoever asks: as good a read-only folder as any."""
    run = core.init(dir="/proc")
    core.log({"a": 1})
    assert rows(run.folder) == [(0, {"a": 1})]
    assert "cannot write below /proc" in capsys.readouterr().err


def test_with_no_place_at_all_the_training_runs_on_unrecorded(
    training: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (training / ".outrider").write_text("a file stands in the way")
    (training / "state").write_text("here too")
    monkeypatch.setenv("XDG_STATE_HOME", str(training / "state"))
    monkeypatch.delenv("OUTRIDER_RAISE")
    run = core.init()
    core.log({"a": 1})
    core.finish()
    assert run.disabled
    assert "nothing is recorded" in capsys.readouterr().err


def test_a_second_init_finishes_the_first_run_unless_told_otherwise(records: Any) -> None:
    first = core.init()
    second = core.init()
    assert records("end", first.folder)
    third = core.init(reinit="create_new")
    assert not records("end", second.folder)
    assert core.init(reinit="return_previous") is third
    second.log({"a": 2})
    third.log({"a": 3})
    third.finish()
    assert core.run is second
    second.finish()
    assert core.run is None


def test_the_same_id_joins_the_run_that_is_still_being_written(training: Path) -> None:
    run = core.init(id="shared")
    script = (
        "from outrider import core; r = core.init(id='shared'); core.log({'rank': 1}); "
        "print(r.folder)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=training
    )
    assert out.stdout.strip() == run.folder
    reader = RunFolder(run.folder or "")
    heads = [reader.head(writer) or {} for writer in reader.writers()]
    ranks = [head for head in heads if head.get("role") == "trainer"]
    assert sorted((head["a"], head["primary"]) for head in ranks) == [(1, False), (1, True)]


def test_ranks_that_start_at_the_same_moment_agree_on_one_folder(training: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from outrider import core
        run = core.init(id="same", settings={"quiet": True, "finish_seconds": 0})
        for n in range(20):
            core.log({"rank": int(sys.argv[1])})
        """
    )
    ranks = [
        subprocess.Popen([sys.executable, "-c", script, str(rank)], cwd=training)
        for rank in range(6)
    ]
    assert [rank.wait() for rank in ranks] == [0] * 6
    (folder,) = find_folders(training)
    trainers = [
        head
        for writer in folder.writers()
        if (head := folder.head(writer)) and head["role"] == "trainer"
    ]
    assert len(trainers) == 6
    assert sum(head["primary"] for head in trainers if head["a"] == 1) == 1
    logged = [r for *_, r in folder.records() if getattr(r, "kind", "") == "points"]
    assert len(logged) == 120


def test_an_ended_run_goes_on_as_a_new_attempt_and_nothing_is_overwritten(
    rows: Any, records: Any
) -> None:
    first = core.init(id="r", resume="allow", mode="offline")
    for _ in range(3):
        core.log({"a": 1})
    core.finish()
    again = core.init(id="r", resume="allow")
    assert again.folder == first.folder
    assert (again.attempt, again.step, again.resumed) == (2, 3, True)
    core.log({"a": 2})
    assert max(rows(), key=lambda row: row[0]) == (3, {"a": 2})
    assert [record.body["a"] for record in records("attempt")] == [2]


def test_rewind_goes_on_behind_the_step_and_says_so(records: Any) -> None:
    core.init(id="r")
    for _ in range(10):
        core.log({"a": 1})
    core.finish()
    run = core.init(id="r", resume="must", rewind_to=4)
    assert run.step == 5
    (attempt,) = records("attempt")
    assert (attempt.body["a"], attempt.body["rewind"]) == (2, 4)
    assert len(records("points")) == 10


def test_never_refuses_a_run_that_is_there() -> None:
    core.init(id="r")
    core.finish()
    with pytest.raises(UsageError, match="never"):
        core.init(id="r", resume="never")


def test_auto_resumes_the_run_that_did_not_finish(training: Path) -> None:
    script = (
        "import os; from outrider import core; r = core.init(); core.log({'a': 1}); "
        "print(r.id, flush=True); os._exit(1)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=training, check=False
    )
    run = core.init(resume="auto")
    assert run.id == out.stdout.strip()
    assert run.attempt == 2
    core.finish()
    fresh = core.init(resume="auto")
    assert fresh.id != run.id


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("core.finish()", {"state": "finished", "code": 0}),
        ("core.finish(exit_code=3)", {"state": "failed", "code": 3}),
        ("pass", {"state": "finished", "code": None}),
        ("raise ValueError('boom')", {"state": "failed", "code": 1}),
        ("raise KeyboardInterrupt", {"state": "killed", "signal": 2}),
    ],
)
def test_the_end_is_told_as_far_as_the_process_knows_it(
    ending: str, expected: dict[str, Any], training: Path, records: Any
) -> None:
    script = f"from outrider import core\ncore.init()\ncore.log({{'a': 1}})\n{ending}\n"
    subprocess.run([sys.executable, "-c", script], cwd=training, capture_output=True, check=False)
    own = [record for record in records("end") if record.body["w"] == _primary(training)]
    assert own
    assert {key: own[0].body[key] for key in expected} == expected


def test_leaving_a_with_block_by_an_exception_is_a_failure(records: Any) -> None:
    with pytest.raises(ZeroDivisionError), core.init():
        1 / 0  # noqa: B018
    assert records("end")[0].body["why"]["type"] == "ZeroDivisionError"


def _primary(training: Path) -> str:
    return str(find_folders(training)[-1].meta()["writer"])


def test_define_metric_save_alert_and_summary_are_records(training: Path, records: Any) -> None:
    (training / "model.txt").write_text("weights")
    core.init()
    core.define_metric("val/*", step_metric="epoch", summary="max", goal="maximize")
    core.alert("low", "very", level=outrider.AlertLevel.WARN)  # type: ignore[attr-defined, unused-ignore]
    core.summary["best"] = 0.9
    assert core.save("model.txt") == ["model.txt"]
    assert core.summary["best"] == 0.9
    (metric,) = records("metric")
    assert (metric.body["name"], metric.body["step"], metric.body["summary"]) == (
        "val/*",
        "epoch",
        "max",
    )
    assert records("alert")[0].body["level"] == "WARN"
    (saved,) = records("save")
    assert saved.body["source"] == str(training / "model.txt")
    assert (saved.body["path"], saved.body["policy"]) == ("model.txt", "now")


def test_settings_come_from_the_nearest_source_and_say_which(
    training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_folder_setting(str(training), "project", "from-folder")
    settings.write_folder_setting(str(training), "sample_seconds", 5)
    monkeypatch.setenv("OUTRIDER_SAMPLE_SECONDS", "7")
    found = settings.load({"name": "n"}, cwd=str(training))
    assert (found.project, found.sample_seconds, found.name) == ("from-folder", 7.0, "n")
    assert found.origin("project").endswith("settings.toml")
    assert found.origin("sample_seconds") == "environment OUTRIDER_SAMPLE_SECONDS"
    assert found.origin("name") == "argument"
    assert found.origin("notes") == "default"


def test_a_broken_settings_file_is_named(training: Path) -> None:
    (training / ".outrider").mkdir()
    (training / ".outrider" / "settings.toml").write_text("mode = ")
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        core.init()


def test_the_api_key_is_never_written(training: Path) -> None:
    run = core.init(settings={"api_key": "very-secret-key"})
    core.log({"a": 1})
    core.finish()
    assert run.folder is not None
    for path in Path(run.folder).rglob("*"):
        if path.is_file():
            assert b"very-secret-key" not in path.read_bytes(), path
    assert "very-secret-key" not in json.dumps(RunFolder(run.folder).meta())


def test_the_same_id_in_two_projects_of_a_folder_is_two_runs(training: Path) -> None:
    first = core.init(project="pa", id="seed1")
    core.finish()
    second = core.init(project="pb", id="seed1")
    core.finish()
    assert first.folder != second.folder
    assert second.attempt == 1
    again = core.init(project="pa", id="seed1")
    assert (again.folder, again.attempt) == (first.folder, 2)


def test_attempts_that_crash_before_their_first_row_do_not_begin_at_zero_again(rows: Any) -> None:
    for _ in range(5):
        core.init(id="r") if core.run is None else None
        core.log({"a": 1})
    core.finish()
    for _ in range(3):
        core.init(id="r")
        core.finish()
    run = core.init(id="r")
    assert (run.attempt, run.step) == (5, 5)


def test_a_resumed_run_finds_its_last_step_behind_long_rows_and_rolled_segments() -> None:
    core.init(id="r", settings={"segment_bytes": 4096})
    core.log({f"metric/{n}": 0.5 for n in range(5000)})
    for _ in range(200):
        core.define_metric("x")
    core.finish()
    assert core.init(id="r").step == 1


def test_the_next_step_lies_behind_the_rewound_attempts_own_points() -> None:
    core.init(id="r")
    for _ in range(50):
        core.log({"a": 1})
    core.finish()
    core.init(id="r", rewind_to=9)
    for _ in range(5):
        core.log({"a": 2})
    core.finish()
    assert core.init(id="r").step == 15


def test_ranks_that_rewind_together_share_one_attempt(training: Path) -> None:
    core.init(id="r")
    for _ in range(10):
        core.log({"a": 1})
    core.finish()
    script = textwrap.dedent(
        """
        import sys, time
        from outrider import core
        core.init(id="r", resume="allow", rewind_to=4, settings={"quiet": True})
        core.log({"rank": int(sys.argv[1])})
        time.sleep(3)
        """
    )
    ranks = [
        subprocess.Popen([sys.executable, "-c", script, str(rank)], cwd=training)
        for rank in range(4)
    ]
    assert [rank.wait() for rank in ranks] == [0] * 4
    (folder,) = find_folders(training)
    heads = [head for writer in folder.writers() if (head := folder.head(writer))]
    again = [head for head in heads if head["role"] == "trainer" and head["a"] > 1]
    assert [head["a"] for head in again] == [2] * 4
    assert sum(head["primary"] for head in again) == 1


def test_a_rank_on_another_machine_joins_an_attempt_that_has_just_begun(
    training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = core.init(id="r", settings={"finish_seconds": 0})
    meta = Path(run.folder or "", "run.json")
    elsewhere = {"host": "another-machine", "boot_id": "another-boot"}
    meta.write_text(json.dumps({**json.loads(meta.read_text()), **elsewhere}))
    for segment in Path(run.folder or "", "journal").iterdir():
        text = segment.read_text().replace(f'"host":"{os.uname().nodename}"', '"host":"another"')
        segment.write_text(text)
    joined = core.init(id="r", reinit="create_new")
    assert joined.attempt == 1


def test_must_refuses_every_time_and_leaves_nothing_behind(training: Path) -> None:
    from outrider.folder import make_run_folder, remove_run_folder

    path, is_new = make_run_folder(str(training / ".outrider"), "gone", "p", shared_id=True)
    assert is_new
    remove_run_folder(path, "gone", "p")
    assert find_folders(training) == []
    assert list((training / ".outrider" / "runs" / "by-id").iterdir()) == []


def test_arguments_and_names_that_are_no_unicode_are_no_obstacle(
    training: Path, monkeypatch: pytest.MonkeyPatch, records: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "\udcff", Path("x"), 3])
    run = core.init(name="n\udcff", config={"k\udcff": "v\udcff"})
    core.log({"a": 1})
    assert not run.disabled
    assert records("config")[0].body["c"] == {"k?": "v?"}


def test_an_exception_without_a_text_ends_the_run_and_is_raised_as_it_is(records: Any) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with pytest.raises(Mute), core.init():
        raise Mute
    assert records("end")[0].body["state"] == "failed"


def test_every_run_that_is_open_at_the_exit_gets_its_end(training: Path) -> None:
    script = (
        "from outrider import core\n"
        "for n in range(4): core.init(reinit='create_new', settings={'finish_seconds': 0})\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=training, capture_output=True, check=True)
    for folder in find_folders(training):
        kinds = [getattr(record, "kind", "") for *_, record in folder.records()]
        assert "end" in kinds


def test_a_run_json_that_a_power_loss_emptied_is_written_anew(training: Path, rows: Any) -> None:
    run = core.init(id="r")
    core.log({"a": 1})
    core.finish()
    Path(run.folder or "", "run.json").write_bytes(b"")
    again = core.init(id="r")
    assert (again.folder, again.attempt, again.step) == (run.folder, 2, 1)
    assert not again.disabled


def test_values_that_were_refused_are_counted_at_the_end(records: Any) -> None:
    core.init()
    core.log({"a": 1, "b": "text", "c": None})
    core.finish()
    assert records("end")[0].body["refused"] == 2


RACE = """
import os, sys, time
from outrider.folder import make_run_folder
root, found, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
for turn in range(20):
    while time.time() < start + turn * 0.1:
        pass
    path, _ = make_run_folder(os.path.join(root, str(turn), ".outrider"), "same", "p", shared_id=True)
    with open(found, "a") as file:
        print(turn, path, file=file)
"""


def test_ranks_that_race_for_the_folder_never_take_each_others_away(tmp_path: Path) -> None:
    for turn in range(20):
        (tmp_path / str(turn)).mkdir()
    found, start = tmp_path / "found", time.time() + 1.0
    command = [sys.executable, "-c", RACE, str(tmp_path), str(found), str(start)]
    ranks = [subprocess.Popen(command) for _ in range(6)]
    assert [rank.wait() for rank in ranks] == [0] * 6
    paths = [line.partition(" ")[2] for line in found.read_text().splitlines()]
    assert len(paths) == 6 * 20
    assert len(set(paths)) == 20
    runs = [name for at in tmp_path.glob("*/.outrider/runs") for name in at.iterdir()]
    assert len([at for at in runs if at.name != "by-id"]) == 20
