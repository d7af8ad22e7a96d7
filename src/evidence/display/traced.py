"""Numbers in sentences that name the data rows behind them, as the cells of a table do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from evidence.display.documents import origins
from evidence.display.labels import joined
from evidence.display.markdown import escape, origin
from evidence.results import Tables

# A number as prose has it: signs, thousands, decimals and per cent belong to it; digits inside a name do not.
NUMBER = re.compile(r"(?<![\w.,)⁰¹²³⁴⁵⁶⁷⁸⁹–-])[−-]?\d+(?:[.,]\d+)*%?(?![\w⁰¹²³⁴⁵⁶⁷⁸⁹])")


def traced(text: str, rows: Iterable[str], data: Tables) -> str:
    """Return plain text as Markdown that says, when pointed at or reached, which data rows it comes from.

    Args:
        text: a number, or words that hold one.
        rows: ids of data rows; without any, the text is only escaped.
        data: the dataset that holds the rows.
    """
    wanted = list(rows)
    named = origin(wanted, origins(data, wanted))
    return _span(text, named) if named else escape(text)


def counted(text: str, *tables: str) -> str:
    """Return a number that this report counted itself as Markdown that says in which tables.

    >>> print(counted("18", "questions"))
    <span class="v" title="Counted in questions.csv">18</span>
    """
    return _span(text, f"Counted in {joined([f'{table}.csv' for table in tables])}")


def numbers_traced(text: str, rows: Iterable[str], data: Tables) -> str:
    """Return a plain sentence as Markdown, every number in it with the data rows that it comes from."""
    named, out, at = list(rows), [], 0
    for found in NUMBER.finditer(text):
        out += [_between(text[at : found.start()]), traced(found.group(), named, data)]
        at = found.end()
    return "".join([*out, _between(text[at:])])


def _between(text: str) -> str:
    """Return what stands between two numbers, with a space at its ends where it had some."""
    start, end = (" " if piece.isspace() else "" for piece in (text[:1], text[-1:]))
    return f"{start}{escape(text)}{end}" if text.strip() else start


def _span(text: str, title: str) -> str:
    said = html.escape(" ".join(title.split()).replace("|", "/"))
    return f'<span class="v" title="{said}">{escape(text)}</span>'
