"""Decides how a writer ended, from what its process left behind: plain functions of plain values."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREEMPTION_SECONDS = 180.0
"""Between a scheduler's SIGTERM and the SIGKILL that follows it at the end of the grace time."""

_OWN_FAULTS = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGABRT,
    signal.SIGTRAP,
    signal.SIGSYS,
}
_SCHEDULERS = (
    "SLURM_JOB_ID",
    "KUBERNETES_SERVICE_HOST",
    "PBS_JOBID",
    "LSB_JOBID",
    "AWS_BATCH_JOB_ID",
)


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of how a process ended; both None: it is gone, and nobody knows how."""

    code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else happened: did the cgroup's counter of kills for lack of memory move, does a
    scheduler run the job, and how long ago was a SIGTERM seen that it sends to the whole group."""

    oom_killed: bool = False
    is_scheduled: bool = False
    terminated_ago: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """A writer's end, as its record tells it."""

    state: str
    code: int | None = None
    signal: int | None = None
    why: dict[str, str] | None = None
    evidence: dict[str, Any] | None = None

    def record(self, writer: str, attempt: int) -> dict[str, Any]:
        """The record that says so."""
        evidence = {"evidence": self.evidence} if self.evidence else {}
        return {
            "k": "end",
            "w": writer,
            "a": attempt,
            "state": self.state,
            "code": self.code,
            "signal": self.signal,
            "why": self.why,
            **evidence,
        }


def from_wait_status(status: int) -> Death:
    """A death from the status that ``wait`` gives (and the kernel's exit_code)."""
    number = status & 0x7F
    if number:
        return Death(signal=number)
    return Death(code=(status >> 8) & 0xFF)


def decide(death: Death, around: Circumstances) -> End:
    """The true end: finished, failed, killed, crashed, preempted, oom, or lost."""
    number = death.signal
    if number is None and death.code is not None:
        if death.code == 0:
            return End("finished", 0)
        if death.code > 128 and death.code - 128 in (signal.SIGTERM, signal.SIGKILL):
            number = death.code - 128  # a shell's or a handler's way to say: a signal ended it
            if number == signal.SIGTERM and around.is_scheduled:
                return End("preempted", death.code, number)
        return End("failed", death.code)
    if number is None:
        return End(
            "lost", why={"type": "lost", "message": "the process is gone; nobody saw how it ended"}
        )
    if number == signal.SIGKILL and around.oom_killed:
        why = {"type": "out of memory", "message": "the kernel killed it for lack of memory"}
        return End("oom", None, number, why)
    if around.is_scheduled and (
        number == signal.SIGTERM
        or (
            number == signal.SIGKILL
            and around.terminated_ago is not None
            and around.terminated_ago <= PREEMPTION_SECONDS
        )
    ):
        return End("preempted", None, number)
    if number in _OWN_FAULTS:
        return End("crashed", None, number, {"type": _name(number), "message": "a fatal signal"})
    return End("killed", None, number)


def agrees(own: Mapping[str, Any], end: End) -> bool:
    """Whether the kernel's word adds nothing to the writer's own."""
    return end.state == "lost" or (end.state == "finished" and own.get("state") == "finished")


def is_scheduled(environment: Mapping[str, str]) -> bool:
    """Whether a scheduler that preempts jobs runs this one."""
    return any(name in environment for name in _SCHEDULERS)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
