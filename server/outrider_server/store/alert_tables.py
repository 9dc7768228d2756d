"""The tables of alerts: what was raised, what raises, and what waits to be posted."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Table, Text


class AlertTables(NamedTuple):
    """Alerts of runs, those that wait for the webhook, rules, the server's settings, and what the
    rules must remember of a run's metrics."""

    alert: Table
    outbox: Table
    rule: Table
    setting: Table
    watch: Table


def _key(name: str, kind: type = Integer) -> Column[int]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def alert_tables(metadata: MetaData) -> AlertTables:
    """Make the tables."""
    alert = Table(
        "alert",
        metadata,
        _key("run"),
        _key("n", BigInteger),
        Column("project", Integer, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("id", Text, nullable=False),
        Column("t", Float, nullable=False),
        Column("received", Float, nullable=False),
        Column("level", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("rule", Text),
        # what may be told once of a run by a rule
        Column("condition", Text),
        Index("alert_number", "project", "number"),
        sqlite_with_rowid=False,
    )
    outbox = Table(
        "outbox",
        metadata,
        _key("run"),
        _key("n", BigInteger),
        Column("tries", Integer, nullable=False),
        Column("due", Float, nullable=False),
        sqlite_with_rowid=False,
    )
    rule = Table(
        "rule",
        metadata,
        Column("project", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("created", Float, nullable=False),
        Column("body", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    setting = Table(
        "setting",
        metadata,
        Column("name", Text, primary_key=True),
        Column("body", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    watch = Table(
        "watch",
        metadata,
        _key("run"),
        Column("rule", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("value", Float),
        Column("moved", Float, nullable=False),
        sqlite_with_rowid=False,
    )
    return AlertTables(alert, outbox, rule, setting, watch)
