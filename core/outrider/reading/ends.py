"""Says in one plain sentence how a run ended: made here, read in the terminal, the page, an alert."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST = 300
_FULL = 0.9
"""From this share of its limit on, memory is part of what is told of a run that was killed."""

# NVIDIA, "XID Errors": the numbers that end a training, in a few words.
_XIDS = {
    13: "the program used a wrong address or instruction on the GPU",
    31: "the program touched memory of the GPU that is not its own",
    43: "the program's work on the GPU was stopped",
    45: "the program's work on the GPU was cut off",
    48: "memory error that cannot be corrected",
    63: "memory row remapped",
    64: "memory row could not be remapped",
    74: "NVLink error",
    79: "the GPU has fallen off the bus",
    92: "many corrected memory errors",
    94: "memory error, contained",
    95: "memory error, not contained",
    119: "the GPU's own processor does not answer",
    120: "error of the GPU's own processor",
}


def sentence(end: Mapping[str, Any] | None) -> str:
    """How a run ended, from its end record: no period, no line break; empty while it runs."""
    if not end:
        return ""
    evidence = end.get("evidence")
    evidence = evidence if isinstance(evidence, Mapping) else {}
    parts = [_head(end)]
    state = end.get("state")
    if state not in ("finished", "preempted"):
        parts += [_oom(evidence, state), _memory(evidence, state), *_xids(evidence)]
    if state != "finished":
        parts.append(_sender(evidence))
    return "; ".join(part for part in parts if part)


def heard_out(own: Mapping[str, Any], seen: Mapping[str, Any] | None) -> dict[str, Any]:
    """A writer's own end, with the evidence that who watched it has added."""
    evidence = (seen or {}).get("evidence")
    return {**own, "evidence": evidence} if evidence and "evidence" not in own else dict(own)


def told(end: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An end record with its sentence, as readers get it."""
    return None if end is None else {**end, "sentence": sentence(end)}


def _head(end: Mapping[str, Any]) -> str:
    state = str(end.get("state", "finished"))
    code, number, why = end.get("code"), end.get("signal"), end.get("why")
    why = why if isinstance(why, Mapping) else {}
    kind, message = str(why.get("type") or ""), _line(why.get("message"))
    if state == "finished":
        return "finished"
    if state == "lost":
        return f"lost: {message or 'the process is gone; nobody saw how it ended'}"
    if state == "preempted":
        by = f" by {_signal(number)}" if isinstance(number, int) else ""
        return f"preempted: the scheduler ended it{by}"
    if state == "failed":
        if kind:
            return f"failed: {kind}: {message}" if message else f"failed: {kind}"
        return f"failed with exit code {code}" if isinstance(code, int) else "failed"
    if isinstance(number, int):
        word = "crashed with" if state == "crashed" else "killed by"
        by_hand = kind == "KeyboardInterrupt"
        return "interrupted by hand (Ctrl-C)" if by_hand else f"{word} {_signal(number)}"
    if state == "oom":
        return "killed for lack of memory"
    return f"{state}: {kind}: {message}" if kind and message else state


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _oom(evidence: Mapping[str, Any], state: object) -> str:
    count = evidence.get("oom_kills")
    if isinstance(count, int) and count > 0:
        kills = "1 out-of-memory kill" if count == 1 else f"{count} out-of-memory kills"
        full = "the machine's memory was full: " if state == "oom" else ""
        return f"{full}the cgroup counted {kills}"
    count = evidence.get("machine_oom_kills")
    if isinstance(count, int) and count > 0:
        kills = "1 out-of-memory kill" if count == 1 else f"{count} out-of-memory kills"
        return f"the machine counted {kills} meanwhile"
    return "the machine's memory was full" if state == "oom" else ""


def _memory(evidence: Mapping[str, Any], state: object) -> str:
    trend = evidence.get("memory")
    last = trend[-1] if isinstance(trend, Sequence) and trend else None
    if not isinstance(last, Mapping):
        return ""
    used, limit, ago = last.get("used"), last.get("limit"), last.get("ago")
    if not isinstance(used, (int, float)) or not isinstance(limit, (int, float)) or limit <= 0:
        return ""
    if state != "oom" and used < _FULL * limit:
        return ""
    when = f" {ago:.0f} s before" if isinstance(ago, (int, float)) else ""
    if limit < 1 << 30:
        return f"{used / (1 << 20):.0f} of {limit / (1 << 20):.0f} MiB used{when}"
    return f"{used / (1 << 30):.1f} of {limit / (1 << 30):.1f} GiB used{when}"


def _xids(evidence: Mapping[str, Any]) -> list[str]:
    found = evidence.get("xid")
    said = []
    for item in found if isinstance(found, Sequence) else ():
        if isinstance(item, Mapping) and isinstance(item.get("xid"), int):
            meaning = _XIDS.get(item["xid"])
            more = f" ({meaning})" if meaning else ""
            said.append(f"GPU {item.get('gpu')} reported Xid {item['xid']}{more}")
    return list(dict.fromkeys(said))[:4]


def _sender(evidence: Mapping[str, Any]) -> str:
    sender = evidence.get("signal_from")
    if not isinstance(sender, Mapping) or not isinstance(sender.get("pid"), int):
        return ""
    name = _line(sender.get("name"))
    who = f"{name} (process {sender['pid']})" if name else f"process {sender['pid']}"
    return f"SIGTERM came from {who}"


def _line(text: object) -> str:
    """A text's first line that says something, bounded."""
    if not isinstance(text, str):
        return ""
    first = next((one.strip() for one in text.splitlines() if one.strip()), "")
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"
