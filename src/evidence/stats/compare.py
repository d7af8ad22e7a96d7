"""Two proportions compared: risk ratio, odds ratio, risk difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from scipy import optimize

from evidence.errors import StatisticsError
from evidence.stats._checks import chosen, confidence, counts, normal_p, normal_quantile
from evidence.stats.proportion import proportion

Measure = Literal["RR", "OR", "OR-exact", "RD"]

MOST_TABLES = 10**5  # with the same margins; the exact interval sums over all of them many times
NO_CORRECTION = "none"
EVERY_CELL = "0.5 added to every cell"
VARIANCE_ONLY = "0.5 added to every cell, in the standard error only"


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of arm 1 against arm 0 on the natural scale of its measure.

    ``correction`` says what was added to the counts ("none" otherwise); ``test`` names the test that gave
    ``p``.
    """

    estimate: float
    low: float
    high: float
    p: float
    measure: str
    method: str
    correction: str
    level: float
    e1: int
    n1: int
    e0: int
    n0: int
    test: str


class Arms(NamedTuple):
    """Events and patients of the two arms, checked."""

    e1: int
    n1: int
    e0: int
    n0: int


class _Result(NamedTuple):
    estimate: float
    low: float
    high: float
    p: float
    correction: str = NO_CORRECTION


def compare(
    e1: Any,
    n1: Any,
    e0: Any,
    n0: Any,
    *,
    measure: Measure = "RR",
    level: float = 0.95,
    method: str | None = None,
) -> Effect:
    """Compare ``e1 / n1`` with ``e0 / n0``.

    Args:
        e1: events in arm 1 (the experimental arm).
        n1: patients in arm 1.
        e0: events in arm 0 (the control arm).
        n0: patients in arm 0.
        measure: what to estimate; see the methods below.
        level: confidence level between 0 and 1.
        method: one of the measure's methods; the first is the default.

    ======== ================== ========================================== ================================
    measure  method             interval                                   P value (``test``)
    ======== ================== ========================================== ================================
    RR       katz               normal on the log scale                    Wald, log scale
    OR       woolf              normal on the log scale                    Wald, log scale
    OR-exact conditional        exact, conditional on the margins          Fisher, two-sided by probability
    RD       newcombe           hybrid score from two Wilson intervals     Pearson chi-square
    RD       miettinen-nurminen score, with the factor N/(N-1)             N-1 chi-square
    RD       wald               normal, unpooled variance, within -1 to 1  Wald
    ======== ================== ========================================== ================================

    Half an event is added to every cell only where the method has no answer without it: to RR when an arm has
    no events, or both arms only events; to OR when any cell is empty; to the standard error of the Wald RD
    when neither arm varies (the estimate stays the plain difference). A score test on arms that do not vary
    has P = 1. The exact interval has equal tails, so that at the border of significance it can disagree with
    Fisher's P.

    Returns:
        The effect on its natural scale; the odds ratio of ``OR-exact`` can be 0 or infinite.

    Raises:
        StatisticsError: for unusable arguments, and for ratios that the counts say nothing about: RR without
            events in both arms; OR without events, or without non-events, in both arms (Cochrane Handbook,
            section 10.4.4.2). Use the risk difference for these.

    Sources: Katz and others, Biometrics 1978;34:469-474; Woolf, Annals of Human Genetics 1955;19:251-253;
    Newcombe, Statistics in Medicine 1998;17:873-890 (method 10, and the example, Table II a); Miettinen and
    Nurminen, Statistics in Medicine 1985;4:213-226.

    >>> effect = compare(56, 70, 48, 80, measure="RD")
    >>> round(effect.estimate, 4), round(effect.low, 4), round(effect.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    arms = Arms(*counts(e1, n1, "e1", "n1"), *counts(e0, n0, "e0", "n0"))
    methods = _METHODS[chosen(measure, _METHODS, "measure")]
    first = next(iter(methods))
    name = chosen(first if method is None else method, methods, f"method of {measure}")
    _refuse_uninformative(arms, measure)
    compute, test = methods[name]
    level = confidence(level)
    result = compute(arms, level)
    return Effect(*result[:4], measure, name, result.correction, level, *arms, test)


def _refuse_uninformative(arms: Arms, measure: str) -> None:
    no_events = arms.e1 == arms.e0 == 0
    all_events = arms.e1 == arms.n1 and arms.e0 == arms.n0
    if measure != "RD" and (no_events or (all_events and measure != "RR")):
        which = "no events" if no_events else "only events"
        raise StatisticsError(
            f"{measure} of {arms.e1}/{arms.n1} against {arms.e0}/{arms.n0}: both arms have {which}, "
            "which says nothing about a ratio; use measure='RD'"
        )


def _cells(arms: Arms, add: float) -> tuple[float, float, float, float]:
    return arms.e1 + add, arms.n1 - arms.e1 + add, arms.e0 + add, arms.n0 - arms.e0 + add


def _from_log(log_estimate: float, se: float, level: float, correction: str) -> _Result:
    half = normal_quantile(level) * se
    limits = math.exp(log_estimate - half), math.exp(log_estimate + half)
    return _Result(math.exp(log_estimate), *limits, normal_p(log_estimate / se), correction)


def _katz(arms: Arms, level: float) -> _Result:
    needed = 0 in (arms.e1, arms.e0) or (arms.e1 == arms.n1 and arms.e0 == arms.n0)
    a, b, c, d = _cells(arms, 0.5 if needed else 0.0)
    se = math.sqrt(b / (a * (a + b)) + d / (c * (c + d)))
    log_rr = math.log(a / (a + b)) - math.log(c / (c + d))
    return _from_log(log_rr, se, level, EVERY_CELL if needed else NO_CORRECTION)


def _woolf(arms: Arms, level: float) -> _Result:
    needed = 0 in _cells(arms, 0)
    a, b, c, d = _cells(arms, 0.5 if needed else 0.0)
    se = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    log_or = math.log(a) + math.log(d) - math.log(b) - math.log(c)
    return _from_log(log_or, se, level, EVERY_CELL if needed else NO_CORRECTION)


def _conditional(arms: Arms, level: float) -> _Result:
    from scipy.stats import contingency

    from evidence.stats.tables import exact_counts, fisher_exact

    table = exact_counts([[arms.e1, arms.n1 - arms.e1], [arms.e0, arms.n0 - arms.e0]]).astype(int)
    if min(*table.sum(axis=0), *table.sum(axis=1)) > MOST_TABLES:
        raise StatisticsError(f"more than {MOST_TABLES:,} tables have these margins: use measure='OR'")
    fit = contingency.odds_ratio(table, kind="conditional")
    low, high = fit.confidence_interval(confidence_level=level)
    return _Result(float(fit.statistic), float(low), float(high), fisher_exact(table).p)


def _difference(arms: Arms) -> float:
    return arms.e1 / arms.n1 - arms.e0 / arms.n0


def _newcombe(arms: Arms, level: float) -> _Result:
    one = proportion(arms.e1, arms.n1, level=level)
    none = proportion(arms.e0, arms.n0, level=level)
    difference = _difference(arms)
    low = difference - math.hypot(one.estimate - one.low, none.high - none.estimate)
    high = difference + math.hypot(one.high - one.estimate, none.estimate - none.low)
    return _Result(difference, max(low, -1.0), min(high, 1.0), _score_p(arms, 0))


def _score_p(arms: Arms, less: int) -> float:
    total = arms.n1 + arms.n0
    share = (arms.e1 + arms.e0) / total
    variance = share * (1 - share) * (1 / arms.n1 + 1 / arms.n0) * total / (total - less)
    return normal_p(_difference(arms) / math.sqrt(variance)) if variance else 1.0


def _miettinen_nurminen(arms: Arms, level: float) -> _Result:
    difference, z = _difference(arms), normal_quantile(level)

    def excess(delta: float) -> float:
        variance = _restricted_variance(arms, delta)
        return (difference - delta) ** 2 - z**2 * variance

    low, high = _limit(excess, difference, -1.0), _limit(excess, difference, 1.0)
    return _Result(difference, low, high, _score_p(arms, 1))


def _limit(excess: Callable[[float], float], inner: float, outer: float) -> float:
    """Return where ``excess`` turns positive on the way out; at ``inner`` itself it can touch zero.

    With 10**12 patients and more the limit may lie nearer to ``inner`` than where the search starts.
    """
    if inner == outer or excess(outer) <= 0:
        return outer
    start = inner + math.copysign(1e-12, outer - inner)
    if excess(start) > 0:
        return start
    return float(optimize.brentq(excess, start, outer, xtol=1e-15, rtol=1e-14, maxiter=500))


def _restricted_variance(arms: Arms, delta: float) -> float:
    p0 = _restricted_p0(arms, delta)
    p1 = min(max(p0 + delta, 0.0), 1.0)
    total = arms.n1 + arms.n0
    return (p1 * (1 - p1) / arms.n1 + p0 * (1 - p0) / arms.n0) * total / (total - 1)


def _restricted_p0(arms: Arms, delta: float) -> float:
    """Return the maximum-likelihood p0 under ``p1 - p0 = delta`` (Miettinen and Nurminen, appendix I)."""
    total, events = arms.n1 + arms.n0, arms.e1 + arms.e0
    l2 = (arms.n1 + 2 * arms.n0) * delta - total - events
    l1 = (arms.n0 * delta - total - 2 * arms.e0) * delta + events
    l0 = arms.e0 * delta * (1 - delta)
    q = l2**3 / (3 * total) ** 3 - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    p = math.copysign(math.sqrt(max(l2**2 / (3 * total) ** 2 - l1 / (3 * total), 0.0)), q)
    cosine = min(max(q / p**3, -1.0), 1.0) if p else 0.0
    angle = (math.pi + math.acos(cosine)) / 3
    return min(max(2 * p * math.cos(angle) - l2 / (3 * total), 0.0, -delta), 1.0, 1.0 - delta)


def _wald(arms: Arms, level: float) -> _Result:
    still = arms.e1 in (0, arms.n1) and arms.e0 in (0, arms.n0)
    a, b, c, d = _cells(arms, 0.5 if still else 0.0)
    se = math.sqrt(a * b / (a + b) ** 3 + c * d / (c + d) ** 3)
    difference, half = _difference(arms), normal_quantile(level) * se
    limits = max(difference - half, -1.0), min(difference + half, 1.0)
    return _Result(difference, *limits, normal_p(difference / se), VARIANCE_ONLY if still else NO_CORRECTION)


_Compute = Callable[[Arms, float], _Result]

_METHODS: dict[str, dict[str, tuple[_Compute, str]]] = {
    "RR": {"katz": (_katz, "Wald test of the log risk ratio")},
    "OR": {"woolf": (_woolf, "Wald test of the log odds ratio")},
    "OR-exact": {"conditional": (_conditional, "Fisher's exact test")},
    "RD": {
        "newcombe": (_newcombe, "Pearson chi-square test"),
        "miettinen-nurminen": (_miettinen_nurminen, "N-1 chi-square test"),
        "wald": (_wald, "Wald test of the risk difference"),
    },
}
