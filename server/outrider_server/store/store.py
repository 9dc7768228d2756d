"""The store: runs, their series and records, in one SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound
from outrider_server.blobs import Blobs
from outrider_server.expressions import parse as parse_expression
from outrider_server.query import RunQuery, SeriesQuery
from outrider_server.smoothing import smoothing
from outrider_server.store import detail, grouped, runs, series, tokens, views
from outrider_server.store import files as kept_files
from outrider_server.store import media as kept_media
from outrider_server.store.alerting import Alerts
from outrider_server.store.asking import Asking
from outrider_server.store.batches import Ack, Batch
from outrider_server.store.cache import Cache, Lasting
from outrider_server.store.console_reading import read_console, search_console
from outrider_server.store.database import are_free, place, prepare, readers
from outrider_server.store.listing import list_runs, read_rows
from outrider_server.store.moving import Moves, find_home
from outrider_server.store.together import Together
from outrider_server.store.writer import Writer

if TYPE_CHECKING:
    from typing_extensions import Self

    from outrider_server.groups import GroupQuery
    from outrider_server.store.runs import RunCreated
    from outrider_server.store.series import Run


_SLICE = 500
"""How many runs are changed in one turn of the writer."""


class Store:
    """All that the server knows. One store may be open once; its methods may be called from any
    thread, and what they return is what the HTTP API answers (numpy arrays where arrays are).

    ``ingest`` is awaited, everything else returns when it is done. Questions raise ``NotFound``
    for a run that is not there and ``UsageError`` for what cannot be asked.
    """

    def __init__(self, path: Path, blobs: Blobs) -> None:
        self.path = path
        self.blobs = blobs
        self._cache = Cache()
        self._columns = Lasting()
        self._is_closed = False
        self._readers = readers(path)
        self._writer = Writer(path, self._cache)
        self._writer.start()
        self.batches = Together(self._writer)
        self.alerts = Alerts(self._writer, self._snapshot, self._find)
        self.moves = Moves(self._writer, self._snapshot, blobs)

    @classmethod
    def open(cls, url_or_path: str | Path, contents: str | Path | None = None) -> Store:
        """Open a store, made or upgraded as needed; a folder means ``outrider.db`` within it.
        The contents of files lie in the folder ``contents``, by default ``files`` beside it.

        Raises ``ForeignData``, ``StoreTooNew`` or ``StoreError``.
        """
        path = place(url_or_path)
        prepare(path)
        return cls(path, Blobs(contents or path.with_name("files")))

    def close(self) -> None:
        """Commit what was handed in, and close."""
        self._is_closed = True
        self.blobs.close()
        self._writer.close()
        nobody_reads = are_free(self._readers)
        self._readers.dispose()
        if nobody_reads:
            self._writer.checkpoints.let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing

    def create_run(self, meta: Mapping[str, Any]) -> RunCreated:
        """Create the run that run.json describes; the same again changes nothing."""
        return self._writer.call(lambda to: runs.create_run(to, meta))

    def offsets(self, project: str, run: str) -> dict[str, dict[str, int]]:
        """What is stored of each writer's segments. Raises ``UnknownRun``."""
        return self._writer.call(lambda to: runs.read_offsets(to, project, run))

    async def ingest(
        self, project: str, run: str, writer: str, segment: int, offset: int, raw: bytes
    ) -> Ack:
        """Store whole journal lines; returns once they and their offset are on disk, together.

        Raises ``OffsetAhead`` or ``UnknownRun``. Who has no task to wait in uses ``batches.hand_in``.
        """
        return await self.batches.store(Batch(project, run, writer, segment, offset, raw))

    def update_run(self, project: str, run: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Set name, tags, notes or archived, and return the run."""
        self._writer.call(lambda to: runs.update_run(to, project, run, changes))
        return self.run(project, run)

    def update_runs(
        self, project: str, run_ids: Sequence[str], changes: runs.ManyChanges
    ) -> runs.ManyChanged:
        """Tag or archive many runs."""
        done = runs.ManyChanged()
        for at in range(0, len(run_ids), _SLICE):
            some = run_ids[at : at + _SLICE]
            call = partial(runs.update_runs, project=project, run_ids=some, changes=changes)
            done.add(self._writer.call(call))
        return done

    def delete_run(self, project: str, run: str) -> bool:
        """Delete a run and all of its data; False where there was none.

        Contents that no other run of the project has go from the disk.
        """
        gone = self._writer.call(lambda to: runs.delete_run(to, project, run))
        if gone is None:
            return False
        self.blobs.drop_run(gone.run)
        for at in range(0, len(gone.contents), kept_files.SLICE):
            self._release(gone.project, gone.contents[at : at + kept_files.SLICE])
        return True

    def _release(self, project: int, contents: Sequence[str]) -> None:
        self._writer.call(lambda to: kept_files.release(to, self.blobs, project, contents))

    def claim(self, project: str, run: str, contents: Sequence[str]) -> list[str]:
        """Note that a run has these contents; returns those that are not there.

        Raises ``UnknownRun``.
        """
        return self._writer.call(
            lambda to: kept_files.claim(to, self.blobs, project, run, contents)
        )

    def sweep_contents(self, before: float) -> int:
        """Remove contents from before a moment that belong to no run: what a server that was
        killed while it deleted left behind. How many."""
        count = self.blobs.drop_stale(before)
        for number, sha256 in self.blobs.before(before):
            with self._snapshot() as db:
                if kept_files.is_claimed(db, number, sha256):
                    continue
            self._release(number, [sha256])
            count += 1
        return count

    # -- reading

    def projects(self) -> dict[str, Any]:
        """Every project with runs."""
        self._writer.settle()
        with self._snapshot() as db:
            return detail.read_projects(db)

    def columns(self, project: str) -> dict[str, Any]:
        """What the project's runs can be asked for: config, summary, metrics, system."""
        self._writer.settle()
        with self._snapshot() as db:
            number = detail.must_find(detail.project_number(db, project), f"project {project!r}")
            return self._columns.read(project, lambda: detail.read_columns(db, number))

    def runs(self, project: str, query: RunQuery | None = None) -> dict[str, Any]:
        """A page of the project's runs. Raises ``FilterError``."""
        self._writer.settle()
        with self._asking(project) as asking:
            return list_runs(asking, project, query or RunQuery())

    def run(self, project: str, run: str) -> dict[str, Any]:
        """Everything about one run."""
        self._writer.settle()
        with self._snapshot() as db:
            found = self._find(db, project, run)
            (row,) = read_rows(db, project, [found.run])
            return detail.read_detail(db, row, found.run)

    def series(
        self,
        project: str,
        key: str,
        run_ids: Sequence[str],
        *,
        smooth: str | None = None,
        expression: str | None = None,
        **window: Any,
    ) -> dict[str, Any]:
        """One metric (or an expression) of several runs; the window is x, low, high and width."""
        formula = None if expression is None else parse_expression(expression)
        query = SeriesQuery(key, run_ids, smooth=smoothing(smooth), expression=formula, **window)
        found: dict[str, Any] = self.many_series(project, (key,), query)[0]
        return found

    def many_series(self, project: str, keys: Sequence[str], query: SeriesQuery) -> list[Any]:
        """The same question for several metrics, all as they are at one moment."""
        with self._snapshot() as db:
            return series.read_many(db, self._cache, project, keys, query)

    def groups(self, project: str, query: GroupQuery) -> dict[str, Any]:
        """One metric of all runs that a filter lets through, a line and a band a group."""
        with self._asking(project) as asking:
            return grouped.read_groups(asking, self._cache, query)

    def system(
        self,
        project: str,
        run: str,
        *,
        key: str = "",
        **window: Any,
    ) -> dict[str, Any]:
        """The system series of a run by wall time; the window is low, high and width."""
        query = SeriesQuery(key, (run,), "wall", **window)
        with self._snapshot() as db:
            return series.read_system(db, self._cache, self._find(db, project, run), query)

    def points(
        self,
        project: str,
        run: str,
        key: str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
        cursor: str | None = None,
        system: bool = False,
    ) -> dict[str, Any]:
        """Points exactly as they were logged, in pages."""
        with self._snapshot() as db:
            return series.read_points(
                db,
                self._cache,
                self._find(db, project, run),
                key,
                window=(min_step, max_step),
                cursor=cursor,
                system=system,
            )

    def records(
        self,
        project: str,
        run: str,
        *,
        kind: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> dict[str, Any]:
        """Other records as they came: console, alert, file, media, gap, and kinds unknown here."""
        with self._snapshot() as db:
            found = self._find(db, project, run)
            return detail.read_records(db, found.run, kind, detail.cursor(after), limit)

    # -- files

    def files(self, project: str, run: str, query: kept_files.FilesQuery) -> dict[str, Any]:
        """A page of a run's files."""
        with self._snapshot() as db:
            found = self._find(db, project, run)
            return kept_files.read_files(
                db, self.blobs, found.run, self._number(db, project), query
            )

    def content(self, project: str, run: str, sha256: str) -> kept_files.Content | None:
        """One content of a run; None where the run neither has it nor tells of it."""
        with self._snapshot() as db:
            found = self._find(db, project, run)
            is_known, kind = kept_files.type_of(db, found.run, sha256)
            number = self._number(db, project)
        place = self.blobs.place(number, sha256)
        return kept_files.Content(number, found.run, kind, place) if is_known else None

    def place_to_receive(self, project: str, run: str) -> tuple[int, int]:
        """The numbers of a project and of a run whose content arrives, wherever it was moved."""
        with self._snapshot() as db:
            if series.find_run(db, project, run) is None:
                project = find_home(db, project, run) or project
            return self._number(db, project), self._find(db, project, run).run

    def _number(self, db: sqlite3.Connection, project: str) -> int:
        return int(detail.must_find(detail.project_number(db, project), f"project {project!r}"))

    # -- media

    def media_keys(self, project: str, run: str) -> dict[str, Any]:
        """The keys of a run's media, with their steps."""
        with self._snapshot() as db:
            return kept_media.read_keys(self._media_of(db, project, run))

    def media(self, project: str, run: str, query: kept_media.MediaQuery) -> dict[str, Any]:
        """A page of a run's media."""
        with self._snapshot() as db:
            return kept_media.read_media(self._media_of(db, project, run), query)

    def table(
        self, project: str, run: str, seq: int, query: kept_media.TableQuery
    ) -> dict[str, Any]:
        """Some rows of a table that was logged."""
        with self._snapshot() as db:
            return kept_media.read_table(self._media_of(db, project, run), seq, query)

    def _media_of(self, db: sqlite3.Connection, project: str, run: str) -> kept_media.Where:
        number, found = self._number(db, project), self._find(db, project, run).run
        limits = series.read_limits(db, found)
        return kept_media.Where(db, self.blobs, found, number, limits)

    # -- named views of a project

    def views(self, project: str) -> dict[str, Any]:
        """The project's views by name, without what is in them."""
        with self._snapshot() as db:
            return views.read_all(db, project)

    def view(self, project: str, name: str) -> dict[str, Any]:
        """One view. Raises ``NotFound``."""
        with self._snapshot() as db:
            return views.read_one(db, project, name)

    def keep_view(self, project: str, name: str, state: str, by: str) -> dict[str, Any]:
        """Keep a view under a name, or replace the one that has it. Raises ``UsageError``."""
        self._writer.call(lambda to: views.keep(to, project, name, state, by))
        return self.view(project, name)

    def delete_view(self, project: str, name: str) -> bool:
        """Delete a view; False where there was none."""
        return self._writer.call(lambda to: views.delete(to, project, name))

    def console(self, project: str, run: str, **how: Any) -> dict[str, Any]:
        """Folded lines of what the run printed; see ``read_console``."""
        with self._snapshot() as db:
            return read_console(db, self._find(db, project, run).run, **how)

    def search_console(self, project: str, run: str, **how: Any) -> dict[str, Any]:
        """Lines that match, as far as a second gets; see ``search_console``."""
        with self._snapshot() as db:
            return search_console(db, self._find(db, project, run).run, **how)

    # -- tokens

    def tokens_add(self, row: Mapping[str, Any]) -> None:
        """Keep a token's row (``id`` and ``sha256`` are needed), or replace it."""
        self._writer.call(lambda to: tokens.add(to, row))

    def tokens_revoke(self, token_id: str) -> bool:
        """Remove a token; False where there was none."""
        return self._writer.call(lambda to: tokens.revoke(to, token_id))

    def tokens_all(self) -> list[dict[str, Any]]:
        """Every token's row as it was added, hashes included."""
        with self._snapshot() as db:
            return tokens.read_all(db)

    def tokens_list(self) -> list[dict[str, Any]]:
        """Every token's row without its hash, to be shown."""
        return [
            {name: value for name, value in row.items() if name != "sha256"}
            for row in self.tokens_all()
        ]

    def _find(self, db: sqlite3.Connection, project: str, run: str) -> Run:
        found = series.find_run(db, project, run)
        if found is None:
            raise NotFound(f"no run {run!r} in project {project!r}")
        return found

    @contextmanager
    def _asking(self, project: str) -> Iterator[Asking]:
        """The runs of a project in one view of the store. Raises ``NotFound``."""
        moment = self._cache.changes.moment()  # before the snapshot: see ``per_run``
        with self._snapshot() as db:
            yield Asking(db, self._number(db, project), self._cache.per_run, moment)

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the store, however many questions it takes."""
        with self._readers.connect() as connection:
            db = connection.connection.driver_connection
            assert isinstance(db, sqlite3.Connection)
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if self._is_closed:  # the pool that it came from closes nothing any more
                    connection.invalidate()
