"""Less usual tests of a table of counts: they explain what is printed, and decide nothing on a named test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from evidence.audit.material import Count, Material, Test, moment, part
from evidence.audit.reported import Reported
from evidence.errors import StatisticsError
from evidence.stats import chi_square, chi_square_p, cochran_armitage, fisher_freeman_halton, likelihood_ratio

Cells = Sequence[Sequence[int]]
SMALL_WORK = 50_000  # steps of an exact test that only explains


class Other(NamedTuple):
    """One less usual test: what it is called in a sentence, its statistic (NaN for none) and its P."""

    name: str
    statistic: float
    p: float


def others(test: Test, m: Material) -> tuple[Other, ...]:
    """Return every less usual test of the counts that a printed test was made from."""
    found: tuple[Other, ...] = m.remember(f"others {test.row_id}", lambda: tuple(_others(test, m)))
    return found


def that_gives(test: Test, m: Material) -> Other | None:
    """Return the first less usual test that gives the printed P and, if one is printed, the statistic."""
    return next((one for one in others(test, m) if _gives(one, test)), None)


def _gives(one: Other, test: Test) -> bool:
    if not Reported(test.p).allows(one.p):
        return False
    return not test.statistic or math.isnan(one.statistic) or Reported(test.statistic).allows(one.statistic)


def _others(test: Test, m: Material) -> Iterator[Other]:
    table = m.table(test)
    if table is None:
        return
    ordered = m.outcomes[test.outcome_id].type == "ordinal"
    yield from _safely(_of_table(table, ordered=ordered))
    finer = _finer(test, m)
    if finer is not None:
        yield from _safely(_of_three(finer))


def _safely(made: Iterator[Other]) -> Iterator[Other]:
    """Yield tests until one of them cannot be done on this table."""
    try:
        yield from made
    except StatisticsError:
        return


def _of_table(table: Cells, *, ordered: bool) -> Iterator[Other]:
    likelihood = likelihood_ratio(table)
    yield Other("the likelihood-ratio test", float(likelihood.statistic or math.nan), likelihood.p)
    if len(table[0]) == 2 and len(table) > 2:
        events, n = [row[0] for row in table], [sum(row) for row in table]
        trend = cochran_armitage(events, n)
        yield Other("a test for trend over the groups as ordered", float(trend.statistic or 0), trend.p)
    if len(table[0]) > 2:
        if ordered:
            yield from _on_ranks(table)
        yield from _collapsed(table, ordered=ordered)


def _on_ranks(table: Cells) -> Iterator[Other]:
    statistic, df = rank_statistic(table)
    name = "Mann-Whitney" if len(table) == 2 else "Kruskal-Wallis"
    yield Other(f"a rank test on the ordered classes ({name})", math.nan, chi_square_p(statistic, df))
    linear = linear_by_linear(table)
    yield Other("the linear-by-linear test", linear, chi_square_p(linear, 1))


def rank_statistic(table: Cells) -> tuple[float, int]:
    """Return the Kruskal-Wallis statistic on ordered classes, ties corrected, with its degrees of freedom.

    For two groups it is the square of the Mann-Whitney test without continuity correction.

    >>> statistic, df = rank_statistic([[3, 2, 1], [1, 2, 3]])
    >>> round(statistic, 3), df
    (1.833, 1)
    """
    cells = np.array(table, dtype=np.float64)
    sizes, classes = cells.sum(axis=1), cells.sum(axis=0)
    n = classes.sum()
    ranks = np.cumsum(classes) - (classes - 1) / 2
    means = cells @ ranks / sizes
    between = 12 / (n * (n + 1)) * (sizes * (means - (n + 1) / 2) ** 2).sum()
    ties = 1 - (classes**3 - classes).sum() / (n**3 - n)
    return float(between / ties), len(table) - 1


def linear_by_linear(table: Cells) -> float:
    """Return (N - 1) r² of group and class numbered from 0, on one degree of freedom (Mantel 1963).

    >>> round(linear_by_linear([[8, 2], [3, 7]]), 3)
    4.798
    """
    cells = np.array(table, dtype=np.float64)
    n = cells.sum()
    rows, columns = np.arange(cells.shape[0]), np.arange(cells.shape[1])
    x, y = cells.sum(axis=1) @ rows / n, cells.sum(axis=0) @ columns / n
    xx = cells.sum(axis=1) @ (rows - x) ** 2
    yy = cells.sum(axis=0) @ (columns - y) ** 2
    xy = (rows - x) @ cells @ (columns - y)
    return float((n - 1) * xy**2 / (xx * yy)) if xx and yy else math.nan


def _collapsed(table: Cells, *, ordered: bool) -> Iterator[Other]:
    """Yield chi-square tests of two classes made of several: each against the rest, or cut in order."""
    width = len(table[0])
    for place in range(width):
        two = [[row[place], sum(row) - row[place]] for row in table]
        yield _pearson(f"a test of class {place + 1} against the rest", two)
    for place in range(2, width - 1 if ordered else 2):
        two = [[sum(row[:place]), sum(row[place:])] for row in table]
        yield _pearson(f"a test of classes 1 to {place} against the others", two)


def _pearson(name: str, table: Cells) -> Other:
    made = chi_square(table)
    return Other(name, float(made.statistic or 0), made.p)


def _finer(test: Test, m: Material) -> Cells | None:
    """Return three classes for an outcome of which another is part: that part, the rest of it, neither."""
    parts = [one.outcome_id for one in m.outcomes.values() if one.parent_id == test.outcome_id]
    for name in parts if not test.category else ():
        rows = {row.arm_id: row for row in m.counts_of.get(_part_of(test, name), ()) if _at(row, test)}
        whole = m.table(test)
        if whole is not None and set(test.arm_ids) <= set(rows):
            inner = [rows[arm].events or 0 for arm in test.arm_ids]
            pairs = list(zip(inner, whole, strict=True))
            if all(one <= cells[0] for one, cells in pairs) and len(whole[0]) == 2:
                return [[one, cells[0] - one, cells[1]] for one, cells in pairs]
    return None


def _part_of(test: Test, outcome: str) -> tuple[str, str, str, str]:
    study, _, subgroup, level = part(test)
    return study, outcome, subgroup, level


def _at(row: Count, test: Test) -> bool:
    return row.events is not None and not row.category and moment(row)[:2] == moment(test)[:2]


def _of_three(table: Cells) -> Iterator[Other]:
    yield _pearson("a chi-square test of three classes (the part, the rest, none)", table)
    exact = fisher_freeman_halton([list(row) for row in table], work=SMALL_WORK)
    yield Other("an exact test of three classes (the part, the rest, none)", math.nan, exact.p)
    statistic, df = rank_statistic(table)
    yield Other(
        "a rank test of three classes (the part, the rest, none)", math.nan, chi_square_p(statistic, df)
    )
