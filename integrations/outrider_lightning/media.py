"""Media through the logger: ``log_image`` and its kin, as Lightning's own loggers have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outrider.notice import swallow

if TYPE_CHECKING:
    from outrider.adapter import Adapter


class LogsMedia:
    """The part of the logger that logs more than numbers.

    Each call is one row at ``step``, as ``log_metrics`` makes it. On ranks that write nothing these
    do nothing. Elsewhere an argument that cannot be right raises, as in Lightning's other loggers:
    ``TypeError`` where a list is expected, ``ValueError`` where two lists differ in length.
    """

    _adapter: Adapter
    _writes_here: Callable[[], bool]
    log_metrics: Callable[..., None]

    def log_image(
        self, key: str, images: list[Any], step: int | None = None, **lists: list[Any]
    ) -> None:
        """Log images (arrays, tensors, pictures, figures, paths). Each of ``lists`` holds one value
        for each image: ``caption``, ``masks``, ``boxes``, ``mode``."""
        from outrider.media import Image

        self._log_list(key, "images", images, Image, step, lists)

    def log_audio(
        self, key: str, audios: list[Any], step: int | None = None, **lists: list[Any]
    ) -> None:
        """Log sounds (arrays or paths). Each of ``lists`` holds one value for each of them:
        ``sample_rate``, ``caption``."""
        from outrider.media import Audio

        self._log_list(key, "audios", audios, Audio, step, lists)

    def log_video(
        self, key: str, videos: list[Any], step: int | None = None, **lists: list[Any]
    ) -> None:
        """Log videos (arrays or paths). Each of ``lists`` holds one value for each of them: ``fps``,
        ``format``, ``caption``."""
        from outrider.media import Video

        self._log_list(key, "videos", videos, Video, step, lists)

    def log_table(
        self,
        key: str,
        columns: list[str] | None = None,
        data: list[list[Any]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Log a table: ``columns`` and rows, or a data frame. Cells may hold media."""
        if self._writes_here():
            from outrider.media import Table

            table = Table(columns=columns, data=data, dataframe=dataframe)
            self.log_metrics({key: table}, step)

    def log_text(
        self,
        key: str,
        columns: Sequence[str] | str | None = None,
        data: list[list[str]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Log texts: as a table of ``columns`` and rows or a data frame, or, with neither rows nor
        frame, one text or a list of them."""
        if data is not None or dataframe is not None:
            self.log_table(key, columns, data, dataframe, step)  # type: ignore[arg-type]
            return
        texts = [columns] if isinstance(columns, str) else columns
        from outrider.media import Text

        self._log_list(key, "texts", texts, Text, step, {})

    def _log_list(
        self,
        key: str,
        what: str,
        values: Any,
        kind: Callable[..., Any],
        step: int | None,
        lists: Mapping[str, Sequence[Any]],
    ) -> None:
        if not self._writes_here():
            return
        if not isinstance(values, list):
            raise TypeError(f'Expected a list as "{what}", found {type(values)}')
        count = len(values)
        for name, items in lists.items():
            if len(items) != count:
                raise ValueError(f"Expected {count} items but only found {len(items)} for {name}")
        media = [
            kind(value, **{name: items[at] for name, items in lists.items()})
            for at, value in enumerate(values)
        ]
        if media:
            self.log_metrics({key: media}, step)

    def watch(
        self, model: Any, log: str | None = "gradients", log_freq: int = 100, log_graph: bool = True
    ) -> None:
        """Record histograms of a model's gradients, parameters or all, every ``log_freq`` optimizer
        steps. ``log_graph`` is taken, as elsewhere, and does nothing."""
        if not self._writes_here():
            return
        try:
            from outrider.watching import watch

            watch(self._adapter.open(), model, log, log_freq)
        except Exception as error:
            swallow("watch()", error)

    def unwatch(self, model: Any = None) -> None:
        """Stop watching this model, or all."""
        from outrider.watching import unwatch

        unwatch(model)
