"""What counts once: of all printings of one result, the one that analyses take."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from evidence.data.frame import text

# Week 6 and day 42 are the same time; months are not a fixed number of days.
EXACT_UNITS = {"week": (7, "day"), "year": (12, "month")}

TIERS = ("primary", "secondary", "registry", "vendor")
BASES = ("printed", "derived", "assumed")

SHARED = ("study_id", "outcome_id", "category", "subgroup", "level", "analysis_set")
COUNT_KEY = (*SHARED, "arm_id")
MEASUREMENT_KEY = (*SHARED, "arm_id", "statistic")
TEST_KEY = (*SHARED, "arms", "adjusted")

COUNT_FIGURES = ("events", "n")
MEASUREMENT_FIGURES = ("value", "spread", "low", "high", "n")
TEST_FIGURES = ("p", "statistic", "df", "effect", "low", "high", "test_label")


def result_keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Hashable, ...]]:
    """Return what result each row prints: the columns, and the time or, where it has none, its label."""
    return list(zip(*(frame[name].tolist() for name in columns), _moments(frame), strict=True))


def mark_counted(frame: pd.DataFrame, key: Sequence[str], figures: Sequence[str]) -> pd.DataFrame:
    """Return the frame with ``counted`` and ``same_as``.

    Of the rows with one result key the best counts: by tier primary, secondary, registry, vendor; then
    with the most of ``figures`` filled in; then with the fewest of them limits such as <0.05; then by basis
    printed, derived, assumed; then those whose n is not inferred; then the earliest. ``same_as`` is the
    ``row_id`` of the counted printing, empty on the counted row itself.
    """
    order = _order(frame, figures)
    best: dict[tuple[Hashable, ...], int] = {}
    keys = result_keys(frame, key)
    for place in order:
        best.setdefault(keys[place], place)
    row_ids = frame["row_id"].tolist()
    winners = [best[one] for one in keys]
    counted = np.array([winner == place for place, winner in enumerate(winners)], dtype=bool)
    same_as = ["" if own else row_ids[winner] for own, winner in zip(counted, winners, strict=True)]
    return frame.assign(counted=counted, same_as=text(same_as))


def _order(frame: pd.DataFrame, figures: Sequence[str]) -> list[int]:
    """Return the places of the rows from the best printing to the worst; equals keep file order."""
    tiers = [TIERS.index(tier) for tier in frame["tier"].tolist()]
    filled = [-sum(row) for row in zip(*(_filled(frame[name]) for name in figures), strict=True)]
    bases = [BASES.index(basis) for basis in frame["basis"].tolist()] if "basis" in frame else tiers
    exact = [-sum(row) for row in zip(*(_exact(frame[name]) for name in figures), strict=True)]
    inferred = [basis == "derived" for basis in frame["n_basis"].tolist()] if "n_basis" in frame else tiers
    ranks = list(zip(tiers, filled, exact, bases, inferred, strict=True))
    return sorted(range(len(frame)), key=ranks.__getitem__)


def _filled(column: pd.Series) -> list[bool]:
    return [value is not pd.NA and value != "" for value in column.tolist()]


def _exact(column: pd.Series) -> list[bool]:
    """Return which figures are more than a limit: 0.009 says more than <0.05."""
    return [not str(value).startswith(("<", ">", "≤", "≥")) for value in column.tolist()]


def _moments(frame: pd.DataFrame) -> list[tuple[Hashable, ...]]:
    since = frame["from_time"].tolist() if "from_time" in frame else [np.nan] * len(frame)
    columns = (frame[name].tolist() for name in ("time", "time_unit", "time_label"))
    return [_moment(*row) for row in zip(*columns, since, strict=True)]


def _moment(time: float, unit: str, label: str, since: float) -> tuple[Hashable, ...]:
    start = None if np.isnan(since) else since
    if np.isnan(time):
        return (None, "", label, start)
    factor, common = EXACT_UNITS.get(unit, (1, unit))
    return (time * factor, common, "", start)
