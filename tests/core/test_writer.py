"""The journal's writer under threads, forks, full disks and scripts that close descriptors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from outrider.folder import make_run_folder
from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged, Record
from outrider.journal.writer import JournalWriter


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return make_run_folder(str(tmp_path / ".outrider"), "r1", shared_id=False)[0]


def points(folder: str) -> list[int]:
    found = []
    for _, _, _, record in RunFolder(folder).records():
        assert isinstance(record, Record), record
        if record.kind == "points":
            found.append(record.body["s"])
    return found


def test_every_segment_begins_with_a_head_that_names_it(folder: str) -> None:
    writer = JournalWriter(folder, "r1", attempt=3, primary=True, segment_bytes=4096)
    for step in range(200):
        writer.append({"s": step, "p": {"a": 0.5}})
    reader = RunFolder(folder)
    numbers = reader.segments(writer.writer)
    assert len(numbers) > 2
    for number in numbers:
        first = next(r for w, n, o, r in reader.records() if n == number)
        assert isinstance(first, Record)
        assert (first.kind, first.body["n"], first.body["a"]) == ("head", number, 3)
        assert first.body["pid"] == os.getpid()
    assert points(folder) == list(range(200))


def test_threads_that_roll_a_hundred_segments_lose_nothing_and_touch_no_other_file(
    folder: str, tmp_path: Path
) -> None:
    writer = JournalWriter(folder, "r1", segment_bytes=8192)
    stop = threading.Event()
    others = tmp_path / "others"
    others.mkdir()
    foreign: list[tuple[Path, bytes]] = []

    def open_and_close(name: str) -> None:
        count = 0
        while not stop.is_set():
            path = others / f"{name}-{count}"
            text = f"mine {name} {count}".encode()
            with path.open("wb") as file:
                file.write(text)
            foreign.append((path, text))
            count += 1
            if count % 200 == 0:
                for old in others.glob(f"{name}-*"):
                    assert old.read_bytes().startswith(b"mine ")
                    old.unlink()

    steps = count()

    def log() -> None:
        while writer.number <= 100:
            assert writer.append({"s": next(steps), "p": {"a": 0.123456789, "b": 1.0, "c": 2.0}})

    openers = [threading.Thread(target=open_and_close, args=(f"o{n}",)) for n in range(2)]
    loggers = [threading.Thread(target=log) for _ in range(8)]
    for thread in (*openers, *loggers):
        thread.start()
    for thread in loggers:
        thread.join()
    stop.set()
    for thread in openers:
        thread.join()
    assert len(RunFolder(folder).segments(writer.writer)) > 100
    assert sorted(points(folder)) == list(range(next(steps)))
    for path, text in foreign:
        if path.exists():
            assert path.read_bytes() == text
    assert len(foreign) > 100


def test_what_a_thread_wrote_before_a_roll_and_counts_behind_it_is_no_cut(folder: str) -> None:
    """Else threads that log without a pause would begin a segment at each look."""
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 0.5}})
    writer.room = -1
    writer.roll()
    writer.wrote(100, 100)  # by a thread that was inside the write, into the segment before
    for step in range(1, 9):
        writer.due = 0.0  # as it is a quarter of a second later
        writer.append({"s": step, "p": {"a": 0.5}})
        writer.tend(writer.clock.now())
    assert writer.number == 2
    os.truncate(writer.path(), 300)
    writer.tend(writer.clock.now())
    assert writer.number == 3
    os.close(writer.fd)


def test_a_forked_child_becomes_its_own_writer(folder: str) -> None:
    writer = JournalWriter(folder, "r1", primary=True)
    writer.append({"s": 0, "p": {"a": 1}})
    children = []
    for number in range(1, 9):
        child = os.fork()
        if child == 0:
            ok = all(writer.append({"s": number * 100 + n, "p": {"a": 1}}) for n in range(50))
            os._exit(0 if ok else 1)
        children.append(child)
    writer.append({"s": 1, "p": {"a": 1}})
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    reader = RunFolder(folder)
    assert len(reader.writers()) == 9
    heads = [reader.head(name) for name in reader.writers()]
    assert sorted(head["primary"] for head in heads if head) == [False] * 8 + [True]
    expected = [0, 1] + [number * 100 + n for number in range(1, 9) for n in range(50)]
    assert sorted(points(folder)) == sorted(expected)


def test_a_descriptor_that_the_script_closed_and_used_again_is_left_alone(
    folder: str, tmp_path: Path
) -> None:
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 1}})
    fd = writer.fd
    os.close(fd)
    mine = os.open(tmp_path / "mine", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(mine, fd)
    writer.due = 0.0  # as it is a quarter of a second later
    for step in range(1, 5):
        assert writer.append({"s": step, "p": {"a": 1}})
    assert writer.fd != fd
    assert (tmp_path / "mine").read_bytes() == b""
    assert points(folder) == [0, 1, 2, 3, 4]
    os.close(mine)
    os.close(fd)


def test_a_closed_descriptor_costs_a_counted_gap_and_logging_goes_on(folder: str) -> None:
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 1}})
    writer.due = 1e12
    os.close(writer.fd)
    assert not writer.append({"s": 1, "p": {"a": 1}})
    assert writer.append({"s": 2, "p": {"a": 1}})
    assert points(folder) == [0, 2]
    gaps = [r for *_, r in RunFolder(folder).records() if isinstance(r, Record) and r.kind == "gap"]
    assert [(gap.body["n"], gap.body["why"]) for gap in gaps] == [(1, "EBADF")]


def test_a_deleted_segment_is_followed_by_a_new_one(folder: str) -> None:
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 1}})
    os.unlink(writer.path())
    writer.due = 0.0
    assert writer.append({"s": 1, "p": {"a": 1}})
    assert points(folder) == [1]
    assert writer.number == 2


def test_a_disk_that_fills_up_loses_only_what_it_could_not_take_and_says_how_much(
    folder: str, tmp_path: Path
) -> None:
    """RLIMIT_FSIZE cuts a write short exactly as a full disk does; raised again, logging goes on."""
    script = textwrap.dedent(
        """
        import resource, signal, sys
        from outrider.journal.writer import JournalWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer = JournalWriter(sys.argv[1], "r1")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        kept = [writer.append({"s": s, "p": {"a": 0.123456}}) for s in range(40)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        kept += [writer.append({"s": s, "p": {"a": 0.123456}}) for s in range(40, 60)]
        print(*[s for s, k in enumerate(kept) if k])
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=True
    )
    returned = [int(step) for step in result.stdout.split()]
    steps, gaps, damaged = [], 0, 0
    for *_, record in RunFolder(folder).records():
        if isinstance(record, Damaged):
            damaged += 1
        elif record.kind == "points":
            steps.append(record.body["s"])
        elif record.kind == "gap":
            gaps += record.body["n"]
    assert 0 < len(returned) < 60
    assert set(range(40, 60)) <= set(returned)
    assert steps == returned
    assert gaps + damaged == 60 - len(
        returned
    )  # the one that was cut is told by what is left of it
    assert damaged <= 1  # none where the cut fell between two records


def test_a_record_glued_behind_a_torn_one_is_salvaged(folder: str) -> None:
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 1}})
    with Path(writer.path()).open("ab") as file:
        file.write(b'{"t":1.0,"s":7,"p":{"a')
    writer.append({"s": 1, "p": {"a": 1}})
    found = [
        r for *_, r in RunFolder(folder).records() if isinstance(r, Record) and r.kind != "head"
    ]
    assert [(record.body["s"], record.torn) for record in found] == [(0, False), (1, True)]


def test_folders_and_files_are_the_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder, _ = make_run_folder(str(tmp_path / ".outrider"), "r1", shared_id=False)
        writer = JournalWriter(folder, "r1")
    finally:
        os.umask(before)
    for path in (folder, os.path.join(folder, "journal"), str(tmp_path / ".outrider")):
        assert os.stat(path).st_mode & 0o777 == 0o700
    assert os.stat(writer.path()).st_mode & 0o777 == 0o600


def test_a_symlink_planted_where_a_segment_comes_is_not_followed(
    folder: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    name = "planted"
    os.symlink(target, os.path.join(folder, "journal", f"{name}-000001.jsonl"))
    with pytest.raises(FileExistsError):
        JournalWriter(folder, "r1", writer=name)
    assert target.read_text() == "precious"


def test_a_thousand_interrupts_never_tear_a_record(folder: str) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        from outrider.journal.writer import JournalWriter
        writer = JournalWriter(sys.argv[1], "r1", segment_bytes=8192)
        returned = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        armed = False
        def interrupt(*_):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt
        signal.signal(signal.SIGINT, interrupt)
        print("ready", flush=True)
        step = caught = 0
        while caught < 1000:
            step += 1
            try:
                armed = True
                if writer.append({"s": step, "p": {"a": 1.5}}):
                    armed = False
                    os.write(returned, b"%d\\n" % step)
                armed = False
            except KeyboardInterrupt:
                caught += 1
        """
    )
    noted = os.path.join(folder, "noted")
    process = subprocess.Popen(
        [sys.executable, "-c", script, folder, noted], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.stdout.close()
    returned = [int(line) for line in Path(noted).read_text().split()]
    found = points(folder)
    assert len(found) == len(set(found))
    assert set(returned) <= set(found)


def test_a_low_limit_of_descriptors_is_no_obstacle(folder: str) -> None:
    """Below the number at which ours would lie; in a process of its own, with few files open."""
    script = (
        "import resource, sys\n"
        "from outrider.journal.writer import JournalWriter\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "writer = JournalWriter(sys.argv[1], 'r1')\n"
        "sys.exit(0 if writer.append({'s': 0, 'p': {'a': 1}}) else 1)\n"
    )
    subprocess.run([sys.executable, "-c", script, folder], check=True)
    assert points(folder) == [0]


def test_a_record_that_is_too_long_is_counted_as_a_gap(folder: str) -> None:
    writer = JournalWriter(folder, "r1")
    assert not writer.append({"k": "config", "c": {"x": "y" * (17 << 20)}})
    assert writer.append({"s": 0, "p": {"a": 1}})
    gap: Any = [r for *_, r in RunFolder(folder).records() if getattr(r, "kind", "") == "gap"]
    assert gap[0].body["n"] == 1


def test_a_forked_child_leaves_a_number_alone_that_is_not_ours_any_more(
    folder: str, tmp_path: Path
) -> None:
    writer = JournalWriter(folder, "r1")
    writer.append({"s": 0, "p": {"a": 1}})
    child = os.fork()
    if child == 0:
        os.close(writer.fd)
        mine = os.open(tmp_path / "mine", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(mine, writer.fd)
        is_kept = writer.append({"s": 1, "p": {"a": 1}})
        os._exit(0 if is_kept and (tmp_path / "mine").stat().st_size == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sorted(points(folder)) == [0, 1]
