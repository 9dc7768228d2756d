"""``Audio``: samples or a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.arrays import is_array, library, owned, viewed
from outrider.mediatypes.base import Media, MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

ENDINGS = ("wav", "mp3", "ogg", "oga", "opus", "flac", "m4a", "aac", "weba")
"""The files that are kept as they are."""

_CHANNELS = 32


class Audio(Media):
    """A sound.

    ``data_or_path`` is an array (samples, or samples × channels; channels × samples where that is
    clear) with its ``sample_rate`` in Hz, or the path of a file (it is kept as it is). Floats are
    between -1 and 1. Never raises: see ``Media``.
    """

    kind: ClassVar[str] = "audio"

    def __init__(
        self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None
    ) -> None:
        self._path: str | None = None
        self._array: Any = None
        self._said: dict[str, Any] = {}
        super().__init__(caption, lambda: self._take(data_or_path, sample_rate))

    def _take(self, data: Any, rate: Any) -> None:
        if isinstance(data, (str, os.PathLike)):
            self._path = os.fspath(data)
            ending = os.path.splitext(self._path)[1].lstrip(".").lower()
            if ending not in ENDINGS:
                raise MediaError(
                    f"{self._path} is no sound file that is known ({', '.join(ENDINGS)})"
                )
            if not os.path.isfile(self._path):
                raise MediaError(f"there is no file {self._path}")
            self._said = {"as": ending}
            return
        if not is_array(data):
            raise MediaError(f"a sound cannot be made of {type(data).__name__}")
        if rate is None or int(rate) <= 0 or int(rate) > 10_000_000:
            raise MediaError("a sound made of samples needs sample_rate=, in Hz")
        array = viewed(data)
        if array.ndim == 2 and array.shape[0] <= _CHANNELS:
            is_turned = library(data) == "torch" or array.shape[1] > _CHANNELS
            array = array.T if is_turned and array.shape[0] < array.shape[1] else array
        if array.ndim not in (1, 2) or not array.size or array[:1].size > _CHANNELS:
            raise MediaError(
                f"a sound has shape (samples,) or (samples, channels), not {array.shape}"
            )
        self._array = owned(array, data)
        self._said = {
            "as": "wav",
            "rate": int(rate),
            "channels": 1 if array.ndim == 1 else array.shape[1],
            "seconds": round(array.shape[0] / int(rate), 6),
        }

    def put(self, spool: Spool) -> dict[str, Any]:
        """The samples as they are, or the file."""
        if self._path is not None:
            return {**spool.file(self._path, self._said["as"]), **self._said}
        return {**spool.array(self._array), **self._said}
