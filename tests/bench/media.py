"""What each kind of media costs in the training process, and the streamer afterwards.

`python tests/bench/media.py`. The trainer's cost is the median of making and logging one value, on a
run whose streamer is not started; beside it stands a bare write of the same raw bytes into a new
file, where there are any. The streamer's cost is the processor time of making the file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from figures import Figure, main, median
from place import own_place

TURNS = 30


def costs() -> Iterator[Figure]:
    """One figure for each kind: the trainer's µs a value, and what it is made of."""
    with own_place() as place:
        before = dict(os.environ)
        os.environ.update(
            {
                "HOME": place,
                "OUTRIDER_DIR": place,
                "OUTRIDER_MODE": "offline",
                "OUTRIDER_QUIET": "1",
            }
        )
        try:
            yield from _costs(place)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _costs(place: str) -> Iterator[Figure]:
    from outrider import core
    from outrider.streamer import spawn

    start, spawn.start = spawn.start, lambda *_, **__: True
    try:
        run = core.init(project="bench")
        assert run.folder is not None
        for name, make in _kinds().items():
            times = []
            for _ in range(TURNS):
                began = time.perf_counter()
                core.log({name: make()})
                times.append(time.perf_counter() - began)
            spooled = [
                path for path in Path(run.folder, "files", "spool").glob("*") if path.is_file()
            ]
            size = sum(path.stat().st_size for path in spooled) // TURNS
            bare = _bare_write(place, size) if size else 0.0
            made = _made(run.folder)
            detail = f"{size / 1024:,.0f} KiB raw" if size else "in the record"
            if bare:
                detail += f", {median(times) / bare:.1f}× a bare write of them"
            detail += f"; streamer {made * 1e3:.2f} ms" if made else ""
            yield Figure(f"log() of {name}", median(times) * 1e6, " µs", None, detail)
        core.finish()
    finally:
        spawn.start = start


def _kinds() -> dict[str, Callable[[], Any]]:
    import numpy as np

    import outrider

    random = np.random.default_rng(0)
    small = random.integers(0, 255, (224, 224, 3), dtype=np.uint8)
    large = random.random((1024, 1024, 3), dtype=np.float32)
    sound = random.normal(size=160_000).astype(np.float32)
    frames = random.integers(0, 255, (16, 3, 64, 64), dtype=np.uint8)
    rows = [[at, f"row {at}", at / 3] for at in range(1000)]
    found: dict[str, Callable[[], Any]] = {
        "an image, 224 × 224 × 3 uint8": lambda: outrider.Image(small),
        "eight of them in a list": lambda: [outrider.Image(small) for _ in range(8)],
        "an image, 1024 × 1024 × 3 float32": lambda: outrider.Image(large),
        "ten seconds of sound": lambda: outrider.Audio(sound, sample_rate=16_000),
        "a video of 16 frames": lambda: outrider.Video(frames, format="png"),
        "a histogram of 100,000 values": lambda: outrider.Histogram(sound[:100_000]),
        "a text": lambda: outrider.Text("what a model wrote"),
        "a page": lambda: outrider.Html("<b>what a model wrote</b>"),
        "a table of 1,000 × 3": lambda: outrider.Table(["at", "name", "part"], rows),
    }
    if find_spec("matplotlib"):
        from matplotlib.figure import Figure as Drawing

        drawing = Drawing()
        drawing.subplots().plot(sound[:100])
        found["a figure of matplotlib"] = lambda: drawing
    return found


def _bare_write(place: str, size: int) -> float:
    data = os.urandom(min(size, 1 << 20)) * (size // (1 << 20) + 1)
    times = []
    for at in range(TURNS):
        began = time.perf_counter()
        fd = os.open(
            os.path.join(place, f"bare-{at}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
        os.write(fd, memoryview(data)[:size])
        os.close(fd)
        times.append(time.perf_counter() - began)
    for at in range(TURNS):
        os.unlink(os.path.join(place, f"bare-{at}"))
    return median(times)


def _made(folder: str) -> float:
    """Processor seconds of making one file of those that were logged last; clears the spool."""
    from outrider.journal.reader import RunFolder
    from outrider.journal.record import Record
    from outrider.mediatypes.making import make
    from outrider.streamer.encoding import parts_of

    spool = Path(folder, "files", "spool")
    times = []
    bodies = [
        record.body
        for *_, record in RunFolder(folder).records()
        if isinstance(record, Record) and record.kind == "media"
    ]
    for part in (part for body in bodies[-3:] for part in parts_of(body)):
        raw = spool / part["spool"]
        if raw.is_file() and part.get("encoding") != part.get("as"):
            began = time.process_time()
            make(str(raw), f"{raw}.made", part)
            times.append(time.process_time() - began)
    for path in spool.glob("*"):
        path.unlink()
    return median(times) if times else 0.0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(costs)
