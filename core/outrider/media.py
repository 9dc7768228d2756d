"""Media: values of ``log()`` that are more than a number.

    core.log({"examples": [outrider.Image(array, caption="a cat")], "loss": 0.3})

Making one never raises; what is wrong with it is said on stderr when it is logged, and the rest of
the row is kept.
"""

from __future__ import annotations

from outrider.mediatypes.base import Media, MediaError
from outrider.mediatypes.documents import Html, Text
from outrider.mediatypes.figure import Figure
from outrider.mediatypes.histogram import Histogram
from outrider.mediatypes.image import Image
from outrider.mediatypes.sound import Audio
from outrider.mediatypes.table import Table
from outrider.mediatypes.video import Video

__all__ = [
    "Audio",
    "Figure",
    "Histogram",
    "Html",
    "Image",
    "Media",
    "MediaError",
    "Table",
    "Text",
    "Video",
]
