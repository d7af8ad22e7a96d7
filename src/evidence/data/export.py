"""Tables as CSV for readers: a text that a spreadsheet would run as a formula is shown as text instead.

The files below ``data/`` hold what documents print, unchanged. A download opens in a spreadsheet at a click,
and there a text such as ``=1+1`` runs. Such a text gets an apostrophe in front, as spreadsheets mark text; so
does one that has it already, so that taking one apostrophe away always gives the text back.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

# A sign in front of figures and what stands between them is a number or an interval, not a formula.
FIGURES = re.compile(r"[+-](?:[\d\s.,;:%()/±×·⁰¹²³⁴⁵⁶⁷⁸⁹–−+-]|to|and|per)*")
FORMULA = re.compile(r"'*(?:[=@](?=.)|[+-](?=\S)|[\t\r])", re.DOTALL)


def harmless(text: str) -> str:
    """Return a text as a spreadsheet shows it and does not run it.

    >>> harmless("=1+1"), harmless("-0.5 (-1.2 to 0.3)"), harmless("+ drug")
    ("'=1+1", '-0.5 (-1.2 to 0.3)', '+ drug')
    """
    return f"'{text}" if FORMULA.match(text) and not FIGURES.fullmatch(text) else text


def literal(text: str) -> str:
    """Return the text that ``harmless`` was given.

    >>> literal(harmless("=1+1")), literal("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text[:1] == "'" and FORMULA.match(text[1:]) else text


def as_csv(frame: pd.DataFrame, *, float_format: str | None = None) -> str:
    """Return a table as CSV with LF line ends, every text in it harmless to spreadsheets."""
    texts = {name: frame[name].map(_harmless) for name in frame.columns if _may_hold_text(frame[name])}
    safe = frame.assign(**texts).rename(columns=lambda name: harmless(str(name)))
    return str(safe.to_csv(index=False, lineterminator="\n", float_format=float_format))


def _may_hold_text(column: pd.Series) -> bool:
    return bool(pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column))


def _harmless(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
