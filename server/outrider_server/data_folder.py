"""The server's data folder: checked to be ours, and held by one server at a time.

It holds ``outrider-server.json`` (whose folder this is), ``server.lock`` (who holds it now), the
embedded store and the files.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
import uuid
from contextlib import suppress
from typing import Any

from outrider.errors import ForeignData, StoreError, StoreTooNew
from outrider.folder import make_folder, write_file

FORMAT = 1
MARKER = "outrider-server.json"
LOCK = "server.lock"
_HARMLESS = frozenset((MARKER, LOCK, ".gitignore", "lost+found", ".DS_Store"))


class DataFolder:
    """A data folder that this process holds until ``close()``; made when it is not there.

    Raises ``ForeignData`` for a folder of something else, ``StoreTooNew`` for one of a newer
    version, ``StoreError`` when another server holds it or it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._lock = -1
        try:
            self._prepare()
            self._lock = self._hold()
            self.id = self._mark()
            make_folder(self.files)
        except OSError as error:
            self.close()
            raise StoreError(
                f"cannot use the data folder {self.path}: {error.strerror}",
                hint="name a folder that you can write with --data",
            ) from error
        except StoreError:
            self.close()
            raise

    @property
    def files(self) -> str:
        """Where uploaded files go by default."""
        return os.path.join(self.path, "files")

    @property
    def store(self) -> str:
        """The embedded store's file."""
        return os.path.join(self.path, "store.sqlite")

    def tell(self, url: str) -> None:
        """Write who holds the folder, for the message that another server gives."""
        note = json.dumps({"pid": os.getpid(), "url": url, "host": os.uname().nodename}).encode()
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, note, 0)

    def close(self) -> None:
        """Let another server have the folder."""
        if self._lock >= 0:
            with suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1

    def _prepare(self) -> None:
        if os.path.lexists(self.path) and not os.path.isdir(self.path):
            raise ForeignData(
                f"the data folder {self.path} is not a folder", hint="name another with --data"
            )
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        make_folder(self.path)
        status = os.stat(self.path)
        if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) & 0o077:
            os.chmod(
                self.path, 0o700
            )  # who may write here could put another store in the place of ours
        found = set(os.listdir(self.path))
        if MARKER in found or not found - _HARMLESS:
            return
        raise ForeignData(
            f"the folder {self.path} holds something else ({', '.join(sorted(found)[:3])})",
            hint="name an empty or a new folder with --data",
        )

    def _hold(self) -> int:
        # lockf, as for streamers: opened exactly once, held as long as the process lives.
        path = os.path.join(self.path, LOCK)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            note = _note(os.pread(fd, 4096, 0))
            os.close(fd)
            where = f" at {note['url']}" if "url" in note else ""
            who = (
                f" (process {note['pid']} on {note['host']})"
                if {"pid", "host"} <= set(note)
                else ""
            )
            raise StoreError(
                f"another server{where}{who} uses the data folder {self.path}",
                hint="use that server, stop it, or name another folder with --data",
            ) from None
        return fd

    def _mark(self) -> str:
        path = os.path.join(self.path, MARKER)
        try:
            with open(path, "rb") as file:
                found = json.loads(file.read(1 << 16))
            its_format, its_id = found["format"], found["id"]
        except FileNotFoundError:
            new = {"format": FORMAT, "id": uuid.uuid4().hex, "created": time.time()}
            write_file(path, json.dumps(new).encode() + b"\n")
            return str(new["id"])
        except (ValueError, KeyError, TypeError):
            raise ForeignData(
                f"{path} is not an Outrider server's mark", hint="name another folder with --data"
            ) from None
        if not isinstance(its_format, int) or its_format > FORMAT:
            raise StoreTooNew(
                f"the data folder {self.path} was written by a newer version of Outrider",
                hint="upgrade: pip install -U 'outrider[server]'",
            )
        return str(its_id)


def _note(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
