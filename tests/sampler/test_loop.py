"""The sampler's loop: when it samples, and what a bad probe can do to it (nothing)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from outrider.sampler import guard
from outrider.sampler.loop import Sampler, sample_once
from outrider.sampler.plugin import outrider_probes
from outrider.sampler.probe import NotHere, Target


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A probe that answers what a function says."""

    inline = True

    def __init__(self, answer: Callable[[], dict[str, float]], name: str = "scripted") -> None:
        self.name = name
        self._answer = answer
        self.reads = 0

    def read(self) -> dict[str, float]:
        self.reads += 1
        return self._answer()

    def facts(self) -> dict[str, object]:
        return {self.name: "fact"}


def run(sampler: Sampler, clock: Clock, seconds: float) -> list[dict[str, float]]:
    """Go through some time as the streamer does; the rows that came."""
    rows, end = [], clock.now + seconds
    while clock.now <= end:
        if (row := sampler.tick()) is not None:
            rows.append(row)
        clock.now += max(sampler.due(), 0.01)
    return rows


def test_samples_are_taken_at_the_interval_and_rows_at_the_window() -> None:
    """Every 2 s, averaged over 30 s; the first row comes after three samples."""
    clock = Clock()
    probe = Scripted(lambda: {"a": 1.0})
    sampler = Sampler(None, "/", 2, 30, [probe], clock)
    assert sampler.due() == 0
    assert len(run(sampler, clock, 6)) == 1
    rows = run(sampler, clock, 59.9)
    assert len(rows) == 2
    assert rows[0] == {"a": 1.0}
    assert sampler.covered == pytest.approx(30, abs=0.5)
    assert probe.reads == pytest.approx(33, abs=1)


def test_nothing_is_sampled_before_it_is_due() -> None:
    """A loop that turns faster than the interval costs nothing."""
    clock = Clock()
    probe = Scripted(lambda: {"a": 1.0})
    sampler = Sampler(None, "/", 2, 30, [probe], clock)
    for _ in range(5):
        sampler.tick()
    assert probe.reads == 1
    assert sampler.due() == pytest.approx(2)


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    """After SIGSTOP or a suspended laptop: one sample, then the usual pace."""
    clock = Clock()
    probe = Scripted(lambda: {"a": 1.0})
    sampler = Sampler(None, "/", 2, 30, [probe], clock)
    sampler.tick()
    clock.now += 1000
    sampler.tick()
    assert probe.reads == 2
    assert sampler.due() > 0


def test_flush_hands_out_the_open_window_with_one_last_sample() -> None:
    """A run of one second has its figures too."""
    clock = Clock()
    value = [1.0]
    sampler = Sampler(None, "/", 2, 30, [Scripted(lambda: {"a.max": value[0]})], clock)
    sampler.tick()
    clock.now, value[0] = clock.now + 1, 7.0
    assert sampler.flush() == {"a.max": 7.0}
    assert sampler.flush() is None


def test_a_probe_that_fails_is_named_skipped_and_at_last_disabled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The others go on; the log names the culprit once and says when it is given up."""
    clock = Clock()
    bad = Scripted(lambda: {"b": 1 / 0}, "bad")
    sampler = Sampler(None, "/", 2, 10, [bad, Scripted(lambda: {"a": 1.0})], clock)
    with caplog.at_level(logging.WARNING, "outrider.sampler"):
        rows = run(sampler, clock, 60)
    assert rows
    assert all(row == {"a": 1.0} for row in rows)
    assert bad.reads == guard.PATIENCE
    assert [record.message for record in caplog.records] == [
        "probe bad failed and is skipped: ZeroDivisionError('division by zero')",
        f"probe bad failed {guard.PATIENCE} times and is disabled",
    ]


def test_a_probe_that_recovers_is_not_disabled() -> None:
    """Only failures in a row count."""
    clock = Clock()
    turn = iter(range(10**6))
    flaky = Scripted(lambda: {"b": 1.0} if next(turn) % 3 else {"b": 1 / 0})
    sampler = Sampler(None, "/", 2, 10, [flaky], clock)
    run(sampler, clock, 200)
    assert flaky.reads > 90


def test_a_probe_that_hangs_holds_nobody_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that never answers is left alone in its thread; when it answers, it is back."""
    monkeypatch.setattr(guard, "WAIT", 0.05)
    release = threading.Event()

    class Hanging(Scripted):
        inline = False

    hanging = Hanging(lambda: {"h": float(release.wait(30))}, "hanging")
    clock = Clock()
    sampler = Sampler(None, "/", 2, 10, [hanging, Scripted(lambda: {"a": 1.0})], clock)
    with caplog.at_level(logging.INFO, "outrider.sampler"):
        rows = run(sampler, clock, 30)
        assert all(row == {"a": 1.0} for row in rows)
        assert hanging.reads == 1
        release.set()
        for _ in range(200):
            if any("h" in row for row in run(sampler, clock, 30)):
                break
            time.sleep(0.01)
        else:
            pytest.fail("the probe did not come back")
    assert "probe hanging does not answer and is skipped" in caplog.messages
    assert "probe hanging answers again" in caplog.messages


def test_a_failure_in_a_probes_thread_is_its_own() -> None:
    """It is counted like any other."""
    clock = Clock()

    class Failing(Scripted):
        inline = False

    failing = Failing(lambda: {"f": 1 / 0})
    run(Sampler(None, "/", 2, 10, [failing], clock), clock, 60)
    assert failing.reads == guard.PATIENCE


def test_a_dear_probe_is_read_less_often() -> None:
    """However dear, it takes no more than its share of the time, and is still read now and then."""
    clock = Clock()

    def spin() -> dict[str, float]:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass
        return {"a": 1.0}

    dear = Scripted(spin)
    run(Sampler(None, "/", 0.5, 10, [dear], clock), clock, 40)
    assert 80 / (guard.MOST_SKIPPED + 2) < dear.reads < 20


def test_probes_are_loaded_by_import_path_and_a_bad_path_hurts_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Hooks name probes by text; a plugin's mistake is named in the log."""
    names = [
        "outrider.sampler.host:MemoryProbe",
        "no.such.module:Probe",
        "outrider.sampler.host:No",
    ]
    sampler = Sampler(None, "/", 2, 30, names)
    sampler.tick()
    assert "memory_bytes" in sampler.facts()
    assert "probe no.such.module:Probe could not be loaded" in caplog.text
    assert "probe outrider.sampler.host:No could not be loaded" in caplog.text


def test_a_probe_that_is_not_for_this_machine_is_left_out_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A laptop without a GPU needs no warning."""

    class Absent(Scripted):
        def aim(self, target: Target) -> None:
            raise NotHere("nothing there")

    absent = Absent(lambda: {"a": 1.0})
    sampler = Sampler(None, "/", 2, 30, [absent])
    sampler.tick()
    assert absent.reads == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_facts_of_a_probe_that_fails_are_left_out() -> None:
    """The others' facts are there."""

    class Mute(Scripted):
        def facts(self) -> dict[str, object]:
            raise OSError("gone")

    good = Scripted(dict, "good")
    sampler = Sampler(None, "/", 2, 30, [Mute(dict, "mute"), good])
    assert sampler.facts() == {"good": "fact"}


def test_a_single_look_leaves_no_probe_out_because_it_is_dear() -> None:
    """A training with hundreds of processes takes some milliseconds to read."""

    def dear() -> dict[str, float]:
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            pass
        return {"x": 1.0}

    assert sample_once([Scripted(dear)], os.getpid(), "/") == {"x": 1.0}


def test_the_built_in_probes_read_this_machine() -> None:
    """What any Linux machine has comes out of two looks at the real /proc."""
    row = sample_once(outrider_probes(), os.getpid(), "/")
    assert 0 <= row["system/cpu"] <= 100
    assert row["system/memory/used_bytes"] > 0
    assert row["system/process/rss_bytes"] > 1e6
    assert row["system/process/threads"] >= 1
    assert row["system/process/open_files"] >= 1
    assert row["system/disk/free_bytes"] > 0
    assert all(key.startswith("system/") for key in row)


def test_the_trainers_death_ends_only_its_own_figures() -> None:
    """The machine is still sampled while the streamer drains."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=-1
    ) as child:
        sampler = Sampler(child.pid, "/", 0.05, 0.05, outrider_probes())
        assert "system/process/rss_bytes" in (sampler.tick() or {})
    time.sleep(sampler.due())
    row = sampler.tick() or {}
    assert "system/memory/used_bytes" in row
    assert "system/process/rss_bytes" not in row
