"""The tables of the store. Every primary key of a run's data begins with the run.

That order keeps a run's rows together, lets a run be deleted in slices, and lets the same schema be
sharded by run. Numbers stand for names (``run``, ``kid`` for a metric's key within a run, ``name``
for a config or summary key within a project), so that indexes stay small however long a key is.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from outrider_server.store.alert_tables import alert_tables

APPLICATION = 0x4F555452
"""SQLite's application_id of our files ("OUTR")."""

VERSION = 2
"""The schema that this code reads and writes; one more for each migration."""

metadata = MetaData()


def _key(name: str, kind: type = Integer) -> Column[int]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


project = Table(
    "project",
    metadata,
    Column("project", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

run = Table(
    "run",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("project", Integer, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("ended", Float),
    Column("updated", Float, nullable=False),
    Column("group_name", Text),
    Column("job_type", Text),
    Column("notes", Text),
    Column("host", Text),
    Column("writer", Text),
    Column("gaps", Integer, nullable=False),
    # the tail's rows up to here are counted in ``metric``; those behind it are counted on opening
    Column("counted", BigInteger, nullable=False),
    Column("archived", SmallInteger, nullable=False),
    # few runs are archived, and every list that leaves them out asks for them
    Index("run_archived", "project", sqlite_where=text("archived = 1")),
    Index("run_id", "project", "id", unique=True),
    Index("run_created", "project", "created"),
    sqlite_autoincrement=True,  # a number is never used again, whatever was deleted
)

# the addresses that a run had before it was moved to another project
moved = Table(
    "moved",
    metadata,
    _key("run"),
    _key("project"),
    Column("id", Text, nullable=False),
    Index("moved_address", "project", "id", unique=True),
    sqlite_with_rowid=False,
)

tag = Table(
    "tag", metadata, _key("run"), Column("tag", Text, primary_key=True), sqlite_with_rowid=False
)

segment = Table(
    "segment",
    metadata,
    _key("run"),
    Column("writer", Text, primary_key=True),
    _key("segment"),
    Column("offset", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

writer = Table(
    "writer",
    metadata,
    _key("run"),
    Column("writer", Text, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("head", Text),
    Column("own_end", Text),
    Column("other_end", Text),
    sqlite_with_rowid=False,
)

attempt = Table(
    "attempt",
    metadata,
    _key("run"),
    _key("attempt"),
    Column("rewind", BigInteger),
    Column("t", Float),
    Column("last_step", BigInteger),
    sqlite_with_rowid=False,
)

document = Table(
    "document",
    metadata,
    _key("run"),
    Column("kind", Text, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

metric = Table(
    "metric",
    metadata,
    _key("run"),
    _key("kid"),
    Column("system", SmallInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("shown", BigInteger, nullable=False),
    Column("nonfinite", BigInteger, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("mean", Float),
    Column("low_step", BigInteger),
    Column("high_step", BigInteger),
    Column("last", Float),
    Column("last_word", Text),
    Column("last_attempt", Integer),
    Column("last_t", Float),
    Column("last_step", BigInteger),
    Index("metric_key", "run", "key", "system", unique=True),
    sqlite_with_rowid=False,
)

# the three tables of long rows have SQLite's own row numbers: rows then lie one behind the other in full
# pages, and the key in a small index. By run in the middle of a tree each row of a tail split pages:
# 4.6 of them went through the log for a batch of 800 points, 2.5 so
tail = Table(
    "tail",
    metadata,
    _key("run"),
    _key("seq", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

axis = Table(
    "axis",
    metadata,
    _key("run"),
    _key("axis", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("steps_rise", SmallInteger, nullable=False),
    Column("times_rise", SmallInteger, nullable=False),
    Column("step_low", BigInteger, nullable=False),
    Column("step_high", BigInteger, nullable=False),
    Column("time_low", Float, nullable=False),
    Column("time_high", Float, nullable=False),
    Column("fine", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

axis_values = Table(
    "axis_values",
    metadata,
    _key("run"),
    _key("axis", BigInteger),
    Column("steps", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

chunk = Table(
    "chunk",
    metadata,
    _key("run"),
    _key("kid"),
    _key("axis", BigInteger),
    Column("points", Integer, nullable=False),
    Column("whole", LargeBinary, nullable=False),
    Column("fine", LargeBinary, nullable=False),
)

chunk_values = Table(
    "chunk_values",
    metadata,
    _key("run"),
    _key("kid"),
    _key("axis", BigInteger),
    Column("stored_as", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

attribute_name = Table(
    "attribute_name",
    metadata,
    Column("name", Integer, primary_key=True),
    Column("project", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index("attribute_name_key", "project", "kind", "key", unique=True),
)

attribute = Table(
    "attribute",
    metadata,
    _key("run"),
    _key("name"),
    Column("type", Text, nullable=False),
    Column("number", Float),
    Column("head", Text),
    Column("body", Text),
    # the one index behind filter and sort: everything they ask for lies in it
    Index("attribute_value", "name", "number", "head", "run"),
    # and one behind the list of columns
    Index("attribute_type", "name", "type"),
    sqlite_with_rowid=False,
)

record = Table(
    "record",
    metadata,
    _key("run"),
    _key("seq", BigInteger),
    Column("kind", Text, nullable=False),
    Column("t", Float, nullable=False),
    Column("writer", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("record_kind", "run", "kind", "seq"),
    sqlite_with_rowid=False,
)

file = Table(
    "file",
    metadata,
    _key("run"),
    _key("n", BigInteger),
    Column("path", Text, nullable=False),
    Column("sha256", Text),
    Column("size", BigInteger),
    Column("type", Text),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text),
    Column("t", Float, nullable=False),
    Column("meta", Text),
    Column("spool", Text),
    Column("latest", SmallInteger, nullable=False),
    Index("file_path", "run", "path", "n"),
    Index("file_sha256", "run", "sha256"),
    Index("file_spool", "run", "spool"),
    sqlite_with_rowid=False,
)

blob = Table(
    "blob",
    metadata,
    _key("run"),
    Column("sha256", Text, primary_key=True),
    Column("project", Integer, nullable=False),
    Index("blob_content", "project", "sha256"),
    sqlite_with_rowid=False,
)

media = Table(
    "media",
    metadata,
    _key("run"),
    _key("seq", BigInteger),
    Column("key", Text, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Index("media_key", "run", "key", "step", "seq", "type"),
    Index("media_step", "run", "step", "seq"),
    sqlite_with_rowid=False,
)

view = Table(
    "view",
    metadata,
    _key("project"),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("updated", Float, nullable=False),
    sqlite_with_rowid=False,
)

alerts = alert_tables(metadata)

console_line = Table(
    "console_line",
    metadata,
    _key("run"),
    _key("n", BigInteger),
    Column("t", Float, nullable=False),
    Column("stream", SmallInteger, nullable=False),
    Column("writer", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("styles", Text),
    Column("gap", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

console_chunk = Table(
    "console_chunk",
    metadata,
    _key("run"),
    _key("first", BigInteger),
    Column("count", Integer, nullable=False),
    Column("texts", LargeBinary, nullable=False),
    Column("rest", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

console_screen = Table(
    "console_screen",
    metadata,
    _key("run"),
    Column("writer", Text, primary_key=True),
    _key("stream", SmallInteger),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("body", Text, nullable=False),
)

RUN_TABLES = (
    moved,
    tag,
    segment,
    writer,
    attempt,
    document,
    metric,
    tail,
    axis,
    axis_values,
    chunk,
    chunk_values,
    attribute,
    console_line,
    console_chunk,
    console_screen,
    record,
    file,
    blob,
    media,
    alerts.alert,
    alerts.outbox,
    alerts.watch,
)
"""What holds the data of a run, for deleting it."""
