"""Conditional logistic regression of treatments, stratified by study: odds ratios without normal approximation.

Given a study's events in total, those of its arms follow a product of binomials conditioned on their sum
(Fisher's noncentral hypergeometric distribution): study effects drop out, no cell is corrected.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, chosen, confidence, counts, same_length

SETTLED = 1e-10  # largest gradient, in events, at which Newton's method ends
STEPS = 200
FAR = 25.0  # log odds ratio beyond which nothing changes any more: the estimate is infinite
INFINITE = 15.0  # a log odds ratio that large (3 million) is on its way to infinity


@dataclass(frozen=True, slots=True)
class ConditionalEffects:
    """Common odds ratios between all treatments, natural scale, the row's against the column's.

    ``low`` and ``high`` are profile-likelihood limits and ``p`` is the likelihood-ratio test; an estimate can
    be 0 or infinite, and then so is one limit. ``se`` is that of the log odds ratio (NaN where that is
    infinite). ``k`` counts the studies with information.
    """

    reference: str
    treatments: tuple[str, ...]
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    log_likelihood: float
    k: int
    level: float
    method: str

    def frame(self) -> pd.DataFrame:
        """Return one row per ordered pair: ``treatment1, treatment0, estimate, low, high, se, p``."""
        rows = [
            (one, none, *(float(part[i, j]) for part in (self.estimate, self.low, self.high, self.se, self.p)))
            for i, one in enumerate(self.treatments)
            for j, none in enumerate(self.treatments)
            if i != j
        ]
        names = ["treatment1", "treatment0", "estimate", "low", "high", "se", "p"]
        return pd.DataFrame(rows, columns=names)


def conditional_logistic(
    study: Iterable[Hashable],
    treatment: Iterable[Hashable],
    events: Iterable[Any],
    n: Iterable[Any],
    *,
    reference: str,
    level: float = 0.95,
) -> ConditionalEffects:
    """Estimate common odds ratios between treatments, conditional on each study's events.

    Args:
        study: the study of each arm; studies of any number of arms.
        treatment: its treatment.
        events: its events.
        n: its patients.
        reference: the treatment listed first in the result.
        level: confidence level between 0 and 1.

    Returns:
        The conditional maximum-likelihood estimates, exact in that no cell is too small for the likelihood; the
        profile-likelihood intervals still take the deviance as chi-square.

    Raises:
        StatisticsError: for unusable counts, or treatments that no informative study connects.

    Source: Breslow and Day, Statistical Methods in Cancer Research I, IARC 1980, section 7.2.

    For one study the estimate is Fisher's; R's ``fisher.test`` gives 6.408309 for 3/4 against 1/4.

    >>> result = conditional_logistic(["s", "s"], ["b", "a"], [3, 1], [4, 4], reference="a")
    >>> round(float(result.estimate[1, 0]), 6)
    6.408309
    """
    strata, nodes = _strata(study, treatment, events, n)
    chosen(reference, nodes, "reference")
    order = (reference, *(node for node in nodes if node != reference))
    problem = _Problem(tuple(_placed(stratum, order) for stratum in strata), len(order))
    best = _maximum(problem, np.zeros(len(order)), fixed=(0,))
    deviance = special.chdtri(1, 1 - confidence(level))
    size = (len(order), len(order))
    estimate, se, low, high, p = (np.full(size, fill) for fill in (1.0, np.nan, 1.0, 1.0, np.nan))
    errors = _standard_errors(problem, best.beta)
    for i, j in zip(*np.tril_indices(len(order), -1), strict=True):
        value = best.beta[i] - best.beta[j]
        log_or = value if abs(value) < INFINITE else np.copysign(np.inf, value)
        limits = _profile(problem, best, (i, j), float(log_or), float(deviance))
        chance = float(special.chdtrc(1, max(0.0, 2 * (best.value - _at(problem, best, (i, j), 0.0)))))
        for row, column, sign in ((i, j, 1.0), (j, i, -1.0)):
            estimate[row, column] = np.exp(sign * log_or)
            low[row, column], high[row, column] = np.sort(np.exp(sign * np.array(limits)))
            se[row, column] = errors[i, j] if np.isfinite(log_or) else np.nan
            p[row, column] = chance
    return ConditionalEffects(
        reference, order, estimate, se, low, high, p, best.value, len(strata), level, "conditional logistic"
    )
