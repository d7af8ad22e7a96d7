"""What a notebook shows: tables, figures and prose, kept apart from how they are written out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from evidence import wording
from evidence.format import sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Mark = str  # what is special about a value: kinds of SIGNS joined by "+", or nothing
Align = Literal["left", "right", "center"]

SIGNS: Mapping[str, str] = {**wording.SIGNS, "differs": "≠", "corrected": "#"}
LEGEND: Mapping[str, str] = {
    "derived": "count recovered from printed percentages and totals",
    "assumed": "assumed, not printed",
    "external": "from outside the documents read in full",
    "differs": "differs from the printed value",
    "corrected": "0.5 was added to every count, because a group had no event or nothing else",
}
DOUBT = "¶"
DOUBTED = "rests on something printed that does not fit what is printed elsewhere; the audit says why"


def kinds(mark: Mark) -> tuple[str, ...]:
    """Return the kinds that a mark holds, in the order of their signs.

    >>> kinds("external+derived"), kinds("")
    (('derived', 'external'), ())
    """
    held = set(mark.split("+"))
    return tuple(kind for kind in SIGNS if kind in held)


def together(*marks: Mark) -> Mark:
    """Return the mark that holds the kinds of all marks.

    >>> together("external", "", "derived")
    'derived+external'
    """
    return "+".join(kinds("+".join(marks)))


def mark_from(signs: str) -> Mark:
    """Return the mark that is shown by signs.

    >>> mark_from("†§")
    'derived+external'
    """
    return "+".join(kind for kind, sign in SIGNS.items() if sign in signs)


def legend_of(marks: Iterable[Mark]) -> str:
    """Return the meaning of every sign that the marks show, or nothing.

    >>> legend_of(["", "external"])
    '§ from outside the documents read in full'
    """
    used = kinds(together(*marks))
    return "; ".join(f"{SIGNS[kind]} {LEGEND[kind]}" for kind in used)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table: plain text, the data rows it comes from, and what is special about it.

    ``mark`` may hold several kinds: ``derived+external``. ``target`` is the label of a section that says
    more; no link is made where the book has none of that name. The text of ``code`` is a name that a program
    reads, shown as it is.
    """

    text: str
    rows: tuple[str, ...] = ()
    mark: Mark = ""
    target: str = ""
    code: bool = False

    @property
    def shown(self) -> str:
        """Return the text with the visible signs of its mark.

        >>> Cell("7/32", mark="derived+external").shown
        '7/32†§'
        """
        return self.text + "".join(SIGNS[kind] for kind in kinds(self.mark))


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
    ``places`` tell where in its document a data row was read: ``{row_id: locator}``; ``doubts`` say of the
    data rows that do not fit other printed figures why they do not: ``{row_id: sentence}``.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    note: str = ""
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: tuple[tuple[int, str], ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)

    def reasons(self, cell: Cell) -> tuple[str, ...]:
        """Return why the data rows of a cell are doubted; nothing where they are not."""
        return tuple(dict.fromkeys(self.doubts[row] for row in cell.rows if row in self.doubts))

    def shown(self, cell: Cell) -> str:
        """Return the text of a cell with every sign that belongs to it; an empty cell stays empty.

        It begins with a capital, unless its first word has capitals of its own or is a program's.
        """
        text = cell.shown if cell.code else sentence(cell.shown)
        return text + (DOUBT if self.doubted(cell) else "")

    def doubted(self, cell: Cell) -> bool:
        """Return whether a cell shows the sign of a doubt: not where it says already what differs."""
        return bool(cell.text) and "differs" not in kinds(cell.mark) and bool(self.reasons(cell))

    @property
    def full_note(self) -> str:
        """Return the note followed by the meaning of every sign that the cells use."""
        cells = [cell for row in self.rows for cell in row]
        doubt = f"{DOUBT} {DOUBTED}" if any(map(self.doubted, cells)) else ""
        legend = "; ".join(filter(None, (legend_of(cell.mark for cell in cells), doubt)))
        return " ".join(part for part in (self.note, legend and f"{legend}.") if part)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption, its alternative text and the tidy values drawn.

    A drawing too long for a page has ``more`` parts, shown below the first.
    """

    figure: Canvas
    caption: str
    alt: str
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    more: tuple[Canvas, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown sentences computed from results; what comes from data is escaped by whoever writes them."""

    text: str


Item = Table | Figure | Prose
