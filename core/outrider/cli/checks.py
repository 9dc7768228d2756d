"""What ``outrider doctor`` looks at: one function a check, each says what it found and what helps."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from outrider.errors import OutriderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outrider.settings import Settings

GOOD, NOTE, BROKEN = "good", "note", "broken"

_LITTLE_SPACE = 1 << 30
_CLOCK_SECONDS = 60.0
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "beegfs", "afs"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: ``state`` is good, note (works, but know it) or broken."""

    name: str
    state: str
    said: str
    hint: str | None = None


def python() -> Iterator[Finding]:
    """The interpreter and this package."""
    from outrider import __version__

    version = ".".join(str(part) for part in sys.version_info[:3])
    said = f"Outrider {__version__} on Python {version} ({sys.executable or 'unknown'})"
    if sys.platform == "win32":
        yield Finding("python", BROKEN, said, "Windows is not supported: nothing is recorded there")
    elif not sys.executable:
        yield Finding("python", BROKEN, said, "the streamer cannot be started without its path")
    else:
        yield Finding("python", GOOD, said)


def folder(settings: Settings) -> Iterator[Finding]:
    """Where runs are written, and whether they can be."""
    place = settings.dir or os.getcwd()
    inside = os.path.join(place, ".outrider")
    target = inside if os.path.isdir(inside) else place
    if os.path.isdir(target) and os.access(target, os.W_OK | os.X_OK):
        yield Finding("folder", GOOD, f"{place} can be written")
    else:
        yield from _fallback(place)
    try:
        space = os.statvfs(target)
    except OSError:
        return
    free = space.f_bavail * space.f_frsize
    if free < _LITTLE_SPACE:
        said = f"{free >> 20} MiB are free in {target}"
        yield Finding("disk", NOTE, said, "outrider clean removes what is delivered")
    kind = file_system(target)
    if kind in _NETWORK_FILE_SYSTEMS:
        said = f"{target} lies on {kind}: growth is found by polling, which is as good"
        yield Finding("file system", NOTE, said)


def _fallback(place: str) -> Iterator[Finding]:
    from outrider.folder import state_root

    try:
        root = state_root()
        os.makedirs(root, mode=0o700, exist_ok=True)
        can_write = os.access(root, os.W_OK | os.X_OK)
    except (OSError, OutriderError):
        root, can_write = "the user's state folder", False
    said = f"{place} cannot be written"
    if can_write:
        yield Finding("folder", NOTE, f"{said}: runs go to {root}")
    else:
        hint = "set OUTRIDER_DIR to a folder that can be written"
        yield Finding("folder", BROKEN, f"{said}, nor can {root}: nothing would be recorded", hint)


def file_system(path: str) -> str | None:
    """The type of the file system that holds ``path``, or None where it is not told."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return None
    real = os.path.realpath(path)
    holding = [
        (point, kind)
        for point, kind in mounts
        if real == point or real.startswith(point.rstrip("/") + "/")
    ]
    return max(holding, key=lambda mount: len(mount[0]))[1] if holding else None


def server(settings: Settings) -> Iterator[Finding]:
    """Whether the server answers, is ours, agrees on the time, and takes our token."""
    from outrider.transport import HttpTransport, check

    broken = BROKEN if settings.mode == "online" else NOTE
    started = time.monotonic()
    try:
        answer = check(HttpTransport(settings.url).request("GET", "/api/health", timeout=5.0))
        version = answer.json().get("version")
    except OutriderError as error:
        hint = error.hint
        if settings.mode == "online":
            hint = f"{hint or 'is it running?'}; until then runs are recorded, and wait here"
        yield Finding("server", broken, error.message, hint)
        return
    took = (time.monotonic() - started) * 1000
    yield Finding("server", GOOD, f"{settings.url} answers, version {version}, in {took:.0f} ms")
    yield from _clock(answer.headers.get("date"))
    yield from _token(settings, broken)


def _clock(date: str | None) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return
    apart = time.time() - theirs
    if abs(apart) > _CLOCK_SECONDS:
        said = f"this machine's clock and the server's are {abs(apart):.0f} s apart"
        yield Finding("clock", NOTE, said, "records keep this machine's time; is NTP running?")


def _token(settings: Settings, broken: str) -> Iterator[Finding]:
    from outrider.credentials import token_for
    from outrider.reading.remote import ask
    from outrider.transport import HttpTransport

    try:
        token = token_for(settings.url, api_key=settings.api_key, url_origin=settings.origin("url"))
        if token is None:
            hint = f"outrider login {settings.url}"
            yield Finding("token", broken, "there is no token for this server", hint)
            return
        me = ask(HttpTransport(settings.url, token), "GET", "/api/me", timeout=5.0)
    except OutriderError as error:
        yield Finding("token", broken, error.message, "outrider login --renew asks for another")
        return
    said = f"{me.get('name')} ({me.get('role')}), from {token.source}"
    if me.get("role") == "read":
        hint = "runs need one that may write: outrider tokens create NAME"
        yield Finding("token", broken, f"{said}: it may only read", hint)
    else:
        yield Finding("token", GOOD, said)


def inotify() -> Iterator[Finding]:
    """Whether the kernel tells of new segments; polling does the same, a little later."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    try:
        number = library.inotify_init()
    except AttributeError:
        yield Finding("inotify", NOTE, "not there: polling is used, which is as good")
        return
    if number < 0:
        reason = os.strerror(ctypes.get_errno())
        hint = "the limit is /proc/sys/fs/inotify/max_user_instances"
        yield Finding("inotify", NOTE, f"{reason}: polling is used, which is as good", hint)
        return
    os.close(number)
    yield Finding("inotify", GOOD, "works")


def gpu() -> Iterator[Finding]:
    """Which GPUs the sampler sees."""
    try:
        import pynvml
    except ImportError:
        if os.path.exists("/proc/driver/nvidia/version"):
            hint = "pip install 'outrider[gpu]'"
            yield Finding("gpu", NOTE, "there is an NVIDIA driver, but no nvidia-ml-py", hint)
        else:
            yield Finding("gpu", GOOD, "no NVIDIA GPU, nothing to sample")
        return
    try:
        pynvml.nvmlInit()
        names = [
            str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index)))
            for index in range(pynvml.nvmlDeviceGetCount())
        ]
        driver, cuda = (
            pynvml.nvmlSystemGetDriverVersion(),
            pynvml.nvmlSystemGetCudaDriverVersion(),
        )
        pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        yield Finding("gpu", GOOD, f"no NVIDIA GPU to sample ({error})")
        return
    found = [f"{names.count(name)} × {name}" for name in dict.fromkeys(names)] or ["no GPU"]
    versions = [f"driver {driver}", f"CUDA {cuda // 1000}.{cuda % 1000 // 10}"]
    yield Finding("gpu", GOOD, ", ".join(found + versions))


def plugins() -> Iterator[Finding]:
    """Plugins that failed."""
    from outrider import plugins as known

    broken = [item for item in known.listing() if item.get("problem")]
    for item in broken:
        yield Finding("plugin", NOTE, f"{item['name']}: {item['problem']}", "outrider plugins")
    if not broken:
        yield Finding("plugins", GOOD, "none has failed")


def undelivered() -> Iterator[Finding]:
    """Runs of this folder that are not delivered."""
    from outrider.cli.delivery import delivery_of
    from outrider.cli.finding import local_runs

    waiting = [run for run in local_runs() if not delivery_of(run.folder).is_whole]
    if waiting:
        said = f"not wholly delivered of this folder's runs: {len(waiting)}"
        yield Finding("delivery", NOTE, said, "outrider status tells why; outrider sync sends them")
