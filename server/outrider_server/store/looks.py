"""Looks at several metrics over one frame: at stored buckets and, where those are too wide, at values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider_server import buckets
from outrider_server.pixels import NOTHING, Seen, as_seen, bucket_lines, together

if TYPE_CHECKING:
    from outrider_server.buckets import Floats
    from outrider_server.query import Frame, Points
    from outrider_server.store.lines import Metric, Stretch

_AT_ONCE = 16
"""So many lines are laid out in one go, which bounds what is unpacked at a time."""


@dataclass(slots=True)
class _Stored:
    """Stretches of stored buckets, side by side."""

    x: list[Floats] = field(default_factory=list)
    steps: list[Floats] = field(default_factory=list)
    times: list[Floats] = field(default_factory=list)
    drawn: list[Floats] = field(default_factory=list)
    odd: dict[int, Floats] = field(default_factory=dict)

    def add(self, metric: Metric, stretch: Stretch) -> None:
        """Read the buckets of a stretch."""
        places = metric.places(stretch)
        self.x.append(metric.x_of(places))
        self.steps.append(places[buckets.STEP_TO])
        self.times.append(places[buckets.TIME_TO])
        drawn, odd = metric.stored(stretch)
        if odd is not None:
            self.odd[len(self.drawn)] = odd
        self.drawn.append(drawn)

    def seen(self) -> Seen:
        """All of them."""
        if not self.x:
            return NOTHING
        bounds = np.cumsum([0, *map(len, self.x)])
        odd = None
        if self.odd:
            odd = np.zeros((3, bounds[-1]))
            for nth, some in self.odd.items():
                odd[:, bounds[nth] : bounds[nth + 1]] = some
        return Seen(
            np.concatenate(self.x),
            np.concatenate(self.steps),
            np.concatenate(self.times),
            np.concatenate(self.drawn, axis=1),
            odd,
            bounds,
        )


def lay_out(metrics: Sequence[Metric], frame: Frame) -> list[dict[str, Any]]:
    """The lines of metrics that have more points in the frame than it has pixels.

    All of them are regular, or their points are shaped.
    """
    lines = []
    for at in range(0, len(metrics), _AT_ONCE):
        some = metrics[at : at + _AT_ONCE]
        shaped = [metric.shaped for metric in some]
        smooth = [
            None
            if points is None or points.smooth is None
            else points.within(frame.low, frame.high)
            for points in shaped
        ]
        lines += bucket_lines(_look(some, frame), frame, smooth)
    return lines


def _look(metrics: Sequence[Metric], frame: Frame) -> Seen:
    """What a frame shows of metrics, one after the other."""
    stored = _Stored()
    values: list[Points] = []
    order: list[list[tuple[int, int]]] = []
    for metric in metrics:
        own: list[tuple[int, int]] = []
        order.append(own)
        if metric.shaped is not None:
            own.append((1, len(values)))
            values.append(metric.shaped.within(frame.low, frame.high))
            continue
        for stretch in metric.stretches(frame):
            if stretch.level is None:
                own.append((1, len(values)))
                values.append(metric.points(stretch.parts).within(frame.low, frame.high))
            else:
                own.append((0, len(stored.x)))
                stored.add(metric, stretch)
    return together([stored.seen(), as_seen(values, frame)], order)
