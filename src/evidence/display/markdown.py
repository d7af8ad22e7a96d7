"""Tables as Pandoc pipe tables and as plain text; escaping that makes any text from the data harmless."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from evidence.display.model import Cell, Column, Table
from evidence.errors import UNSEEN

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|$@^~#&])")
# All white space but the space that keeps words together.
BLANKS = re.compile(r"[ \t\r\n\f\v\u2028\u2029\x1c-\x1f\x85]+")
NO_BREAK = "\u00a0"
LONGEST = 26  # letters of brackets that are kept in one line
BRACKET = re.compile(rf"\([^(),;]{{1,{LONGEST - 2}}}\)")
SIGNED = re.compile(r"(?<=\bP) (?=[=<>\d])|(?<=[=<>]) (?=\d)|(?<=\d) (?=×)|(?<=×) (?=10)| (?=±)|(?<=±) ")
UNIT = re.compile(
    r"(?<=\d) (?=(?:mg|g|kg|µg|m?L|years?|months?|weeks?|days?|wk|mo|h|points|trials)(?![\w-]))"
)
N_IS = re.compile(r"\bn = (?=\d)")
MEANING = re.compile(r"(?<![^\s(])([†‡§¶≠][¹²³⁴⁵]?) (?=\w)")  # a sign of a legend, before its meaning
# What makes a line that begins with it a list, a heading or a block.
LINE_START = re.compile(r"^(\(?(?:\d{1,9}|[A-Za-z]|[ivxlcdmIVXLCDM]+)(?=[.)] )|(?=[+:=-][ :=]))(.)")
UNKNOWN = "\ufffd"  # shown for a character that cannot be seen; the data hold none, for validation refuses it
DASHES = 84
FEWEST_DASHES = 3


def escape(text: str) -> str:
    r"""Return plain text as Markdown that shows exactly that text in one line.

    >>> print(escape("<0.001 *|* @x"))
    \<0.001 \*\|\* \@x
    """
    marked = SPECIAL.sub(r"\\\1", _one_line(text)).replace("--", r"\-\-")
    return LINE_START.sub(lambda found: rf"{found[1]}\{found[2]}", marked)


def table_markdown(table: Table) -> str:
    """Return the table as a pipe table with its caption below; values carry their source as a title."""
    lines = [_line(escape(unbroken(column.header)) for column in table.columns), _rule(table.columns)]
    headings = dict(table.groups)
    for index, (row, texts) in enumerate(zip(table.rows, table.texts(), strict=True)):
        if index in headings:
            lines.append(_heading(headings[index], len(table.columns)))
        lines.append(_line(_cell(cell, text, table) for cell, text in zip(row, texts, strict=True)))
    return "\n".join(lines) + f"\n\n: {_caption(table)}\n"


def table_plain(table: Table) -> str:
    """Return the table as aligned text for places that show no Markdown."""
    head = [column.header for column in table.columns]
    body = [[_one_line(text) for text in row] for row in table.texts()]
    widths = [max(map(_width, column)) for column in zip(head, *body, strict=True)]
    rule = "  ".join("-" * width for width in widths)
    lines = [_aligned(head, widths, table.columns), rule]
    headings = dict(table.groups)
    for index, row in enumerate(body):
        lines += [headings[index]] if index in headings else []
        lines.append(_aligned(row, widths, table.columns))
    return "\n".join([*lines, rule, *filter(None, (table.caption, table.full_note))])


def _cell(cell: Cell, shown: str, table: Table) -> str:
    text = escape(unbroken(shown))
    if not text:
        return text
    text = f"`{_one_line(cell.text)}`" if cell.code and not set("`|") & set(cell.text) else text
    link = f'<span class="see" title="{html.escape(cell.target)}"></span>' if cell.target else ""
    return f'<span class="v" title="{_title(cell, table)}">{text}</span>{link}' if cell.rows else text + link


def unbroken(text: str) -> str:
    """Return text in which a number and its short unit, ``n = 5``, an interval, and a sign stay in one line.

    >>> unbroken("2.5 mg daily, n = 5").replace(NO_BREAK, "_")
    '2.5_mg daily, n_=_5'
    >>> unbroken("17 more (316 fewer to 374 more), P <0.001").replace(NO_BREAK, "_")
    '17 more (316_fewer_to_374_more), P_<0.001'
    """
    meant = MEANING.sub(rf"\1{NO_BREAK}", text)
    kept = SIGNED.sub(NO_BREAK, N_IS.sub(f"n{NO_BREAK}={NO_BREAK}", meant))
    return BRACKET.sub(_whole, UNIT.sub(NO_BREAK, kept))


def told_small(legend: str) -> str:
    """Return the meaning of signs, to stand behind a sentence, in a span that a page may set smaller.

    >>> told_small("§ from outside").replace(NO_BREAK, "_"), told_small("")
    (' <span class="signs">(§_from outside.)</span>', '')
    """
    return f' <span class="signs">({escape(unbroken(legend))}.)</span>' if legend else ""


def _whole(bracket: re.Match[str]) -> str:
    """Return brackets with a number in them so that they stay in one line."""
    return bracket[0].replace(" ", NO_BREAK) if any(map(str.isdigit, bracket[0])) else bracket[0]


def _title(cell: Cell, table: Table) -> str:
    named = origin(cell.rows, table.places)
    said = ". ".join(filter(None, (named, " ".join(table.reasons(cell)))))
    return html.escape(_one_line(said).replace("|", "/"))


def origin(rows: Iterable[str], places: Mapping[str, str]) -> str:
    """Return where values come from, as the pages read it: each place once, with its data rows at the end.

    >>> origin(["a-c001", "a-c002", "b-c001"], {"a-c001": "A study · Table 1", "a-c002": "A study · Table 1"})
    'A study · Table 1 · rows a-c001, a-c002; row b-c001'
    """
    found: dict[str, list[str]] = {}
    for row in dict.fromkeys(rows):
        found.setdefault(places.get(row, ""), []).append(row)
    named = ((place, f"row{'s' * (len(some) > 1)} {', '.join(some)}") for place, some in found.items())
    return "; ".join(" · ".join(filter(None, one)) for one in named)


def _caption(table: Table) -> str:
    note = escape(unbroken(table.full_note))
    return escape(unbroken(table.caption)) + (f' <span class="note">{note}</span>' if note else "")


def _heading(text: str, columns: int) -> str:
    return _line([f"**{escape(unbroken(text))}**" if text else "", *[""] * (columns - 1)])


def _rule(columns: Sequence[Column]) -> str:
    total = sum(column.width for column in columns) or 1.0
    return _line((_dashes(column, column.width / total) for column in columns), pad="")


def _dashes(column: Column, share: float) -> str:
    dashes = "-" * max(FEWEST_DASHES, round(DASHES * share) - 2)
    start = ":" if column.align in ("left", "center") else "-"
    end = ":" if column.align in ("right", "center") else "-"
    return start + dashes + end


def _line(cells: Iterable[str], pad: str = " ") -> str:
    return f"|{'|'.join(f'{pad}{cell}{pad}' for cell in cells)}|"


def _aligned(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    fitted = zip(cells, widths, columns, strict=True)
    return "  ".join(_fit(cell, width, column) for cell, width, column in fitted).rstrip()


def _fit(text: str, width: int, column: Column) -> str:
    gap = " " * (width - _width(text))
    return gap + text if column.align == "right" else text + gap


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(char) else 1 for char in text)


def _one_line(text: str) -> str:
    return UNSEEN.sub(UNKNOWN, " ".join(BLANKS.split(text.strip())))
