"""What ``save()`` writes in the trainer, and what the streamer makes of it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from files_kit import Run, script, sha256

from outrider import keeping
from outrider.folder import write_meta
from outrider.ids import host_label
from outrider.streamer import saving
from outrider.streamer.files import Source
from waiting import eventually


def test_a_saved_file_lies_under_its_hash_and_is_told(run: Run, training: Path) -> None:
    Path("model.txt").write_bytes(b"weights")
    assert run.save("model.txt", metadata={"score": 0.5}, aliases=["best"]) == ["model.txt"]
    run.work()
    (told,) = run.told()
    assert (told["path"], told["sha256"], told["size"]) == ("model.txt", sha256(b"weights"), 7)
    assert (told["role"], told["state"], told["type"]) == ("save", "ok", "text/plain")
    assert told["m"] == {"score": 0.5, "aliases": ["best"]}
    place = run.path / "files" / told["sha256"][:2] / told["sha256"]
    assert place.read_bytes() == b"weights"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list((run.path / "files" / "spool").iterdir()) == []


def test_paths_are_kept_below_the_base(
    run: Run, training: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the working folder, below a base, and below what a glob elsewhere names for certain; what lies
    outside of the base that was named is said."""
    for name in ("a/x.bin", "a/b/y.bin"):
        path = training / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    elsewhere = tmp_path / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere / "z.bin").write_bytes(b"z")
    assert run.save("out") == ["out/a/x.bin", "out/a/b/y.bin"]
    assert run.save("out/**/*.bin", base="out/a") == ["b/y.bin", "x.bin"]
    assert run.save(str(elsewhere / "z.bin")) == ["z.bin"]
    assert run.save(tmp_path / "elsewhere" / "*" / "*.bin") == ["deep/z.bin"]
    assert "outside" not in capsys.readouterr().err
    assert run.save(str(elsewhere / "z.bin"), base="out") == ["z.bin"]
    assert f"lies outside of base {str(training / 'out')!r}: kept as 'z.bin'" in (
        capsys.readouterr().err
    )
    assert run.save("out/../../elsewhere") == ["elsewhere/deep/z.bin"]


def test_a_glob_names_every_file_once_and_follows_no_link_round(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`**` names folders and what lies in them; a link to a folder above itself would never end."""
    for name in ("tree/x", "tree/sub/y", "tree/sub/.hidden", "tree/.git/z"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    for name in ("loop", "again"):
        Path(f"tree/sub/{name}").symlink_to("..")
    assert run.save("tree/**") == ["tree/sub/y", "tree/x"]
    assert run.save("**/y") == ["tree/sub/y"]
    assert run.save("tree/**/sub/**/y") == ["tree/sub/y"]
    assert run.save("tree/*") == ["tree/sub/.hidden", "tree/sub/y", "tree/x"]
    assert run.save("tree/**/.hidden") == ["tree/sub/.hidden"]
    assert capsys.readouterr().err.count("is a link to a folder: left out") == 2


@pytest.mark.parametrize(
    "name",
    [
        "ünï 中文 🚀.txt",
        "line\nbreak",
        "quote\"'",
        " leading",
        "-dash",
        "..dots",
        "a" * 255,
        "%2e\\x",
    ],
    ids=lambda name: name[:8].encode("ascii", "backslashreplace").decode(),
)
def test_any_name_is_kept(run: Run, training: Path, name: str) -> None:
    Path(name).write_bytes(b"x")
    assert run.save(str(training / name), base=training) == [name]
    run.work()
    (told,) = run.told()
    assert (told["path"], run.content(told)) == (name, b"x")


def test_a_name_that_is_not_utf8_is_kept_and_shown_with_escapes(run: Run) -> None:
    raw = b"odd-\xff\xfe.bin"
    with open(raw, "wb") as file:
        file.write(b"x")
    assert run.save(os.fsdecode(raw)) == ["odd-\\xff\\xfe.bin"]
    run.work()
    (told,) = run.told()
    assert (told["path"], run.content(told)) == ("odd-\\xff\\xfe.bin", b"x")


def test_links_are_followed_to_files_and_left_out_to_folders(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("real").mkdir()
    Path("real/a").write_bytes(b"a")
    Path("tree").mkdir()
    Path("tree/link").symlink_to("../real/a")
    Path("tree/folder").symlink_to("../real")
    Path("tree/nowhere").symlink_to("../gone")
    Path("tree/loop").symlink_to("loop")
    assert run.save("tree") == ["tree/link"]
    run.work()
    assert [(told["path"], run.content(told)) for told in run.told()] == [("tree/link", b"a")]
    said = capsys.readouterr().err
    assert "'tree/folder' is a link to a folder" in said
    assert "tree/nowhere' is not kept: it is a link that leads nowhere" in said


def test_what_is_no_file_is_refused_once_and_never_waited_for(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A FIFO without a writer, a socket, a device: said once; what lies beside is kept."""
    Path("all").mkdir()
    os.mkfifo("all/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("all/socket")
        Path("all/file").write_bytes(b"")
        for _ in range(2):
            assert run.save("all") == ["all/file"]
            assert run.save("/dev/zero") == []
    run.work()
    assert [(told["path"], told["size"]) for told in run.told()] == [("all/file", 0)] * 2
    said = capsys.readouterr().err
    assert said.count("pipe' is not kept: it is a FIFO") == 1
    assert said.count("socket' is not kept: it is a socket") == 1
    assert said.count("'/dev/zero' is not kept: it is a device") == 1


def test_a_file_that_becomes_a_fifo_is_not_waited_for(run: Run, training: Path) -> None:
    Path("model").write_bytes(b"x")
    run.save("model")
    let_go(run)
    Path("model").unlink()
    os.mkfifo("model")
    run.work()
    (told,) = run.told()
    assert (told["state"], told["sha256"], told["why"]) == ("unreadable", None, "not a plain file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_said(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("secret").write_bytes(b"x")
    Path("secret").chmod(0)
    assert run.save("secret") == []
    assert "it may not be read" in capsys.readouterr().err


def test_a_glob_without_a_match_is_said_once(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.save("no-such-*.bin") == run.save("no-such-*.bin") == []
    assert capsys.readouterr().err.count("'no-such-*.bin' matches nothing") == 1
    assert run.records("save") == []


def test_a_file_whose_name_looks_like_a_glob_is_meant_itself(run: Run, training: Path) -> None:
    Path("model[1].bin").write_bytes(b"x")
    assert run.save("model[1].bin") == ["model[1].bin"]


def test_the_trainer_writes_one_record_and_tries_one_reflink_a_file(
    run: Run, training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system refuses the first, none is tried for the others."""
    calls: list[int] = []
    real = keeping.fcntl.ioctl

    def counted(fd: int, request: int, *more: Any) -> Any:
        calls.append(request)
        return real(fd, request, *more)

    monkeypatch.setattr(keeping.fcntl, "ioctl", counted)
    monkeypatch.setattr(keeping, "_no_reflinks", set())
    Path("many").mkdir()
    for number in range(1000):
        Path(f"many/{number:04}.txt").write_text(str(number))
    assert len(run.save("many")) == 1000
    records = run.records("save")
    assert len(records) == 1000
    assert len(calls) in (1, 1000)  # refused at once, or possible for each
    run.work()
    told = run.told()
    assert [one["path"] for one in told] == [f"many/{number:04}.txt" for number in range(1000)]
    assert all(run.content(one) == str(int(one["path"][5:9])).encode() for one in told)


def test_the_same_content_lies_there_once(run: Run, training: Path) -> None:
    for name in ("a", "b"):
        Path(name).write_bytes(b"same")
        run.save(name)
    run.save("a")
    run.work()
    assert [told["path"] for told in run.told()] == ["a", "b", "a"]
    assert len({told["sha256"] for told in run.told()}) == 1
    assert run.files.shelf.left() == (1, 4)


def test_a_snapshot_in_the_spool_is_what_counts(run: Run, training: Path) -> None:
    """As on a file system with reflinks: what happens to the file afterwards does not matter."""
    spool = run.path / "files" / "spool"
    spool.mkdir(parents=True)
    (spool / "save-1-1-abc").write_bytes(b"then")
    Path("model").write_bytes(b"now")
    record = {"k": "save", "path": "model", "source": str(training / "model"), "policy": "now"}
    run.writer.append({**record, "spool": "save-1-1-abc"})
    run.work()
    (told,) = run.told()
    assert (run.content(told), told["state"], told["spool"]) == (b"then", "ok", "save-1-1-abc")
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("name", ["../../run.json", "/etc/passwd", "", "a/b", "x" * 300])
def test_a_spool_name_never_leads_out_of_the_spool(run: Run, training: Path, name: str) -> None:
    """Records come from any language, also from a hostile one."""
    Path("model").write_bytes(b"now")
    record = {"k": "save", "path": "model", "source": str(training / "model"), "policy": "now"}
    run.writer.append({**record, "spool": name})
    run.work()
    assert all(told["sha256"] in (None, sha256(b"now")) for told in run.told())
    assert (run.path / "run.json").exists()


def test_a_file_that_changed_before_it_was_copied_is_marked(run: Run, training: Path) -> None:
    if _can_reflink(training):
        pytest.skip("here save() itself takes the snapshot")
    Path("model").write_bytes(b"old")
    run.save("model")
    Path("model").write_bytes(b"newer")
    run.work()
    (told,) = run.told()
    assert (told["state"], told["why"]) == ("changed", saving.LATER)
    assert run.content(told) == b"newer"


@pytest.mark.parametrize("how", ["removed", "replaced", "through a link"])
def test_a_file_that_is_removed_or_replaced_is_the_one_that_was_meant(
    run: Run, training: Path, how: str
) -> None:
    """As checkpoints are, a moment after they were saved."""
    Path("model").write_bytes(b"old")
    name = "model"
    if how == "through a link":
        name = "latest"
        Path(name).symlink_to("model")
    run.save(name)
    if how == "replaced":
        Path("new").write_bytes(b"newer")
        Path("new").replace("model")
    else:
        Path("model").unlink()
    run.work()
    (told,) = run.told()
    assert (run.content(told), told["state"], told["path"]) == (b"old", "ok", name)
    assert list((run.path / "files" / "spool").iterdir()) == []


def test_a_file_that_vanished_before_it_was_copied_is_told(run: Run, training: Path) -> None:
    """Where nothing could hold on to it."""
    Path("model").write_bytes(b"old")
    Path("other").write_bytes(b"other")
    run.save("model")
    run.save("other")
    let_go(run)
    Path("model").unlink()
    run.work()
    gone, there = run.told()
    assert (gone["state"], gone["sha256"], gone["why"]) == (
        "vanished", None, "No such file or directory",
    )  # fmt: skip
    assert there["state"] == "ok"


def test_a_file_in_use_is_never_a_silent_mixture(run: Run, training: Path) -> None:
    """Another process rewrites it in place, without pause, while it is copied again and again:
    each copy is one state, or is marked."""
    size = 1 << 20
    Path("used").write_bytes(b"A" * size)
    program = f"""
import itertools, os, time
fd = os.open("used", os.O_WRONLY)
for n, letter in enumerate(itertools.cycle(b"ABCDEFGH")):
    for at in range(0, {size}, 65536):
        os.pwrite(fd, bytes([letter]) * 65536, at)
        time.sleep(0.0005)
    time.sleep(0.2 * (n % 3))
"""
    writer = subprocess.Popen([sys.executable, "-c", program])
    try:
        for _ in range(6):
            run.save("used")
            run.work()
    finally:
        writer.kill()
        writer.wait()
    assert len(run.told()) == 6
    for told in run.told():
        is_one_state = len(set(run.content(told))) == 1
        assert is_one_state or (told["state"], told["why"]) == ("changed", saving.MIXED)


def test_a_write_in_the_middle_of_a_copy_makes_it_start_again(
    run: Run, training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if _can_reflink(training):
        pytest.skip("here a copy is one call of the kernel")
    monkeypatch.setattr(saving, "FIRST_PAUSE", 0.01)
    path = Path("model")
    path.write_bytes(b"a" * 4096)
    real, writes = saving.contents.copy, iter([b"b", b"c"])

    def meddled(source: int, target: int) -> Any:
        found = real(source, target)
        if (letter := next(writes, None)) is not None:
            path.write_bytes(letter * 4096)
        return found

    monkeypatch.setattr(saving.contents, "copy", meddled)
    run.save("model")
    run.work()
    (told,) = run.told()
    assert run.content(told) == b"c" * 4096
    assert told["why"] == saving.LATER


def test_live_follows_changes_and_end_waits_for_the_end(run: Run, training: Path) -> None:
    Path("log").write_bytes(b"1")
    Path("report").write_bytes(b"draft")
    run.save("log", policy="live")
    run.save("report", policy="end")
    run.work()
    assert [(told["path"], run.content(told)) for told in run.told()] == [("log", b"1")]
    run.errands.follow(is_last=False)
    Path("log").write_bytes(b"12")
    Path("report").write_bytes(b"final")
    run.streamer()  # killed in between: what is followed is remembered
    run.work()
    assert [run.content(told) for told in run.told()] == [b"1", b"12"]
    run.errands.follow(is_last=False)  # at once again: not looked at before its time
    Path("log").write_bytes(b"123")
    run.work()
    assert len(run.told()) == 2
    assert not run.errands.is_drained(run.sizes())
    run.work(is_last=True)
    assert [(told["path"], run.content(told)) for told in run.told()[2:]] == [
        ("log", b"123"),
        ("report", b"final"),
    ]
    run.work()
    assert run.errands.is_drained(run.sizes())
    run.work(is_last=True)
    assert len(run.told()) == 4


def test_what_the_killed_left_in_the_spool_is_cleared_at_the_end(run: Run, training: Path) -> None:
    """A trainer killed between holding on to a file and its record; never before all is answered,
    and never what is another's."""
    Path("model").write_bytes(b"1")
    run.save("model")
    spool = run.path / "files" / "spool"
    left = spool / f"save-{host_label()}-1-1-abcd"
    for path in (left, spool / f"copy-{host_label()}-1-1", spool / "main-1.png"):
        path.write_bytes(b"x")
    run.errands.follow(is_last=True)
    assert left.exists()
    run.work()
    assert left.exists()
    run.work(is_last=True)
    assert [path.name for path in spool.iterdir()] == ["main-1.png"]
    assert [run.content(told) for told in run.told()] == [b"1"]


def test_half_a_copy_of_a_killed_streamer_goes_when_the_next_begins(
    run: Run, training: Path
) -> None:
    """Not at the run's end: five kills while a large file is copied would fill a disk. The copy
    that this streamer is making stays."""
    Path("model").write_bytes(b"1")
    run.save("model")
    spool = run.path / "files" / "spool"
    killed, own = (spool / f"copy-{host_label()}-{pid}-7" for pid in (1, os.getpid()))
    for path in (killed, own):
        path.write_bytes(b"half of it")
    run.streamer()
    run.work()
    assert not killed.exists()
    assert own.exists()
    assert [run.content(told) for told in run.told()] == [b"1"]


def test_a_live_file_that_does_not_change_is_told_once(run: Run, training: Path) -> None:
    Path("log").write_bytes(b"1")
    run.save("log", policy="live")
    run.work()
    os.utime("log")
    run.work(is_last=True)
    assert len(run.told()) == 1


def test_a_live_file_that_is_taken_away_stays_as_it_was_last_seen(run: Run, training: Path) -> None:
    Path("log").write_bytes(b"1")
    run.save("log", policy="live")
    run.work()
    Path("log").unlink()
    run.work(is_last=True)
    assert [told["state"] for told in run.told()] == ["ok"]


def test_an_unknown_policy_is_said_and_now_is_used(
    run: Run, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a").write_bytes(b"1")
    run.save("a", policy="sometimes")
    assert "'sometimes' is not known" in capsys.readouterr().err
    assert run.records("save")[0]["policy"] == "now"


@pytest.mark.parametrize("calls", range(1, 5))
def test_a_streamer_killed_at_any_point_tells_each_file_once(
    run: Run, training: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Killed before the content is in place, before the record, before the spool is cleared, and
    before its place in the journal is kept."""
    Path("a").write_bytes(b"a")
    run.save("a")
    steps = ["_put", "_tell", "_clear"]

    class Killed(BaseException):
        pass

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if calls <= len(steps):
            patch.setattr(run.files, steps[calls - 1], dies)
        else:
            patch.setattr(run.errands, "_keep_place", dies)
        with pytest.raises(Killed):
            run.work()
    run.streamer()
    run.work()
    (told,) = run.told()
    assert (told["path"], run.content(told), told["state"]) == ("a", b"a", "ok")
    run.streamer()
    run.work()
    assert len(run.told()) == 1


def test_an_errand_that_fails_is_told_and_the_next_is_done(
    run: Run, training: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a disk that is full for a while."""
    real = run.files.add

    def fails(local: str, *, path: str, **more: Any) -> Any:
        if path == "a":
            raise OSError(28, "No space left on device")
        return real(local, path=path, **more)

    monkeypatch.setattr(run.files, "add", fails)
    for name in ("a", "b"):
        Path(name).write_bytes(b"x")
        run.save(name)
    run.work()
    assert [(told["path"], told["state"]) for told in run.told()] == [
        ("a", "unreadable"), ("b", "ok"),
    ]  # fmt: skip
    assert run.told()[0]["why"] == "it could not be copied: No space left on device"
    assert "save at ('main', 1," in capsys.readouterr().out


def test_records_written_with_blanks_are_answered_too(run: Run, training: Path) -> None:
    """Other languages put a blank behind a colon."""
    Path("a").write_bytes(b"a")
    line = f'{{"t": 1.0, "k": "save", "path": "a", "source": "{training}/a", "policy": "now"}}\n'
    run.writer.write(line.encode())
    run.work()
    assert [told["path"] for told in run.told()] == ["a"]


def test_a_sparse_file_stays_sparse_and_has_the_right_hash(run: Run, training: Path) -> None:
    size = 256 << 20
    with open("sparse", "wb") as file:
        file.seek(100 << 20)
        file.write(b"in the middle")
        file.truncate(size)
    if os.stat("sparse").st_blocks * 512 > size // 4:
        pytest.skip("this file system has no holes")
    run.save("sparse")
    run.work()
    (told,) = run.told()
    assert told["size"] == size
    place = Path(run.files.place(told["sha256"]))
    assert place.stat().st_blocks * 512 < size // 4
    with place.open("rb") as file:
        file.seek(100 << 20)
        assert file.read(13) == b"in the middle"
    found = subprocess.run(["sha256sum", "sparse"], capture_output=True, text=True, check=True)
    assert found.stdout.split()[0] == told["sha256"]


def test_files_may_be_added_from_many_threads(run: Run, training: Path) -> None:
    """As encoders and capture do: each spool name is told once, however often it is added."""
    spool = Path(run.files.make_spool())

    def add(number: int) -> None:
        name = f"main-{number % 20}.png"
        local = spool / f"{name}.{number}"
        local.write_bytes(b"%d" % (number % 20))
        run.files.add(str(local), path=f"media/{name}", role="media", spool=name)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(20, 40):
        add(number)
    assert len(run.told()) == 20
    assert all(run.files.has_spool(f"main-{number}.png") for number in range(20))
    assert list(spool.iterdir()) == []


def test_what_stays_local_is_told_and_never_queued(run: Run, training: Path) -> None:
    local = run.path / "code"
    local.mkdir()
    (local / "diff.patch").write_bytes(b"diff")
    stored = run.files.add(
        str(local / "diff.patch"), path="code/diff.patch", role="code", upload=False
    )
    assert stored.sha256 == sha256(b"diff")
    assert run.told()[0]["state"] == "local"
    assert (local / "diff.patch").exists()
    assert not run.files.is_busy()
    run.streamer()
    assert not run.files.is_busy()


def test_files_that_a_setting_names_stay_on_this_machine(run: Run, training: Path) -> None:
    """`ignore_globs`: kept in the folder, told as local, never queued."""
    meta = run.folder.meta()
    write_meta(str(run.path), {**meta, "settings": {"ignore_globs": ["*.secret", "private"]}})
    Path("private").mkdir()
    for name in ("a.secret", "private/b", "c"):
        Path(name).write_bytes(name.encode())
        run.save(name)
    run.work()
    assert [(told["path"], told["state"]) for told in run.told()] == [
        ("a.secret", "local"), ("private/b", "local"), ("c", "ok"),
    ]  # fmt: skip
    assert run.files.shelf.left() == (1, 1)


def test_a_source_answers_once(run: Run, training: Path) -> None:
    Path("a").write_bytes(b"a")
    run.save("a")
    run.work()
    (told,) = run.told()
    assert run.files.has_source(Source(*told["of"]))


def let_go(run: Run) -> None:
    """As on a file system with neither reflinks nor links."""
    for path in (run.path / "files" / "spool").iterdir():
        path.unlink()


def _can_reflink(folder: Path) -> bool:
    from outrider import contents

    (folder / ".one").write_bytes(b"x")
    with open(folder / ".one", "rb") as one, open(folder / ".two", "wb") as two:
        found = contents.clone(one.fileno(), two.fileno())
    (folder / ".one").unlink()
    (folder / ".two").unlink()
    return found


def test_a_script_may_remove_its_files_after_finish(training: Path) -> None:
    """finish() waits for the copies, also where nothing is sent."""
    program = """
import os
from outrider import core
core.init(mode="offline", settings={"finish_seconds": 60})
open("model", "w").write("weights")
core.save("model")
open("report", "w").write("draft")
core.save("report", policy="end")
open("report", "w").write("final")
core.finish()
os.unlink("model"); os.unlink("report")
"""
    done = script(training, program, dict(os.environ))
    assert done.returncode == 0, done.stderr
    from outrider import api

    (seen,) = api.runs(training)
    files = eventually(lambda: len(seen.files("save")) == 2 and seen.files("save"))
    assert {file.path: file.read() for file in files} == {"model": b"weights", "report": b"final"}
    assert [file.state for file in files] == ["ok", "ok"]
