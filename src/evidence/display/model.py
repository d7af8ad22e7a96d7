"""What a notebook shows: tables, figures and prose, kept apart from how they are written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from evidence import wording

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Mark = Literal["", "derived", "assumed", "external", "differs"]
Align = Literal["left", "right", "center"]

SIGNS: Mapping[Mark, str] = {**wording.SIGNS, "differs": "≠"}  # type: ignore[dict-item]
LEGEND: Mapping[Mark, str] = {
    "derived": "count recovered from printed percentages and totals",
    "assumed": "assumed, not printed",
    "external": "from outside the documents read in full",
    "differs": "differs from the printed value",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table: plain text, the data rows it comes from, and what is special about it."""

    text: str
    rows: tuple[str, ...] = ()
    mark: Mark = ""

    @property
    def shown(self) -> str:
        """Return the text with the visible sign of its mark.

        >>> Cell("7/32", mark="derived").shown
        '7/32†'
        """
        return self.text + SIGNS.get(self.mark, "")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, alignment and width relative to the other columns."""

    header: str
    align: Align = "left"
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be read: formatted cells, caption and note, and the tidy values behind them.

    ``groups`` are headings that stand above a row: pairs of row index and text.
    ``places`` tell where in its document a data row was read: ``{row_id: locator}``.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    note: str = ""
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: tuple[tuple[int, str], ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_note(self) -> str:
        """Return the note followed by the meaning of every sign that the cells use."""
        used = {cell.mark for row in self.rows for cell in row}
        legend = "; ".join(f"{sign} {LEGEND[mark]}" for mark, sign in SIGNS.items() if mark in used)
        return " ".join(part for part in (self.note, legend and f"{legend}.") if part)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption, its alternative text and the tidy values drawn."""

    figure: Canvas
    caption: str
    alt: str
    data: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown sentences computed from results; what comes from data is escaped by whoever writes them."""

    text: str


Item = Table | Figure | Prose
