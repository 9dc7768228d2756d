"""Commands on a folder's own runs, with no server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

    from cli_shell import Shell


def test_runs_lists_the_folders_runs_newest_first(recorded: Shell) -> None:
    lines = recorded("runs").out.splitlines()
    assert lines[0].split() == ["state", "id", "name", "project", "created", "took", "undelivered"]
    assert lines[1].split()[1:5] == ["finished", "two", "second", "mnist"]
    assert lines[2].split()[1:5] == ["finished", "one", "first", "mnist"]
    found = recorded("runs", "--json", "--project", "mnist").json()
    assert [(run["id"], run["state"]) for run in found] == [
        ("one", "finished"),
        ("two", "finished"),
    ]
    assert all(run["behind"] > 0 for run in found)


def test_a_run_is_found_by_id_path_name_and_beginning(recorded: Shell) -> None:
    (folder,) = recorded.folder.glob(".outrider/runs/*-two")
    for name in (
        "two",
        "mnist/two",
        "second",
        "sec",
        "tw",
        str(folder),
        os.path.relpath(folder, recorded.folder),
    ):
        shown = recorded("show", name, "--json", COLUMNS="100")
        assert shown.code == 0, (name, shown.err)
        assert shown.json()["id"] == "two"


def test_a_name_that_fits_several_runs_asks_which(recorded: Shell) -> None:
    shown = recorded("show", "mnist/")
    assert shown.code == 3
    assert "2 runs fit 'mnist/'" in shown.err
    assert "mnist/one, mnist/two" in shown.err


def test_show_says_what_the_run_says(recorded: Shell) -> None:
    shown = recorded("show", "two").out
    assert "second" in shown
    assert "finished" in shown
    for pair in ("lr           0.1", "model.depth  3", "bad   nan", "loss  0.2"):
        assert pair in shown
    said = recorded("show", "two", "--json").json()
    assert said["config"] == {"lr": 0.1, "model": {"depth": 3}}
    assert said["summary"] == {"loss": 0.2, "acc": 0.4, "bad": "NaN"}
    assert said["metrics"] == ["acc", "bad", "loss"]


def test_export_writes_every_row_in_every_format(recorded: Shell, tmp_path: Path) -> None:
    rows = [orjson.loads(line) for line in recorded("export", "one").out.splitlines()]
    assert [row["_step"] for row in rows] == [0, 1, 2, 3]
    assert [row.get("loss") for row in rows] == [1.0, 0.5, 1 / 3, None]
    assert rows[3]["bad"] == "NaN"

    lines = recorded("export", "one", "--format", "csv", "-k", "loss", "-k", "bad").out.splitlines()
    assert lines[0] == "_step,_time,loss,bad"
    assert lines[1].split(",")[2:] == ["1.0", ""]
    assert lines[4].split(",")[2:] == ["", "NaN"]

    path = tmp_path / "one.parquet"
    shown = recorded("export", "one", "--format", "parquet", "-o", str(path))
    assert (shown.code, shown.out) == (0, "")
    table = parquet.read_table(path)
    assert table.column_names == ["_step", "_time", "acc", "bad", "loss"]
    assert table.column("loss").to_pylist() == [1.0, 0.5, 1 / 3, None]
    assert table.column("bad").null_count == 3


def test_export_takes_a_window_and_refuses_an_unknown_metric(recorded: Shell) -> None:
    shown = recorded("export", "two", "--min-step", "1", "--max-step", "2", "-k", "acc")
    assert [orjson.loads(line)["acc"] for line in shown.out.splitlines()] == [0.1, 0.2]
    shown = recorded("export", "two", "-k", "los")
    assert shown.code == 3
    assert "did you mean loss" in shown.err


def test_export_into_a_folder_that_is_not_there_leaves_nothing(
    recorded: Shell, tmp_path: Path
) -> None:
    shown = recorded("export", "one", "-o", str(tmp_path / "no" / "file"))
    assert shown.code == 1
    assert "cannot write" in shown.err


def test_tail_shows_the_last_rows_of_a_run_that_ended(recorded: Shell) -> None:
    rows = [
        orjson.loads(line) for line in recorded("tail", "two", "-n", "2", "--json").out.splitlines()
    ]
    assert [row["_step"] for row in rows] == [4, 5]
    shown = recorded("tail", "two", "-n", "2", "-k", "loss")
    assert shown.out.split()[1:][0:3] == ["3", "loss", "0.25"]
    assert "second is ○ finished" in shown.err


def test_off_and_on_write_the_folders_settings(shell: Shell) -> None:
    del shell.env["OUTRIDER_URL"]
    assert shell("off").code == 0
    assert shell("status", "--json").json()["mode"] == "offline"
    assert (shell.folder / ".outrider" / ".gitignore").read_text() == "*\n"
    assert shell("off", "--disabled").code == 0
    assert shell("status", "--json").json()["mode"] == "disabled"
    assert shell("on").code == 0
    assert shell("status", "--json").json()["mode"] == "online"


def test_on_says_when_the_environment_is_stronger(shell: Shell) -> None:
    shown = shell("on", OUTRIDER_MODE="offline")
    assert "but environment OUTRIDER_MODE says offline" in shown.err


def test_a_folder_that_is_not_there_cannot_be_switched(shell: Shell) -> None:
    assert shell("off", "nowhere").code == 2


def test_a_folder_that_takes_no_file_says_so_and_how_else_to_switch(shell: Shell) -> None:
    """Such as a read-only one; here a file lies where our folder would."""
    (shell.folder / ".outrider").write_text("")
    said = shell("off")
    assert said.code == 2
    assert "cannot write" in said.err
    assert "OUTRIDER_MODE in the environment" in said.err


def test_status_counts_what_is_undelivered(recorded: Shell) -> None:
    said = recorded("status", "--json").json()
    assert said["server"]["reachable"] is False
    assert said["behind"] == sum(run["behind"] for run in said["runs"]) > 0
    assert recorded("status", "--check").code == 6
    assert "(offline)" in recorded("status").out


def test_status_of_an_empty_folder_is_no_error(shell: Shell) -> None:
    shown = shell("status", "--check")
    assert shown.code == 0
    assert "no runs here yet" in shown.out


def test_clean_and_sync_without_a_server_touch_nothing(recorded: Shell) -> None:
    """All that lay there lies there still; a streamer that was at it may have added its own."""
    before = {path: path.read_bytes() for path in recorded.folder.rglob("*.jsonl")}
    assert recorded("clean", "--yes").code == 4
    assert recorded("sync").code == 4
    assert all(path.read_bytes().startswith(whole) for path, whole in before.items())


def test_sync_of_a_path_without_runs_is_code_3(shell: Shell) -> None:
    shown = shell("sync", "nothing")
    assert shown.code == 3
    assert "there is no recorded run 'nothing'" in shown.err


def test_doctor_tells_values_origins_and_what_is_broken(shell: Shell) -> None:
    shown = shell("doctor", "--json", OUTRIDER_PROJECT="mine", OUTRIDER_API_KEY="secret-key")
    said = shown.json()
    assert shown.code == 1
    assert said["ok"] is False
    assert said["settings"]["project"] == {
        "value": "mine",
        "origin": "environment OUTRIDER_PROJECT",
    }
    assert said["settings"]["mode"]["origin"] == "default"
    states = {check["name"]: check["state"] for check in said["checks"]}
    assert states["server"] == "broken"
    assert states["folder"] == states["python"] == "good"
    assert "secret-key" not in shown.out


def test_doctor_is_content_offline(shell: Shell) -> None:
    shown = shell("doctor", OUTRIDER_MODE="offline")
    assert shown.code == 0, shown.out
    assert "connection refused" in shown.out


def test_doctor_names_a_settings_file_that_cannot_be_read(shell: Shell) -> None:
    (shell.folder / ".outrider").mkdir()
    (shell.folder / ".outrider" / "settings.toml").write_text("mode = ")
    shown = shell("doctor")
    assert shown.code == 1
    assert "settings.toml" in shown.out


def test_plugins_lists_our_own(shell: Shell) -> None:
    listed = {item["name"]: item for item in shell("plugins", "--json").json()}
    assert listed["commands"]["hooks"] == ["commands"]
    assert "commands" in shell("plugins").out


def test_plugins_tells_what_they_are_for_and_what_failed_in_runs(
    recorded: Shell,
) -> None:
    """A plugin fails in a streamer, which is gone when somebody asks."""
    (folder,) = recorded.folder.glob(".outrider/runs/*-two")
    (folder / "plugins-host.json").write_text(
        '{"plain": {"failures": 2, "problem": "[b]no[/b]", "enabled": true}, "gone": {}}'
    )
    listed = {item["name"]: item for item in recorded("plugins", "--json").json()}
    assert listed["keras"]["adapter"]["step"] == "epochs"
    assert {run: told["failures"] for run, told in listed["plain"]["runs"].items()} == {
        "mnist/two": 2
    }
    shown = " ".join(recorded("plugins").out.split())
    assert "2 failures in" in shown
    assert "[b]no[/b]" in shown


def test_a_run_that_is_being_written_is_followed_to_its_end(shell: Shell) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from outrider import core\n"
        "core.init('p', id='live', mode='offline')\n"
        "core.log({'a': 0}); print('ready', flush=True)\n"
        "for step, line in enumerate(sys.stdin): core.log({'a': step + 1})\n"
        "core.finish()\n"
    )
    training = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=shell.folder,
        env=shell.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert training.stdin is not None
    assert training.stdout is not None
    training.stdout.readline()
    tail = subprocess.Popen(
        [sys.executable, "-m", "outrider.cli", "tail", "live", "--json"],
        cwd=shell.folder,
        env=shell.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tail.stdout is not None
    seen = [orjson.loads(tail.stdout.readline())["a"]]
    for _ in range(3):
        training.stdin.write(b"\n")
        training.stdin.flush()
        seen.append(orjson.loads(tail.stdout.readline())["a"])
    training.communicate()
    assert tail.wait(60) == 0
    tail.stdout.close()
    assert seen == [0.0, 1.0, 2.0, 3.0]
