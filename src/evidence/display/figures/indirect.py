"""Direct against indirect evidence drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Unpack

import pandas as pd

from evidence.display.figures.draw import Interval, Panel, effect_scale, nothing
from evidence.display.figures.effects import axis_words, drawn
from evidence.display.figures.treatments import plain
from evidence.display.indirect import (
    ALLOCATIONS,
    Triangle,
    loop_title,
    loops,
    measure_of,
    natural,
    ratio_text,
    studies_of,
    untold,
)
from evidence.display.labels import MEASURES, interval_words, lower_first
from evidence.display.model import Figure
from evidence.parameters import Parameters
from evidence.results import Row, Tables
from evidence.stats import Contrast
from evidence.synthesis.indirect import Loop


def direct_indirect_figure(data: Tables, parameters: Parameters, **triangle: Unpack[Triangle]) -> Figure:
    """Draw the direct and the indirect ratio of two treatments, and write direct over indirect beside them.

    See ``display.indirect.Triangle``.
    """
    found = [one for one in loops(data, parameters, triangle) if one.indirect or one.edges[0]]
    shown = measure_of(parameters, triangle)
    if not found:
        return nothing(untold(triangle))
    rows = [row for loop in found for row in _rows(loop)]
    one, none, third = (found[0].labels[triangle[name]] for name in ("treatment", "comparator", "through"))
    scale = effect_scale(shown, [value for row in rows for value in (row.low, row.high)], axis_words(shown))
    panel = Panel(rows, scale, (f"more with {lower_first(none)}", f"more with {lower_first(one)}"))
    title = (
        f"{one} against {lower_first(none)}: {lower_first(MEASURES[shown])}s, directly and through {third}."
    )
    caption = f"{title} Lines are {interval_words(parameters)}s."
    told = " ".join(f"{row.label}: {row.text}." if row.text else f"{row.label}." for row in rows)
    alt = f"Forest plot of the {lower_first(MEASURES[shown])}. {told}"
    return drawn(panel, caption, alt, _frame(found))


def _rows(loop: Loop) -> list[Interval]:
    direct = loop.edges[0]
    rows = [Interval(loop_title(loop))]
    if direct:
        said = f"Direct: {studies_of(direct)} ({ALLOCATIONS[direct.allocation].lower()})"
        rows.append(_interval(said, direct.effect, 0))
    if loop.indirect:
        through = " and ".join(studies_of(edge) for edge in loop.edges[1:] if edge)
        rows.append(_interval(f"Indirect: {through}", loop.indirect, 1))
    if loop.difference:
        rows.append(Interval("Direct over indirect", text=ratio_text(loop.difference)))
    return rows


def _interval(label: str, contrast: Contrast, series: int) -> Interval:
    estimate, low, high = natural(contrast)
    return Interval(label, estimate, low, high, ratio_text(contrast), style=plain(series))


def _frame(found: Sequence[Loop]) -> pd.DataFrame:
    rows: list[Row] = []
    for one in found:
        direct = one.edges[0].effect if one.edges[0] else None
        for name, contrast in (
            ("direct", direct),
            ("indirect", one.indirect),
            ("direct over indirect", one.difference),
        ):
            estimate, low, high = natural(contrast) if contrast else (math.nan,) * 3
            rows.append({"result": loop_title(one), "comparison": name, "measure": one.measure,
                         "estimate": estimate, "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows)
