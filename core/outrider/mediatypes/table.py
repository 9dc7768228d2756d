"""``Table``: rows under named columns; a cell may hold media."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.base import Media, MediaError
from outrider.mediatypes.cells import Rows
from outrider.notice import say_once

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

MAX_ROWS = 200_000
"""How many rows of a table are kept."""

MAX_COLUMNS = 1000

INLINE = 16 << 10
"""Tables of up to so many bytes stand in the record itself."""


class Table(Media):
    """Rows under named columns.

    ``data`` is a list of rows (lists, or mappings by column), a two-dimensional array or a data
    frame of pandas or polars, as ``dataframe`` is. Cells hold numbers, texts, truth values, None, any
    of the media, or anything else as plain data. At most 200,000 rows are kept, and that is said.
    ``add_data(*row)`` and ``add_column(name, values)`` go on with it; what is logged is what it
    holds at that moment. Nothing here raises: see ``Media``.
    """

    kind: ClassVar[str] = "table"

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        dtype: Any = None,
        optional: Any = True,
        allow_mixed_types: bool = False,
        log_mode: str | None = None,
        caption: str | None = None,
    ) -> None:
        self.columns: list[str] = []
        self.data: list[list[Any]] = []
        self.left_out = 0
        if dataframe is None:
            dataframe, data = (data, None) if _is_frame(data) else (None, data)
        super().__init__(
            caption, lambda: self._take(columns, data if rows is None else rows, dataframe)
        )

    def _take(self, columns: Any, data: Any, frame: Any) -> None:
        if frame is not None:
            data, count = _rows_of_frame(frame)
            self.left_out = max(0, count - MAX_ROWS)
            columns = list(frame.columns) if columns is None else columns
        rows, count = _bounded(data)
        self.left_out = max(self.left_out, count - MAX_ROWS, 0)
        if columns is None:
            columns = _columns_of(rows)
        if isinstance(columns, str) or len(columns) > MAX_COLUMNS:
            raise MediaError(f"columns must be a list of at most {MAX_COLUMNS} names")
        self.columns = [str(column) for column in columns]
        if len(set(self.columns)) != len(self.columns):
            raise MediaError("two columns of a table have one name")
        self.data = [self._row(row) for row in rows]

    def _row(self, row: Any) -> list[Any]:
        if type(row) is list and len(row) == len(self.columns):
            return row.copy()
        if isinstance(row, Mapping):
            unknown = [str(name) for name in row if str(name) not in self.columns]
            if unknown:
                raise MediaError(f"a row has {unknown[0]!r}, which is no column of the table")
            return [row.get(column) for column in self.columns]
        if isinstance(row, (str, bytes)) or not isinstance(row, Iterable):
            row = [row]
        cells = list(row)
        if len(cells) != len(self.columns):
            raise MediaError(
                f"a row of {len(cells)} cells does not fit {len(self.columns)} columns"
            )
        return cells

    def add_data(self, *row: Any) -> None:
        """Add a row: a cell for each column."""
        try:
            if len(self.data) >= MAX_ROWS:
                self.left_out += 1
                return
            self.data.append(self._row(row[0] if _is_whole_row(row, self.columns) else row))
        except MediaError as error:
            say_once(f"add_data {error}", f"Table.add_data(): {error}; the row is left out")

    def add_row(self, *row: Any) -> None:
        """The same as ``add_data``."""
        self.add_data(*row)

    def add_column(self, name: str, data: Any, optional: bool = False) -> None:
        """Add a column: a cell for each row. The first column of an empty table makes its rows."""
        try:
            cells, _ = _bounded(data)
            if str(name) in self.columns:
                raise MediaError(f"there is a column {name!r} already")
            if not self.columns:
                self.data = [[] for _ in cells]
            if len(cells) != len(self.data):
                raise MediaError(f"{len(cells)} cells do not fit {len(self.data)} rows")
            for row, cell in zip(self.data, cells, strict=True):
                row.append(cell)
            self.columns.append(str(name))
        except Exception as error:
            say_once(f"add_column {error}", f"Table.add_column(): {error}; it is left out")

    def get_column(self, name: str, convert_to: str | None = None) -> Any:
        """The cells of a column, in a list, or with ``convert_to="numpy"`` in an array."""
        found = [row[self.columns.index(name)] for row in self.data]
        if convert_to == "numpy":
            import numpy as np

            return np.array(found)
        return found

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Every row with its number."""
        return enumerate(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def put(self, spool: Spool) -> dict[str, Any]:
        """The rows: in the record where they are few, else in a file of one line a row."""
        rows = Rows(self.columns, self.data, spool)
        left_out = self.left_out + rows.left_out
        if left_out:
            say_once(
                f"table of {len(self.data) + self.left_out}",
                f"a table keeps {rows.count:,} rows; {left_out:,} are left out (said once)",
            )
        head: dict[str, Any] = {"columns": rows.columns, "rows": rows.count}
        if left_out:
            head["left_out"] = left_out
        said: dict[str, Any] = {"v": head}
        if rows.size <= INLINE:
            head["data"] = rows.inline()
        else:
            said |= {**spool.data(rows.file(head), "jsonl"), "as": "jsonl"}
        if rows.parts:
            said["cells"] = rows.parts
        return said


def _is_frame(data: Any) -> bool:
    return type(data).__name__ == "DataFrame" and hasattr(data, "columns")


def _is_whole_row(row: tuple[Any, ...], columns: Sequence[str]) -> bool:
    return len(row) == 1 and len(columns) != 1 and isinstance(row[0], (list, tuple, Mapping))


def _rows_of_frame(frame: Any) -> tuple[Iterable[Any], int]:
    """A data frame's rows, as many as are kept, and how many it has."""
    count = len(frame)
    few = frame.iloc[:MAX_ROWS] if hasattr(frame, "iloc") else frame.head(MAX_ROWS)
    if hasattr(few, "rows"):  # polars
        return few.rows(), count
    return zip(*(_cells(few.iloc[:, at]) for at in range(few.shape[1])), strict=True), count


def _cells(column: Any) -> list[Any]:
    """A column of pandas: what is missing is None, but in a column of floats it is NaN."""
    cells: list[Any] = column.tolist()
    if getattr(column.dtype, "kind", "O") in "biuf":
        return cells
    missing = column.isna().tolist()
    return [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]


def _bounded(data: Any) -> tuple[list[Any], int]:
    """The first rows of anything that has rows, and how many there are, as far as that is known."""
    if data is None:
        return [], 0
    if hasattr(type(data), "__array__"):
        few = data[:MAX_ROWS] if hasattr(data, "__getitem__") else data
        if not hasattr(few, "tolist"):
            from outrider.mediatypes.arrays import viewed

            few = viewed(few)
        return few.tolist(), len(data)
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
        raise MediaError(f"the data of a table are rows, not {type(data).__name__}")
    rows = list(islice(data, MAX_ROWS + 1))
    return rows[:MAX_ROWS], len(data) if isinstance(data, Sized) else len(rows)


def _columns_of(rows: Sequence[Any]) -> list[str]:
    """Names for columns that got none: a mapping's own, wandb's three, or numbers."""
    if not rows:
        return ["Input", "Output", "Expected"]
    if isinstance(rows[0], Mapping):
        return [str(name) for name in rows[0]]
    return [str(at) for at in range(len(rows[0]))]
