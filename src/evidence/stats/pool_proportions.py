"""Proportions of several studies summarised on the logit scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy import special

from evidence.stats import binomial_normal
from evidence.stats._checks import Floats, chosen, confidence, counts, normal_quantile, same_length
from evidence.stats.pool import IntervalMethod, pool
from evidence.stats.proportion import proportion
from evidence.stats.tau2 import Tau2Method

ProportionPooling = Literal["GLMM", "logit"]

NOT_ESTIMABLE = "heterogeneity cannot be estimated: exact interval of the total"
TWO_STUDIES = "two studies: show them side by side; the spread between them is hardly known, nor the interval"


@dataclass(frozen=True, slots=True)
class PooledProportion:
    """The proportion in the median study, between 0 and 1.

    ``tau2`` is the variance of the studies' logits, NaN where it cannot be estimated; ``pi_low`` and
    ``pi_high`` bound the proportion expected in a new study; ``centre`` says in words what ``estimate`` is;
    ``correction`` what was added to the counts.
    """

    estimate: float
    low: float
    high: float
    tau2: float
    pi_low: float
    pi_high: float
    k: int
    events: int
    n: int
    method: str
    level: float
    centre: str
    correction: str
    warnings: tuple[str, ...]


def pool_proportions(
    events: Sequence[Any],
    n: Sequence[Any],
    *,
    method: ProportionPooling = "GLMM",
    level: float = 0.95,
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "Wald",
) -> PooledProportion:
    """Summarise the proportions of k studies.

    Args:
        events: events in each study.
        n: patients in each study.
        method: ``GLMM`` (binomial-normal model by maximum likelihood, no correction of zero or full studies)
            or ``logit`` (inverse variance on logits; 0.5 is added to both cells of zero and full studies).
        level: confidence level between 0 and 1.
        tau2: estimator of the variance of logits, for ``logit`` only.
        ci: interval method, for ``logit`` only; that of the GLMM is Wald's on the logit scale.

    Returns:
        The back-transformed centre of the logits: the proportion in the median study, which is not the
        average proportion when studies differ. With one study, or when no study or every study has only
        events, it is the total with its Clopper-Pearson interval.

    Raises:
        StatisticsError: for unusable counts; under GLMM also when every study is at 0 or 1 but not all on
            one side, because then the spread has no finite estimate.

    Source: Stijnen, Hamza and Ozdemir, Statistics in Medicine 2010;29:3046-3067. The example is
    ``dat.pritz1997`` of the R package metadat: ``rma.glmm(measure = "PLO", xi = xi, ni = ni)`` gives 0.798
    (0.692 to 0.875).

    >>> events = [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6]
    >>> n = [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10]
    >>> result = pool_proportions(events, n)
    >>> round(result.estimate, 3), round(result.low, 3), round(result.high, 3)
    (0.798, 0.692, 0.875)
    """
    chosen(method, ("GLMM", "logit"), "method")
    level = confidence(level)
    pairs = [counts(*pair) for pair in zip(*same_length(events, n), strict=True)]
    e, total = np.array(pairs, dtype=np.float64).T
    if len(pairs) == 1 or e.sum() in (0, total.sum()):
        return _total(e, total, level)
    return _glmm(e, total, level) if method == "GLMM" else _logit(e, total, level, tau2, ci)


def _total(events: Floats, n: Floats, level: float) -> PooledProportion:
    exact = proportion(events.sum(), n.sum(), level=level, method="clopper-pearson")
    which = "no study has an event" if exact.events == 0 else "every patient has the event"
    reason = "one study" if len(n) == 1 else which
    return PooledProportion(
        estimate=exact.estimate, low=exact.low, high=exact.high, tau2=math.nan, pi_low=math.nan,
        pi_high=math.nan, k=len(n), events=exact.events, n=exact.n, method="exact", level=level,
        centre="proportion of the total", correction="none", warnings=(f"{reason}: {NOT_ESTIMABLE}",),
    )  # fmt: skip


def _glmm(events: Floats, n: Floats, level: float) -> PooledProportion:
    found, z = _fit(tuple(events.tolist()), tuple(n.tolist())), normal_quantile(level)
    near, far = z * found.se, z * math.hypot(found.se, found.sd)
    ends = (found.mean, found.mean - near, found.mean + near, found.mean - far, found.mean + far)
    said = (TWO_STUDIES,) if len(n) == 2 else ()
    return _back(ends, found.sd**2, events, n, "GLMM", level, "none", said)


@lru_cache(maxsize=2048)  # the same studies are asked for at every level and under every other method
def _fit(events: tuple[float, ...], n: tuple[float, ...]) -> binomial_normal.Fit:
    return binomial_normal.fit(np.array(events), np.array(n))


def _logit(events: Floats, n: Floats, level: float, tau2: Tau2Method, ci: IntervalMethod) -> PooledProportion:
    add = np.where((events == 0) | (events == n), 0.5, 0.0)
    cases, others = events + add, n - events + add
    found = pool(np.log(cases / others), 1 / cases + 1 / others, tau2=tau2, ci=ci, level=level)
    ends = (found.estimate, found.low, found.high, found.pi_low, found.pi_high)
    correction = "0.5 added to both cells of studies at 0 or 1" if add.any() else "none"
    return _back(ends, found.tau2, events, n, "logit", level, correction, found.warnings)


def _back(
    ends: tuple[float, ...],
    tau2: float,
    events: Floats,
    n: Floats,
    method: str,
    level: float,
    correction: str,
    warnings: tuple[str, ...],
) -> PooledProportion:
    estimate, low, high, pi_low, pi_high = (float(special.expit(end)) for end in ends)
    return PooledProportion(
        estimate=estimate, low=low, high=high, tau2=tau2, pi_low=pi_low, pi_high=pi_high, k=len(n),
        events=int(events.sum()), n=int(n.sum()), method=method, level=level,
        centre="proportion in the median study", correction=correction, warnings=warnings,
    )  # fmt: skip
