"""Contents on their way to the server: killed, resumed, shared, lost and sent again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from files_kit import Run, command, script, sha256
from throttle import Throttle

from outrider import api
from outrider.errors import NotFound
from outrider.journal.reader import RunFolder, find_folders
from outrider.streamer import spawn
from outrider.streamer.lock import holder_of
from outrider.streamer.uploads import Uploads
from waiting import eventually

if TYPE_CHECKING:
    from outrider.transport import Transport
    from outrider_server.background import Background

SAVE = """
from outrider import core
core.init("{project}", id="{id}", settings={{"finish_seconds": {seconds}}})
core.save({what})
core.finish()
"""


def saved(
    folder: Path, env: dict[str, str], run: str, what: str, project: str = "p", seconds: float = 60
) -> RunFolder:
    """A run that saved something and ended."""
    text = SAVE.format(project=project, id=run, what=what, seconds=seconds)
    done = script(folder, text, env)
    assert done.returncode == 0, done.stderr
    return next(found for found in find_folders(folder) if found.meta()["id"] == run)


def client(server: Background, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> api.Client:
    monkeypatch.setenv("OUTRIDER_API_KEY", env["OUTRIDER_API_KEY"])
    monkeypatch.setenv("OUTRIDER_URL", server.url)
    return api.Client()


def sent(folder: RunFolder) -> set[str]:
    """What the server has confirmed to this folder's streamers."""
    found = set()
    for path in Path(folder.path).glob("uploads-*.jsonl"):
        found |= {json.loads(line)["sha256"] for line in path.read_text().splitlines()}
    return found


def files_at(reader: api.Client, path: str) -> dict[str, Any]:
    try:
        return {file.path: file for file in reader.run(path).files("save")}
    except NotFound:
        return {}


def all_present(reader: api.Client, path: str, names: set[str]) -> Any:
    found = files_at(reader, path)
    return set(found) == names and all(file.present for file in found.values()) and found


def test_what_is_saved_arrives_and_comes_back(
    server: Background, env: dict[str, str], training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each size around a chunk's; read whole and downloaded, with its path."""
    contents = {
        "out/empty": b"",
        "out/one": b"1",
        "out/ünï/中 1.bin": os.urandom(3 << 20),
        "out/chunk": os.urandom(1 << 20),
        "out/more": os.urandom((1 << 20) + 1),
    }
    for name, data in contents.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)
    folder = saved(training, env, "arrives", "'out', metadata={'a': 1}, aliases=['best']")
    reader = client(server, env, monkeypatch)
    found = eventually(lambda: all_present(reader, "p/arrives", set(contents)))
    for name, data in contents.items():
        file = found[name]
        assert (file.sha256, file.size, file.state) == (sha256(data), len(data), "ok")
        assert file.read() == data
        assert Path(file.download(training / "back")).read_bytes() == data
        assert file.meta == {"a": 1, "aliases": ["best"]}
    assert (training / "back" / "out" / "ünï" / "中 1.bin").exists()
    local = {file.path: file for file in api.open(folder.path).files("save")}
    assert {name: file.read() for name, file in local.items()} == contents
    assert local == found


def test_an_upload_survives_the_streamers_death_at_any_chunk(
    server: Background,
    env: dict[str, str],
    training: Path,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed five times in the middle of a content, which arrives whole, from where each left off,
    and never lies in the streamer's memory."""
    block = os.urandom(5 << 20)
    size = 24 * len(block)
    with Path("big.bin").open("wb") as file:
        file.writelines(block[number:] + block[:number] for number in range(24))
    kills: list[int] = []
    peaks: list[int] = []
    place: list[str] = []

    def kill() -> None:
        pid = holder_of(place[0])
        if pid:
            peaks.append(_peak(pid))
            os.kill(pid, signal.SIGKILL)
            kills.append(pid)

    marks = [size * part // 7 for part in range(1, 6)]
    throttle = Throttle(server.url, marks, kill)
    monkeypatch.setenv("OUTRIDER_API_KEY", env["OUTRIDER_API_KEY"])
    try:
        offline = {**env, "OUTRIDER_MODE": "offline", "OUTRIDER_URL": throttle.url}
        folder = saved(training, offline, "killed", "'big.bin'")
        place.append(folder.path)
        meta = Path(folder.path, "run.json")
        meta.write_text(json.dumps({**json.loads(meta.read_text()), "mode": "online"}))

        def is_sent() -> bool:
            if not spawn.is_running(folder.path):
                spawn.start(folder.path)
            elif pid := holder_of(folder.path):
                peaks.append(_peak(pid))
            return bool(sent(folder))

        eventually(is_sent, lambda: Path(folder.path, "streamer.log").read_text(), 100)
    finally:
        throttle.close()
    assert len(kills) == 5
    assert max(peaks) < 100 << 10, f"{max(peaks)} KiB"
    (told,) = api.open(folder.path).files("save")
    (at,) = stored.glob(f"*/{told.sha256[:2]}/{told.sha256}" if told.sha256 else "-")
    assert sha256(at.read_bytes()) == told.sha256 == sha256(Path("big.bin").read_bytes())
    assert throttle.sent < 1.6 * size  # each time it went on, not from the beginning
    assert len(api.open(folder.path).files("save", versions=True)) == 1
    assert list((stored / "incoming").glob(f"*-{told.sha256}*")) == []


def test_a_file_that_is_cut_short_while_it_is_sent_is_given_up(
    server: Background, env: dict[str, str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk breaks off, and nothing is padded: the next look says that it is damaged here."""
    Path("cut").write_bytes(os.urandom(1 << 20))
    run.save("cut")
    run.work()
    reader = client(server, env, monkeypatch)
    reader.ask("POST", "/api/runs", json={"project": "p", "id": "r1", "writer": "main"})
    (stored,) = run.files.contents().values()
    place = run.files.place(stored.sha256)
    os.chmod(place, 0o600)

    class Cutting:
        def request(self, method: str, path: str, **more: Any) -> Any:
            if method == "PUT":
                os.truncate(place, 200_000)
            return reader.transport.request(method, path, **more)

    uploads = Uploads(run.folder, run.files, Cutting)
    steps = 0
    while uploads.step() is not None:
        steps += 1
        assert steps < 10
    assert "its length is another" in run.files.shelf.failed[stored.sha256]


def test_small_files_travel_together(
    server: Background, env: dict[str, str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds in a few requests; one that is damaged here, or gone, costs the others nothing."""
    for number in range(400):
        Path(f"small{number}").write_bytes(f"content {number}".encode())
    Path("large").write_bytes(os.urandom(3 << 20))
    run.save("small*")
    run.save("large")
    run.work()
    reader = client(server, env, monkeypatch)
    reader.ask("POST", "/api/runs", json={"project": "p", "id": "r1", "writer": "main"})
    damaged, gone = (run.files.place(sha256(f"content {n}".encode())) for n in (7, 8))
    os.chmod(damaged, 0o600)
    Path(damaged).write_bytes(b"content X")
    os.unlink(gone)
    carried = Counting(reader.transport)
    uploads = Uploads(run.folder, run.files, lambda: carried)
    while uploads.step() is not None:
        assert uploads.problem is None
    assert carried.requests < 20
    assert set(run.files.shelf.failed) == {sha256(b"content 7"), sha256(b"content 8")}
    asked = {"sha256": list(run.files.contents())}
    answer = reader.ask("POST", "/api/projects/p/runs/r1/blobs/missing", json=asked)
    assert set(answer["missing"]) == set(run.files.shelf.failed)


class Counting:
    """A connection that counts its requests."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.requests = 0

    def request(self, *arguments: Any, **more: Any) -> Any:
        self.requests += 1
        return self._inner.request(*arguments, **more)


def test_small_files_survive_the_streamers_death_between_two_bundles(
    server: Background, env: dict[str, str], training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed three times while they travel: all arrive, none is sent much more than once."""
    contents = {f"out/{number}": os.urandom(6000) for number in range(400)}
    Path("out").mkdir()
    for name, data in contents.items():
        Path(name).write_bytes(data)
    place: list[str] = []
    kills: list[int] = []

    def kill() -> None:
        if pid := holder_of(place[0]):
            os.kill(pid, signal.SIGKILL)
            kills.append(pid)

    throttle = Throttle(server.url, [400_000, 1_600_000, 2_800_000], kill)
    try:
        offline = {**env, "OUTRIDER_MODE": "offline", "OUTRIDER_URL": throttle.url}
        folder = saved(training, offline, "bundles", "'out'")
        place.append(folder.path)
        meta = Path(folder.path, "run.json")
        meta.write_text(json.dumps({**json.loads(meta.read_text()), "mode": "online"}))
        monkeypatch.setenv("OUTRIDER_API_KEY", env["OUTRIDER_API_KEY"])

        def is_sent() -> bool:
            if not spawn.is_running(folder.path):
                spawn.start(folder.path)
            return len(sent(folder)) == len(contents)

        eventually(is_sent, lambda: Path(folder.path, "streamer.log").read_text(), 100)
    finally:
        throttle.close()
    assert len(kills) == 3
    assert throttle.sent < 8_000_000
    reader = client(server, env, monkeypatch)
    found = all_present(reader, "p/bundles", set(contents))
    assert {name: found[name].sha256 for name in contents} == {
        name: sha256(data) for name, data in contents.items()
    }


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
    )


def _is_ended(folder: str) -> bool:
    """Kills a run's streamer, and the one that a very short script started beside it."""
    pid = holder_of(folder)
    if pid:
        os.kill(pid, signal.SIGKILL)
    return not spawn.is_running(folder)


def test_a_content_lies_once_a_project_and_goes_with_its_last_run(
    server: Background, env: dict[str, str], training: Path, stored: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The second run sends nothing; another project has its own; deletion minds who else has it."""
    data = os.urandom(2 << 20)
    name = sha256(data)
    Path("model").write_bytes(data)
    reader = client(server, env, monkeypatch)
    throttle = Throttle(server.url, [], lambda: None)
    try:
        for run in ("first", "second"):
            before = throttle.sent
            saved(training, {**env, "OUTRIDER_URL": throttle.url}, run, "'model'", "shared")
            eventually(lambda run=run: all_present(reader, f"shared/{run}", {"model"}))  # type: ignore[misc]
            if run == "second":
                assert throttle.sent - before < len(data)
    finally:
        throttle.close()
    saved(training, env, "third", "'model'", "other")
    eventually(lambda: all_present(reader, "other/third", {"model"}))
    assert len(list(stored.glob(f"*/{name[:2]}/{name}"))) == 2
    for run, left in (("shared/first", 2), ("shared/second", 1), ("other/third", 0)):
        project, _, one = run.partition("/")
        assert reader.run(run).files("save")[0].read() == data
        reader.ask("DELETE", f"/api/projects/{project}/runs/{one}")
        assert len(list(stored.glob(f"*/{name[:2]}/{name}"))) == left


def test_a_content_that_the_server_lost_is_said_and_sent_again(
    server: Background, env: dict[str, str], training: Path, stored: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    data = os.urandom(1000)
    Path("model").write_bytes(data)
    folder = saved(training, env, "lost", "'model'")
    reader = client(server, env, monkeypatch)
    eventually(lambda: all_present(reader, "p/lost", {"model"}))
    (at,) = stored.glob(f"*/*/{sha256(data)}")
    at.unlink()
    (file,) = reader.run("p/lost").files("save")
    assert not file.present
    with pytest.raises(NotFound) as caught:
        file.read()
    assert "outrider sync" in str(caught.value)
    done = command(training, env, "download", "p/lost", "--url", server.url, "--to", "back")
    assert done.returncode == 1
    assert "does not have this content" in done.stderr
    assert "outrider sync" in done.stderr
    done = command(training, env, "clean", "--dry-run")
    assert "1 of its files are not at the server" in done.stdout
    done = command(training, env, "sync", folder.path)
    assert "1 file sent" in done.stdout, done.stderr
    done = command(training, env, "download", "p/lost", "--url", server.url, "--to", "back")
    assert done.returncode == 0, done.stderr
    assert Path("back/model").read_bytes() == data


def test_sync_copies_and_sends_what_no_streamer_lived_to_copy(
    server: Background, env: dict[str, str], training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded offline, the streamer killed before it copied; then clean may remove it."""
    folder = saved(training, {**env, "OUTRIDER_MODE": "offline"}, "offline", "'a*'")
    for name in ("a1", "a2"):
        Path(name).write_text(name)
    text = SAVE.format(project="p", id="late", what="'a*'", seconds=0).replace(
        "core.finish()", "import os; os.kill(os.getpid(), 9)"
    )
    stop = "import outrider.streamer.spawn as s; s.start = lambda *a, **k: False\n"
    script(training, stop + text, {**env, "OUTRIDER_MODE": "offline"})
    late = next(found for found in find_folders(training) if found.meta()["id"] == "late")
    assert api.open(late.path).files() == []
    done = command(training, env, "sync", late.path, "--json")
    (outcome,) = json.loads(done.stdout)
    assert (outcome["delivered"], outcome["files_sent"], outcome["files_left"]) == (True, 2, 0)
    reader = client(server, env, monkeypatch)
    assert {n: f.read() for n, f in files_at(reader, "p/late").items()} == {
        "a1": b"a1",
        "a2": b"a2",
    }
    done = command(training, env, "clean", "--yes")
    assert not os.path.exists(late.path), done.stdout
    assert os.path.exists(folder.path)  # never sent


def test_a_damaged_copy_is_not_sent(
    server: Background, env: dict[str, str], training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the folder was changed behind our back: the server takes no wrong content."""
    data = os.urandom(100)
    Path("model").write_bytes(data)
    folder = saved(training, {**env, "OUTRIDER_MODE": "offline"}, "damaged", "'model'")
    eventually(lambda: api.open(folder.path).files("save"))
    place = Path(folder.path, "files", sha256(data)[:2], sha256(data))
    place.chmod(0o600)
    place.write_bytes(b"X" * 100)
    done = command(training, env, "sync", folder.path, "--json")
    (outcome,) = json.loads(done.stdout)
    assert (outcome["files_sent"], outcome["files_lost"]) == (0, 1)
    assert not files_at(client(server, env, monkeypatch), "p/damaged")["model"].present


def test_the_streamer_says_and_waits_while_the_server_is_down(
    server: Background, env: dict[str, str], training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are kept meanwhile; a later sync, or the streamer itself, sends them."""
    Path("model").write_bytes(b"model")
    folder = saved(training, {**env, "OUTRIDER_URL": "http://127.0.0.1:9"}, "down", "'model'")
    (file,) = eventually(lambda: api.open(folder.path).files("save"))
    assert file.read() == b"model"
    assert sent(folder) == set()
    done = command(training, env, "status", "--check")
    assert done.returncode == 6
    eventually(lambda: holder_of(folder.path))
    eventually(lambda: _is_ended(folder.path))
    done = command(training, env, "sync", folder.path, "--url", server.url)
    assert done.returncode == 0, done.stderr
    assert files_at(client(server, env, monkeypatch), "p/down")["model"].read() == b"model"
    assert sent(folder) == {sha256(b"model")}
