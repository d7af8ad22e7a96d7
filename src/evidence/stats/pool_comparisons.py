"""Comparisons of two arms in several studies, summarised with the rules that keep a summary honest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evidence.errors import StatisticsError
from evidence.stats._checks import chosen, confidence, counts, listed, natural, normal_quantile, shown
from evidence.stats.compare import NO_CORRECTION, Effect, compare
from evidence.stats.pool import INTERVALS, IntervalMethod, Pooled, pool
from evidence.stats.tau2 import TAU2_METHODS, Tau2Method

PooledMeasure = Literal["RR", "OR", "RD"]
Counts = tuple[int, int, int, int]  # events and patients of arm 1, events and patients of arm 0

FEWEST_TO_POOL = 3  # two studies stand side by side: a summary of them is secondary
NO_INFORMATION = "no events, or only events, in both arms"


@dataclass(frozen=True, slots=True)
class PooledComparison:
    """The summary of k studies on the natural scale of its measure.

    ``effects`` has one entry per study given, None where its counts say nothing about the measure, and
    ``weights`` the same order in percent. ``wald_low`` and ``wald_high`` are the limits by Wald's method.
    ``pi_low`` and ``pi_high`` bound the effect expected in a new study; NaN below three studies. ``pooled``
    is the summary on the analysis scale, None for one study, which speaks for itself. ``secondary`` is true
    for two studies. ``zero_cells`` says what became of empty cells. A limit of a ratio that no floating-point
    number holds, as of two studies at a level of almost 1, is infinite.
    """

    measure: str
    estimate: float
    low: float
    high: float
    p: float
    wald_low: float
    wald_high: float
    pi_low: float
    pi_high: float
    k: int
    effects: tuple[Effect | None, ...]
    weights: tuple[float, ...]
    pooled: Pooled | None
    secondary: bool
    method: str
    zero_cells: str
    warnings: tuple[str, ...]


def pool_comparisons(
    studies: Sequence[Counts],
    *,
    measure: PooledMeasure = "RR",
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "HKSJ-adhoc",
    level: float = 0.95,
    method: str | None = None,
) -> PooledComparison:
    """Summarise the effect of arm 1 against arm 0 over studies.

    Args:
        studies: events and patients of arm 1, events and patients of arm 0, per study.
        measure: ``RR``, ``OR`` or ``RD``.
        tau2: as in ``pool``; ``FE`` has Wald's interval whatever ``ci`` is.
        ci: as in ``pool``.
        level: confidence level between 0 and 1.
        method: interval of one study's own effect, as in ``compare``.

    Returns:
        One study: its own effect. Two or more: the inverse-variance summary. Studies without events in both
        arms (for OR also without non-events) drop out of ratios and stay in the risk difference.

    Raises:
        StatisticsError: for no studies, unusable counts, or when no study informs a ratio.

    >>> found = pool_comparisons([(4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220)], ci="Wald")
    >>> found.k, round(found.estimate, 2), found.zero_cells
    (3, 0.26, 'no cell corrected')
    """
    chosen(measure, ("RR", "OR", "RD"), "measure")
    chosen(tau2, TAU2_METHODS, "tau2")
    chosen(ci, INTERVALS, "ci")
    level = confidence(level)
    effects = tuple(_effect(one, measure, level, method) for one in listed(studies, "studies"))
    informed = [effect for effect in effects if effect is not None]
    if not informed:
        raise StatisticsError(f"{measure}: no study informs it ({NO_INFORMATION}); use measure='RD'")
    if len(informed) == 1:
        return _alone(informed[0], effects)
    y, v = zip(*(_on_analysis_scale(effect) for effect in informed), strict=True)
    ci = "Wald" if tau2 == "FE" else ci
    summary, wald = (pool(y, v, tau2=tau2, ci=each, level=level) for each in (ci, "Wald"))
    return _several(summary, wald, effects, measure)


def _effect(one: Counts, measure: PooledMeasure, level: float, method: str | None) -> Effect | None:
    if len(given := listed(one, "a study")) != 4:
        raise StatisticsError(f"a study is {shown(one)}: give events and patients of both arms")
    e1, n1 = counts(given[0], given[1], "e1", "n1")
    e0, n0 = counts(given[2], given[3], "e0", "n0")
    both_alike = e1 == e0 == 0 or (measure == "OR" and e1 == n1 and e0 == n0)
    if measure != "RD" and both_alike:
        return None
    return compare(e1, n1, e0, n0, measure=measure, level=level, method=method)


def _alone(effect: Effect, effects: tuple[Effect | None, ...]) -> PooledComparison:
    nan = math.nan
    return PooledComparison(
        effect.measure, effect.estimate, effect.low, effect.high, effect.p, effect.low, effect.high, nan, nan,
        1, effects, tuple(100.0 if one is effect else 0.0 for one in effects), None, secondary=False,
        method=effect.method, zero_cells=zero_cells(effects), warnings=(),
    )  # fmt: skip


def _several(
    summary: Pooled, wald: Pooled, effects: tuple[Effect | None, ...], measure: str
) -> PooledComparison:
    weights = iter(np.asarray(summary.weights).tolist())
    few = summary.k < FEWEST_TO_POOL
    ends = (summary.estimate, summary.low, summary.high, wald.low, wald.high, summary.pi_low, summary.pi_high)
    estimate, low, high, wald_low, wald_high, pi_low, pi_high = (_natural(end, measure) for end in ends)
    return PooledComparison(
        measure, estimate, low, high, summary.p, wald_low, wald_high,
        math.nan if few else pi_low, math.nan if few else pi_high, summary.k, effects,
        tuple(0.0 if one is None else next(weights) for one in effects), summary, secondary=few,
        method=f"{summary.method}, {summary.ci}", zero_cells=zero_cells(effects), warnings=summary.warnings,
    )  # fmt: skip


def _natural(value: float, measure: str) -> float:
    """Return a value of the analysis scale as a ratio, or as a difference that does not leave -1 to 1."""
    if measure != "RD":
        return natural(value)
    return value if math.isnan(value) else min(1.0, max(-1.0, value))


def _on_analysis_scale(effect: Effect) -> tuple[float, float]:
    """Return the effect (log of a ratio) and its variance by the normal approximation."""
    wide = 2 * normal_quantile(effect.level)
    if effect.measure == "RD":
        counts = (effect.e1, effect.n1, effect.e0, effect.n0)
        return effect.estimate, _difference_variance(*counts)
    return math.log(effect.estimate), (math.log(effect.high / effect.low) / wide) ** 2


def _difference_variance(e1: int, n1: int, e0: int, n0: int) -> float:
    """Return the unpooled variance; with 0.5 in each cell where neither arm varies."""
    add = 0.5 if e1 in (0, n1) and e0 in (0, n0) else 0.0
    arms = ((e1 + add, n1 + 2 * add), (e0 + add, n0 + 2 * add))
    return sum(e * (n - e) / n**3 for e, n in arms)


def zero_cells(effects: Sequence[Effect | None]) -> str:
    """Return in words what was done about empty cells, over all studies."""
    dropped = sum(effect is None for effect in effects)
    added = [effect.correction for effect in effects if effect and effect.correction != NO_CORRECTION]
    parts = [f"{added[0]} in {_studies(len(added))}"] if added else []
    if dropped:
        parts.append(f"{_studies(dropped)} with {NO_INFORMATION} left out of the ratio")
    return "; ".join(parts) or "no cell corrected"


def _studies(count: int) -> str:
    return f"{count} {'study' if count == 1 else 'studies'}"
