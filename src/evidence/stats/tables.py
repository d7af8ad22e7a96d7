"""Tests on one table of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from evidence.errors import StatisticsError
from evidence.memo import kept
from evidence.stats._checks import (
    MOST,
    Floats,
    chosen,
    column,
    counts,
    finite,
    number,
    positive,
    same_length,
)
from evidence.stats.results import TestResult

Correction = Literal["none", "yates", "n-1"]

EXACT_UP_TO = 10**8  # counts in all; log factorials of more have too few digits after the point


def counts_table(table: ArrayLike) -> Floats:
    """Return a table of whole numbers, at least 2 x 2, as an array; refuse anything else."""
    cells = finite(table, "table")
    if cells.ndim != 2 or min(cells.shape) < 2:
        raise StatisticsError(f"the table has shape {cells.shape}: give at least two rows and two columns")
    if (cells < 0).any() or (cells != np.floor(cells)).any():
        raise StatisticsError("the table holds a negative number or a fraction: give whole counts")
    if cells.max() > MOST:
        raise StatisticsError(f"the table holds a count beyond {MOST:.0e}: correct it")
    return cells


def exact_counts(table: ArrayLike) -> Floats:
    """Return a table as ``counts_table`` does; refuse one too large for an exact test."""
    cells = counts_table(table)
    if cells.sum() > EXACT_UP_TO:
        raise StatisticsError(
            f"the table counts {cells.sum():.0e}: an exact test loses its digits there; use chi_square"
        )
    return cells


def without_empty(cells: Floats) -> Floats:
    """Return the table without its all-zero rows and columns."""
    return cells[cells.any(axis=1)][:, cells.any(axis=0)]


def _testable(table: ArrayLike) -> Floats:
    cells = without_empty(counts_table(table))
    if min(cells.shape, default=0) < 2:
        raise StatisticsError("all counts are in one row or one column: there is nothing to compare")
    return cells


def _expected(cells: Floats) -> Floats:
    """Return the counts that independence leads one to expect, given the margins."""
    return np.asarray(cells.sum(axis=1, keepdims=True) * cells.sum(axis=0) / cells.sum())


def _freedom(cells: Floats) -> int:
    rows, columns = cells.shape
    return int((rows - 1) * (columns - 1))


def _small_counts(cells: Floats) -> str:
    """Return Cochran's warning: any expected count below 1, or more than a fifth of them below 5."""
    expected = _expected(cells)
    small = int((expected < 5).sum())
    if expected.min() >= 1 and small <= 0.2 * cells.size:
        return ""
    few = f"{small} of {cells.size} expected counts are below 5 (smallest {expected.min():.2g})"
    return f"{few}: prefer an exact test"


def chi_square(table: ArrayLike, *, correction: Correction = "none") -> TestResult:
    """Test independence in an r x c table by Pearson's chi-square.

    Args:
        table: whole counts, arms in rows and categories in columns (or the reverse).
        correction: ``none``; ``yates`` (2 x 2 only: deviations shrink by 0.5, at most to 0); ``n-1`` (the
            statistic times (N-1)/N, Campbell, Statistics in Medicine 2007;26:3661-3675).

    Returns:
        Statistic, degrees of freedom and P; a warning where expected counts are small (Cochran's rule).
        All-zero rows and columns are left out.

    Raises:
        StatisticsError: when the table holds no comparison, or Yates is asked of more than 2 x 2.

    The example is R's ``chisq.test(matrix(c(3, 10, 9, 4), 2), correct = FALSE)``.

    >>> result = chi_square([[3, 9], [10, 4]])
    >>> round(result.statistic, 4), round(result.p, 5)
    (5.5714, 0.01826)
    """
    cells = _testable(table)
    if chosen(correction, ("none", "yates", "n-1"), "correction") == "yates" and cells.shape != (2, 2):
        raise StatisticsError("Yates' correction is for 2 x 2 tables: use correction='none'")
    expected = _expected(cells)
    # Yates moves every count by one half towards what is expected, but not past it.
    most = 0.5 if correction == "yates" else 0.0
    moved = cells + np.clip(expected - cells, -most, most)
    terms = (moved - expected) ** 2 / expected
    factor = (cells.sum() - 1) / cells.sum() if correction == "n-1" else 1.0
    statistic, df = float(np.ravel(terms).sum()) * factor, _freedom(cells)
    p = chi_square_p(statistic, df)
    return TestResult(statistic, df, p, _CHI_SQUARE[correction], _small_counts(cells))


_CHI_SQUARE = {
    "none": "Pearson chi-square test",
    "yates": "chi-square test with Yates' correction",
    "n-1": "N-1 chi-square test",
}


def chi_square_p(statistic: float, df: float) -> float:
    """Return the upper tail of the chi-square distribution.

    >>> round(chi_square_p(3.841459, 1), 5)
    0.05
    """
    value, freedom = number(statistic, "chi-square"), positive(df, "df")
    if value < 0:
        raise StatisticsError(f"chi-square is {value}: give at least 0")
    if value == 0:
        return 1.0
    # Of so few degrees of freedom that half of them is no number, all that there is lies at 0.
    return float(special.chdtrc(freedom, value)) if freedom / 2 else 0.0


def likelihood_ratio(table: ArrayLike) -> TestResult:
    """Test independence in an r x c table by the likelihood-ratio chi-square (G).

    Args:
        table: whole counts; all-zero rows and columns are left out.

    Raises:
        StatisticsError: when the table holds no comparison.
    """
    cells = _testable(table)
    terms = 2.0 * special.xlogy(cells, cells / _expected(cells))
    statistic, df = max(float(np.ravel(terms).sum()), 0.0), _freedom(cells)
    p = chi_square_p(statistic, df)
    return TestResult(statistic, df, p, "likelihood-ratio chi-square test", _small_counts(cells))


def fisher_exact(table: ArrayLike) -> TestResult:
    """Test a 2 x 2 table by Fisher's exact test.

    Two-sided: the total probability of all tables, with the same margins, that are no more likely than the
    one observed. A table with an empty margin has P = 1.

    Raises:
        StatisticsError: when the table is not 2 x 2 whole counts.

    The example is Fisher's tea tasting (The Design of Experiments, 1935): 34/70.

    >>> round(fisher_exact([[3, 1], [1, 3]]).p, 6)
    0.485714
    """
    cells = exact_counts(table)
    if cells.shape != (2, 2):
        raise StatisticsError(f"the table is {cells.shape}, not 2 x 2: use fisher_freeman_halton")
    p = kept("fisher", lambda: cells.tolist(), lambda: _fisher_p(cells))
    return TestResult(None, None, min(p, 1.0), "Fisher's exact test")


def _fisher_p(cells: Floats) -> float:
    from scipy import stats  # takes half a second to load

    return float(stats.fisher_exact(cells.astype(int)).pvalue)


def cochran_armitage(
    events: Sequence[Any], n: Sequence[Any], *, scores: Sequence[float] | None = None
) -> TestResult:
    """Test a trend of proportions over ordered groups.

    Args:
        events: events in each group, in order.
        n: patients in each group.
        scores: the groups' places on the scale; 0, 1, 2, ... by default.

    Returns:
        The chi-square for trend on 1 degree of freedom: with N, not N-1, in the variance, as R's
        ``prop.trend.test``.

    Raises:
        StatisticsError: when the scores or the outcomes do not vary.

    Sources: Cochran, Biometrics 1954;10:417-451; Armitage, Biometrics 1955;11:375-386. The example is R's own
    (``?prop.trend.test``, smokers).

    >>> result = cochran_armitage([83, 90, 129, 70], [86, 93, 136, 82])
    >>> round(result.statistic, 4), round(result.p, 6)
    (8.2249, 0.004132)
    """
    pairs = [counts(*pair) for pair in zip(*same_length(events, n), strict=True)]
    x = column(np.arange(len(pairs)) if scores is None else scores, "scores")
    same_length(pairs, x)
    e, total = np.array(pairs, dtype=np.float64).T
    statistic = _trend(e, total, x - np.average(x, weights=total))
    return TestResult(statistic, 1, chi_square_p(statistic, 1), "Cochran-Armitage test for trend")


def _trend(e: Floats, n: Floats, centred: Floats) -> float:
    share = e.sum() / n.sum()
    variance = share * (1 - share) * (n * centred**2).sum()
    if not variance:
        raise StatisticsError("the scores or the outcomes are all the same: there is no trend to test")
    return float((e * centred).sum() ** 2 / variance)
