"""Moves the write-ahead log into the database beside the writer, so that few acks wait for it.

By itself SQLite does that in the commit that made the log long: eight thousand pages are copied and
synced while every run waits, 50 to 100 ms. Here a thread with a connection of its own copies them
and syncs the database while the writer goes on. What the log got meanwhile is little, and the writer
itself moves that between two groups: only once all is moved does SQLite begin the log anew.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from outrider_server.store.beside import work_beside
from outrider_server.store.database import connect

_log = logging.getLogger(__name__)

PAGES = 8000
"""So long (in pages, about) the log grows before it is moved."""

_PAGES_A_COMMIT, _BYTES_A_PAGE = 4, 6000
"""What a commit costs, and the journal's bytes that make one more page: measured, and only a guess.
SQLite does not tell how long its log is."""

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """The log of one store. ``wrote`` and ``settle`` are for its writer thread."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._file = os.open(path, os.O_RDONLY)
        self._pages = 0.0
        self._is_moving = False
        self._moved = Event()
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._thread = Thread(target=self._work, name="store-checkpoints", daemon=True)
        self._thread.start()

    def wrote(self, size: int) -> None:
        """Something was committed, of so many bytes of journal."""
        self._pages += _PAGES_A_COMMIT + size / _BYTES_A_PAGE
        if self._pages >= PAGES and not self._is_moving:
            self._pages = 0.0
            self._is_moving = True
            self._orders.put(True)

    def settle(self, db: sqlite3.Connection) -> None:
        """Between two transactions of the writer's connection: move the rest, where most was moved."""
        if self._moved.is_set():
            self._moved.clear()
            self._is_moving = False
            try:
                db.execute(_MOVE).fetchone()
            except sqlite3.Error:  # the disk is full: all stays in the log, and it is tried again
                _log.exception("the rest of the store's log could not be moved")

    def close(self) -> None:
        """Stop."""
        self._orders.put(False)
        self._thread.join()
        self._db.close()

    def let_go(self) -> None:
        """Close the file. Not before the last connection: that would end SQLite's locks on it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _work(self) -> None:
        work_beside()
        while self._orders.get():
            try:
                self._db.execute(_MOVE).fetchone()
                os.fsync(self._file)
            except (sqlite3.Error, OSError):  # the writer's own move comes next
                _log.exception("the store's log could not be moved beside the writer")
            self._moved.set()
