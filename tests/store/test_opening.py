"""Opening: whose data they are, which version wrote them, and what is wrong with the place."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from feeding import Feeder, point
from sqlalchemy import create_engine

from outrider.errors import ForeignData, StoreError, StoreTooNew
from outrider_server.store import Store, database, schema


@pytest.mark.parametrize("form", ["{}", "{}/sub/data.db", "sqlite:///{}/data.sqlite"])
def test_a_store_is_made_where_there_is_none(tmp_path: Path, form: str) -> None:
    place = form.format(tmp_path)
    with Store.open(place) as store:
        Feeder(store).log(point(0, a=1))
    with Store.open(place) as store:
        assert store.run("p", "r1")["summary"] == {"a": 1}
        assert store.path.stat().st_mode & 0o077 == 0


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE things (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ForeignData, match="not Outrider's"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"dear diary, " * 1000)
    with pytest.raises(ForeignData):
        Store.open(path)
    assert path.read_bytes() == b"dear diary, " * 1000


def test_a_store_of_a_newer_version_says_to_upgrade(tmp_path: Path) -> None:
    Store.open(tmp_path / "x.db").close()
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    connection.close()
    with pytest.raises(StoreTooNew, match="hint: upgrade"):
        Store.open(tmp_path / "x.db")


def test_a_creation_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    """The file is marked as ours last: what has Alembic's table and no mark is half-made."""
    path = tmp_path / "x.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=0")
    connection.execute("PRAGMA application_id=0")
    connection.close()
    with Store.open(path) as store:
        Feeder(store).log(point(0, a=1))


@pytest.mark.parametrize("place", ["postgresql://host/db", "http://x/y"])
def test_a_store_elsewhere_is_refused(place: str) -> None:
    with pytest.raises(StoreError, match="hint: a path"):
        Store.open(place)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot open the store"):
        Store.open(tmp_path / "file" / "x.db")


def test_a_closed_store_refuses(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.create_run({"project": "p", "id": "r"})


def test_the_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database._upgrade(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


def test_a_new_store_is_what_the_migrations_make(tmp_path: Path) -> None:
    """Every table, index, constraint and option; so a later migration finds the same."""

    def made(path: Path) -> set[tuple[str, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
            return {(*row[:3], " ".join((row[3] or "").split())) for row in rows} | {
                ("version", str(row[0]))
                for row in connection.execute("SELECT * FROM alembic_version")
            }

    database.prepare(tmp_path / "new.db")
    database._upgrade(tmp_path / "migrated.db")
    assert made(tmp_path / "new.db") == made(tmp_path / "migrated.db")


def test_a_store_of_the_first_version_is_brought_to_this_one(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database._upgrade(path, "0001")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id={schema.APPLICATION}")
        connection.execute("PRAGMA user_version=1")
    with Store.open(path) as store:
        Feeder(store).log(point(0, a=1))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_a_creation_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """All tables were made and the commit was still to come: the next start makes them again."""
    path = tmp_path / "x.db"
    dies = (
        "import os, pathlib, sys\nfrom outrider_server.store import database\n"
        "database._mark = lambda connection: os._exit(9)\n"
        "database.prepare(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", dies, str(path)], check=False)
    assert done.returncode == 9
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    with Store.open(path) as store:
        Feeder(store).log(point(0, a=1))


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    database.prepare(tmp_path / "x.db")
    connection = database.connect(tmp_path / "x.db")
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_closing_leaves_no_connection_of_a_question_open(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store._snapshot() as db:
        store.close()
        assert db.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")
