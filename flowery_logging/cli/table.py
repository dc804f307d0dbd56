"""A table as wide as the output: columns of lesser rank are left out, the others never."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from flowery_logging.files.columns import clipped, width as width_of

_GAP: Final = "  "
_LEAST: Final = 6  # columns of a text that was shortened
_SHORT: Final = 24  # columns of such a text for which others are left out


def in_one_line(text: str) -> str:
    """Return a text of a file with � for each character that is no part of a line."""
    return "".join(c if c.isprintable() else "�" for c in text)


class Cell(NamedTuple):
    """A text and the colour that a terminal gives it, an SGR code."""

    text: str
    colour: str = ""


class Column(NamedTuple):
    """A column: a low rank stays longest; rank 0 is never left out.

    `shrinks`: its texts may be shortened where even that is too wide.
    """

    name: str
    cells: Sequence[Cell]
    rank: int = 0
    right: bool = False
    shrinks: bool = False

    @property
    def width(self) -> int:
        """How many columns of the terminal its widest text takes."""
        return max(map(width_of, (self.name, *(cell.text for cell in self.cells))))


def lines(columns: Sequence[Column], width: int, *, coloured: bool) -> Iterator[str]:
    """Yield the lines of a table, its head first."""
    chosen = _chosen(columns, width)
    widths = _widths(chosen, width)
    yield _line([Cell(column.name, "1") for column in chosen], chosen, widths, coloured=coloured)
    for row in zip(*(column.cells for column in chosen), strict=True):
        yield _line(row, chosen, widths, coloured=coloured)


def _chosen(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that fit, in their order; those of rank 0 always."""
    chosen = [column for column in columns if not column.rank]
    for column in sorted((c for c in columns if c.rank), key=lambda column: column.rank):
        if _total([*chosen, column], _SHORT) <= width:
            chosen.append(column)
    return [column for column in columns if any(column is one for one in chosen)]


def _total(columns: Sequence[Column], longest: int | None = None) -> int:
    """Return the width of a table; `longest` is that of a column that shrinks."""
    widths = (
        min(column.width, longest) if column.shrinks and longest is not None else column.width
        for column in columns
    )
    return sum(widths) + len(_GAP) * (len(columns) - 1)


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the width of each column; those that shrink give what is too much."""
    excess = max(_total(columns) - width, 0)
    widths = []
    for column in columns:
        least = max(_LEAST, width_of(column.name))
        given = min(excess, max(column.width - least, 0)) if column.shrinks else 0
        excess -= given
        widths.append(column.width - given)
    return widths


def _line(
    cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], *, coloured: bool
) -> str:
    parts = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = clipped(cell.text, width)
        blank = " " * (width - width_of(text))
        shown = f"\x1b[{cell.colour}m{text}\x1b[0m" if coloured and cell.colour else text
        parts.append(blank + shown if column.right else shown + blank)
    return _GAP.join(parts).rstrip()
