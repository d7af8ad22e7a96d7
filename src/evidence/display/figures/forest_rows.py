"""What is written and drawn in one row of a forest plot, and how much room it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evidence.display.figures.draw import BOLD, NARROW, WIDE, Columns, text_width, wrapped
from evidence.display.figures.lights import ROOM

LINE, GAP, SPACE = 12.0, 4.5, 5.0  # points: a line of text, the space below a row and above a heading
MOST_NAME, MOST_BEFORE_ONE = 128.0, 160.0  # points: a longer name, before one count, goes on in the next line
BETWEEN, AROUND = 10.0, 14.0  # points between two columns, and on both sides of the axis
Shape = Literal["square", "diamond", "hollow", "bar", "none"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands beside an interval on the axis: counts, a weight, a judgement."""

    estimate: float
    low: float
    high: float
    shape: Shape
    size: float = 0.0
    counts: tuple[str, str] = ("", "")
    weight: str = ""
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Words at the left, the effect in words, the mark that belongs to them, and the points left free above.

    ``level`` is 1 for the heading of a section, 2 for that of a group, else 0; a row that ``joins`` the one
    above it is never parted from it. A row of ``same_line`` has its mark beside its words in every layout.
    """

    left: str
    right: str = ""
    bold: bool = False
    muted: bool = False
    mark: Mark | None = None
    same_line: bool = False
    before: float = 0.0
    level: int = 0
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand, in points from the left edge: ends of names, counts, effects and weights.

    ``columns`` has the axis: beside the words of a row or below them.
    """

    columns: Columns
    names: float
    counts: tuple[float, float]
    effect: float
    weight: float

    @property
    def beside(self) -> bool:
        """Return whether the axis stands beside the words."""
        return self.columns.beside

    def room(self, row: Row) -> float:
        """Return the points that the words of a row can take on a line."""
        if not self.beside:
            return self.columns.width - (text_width(row.right) + AROUND if row.right else 0.0)
        counted = row.mark and any(row.mark.counts)
        return self.names if counted else self.columns.left - AROUND

    def lines(self, row: Row) -> list[str]:
        """Return the words of a row in lines that fit."""
        return wrapped(row.left, self.room(row) / (BOLD if row.bold else 1.0))

    def height(self, row: Row) -> float:
        """Return the points that a row takes."""
        below = LINE if row.mark and not row.same_line and not self.beside else 0.0
        gap = GAP if row.mark and not row.same_line else 1.0
        return row.before + LINE * len(self.lines(row)) + below + gap


def layout(rows: Sequence[Row], *, beside: bool) -> Layout:
    """Return columns as wide as their words; what is left of the width is the axis."""
    marked = [row for row in rows if row.mark]
    first, second = (_widest([row.mark.counts[side] for row in marked if row.mark]) for side in (0, 1))
    weights = _widest([row.mark.weight for row in marked if row.mark])
    judged = any(row.mark and row.mark.judgement for row in rows)
    width = WIDE if beside else NARROW
    ends = width - (ROOM if judged else 1.0)
    inner = ends - (weights + BETWEEN if weights else 0.0)
    counts = first + (BETWEEN + second if second else 0.0)
    names = 0.0
    if beside:
        most = MOST_NAME if second else MOST_BEFORE_ONE
        parts = [line for row in marked for line in wrapped(row.left, most)]
        names = BOLD * max(map(text_width, parts), default=0.0) + BETWEEN
    effects = _widest([row.right for row in rows]) if beside else 0.0
    axis = Columns(width, names + counts + AROUND, inner - effects - AROUND, beside)
    return Layout(axis, names - BETWEEN, (names + first, names + counts), inner, ends)


def _widest(texts: Sequence[str]) -> float:
    return BOLD * max(map(text_width, texts), default=0.0)
