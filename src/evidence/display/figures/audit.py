"""The audit at a glance: how many checks of each family found figures that do not fit, by study."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.data import Dataset
from evidence.display import theme
from evidence.display.figures.draw import WIDE, canvas, nothing
from evidence.display.labels import joined, study_label
from evidence.display.marks import findings_of
from evidence.display.model import Figure
from evidence.display.tables.audit import families, family_counts
from evidence.parameters import Parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Grid = NDArray[np.float64]
MOST_STUDIES = 3  # columns with a name; the width of a page has no room for more
ROW, HEAD = 0.31, 0.75  # inches
NAME_WIDTH, NARROW_NAME = 15, 9  # characters in a line of a study's name
SMALL = 335.0  # points: the width for narrow screens, as five columns need
SHARED, OTHERS = "Several or no study", "other studies"
EDGE = 0.02  # of a cell's width, from its border to its outline
DARK = 0.75  # of the deepest colour: from here on white numbers have more contrast than dark ones


def audit_figure(data: Dataset, parameters: Parameters) -> Figure:
    """Draw a heat map of check families by study: figures that do not fit, of all checks made."""
    frame = _by_column(family_counts(findings_of(data, parameters)), data)
    caption = (
        "Checks that found figures which do not fit, of all checks made, by kind of check and study. "
        "The stronger the colour, the more do not fit; an empty cell: nothing of the kind is printed."
    )
    if frame.empty:
        return nothing(caption)
    odd, checked = (_grid(frame, name) for name in ("odd", "checked"))
    order = [name for name in families() if name in odd.index]
    columns = list(dict.fromkeys(frame["column"]))
    odd, checked = odd.loc[order, columns], checked.loc[order, columns]

    with theme.themed():
        wide, narrow = (_drawn(odd, checked, width) for width in (WIDE, SMALL))
    sums = frame.groupby("column")[["odd", "checked"]].transform("sum").add_suffix("_of_column")
    return Figure(wide, caption, _alt(odd, checked), frame.join(sums), narrow=(narrow,))


def _drawn(odd: pd.DataFrame, checked: pd.DataFrame, width: float) -> Canvas:
    figure, (axis,) = canvas(HEAD + ROW * len(odd), width=width / 72)
    _draw(axis, odd, checked, beside=width == WIDE)
    return figure


def _grid(frame: pd.DataFrame, values: str) -> pd.DataFrame:
    """Return families by columns; NaN where nothing was checked."""
    grid = frame.groupby(["family", "column"], sort=False)[values].sum().unstack()
    return grid.astype("float64")


def _by_column(counts: pd.DataFrame, data: Dataset) -> pd.DataFrame:
    """Return the counts with the column each belongs to: studies with most doubts, then all others."""
    own = counts[counts["study_id"] != ""]
    doubts = own.groupby("study_id")[["odd", "checked"]].sum()
    doubts = doubts.sort_values(["odd", "checked"], ascending=False, kind="stable")
    named = list(doubts[doubts["odd"] > 0].index[:MOST_STUDIES])
    rest = len(doubts) - len(named)
    names = {study: study_label(data, study) for study in named} | {"": SHARED}
    columns = counts["study_id"].map(lambda study: names.get(study, f"{rest} {OTHERS}"))
    order = {name: place for place, name in enumerate([*(names[one] for one in named), f"{rest} {OTHERS}"])}
    made = counts.assign(column=columns, place=columns.map(lambda name: order.get(name, len(order))))
    return made.sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)


def _draw(axis: Axes, odd: pd.DataFrame, checked: pd.DataFrame, *, beside: bool) -> None:
    """Draw the cells; ``beside`` each other is room for words, else for a fraction."""
    import seaborn as sns

    depth = odd.fillna(0.0) ** 0.5  # so that one doubt shows beside twenty
    deepest = max(float(depth.to_numpy().max()), 1.0)
    colours = sns.light_palette(theme.STYLES[0].color, as_cmap=True)
    look = {"cmap": colours, "vmin": 0.0, "vmax": deepest, "linewidths": 1.5, "linecolor": theme.PAPER}
    sns.heatmap(depth, mask=checked.isna(), cbar=False, ax=axis, **look)
    _outline(axis, checked.to_numpy())
    _write(axis, odd.to_numpy(), checked.to_numpy(), depth.to_numpy() / deepest, " of " if beside else "/")
    axis.set(xlabel="", ylabel="")
    axis.xaxis.tick_top()
    axis.tick_params(length=0, left=False, top=False)
    most = NAME_WIDTH if beside else NARROW_NAME
    names = [textwrap.fill(str(name), most, break_long_words=False) for name in odd.columns]
    axis.set_xticklabels(names, rotation=0)
    axis.set_yticklabels([f"{name[:1].upper()}{name[1:]}" for name in odd.index.map(str)], rotation=0)


def _outline(axis: Axes, checked: Grid) -> None:
    """Draw the edge of every cell that has checks, so that none is taken for an empty one in the dark."""
    from matplotlib.patches import Rectangle

    for row, column in np.argwhere(~np.isnan(checked)).tolist():
        place = (column + EDGE, row + 2 * EDGE)
        axis.add_patch(
            Rectangle(place, 1 - 2 * EDGE, 1 - 4 * EDGE, fill=False, edgecolor=theme.MUTED, linewidth=0.5)
        )


def _write(axis: Axes, odd: Grid, checked: Grid, depth: Grid, between: str) -> None:
    """Write doubts in bold, and white where the cell is dark; numbers without a doubt are muted."""
    for row, column in np.argwhere(~np.isnan(checked)).tolist():
        doubts, of = int(odd[row, column]), int(checked[row, column])
        ink = theme.INK if doubts else theme.MUTED
        axis.text(
            column + 0.5,
            row + 0.5,
            f"{doubts}{between}{of:,}",
            ha="center",
            va="center",
            color=theme.PAPER if depth[row, column] > DARK else ink,
            weight="bold" if doubts else "normal",
        )


def _alt(odd: pd.DataFrame, checked: pd.DataFrame) -> str:
    said = []
    for name in odd.columns:
        doubts = odd[name].dropna().astype(int)
        parts = [f"{family} {n}" for family, n in doubts[doubts > 0].items()]
        total = f"{int(doubts.sum())} of {int(checked[name].sum()):,} checks"
        said.append(f"{name}: {total}{f' ({joined(parts)})' if parts else ''}.")
    return f"Heat map of checks that found figures which do not fit. {' '.join(said)}"
