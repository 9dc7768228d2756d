"""Rules: each condition raises one alert, with the records that fulfil it, and none twice."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from alert_parts import START, Watched

from outrider.errors import NotFound, UsageError
from outrider_server.rules import read_rule

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("kind", "values", "title", "text"),
    [
        ({"kind": "nonfinite"}, [1.0, NAN, NAN], "loss is NaN or infinite", "was NaN at step 1"),
        ({"kind": "nonfinite"}, [1.0, -INF], "loss is NaN or infinite", "was -Infinity at step 1"),
        ({"kind": "above", "value": 5}, [5, 5.5, 9], "loss is above 5", "5.5 at step 1"),
        ({"kind": "above", "value": 5}, [1, INF], "loss is above 5", "was Infinity at step 1"),
        ({"kind": "below", "value": 0}, [0, -1], "loss is below 0", "-1 at step 1"),
    ],
)
def test_a_value_that_fulfils_a_rule_raises_one_alert(
    kind: dict[str, Any], values: list[float], title: str, text: str, watched: Watched
) -> None:
    """Told with the first step where it was so; the values before and after raise none."""
    rule = watched.store.alerts.add_rule("p", {**kind, "metric": "loss"})
    for step, value in enumerate(values):
        watched.log("r", step, loss=value, other=NAN)
    watched.log("r", 9, loss=values[-1])
    (alert,) = watched.alerts("r")
    assert (alert["title"], alert["source"], alert["rule"]) == (title, "rule", rule.id)
    assert text in alert["text"]
    assert alert["level"] == ("error" if kind["kind"] == "nonfinite" else "warn")


def test_what_fulfils_no_rule_raises_nothing(watched: Watched) -> None:
    """Neither other projects' rules, nor NaN for a comparison, nor an ordinary run."""
    watched.rule("above", metric="loss", value=5)
    watched.rule("nonfinite", metric="other")
    watched.rule("died")
    watched.store.alerts.add_rule("q", {"kind": "nonfinite", "metric": "*"})
    watched.log("r", 0, loss=NAN)
    watched.log("r", 1, loss=5)
    watched.end("r", "finished", code=0)
    assert watched.wait(600) == []
    assert watched.alerts("r") == []


def test_a_pattern_watches_each_metric_for_itself(watched: Watched) -> None:
    """Every metric of the pattern once; the machine's only where the pattern names them."""
    watched.rule("nonfinite", metric="val/*")
    watched.rule("above", metric="*", value=90)
    watched.rule("above", metric="system/gpu/*", value=80)
    watched.log("r", 0, **{"val/a": NAN, "val/b": 1, "train": NAN})
    watched.log("r", 1, **{"val/a": NAN, "val/b": NAN})
    watched.send("r", {"t": START, "k": "sys", "d": 30.0, "p": {"system/gpu/0": 95.0}})
    assert watched.titles("r") == [
        "val/a is NaN or infinite",
        "val/b is NaN or infinite",
        "system/gpu/0 is above 80",
    ]


def test_a_metric_name_with_brackets_is_a_name_first(watched: Watched) -> None:
    """A pattern's signs in a name do not keep it from being watched."""
    watched.rule("nonfinite", metric="loss[0]")
    watched.log("r", 0, **{"loss[0]": NAN})
    assert watched.titles("r") == ["loss[0] is NaN or infinite"]


def test_a_restart_raises_nothing_twice(watched: Watched) -> None:
    """Conditions are committed with the alerts; a batch that comes again stores nothing."""
    watched.rule("nonfinite", metric="loss")
    watched.rule("stalled", metric="loss", minutes=5)
    watched.rule("silent", minutes=5)
    watched.rule("died")
    watched.log("r", 0, loss=NAN)
    assert watched.wait(6) == [("p", "r")]
    before = watched.titles("r")
    assert len(before) == 3
    watched.reopen()
    watched.log("r", 1, loss=NAN)
    watched.reopen()
    assert watched.titles("r") == before
    watched.end("r", "killed", signal=9)
    watched.reopen()
    watched.end("r", "killed", signal=9)
    watched.wait(60)
    assert watched.titles("r") == [*before, "the run died"]


def test_a_metric_that_does_not_move_is_told_once_until_it_moves(watched: Watched) -> None:
    """The same value again is no move; after one the rule is armed again."""
    watched.rule("stalled", metric="loss", minutes=10)
    watched.log("r", 0, loss=2.0)
    assert watched.wait(9) == []
    watched.log("r", 1, loss=1.0)
    assert watched.wait(6) == []
    watched.log("r", 2, loss=1.0)
    assert watched.wait(5) == [("p", "r")]
    assert watched.wait(30) == []
    watched.log("r", 3, loss=0.5)
    assert watched.wait(9) == []
    assert watched.wait(2) == [("p", "r")]
    assert watched.titles("r") == ["loss has not moved for 10 minutes"] * 2
    assert "0.5" in watched.alerts("r")[1]["text"]


def test_nan_again_and_again_is_no_move(watched: Watched) -> None:
    """A loss that is NaN for good does not move, though NaN is unlike itself."""
    watched.rule("stalled", metric="loss", minutes=10)
    watched.log("r", 0, loss=NAN)
    assert watched.wait(5) == []
    watched.log("r", 1, loss=NAN)
    assert watched.wait(5) == [("p", "r")]


def test_a_rule_made_later_sees_what_comes_from_then_on(watched: Watched) -> None:
    """Old values raise nothing; a metric that stands already has its minutes from the rule on."""
    watched.log("r", 0, loss=NAN)
    watched.rule("nonfinite", metric="loss")
    watched.rule("stalled", metric="loss", minutes=10)
    assert watched.wait(60) == []
    assert watched.wait(11) == [("p", "r")]
    assert watched.titles("r") == ["loss has not moved for 10 minutes"]


def test_silence_is_told_once_until_the_run_is_heard_again(watched: Watched) -> None:
    """Anything that arrives counts; so does what arrives without a point."""
    watched.rule("silent", minutes=10)
    watched.log("r", 0, loss=1.0)
    assert watched.wait(9) == []
    watched.send("r", {"t": watched.now, "k": "sys", "d": 30.0, "p": {"system/cpu": 1.0}})
    assert watched.wait(9) == []
    assert watched.wait(2) == [("p", "r")]
    assert watched.wait(99) == []
    watched.log("r", 1, loss=1.0)
    assert watched.wait(11) == [("p", "r")]
    assert watched.titles("r") == ["nothing was heard of the run for 10 minutes"] * 2


def test_the_time_in_which_the_server_was_down_is_nobodys_silence(watched: Watched) -> None:
    """After a restart the minutes begin anew; what was told stays told."""
    watched.rule("silent", minutes=10)
    watched.rule("stalled", metric="loss", minutes=10)
    watched.log("r", 0, loss=1.0)
    watched.now += 3600
    watched.reopen()
    assert watched.wait(5) == []
    assert watched.wait(6) == [("p", "r")]
    watched.reopen()
    assert watched.wait(60) == []
    assert len(watched.alerts("r")) == 2


def test_a_run_that_ended_is_neither_silent_nor_stalled(watched: Watched) -> None:
    """And one that goes on in a new attempt has its minutes from there on."""
    watched.rule("silent", minutes=10)
    watched.rule("stalled", metric="loss", minutes=10)
    watched.log("r", 0, loss=1.0)
    watched.end("r", "finished", code=0)
    assert watched.wait(600) == []
    head = {"t": watched.now, "k": "head", "v": 1, "w": "w2", "n": 1, "a": 2}
    watched.offsets["r", "w2"] = 0
    watched.send("r", {**head, "role": "trainer", "primary": True}, writer="w2")
    assert watched.wait(9) == []
    assert watched.wait(2) == [("p", "r")]


@pytest.mark.parametrize(
    ("state", "titles"),
    [
        ("failed", ["the run died"]),
        ("crashed", ["the run died"]),
        ("killed", ["the run died"]),
        ("lost", ["the run died"]),
        ("oom", ["the run died", "the run was killed for lack of memory"]),
        ("preempted", []),
        ("finished", []),
    ],
)
def test_an_end_is_told_with_its_sentence(state: str, titles: list[str], watched: Watched) -> None:
    """What a scheduler took back or what finished is no death."""
    watched.rule("died")
    watched.rule("oom", level="warn")
    watched.log("r", 0, loss=1.0)
    watched.end("r", state, code=None, signal=9 if state in ("killed", "oom") else None)
    assert sorted(watched.titles("r")) == titles
    sentence = watched.store.run("p", "r")["end"]["sentence"]
    assert all(alert["text"] == f"{sentence}." for alert in watched.alerts("r"))


def test_one_rule_cannot_flood(watched: Watched) -> None:
    """Twenty alerts of one run, however many metrics fulfil it."""
    watched.rule("nonfinite", metric="*")
    watched.log("r", 0, **{f"m{n}": NAN for n in range(500)})
    assert len(watched.alerts("r")) == 20


def test_a_scripts_alert_stands_among_them(watched: Watched) -> None:
    """Whatever its writer put there; the record itself is kept as it came."""
    body = {"t": START + 5, "k": "alert", "title": "disk", "text": "90 %", "level": "WARN"}
    watched.send("r", body, {"t": START + 6, "k": "alert", "title": 7, "level": ["x"]})
    first, second = watched.alerts("r")
    assert (first["t"], first["level"], first["source"]) == (START + 5, "warn", "script")
    assert (first["title"], first["text"], first["rule"]) == ("disk", "90 %", None)
    assert (second["title"], second["level"]) == ("7", "info")
    assert watched.store.records("p", "r", kind="alert")["records"][0] == body
    assert watched.store.run("p", "r")["has"]["alerts"] == 2


def test_a_project_shows_its_newest_alerts_first_in_pages(watched: Watched) -> None:
    """And a run its own in order."""
    for number in range(7):
        for run in ("r", "q"):
            record = {"t": START + number, "k": "alert", "title": f"{run}{number}", "level": "INFO"}
            watched.send(run, record)
    found, after = [], None
    while True:
        page = watched.store.alerts.of_project("p", after=after, limit=4)
        found += [alert["title"] for alert in page["alerts"]]
        after = page["next"]
        if after is None:
            break
    assert found == [f"{run}{number}" for number in reversed(range(7)) for run in ("q", "r")]
    page = watched.store.alerts.of_run("p", "r", limit=5)
    rest = watched.store.alerts.of_run("p", "r", after=page["next"])
    assert [alert["title"] for alert in page["alerts"] + rest["alerts"]] == [
        f"r{number}" for number in range(7)
    ]
    assert rest["next"] is None


def test_a_deleted_run_takes_its_alerts_along(watched: Watched) -> None:
    """And a deleted rule keeps the alerts that it raised."""
    rule = watched.rule("nonfinite", metric="loss")
    watched.log("r", 0, loss=NAN)
    watched.store.alerts.delete_rule("p", rule)
    watched.log("q", 0, loss=NAN)
    assert watched.alerts("q") == []
    assert len(watched.alerts("r")) == 1
    with pytest.raises(NotFound):
        watched.store.alerts.delete_rule("p", rule)
    watched.store.delete_run("p", "r")
    assert watched.store.alerts.of_project("p")["alerts"] == []


def test_what_fails_in_the_rules_keeps_nothing_from_being_stored(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is stored without its alerts rather than not at all."""
    watched.rule("nonfinite", metric="loss")

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.IntegrityError("told to")

    monkeypatch.setattr("outrider_server.store.alerts.add", fail)
    watched.log("r", 0, loss=NAN)
    monkeypatch.undo()
    watched.log("r", 1, loss=NAN)
    assert len(watched.store.points("p", "r", "loss")["values"]) == 2
    assert watched.titles("r") == ["loss is NaN or infinite"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "explodes"},
        {"kind": ["died"]},
        {"kind": "died", "metric": "loss"},
        {"kind": "nonfinite"},
        {"kind": "nonfinite", "metric": ""},
        {"kind": "nonfinite", "metric": "x" * 300},
        {"kind": "above", "metric": "loss"},
        {"kind": "above", "metric": "loss", "value": "5"},
        {"kind": "above", "metric": "loss", "value": NAN},
        {"kind": "above", "metric": "loss", "value": True},
        {"kind": "stalled", "metric": "*", "minutes": 5},
        {"kind": "stalled", "metric": "loss", "minutes": 0},
        {"kind": "silent", "minutes": 1e12},
        {"kind": "died", "level": "loud"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    """With what is wrong with it."""
    with pytest.raises(UsageError):
        read_rule("p", "id", 0.0, body)
