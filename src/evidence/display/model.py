"""What a notebook shows: tables, figures and prose, kept apart from how they are written out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from evidence import wording
from evidence.format import in_sentence, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Mark = str  # what is special about a value: kinds of SIGNS joined by "+", or nothing
Align = Literal["left", "right", "center"]

SIGNS: Mapping[str, str] = {**wording.SIGNS, "differs": "≠", "corrected": "#"}
LEGEND: Mapping[str, str] = {
    "derived": "count that follows from printed figures",
    "assumed": "rests on something assumed, not printed",
    "external": "from outside the documents read in full",
    "differs": "differs from the printed value",
    "corrected": "0.5 was added to every count, because a group had no event or nothing else",
}
COMMON: Mapping[str, str] = {
    "derived": "All counts follow from printed figures.",
    "assumed": "All of it rests on something assumed, not printed.",
    "external": "All of it is from outside the documents read in full.",
}  # said once instead of a sign at every value
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
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
    reads, shown as it is. ``why`` are the reasons for what is assumed in it.
    """

    text: str
    rows: tuple[str, ...] = ()
    mark: Mark = ""
    target: str = ""
    code: bool = False
    why: tuple[str, ...] = ()

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
    data rows that do not fit other printed figures why they do not: ``{row_id: sentence}``. Where the first
    cell of a row names something else than its values, ``headed`` is False and no sign stands there for them.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    note: str = ""
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: tuple[tuple[int, str], ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    headed: bool = True

    def reasons(self, cell: Cell) -> tuple[str, ...]:
        """Return why the data rows of a cell are doubted; nothing where they are not."""
        return tuple(dict.fromkeys(self.doubts[row] for row in cell.rows if row in self.doubts))

    def shown(self, cell: Cell, signs: str | None = None) -> str:
        """Return the text of a cell with its signs, by default all of them; an empty cell stays empty.

        It begins with a capital, unless its first word has capitals of its own or is a program's.
        """
        text = cell.shown if signs is None or not cell.text else cell.text + signs
        return (text if cell.code else sentence(text)) + (DOUBT if self.doubted(cell) else "")

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return what every cell shows: no sign that all values share, and one that a row shares once."""
        common, numbers = self.common(), self.reason_numbers()
        return tuple(
            tuple(
                self.shown(cell, _signs(mark, cell, common, numbers))
                for cell, mark in zip(row, self._marks(row), strict=True)
            )
            for row in self.rows
        )

    def _marks(self, row: Sequence[Cell]) -> list[Mark]:
        return _row_marks(row) if self.headed else [cell.mark for cell in row]

    def common(self) -> frozenset[str]:
        """Return the kinds that every traced value of several rows is of: they are said below them, once."""
        if len(self.rows) < 2:
            return frozenset()
        reasons = len(self.reason_numbers())
        found = (kind for kind in COMMON if _all_of(kind, self.rows) and (kind != "assumed" or reasons < 2))
        return frozenset(found)

    def reason_numbers(self) -> dict[str, int]:
        """Return the reasons for what is assumed with their numbers, in the order of the cells."""
        told = dict.fromkeys(why for row in self.rows for cell in row if cell.text for why in cell.why)
        return {why: place for place, why in enumerate(told, 1)}

    def doubted(self, cell: Cell) -> bool:
        """Return whether a cell shows the sign of a doubt: not where it says already what differs."""
        return bool(cell.text) and "differs" not in kinds(cell.mark) and bool(self.reasons(cell))

    @property
    def full_note(self) -> str:
        """Return the note, the reasons for what is assumed, and the meaning of every sign that is used."""
        cells, common = [cell for row in self.rows for cell in row], self.common()
        doubt = f"{DOUBT} {DOUBTED}" if any(map(self.doubted, cells)) else ""
        signs = legend_of(
            "+".join(kind for kind in kinds(cell.mark) if kind not in common and not _told(kind, cell))
            for cell in cells
        )
        legend = "; ".join(filter(None, (signs, doubt)))
        said = [self._said_once(kind) for kind in COMMON if kind in common]
        why = "" if "assumed" in common else self._why()
        return " ".join(filter(None, (self.note, *said, why, legend and f"{legend}.")))

    def _said_once(self, kind: str) -> str:
        """Return what is said of all values, of what is assumed with its reason."""
        why = " ".join(self.reason_numbers()) if kind == "assumed" else ""
        return f"{COMMON[kind].removesuffix('.')}: {in_sentence(why)}" if why else COMMON[kind]

    def _why(self) -> str:
        numbers = self.reason_numbers()
        return " ".join(f"{_numbered([why], numbers)} {why}" for why in numbers)


def _all_of(kind: str, rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether all data rows that cells name are of a kind, as more than one cell says.

    What a first cell says that names no data row, it says of its whole row. A cell that names several data
    rows is marked if one of them is of the kind: a row that stands without the mark elsewhere is not.
    """
    told = [row for row in rows if row[0].rows or kind not in kinds(row[0].mark)]
    cells = [cell for row in rows for cell in row if cell.text]
    marked = [cell for cell in cells if kind in kinds(cell.mark)]
    other = {cell.rows[0] for cell in cells if len(cell.rows) == 1 and kind not in kinds(cell.mark)}
    held = {name for cell in marked for name in cell.rows} - other
    return len(marked) > 1 and all(held.issuperset(cell.rows) for row in told for cell in row if cell.text)


def _row_marks(row: Sequence[Cell]) -> list[Mark]:
    """Return the marks of a row's cells: that of a source of the whole row stands in the first cell alone."""
    marks = [cell.mark for cell in row]
    if not row[0].text or not _all_of("external", [row]):
        return marks
    rest = ["+".join(kind for kind in kinds(mark) if kind != "external") for mark in marks]
    return [together(rest[0], "external"), *rest[1:]]


def _signs(mark: Mark, cell: Cell, common: Collection[str], numbers: Mapping[str, int]) -> str:
    shown = [kind for kind in kinds(mark) if kind not in common]
    return "".join(_numbered(cell.why, numbers) if kind == "assumed" else SIGNS[kind] for kind in shown)


def _numbered(reasons: Sequence[str], numbers: Mapping[str, int]) -> str:
    """Return the sign of what is assumed, with the numbers of its reasons where the table has several."""
    places = sorted(numbers[why] for why in reasons if len(numbers) > 1)
    told = [str(place).translate(SUPERSCRIPTS) for place in places]
    return "".join(SIGNS["assumed"] + number for number in told or [""])


def _told(kind: str, cell: Cell) -> bool:
    return kind == "assumed" and bool(cell.why)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption, its alternative text and the tidy values drawn.

    A drawing too long for a page has ``more`` parts, shown below the first. ``narrow`` is the same drawn
    again for narrow screens, part by part, or nothing.
    """

    figure: Canvas
    caption: str
    alt: str
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    more: tuple[Canvas, ...] = ()
    narrow: tuple[Canvas, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown sentences computed from results; what comes from data is escaped by whoever writes them."""

    text: str


Item = Table | Figure | Prose
