"""Bounding boxes over an image, brought into one form."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from outrider.mediatypes.base import MediaError
from outrider.values import text

MAX_BOXES = 1000
"""How many boxes one image shows."""

_SIDES = ("minX", "maxX", "minY", "maxY")


def read_labels(labels: Any) -> dict[str, str]:
    """Class names by class number, from a mapping or from ``[{"id": 1, "name": "cat"}]``."""
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        return {str(key): text(label)[:200] for key, label in list(labels.items())[:1000]}
    try:
        return {str(one["id"]): text(one["name"])[:200] for one in list(labels)[:1000]}
    except (TypeError, KeyError, IndexError):
        raise MediaError("class labels are a mapping of number to name") from None


def read_boxes(
    name: str, group: Any, labels: dict[str, str], size: tuple[int, int] | None
) -> dict[str, Any]:
    """One group of boxes: ``{"boxes": [...], "labels": {...}}``.

    Positions are fractions of width and height, unless ``domain`` is ``pixel`` and the size of the
    image is not known here. Raises ``MediaError``.
    """
    if not isinstance(group, Mapping) or not isinstance(group.get("box_data"), (list, tuple)):
        raise MediaError(f"the boxes {name!r} need box_data, a list of boxes")
    if len(group["box_data"]) > MAX_BOXES:
        raise MediaError(f"{len(group['box_data'])} boxes: an image shows {MAX_BOXES} at most")
    return {
        "boxes": [_box(name, box, size) for box in group["box_data"]],
        "labels": {**labels, **read_labels(group.get("class_labels"))},
    }


def _box(name: str, box: Any, size: tuple[int, int] | None) -> dict[str, Any]:
    try:
        at = _sides(box["position"])
    except (TypeError, KeyError, ValueError, IndexError):
        raise MediaError(
            f"a box of {name!r} needs a position: minX, maxX, minY, maxY or middle, width, height"
        ) from None
    found: dict[str, Any] = {}
    if box.get("domain") == "pixel":
        if size is None:
            found["domain"] = "pixel"
        else:
            at = {side: value / size[0 if side.endswith("X") else 1] for side, value in at.items()}
    found["position"] = at
    if box.get("class_id") is not None:
        found["class_id"] = int(box["class_id"])
    if box.get("box_caption") is not None:
        found["caption"] = text(box["box_caption"])[:500]
    if isinstance(box.get("scores"), Mapping):
        scores = list(box["scores"].items())[:20]
        found["scores"] = {str(key)[:100]: _finite(value) for key, value in scores}
    return found


def _sides(position: Mapping[str, Any]) -> dict[str, float]:
    if "middle" in position:
        (x, y), width, height = position["middle"], position["width"], position["height"]
        values = [x - width / 2, x + width / 2, y - height / 2, y + height / 2]
    else:
        values = [position[side] for side in _SIDES]
    return {side: _finite(value) for side, value in zip(_SIDES, values, strict=True)}


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(number)
    return number
