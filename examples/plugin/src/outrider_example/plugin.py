"""What Outrider asks: which probes, which sinks. Imports nothing that is not needed to answer."""

import os
from collections.abc import Mapping
from typing import Any

from outrider.hooks import hookimpl


@hookimpl
def outrider_probes() -> list[str]:
    """The probe, where the environment names a file for it."""
    return ["outrider_example.probe:FileProbe"] if "EXAMPLE_PROBE_FILE" in os.environ else []


@hookimpl
def outrider_sinks(settings: Mapping[str, Any]) -> list[str]:
    """The sink, where the environment names a folder for it."""
    return ["outrider_example.sink:EventSink"] if "EXAMPLE_EVENTS" in os.environ else []
