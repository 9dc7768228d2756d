"""One line of a console: its text, its colours, and what is written over it."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_STYLES = 256
"""A line changes its colours so often at most; what follows keeps the last one."""


@dataclass(slots=True)
class Line:
    """One line; ``styles`` are (from which character on, which SGR codes), ``gap`` bytes left out.

    ``n`` is -1 until something stands in it.
    """

    writer: str
    stream: str
    n: int = -1
    t: float = 0.0
    text: str = ""
    styles: list[tuple[int, str]] = field(default_factory=list)
    gap: int = 0

    def shown(self) -> str:
        """The text with its colours as ANSI sequences, every line complete in itself."""
        if not self.styles:
            return self.text
        parts = [self.text[: self.styles[0][0]]]
        ends = [start for start, _ in self.styles[1:]] + [len(self.text)]
        for (start, code), end in zip(self.styles, ends):  # noqa: B905 - made alike
            part = self.text[start:end]
            if part:
                parts.append(f"\x1b[{code}m{part}\x1b[0m" if code else part)
        return "".join(parts)

    def put(self, at: int, text: str, style: str) -> None:
        """Write over what stands from a column on."""
        size = len(self.text)
        if at > size:
            text, at = " " * (at - size) + text, size
        if at == size:
            if style != (self.styles[-1][1] if self.styles else "") and self._has_room():
                self.styles.append((size, style))
            self.text += text
            return
        end = at + len(text)
        if self.styles or style:
            self._restyle(at, end, style, size)
        self.text = self.text[:at] + text + self.text[end:]

    def _has_room(self) -> bool:
        return len(self.styles) < MOST_STYLES

    def _restyle(self, start: int, end: int, style: str, size: int) -> None:
        before = [item for item in self.styles if item[0] < start]
        behind = [item for item in self.styles if item[0] > end]
        if end < size:
            at_end = [code for first, code in self.styles if first <= end]
            behind.insert(0, (end, at_end[-1] if at_end else ""))
        made: list[tuple[int, str]] = []
        for first, code in [*before, (start, style), *behind]:
            if code != (made[-1][1] if made else ""):
                made.append((first, code))
        self.styles = made[:MOST_STYLES]

    def cut(self, start: int, end: int | None = None) -> None:
        """Take away what stands from a column on, or blank it as far as another."""
        if end is not None and end < len(self.text):
            if start < end:
                self.put(start, " " * (end - start), "")
            return
        self.text = self.text[:start]
        self.styles = [item for item in self.styles if item[0] < start]
