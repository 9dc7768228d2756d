"""What the store says of runs: attributes, config, summary, states, attempts, the list."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from feeding import START, Feeder, end, head, point

from outrider.errors import NotFound, UsageError
from outrider_server.filters import FilterError
from outrider_server.query import RunQuery

if TYPE_CHECKING:
    from outrider_server.store import Store


def test_creating_a_run_again_changes_nothing(store: Store) -> None:
    meta = {"project": "p", "id": "r", "name": "one", "created": START, "writer": "w", "attempt": 1}
    first = store.create_run(meta)
    second = store.create_run({**meta, "name": "two"})
    assert (first.created, second.created) == (True, False)
    assert second.name == "one"
    assert (second.attempt, second.state, second.last_step) == (1, "running", None)
    assert store.runs("p")["total"] == 1


def test_a_run_is_known_by_project_and_id(store: Store) -> None:
    Feeder(store, "same", "one").log(point(0, a=1))
    Feeder(store, "same", "zwei/drei").log(point(0, a=2))
    assert store.run("one", "same")["summary"] == {"a": 1}
    assert store.run("zwei/drei", "same")["summary"] == {"a": 2}
    assert {item["name"]: item["runs"] for item in store.projects()["projects"]} == {
        "one": 1,
        "zwei/drei": 1,
    }


@pytest.mark.parametrize("meta", [{}, {"project": "p"}, {"id": "r"}, {"project": "", "id": "r"}])
def test_a_run_without_a_project_or_an_id_is_refused(store: Store, meta: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        store.create_run(meta)


def test_a_runs_attributes_are_those_of_its_creation(store: Store) -> None:
    feeder = Feeder(
        store, group="g", job_type="train", tags=["b", "a"], notes="n", host="h", argv=["x.py"]
    )
    row = feeder.row()
    assert (row["group"], row["job_type"], row["notes"], row["host"]) == ("g", "train", "n", "h")
    assert row["tags"] == ["a", "b"]
    assert row["argv"] == ["x.py"]
    assert (row["created"], row["state"], row["ended"]) == (START, "running", None)


def test_name_tags_and_notes_can_be_changed_by_records_and_by_hand(feeder: Feeder) -> None:
    feeder.log({"t": START, "k": "run", "name": "new", "tags": ["x"]})
    assert (feeder.row()["name"], feeder.row()["tags"]) == ("new", ["x"])
    row = feeder.store.update_run("p", "r1", {"notes": "good", "tags": []})
    assert (row["name"], row["tags"], row["notes"]) == ("new", [], "good")


@pytest.mark.parametrize("changes", [{"state": "x"}, {"tags": "x"}, {"tags": [1]}, {"name": 3}])
def test_what_cannot_be_changed_is_refused(feeder: Feeder, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        feeder.store.update_run("p", "r1", changes)


def test_a_deleted_run_is_gone_and_its_id_begins_anew(store: Store, folds_early: None) -> None:
    feeder = Feeder(store, tags=["x"])
    for step in range(20):
        feeder.log(point(step, a=step))
    assert store.delete_run("p", "r1")
    assert not store.delete_run("p", "r1")
    with pytest.raises(NotFound):
        feeder.row()
    again = Feeder(store)
    assert again.created.created
    assert again.created.offsets == {}
    assert again.row()["metrics"] == []
    again.log(point(0, a=7))
    assert list(again.points("a")["values"]) == [7]


def test_config_is_nested_as_it_was_given(feeder: Feeder) -> None:
    feeder.log({"t": START, "k": "config", "c": {"lr": 0.1, "model": {"depth": 3, "act": "relu"}}})
    feeder.log({"t": START, "k": "config", "c": {"model": {"depth": 4}, "a.b": [1, None]}})
    feeder.log({"t": START, "k": "config", "c": {"seed": 1}, "x": ["lr", "model.act"]})
    assert feeder.row()["config"] == {"model": {"depth": 4}, "a.b": [1, None], "seed": 1}
    columns = {item["key"]: item["types"] for item in feeder.store.columns("p")["config"]}
    assert columns == {"model.depth": ["number"], "a.b": ["json"], "seed": ["number"]}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, 2.0),
        ({"summary": "min"}, 1.0),
        ({"summary": "max"}, 5.0),
        ({"summary": "mean"}, 2.75),
        ({"summary": "best"}, 1.0),
        ({"summary": "best", "goal": "minimize"}, 1.0),
        ({"summary": "best", "goal": "maximize"}, 5.0),
        ({"summary": "last"}, 2.0),
        ({"summary": "none"}, None),
    ],
)
@pytest.mark.parametrize("defined", ["before", "after"])
def test_the_summary_follows_the_definition(
    feeder: Feeder, definition: dict[str, Any], expected: float | None, defined: str
) -> None:
    record = {"t": START, "k": "metric", "name": "val/*", **definition}
    if defined == "before":
        feeder.log(record)
    feeder.log(*(point(n, **{"val/acc": v, "loss": v}) for n, v in enumerate([3.0, 5.0, 1.0, 2.0])))
    if defined == "after":
        feeder.row()
        feeder.log(record)
    summary = feeder.row()["summary"]
    assert summary["loss"] == 2.0
    assert summary.get("val/acc") == expected


def test_the_exact_name_beats_the_glob_and_the_later_word_the_earlier(feeder: Feeder) -> None:
    for name, how in (("a", "min"), ("*", "max"), ("b*", "mean"), ("b*", "min")):
        feeder.log({"t": START, "k": "metric", "name": name, "summary": how})
    feeder.log(point(0, a=1, bb=1, c=1), point(1, a=3, bb=3, c=3), point(2, a=2, bb=2, c=2))
    assert feeder.row()["summary"] == {"a": 1, "bb": 1, "c": 3}


def test_what_the_script_sets_stands_before_the_metrics_own_value(feeder: Feeder) -> None:
    feeder.log(point(0, acc=0.5), {"t": START, "k": "summary", "c": {"acc": 0.9, "note": "x"}})
    feeder.log(point(1, acc=0.6))
    assert feeder.row()["summary"] == {"acc": 0.9, "note": "x"}
    listed = feeder.store.runs("p", RunQuery(columns=["summary.acc"]))["runs"][0]
    assert listed["summary"] == {"acc": 0.9}
    feeder.log({"t": START, "k": "summary", "c": {}, "x": ["acc"]})
    assert feeder.row()["summary"] == {"acc": 0.6, "note": "x"}


def test_the_summary_says_nan_in_words(feeder: Feeder) -> None:
    feeder.log(point(0, a=nan, b=inf, c=-inf))
    assert feeder.row()["summary"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity"}
    (metric, *_) = feeder.row()["metrics"]
    assert (metric["last"], metric["min"], metric["nonfinite"]) == ("NaN", None, 1)


def test_a_metric_is_told_with_its_counts(feeder: Feeder) -> None:
    feeder.log({"t": START, "k": "metric", "name": "a", "step": "epoch", "hidden": True})
    feeder.log(point(3, a=2.0), point(4, a=-1.0), point(5, a=nan), point(6, a=0.5))
    (metric,) = feeder.row()["metrics"]
    assert metric["key"] == "a"
    assert (metric["points"], metric["nonfinite"], metric["last"]) == (4, 1, 0.5)
    assert (metric["min"], metric["min_step"], metric["max"], metric["max_step"]) == (-1, 4, 2, 3)
    assert (metric["step"], metric["hidden"]) == ("epoch", True)


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ([], "running"),
        ([("w", "w", "finished", 0)], "finished"),
        ([("w", "w", "failed", 1)], "failed"),
        ([("s", "w", "killed", None)], "killed"),
        ([("w", "w", "finished", 0), ("s", "w", "killed", None)], "finished"),
        ([("s", "w", "killed", None), ("w", "w", "failed", 1)], "failed"),
        ([("w", "w", "finished", None)], "finished"),
        ([("w", "w", "finished", None), ("s", "w", "oom", None)], "oom"),
        ([("s", "w", "oom", None), ("w", "w", "finished", None)], "oom"),
        ([("s", "w", "oom", None), ("s2", "w", "lost", None)], "oom"),
        ([("w", "w", "finished", 0), ("w", "w", "failed", 1)], "finished"),
        ([("w", "w", "finished", None), ("w", "w", "failed", 1)], "failed"),
        ([("w2", "w2", "failed", 1)], "running"),
    ],
)
def test_the_state_is_how_the_creating_writer_ended(
    store: Store, ends: list[tuple[str, str, str, int | None]], state: str
) -> None:
    """Its own first word with a code, else what others saw of it, else its own other word."""
    feeder = Feeder(store, writer="w")
    feeder.log(head("w"))
    feeder.log(head("w2", primary=False), writer="w2")
    for who, about, how, code in ends:
        ack = feeder.log(end(about, how, code=code), writer=who)
    row = feeder.row()
    assert row["state"] == state
    assert (row["ended"] is None) == (state == "running")
    assert (row["end"] or {}).get("state", "running") == state
    if ends:
        assert ack.changes.state == state


def test_other_writers_ends_stand_beside_the_runs(feeder: Feeder) -> None:
    feeder.log(head("w"), end("w", "finished"))
    feeder.log(head("w2", primary=False), end("w2", "failed", code=3), writer="w2")
    states = {item["writer"]: item["state"] for item in feeder.row()["writers"]}
    assert states == {"w": "finished", "w2": "failed"}
    assert feeder.row()["writers"][1]["host"] == "host-of-w2"


def test_a_resumed_run_runs_again(store: Store) -> None:
    feeder = Feeder(store, writer="w1", attempt=1)
    feeder.log(head("w1"), point(0, a=1), point(7, a=2), end("w1", "killed"), writer="w1")
    meta = {"project": "p", "id": "r1", "created": START, "writer": "w2", "attempt": 2}
    again = store.create_run(meta)
    assert (again.created, again.attempt, again.last_step, again.state) == (False, 2, 7, "running")
    assert feeder.row()["ended"] is None
    feeder.log(head("w2", 2), {"t": START, "k": "attempt", "a": 2, "rewind": 4}, writer="w2")
    assert store.create_run(meta).last_step == 4
    feeder.log(end("w2", "finished"), writer="w2")
    feeder.log(end("w1", "failed"), writer="w1")
    assert feeder.row()["state"] == "finished"


def test_the_last_step_is_known_before_any_flush(store: Store) -> None:
    feeder = Feeder(store)
    for step in range(5):
        feeder.log(point(step, a=1))
    assert Feeder(store).created.last_step == 4


def test_facts_of_machines_are_kept_by_host(feeder: Feeder) -> None:
    feeder.log(head("s1"), {"t": START, "k": "host", "c": {"cpu": "x"}}, writer="s1")
    feeder.log(head("s2"), {"t": START, "k": "host", "c": {"cpu": "y"}}, writer="s2")
    assert feeder.row()["hosts"] == {"host-of-s1": {"cpu": "x"}, "host-of-s2": {"cpu": "y"}}


def test_records_come_in_pages_in_the_order_they_arrived(feeder: Feeder) -> None:
    said = [{"t": START + n, "k": "from-later", "x": f"line {n}"} for n in range(25)]
    feeder.log(*said, {"t": START, "k": "alert", "title": "t", "text": "x", "level": "warn"})
    found: list[Any] = []
    after = None
    while True:
        page = feeder.store.records("p", "r1", kind="from-later", after=after, limit=10)
        found += page["records"]
        after = page["next"]
        if after is None:
            break
    assert found == said
    assert len(feeder.store.records("p", "r1")["records"]) == 26
    with pytest.raises(UsageError):
        feeder.store.records("p", "r1", after="x")


@pytest.fixture
def many(store: Store) -> Store:
    """Twelve runs: lr falls, accuracy rises; every third has a note in its config."""
    for n in range(12):
        feeder = Feeder(
            store,
            f"r{n:02}",
            created=START + n,
            name=f"run {n}",
            tags=["even"] if n % 2 == 0 else [],
            group=None if n else "first",
        )
        config: dict[str, Any] = {"lr": 1 / (n + 1), "opt": "adam" if n % 2 else "sgd", "n": n}
        if n % 3 == 0:
            config |= {"note": "x" * 100 + str(n), "flag": n == 0}
        feeder.log({"t": START, "k": "config", "c": config}, point(0, **{"val/acc": n / 10}))
        if n < 4:
            feeder.log(head("w"), end("w", "finished", START + 50 + n))
    return store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set(range(12))),
        ("config.lr < 0.2", set(range(5, 12))),
        ("config.lr <= 0.2", set(range(4, 12))),
        ('summary."val/acc" > 0.9', {10, 11}),
        ("summary.val/acc > 0.9", {10, 11}),
        ('config.opt = "adam"', {1, 3, 5, 7, 9, 11}),
        ("config.opt == 'adam' and config.n >= 5", {5, 7, 9, 11}),
        ('config.opt != "adam"', {0, 2, 4, 6, 8, 10}),
        ('config.opt ~ "^ad"', {1, 3, 5, 7, 9, 11}),
        ('config.opt !~ "d.m"', {0, 2, 4, 6, 8, 10}),
        ('state = "finished"', {0, 1, 2, 3}),
        ('state != "finished" and not config.n < 10', {10, 11}),
        ('tags has "even" and config.n < 5', {0, 2, 4}),
        ('not tags has "even" and config.n < 5', {1, 3}),
        ('name ~ "run 1[01]"', {10, 11}),
        ("config.n = 1 or config.n = 2 and config.n = 3", {1}),
        ("(config.n = 1 or config.n = 2) and config.n = 2", {2}),
        ("config.note = null and config.n < 4", {1, 2}),
        ("config.note != null", {0, 3, 6, 9}),
        (f'config.note = "{"x" * 100}3"', {3}),
        ("config.flag = true", {0}),
        ("config.flag = false", {3, 6, 9}),
        ('group = "first"', {0}),
        ('group != "first" and config.n < 2', {1}),
        ("group = null and config.n < 2", {1}),
        ("ended != null", {0, 1, 2, 3}),
        ("duration > 49 and config.n > 0", {1, 2, 3}),
        ("config.nothing > 3", set()),
        ("not config.nothing > 3 and config.n = 7", {7}),
        ("config.nothing = null and config.n = 7", {7}),
        ("config.opt > 3", set()),
    ],
)
def test_a_filter_finds_the_runs(many: Store, text: str, expected: set[int]) -> None:
    answer = many.runs("p", RunQuery(filter=text))
    assert {int(item["id"][1:]) for item in answer["runs"]} == expected
    assert answer["total"] == len(expected)


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        (None, [11, 10, 9]),
        ("created", [0, 1, 2]),
        ("-created", [11, 10, 9]),
        ("config.lr", [11, 10, 9]),
        ("-config.lr", [0, 1, 2]),
        ('-summary."val/acc"', [11, 10, 9]),
        ("config.opt,config.n", [1, 3, 5]),
        ("-config.opt,-config.n", [10, 8, 6]),
        ("config.flag,config.n", [3, 6, 9]),
        ("name", [0, 1, 10]),
        ("config.nothing,created", [0, 1, 2]),
        ("group,created", [0, 1, 2]),
    ],
)
def test_a_sort_puts_runs_in_order(many: Store, sort: str | None, first: list[int]) -> None:
    """By several columns; runs that lack a value come last, whichever way."""
    runs = many.runs("p", RunQuery(sort=sort, limit=3))["runs"]
    assert [int(item["id"][1:]) for item in runs] == first


def test_a_page_holds_the_columns_that_were_asked_for(many: Store) -> None:
    query = RunQuery(
        sort="created", limit=2, offset=3, columns=["config.lr", "config.flag", "summary.val/acc"]
    )
    answer = many.runs("p", query)
    assert answer["total"] == 12
    assert [item["id"] for item in answer["runs"]] == ["r03", "r04"]
    assert answer["runs"][0]["config"] == {"lr": 0.25, "flag": False}
    assert answer["runs"][1]["config"] == {"lr": 0.2}
    assert answer["runs"][1]["summary"] == {"val/acc": 0.4}
    assert answer["runs"][1]["tags"] == ["even"]


def test_columns_tell_everything_that_can_be_asked_for(many: Store) -> None:
    columns = many.columns("p")
    config = {item["key"]: (item["types"], item["runs"]) for item in columns["config"]}
    assert config["lr"] == (["number"], 12)
    assert config["note"] == (["text"], 4)
    assert config["flag"] == (["boolean"], 4)
    assert columns["summary"] == [{"key": "val/acc", "types": ["number"], "runs": 12}]
    assert columns["metrics"] == [
        {"key": "val/acc", "runs": 12, "points": 12, "hidden": False, "step": None}
    ]


def test_a_column_that_means_nothing_is_refused(many: Store) -> None:
    with pytest.raises(FilterError, match="colour"):
        many.runs("p", RunQuery(columns=["colour"]))


def test_a_project_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.runs("nowhere")
    with pytest.raises(NotFound):
        store.columns("nowhere")


def test_tokens_are_kept_as_they_were_given(store: Store) -> None:
    row = {"id": "t1", "sha256": "ab", "name": "n", "projects": ["p"], "role": "read"}
    store.tokens_add(row)
    store.tokens_add({**row, "last_used": 5.0})
    assert store.tokens_all() == [{**row, "last_used": 5.0}]
    assert "sha256" not in store.tokens_list()[0]
    assert store.tokens_revoke("t1")
    assert not store.tokens_revoke("t1")
