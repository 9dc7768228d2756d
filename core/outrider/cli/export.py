"""``outrider export RUN``: the exact history as a file that everything else can read."""

from __future__ import annotations

import csv
import io
import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated, BinaryIO, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, RunName, Url, command
from outrider.cli.screen import plain, say
from outrider.errors import OutriderError, UsageError
from outrider.journal.line import worded

if TYPE_CHECKING:
    from outrider.api import History

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


class Format(str, Enum):
    """What a history can be written as."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


@app.command()
def export(
    run: RunName,
    form: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.jsonl,
    output: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option("--output", "-o", help="The file to write.", show_default="stdout"),
    ] = None,
    keys: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--key", "-k", help="Only this metric; repeat for several."),
    ] = None,
    min_step: Annotated[Optional[int], typer.Option(help="The first step.")] = None,  # noqa: UP045
    max_step: Annotated[Optional[int], typer.Option(help="The last step.")] = None,  # noqa: UP045
    system: Annotated[
        bool, typer.Option("--system", help="The machine's metrics instead.")
    ] = False,
    url: Url = None,
) -> None:
    """Write a run's exact history: one row per step, nothing sampled.

    NaN and infinities are the words NaN, Infinity and -Infinity in JSON lines; a metric that was
    not logged at a step is left out there, empty in CSV and null in Parquet.
    """
    from outrider.cli.finding import find_run

    if form is Format.parquet and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal", hint="name a file with -o")
    found = find_run(run, url=url)
    history = found.system(keys) if system else found.history(keys, min_step, max_step)
    data = _WRITERS[form](history)
    if output is None or output == "-":
        _write_all(sys.stdout.buffer, data)
        return
    from outrider.reading.target import replacing

    try:
        with replacing(output) as file:
            _write_all(file, data)
    except OSError as error:
        raise OutriderError(f"cannot write {output}: {error.strerror}") from error
    rows, metrics = len(history), len(history.keys)
    amount = f"{rows} row{'s' * (rows != 1)} of {metrics} metric{'s' * (metrics != 1)}"
    say(f"{amount}: {plain(output)}", stderr=True)


def _write_all(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()


def as_jsonl(history: History) -> bytes:
    """One JSON object a row."""
    import orjson

    newline = orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(worded(row), option=newline) for row in history.rows())


def as_csv(history: History) -> bytes:
    """A header and one line a row; an empty field where a metric is absent."""
    text = io.StringIO(newline="")
    leading = [] if history.is_by_time else ["_step"]
    writer = csv.DictWriter(text, [*leading, "_time", *history.keys], restval="")
    writer.writeheader()
    writer.writerows(worded(row) for row in history.rows())
    return text.getvalue().encode()


def as_parquet(history: History) -> bytes:
    """A Parquet file; null where a metric is absent."""
    table = history.to_arrow()
    from pyarrow import BufferOutputStream, parquet

    sink = BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


_WRITERS = {Format.jsonl: as_jsonl, Format.csv: as_csv, Format.parquet: as_parquet}
