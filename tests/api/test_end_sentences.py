"""The sentence that says how a run ended."""

from __future__ import annotations

from typing import Any

import pytest

from outrider.reading.ends import heard_out, sentence

GIB = 1 << 30
MEMORY = [
    {"ago": 8.1, "used": 40 * GIB, "limit": 62 * GIB, "process": 30 * GIB},
    {"ago": 4.2, "used": int(61.9 * GIB), "limit": 62 * GIB, "process": 50 * GIB},
]
VALUE_ERROR = {"type": "ValueError", "message": "\n  bad shape\nand more"}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (None, ""),
        ({"state": "finished", "code": 0}, "finished"),
        ({"state": "failed", "code": 3}, "failed with exit code 3"),
        ({"state": "failed", "code": 1, "why": VALUE_ERROR}, "failed: ValueError: bad shape"),
        ({"state": "failed", "why": {"type": "E", "message": ""}}, "failed: E"),
        ({"state": "killed", "signal": 9}, "killed by signal 9 (SIGKILL)"),
        ({"state": "killed", "signal": 64}, "killed by signal 64 (SIGRTMAX)"),
        ({"state": "killed", "signal": 99}, "killed by signal 99"),
        (
            {"state": "killed", "signal": 2, "code": 130, "why": {"type": "KeyboardInterrupt"}},
            "interrupted by hand (Ctrl-C)",
        ),
        ({"state": "crashed", "signal": 11}, "crashed with signal 11 (SIGSEGV)"),
        (
            {"state": "oom", "signal": 9, "evidence": {"oom_kills": 1, "memory": MEMORY}},
            (
                "killed by signal 9 (SIGKILL); the machine's memory was full: the cgroup counted "
                "1 out-of-memory kill; 61.9 of 62.0 GiB used 4 s before"
            ),
        ),
        (
            {"state": "killed", "signal": 9, "evidence": {"memory": MEMORY}},
            "killed by signal 9 (SIGKILL); 61.9 of 62.0 GiB used 4 s before",
        ),
        (
            {
                "state": "oom",
                "signal": 9,
                "evidence": {"memory": [{"used": 250 << 20, "limit": 260 << 20}]},
            },
            "killed by signal 9 (SIGKILL); the machine's memory was full; 250 of 260 MiB used",
        ),
        (
            {"state": "killed", "signal": 9, "evidence": {"memory": MEMORY[:1]}},
            "killed by signal 9 (SIGKILL)",
        ),
        (
            {"state": "killed", "signal": 9, "evidence": {"machine_oom_kills": 2}},
            "killed by signal 9 (SIGKILL); the machine counted 2 out-of-memory kills meanwhile",
        ),
        (
            {
                "state": "preempted",
                "signal": 15,
                "evidence": {"signal_from": {"pid": 7, "name": "slurmstepd"}, "memory": MEMORY},
            },
            (
                "preempted: the scheduler ended it by signal 15 (SIGTERM); "
                "SIGTERM came from slurmstepd (process 7)"
            ),
        ),
        (
            {"state": "crashed", "signal": 6, "evidence": {"xid": [{"gpu": 0, "xid": 79}] * 3}},
            (
                "crashed with signal 6 (SIGABRT); "
                "GPU 0 reported Xid 79 (the GPU has fallen off the bus)"
            ),
        ),
        ({"state": "lost"}, "lost: the process is gone; nobody saw how it ended"),
        (
            {"state": "lost", "why": {"type": "lost", "message": "nothing was heard for an hour"}},
            "lost: nothing was heard for an hour",
        ),
        ({"state": "evaporated"}, "evaporated"),
        ({}, ""),
    ],
)
def test_an_end_is_said_in_one_sentence(end: dict[str, Any] | None, said: str) -> None:
    """All of it that is known, and no more."""
    assert sentence(end) == said


@pytest.mark.parametrize(
    "end",
    [
        {"state": 7, "why": [], "evidence": "?"},
        {"state": "oom", "evidence": {"oom_kills": "x", "memory": [1], "xid": 5}},
        {"state": "oom", "evidence": {"memory": [{"used": "a", "limit": 0}], "xid": [{"xid": 1}]}},
        {"state": "killed", "signal": "9", "evidence": {"signal_from": {"pid": "x"}}},
        {"state": "killed", "signal": -5, "why": {"type": None, "message": 5}},
    ],
)
def test_whatever_a_foreign_writer_put_there_gives_a_sentence(end: dict[str, Any]) -> None:
    """Never an error: a reader must show the rest of the run."""
    assert "\n" not in sentence(end)


def test_a_long_message_is_cut() -> None:
    """To one line of a bounded length."""
    end = {"state": "failed", "why": {"type": "E", "message": "x" * 5000}}
    assert len(sentence(end)) < 330


def test_the_writers_own_word_stands_with_the_evidence_of_who_watched() -> None:
    """Its own evidence first, if it has any."""
    own, seen = {"state": "failed", "code": 1}, {"state": "killed", "evidence": {"oom_kills": 1}}
    assert heard_out(own, seen) == {**own, "evidence": {"oom_kills": 1}}
    assert heard_out(own, None) == own
    assert heard_out({**own, "evidence": {}}, seen)["evidence"] == {}
