"""``Image``: an array, a picture of pillow, a figure or a file; masks and boxes over it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.arrays import is_array, library, owned, viewed
from outrider.mediatypes.base import Media, MediaError
from outrider.mediatypes.boxes import read_boxes, read_labels

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

CHANNELS = (1, 3, 4)
ENDINGS = {
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "gif": "gif",
    "webp": "webp",
    "bmp": "bmp",
    "svg": "svg",
}
"""The files that are kept as they are, by ending, and what they are encoded as."""

_MODES = {"L": 1, "RGB": 3, "RGBA": 4}
_MASKS = 16


class Image(Media):
    """A picture.

    ``data_or_path`` is an array (NumPy, torch, jax: height × width, height × width × 1, 3 or 4, of
    torch also 1, 3 or 4 × height × width), a picture of pillow, a figure of matplotlib, the path of
    a file (it is kept as it is), or another ``Image``. Numbers up to 1 are taken as parts of 255,
    negative ones shift the range; whole numbers of 16 bits stay as fine as they are.
    ``normalize=False`` takes numbers as they are, from 0 to 255.

    ``masks`` are ``{"name": {"mask_data": 2-D array of classes, "class_labels": {1: "cat"}}}``,
    ``boxes`` are ``{"name": {"box_data": [{"position": {"minX", "maxX", "minY", "maxY"} or
    {"middle", "width", "height"}, "class_id", "scores", "box_caption", "domain"}],
    "class_labels"}}``; ``mode`` is L, RGB or RGBA. Never raises: see ``Media``.
    """

    kind: ClassVar[str] = "image"

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: Any = None,
        boxes: Mapping[str, Any] | None = None,
        masks: Mapping[str, Any] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
    ) -> None:
        self._mode = mode
        self._normalize = normalize
        self._said: dict[str, Any] = {}
        self._array: Any = None
        self._raw: bytes | None = None
        self._path: str | None = None
        self._ending = "png"
        self._masks: list[tuple[str, Any, dict[str, str]]] = []
        super().__init__(caption, lambda: self._take(data_or_path, masks, boxes, classes))

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, or None where only the file knows."""
        width, height = self._said.get("width"), self._said.get("height")
        return None if width is None or height is None else (width, height)

    def _take(self, data: Any, masks: Any, boxes: Any, classes: Any) -> None:
        if isinstance(data, Image):
            if data.problem is not None:
                raise MediaError(data.problem)
            for name in ("_said", "_array", "_raw", "_path", "_ending", "_masks", "_normalize"):
                setattr(self, name, getattr(data, name))
            self._said, self._masks = dict(self._said), list(self._masks)
            self.caption = data.caption if self.caption is None else self.caption
        elif isinstance(data, (str, os.PathLike)):
            self._take_path(os.fspath(data))
        elif library(data) == "PIL":
            self._take_picture(data)
        elif library(data) == "matplotlib":
            from outrider.mediatypes.figure import as_png

            self._raw = as_png(data)
        elif is_array(data):
            self._take_array(data)
        else:
            raise MediaError(f"an image cannot be made of {type(data).__name__}")
        labels = read_labels(classes)
        for name, mask in _named(masks, "masks"):
            self._take_mask(name, mask, labels)
        found = {
            name: read_boxes(name, box, labels, self.size) for name, box in _named(boxes, "boxes")
        }
        if found:
            self._said["boxes"] = found

    def _take_path(self, path: str) -> None:
        ending = os.path.splitext(path)[1].lstrip(".").lower()
        if ending not in ENDINGS:
            raise MediaError(f"{path} is no image file that is known ({', '.join(ENDINGS)})")
        if not os.path.isfile(path):
            raise MediaError(f"there is no file {path}")
        self._path, self._ending = path, ENDINGS[ending]

    def _take_picture(self, picture: Any) -> None:
        if self._mode is not None and self._mode != picture.mode:
            picture = picture.convert(self._mode)
        if picture.mode in ("1", "P", "LA", "PA", "La", "RGBa"):
            picture = picture.convert("L" if picture.mode == "1" else "RGBA")
        if picture.mode not in _MODES:
            if picture.mode.startswith(("I", "F")):
                self._take_array(viewed(picture))
                return
            picture = picture.convert("RGB")
        width, height = picture.size
        if not width or not height:
            raise MediaError("an image without a pixel")
        self._raw = picture.tobytes()
        self._said = {"width": width, "height": height, "mode": picture.mode}

    def _take_array(self, data: Any) -> None:
        seen = rows_columns_channels(viewed(data), prefers_first=library(data) == "torch")
        channels = seen.shape[2] if seen.ndim == 3 else 1
        if self._mode is not None and self._mode not in _MODES:
            raise MediaError(f"mode={self._mode!r} is not known for an array: L, RGB or RGBA")
        if self._mode is not None and _MODES[self._mode] != channels:
            raise MediaError(f"mode={self._mode!r} needs {_MODES[self._mode]} channels: {channels}")
        self._array = owned(seen, data)
        self._said = {"width": seen.shape[1], "height": seen.shape[0]}
        if not self._normalize:
            self._said["normalize"] = False

    def _take_mask(self, name: str, mask: Any, labels: dict[str, str]) -> None:
        if not isinstance(mask, Mapping) or ("mask_data" not in mask and "path" not in mask):
            raise MediaError(f"the mask {name!r} needs mask_data, a 2-D array of class numbers")
        labels = {**labels, **read_labels(mask.get("class_labels"))}
        if "mask_data" not in mask:
            self._masks.append((name, os.fspath(mask["path"]), labels))
            return
        array = viewed(mask["mask_data"])
        if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
            array = array[0] if array.shape[0] == 1 else array[:, :, 0]
        if array.ndim != 2 or not array.size:
            raise MediaError(f"the mask {name!r} has shape {array.shape}, not (height, width)")
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 255):
            raise MediaError(f"the mask {name!r} holds classes from {low} to {high}, not 0 to 255")
        self._masks.append((name, array.astype("uint8", order="C", copy=True), labels))

    def put(self, spool: Spool) -> dict[str, Any]:
        """The picture as it is, and each mask beside it."""
        if self._path is not None:
            said = spool.file(self._path, self._ending)
        elif self._raw is not None:
            said = spool.data(self._raw, "raw" if "mode" in self._said else "png")
        else:
            said = spool.array(self._array)
        said = {**said, "as": self._ending, **self._said}
        masks = {}
        for name, mask, labels in self._masks:
            put = spool.file(mask, "png") if isinstance(mask, str) else spool.array(mask)
            masks[name] = {**put, "as": "png", "normalize": False, "labels": labels}
        if masks:
            said["masks"] = masks
        return said


def rows_columns_channels(array: Any, *, prefers_first: bool) -> Any:
    """A view of an array as height × width (× channels). Raises ``MediaError`` for other shapes.

    Where both ends could be the channels, they are first with ``prefers_first`` (torch's habit).
    """
    shape = array.shape
    if array.ndim == 2:
        seen = array
    elif array.ndim == 3:
        first, last = shape[0] in CHANNELS, shape[2] in CHANNELS
        if not first and not last:
            raise MediaError(
                f"an image has shape (height, width) or (height, width, 1, 3 or 4), not {shape}"
            )
        seen = array.transpose(1, 2, 0) if first and (prefers_first or not last) else array
        seen = seen[:, :, 0] if seen.shape[2] == 1 else seen
    else:
        raise MediaError(f"an image has 2 or 3 dimensions, not shape {shape}")
    if not seen.size:
        raise MediaError(f"an image without a pixel: shape {shape}")
    return seen


def _named(found: Any, what: str) -> list[tuple[str, Any]]:
    if found is None:
        return []
    if not isinstance(found, Mapping):
        raise MediaError(f"{what} must be a mapping of names, not {type(found).__name__}")
    if len(found) > _MASKS:
        raise MediaError(f"an image takes at most {_MASKS} {what}, not {len(found)}")
    return [(str(name), value) for name, value in found.items()]
