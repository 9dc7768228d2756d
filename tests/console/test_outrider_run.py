"""``outrider run -- COMMAND``: the program behaves as without it, and everything is recorded."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from outrider import api
from outrider.journal.reader import find_folders

if TYPE_CHECKING:
    from printing import Training

    from outrider_server.background import Background

SECONDS = 60


def test_output_and_exit_code_are_the_programs_own(training: Training) -> None:
    done = training.outrider("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out) == (7, "out\n")
    assert "err\n" in done.err
    assert training.lines("out") == ["out"]
    assert training.lines("err") == ["err"]
    run = training.run()
    assert (run.state, run.overview.end["code"]) == ("failed", 7)


def test_a_signal_is_told_as_a_shell_tells_it(training: Training) -> None:
    done = training.outrider("run", "--", "sh", "-c", "echo before; kill -9 $$")
    assert done.code == 137
    run = training.run()
    assert (run.state, run.overview.end["signal"]) == ("killed", 9)
    assert training.lines() == ["before"]


def test_a_program_that_is_not_there_leaves_no_run(training: Training) -> None:
    done = training.outrider("run", "--", "no-such-program")
    assert done.code == 127
    assert "no-such-program: command not found" in done.err
    assert find_folders(training.folder) == []


def test_a_file_that_is_no_program_is_a_failed_run(training: Training) -> None:
    path = training.folder / "broken"
    path.write_bytes(b"\0\0\0\0")
    path.chmod(0o700)
    done = training.outrider("run", "--", str(path))
    assert done.code == 126
    assert training.run().state == "failed"


def test_children_and_c_code_are_seen(training: Training) -> None:
    """Whatever writes to the descriptors: a child, a grandchild, C."""
    script = (
        "import os, subprocess\nos.write(1, b'raw\\n')\nsubprocess.run('echo child', shell=True)"
    )
    done = training.outrider("run", "--", sys.executable, "-c", script)
    assert done.code == 0, done.err
    assert training.lines() == ["raw", "child"]


def test_standard_input_and_pipes_stay_what_they_are(training: Training) -> None:
    """No terminal: bytes pass unchanged in both directions, and the program sees pipes."""
    data = bytes(range(256)) * 2000
    done = subprocess.run(
        [sys.executable, "-m", "outrider.cli", "run", "--", "cat"],
        cwd=training.folder, env=training.env, input=data, capture_output=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, data)
    shown = training.shell("$PYTHON -m outrider.cli run -- yes | head -3")
    assert shown.out == "y\n" * 3


def test_one_file_for_both_streams_keeps_their_order(training: Training) -> None:
    script = "i=0; while [ $i -lt 50 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"
    done = training.shell(f"$PYTHON -m outrider.cli run -- sh -c '{script}' 2>&1")
    shown = [line for line in done.out.splitlines() if not line.startswith("outrider:")]
    assert shown == [f"{stream} {i}" for i in range(50) for stream in ("out", "err")]
    assert training.lines() == shown


def test_what_it_records_can_be_said(training: Training) -> None:
    done = training.outrider(
        "run", "-p", "mine", "--name", "first", "--id", "abc", "--group", "g", "--tags", "a,b",
        "--", "python3", "--version",
    )  # fmt: skip
    assert done.code == 0, done.err
    run = training.run()
    assert (run.path, run.name, run.group, run.tags) == ("mine/abc", "first", "g", ["a", "b"])


JOINING = """
import subprocess, sys
from outrider import core
run = core.init("ignored", config={"lr": 0.1}, name="from the script")
print("printed once")
for step in range(3): core.log({"loss": 1.0 / (step + 1)})
subprocess.run(["echo", "by a child"])
if len(sys.argv) > 1: raise ValueError("the reason")
core.finish()
second = core.init("other", id="second")
core.log({"own": 1})
print("in a second run")
second.finish()
"""


def test_a_script_joins_the_run_that_started_it(training: Training) -> None:
    """One run, one console; the second init() of a process is a run of its own."""
    (training.folder / "train.py").write_text(JOINING)
    done = training.outrider("run", "--id", "first", "-p", "p", "--", sys.executable, "train.py")
    assert done.code == 0, done.err
    runs = {run.id: run for run in api.runs(training.folder)}
    assert set(runs) == {"first", "second"}
    first = runs["first"]
    assert (first.project, first.name, first.state) == ("p", "from the script", "finished")
    assert (first.config, first.keys()) == ({"lr": 0.1}, ["loss"])
    assert [row["loss"] for row in first.history()] == [1.0, 0.5, 1 / 3]
    shown = [line.text for line in first.console()]
    assert shown.count("printed once") == 1
    assert shown.count("by a child") == 1
    assert shown.count("in a second run") == 1
    assert runs["second"].keys() == ["own"]


def test_a_script_that_fails_tells_the_run_why(training: Training) -> None:
    (training.folder / "train.py").write_text(JOINING)
    done = training.outrider("run", "-p", "p", "--", sys.executable, "train.py", "fail")
    assert done.code == 1
    run = training.run()
    assert (run.state, run.overview.end["code"]) == ("failed", 1)
    assert run.overview.end["why"]["message"] == "the reason"
    assert training.lines("err").count("ValueError: the reason") == 1


def test_recording_can_be_switched_off_whole_or_for_the_console(training: Training) -> None:
    done = training.outrider("run", "--", "echo", "a", OUTRIDER_MODE="disabled")
    assert (done.code, done.out) == (0, "a\n")
    assert find_folders(training.folder) == []
    done = training.outrider("run", "--", "echo", "b", OUTRIDER_CONSOLE="0")
    assert (done.code, done.out) == (0, "b\n")
    assert training.records() == []
    assert training.run().state == "finished"


def test_a_signal_to_us_reaches_the_program(training: Training) -> None:
    """A scheduler's SIGTERM: the program may tidy up, and its own end is the run's."""
    script = "trap 'echo tidied; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "outrider.cli", "run", "--", "sh", "-c", script],
        cwd=training.folder, env=training.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == b"tidied\n"
    assert process.wait(SECONDS) == 5
    process.stdout.close()
    assert training.run().state == "failed"
    assert training.lines() == ["ready", "tidied"]


def test_a_child_that_stays_behind_is_not_waited_for(training: Training) -> None:
    done = training.shell("$PYTHON -m outrider.cli run -- sh -c 'sleep 300 & echo $!'")
    os.kill(int(done.out), signal.SIGKILL)
    assert done.code == 0


# --- at a terminal ----------------------------------------------------------------------------


def at_terminal(
    training: Training, *command: str, size: tuple[int, int] = (33, 101)
) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-m", "outrider.cli", "run", "--", *command],
        cwd=str(training.folder),
        env=training.env,
        dimensions=size,
        timeout=SECONDS,
        encoding="utf-8",
    )


def test_at_a_terminal_the_program_has_one(training: Training) -> None:
    """Isatty on all three streams, the window's size, and the answer to a question."""
    script = (
        "import os, sys\nprint([s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)],"
        " tuple(os.get_terminal_size()))\nname = input('name? ')\nprint('hello', name)"
    )
    child = at_terminal(training, sys.executable, "-c", script)
    child.expect(re.escape("[True, True, True] (101, 33)"))
    child.expect("name\\? ")
    child.sendline("Ada")
    child.expect("hello Ada")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    shown = training.lines()
    assert shown[:3] == ["[True, True, True] (101, 33)", "name? Ada", "hello Ada"]


def test_ctrl_c_is_the_programs(training: Training) -> None:
    """A program that handles it goes on; nothing of ours is interrupted."""
    script = (
        "import signal, sys\nwhile True:\n    try:\n        print('waiting', flush=True)\n"
        "        signal.pause()\n    except KeyboardInterrupt:\n        print('handled'); sys.exit(9)"
    )
    child = at_terminal(training, sys.executable, "-c", script)
    child.expect("waiting")
    child.sendintr()
    child.expect("handled")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9
    assert training.run().overview.end["code"] == 9
    assert [line for line in training.lines() if "handled" in line]


def test_ctrl_c_that_nobody_handles_ends_the_program(training: Training) -> None:
    child = at_terminal(training, "sh", "-c", "echo waiting; exec sleep 300")
    child.expect("waiting")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + signal.SIGINT
    assert training.run().overview.end["signal"] == signal.SIGINT


def test_a_change_of_the_windows_size_reaches_the_program(training: Training) -> None:
    script = (
        "import os, signal, time\nsignal.signal(signal.SIGWINCH, lambda *_: None)\n"
        "size = os.get_terminal_size()\nprint('measured', 'it', flush=True)\n"
        "while os.get_terminal_size() == size: time.sleep(0.02)\n"
        "print(tuple(os.get_terminal_size()))"
    )
    child = at_terminal(training, sys.executable, "-c", script)
    child.expect("measured it")
    child.setwinsize(44, 132)
    child.expect(re.escape("(132, 44)"))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_keys_arrive_one_by_one_in_raw_mode(training: Training) -> None:
    """Editors and prompts: the terminal's modes are the program's."""
    script = (
        "import os, sys, tty\ntty.setraw(0)\nprint('raw' + '-now\\r', flush=True)\n"
        "print(repr(os.read(0, 10)), '\\r')"
    )
    child = at_terminal(training, sys.executable, "-c", script)
    child.expect("raw-now")
    child.send("\x1b[A")
    child.expect(re.escape(repr(b"\x1b[A")))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_terminal_is_left_as_it_was(training: Training) -> None:
    """Echo and line mode come back, also after a program that was killed in raw mode."""
    script = "import os, signal, tty; tty.setraw(0); os.kill(os.getpid(), signal.SIGKILL)"
    line = (
        f"stty -g; {sys.executable} -m outrider.cli run -- {sys.executable} -c '{script}'; stty -g"
    )
    child = pexpect.spawn(
        "sh", ["-c", line], cwd=str(training.folder), env=training.env, timeout=SECONDS,
        encoding="utf-8",
    )  # fmt: skip
    child.expect(pexpect.EOF)
    modes = re.findall(r"^[0-9a-f]+(?::[0-9a-f]+)+", child.before, re.MULTILINE)
    child.close()
    assert len(modes) == 2
    assert modes[0] == modes[1]


def test_bars_and_colours_are_folded_as_they_looked(training: Training, server: Background) -> None:
    """tqdm, rich, a spawned process and a crash under a real terminal, read from the server."""
    (training.folder / "train.py").write_text(
        "import multiprocessing, subprocess\nfrom tqdm import tqdm\nfrom rich import print as show\n"
        "def work(): print('spawned process')\n"
        "if __name__ == '__main__':\n"
        "    for _ in tqdm(range(100), mininterval=0): pass\n"
        "    show('[green]green[/]')\n"
        "    child = multiprocessing.get_context('spawn').Process(target=work)\n"
        "    child.start(); child.join()\n"
        "    subprocess.run(['sh', '-c', 'echo shell >&2'])\n"
        "    raise RuntimeError('crashed')\n"
    )
    child = at_terminal(training, sys.executable, "train.py")
    child.expect("RuntimeError.*crashed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    remote = training.deliver(server)
    shown = [line.text for line in remote.console()]
    assert remote.console() == training.run().console()
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in shown]
    assert len([text for text in plain if "100/100" in text]) == 1
    assert not [text for text in plain if "0/100 [" in text and "100%" not in text]
    assert any("\x1b[32mgreen" in text for text in shown)
    for text in ("spawned process", "shell", "RuntimeError: crashed"):
        assert plain.count(text) == 1, (text, plain)


def test_a_kill_of_the_recorder_loses_no_line_that_was_shown_before(training: Training) -> None:
    """SIGKILL: what was recorded stays, and the program learns that its terminal is gone."""
    script = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "outrider.cli", "run", "--", "sh", "-c", script],
        cwd=training.folder, env=training.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    deadline = time.monotonic() + SECONDS
    while len(training.lines()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait(SECONDS)
    process.stdout.close()
    shown = training.lines()
    assert shown == [f"line {i}" for i in range(len(shown))]
    assert len(shown) >= 3
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("name", ["train.py"])
def test_the_runs_command_is_described_as_the_programs(training: Training, name: str) -> None:
    (training.folder / name).write_text("print('x')")
    done = training.outrider("run", "--", "python3", name, "--lr", "1")
    assert done.code == 0, done.err
    (folder,) = find_folders(training.folder)
    meta = folder.meta()
    assert meta["program"] == str(Path(training.folder, name))
    assert meta["argv"][1:] == [name, "--lr", "1"]
    assert meta["adapter"]["framework"] == "command"
