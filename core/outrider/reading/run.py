"""A run as a reader sees it, the same whether a folder or a server tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from outrider.errors import NotFound
from outrider.reading.code import CODE, ENVIRONMENT, chosen
from outrider.reading.history import History
from outrider.reading.series import Attempt, Series, limits, logged, merged, window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outrider.reading.alerts import Alert
    from outrider.reading.console import Output
    from outrider.reading.files import File
    from outrider.reading.medium import LocalMedia, Medium, ServerMedia, Table


@dataclass(frozen=True, slots=True)
class Overview:
    """What a run says of itself at one moment. Times are unix seconds, ``ended`` is None while it
    runs, ``end`` is the record that ended it."""

    id: str
    project: str
    name: str
    state: str
    config: dict[str, Any]
    summary: dict[str, Any]
    tags: list[str]
    notes: str | None
    created: float
    ended: float | None
    updated: float | None
    attempts: list[Attempt]
    gaps: int
    group: str | None = None
    job_type: str | None = None
    host: str | None = None
    url: str | None = None
    end: dict[str, Any] | None = None
    origin: str = field(default="", compare=False)


class Point(NamedTuple):
    """One value of a metric as it was logged, at a step and a time (unix seconds)."""

    step: int
    time: float
    value: float


@dataclass(frozen=True, slots=True)
class Points:
    """All points of one metric exactly as logged, by (attempt, time): several may share a step."""

    key: str
    steps: list[int]
    times: list[float]
    values: list[float]
    attempts: list[int]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Point]:
        return map(Point, self.steps, self.times, self.values)


class Source(Protocol):
    """Where a run is read from. Every call looks at what is there now."""

    def overview(self) -> Overview:
        """What the run says of itself."""
        ...

    def attempts(self) -> list[Attempt]:
        """Every attempt, in order."""
        ...

    def keys(self) -> list[str]:
        """The names of all metrics."""
        ...

    def points(self, key: str) -> Series:
        """All points of a metric, those that were rewound included."""
        ...

    def system_keys(self) -> list[str]:
        """The names of all system metrics."""
        ...

    def system_points(self, key: str) -> Series:
        """All points of a system metric; their steps mean nothing."""
        ...

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, in order, as they were written."""
        ...

    def alerts(self) -> list[Alert]:
        """All alerts by time."""
        ...

    def console(self, last: int | None) -> list[Output]:
        """Every line that was printed, or the last so many."""
        ...

    def files(self, role: str | None, prefix: str, *, versions: bool) -> list[File]:
        """The files, by path."""
        ...

    def media(self) -> LocalMedia | ServerMedia:
        """Its images, sounds, texts, tables and so on."""
        ...


class Run:
    """One run, to be read.

    Attributes (``id``, ``name``, ``state``, ``config``, ``summary``, …) say what was there when the
    run was opened; ``refresh()`` looks again. ``history()``, ``points()``, ``system()``,
    ``console()`` and ``files()`` always read what is there now.
    """

    def __init__(self, source: Source, *, brief: Overview | None = None) -> None:
        """``brief`` is an overview whose config, summary and attempts are not filled in."""
        self._source = source
        self._brief = brief
        self._overview: Overview | None = None

    def __repr__(self) -> str:
        seen = self._known
        return f"<Run {seen.project}/{seen.id} {seen.name!r} {seen.state}>"

    @property
    def overview(self) -> Overview:
        """Everything that the run says of itself, as one value."""
        if self._overview is None:
            self._overview = self._source.overview()
        return self._overview

    def refresh(self) -> Run:
        """Look again; returns the run itself."""
        self._overview = self._source.overview()
        return self

    @property
    def _known(self) -> Overview:
        return self._overview or self._brief or self.overview

    @property
    def id(self) -> str:
        """The run's id."""
        return self._known.id

    @property
    def name(self) -> str:
        """The run's name."""
        return self._known.name

    @property
    def project(self) -> str:
        """The project that the run belongs to."""
        return self._known.project

    @property
    def path(self) -> str:
        """``project/id``, which names the run on its server."""
        return f"{self.project}/{self.id}"

    @property
    def state(self) -> str:
        """running, finished, failed, killed, preempted, oom, lost or crashed."""
        return self._known.state

    @property
    def config(self) -> dict[str, Any]:
        """The config, nested as it was given."""
        return self.overview.config

    @property
    def summary(self) -> dict[str, Any]:
        """A value for each metric (its last, unless ``define_metric`` said otherwise), and what the
        script put there."""
        return self.overview.summary

    @property
    def tags(self) -> list[str]:
        """The run's tags."""
        return self._known.tags

    @property
    def notes(self) -> str | None:
        """What somebody wrote about the run."""
        return self._known.notes

    @property
    def group(self) -> str | None:
        """The group that the run belongs to."""
        return self._known.group

    @property
    def created(self) -> datetime:
        """When the run was created, in UTC."""
        return datetime.fromtimestamp(self._known.created, timezone.utc)

    @property
    def ended(self) -> datetime | None:
        """When its latest attempt ended, in UTC; None while it runs."""
        ended = self._known.ended
        return None if ended is None else datetime.fromtimestamp(ended, timezone.utc)

    @property
    def attempts(self) -> list[Attempt]:
        """Every attempt: its number, when it began, and the step it went back to, if it did."""
        return self.overview.attempts

    @property
    def gaps(self) -> int:
        """How many records are known to be lost; 0 is the rule."""
        return self._known.gaps

    def keys(self) -> list[str]:
        """The names of all metrics that were logged, sorted."""
        return sorted(self._source.keys())

    def history(
        self,
        keys: Sequence[str] | str | None = None,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """The exact history: one row per step, never sampled. See ``History``.

        ``keys`` are the metrics wanted (None: all, sorted); ``min_step`` and ``max_step`` are
        included. For one step of one metric the latest value stands. Raises ``NotFound`` for a
        metric that the run does not have.
        """
        known = self.keys()
        wanted = known if keys is None else [keys] if isinstance(keys, str) else list(keys)
        self._check(wanted, known)
        limit = limits(self._source.attempts())
        found = {}
        for key in wanted:
            series = window(logged(self._source.points(key), limit), min_step, max_step)
            if len(series) or keys is not None:
                found[key] = merged(series)
        return History(found)

    def points(self, key: str, *, rewound: bool = False) -> Points:
        """All points of one metric exactly as logged, several of one step included.

        ``rewound=True`` adds those that a later attempt superseded. Raises ``NotFound``.
        """
        self._check([key], self._source.keys())
        limit = {} if rewound else limits(self._source.attempts())
        series = logged(self._source.points(key), limit)
        return Points(
            key,
            list(series.steps),
            list(series.times),
            list(series.values),
            list(series.attempts),
        )

    def system(self, keys: Sequence[str] | None = None) -> History:
        """The machine's metrics: one row per sample, ``_time`` and the values; no ``_step``."""
        known = sorted(self._source.system_keys())
        wanted = known if keys is None else list(keys)
        self._check(wanted, known)
        return History(
            {key: logged(self._source.system_points(key), {}) for key in wanted}, by_time=True
        )

    def console(self, last: int | None = None) -> list[Output]:
        """What was printed, line by line and by time, as a terminal shows it; colours are kept.

        ``last`` asks for the newest lines only (a server's newest may come a little out of order
        where several processes print).
        """
        return self._source.console(last)

    def files(
        self, role: str | None = None, prefix: str = "", *, versions: bool = False
    ) -> list[File]:
        """The run's files by path: the latest of each, or all ``versions``.

        ``role`` is save (what the script saved), media or code; ``prefix`` is what the path begins
        with. ``File.read()`` and ``File.download(to)`` give the content.
        """
        return self._source.files(role, prefix, versions=versions)

    def alerts(self) -> list[Alert]:
        """The run's alerts by time: its script's, and from a server also those that rules raised."""
        return self._source.alerts()

    def media(self, key: str | None = None) -> list[Medium]:
        """Images, sounds, videos, pages, texts, histograms, tables and figures, by step.

        Those of one key, or all; what a later attempt went back behind is left out.
        """
        from outrider.reading.medium import in_order

        return in_order(self._source.media().items(key))

    def table(self, key: str, step: int | None = None) -> Table:
        """The rows of the table that was logged under a key, the latest or the one of a step.

        Raises ``NotFound``.
        """
        from outrider.reading.medium import in_order

        source = self._source.media()
        found = [one for one in in_order(source.items(key)) if one.type == "table"]
        wanted = [one for one in found if step is None or one.step == step]
        if not wanted:
            steps = ", ".join(str(one.step) for one in found[:10])
            hint = f"it has one at step {steps}" if found else "run.media() lists what there is"
            raise NotFound(f"the run has no table {key!r} of that step", hint=hint)
        return source.table(wanted[-1])

    @property
    def code(self) -> dict[str, Any] | None:
        """The code that the run was started from: ``commit``, ``branch``, ``remote``, ``dirty``,
        ``patch`` …; None where none was captured."""
        return chosen(self._source.records(CODE))

    @property
    def environment(self) -> dict[str, Any] | None:
        """What the run ran in: ``command``, ``python``, ``packages``, ``container``, ``job`` …; None
        where it was not captured."""
        return chosen(self._source.records(ENVIRONMENT))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All other records of a kind (``alert``, ``media``, ``gap`` …), as they were written.

        A server adds to the ``gap`` records one for the lines of a batch that it could not read;
        ``gaps`` counts these lines from a folder, too.
        """
        return self._source.records(kind)

    def _check(self, wanted: Sequence[str], known: Sequence[str]) -> None:
        for key in wanted:
            if key not in known:
                near = get_close_matches(key, known, 3)
                hint = (
                    f"did you mean {' or '.join(near)}?"
                    if near
                    else "`outrider show` and run.keys() list them"
                )
                raise NotFound(f"the run has no metric {key!r}", hint=hint)
