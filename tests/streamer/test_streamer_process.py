"""The streamer as a process: started by a trainer, alone in a folder, hard to end."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from streamer_ingest import Ingest

from outrider.streamer import spawn
from outrider.streamer.lock import Latch, holder_of, is_held
from waiting import eventually

if TYPE_CHECKING:
    from streamer_kit import Run

Train = Callable[..., "subprocess.Popen[str]"]

KILLS = int(os.environ.get("OUTRIDER_TEST_KILLS", "6"))


def streamer_pid(run: Run) -> int:
    """The process that holds the run now."""
    return int(eventually(lambda: holder_of(run.path)))


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def open_files(pid: int) -> list[str]:
    """What a process holds open now; a file that it closes while we look is left out."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            names.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return names


@pytest.mark.parametrize(
    ("how", "code", "end"),
    [
        ("finish", 0, ("finished", 0, None)),
        ("exit0", 0, ("finished", 0, None)),
        ("exit7", 7, ("failed", 7, None)),
        ("signal9", -9, ("killed", None, 9)),
        ("signal11", -11, ("crashed", None, 11)),
        ("leave", 3, ("failed", 3, None)),
    ],
)
def test_everything_arrives_with_the_true_end(
    how: str, code: int, end: tuple[Any, ...], run: Run, ingest: Ingest, train: Train
) -> None:
    """However the trainer ends; then the streamer is done, frees the lock and is gone."""
    assert train(run, how).wait() == code
    eventually(lambda: run.delivery().get("done"), what=run)
    eventually(lambda: not spawn.is_running(run.path), what=run)
    assert ingest.points(run.id) == list(range(20))
    ends = [(e["state"], e["code"], e["signal"]) for e in ingest.ends(run.id)]
    assert end in ends
    assert run.delivery()["state"] == "delivered"


def test_a_scheduler_that_ends_the_job_preempted_it(run: Run, ingest: Ingest, train: Train) -> None:
    """SIGTERM to everything the job started, as SLURM sends it: the streamer stays and says so."""
    trainer = train(run, "wait", env={**os.environ, "SLURM_JOB_ID": "1"})
    pid = streamer_pid(run)
    os.kill(pid, signal.SIGTERM)
    trainer.send_signal(signal.SIGTERM)
    eventually(lambda: ingest.ends(run.id))
    assert [end["state"] for end in ingest.ends(run.id)] == ["preempted"]


def test_the_signals_of_a_terminal_do_not_end_it(run: Run, train: Train, ingest: Ingest) -> None:
    """SIGINT, SIGTERM and SIGHUP are the trainer's; the streamer delivers on."""
    trainer = train(run, "wait")
    pid = streamer_pid(run)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    trainer.kill()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert run.delivery()["pid"] == pid
    assert [end["state"] for end in ingest.ends(run.id)] == ["killed"]


def test_it_is_no_child_of_the_trainer_and_inherits_nothing(run: Run, tmp_path: Path) -> None:
    """A user's wait loop ends, a pipe or port of the trainer's is not held open by us, and nobody's
    queue.py stands before Python's."""
    (tmp_path / "queue.py").write_text("raise SystemExit('the user's own queue')\n")
    run.open()
    script = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
from outrider.streamer import spawn
reading, writing = os.pipe()
os.set_inheritable(writing, True)
assert spawn.start({run.path!r})
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no children", os.readlink(f"/proc/self/fd/{{writing}}"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    said, pipe = done.stdout.strip().rsplit(" ", 1)
    assert said == "no children"
    assert pipe.startswith("pipe:")
    pid = streamer_pid(run)
    assert parent_of(pid) != os.getpid()
    assert os.getsid(pid) not in (os.getsid(0), 0)
    eventually(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 10)
    held = open_files(pid)
    assert any(name.startswith(str(run.path)) for name in held)  # its lock, at least
    assert pipe not in held
    assert "queue" not in run.log_text()
    os.kill(pid, signal.SIGKILL)


def test_a_trainer_that_ignores_its_children_can_start_it(run: Run) -> None:
    """With SIGCHLD ignored the shell cannot be waited for; that is no failure."""
    run.open()
    script = f"""
import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)
from outrider.streamer import spawn
print(spawn.start({run.path!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "True\n"
    os.kill(streamer_pid(run), signal.SIGKILL)


def test_it_starts_where_there_is_no_shell(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python then forks itself away from the trainer."""
    monkeypatch.setattr(spawn, "SHELL", "/no/such/shell")
    run.open()
    assert spawn.start(run.path)
    pid = streamer_pid(run)
    assert parent_of(pid) != os.getpid()
    os.kill(pid, signal.SIGKILL)


def test_starting_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such folder, no Python: False, and training goes on."""
    assert spawn.is_running(str(tmp_path / "none")) is False
    monkeypatch.setattr(sys, "executable", "")
    assert spawn.start(str(tmp_path / "none")) is False
    assert spawn.start(str(tmp_path)) is False
    assert "could not be started" in (tmp_path / spawn.LOG).read_text()


def test_the_trainer_imports_nothing_heavy_for_it() -> None:
    """What starts the streamer costs the trainer next to nothing."""
    script = "import sys; import outrider.streamer.spawn; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    heavy = "requests urllib3 http psutil watchdog pluggy logging sqlite3 json subprocess zstandard"
    assert not set(heavy.split()) & set(done.stdout.split())


def test_two_streamers_race_and_one_holds(run: Run, ingest: Ingest) -> None:
    """Of many that start at once one delivers, the others leave."""
    run.log(*range(50))
    for _ in range(4):
        assert spawn.start(run.path)
    pid = streamer_pid(run)

    def others() -> list[str]:
        found = []
        for name in os.listdir("/proc"):
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if run.path.encode() in words and int(name) != pid:
                found.append(name)
        return found

    eventually(lambda: not others())
    assert spawn.is_running(run.path)
    run.end()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert ingest.points(run.id) == list(range(50))
    assert ingest.duplicates == 0


def test_the_lock_is_free_when_its_holder_dies(tmp_path: Path) -> None:
    """Asking takes nothing and frees nothing; a forked child does not keep the lock."""
    script = f"""
import os, sys, time
from outrider.streamer.lock import Latch
holder = Latch({str(tmp_path)!r}).take()
if os.fork() == 0:
    time.sleep(30)
    os._exit(0)
print("held", flush=True)
time.sleep(30)
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        for _ in range(3):
            assert is_held(str(tmp_path))
        latch = Latch(str(tmp_path))
        assert latch.take() is None
        holder.kill()
        holder.wait()
        eventually(lambda: not is_held(str(tmp_path)))
        taken = latch.take()
        assert taken is not None
        taken.release()
        os.killpg(holder.pid, signal.SIGKILL)


@pytest.mark.reliability
def test_a_streamer_killed_at_any_instant_loses_and_doubles_nothing(
    run: Run, ingest: Ingest, train: Train
) -> None:
    """The trainer starts another; the server's offsets say where to go on."""
    trainer = train(run, "exit7", str(200 * (KILLS + 4)), "0.002")
    rng = random.Random()
    killed = 0
    while killed < KILLS and trainer.poll() is None:
        pid = holder_of(run.path)
        if pid is not None:
            time.sleep(rng.random() * 0.5)
            os.kill(pid, signal.SIGKILL)
            killed += 1
            eventually(lambda before=pid: holder_of(run.path) != before)
    assert killed >= min(KILLS, 3)
    assert trainer.wait() == 7
    if not run.delivery().get("done"):
        spawn.start(run.path)
    eventually(lambda: run.delivery().get("done"), seconds=40)
    assert ingest.points(run.id) == list(range(200 * (KILLS + 4)))


def test_a_stopped_streamer_delays_and_loses_nothing(
    run: Run, ingest: Ingest, train: Train
) -> None:
    """SIGSTOP: the trainer runs on at full speed; after SIGCONT everything arrives."""
    trainer = train(run, "exit0", "2000", "0.0001")
    pid = streamer_pid(run)
    os.kill(pid, signal.SIGSTOP)
    assert trainer.wait(30) == 0
    assert len(ingest.points(run.id)) < 2000
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: run.delivery().get("done"), what=run)
    assert ingest.points(run.id) == list(range(2000))
    assert [end["state"] for end in ingest.ends(run.id)] == ["finished"]


def test_forked_workers_are_writers_of_the_same_run(run: Run, ingest: Ingest) -> None:
    """One streamer delivers them all and waits for the last."""
    script = f"""
import os, time
from outrider.journal.writer import JournalWriter
from outrider.streamer import spawn
writer = JournalWriter({run.path!r}, {run.id!r}, primary=True)
writer.append({{"s": 0, "p": {{"x": 0}}}})
spawn.start({run.path!r})
for worker in range(1, 5):
    if os.fork() == 0:
        time.sleep(0.1 * worker)
        writer.append({{"s": worker, "p": {{"x": worker}}}})
        os._exit(worker)
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    eventually(lambda: run.delivery().get("done"), what=run)
    assert sorted(ingest.points(run.id)) == [0, 1, 2, 3, 4]
    codes = sorted(end["code"] for end in ingest.ends(run.id) if end["code"] is not None)
    assert codes in ([], [0, 1, 2, 3, 4])  # below Linux 6.15 a reaped worker's code is lost


def test_a_run_recorded_offline_is_sampled_and_ended_and_not_sent(
    make_run: Callable[..., Run], ingest: Ingest, train: Train
) -> None:
    """Nothing asks the server; an explicit delivery sends it later."""
    run = make_run(mode="offline")
    trainer = train(run, "wait")
    eventually(lambda: "host" in {record.kind for *_, record in run.folder.records()}, what=run)
    trainer.kill()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert run.delivery()["state"] == "offline"
    eventually(lambda: not spawn.is_running(run.path), what=run)
    assert ingest.requests == []
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(20))
    assert [end["signal"] for end in ingest.ends(run.id)] == [9]
    assert any(record.get("k") == "host" for record in ingest.records(run.id))


def test_a_folder_that_is_deleted_ends_its_streamer(run: Run, train: Train) -> None:
    """It was deleted on purpose: no traceback, no process left, no folder brought back."""
    import shutil

    trainer = train(run, "wait")
    pid = streamer_pid(run)
    trainer.kill()
    while os.path.exists(run.path):  # the streamer writes into it meanwhile
        shutil.rmtree(run.path, ignore_errors=True)
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))
    assert not os.path.exists(run.path)


def test_its_log_stays_short_while_the_server_is_down(
    make_run: Callable[..., Run], train: Train
) -> None:
    """A line per change of state, none per try."""
    gone = Ingest()
    gone.stop()
    run = make_run(server=gone.url)
    train(run, "finish")
    eventually(lambda: run.delivery().get("state") == "waiting")
    time.sleep(3)
    lines = re.findall("waiting", run.log_text())
    assert len(lines) == 1
    os.kill(streamer_pid(run), signal.SIGKILL)
