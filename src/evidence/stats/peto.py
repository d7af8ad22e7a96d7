"""Peto's odds ratio: for rare events, where its conditions hold."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from evidence.errors import StatisticsError
from evidence.stats._checks import chosen, confidence
from evidence.stats.strata import CommonEffect, Strata, common_effect, read_strata

Conditions = Literal["enforce", "ignore"]

FARTHEST = 100.0  # log odds ratio; counts of a thousand million million in all cells give at most 70
RARE = 0.01  # events at most 1% (Bradburn and others, Statistics in Medicine 2007;26:53-77)
BALANCE = 2.0  # arms within 2:1: the estimate is biased in unbalanced studies
LARGE = 2.0  # odds ratio between 1/2 and 2: the estimate is biased for large effects


def peto(tables: ArrayLike, *, level: float = 0.95, conditions: Conditions = "enforce") -> CommonEffect:
    """Estimate the common odds ratio by Peto's one-step method.

    Args:
        tables: k tables ``[[events, non-events of arm 1], [events, non-events of arm 0]]``.
        level: confidence level between 0 and 1.
        conditions: ``enforce`` refuses the method where it is biased: events above 1%, arms beyond 2:1, or an
            odds ratio outside 0.5 to 2; ``ignore`` computes it all the same.

    Returns:
        The common odds ratio. No cell is corrected; studies without events drop out.

    Raises:
        StatisticsError: with the conditions that do not hold, or when no study has information.

    Source: Yusuf, Peto and others, Progress in Cardiovascular Diseases 1985;27:335-371.

    The example was checked against ``rma.peto`` of the R package metafor: 1.250 (0.338 to 4.625).

    >>> result = peto([[[3, 997], [1, 999]], [[2, 498], [3, 497]]])
    >>> round(result.estimate, 3), round(result.low, 3), round(result.high, 3)
    (1.25, 0.338, 4.625)
    """
    chosen(conditions, ("enforce", "ignore"), "conditions")
    s = read_strata(tables)
    events, none = s.a + s.c, s.b + s.d
    variance = float((s.n1 * s.n0 * events * none / (s.n**2 * (s.n - 1))).sum())
    if not variance:
        raise StatisticsError("no study has both arms and both outcomes: there is no odds ratio to estimate")
    log_ratio = float((s.a - s.n1 * events / s.n).sum()) / variance
    if abs(log_ratio) > FARTHEST:
        raise StatisticsError(f"the log odds ratio is {log_ratio:.0f}: no odds ratio is that far from 1")
    ratio = math.exp(log_ratio)
    broken = _broken(s, ratio)
    if broken and conditions == "enforce":
        raise StatisticsError(f"Peto's method is biased here: {'; '.join(broken)}; use mantel_haenszel")
    return common_effect(s, ratio, 1 / math.sqrt(variance), "OR", confidence(level), "Peto")


def _broken(s: Strata, ratio: float) -> list[str]:
    share = float((s.a + s.c).sum() / s.n.sum())
    balance = float(np.maximum(s.n1 / s.n0, s.n0 / s.n1).max())
    broken = {
        f"events are {share:.1%} of patients, more than 1%": share > RARE,
        f"the arms of a study are {balance:.1f}:1, beyond 2:1": balance > BALANCE,
        f"the odds ratio {ratio:.2f} is outside 0.5 to 2": not 1 / LARGE <= ratio <= LARGE,
    }
    return [text for text, holds in broken.items() if holds]
