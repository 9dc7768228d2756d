"""Knows the writers of a run: who is ours to deliver, who still writes, who ended and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from outrider.errors import JournalError
from outrider.journal.record import Damaged, decode, is_final_end, lines
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place
from outrider.streamer.ends import Circumstances, Death, End, agrees, decide, is_scheduled
from outrider.streamer.own import told_before
from outrider.streamer.process import Process, is_of_this_host
from outrider.streamer.witness import Witness

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

QUIET_SECONDS = 3600.0
"""A writer in another language that names no process counts as gone after so long a silence."""

EMPTY_SECONDS = 30.0
"""How long a folder may stay without any writer before its streamer leaves."""

_TAIL_BYTES = 1 << 16
_QUICK_BYTES = 1 << 12


@dataclass(slots=True)
class Member:
    """One writer as the streamer knows it."""

    writer: str
    attempt: int
    is_ours: bool
    is_awaited: bool
    process: Process | None
    own_end: Mapping[str, Any] | None = None
    ended: bool = False
    is_dead: bool = False
    size: int = -1
    read_at: int = -1
    changed: float = 0.0

    def is_quiet(self, tick: float) -> bool:
        """Whether it has not grown for a moment."""
        return tick - self.changed > 0.25


class Roster:
    """All writers of one folder. ``tick`` returns the ends that are to be recorded."""

    def __init__(
        self,
        folder: RunFolder,
        *,
        clock: Clock | None = None,
        everyone: bool = False,
        witness: Witness | None = None,
    ) -> None:
        self.folder = folder
        self.witness = witness or Witness(folder, clock)
        self.members: dict[str, Member] = {}
        self.gaps_told: set[Place] = set()
        self._everyone = everyone
        self._clock = clock or Clock()
        self._since = self._clock.tick()
        self._creator = self._find_creator()
        self._told: set[str] = set()
        for record in told_before(folder):
            if record.get("k") == "end":
                self._told.add(str(record.get("w")))
            elif isinstance(record.get("of"), list) and len(record["of"]) == 2:
                self.gaps_told.add(Place(*record["of"]))

    def _find_creator(self) -> Process | None:
        try:
            meta = self.folder.meta()
        except JournalError:
            return None
        return Process.of_head(
            {**meta, "start": meta.get("start_ticks"), "boot": meta.get("boot_id")}
        )

    def refresh(self, sizes: Mapping[Place, int]) -> None:
        """Take note of new writers and of growth."""
        tick = self._clock.tick()
        lengths: dict[str, int] = {}
        for place, size in sizes.items():
            lengths[place.writer] = lengths.get(place.writer, 0) + size
        for writer, length in lengths.items():
            member = self.members.get(writer)
            if member is None:
                member = self._meet(writer)
                if member is None:
                    continue
                member.changed = tick
            if member.size != length:
                member.size = length
                member.changed = tick

    def _meet(self, writer: str) -> Member | None:
        head = self.folder.head(writer)
        if head is None:
            if not self._has_line(writer):
                return None  # its first line is on its way
            # Asked again: the line may have come between the two looks. A streamer's own journal
            # taken for a headless stranger's kept a run open for an hour.
            head = self.folder.head(writer) or {}
        names_host = isinstance(head.get("host"), str)
        is_ours = self._everyone or not names_host or is_of_this_host(head)
        is_streamer = head.get("role") == "streamer"
        attempt = head.get("a", 1)
        process = Process.of_head(head) if is_ours and not is_streamer else None
        if process is not None:
            self.witness.oom.add(process.pid)
        member = self.members[writer] = Member(
            writer,
            attempt if isinstance(attempt, int) else 1,
            is_ours,
            # Of another machine's process nothing can be known here: not ours to wait for.
            is_ours and not is_streamer and (not names_host or is_of_this_host(head)),
            process,
        )
        return member

    def _has_line(self, writer: str) -> bool:
        numbers = self.folder.segments(writer)
        try:
            return bool(numbers and self.folder.read(writer, numbers[0], 0, 4096).data)
        except OSError:
            return False

    def deliverable(self, sizes: Mapping[Place, int]) -> dict[Place, int]:
        """The segments that this streamer delivers: those of this host's writers."""
        members = self.members
        return {
            place: size
            for place, size in sizes.items()
            if place.writer in members and members[place.writer].is_ours
        }

    def tick(self, sizes: Mapping[Place, int]) -> list[tuple[Member, End]]:
        """Look who ended; the ends that the streamer has to record, see ``told``."""
        self.refresh(sizes)
        tick = self._clock.tick()
        found: list[tuple[Member, End]] = []
        for member in self.members.values():
            if not member.is_awaited or member.ended:
                continue
            death = member.process.death() if member.process is not None else None
            if member.read_at != member.size:
                # While it grows, its last lines are enough; at its death, look further back.
                tail = _TAIL_BYTES if death is not None or member.is_quiet(tick) else _QUICK_BYTES
                member.own_end = self._last_end(member, sizes, tail) or member.own_end
            if member.own_end is not None and is_final_end(member.own_end):
                found += self._hear_out(member, member.own_end, sizes)
                continue
            if member.process is None:
                if tick - member.changed > QUIET_SECONDS or member.own_end is not None:
                    end = End(
                        "lost", why={"type": "lost", "message": "nothing was heard for an hour"}
                    )
                    self._settle(member, end, found)
                continue
            if death is None:
                continue
            if not member.is_dead or member.read_at != member.size:
                member.is_dead = True  # its last words may have come after our look: look again
                continue
            end = decide(death, self._circumstances())
            if end.state != "finished":
                end = replace(end, evidence=self.witness.evidence(death, sizes))
            self._settle(member, end, found)
        return found

    def _hear_out(
        self, member: Member, own: Mapping[str, Any], sizes: Mapping[Place, int]
    ) -> list[tuple[Member, End]]:
        """The writer said itself how it ended; of a failure, add what it cannot have known, and of
        a command that a signal ended (``outrider run``) everything."""
        code, number = (
            value if isinstance(value, int) else None
            for value in (own.get("code"), own.get("signal"))
        )
        why = own.get("why")
        by_hand = isinstance(why, Mapping) and why.get("type") == "KeyboardInterrupt"
        if own.get("state") == "finished" or member.writer in self._told:
            evidence = {}
        elif number is not None and not by_hand:
            evidence = self.witness.evidence(Death(code, number), sizes)
        else:
            evidence = self.witness.notable()
        if not evidence:
            member.ended = True
            return []
        return [(member, End(str(own.get("state")), code, number, evidence=evidence))]

    def _settle(self, member: Member, end: End, found: list[tuple[Member, End]]) -> None:
        told = member.writer in self._told
        if told or (member.own_end is not None and agrees(member.own_end, end)):
            member.ended = True
        else:
            found.append((member, end))

    def told(self, member: Member) -> None:
        """The end of this writer was recorded."""
        member.ended = True
        self._told.add(member.writer)

    def _circumstances(self) -> Circumstances:
        ago = self.witness.terminated_ago()
        return Circumstances(self.witness.oom.kills() > 0, is_scheduled(os.environ), ago)

    def _last_end(
        self, member: Member, sizes: Mapping[Place, int], tail: int
    ) -> Mapping[str, Any] | None:
        """The writer's own end record, where its last lines hold one about itself."""
        if tail == _TAIL_BYTES:
            member.read_at = member.size
        for segment in sorted(
            (p.segment for p in sizes if p.writer == member.writer), reverse=True
        )[:2]:
            size = sizes[Place(member.writer, segment)]
            try:
                piece = self.folder.read(member.writer, segment, max(0, size - tail), tail)
            except OSError:
                continue
            for line in reversed(list(lines(piece.data))):
                if b'"k":"end"' not in line:
                    continue
                try:
                    record = decode(line)
                except Damaged:
                    continue
                if record.kind == "end" and record.body.get("w", member.writer) == member.writer:
                    return record.body
        return None

    def is_over(self) -> bool:
        """Whether nobody will write any more: every awaited writer ended."""
        awaited = [member for member in self.members.values() if member.is_awaited]
        if awaited:
            return all(member.ended for member in awaited)
        if self._creator is not None and self._creator.death() is not None:
            return True
        return self._clock.tick() - self._since > EMPTY_SECONDS

    def has_unsettled(self) -> bool:
        """Whether a writer is known to be dead and its end is not settled yet."""
        return any(
            member.is_awaited
            and not member.ended
            and member.process is not None
            and member.process.death() is not None
            for member in self.members.values()
        )

    def has_living(self) -> bool:
        """Whether some process of this run is alive here."""
        return any(
            member.process is not None and not member.ended and member.process.death() is None
            for member in self.members.values()
        ) or (not self.members and self._creator is not None and self._creator.death() is None)

    def pid(self) -> int | None:
        """The process to sample: the creating one of this host, else any writer's here."""
        if self._creator is not None and self._creator.death() is None:
            return self._creator.pid
        for member in self.members.values():
            if member.process is not None and member.process.death() is None:
                return member.process.pid
        return None

    def descriptors(self) -> list[int]:
        """Descriptors that become readable when a process ends."""
        return [
            member.process.fd
            for member in self.members.values()
            if member.process is not None and member.process.fd >= 0 and not member.ended
        ]

    def close(self) -> None:
        """Give the processes' descriptors back."""
        processes = {self._creator, *(member.process for member in self.members.values())}
        for process in processes:
            if process is not None:
                process.close()

    def state(self) -> str:
        """In one word how the latest creating writer's end stands here, for hooks."""
        try:
            creating = self.members.get(str(self.folder.meta().get("writer")))
        except JournalError:
            creating = None
        if creating is None or creating.own_end is None:
            return "lost" if creating is None else "ended"
        return str(creating.own_end.get("state", "ended"))
