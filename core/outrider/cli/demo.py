"""``outrider demo``: a server, real trainings, and their charts growing in the browser."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SETUP, command
from outrider.cli.screen import console, number, plain, say, table
from outrider.errors import OutriderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outrider.cli.digits import Trial
    from outrider.cli.local_server import Server
    from outrider.training import Run

app = command(SETUP, Exit.FAILED)

PROJECT = "digits"
EPOCHS = 40
FAST_EPOCHS = 8
SECONDS = 60.0
DRAIN_SECONDS = 30.0


@app.command()
def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Train as fast as it goes.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the training.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    data: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option(help="Where everything is kept.", show_default="in your data folder"),
    ] = None,
    port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            help="The server's port.", min=0, max=65535, show_default="7878 or a free one"
        ),
    ] = None,
) -> None:
    """Train small networks on handwritten digits and watch them learn.

    Starts a server of its own (or uses the one of yours that runs), trains for about a minute, and
    serves until Ctrl-C. Nothing is written into the working folder.
    """
    from outrider.cli import digits, local_server

    images = digits.load_data()
    place = os.path.abspath(data) if data else default_place()
    with local_server.found_or_started(
        os.path.join(place, "server"), port, own=bool(data)
    ) as server:
        _welcome(server, browser=browser and not once)
        runs = _open_runs(server, place)
        try:
            with ExitStack() as stack:
                for run, _ in runs:
                    stack.enter_context(run)
                _train(runs, images, FAST_EPOCHS if fast else EPOCHS, 0.0 if fast else SECONDS)
        finally:
            is_delivered = _drain(runs)
        if not is_delivered:
            raise OutriderError(f"not everything was delivered within {DRAIN_SECONDS:g} s")
        _report(server, runs)
        if not once:
            _keep_serving(server)


def default_place() -> str:
    """Where the demo keeps its data: below the user's data folder."""
    from platformdirs import user_data_dir

    return os.path.join(user_data_dir("outrider"), "demo")


def _welcome(server: Server, *, browser: bool) -> None:
    from outrider.cli.login import login_link, offer

    how = "started" if server.process is not None else "yours, already running"
    say(f"[green]server[/] {plain(server.url)} [dim]({how})[/]")
    link = login_link(server.url, server.token, opens=PROJECT)
    if link is not None:
        offer(link, open_it=browser)


def _open_runs(server: Server, place: str) -> list[tuple[Run, Trial]]:
    from outrider import core
    from outrider.cli.digits import TRIALS

    os.makedirs(place, mode=0o700, exist_ok=True)
    opened = []
    for trial in TRIALS:
        run = core.init(
            PROJECT,
            name=trial.name,
            config=trial.config(),
            group=f"lr {trial.learning_rate:g}",
            job_type="demo",
            tags=["demo"],
            dir=place,
            mode="online",
            reinit="create_new",
            settings={"url": server.url, "quiet": True, "finish_seconds": 30},
        )
        run.define_metric("epoch", hidden=True)
        run.define_metric("val/loss", summary="min")
        run.define_metric("val/accuracy", summary="max", goal="maximize")
        opened.append((run, trial))
    return opened


def _train(runs: list[tuple[Run, Trial]], images: Any, epochs: int, seconds: float) -> None:
    """Train all at once, taking turns, slowly enough to be watched (``seconds`` in all)."""
    from outrider.cli.digits import batches_of, train

    trainings = [train(trial, images, epochs, run.log) for run, trial in runs]
    rounds = epochs * batches_of(runs[0][1], images)
    began = time.monotonic()
    with _progress(rounds) as advance:
        for round_number in range(1, rounds + 1):
            for training in trainings:
                next(training)
            advance()
            ahead = began + seconds * round_number / rounds - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


@contextmanager
def _progress(rounds: int) -> Iterator[Any]:
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("training"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("training", total=rounds)
        yield lambda: progress.advance(task)


def _drain(runs: list[tuple[Run, Trial]]) -> bool:
    """Wait for the streamers' last words (a run's end, the last system metrics), before the server
    that takes them is stopped; whether all came through."""
    from outrider.cli.delivery import delivery_of
    from outrider.journal.reader import RunFolder
    from outrider.streamer.spawn import is_running

    folders = [RunFolder(str(run.folder)) for run, _ in runs if run.folder is not None]
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        if not any(is_running(folder.path) for folder in folders):
            break
        time.sleep(0.1)
    return all(delivery_of(folder).is_whole for folder in folders)


def _report(server: Server, runs: list[tuple[Run, Trial]]) -> None:
    """Read the results back from the server, and compare."""
    from outrider.api import Client

    client = Client(server.url, transport=server.transport())
    rows = table("run", "steps", "best val/loss", "best val/accuracy", right=["steps"])
    for run, trial in runs:
        read = client.run(f"{PROJECT}/{run.id}")
        rows.add_row(
            plain(trial.name),
            str(len(read.points("train/loss"))),
            number(read.summary.get("val/loss")),
            number(read.summary.get("val/accuracy")),
        )
    console().print(rows)


def _keep_serving(server: Server) -> None:
    from outrider.reading.remote import page_path

    say(f"the charts: {plain(server.url + page_path(PROJECT))}")
    if server.process is None:
        return
    say("[dim]serving until Ctrl-C; the data stay in[/] " + plain(server.data))
    try:
        code = server.process.wait()
    except KeyboardInterrupt:
        return
    raise OutriderError(f"the server ended with code {code}", hint=f"see {server.log}")
