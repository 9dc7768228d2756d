"""Creates, changes and deletes runs; each function is one job of the writer thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound, UsageError
from outrider_server.store.batches import UnknownRun
from outrider_server.store.files import contents_of
from outrider_server.store.records import Applying, begin_attempt, change_run, whole
from outrider_server.store.schema import RUN_TABLES
from outrider_server.store.track import write_document

if TYPE_CHECKING:
    from outrider_server.store.writing import Writing


@dataclass(frozen=True, slots=True)
class RunCreated:
    """What the store says of a run that was created, or was there already."""

    project: str
    id: str
    name: str | None
    created: bool
    attempt: int
    last_step: int | None
    state: str
    offsets: dict[str, dict[str, int]]


def create_run(to: Writing, meta: Mapping[str, Any]) -> RunCreated:
    """Create the run that ``meta`` (run.json) names, or begin a later attempt of it."""
    project, run_id = meta.get("project"), meta.get("id")
    if not isinstance(project, str) or not project or not isinstance(run_id, str) or not run_id:
        raise UsageError("a run needs a project and an id")
    created = False
    try:
        track = to.arriving(project, run_id)
    except UnknownRun:
        created = True
        _insert(to, project, run_id, meta)
        track = to.track(project, run_id)
    to.changed.add(track.run)
    attempt = whole(meta.get("attempt"), 1)
    writer = meta.get("writer")
    applying = Applying(to.db, to.names, track, str(writer))
    if not created and attempt > track.attempt:
        to.db.execute("UPDATE run SET host = ? WHERE run = ?", (_word(meta.get("host")), track.run))
        write_document(to.db, track.run, "meta", dict(meta))
    later = attempt > track.attempt or track.creator is None
    if later and isinstance(writer, str) and writer:
        begin_attempt(applying, attempt, writer)
    (name,) = to.db.execute("SELECT name FROM run WHERE run = ?", (track.run,)).fetchone()
    return RunCreated(
        project,
        run_id,
        name,
        created,
        track.attempt,
        track.last_step(),
        track.state,
        _offsets(track.offsets),
    )


def _insert(to: Writing, project: str, run_id: str, meta: Mapping[str, Any]) -> None:
    to.db.execute("INSERT INTO project (name) VALUES (?) ON CONFLICT DO NOTHING", (project,))
    (number,) = to.db.execute("SELECT project FROM project WHERE name = ?", (project,)).fetchone()
    created = meta.get("created")
    created = float(created) if isinstance(created, (int, float)) else time()
    made = to.db.execute(
        "INSERT INTO run (project, id, name, state, attempt, created, updated, group_name,"
        " job_type, notes, host, writer, gaps, counted, archived)"
        " VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
        (
            number,
            run_id,
            _word(meta.get("name")),
            whole(meta.get("attempt"), 1),
            created,
            created,
            _word(meta.get("group")),
            _word(meta.get("job_type")),
            _word(meta.get("notes")),
            _word(meta.get("host")),
            _word(meta.get("writer")),
        ),
    )
    assert made.lastrowid is not None
    to.listed.add(number)
    write_document(to.db, made.lastrowid, "meta", dict(meta))
    change_run(to.db, made.lastrowid, {"tags": meta.get("tags") or []})


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _offsets(flat: Mapping[tuple[str, int], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (writer, segment), offset in flat.items():
        found.setdefault(writer, {})[str(segment)] = offset
    return found


def read_offsets(to: Writing, project: str, run_id: str) -> dict[str, dict[str, int]]:
    """How far each segment of each writer is stored. Raises ``UnknownRun``."""
    return _offsets(to.arriving(project, run_id).offsets)


def update_run(to: Writing, project: str, run_id: str, changes: Mapping[str, Any]) -> None:
    """Set name, tags, notes or archived. Raises ``NotFound``, and ``UsageError`` for what cannot be."""
    unknown = set(changes) - {"name", "tags", "notes", "archived"}
    if unknown:
        raise UsageError(
            f"a run's {min(unknown)} cannot be changed", hint="name, tags, notes and archived can"
        )
    if not isinstance(changes.get("archived", False), bool):
        raise UsageError("archived must be true or false")
    for name in ("name", "notes"):
        if changes.get(name) is not None and not isinstance(changes[name], str):
            raise UsageError(f"{name} must be a text")
    tags = changes.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(text, str) for text in tags):
        raise UsageError("tags must be a list of texts")
    track = _known(to, project, run_id)
    to.changed.add(track.run)
    change_run(to.db, track.run, dict(changes))
    if "archived" in changes:
        _archive(to, track.run, changes["archived"])


def _archive(to: Writing, run: int, archived: bool) -> None:
    to.db.execute("UPDATE run SET archived = ? WHERE run = ?", (int(archived), run))


@dataclass(frozen=True, slots=True)
class ManyChanges:
    """What is done to many runs at once; ``archived`` None leaves that as it is."""

    archived: bool | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()


@dataclass(slots=True)
class ManyChanged:
    """Which runs were not there, and which were otherwise before: what a way back has to name."""

    missing: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    added: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)

    def add(self, more: ManyChanged) -> None:
        """Add what was done to further runs."""
        self.missing += more.missing
        self.archived += more.archived
        for mine, others in ((self.added, more.added), (self.removed, more.removed)):
            for tag, run_ids in others.items():
                mine.setdefault(tag, []).extend(run_ids)


def update_runs(
    to: Writing, project: str, run_ids: Sequence[str], changes: ManyChanges
) -> ManyChanged:
    """Change some runs together; returns what became of which."""
    done = ManyChanged()
    for run_id in run_ids:
        row = to.db.execute(
            "SELECT r.run, r.archived FROM run r JOIN project p ON p.project = r.project"
            " WHERE p.name = ? AND r.id = ?",
            (project, run_id),
        ).fetchone()
        if row is None:
            done.missing.append(run_id)
            continue
        run, was_archived = row
        to.changed.add(run)
        if changes.archived is not None and changes.archived != bool(was_archived):
            _archive(to, run, changes.archived)
            done.archived.append(run_id)
        for tag in changes.remove_tags:
            took = to.db.execute("DELETE FROM tag WHERE run = ? AND tag = ?", (run, tag))
            if took.rowcount:
                done.removed.setdefault(tag, []).append(run_id)
        for tag in changes.add_tags:
            put = to.db.execute(
                "INSERT INTO tag (run, tag) VALUES (?, ?) ON CONFLICT DO NOTHING", (run, tag)
            )
            if put.rowcount:
                done.added.setdefault(tag, []).append(run_id)
    return done


@dataclass(frozen=True, slots=True)
class RunDeleted:
    """What is left of a deleted run: its numbers, and the contents that it had."""

    run: int
    project: int
    contents: list[str]


def delete_run(to: Writing, project: str, run_id: str) -> RunDeleted | None:
    """Delete a run and all of its data, contents on the disk aside; None where there is none."""
    try:
        track = to.track(project, run_id)
    except UnknownRun:
        return None
    number = track.run
    deleted = RunDeleted(number, track.project, contents_of(to.db, number))
    for table in RUN_TABLES:
        to.db.execute(f"DELETE FROM {table.name} WHERE run = ?", (number,))  # noqa: S608 - the names are ours
    to.db.execute("DELETE FROM run WHERE run = ?", (number,))
    to.listed.add(track.project)
    to.drop(project, run_id)
    return deleted


def _known(to: Writing, project: str, run_id: str) -> Any:
    try:
        return to.track(project, run_id)
    except UnknownRun:
        raise NotFound(f"no run {run_id!r} in project {project!r}") from None
