"""Goes on with a run that is there already: joins its writers, or begins its next attempt.

The part of a start that a new run does not need, and does not load: ``start`` makes the folder, the
journal and the run, this says which.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from outrider.attempts import (
    await_attempt,
    await_word,
    await_writer,
    claim,
    described,
    is_being_written,
    last_of,
    next_step,
)
from outrider.errors import JournalError, UsageError
from outrider.folder import claim_meta, remove_run_folder, write_meta
from outrider.ids import DEFAULT_PROJECT, new_writer_id
from outrider.journal.reader import RunFolder, find_folders
from outrider.notice import say
from outrider.training import Run, start_streamer
from outrider.values import plain

if TYPE_CHECKING:
    from outrider.settings import Settings
    from outrider.start import Start

RESUME_SECONDS = 3.0
"""How long ``init()`` waits for the server's word on a run that has no folder here."""


def unfinished(settings: Settings) -> str | None:
    """With resume="auto": the newest run of this folder and project, if it did not finish."""
    if settings.dir is None:
        return None
    project = settings.project or DEFAULT_PROJECT
    for folder in reversed(find_folders(settings.dir)):
        try:
            meta = folder.meta()
        except JournalError:
            continue
        if meta.get("project") == project:
            last = last_of(folder, str(meta.get("writer")), "end")
            is_over = last is not None and last.get("state") == "finished"
            return None if is_over else str(meta["id"])
    return None


def go_on(start: Start, folder: str, run_id: str) -> Run:
    """Join or resume the run of a folder that was there before this start."""
    known = described(RunFolder(folder))
    if start.settings.resume == "never":
        _refuse_never(run_id)
    return join_or_resume(start, folder, start.meta(run_id, known), known)


def ask_server(start: Start, folder: str, meta: dict[str, Any]) -> Run:
    """Go on with a run that has no folder here, where the server knows it; else begin it."""
    if claim_meta(folder, meta):
        return _resume_from_server(start, folder, meta)
    return join(start, folder, meta)


def join(start: Start, folder: str, meta: dict[str, Any]) -> Run:
    """Join the run whose run.json another process wrote a moment ago, or its next attempt."""
    return join_or_resume(start, folder, meta, described(RunFolder(folder)))


def _resume_from_server(start: Start, folder: str, meta: dict[str, Any]) -> Run:
    """A run that only the server may know: ask through the streamer, wait a little, go on."""
    start_streamer(folder, start.settings)
    word = await_word(os.path.join(folder, "resume.json"), RESUME_SECONDS)
    if word is None:
        say(
            f"the server did not say within {RESUME_SECONDS:g} s where run {meta['id']} stands; "
            "going on as its newest attempt, with steps from 0"
        )
        # Behind every attempt that the server can know of: these are small numbers.
        return _new_attempt(start, folder, meta, int(start.clock.now()), 0)
    exists = bool(word.get("exists"))
    if not exists and start.settings.resume == "must":
        remove_run_folder(folder, meta["id"], meta["project"])
        raise UsageError(
            f"there is no run {meta['project']}/{meta['id']} to resume at {meta['server']}",
            hint="outrider runs lists what is there; resume='allow' starts it anew",
        )
    if exists and start.settings.resume == "never":
        remove_run_folder(folder, meta["id"], meta["project"])
        _refuse_never(meta["id"])
    if not exists:
        return _new_attempt(start, folder, meta, 1, 0)
    last = word.get("last_step")
    meta["name"] = start.settings.name or word.get("name") or meta["name"]
    attempt = int(word.get("attempt") or 0) + 1
    return _new_attempt(start, folder, meta, attempt, 0 if last is None else int(last) + 1)


def join_or_resume(start: Start, folder: str, meta: dict[str, Any], known: dict[str, Any]) -> Run:
    """Write beside the run's living writers; where there are none, begin its next attempt."""
    reader = RunFolder(folder)
    if known.get("writer") is None:  # another rank asks the server at this moment
        known = await_writer(reader, RESUME_SECONDS + 2.0)
        if known.get("writer") is None:
            write_meta(folder, meta)
            return _resume_from_server(start, folder, meta)
    is_same = start.rewind_to is None or start.rewind_to == known.get("rewind_to")
    if is_same and is_being_written(reader, known):
        return _join(start, folder, {**meta, **known})
    attempt = int(known.get("attempt", 1)) + 1
    step = next_step(reader)
    while not claim(folder, attempt):  # another rank resumes it at this moment: join that
        begun = await_attempt(reader, attempt, 1.0)
        if begun is not None:
            return _join(start, folder, begun)
        attempt += 1
    return _new_attempt(start, folder, meta, attempt, step)


def _join(start: Start, folder: str, known: dict[str, Any]) -> Run:
    attempt = int(known.get("attempt", 1))
    writer = start.journal(folder, known["id"], attempt=attempt, name=None)
    return start.open(folder, known, writer, attempt=attempt, is_new=False)


def join_given(start: Start, folder: RunFolder) -> Run:
    """Write to the run of the ``outrider run`` that started this process: it records what is
    printed, waits for the delivery and writes the run's end."""
    known = folder.meta()
    wanted = start.settings.project
    if wanted is not None and wanted != known["project"]:
        say(
            f"this process belongs to the run {known['project']}/{known['id']}; project="
            f"{wanted!r} is left out\n  hint: outrider run --project {wanted} -- …"
        )
    said = {name: getattr(start.settings, name) for name in ("name", "notes", "tags")}
    start.settings = start.settings.but(
        mode=known.get("mode", start.settings.mode),
        url=known.get("server", start.settings.url),
        console=False,
        finish_seconds=0.0,
        quiet=True,
    )
    run = _join(start, folder.path, known)
    told = {name: plain(value) for name, value in said.items() if value}
    if told:
        run._append({"k": "run", **told})
    return run


def _new_attempt(
    start: Start, folder: str, meta: dict[str, Any], attempt: int, first_step: int
) -> Run:
    writer = start.journal(folder, meta["id"], attempt=attempt, name=new_writer_id())
    meta.update(attempt=attempt, writer=writer.writer)
    if attempt > 1:
        writer.append({"k": "attempt", "a": attempt, "rewind": start.rewind_to})
        if start.rewind_to is not None:
            first_step = start.rewind_to + 1
    write_meta(folder, meta)
    return start.open(folder, meta, writer, attempt=attempt, first_step=first_step)


def _refuse_never(run_id: str) -> NoReturn:
    raise UsageError(
        f"the run {run_id!r} is there already, and resume='never' was asked for",
        hint="leave the id out for a new run",
    )
