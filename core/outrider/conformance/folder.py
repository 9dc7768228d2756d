"""Reads a run's folder line by line and tells what docs/file-format.md has otherwise."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from outrider.conformance.shapes import Finding, Said, clock, is_whole, near, shape, shown
from outrider.errors import NotFound, UsageError
from outrider.ids import check_project, is_run_id, is_writer_id
from outrider.journal.line import FORMAT, MAX_RECORD
from outrider.journal.record import Damaged, Record, decode
from outrider.journal.segment import parse_segment_name

MOST = 10_000
"""So many findings are kept; the rest is counted."""

_READ = 1 << 20
_BACK_SECONDS = 1.0


class Checked(NamedTuple):
    """What was looked at, and what was found."""

    path: str
    writers: int
    records: int
    findings: list[Finding]
    more: int

    @property
    def conforms(self) -> bool:
        """Whether nothing but advice was found."""
        return not self.more and not any(finding.is_error for finding in self.findings)


def check_folder(path: str | os.PathLike[str]) -> Checked:
    """Check a run's folder. Raises ``NotFound`` where there is none."""
    folder = os.path.abspath(os.fspath(path))
    if not os.path.isdir(folder):
        raise NotFound(f"there is no folder {folder}", hint="name the folder that holds run.json")
    check = _Check(folder)
    check.run()
    return Checked(folder, len(check.heads), check.records, check.findings, check.more)


@dataclass(slots=True)
class _Check:
    folder: str
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    records: int = 0
    meta: dict[str, Any] = field(default_factory=dict)
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    latest: float = 0.0
    writers: frozenset[str] = frozenset()

    def say(
        self, file: str, line: int, rule: str, reason: str, hint: str, *, is_error: bool = True
    ) -> None:
        """Note a finding."""
        if len(self.findings) >= MOST:
            self.more += 1
        else:
            self.findings.append(Finding(file, line, rule, reason, hint, is_error))

    def run(self) -> None:
        """Everything, in the order in which a reader meets it."""
        self._check_modes()
        self._check_meta()
        segments = self._segments()
        self.writers = frozenset(segments)
        for writer in sorted(segments):
            self._check_numbers(writer, sorted(segments[writer]))
            for number, name in sorted(segments[writer].items()):
                self.latest = 0.0
                self._check_segment(writer, number, name)
        self._check_writers()

    # --- the folder -----------------------------------------------------------------------

    def _check_modes(self) -> None:
        mode = stat.S_IMODE(os.stat(self.folder).st_mode)
        if mode & 0o077:
            self.say(
                ".", 0, "mode", f"the folder has mode {mode:04o}: others may look into it",
                f"chmod 700 {self.folder}", is_error=False,
            )  # fmt: skip

    def _check_meta(self) -> None:
        def say(rule: str, reason: str, hint: str) -> None:
            self.say("run.json", 0, rule, reason, hint)

        try:
            with open(os.path.join(self.folder, "run.json"), "rb") as file:
                found = orjson.loads(file.read())
        except OSError as error:
            say("run.json", f"cannot be read: {error.strerror}", "a run's folder holds run.json")
            return
        except orjson.JSONDecodeError as error:
            say("run.json", f"not JSON: {error}", "write it to another name, then rename it")
            return
        if not isinstance(found, dict):
            say("run.json", "not a JSON object", 'write {"format":1,"id":"…","project":"…"}')
            return
        self.meta = found
        if found.get("format") != FORMAT:
            say("format", f"'format' is {shown(found.get('format'))}", f'write "format":{FORMAT}')
        if not isinstance(found.get("id"), str) or not is_run_id(found["id"]):
            say(
                "id",
                f"'id' is {shown(found.get('id'))}",
                "1 to 64 of letters, digits, _, - and ., not beginning with .",
            )
        self._check_project(found.get("project"))
        self._check_meta_types(found)

    def _check_project(self, project: object) -> None:
        try:
            if not isinstance(project, str):
                raise UsageError(f"'project' is {shown(project)}, not a text")
            check_project(project)
        except UsageError as error:
            hint = error.hint or 'write "project":"mnist"'
            self.say("run.json", 0, "project", error.message, hint)

    def _check_meta_types(self, found: dict[str, Any]) -> None:
        def is_texts(value: object) -> bool:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)

        def is_text(value: object) -> bool:
            return isinstance(value, str)

        tests = {
            "name": ("a text", is_text),
            "group": ("a text", is_text),
            "job_type": ("a text", is_text),
            "notes": ("a text", is_text),
            "host": ("a text", is_text),
            "program": ("a text", is_text),
            "server": ("a URL", is_text),
            "mode": ("online or offline", lambda value: value in ("online", "offline")),
            "created": ("unix seconds", lambda v: isinstance(v, (int, float)) and 1e9 <= v < 1e11),
            "tags": ("a list of texts", is_texts),
            "attempt": ("a number from 1", lambda value: is_whole(value) and value >= 1),
            "writer": ("a writer's id", lambda v: isinstance(v, str) and is_writer_id(v)),
        }
        for key, (what, test) in tests.items():
            value = found.get(key)
            if value is not None and not test(value):
                self.say("run.json", 0, "shape", f"{key!r} is {shown(value)}", f"{key!r} is {what}")

    def _segments(self) -> dict[str, dict[int, str]]:
        found: dict[str, dict[int, str]] = {}
        try:
            names = sorted(os.listdir(os.path.join(self.folder, "journal")))
        except OSError:
            names = []
        for name in names:
            parsed = parse_segment_name(name)
            if parsed is None:
                self.say(
                    f"journal/{name}", 0, "segment name", "this name is no segment's",
                    "<writer>-<six digits>.jsonl from 000001 on; a writer is 1 to 64 of a–z 0–9 _ -",
                )  # fmt: skip
            else:
                found.setdefault(parsed[0], {})[parsed[1]] = name
        if not found:
            self.say(
                "journal", 0, "journal", "there is no segment",
                "records go to journal/<writer>-000001.jsonl",
            )  # fmt: skip
        return found

    def _check_numbers(self, writer: str, numbers: list[int]) -> None:
        for wanted, number in enumerate(numbers, 1):
            if wanted != number:
                self.say(
                    f"journal/{writer}-{number:06d}.jsonl", 0, "segment number",
                    f"segment {wanted} is missing before it",
                    "segments are numbered from 1, without holes", is_error=False,
                )  # fmt: skip
                return

    # --- a segment ------------------------------------------------------------------------

    def _check_segment(self, writer: str, number: int, name: str) -> None:
        file = f"journal/{name}"
        count = 0
        for count, line in enumerate(_lines(os.path.join(self.folder, file)), 1):
            self._check_line(file, count, line, writer, number)
        if count == 0:
            self.say(file, 0, "head", "the segment is empty", "its first line is a head record")

    def _check_line(self, file: str, count: int, line: bytes, writer: str, number: int) -> None:
        if len(line) > MAX_RECORD:
            self.say(file, count, "length", f"a record of {len(line)} bytes", "16 MiB are the most")
            return
        if not line.endswith(b"\n"):
            self.say(
                file, count, "newline", f"{len(line)} bytes without a newline: a torn record",
                "write a record and its newline with one write()",
            )  # fmt: skip
        text = line.rstrip(b"\n")
        if not text:
            if count == 1:
                self.say(file, 1, "head", "the first line is empty", "it is a head record")
            return
        if text.endswith(b"\r"):
            self.say(
                file, count, "newline", "a carriage return before the newline", "end it by \\n"
            )
        record = self._read(file, count, text)
        if record is None:
            return
        self.records += 1
        if record.torn:
            self.say(
                file, count, "record", "a torn record with a whole one behind it",
                "a writer whose write() was cut short begins its next write with a newline",
            )  # fmt: skip
        elif not text.startswith(b'{"t":'):
            self.say(
                file, count, "begin", f"begins with {shown(text[:12].decode('utf-8', 'replace'))}",
                'a record begins with {"t": without spaces, so that it is found behind a torn one',
            )  # fmt: skip
        for rule, reason, hint in clock(record.t):
            self.say(file, count, rule, reason, hint)
        if record.t < self.latest - _BACK_SECONDS:
            self.say(
                file, count, "time", f"{self.latest - record.t:.1f} s before an earlier record",
                "take wall time once, and add a monotonic clock's time to it", is_error=False,
            )  # fmt: skip
        self.latest = max(self.latest, record.t)
        self._check_record(file, count, record.kind, record.body, writer, number)

    def _read(self, file: str, count: int, text: bytes) -> Record | None:
        """The record on a line; where there is none, why."""
        try:
            return decode(text)
        except Damaged as damage:
            said = list(_whole_but_wrong(text)) or [("record", str(damage), _hint_of(text))]
            for rule, reason, hint in said:
                self.say(file, count, rule, reason, hint)
        except RecursionError:
            self.say(file, count, "record", "nested too deeply", "flatten it")
        return None

    def _check_record(
        self, file: str, count: int, kind: str, body: dict[str, Any], writer: str, number: int
    ) -> None:
        if count == 1 and kind != "head":
            self.say(
                file, 1, "head", f"the first record is of kind {shown(kind)}",
                'the first line of a segment is a head: {"t":…,"k":"head","v":1,"run":…,"w":…,"n":1,…}',
            )  # fmt: skip
        if kind == "head":
            if count != 1:
                self.say(
                    file, count, "head", "a head within a segment", "it is the first line only"
                )
            else:
                self._check_head(file, body, writer, number)
            return
        for rule, reason, hint in shape(kind, body):
            self.say(file, count, rule, reason, hint)
        if kind == "end" and "w" in body and body["w"] not in self.writers:
            self.say(
                file, count, "end", f"about {shown(body['w'])}, who writes nothing here",
                f'"w" is the writer that ended: "{writer}" for itself', is_error=False,
            )  # fmt: skip
        meant = near(kind)
        if meant is not None:
            self.say(
                file, count, "kind", f"the kind {shown(kind)} is unknown",
                f"did you mean {meant!r}? an unknown kind is kept and means nothing", is_error=False,
            )  # fmt: skip

    def _check_head(self, file: str, body: dict[str, Any], writer: str, number: int) -> None:
        wanted: dict[str, object] = {"v": FORMAT, "w": writer, "n": number}
        if "id" in self.meta:
            wanted["run"] = self.meta["id"]
        for key, value in wanted.items():
            if body.get(key) != value:
                self.say(
                    file, 1, "head", f"{key!r} is {shown(body.get(key))}, and must be {value!r}",
                    "a head says which segment of which writer and run it begins",
                )  # fmt: skip
        if not is_whole(body.get("a")) or body["a"] < 1:
            self.say(file, 1, "head", f"'a' is {shown(body.get('a'))}", 'the attempt: "a":1')
        if body.get("role") not in ("trainer", "streamer", "foreign"):
            self.say(
                file, 1, "head", f"'role' is {shown(body.get('role'))}",
                'write "role":"foreign" in a program without our library',
            )  # fmt: skip
        if not isinstance(body.get("primary", False), bool):
            self.say(file, 1, "head", f"'primary' is {shown(body['primary'])}", "true or false")
        if body.get("role") != "streamer" and not all(
            isinstance(body.get(key), kind) for key, kind in (("host", str), ("pid", int))
        ):
            self.say(
                file, 1, "process", "the head names no process ('host', 'pid', 'start', 'boot')",
                "without them nobody sees its death: the run ends an hour after its last record",
                is_error=False,
            )  # fmt: skip
        self.heads.setdefault(writer, body)

    def _check_writers(self) -> None:
        theirs = [head for head in self.heads.values() if head.get("role") != "streamer"]
        if theirs and not any(head.get("primary") is True for head in theirs):
            self.say(
                "journal", 0, "primary", "no writer is the run's primary one",
                'one head of an attempt has "primary":true; its end is the run\'s', is_error=False,
            )  # fmt: skip


def _whole_but_wrong(text: bytes) -> Iterator[Said]:
    """What is wrong with a line that is a JSON object with a time, and no record nevertheless."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(body, dict) and isinstance(body.get("t"), (int, float)):
        kind = body.get("k", "points")
        yield from shape(kind if isinstance(kind, str) else "", body)


def _hint_of(text: bytes) -> str:
    for word in (b"NaN", b"nan", b"Infinity", b"inf"):
        if word in text and b'"' + word + b'"' not in text:
            return 'NaN and infinities are no JSON: write "NaN", "Infinity" or "-Infinity"'
    if b"'" in text and b'"' not in text:
        return "JSON's texts have double quotes"
    if text.count(b'{"t":') > 1:
        return "one record a line, each with one write() on a descriptor opened with O_APPEND"
    if _is_utf8(text) and (b'"t"' not in text or _is_object(text)):
        return 'a record begins with its time: {"t":1763860000.12,…'
    return "one JSON object a line, in UTF-8"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(path: str) -> Iterator[bytes]:
    """The lines of a file with their newlines; the longest ones are cut where they are too long."""
    with open(path, "rb") as file:
        while line := file.readline(MAX_RECORD + 2):
            yield line
            while line and not line.endswith(b"\n"):
                line = file.readline(_READ)
