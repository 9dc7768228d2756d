"""``outrider run -- COMMAND``: any program as a run, with its console."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from outrider.cli.options import RUNS, command

if TYPE_CHECKING:
    from outrider.training import Run

app = command(RUNS)

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What a shell says of a command that is not there, or cannot be started."""

ADAPTER = {"framework": "command", "version": None, "step": "the program's own"}

Text = Optional[str]  # noqa: UP045 - read at run time


@app.command(context_settings={"allow_interspersed_args": False})
def run(
    program: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")
    ],
    project: Annotated[Text, typer.Option("--project", "-p", help="The run's project.")] = None,
    name: Annotated[Text, typer.Option("--name", help="The run's name.")] = None,
    run_id: Annotated[Text, typer.Option("--id", help="The run's id.")] = None,
    group: Annotated[Text, typer.Option("--group", help="The group that it belongs to.")] = None,
    tags: Annotated[Text, typer.Option("--tags", help="Tags, with commas.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Send nothing now.")] = False,
) -> None:
    """Run a program as a run: its console, its end and exit code, and what it logs itself.

    The exit code is the program's own (128 and the signal's number where a signal ended it).
    """
    path = shutil.which(program[0])
    if path is None:
        sys.stderr.write(f"outrider run: {program[0]}: command not found\n")
        raise typer.Exit(NOT_FOUND)
    from outrider.start import start_run

    given = {
        "project": project,
        "name": name,
        "id": run_id,
        "group": group,
        "tags": tags,
        "mode": "offline" if offline else None,
    }
    arguments = {key: value for key, value in given.items() if value is not None}
    started = start_run(arguments, adapter=ADAPTER, argv=[path, *program[1:]])
    if started.folder is None:  # recording is off: as if we were not here
        os.execvp(program[0], program)  # noqa: S606 - what was asked for
    raise typer.Exit(_relay(started, program))


def _relay(started: Run, program: list[str]) -> int:
    from outrider.attempts import RUN_DIR, RUN_ID
    from outrider.described import Ending
    from outrider.relay import Relay
    from outrider.streamer.ends import Circumstances, decide, from_wait_status, is_scheduled
    from outrider.streamer.oom import OomCounters

    assert started.folder is not None
    is_kept = started.settings.console
    env = {**os.environ, RUN_DIR: started.folder, RUN_ID: started.id}
    relay = Relay(program, env, started._append if is_kept else _forget)
    kills = OomCounters()
    try:
        status = relay.run()
    except OSError as error:
        sys.stderr.write(f"outrider run: {program[0]}: {error.strerror}\n")
        started.finish(NOT_EXECUTABLE)
        return NOT_EXECUTABLE
    asked = relay.terminated_at
    around = Circumstances(
        kills.kills() > 0,
        is_scheduled(os.environ),
        None if asked is None else time.monotonic() - asked,
    )
    end = decide(from_wait_status(status), around)
    why = end.why or (_reason(started.folder) if end.state == "failed" else None)
    started._end(Ending(end.state, end.code, end.signal, why, _left_by_it(started)))
    number = status & 0x7F
    return 128 + number if number else status >> 8


def _left_by_it(started: Run) -> list[tuple[str, int, int]]:
    """What the program itself logged, in whatever language: its segments with their whole lines."""
    from outrider.journal.reader import RunFolder

    assert started.folder is not None
    folder = RunFolder(started.folder)
    own = None if started._writer is None else started._writer.writer
    try:
        return [
            (writer, number, folder.whole_size(writer, number))
            for writer, numbers in folder.all_segments().items()
            if writer != own
            for number in numbers
        ]
    except OSError:  # the exit code is the program's, whatever befell the folder
        return []


def _forget(record: object) -> None:
    """What is not to be recorded."""


def _reason(folder: str) -> dict[str, str] | None:
    """What a script that joined the run said of its own end."""
    from outrider.attempts import last_of
    from outrider.journal.reader import RunFolder

    found = RunFolder(folder)
    for writer in found.writers():
        end = last_of(found, writer, "end")
        if end is not None and isinstance(end.get("why"), dict):
            return {str(key): str(value) for key, value in end["why"].items()}
    return None
