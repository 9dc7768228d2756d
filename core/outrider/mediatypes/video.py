"""``Video``: frames or a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.arrays import is_array, owned, viewed
from outrider.mediatypes.base import Media, MediaError
from outrider.mediatypes.encoders import animated, ffmpeg
from outrider.mediatypes.image import CHANNELS
from outrider.notice import say_once

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

ENDINGS = {"gif": "gif", "mp4": "mp4", "webm": "webm", "ogg": "ogv", "ogv": "ogv", "png": "png"}
"""The files that are kept as they are, by ending, and what they are encoded as."""

FORMATS = ("gif", "png", "webp", "mp4", "webm")
"""What frames can be made into; ``png`` is an animated one."""


class Video(Media):
    """A moving picture.

    ``data_or_path`` is an array (time × channels × height × width, or time × height × width ×
    channels; with a batch in front its videos stand side by side) with its ``fps``, the path of a
    file, or an open binary file with its ``format``. Frames become ``format``: gif (the default),
    png (animated, exact), webp, mp4 or webm. mp4 and webm need ffmpeg, gif and webp need pillow;
    without them an animated PNG is kept, and that is said. Never raises: see ``Media``.
    """

    kind: ClassVar[str] = "video"

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: float | None = None,
        format: str | None = None,  # noqa: A002 - the field's word for it
    ) -> None:
        self._path: str | None = None
        self._data: bytes | None = None
        self._array: Any = None
        self._said: dict[str, Any] = {}
        super().__init__(caption, lambda: self._take(data_or_path, fps, format))

    def _take(self, data: Any, fps: float | None, wanted: str | None) -> None:
        if isinstance(data, (str, os.PathLike)):
            path = os.fspath(data)
            ending = os.path.splitext(path)[1].lstrip(".").lower()
            if ending not in ENDINGS:
                raise MediaError(f"{path} is no video file that is known ({', '.join(ENDINGS)})")
            if not os.path.isfile(path):
                raise MediaError(f"there is no file {path}")
            self._path, self._said = path, {"as": ENDINGS[ending]}
        elif hasattr(data, "read"):
            if wanted not in ENDINGS:
                raise MediaError(f"a video from an open file needs format=, {', '.join(ENDINGS)}")
            data.seek(0)
            self._data, self._said = bytes(data.read()), {"as": ENDINGS[wanted]}
        elif is_array(data):
            self._take_frames(data, 4.0 if fps is None else float(fps), wanted)
        else:
            raise MediaError(f"a video cannot be made of {type(data).__name__}")

    def _take_frames(self, data: Any, fps: float, wanted: str | None) -> None:
        if not 0 < fps <= 1000:
            raise MediaError(f"fps={fps} is not possible")
        if wanted is not None and wanted not in FORMATS:
            raise MediaError(f"format={wanted!r} is not known: {', '.join(FORMATS)}")
        frames = frames_of(viewed(data))
        self._array = owned(frames, data)
        self._said = {
            "as": _possible(wanted),
            "fps": fps,
            "frames": frames.shape[0],
            "height": frames.shape[1],
            "width": frames.shape[2],
        }

    def put(self, spool: Spool) -> dict[str, Any]:
        """The frames as they are, or the file."""
        if self._path is not None:
            return {**spool.file(self._path, self._said["as"]), **self._said}
        if self._data is not None:
            return {**spool.data(self._data, self._said["as"]), **self._said}
        return {**spool.array(self._array), **self._said}


def frames_of(array: Any) -> Any:
    """An array as time × height × width × channels; a batch side by side. Raises ``MediaError``."""
    shape = array.shape
    if array.ndim == 5:
        return _side_by_side(array)
    if array.ndim != 4 or not array.size:
        raise MediaError(f"a video has shape (time, channels, height, width), not {shape}")
    if shape[1] in CHANNELS:
        return array.transpose(0, 2, 3, 1)
    if shape[3] in CHANNELS:
        return array
    raise MediaError(f"a video has 1, 3 or 4 channels; its shape is {shape}")


def _side_by_side(array: Any) -> Any:
    """A batch of videos as one: in a grid that is as square as can be."""
    import numpy as np

    videos = [frames_of(one) for one in array]
    columns = int(np.ceil(np.sqrt(len(videos))))
    while len(videos) % columns:
        videos.append(np.zeros_like(videos[0]))
    rows = [
        np.concatenate(videos[at : at + columns], axis=2) for at in range(0, len(videos), columns)
    ]
    return np.concatenate(rows, axis=1)


def _possible(wanted: str | None) -> str:
    """The format that can be made here; says so where it is another one than was wanted."""
    if wanted in ("mp4", "webm") and ffmpeg() is None:
        say_once(
            f"video {wanted}",
            f"Video: {wanted} needs ffmpeg (or pip install imageio-ffmpeg), which is not here; "
            "an animated PNG is kept instead",
        )
        return "png"
    if wanted in (None, "gif", "webp") and not animated():
        say_once(
            "video pillow",
            f"Video: {wanted or 'gif'} needs pillow, which is not here; an animated PNG is kept",
        )
        return "png"
    return wanted or "gif"
