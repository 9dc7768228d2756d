"""Folds what programs print into lines, as a terminal would show them: plain values, no files.

Carriage returns, backspaces, cursor movements and erasures are carried out; colours are kept; what
else a terminal is told is dropped. One character takes one column. A line keeps the number that it
got with its first character, so a bar that is redrawn a thousand times stays one line. Both streams
of a writer share a terminal: a last line that one wiped, as a bar does that leaves, is the other's
to write on. The server folds what arrives with this, and a reader of a folder what lies there: both
show the same.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from outrider.reading.colours import amended
from outrider.reading.line import Line

HEIGHT = 100
"""How many lines up, at most, a cursor gets: a tall terminal."""

LONGEST = 1 << 15
"""A longer line goes on in the next one."""

LONGEST_SEQUENCE = 4096
"""An escape sequence that is not over after so many characters was none."""

OUT, ERR = "out", "err"

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x08\x0a-\x1f\x7f-\x9f]+)"
    r"|(?P<newline>\r*\n)"
    r"|(?P<home>\r)"
    r"|\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\x1b[\]PX^_][^\x00-\x1f]*(?:\x07|\x1b\\)"  # titles, links and the like
    r"|\x1b(?P<short>[ -/]+[0-~]|[0-OQ-WYZ\\`-~])"
    r"|(?P<begun>\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x00-\x1f]*\x1b?|[ -/]*))\Z"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"  # 8-bit ones, too: terminals obey them
)
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen:
    """What one writer's stream shows: its last lines, and where the cursor stands."""

    def __init__(self, writer: str, stream: str, number: Callable[[Line], None]) -> None:
        """``number`` gives a line its number; it is called again whenever the line changes."""
        self.writer = writer
        self.stream = stream
        self._number = number
        self.rows = [Line(writer, stream)]
        self.row = 0
        self.column = 0
        self.style = ""
        self.saved = (0, 0)
        self.begun = ""
        self.last = -1
        """The number of the line that it began last."""
        self.is_elsewhere = False
        """The program shows its other screen, as editors do: nothing of it is kept."""

    # --- keeping and taking up ------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What is needed to go on from here, beside the lines themselves."""
        return {
            "rows": [line.n for line in self.rows],
            "at": [self.row, self.column, *self.saved],
            "style": self.style,
            "begun": self.begun,
            "last": self.last,
            "elsewhere": self.is_elsewhere,
        }

    def restore(self, state: Mapping[str, Any], line_of: Callable[[int], Line | None]) -> None:
        """Go on from a state; ``line_of`` finds a line by its number."""
        self.rows = [
            (line_of(n) if n >= 0 else None) or Line(self.writer, self.stream)
            for n in state["rows"]
        ]
        self.row, self.column, *saved = state["at"]
        self.saved = (saved[0], saved[1])
        self.style, self.begun = state["style"], state["begun"]
        self.last = state.get("last", max(state["rows"], default=-1))
        self.is_elsewhere = state["elsewhere"]

    def give_up(self, above: int) -> int | None:
        """Leave the cursor's line to the other stream of the terminal and take a new one here; its
        number. None where something stands in it, or a line of the terminal was begun after it, of
        which ``above`` is the other stream's last."""
        line = self.rows[self.row]
        if not above < line.n == self.last or line.gap or line.text.strip():
            return None
        self.rows[self.row] = Line(self.writer, self.stream)
        return line.n

    # --- printing -------------------------------------------------------------------------

    def feed(self, t: float, text: str) -> None:
        """Take in what was printed at a time."""
        if self.begun:
            text, self.begun = self.begun + text, ""
        if self.is_elsewhere or self.style or _ODD.search(text) or not self._is_at_end():
            for token in _TOKEN.finditer(text):
                self._take(t, token)
            return
        first, *rest = text.split("\n")  # plain lines, as most are
        if first:
            self._put(t, first)
        for part in rest:
            self._newline(t)
            if part:
                self._put(t, part)

    def gap(self, t: float, count: int) -> None:
        """Say that bytes were left out here; neighbouring gaps are one."""
        if self.column or self.rows[self.row].text:
            self.row = len(self.rows) - 1
            self._newline(t)
        above = self.rows[self.row - 1] if self.row else None
        if above is not None and above.gap and not self.rows[self.row].text:
            line = above
        else:
            line = self.rows[self.row]
            self._newline(t)
        line.gap = min(line.gap + count, 1 << 62)
        line.text = f"[{line.gap} bytes left out]"
        line.styles = []
        self._number(line)

    def _is_at_end(self) -> bool:
        return self.row == len(self.rows) - 1 and self.column == len(self.rows[-1].text)

    def _take(self, t: float, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if self.is_elsewhere and kind not in ("csi", "begun"):
            return
        if kind == "text":
            self._put(t, token[0])
        elif kind == "newline":
            self._newline(t)
        elif kind == "home":
            self.column = 0
        elif kind == "csi":
            self._command(t, token["csi"])
        elif kind == "short":
            self._short(t, token["short"])
        elif kind == "begun" and len(token[0]) <= LONGEST_SEQUENCE:
            self.begun = token[0]
        elif token[0] == "\b":
            self.column = max(0, self.column - 1)

    def _put(self, t: float, text: str) -> None:
        while text:
            line = self.rows[self.row]
            room = LONGEST - self.column
            line.put(self.column, text[:room], self.style)
            self._keep(t)
            self.column += len(text[:room])
            text = text[room:]
            if text:
                self._newline(t)

    def _keep(self, t: float) -> None:
        """The present line shows: it has a number, and so have those above it."""
        for line in self.rows[: self.row + 1] if self.rows[self.row].n < 0 else ():
            if line.n < 0:
                line.t = t
                self._number(line)
        self._number(self.rows[self.row])

    def _newline(self, t: float) -> None:
        if self.rows[self.row].n < 0:
            self._keep(t)
        self.column = 0
        self._go(self.row + 1)

    def _go(self, row: int) -> None:
        """Move to a row; there are as many as it takes."""
        self.row = max(0, row)
        while self.row >= len(self.rows):
            self.rows.append(Line(self.writer, self.stream))
        extra = len(self.rows) - HEIGHT
        if extra > 0:
            del self.rows[:extra]
            self.row = max(0, self.row - extra)

    # --- what a terminal is told ----------------------------------------------------------

    def _short(self, t: float, what: str) -> None:
        if what == "7":
            self.saved = (self.row, self.column)
        elif what == "8":
            self._restore_cursor()
        elif what in "DE":
            column = self.column
            self._newline(t)
            self.column = 0 if what == "E" else column
        elif what == "M":
            self._go(self.row - 1)
        elif what == "c":
            self._clear()

    def _restore_cursor(self) -> None:
        self._go(min(self.saved[0], HEIGHT - 1))
        self.column = self.saved[1]

    def _command(self, t: float, sequence: str) -> None:
        """A control sequence: its parameters, and the letter that says what it does."""
        letter, given = sequence[-1], sequence[:-1]
        if given[:1] == "?":
            if given[1:] in ("1049", "1047", "47") and letter in "hl":
                self.is_elsewhere = letter == "h"
            return
        if self.is_elsewhere or (given and not given[-1].isdigit() and given[-1] not in ";:"):
            return
        if letter == "m":
            self.style = amended(self.style, given)
            return
        numbers = [int(part) if part.isdigit() else 0 for part in given[:64].split(";")]
        first = min(numbers[0], LONGEST)
        if letter in _MOVES:
            self._move(letter, first, min(numbers[1], LONGEST) if len(numbers) > 1 else 1)
        elif letter in "KJXP":
            self._erase(letter, first)

    def _move(self, letter: str, first: int, second: int) -> None:
        count = max(1, first)
        if letter in "AF":
            self._go(self.row - count)
        elif letter in "BE":
            self._go(self.row + min(count, HEIGHT))
        elif letter in "Hf":
            self._go(min(count, HEIGHT) - 1)
            self.column = max(1, second) - 1
        elif letter == "d":
            self._go(min(count, HEIGHT) - 1)
        elif letter == "C":
            self.column = min(self.column + count, LONGEST - 1)
        elif letter == "D":
            self.column = max(0, self.column - count)
        elif letter == "G":
            self.column = count - 1
        elif letter == "s":
            self.saved = (self.row, self.column)
        elif letter == "u":
            self._restore_cursor()
        if letter in "EF":
            self.column = 0

    def _erase(self, letter: str, first: int) -> None:
        line = self.rows[self.row]
        if letter == "X":
            line.cut(self.column, self.column + max(1, first))
        elif letter == "P":
            line_end = line.text[self.column + max(1, first) :]
            line.cut(self.column)
            line.put(self.column, line_end, "")
        elif letter == "K":
            line.cut(self.column if first == 0 else 0, self.column + 1 if first == 1 else None)
        elif first in (2, 3):
            self._clear()
            return
        else:
            line.cut(self.column if first == 0 else 0, self.column + 1 if first == 1 else None)
            for other in self.rows[self.row + 1 :] if first == 0 else self.rows[: self.row]:
                other.cut(0)
                if other.n >= 0:
                    self._number(other)
        if line.n >= 0:
            self._number(line)

    def _clear(self) -> None:
        """A cleared screen begins below what stands there: nothing that was printed is lost."""
        self.rows = [Line(self.writer, self.stream)]
        self.row = self.column = 0


_MOVES = "ABCDEFGHfdsu"


def taken(body: Mapping[str, Any]) -> tuple[str, str, int]:
    """A console record's (stream, text, bytes left out); bytes that are no UTF-8 are replaced."""
    stream = ERR if body.get("o") == ERR else OUT
    count = body.get("n")
    if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 1 << 62:
        return stream, "", count
    text = body.get("b")
    if isinstance(text, str):
        return stream, text, 0
    packed = body.get("x")
    if isinstance(packed, str):
        try:
            return stream, b64decode(packed, validate=True).decode("utf-8", "replace"), 0
        except ValueError:
            return stream, "", 0
    return stream, "", 0


class Console:
    """All screens of a run, whose lines are numbered as they begin."""

    def __init__(self, next_number: int = 0) -> None:
        self.next_number = next_number
        self.screens: dict[tuple[str, str], Screen] = {}
        self.changed: dict[int, Line] = {}
        self.moved: set[tuple[str, str]] = set()
        """Screens that gave up a line: their state changed, though none of their lines did."""

    def screen(self, writer: str, stream: str) -> Screen:
        """The screen of a writer's stream."""
        found = self.screens.get((writer, stream))
        if found is None:
            found = self.screens[writer, stream] = Screen(writer, stream, self.number)
        return found

    def number(self, line: Line) -> None:
        """Note a line that changed; a new one gets the next number."""
        if line.n < 0:
            own = self.screen(line.writer, line.stream)
            other = self.screens.get((line.writer, OUT if line.stream == ERR else ERR))
            given = other.give_up(own.last) if other is not None else None
            if other is not None and given is not None:
                self.moved.add((other.writer, other.stream))
                line.n = given
            else:
                line.n = self.next_number
                self.next_number += 1
            own.last = line.n
        self.changed[line.n] = line

    def take(self, writer: str, t: float, body: Mapping[str, Any]) -> None:
        """Take in a console record."""
        stream, text, left_out = taken(body)
        if left_out:
            self.screen(writer, stream).gap(t, left_out)
        elif text:
            self.screen(writer, stream).feed(t, text)
