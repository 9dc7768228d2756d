"""A sink: writes a run's metrics to TensorBoard event files, while the run goes on."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from outrider.journal.record import POINTS, numbers
from outrider_example.events import framed, scalar_event, version_event

if TYPE_CHECKING:
    from outrider.streamer.sinks import Batch


class EventSink:
    """Writes to ``$EXAMPLE_EVENTS/<project>/<run id>/``, one file for each segment of a journal.

    A batch is given at least once. So that nothing is written twice, a small file beside each event
    file says how far the segment was read (``offset``) and how long the event file was then
    (``length``); what lies behind that length was torn off by a crash, and is written again.
    """

    def __init__(self, run: Mapping[str, Any]) -> None:
        self.folder = os.path.join(os.environ["EXAMPLE_EVENTS"], run["project"], run["id"])
        self.created = float(run["created"])
        os.makedirs(self.folder, exist_ok=True)

    def send(self, batch: "Batch") -> None:
        """Append what of the batch is not written yet."""
        name = f"events.out.tfevents.{self.created:.0f}.{batch.writer}.{batch.segment:06d}"
        path = os.path.join(self.folder, name)
        known = _read(os.path.join(self.folder, f".{name}.json"))
        written = max(0, known["offset"] - batch.offset)
        new = replace(batch, offset=batch.offset + written, data=batch.data[written:])
        if not new.data:
            return
        with open(path, "ab") as file:
            file.truncate(known["length"])
            if not known["length"]:
                file.write(framed(version_event(self.created)))
            for record in new.records():
                if record.kind == POINTS:
                    step, values = int(record.body["s"]), numbers(record.body["p"])
                    file.write(framed(scalar_event(record.t, step, values)))
            file.flush()
            now = {"offset": new.offset + len(new.data), "length": file.tell()}
        _write(os.path.join(self.folder, f".{name}.json"), now)

    def close(self) -> None:
        """Nothing is kept open."""


def _read(path: str) -> dict[str, int]:
    try:
        with open(path, encoding="ascii") as file:
            found: dict[str, int] = json.load(file)
    except FileNotFoundError:
        return {"offset": 0, "length": 0}
    return found


def _write(path: str, state: dict[str, int]) -> None:
    with open(f"{path}.tmp", "w", encoding="ascii") as file:
        json.dump(state, file)
    os.replace(f"{path}.tmp", path)
