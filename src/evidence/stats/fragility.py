"""How few patients with another outcome take a difference between two groups out of significance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import confidence, counts

Arm = tuple[int, int]
MOST = 5_000  # patients of an arm: they are changed one by one, each time through all tables of the margins
AS_LIKELY = 1 + 1e-7  # tables whose probabilities differ by less are equally likely, as in R


@dataclass(frozen=True, slots=True)
class Fragility:
    """Patients whose outcome would have to be another one before P reaches ``alpha``; 0 where it is there.

    ``index`` are patients without an event, in the arm where fewer have one, who would have to have it;
    ``other`` patients with an event, in the other arm, who would have to have none. ``p`` is that of the
    counts as they are. A number is None where even every patient of the arm would not be enough.
    """

    index: int | None
    other: int | None
    p: float
    alpha: float

    @property
    def fewest(self) -> int | None:
        """Return the smaller of the two numbers."""
        return min((one for one in (self.index, self.other) if one is not None), default=None)


def fragility(e1: Any, n1: Any, e0: Any, n0: Any, *, alpha: float = 0.05) -> Fragility:
    """Return the fragility of ``e1 / n1`` against ``e0 / n0`` by Fisher's exact test, two-sided.

    The index adds events, at the same number of patients, to the arm in which they are rarer until P is at
    least ``alpha``. Walsh and others add them to the arm that has fewer of them, which in groups of equal
    size is the same arm; in groups of other sizes, their rule could make the difference larger.

    Raises:
        StatisticsError: for unusable counts, arms too large to go through, or an alpha outside 0 to 1.

    Source: Walsh and others, Journal of Clinical Epidemiology 2014;67:622-628.

    >>> fragility(15, 40, 6, 40).index, fragility(10, 40, 6, 40).index
    (1, 0)
    """
    one, none = counts(e1, n1, "e1", "n1"), counts(e0, n0, "e0", "n0")
    alpha = confidence(alpha)
    if max(one[1], none[1]) > MOST:
        raise StatisticsError(f"an arm has more than {MOST:,} patients: too many to go through one by one")
    rare, common = (one, none) if one[0] * none[1] < none[0] * one[1] else (none, one)
    index = _changes(rare[1] - rare[0], lambda k: _p((rare[0] + k, rare[1]), common), alpha)
    other = _changes(common[0], lambda k: _p(rare, (common[0] - k, common[1])), alpha)
    return Fragility(index, other, _p(rare, common), alpha)


def _changes(most: int, p_after: Callable[[int], float], alpha: float) -> int | None:
    return next((k for k in range(most + 1) if p_after(k) >= alpha), None)


def _p(one: Arm, none: Arm) -> float:
    """Return the two-sided P of Fisher's exact test: a hundred in the time of one call of SciPy's."""
    (a, n), (c, m) = one, none
    events = a + c
    x = np.arange(max(0, events - m), min(n, events) + 1)
    cells = np.array([x, n - x, events - x, m - events + x])
    logs = -special.gammaln(cells + 1).sum(axis=0)
    shares = np.exp(logs - logs.max())
    own = shares[a - x[0]]
    return min(float(shares[shares <= own * AS_LIKELY].sum() / shares.sum()), 1.0)
