"""Planted symbolic links lead nowhere: in a run's folder, the data and state folders, in targets."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attack_kit import Hostile
from server_kit import Client, Start, points

from outrider import api, credentials
from outrider.cli.material import write_files
from outrider.contents import Stored
from outrider.errors import OutriderError
from outrider.folder import link_of, make_run_folder, prepare_root, write_file
from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter
from outrider.reading.files import file_of
from outrider.reading.target import replacing
from outrider.streamer.bundles import packed
from outrider.streamer.lock import Latch
from outrider.streamer.saving import _held
from outrider.streamer.spawn import _make, _note

SECRET = b"the private key of whoever runs this\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the user's, outside of everything of ours."""
    path = tmp_path / "home" / "id_key"
    path.parent.mkdir()
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def outside(tmp_path: Path, secret: Path) -> Iterator[Path]:
    """A folder of the user's into which nothing may be written."""
    yield secret.parent
    assert os.listdir(secret.parent) == ["id_key"]
    assert secret.read_bytes() == SECRET


def run_folder(tmp_path: Path, name: str = "r1") -> Path:
    """A run's folder with a whole journal."""
    path, _ = make_run_folder(str(tmp_path / "training" / ".outrider"), name, shared_id=True)
    folder = Path(path)
    meta = b'{"format":1,"id":"%s","project":"p","mode":"offline","created":1.0,"writer":"main"}'
    (folder / "run.json").write_bytes(meta % name.encode())
    (folder / "journal" / "main-000001.jsonl").write_bytes(points(0, 3))
    return folder


# --- a run's folder that came with a repository ----------------------------------------------------


def test_a_segment_that_is_a_link_is_not_read(tmp_path: Path, secret: Path) -> None:
    """Another file of the user's never leaves as a journal."""
    folder = run_folder(tmp_path)
    (folder / "journal" / "evil-000001.jsonl").symlink_to(secret)
    os.mkfifo(folder / "journal" / "pipe-000001.jsonl")
    found = RunFolder(folder)
    assert found.size("evil", 1) == 0
    assert found.size("pipe", 1) == 0
    assert found.head("evil") is None
    for name in ("evil", "pipe"):
        with pytest.raises(FileNotFoundError):
            found.read(name, 1, 0)
    assert [writer for writer, *_ in found.records()] == ["main"] * 3
    assert api.open(folder).history().keys == ["loss"]


def test_sync_sends_nothing_that_a_link_points_to(tmp_path: Path, secret: Path) -> None:
    """A planted journal, content and copy in the spool; all that arrives anywhere is looked at."""
    folder = run_folder(tmp_path)
    sha256 = hashlib.sha256(SECRET).hexdigest()
    (folder / "journal" / "evil-000001.jsonl").symlink_to(secret)
    (folder / "files" / sha256[:2]).mkdir()
    (folder / "files" / sha256[:2] / sha256).symlink_to(secret)
    (folder / "files" / "spool").mkdir()
    for name in ("save-x-1-1-ab", "save-x-1-2-ab"):
        (folder / "files" / "spool" / name).symlink_to(secret)
    lines = [
        (
            f'{{"t":1.0,"k":"file","path":"a","sha256":"{sha256}","size":{len(SECRET)},"role":"save",'
            '"state":"ok"}'
        ),
        '{"t":1.0,"k":"save","path":"b","source":"/nowhere/b","policy":"now","held":"save-x-1-1-ab"}',
        '{"t":1.0,"k":"save","path":"c","source":"/nowhere/c","policy":"now","spool":"save-x-1-2-ab"}',
    ]
    with open(folder / "journal" / "main-000001.jsonl", "a") as file:
        file.write("\n".join(lines) + "\n")
    listener = _Listener()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "outrider.cli", "sync", str(folder), "--url", listener.url],
            env={**os.environ, "OUTRIDER_API_KEY": "x"}, cwd=tmp_path, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    finally:
        listener.stop()
    assert listener.heard, done.stderr
    assert all(SECRET.strip() not in body for body in listener.bodies), done.stdout
    assert secret.read_bytes() == SECRET
    assert not any(path.is_file() and SECRET in path.read_bytes() for path in _own(folder))


def _own(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink())


class _Listener(Hostile):
    """Takes everything as a server would, refuses contents at last, and remembers every byte."""

    def __init__(self) -> None:
        super().__init__(self._take)
        self.bodies: list[bytes] = []

    def _take(self, handler: Any) -> None:
        body, path = handler.body, handler.path
        if handler.headers.get("Content-Encoding") == "zstd":
            import zstandard

            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        self.bodies.append(body)
        answer: bytes = b"{}"
        if "/journal/" in path:
            answer = b'{"offset":%d}' % (int(path.rpartition("offset=")[2]) + len(body))
        elif path.endswith("/missing"):
            import json

            answer = json.dumps({"missing": json.loads(body)["sha256"]}).encode()
        elif "/state" in path:
            answer = b'{"offset":0,"complete":false}'
        elif handler.command == "PUT":
            answer = b'{"offset":%d,"complete":true}' % len(body)
        elif path.endswith("/runs"):
            answer = b'{"id":"r1","created":true,"attempts":1,"offsets":{}}'
        handler.send_response(200)
        handler.send_header("Outrider-Server", "0")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)


@pytest.mark.parametrize("which", [".", "journal", "files"])
def test_a_run_is_not_recorded_through_a_link(tmp_path: Path, outside: Path, which: str) -> None:
    """The id of a script in a repository, and a folder for it that leads to the user's own."""
    root = str(tmp_path / "training" / ".outrider")
    folder = run_folder(tmp_path)
    place = folder if which == "." else folder / which
    if which == ".":
        folder.rename(tmp_path / "training" / "moved")
    else:
        for one in place.iterdir():
            one.unlink()
        place.rmdir()
    place.symlink_to(outside)
    with pytest.raises(OSError, match="link was planted"):
        make_run_folder(root, "r1", shared_id=True)


def test_the_link_of_an_id_names_a_folder_beside_it_only(tmp_path: Path, outside: Path) -> None:
    """Wherever it points, only its last word counts."""
    root = str(tmp_path / "training" / ".outrider")
    run_folder(tmp_path)
    link = Path(link_of(root, "r1", None))
    link.unlink()
    link.symlink_to(outside)
    path, _ = make_run_folder(root, "r1", shared_id=True)
    assert os.path.realpath(path).startswith(os.path.realpath(root) + "/runs/")


def test_init_goes_elsewhere_where_a_link_was_planted(tmp_path: Path, outside: Path) -> None:
    """A real script with that id: it trains, and records where nobody planted anything."""
    folder = run_folder(tmp_path)
    for one in (folder / "journal").iterdir():
        one.unlink()
    (folder / "journal").rmdir()
    (folder / "journal").symlink_to(outside)
    script = (
        "from outrider import core\n"
        "run = core.init(id='r1', mode='offline')\n"
        "core.log({'x': 1}); core.finish()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "training", env=dict(os.environ),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "a link was planted" in done.stdout + done.stderr


def test_files_of_ours_are_not_written_through_links(tmp_path: Path, outside: Path) -> None:
    """Segments, lock, log, notes and small files: whoever plants their names gains nothing."""
    folder = run_folder(tmp_path)
    target = outside / "id_key"
    (folder / "journal" / "w-000001.jsonl").symlink_to(target)
    with pytest.raises(OSError, match=r"exists|symbolic"):
        JournalWriter(str(folder), "r1", writer="w")
    (folder / "streamer.log").symlink_to(target)
    assert not _make(str(folder / "streamer.log"))
    _note(str(folder), "words")
    lock = next(iter(Path(Latch(str(folder))._path).parent.glob("streamer-*.lock")))
    lock.unlink()
    lock.symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        Latch(str(folder))
    (folder / "run.json").unlink()
    (folder / "run.json").symlink_to(target)
    write_file(str(folder / "run.json"), b"{}")
    assert not (folder / "run.json").is_symlink()


def test_a_dangling_ignore_file_is_not_filled(tmp_path: Path) -> None:
    """``.outrider/.gitignore`` as a link to a name that is not there yet makes no file there."""
    root = tmp_path / "training" / ".outrider"
    root.mkdir(parents=True)
    (root / ".gitignore").symlink_to(tmp_path / "new")
    prepare_root(str(root))
    assert not (tmp_path / "new").exists()


def test_a_second_name_in_the_spool_is_no_symbolic_link(tmp_path: Path, secret: Path) -> None:
    """``save()`` makes hard links only; a symbolic one is not the file that was saved."""
    folder = run_folder(tmp_path)

    class Files:
        def spool(self, name: str) -> str:
            return str(folder / "files" / name)

    context: Any = type("Context", (), {"files": Files()})
    (folder / "files" / "soft").symlink_to(secret)
    os.link(secret, folder / "files" / "hard")
    assert _held({"held": "soft"}, context) is None
    assert _held({"held": "hard"}, context) == str(folder / "files" / "hard")


def test_a_bundle_leaves_out_what_a_link_points_to(tmp_path: Path, secret: Path) -> None:
    """Small contents travel together: one that is a link is not among them."""
    folder = run_folder(tmp_path)
    files: Any = type("Files", (), {"place": lambda self, sha256: str(folder / "files" / sha256)})()
    (folder / "files" / "linked").symlink_to(secret)
    (folder / "files" / "own").write_bytes(b"own")
    some = [Stored("linked", len(SECRET)), Stored("own", 3)]
    data, inside = packed(files, some)
    assert inside == some[1:]
    assert data.endswith(b"\nown")
    assert SECRET not in data


# --- what is written for the user ----------------------------------------------------------------


def file_called(path: str, data: bytes = b"downloaded") -> Any:
    """A file of a run, as a hostile server lists it."""

    class Given:
        def present(self, sha256: str) -> bool:
            return True

        def chunks(self, sha256: str, size: int) -> Iterator[bytes]:
            yield data

    found = {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "t": 1.0}
    return file_of(found, Given())


def test_a_download_goes_through_no_link_that_leads_out(tmp_path: Path, outside: Path) -> None:
    """A folder of the target that is a link, at any depth; one that stays inside is fine."""
    to = tmp_path / "to"
    (to / "a" / "b").mkdir(parents=True)
    (to / "out").symlink_to(outside)
    (to / "a" / "b" / "out").symlink_to("../../../home")
    (to / "inside").symlink_to("a")
    for path in ("out/id_key", "out/new", "a/b/out/x/y", "a/b/out/id_key"):
        with pytest.raises(OutriderError, match="link on its way"):
            file_called(path).download(to)
    assert Path(file_called("inside/c").download(to)).read_bytes() == b"downloaded"
    assert (to / "a" / "c").exists()


def test_a_download_replaces_a_link_and_not_what_it_points_to(
    tmp_path: Path, outside: Path
) -> None:
    """The last name may be a link, too: it is the link that goes."""
    to = tmp_path / "to"
    to.mkdir()
    (to / "id_key").symlink_to(outside / "id_key")
    file_called("id_key").download(to)
    assert not (to / "id_key").is_symlink()
    assert (to / "id_key").read_bytes() == b"downloaded"


def test_a_target_that_is_itself_a_link_is_the_users_choice(tmp_path: Path) -> None:
    """``--to`` names it, so it is meant."""
    (tmp_path / "real").mkdir()
    (tmp_path / "to").symlink_to("real")
    file_called("x/y").download(tmp_path / "to")
    assert (tmp_path / "real" / "x" / "y").exists()


def test_a_restore_goes_through_no_link_of_the_commit(tmp_path: Path, outside: Path) -> None:
    """A commit with a link, and an untracked file of the run below its name."""
    top = tmp_path / "repository"
    top.mkdir()
    (top / "link").symlink_to(outside)
    source = tmp_path / "source"
    source.write_bytes(b"restored")
    with pytest.raises(OutriderError, match="link on its way"):
        write_files(str(top), {str(top / "link" / "id_key"): str(source)})
    write_files(str(top), {str(top / "new" / "x"): str(source)})
    assert (top / "new" / "x").read_bytes() == b"restored"


def test_what_is_being_written_cannot_be_foreseen(tmp_path: Path, outside: Path) -> None:
    """Two writers of one name never share a file, and a failure leaves nothing behind."""
    target = str(tmp_path / "export.csv")
    with replacing(target) as one, replacing(target) as two:
        assert one.name != two.name
        assert len({name for name in os.listdir(tmp_path) if name.endswith(".part")}) == 2
    with pytest.raises(ZeroDivisionError), replacing(target):
        _ = 1 / 0
    assert [name for name in os.listdir(tmp_path) if "part" in name] == []


# --- the server's folders and the state folder ---------------------------------------------------


def test_links_in_the_data_folder_are_not_followed(
    start: Start, tmp_path: Path, outside: Path
) -> None:
    """Whoever could write there once: a content is not received through a link."""
    server = start()
    client = Client(server.url, server.token)
    client.create_run("r")
    data = b"x" * 100
    name = hashlib.sha256(data).hexdigest()
    incoming = tmp_path / "data" / "files" / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    (incoming / f"1-{name}").symlink_to(outside / "id_key")
    reply = client.request("PUT", f"/api/projects/p/runs/r/blobs/{name}?offset=0&size=100", data)
    assert reply.status in (409, 507)
    reply = client.request(
        "PUT", f"/api/projects/p/runs/r/blobs/{name}?offset={len(SECRET)}&size=100", data
    )
    assert reply.status in (409, 507)


def test_the_lock_of_a_data_folder_is_no_link(start: Start, tmp_path: Path, outside: Path) -> None:
    """Nothing is truncated through it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "server.lock").symlink_to(outside / "id_key")
    with pytest.raises(OutriderError, match="cannot use the data folder"):
        start()


def test_links_in_the_state_folder_are_not_believed(tmp_path: Path, secret: Path) -> None:
    """A token file that is a link is neither read nor written through."""
    path = Path(credentials.write_local_server(9, url="http://x", token="t", data="", pid=1))
    path.unlink()
    planted = tmp_path / "planted.json"
    planted.write_text('{"url":"http://127.0.0.1:9","token":"planted","pid":1,"data":""}')
    path.symlink_to(planted)
    assert credentials.local_server(9) is None
    credentials.write_local_server(9, url="http://x", token="real", data="", pid=1)
    assert "planted" in planted.read_text()
    assert not path.is_symlink()
