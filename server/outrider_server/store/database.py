"""Opens the database: whose it is, which version it has, and how its connections are set."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from re import compile as compiled
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex, CreateTable

from outrider.errors import ForeignData, StoreError, StoreTooNew
from outrider_server.store.schema import APPLICATION, VERSION, metadata

_SCHEME = "sqlite:///"
_FILE = "outrider.db"
_MIGRATIONS = Path(__file__).parent / "migrations"


def place(url_or_path: str | Path) -> Path:
    """The file that a store's URL or path names; a folder means ``outrider.db`` within."""
    text = str(url_or_path)
    if "://" in text and not text.startswith(_SCHEME):
        raise StoreError(
            f"a store cannot be at {text.partition('://')[0]}://…",
            hint="a path, or sqlite:///relative/path, or sqlite:////absolute/path",
        )
    path = Path(text.removeprefix(_SCHEME)).expanduser()
    return path / _FILE if path.is_dir() or not path.suffix else path


def prepare(path: Path) -> None:
    """Create the database, or bring it to this version.

    Raises ``ForeignData`` for a file that is not ours, ``StoreTooNew`` for one that a newer
    version wrote, ``StoreError`` where it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not path.exists() or not path.stat().st_size
        if new:
            path.touch(mode=0o600)
        connection = connect(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreError(
            f"cannot open the store {path}: {error}", hint="is the folder yours to write?"
        ) from error
    except sqlite3.DatabaseError as error:
        raise _foreign(path) from error
    try:
        version = _version(connection, path)
        if version < VERSION:
            connection.execute("PRAGMA journal_mode=WAL")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                _create(connection)
            else:
                _upgrade(path)
                _mark(connection)
    finally:
        connection.close()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.DatabaseError as error:
        raise _foreign(path) from error
    # a creation that was cut off has left Alembic's table, and marks the file only at its end
    if application != APPLICATION and tables and "alembic_version" not in tables:
        raise _foreign(path)
    if version > VERSION:
        raise StoreTooNew(
            f"the store {path} has schema {version}, this version knows {VERSION}",
            hint="upgrade: pip install --upgrade outrider",
        )
    return int(version)


def _foreign(path: Path) -> ForeignData:
    return ForeignData(
        f"{path} is not Outrider's", hint="name another place with --data or --store"
    )


def _create(connection: sqlite3.Connection) -> None:
    """Make what the migrations would, at once and without loading Alembic."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute("ROLLBACK")  # another process was faster
        return
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
    connection.execute(
        "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t"
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)"
    )
    connection.execute("INSERT INTO alembic_version VALUES (?)", (f"{VERSION:04}",))
    _mark(connection)
    connection.execute("COMMIT")


def _mark(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={VERSION}")


def _upgrade(path: Path, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, timeout=30))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
    finally:
        engine.dispose()


def connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, so that transactions are exactly where the code says.

    ``synchronous=FULL`` makes every commit an fsync of the write-ahead log. An ack means disk: where the
    writer leaves that to others (``acks``), they answer.
    """
    connection = sqlite3.connect(
        path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        _set_up(connection, reads_only=reads_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, *, reads_only: bool) -> None:
    # a chunk fills its last page by half on average: at 8,192 a point took 1.4 bytes more
    connection.execute("PRAGMA page_size=4096")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size={-16_384 if reads_only else -65_536}")
    if reads_only:
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA mmap_size=0")
        # by a name of our own: SQLAlchemy puts its REGEXP in the place of ours, which fails at numbers
        connection.create_function("matches", 2, matches, deterministic=True)
    else:
        # the store moves its log itself, see ``checkpoints``; this bounds it (at 130 MB) where it cannot
        connection.execute("PRAGMA wal_autocheckpoint=32000")
        # where SQLite was built to write zeros over all that is deleted (Debian's), each page of a tail
        # that was folded would go through the log once more, empty: 15 µs for a batch of 800 points
        connection.execute("PRAGMA secure_delete=0")


_patterns: dict[str, Any] = {}


def matches(pattern: str, text: object) -> bool:
    """Is a regular expression found in a text (its first 2,000 characters)? Numbers are read as texts."""
    if text is None:
        return False
    found = _patterns.get(pattern)
    if found is None:
        if len(_patterns) > 100:
            _patterns.clear()
        found = _patterns[pattern] = compiled(pattern)
    return found.search(str(text)[:2000]) is not None


def readers(path: Path) -> Engine:
    """An engine whose connections only read."""
    return create_engine(
        "sqlite://",
        creator=lambda: connect(path, reads_only=True),
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=32,
        pool_reset_on_return=None,
    )


def are_free(engine: Engine) -> bool:
    """Is none of ``readers``' connections in use?"""
    return not (isinstance(engine.pool, QueuePool) and engine.pool.checkedout())
