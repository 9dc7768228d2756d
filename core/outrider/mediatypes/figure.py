"""``Figure``: what matplotlib or plotly drew."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.arrays import library
from outrider.mediatypes.base import Media, MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool


class Figure(Media):
    """A figure: of matplotlib (also its axes, or the module ``pyplot``), kept as a PNG, or of
    plotly, kept as its own JSON. Never raises: see ``Media``."""

    kind: ClassVar[str] = "figure"

    def __init__(self, figure: Any, caption: str | None = None) -> None:
        self._data = b""
        self._ending = "png"
        super().__init__(caption, lambda: self._take(figure))

    def _take(self, figure: Any) -> None:
        if library(figure) == "plotly":
            self._data, self._ending = figure.to_json().encode(), "plotly"
        else:
            self._data = as_png(figure)

    def put(self, spool: Spool) -> dict[str, Any]:
        """The PNG, or plotly's JSON."""
        return {**spool.data(self._data, self._ending), "as": self._ending}


def as_png(figure: Any) -> bytes:
    """Draw a figure of matplotlib. It has to happen here: a figure changes, and is closed, at once.

    Compressed but lightly: most of the time is drawing, and that cannot be saved.
    """
    if getattr(figure, "__name__", None) == "matplotlib.pyplot":
        figure = figure.gcf()
    figure = getattr(figure, "figure", None) or figure
    if not callable(getattr(figure, "savefig", None)):
        raise MediaError(f"{type(figure).__name__} is no figure")
    picture = BytesIO()
    figure.savefig(picture, format="png", pil_kwargs={"compress_level": 1})
    return picture.getvalue()
