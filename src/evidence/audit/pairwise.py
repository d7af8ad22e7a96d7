"""Comparisons of two of several groups after an analysis of variance: LSD, Bonferroni, Tukey."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scipy import special

from evidence.audit.material import Material, Measure, Test, moment, part
from evidence.audit.reported import Reported
from evidence.audit.tukey import studentized_range_p, studentized_range_quantile

Span = tuple[float, float]


class Group(NamedTuple):
    """Mean and spread of one arm, as printed, with its patients."""

    arm: str
    row: str
    mean: Reported
    spread: Reported
    n: int


class Comparison(NamedTuple):
    """One way to compare two groups: the P values and half-widths of the interval that rounding allows."""

    method: str
    p: Span
    half: Span


def groups_of(test: Test, m: Material) -> tuple[Group, ...]:
    """Return all arms with mean and standard deviation of the result that a test compares two of."""
    rows = [row for row in m.measures_of.get(part(test), ()) if moment(row) == moment(test)]
    arms = dict.fromkeys([*test.arm_ids, *(row.arm_id for row in rows)])
    groups = [group_of(arm, rows, m) for arm in arms]
    return tuple(group for group in groups if group and group.n > 1)


def group_of(arm: str, rows: Sequence[Measure], m: Material) -> Group | None:
    """Return mean and spread of an arm, from the row that prints its n where there is one."""
    own = [row for row in rows if row.arm_id == arm and row.statistic == "mean" and row.spread_label == "sd"]
    row = next((row for row in own if row.n is not None), own[0] if own else None)
    n = None if row is None else row.n if row.n is not None else m.arms[row.study_id, arm].n
    if row is None or n is None:
        return None
    return Group(arm, row.row_id, Reported(row.value), Reported(row.spread), n)


def after_anova(
    test: Test, groups: Sequence[Group], sizes: Sequence[int] | None = None
) -> Iterator[Comparison]:
    """Compare two groups with the error variance of all of them.

    Args:
        test: the printed comparison; its two arms must be among the groups.
        groups: all groups of the analysis of variance, at least three.
        sizes: patients per group; the groups' own by default.

    Yields:
        Fisher's least significant difference, Bonferroni's and, where it can be the printed one, Tukey's;
        nothing for fewer than three groups.
    """
    n = tuple(group.n for group in groups) if sizes is None else tuple(sizes)
    place = {group.arm: i for i, group in enumerate(groups)}
    if len(groups) < 3 or not set(test.arm_ids) <= set(place):
        return
    one, none = (place[arm] for arm in test.arm_ids)
    df = sum(n) - len(n)
    errors = [_error(groups, n, way) * math.sqrt(1 / n[one] + 1 / n[none]) for way in (-1.0, 1.0)]
    gap = abs(groups[one].mean.value - groups[none].mean.value)
    slack = groups[one].mean.half_unit + groups[none].mean.half_unit
    t = (max(gap - slack, 0.0) / errors[1], (gap + slack) / max(errors[0], 1e-12))
    level = test.interval_level or 0.95
    lsd, bonferroni = _comparisons(t, (errors[0], errors[1]), df, len(n), level)
    yield from (lsd, bonferroni)
    if _between(test, lsd, bonferroni):
        yield _tukey(t, (errors[0], errors[1]), df, len(n), level)


def lsd_p(arms: Sequence[str], groups: Sequence[Group], sizes: Sequence[int]) -> float:
    """Return P of Fisher's least significant difference between two arms, from the figures as printed.

    Args:
        arms: the two arms, among the groups.
        groups: all groups of the analysis of variance.
        sizes: patients per group.
    """
    one, none = (next(i for i, group in enumerate(groups) if group.arm == arm) for arm in arms)
    error = _error(groups, sizes, 0.0) * math.sqrt(1 / sizes[one] + 1 / sizes[none])
    gap = abs(groups[one].mean.value - groups[none].mean.value)
    return float(2 * special.stdtr(sum(sizes) - len(sizes), -gap / error))


def _error(groups: Sequence[Group], sizes: Sequence[int], way: float) -> float:
    """Return the root of the pooled variance with every spread moved to one end of its rounding."""
    spreads = [max(group.spread.value + way * group.spread.half_unit, 0.0) for group in groups]
    squares = sum((n - 1) * s**2 for n, s in zip(sizes, spreads, strict=True))
    return math.sqrt(squares / (sum(sizes) - len(sizes)))


def _between(test: Test, lsd: Comparison, bonferroni: Comparison) -> bool:
    """Return whether Tukey's comparison, always between these two, can be what is printed."""
    p = bool(test.p) and Reported(test.p).allows(lsd.p[0], bonferroni.p[1])
    interval = bool(test.low and test.high) and gives_interval(test, (lsd.half[0], bonferroni.half[1]))
    return p or interval


def _comparisons(t: Span, error: Span, df: int, groups: int, level: float) -> tuple[Comparison, Comparison]:
    low, high = (float(2 * special.stdtr(df, -end)) for end in (t[1], t[0]))
    pairs = groups * (groups - 1) // 2
    wide = [float(special.stdtrit(df, 1 - (1 - level) / 2 / times)) for times in (1, pairs)]
    adjusted = (min(low * pairs, 1.0), min(high * pairs, 1.0))
    return (
        Comparison("LSD after one-way ANOVA", (low, high), (wide[0] * error[0], wide[0] * error[1])),
        Comparison("Bonferroni after one-way ANOVA", adjusted, (wide[1] * error[0], wide[1] * error[1])),
    )


def _tukey(t: Span, error: Span, df: int, groups: int, level: float) -> Comparison:
    low, high = (studentized_range_p(end * math.sqrt(2), groups, df) for end in (t[1], t[0]))
    wide = studentized_range_quantile(level, groups, df) / math.sqrt(2)
    return Comparison("Tukey after one-way ANOVA", (low, high), (wide * error[0], wide * error[1]))


def gives_interval(test: Test, half: Span) -> bool:
    """Return whether half-widths are those of the printed interval, within its rounding."""
    low, high = Reported(test.low), Reported(test.high)
    middle, slack = (high.value - low.value) / 2, (low.half_unit + high.half_unit) / 2
    return half[0] <= middle + slack and half[1] >= middle - slack
