"""Implied sample size: how many patients the printed means, spreads, differences and intervals come from."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evidence.audit.distribution import distribution
from evidence.audit.finding import Finding
from evidence.audit.material import Count, Material, Measure, Test, grouped, moment, part
from evidence.audit.p_values import error_df_span
from evidence.audit.pairwise import Group, after_anova, gives_interval, group_of, groups_of, lsd_p
from evidence.audit.reported import Reported
from evidence.data import Dataset
from evidence.errors import StatisticsError
from evidence.format import in_sentence
from evidence.stats import anova_from_summary

Fits = NDArray[np.bool_]
Sizes = tuple[int, ...]
LARGEST_ARM = 400  # beyond it an interval hardly tells n from n+1, and pairs of n number more than 160,000
MOST_SOLUTIONS = 200_000  # so many joint solutions say nothing about n
SHOWN = 6


@dataclass(frozen=True)
class Joint:
    """Everything printed about the means of one result: groups, pairwise differences, the overall test."""

    groups: tuple[Group, ...]
    pairs: tuple[Test, ...]
    omnibus: Test | None
    everybody: tuple[Group, ...]

    @property
    def header(self) -> Sizes:
        """Return the patients per arm as the headers give them."""
        return tuple(group.n for group in self.groups)

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the rows taken together."""
        tests = [*self.pairs, *([self.omnibus] if self.omnibus else [])]
        return tuple(dict.fromkeys([*(test.row_id for test in tests), *(group.row for group in self.groups)]))

    @cached_property
    def fits(self) -> dict[tuple[int, int], Fits]:
        """Return, by pair of groups, which n of the one and the other give the printed interval."""
        place = {group.arm: i for i, group in enumerate(self.groups)}
        made: dict[tuple[int, int], Fits] = {}
        for test in self.pairs:
            one, none = (place[arm] for arm in test.arm_ids)
            grid = interval_fits(self.groups[one], self.groups[none], test)
            key, grid = ((one, none), grid) if one < none else ((none, one), grid.T)
            made[key] = made[key] & grid if key in made else grid
        return made

    def allows(self, sizes: Sizes) -> bool:
        """Return whether patients per arm give every printed interval and, if printed, F."""
        pairs = all(grid[sizes[i], sizes[j]] for (i, j), grid in self.fits.items())
        return (pairs or (sizes == self.header and self.common_error())) and self.gives_f(sizes)

    def common_error(self) -> bool:
        """Return whether one method with the error variance of all arms gives every printed interval."""
        made = (
            (gives_interval(test, one.half) for one in after_anova(test, self.everybody))
            for test in self.pairs
        )
        return any(all(method) for method in zip_longest(*made, fillvalue=False))

    def gives_f(self, sizes: Sizes) -> bool:
        """Return whether patients per arm give the printed F within the rounding of means and spreads."""
        if self.omnibus is None or not self.omnibus.statistic:
            return True
        return Reported(self.omnibus.statistic).allows(*_f_span(self.groups, sizes))

    def lsd(self, sizes: Sizes) -> tuple[int, int]:
        """Return how many printed P values of pairs are those of LSD, and of how many."""
        exact = [test for test in self.pairs if test.exact_p]
        made = [(test, next(after_anova(test, self.groups, sizes), None)) for test in exact]
        return sum(one is not None and Reported(test.p).allows(*one.p) for test, one in made), len(exact)


@dataclass(frozen=True, slots=True)
class Implied:
    """Patients that means are of where the headers' do not fit: by row of a mean, and P by row of a pair.

    P is that of least significant differences with these patients, where it gives every printed one.
    """

    sizes: Mapping[str, int]
    p: Mapping[str, float]


def interval_fits(one: Group, none: Group, test: Test) -> Fits:
    """Return for which n (row: first group, column: second) the t interval is as wide as printed.

    Student's or Welch's interval may be what was printed; rounding of spreads and limits is allowed for.

    Args:
        one: the first group, with its largest n.
        none: the second group, likewise.
        test: the printed difference with its interval.
    """
    s1, n1, s0, n0 = one.spread, one.n, none.spread, none.n
    low, high = Reported(test.low), Reported(test.high)
    half, slack = (high.value - low.value) / 2, (low.half_unit + high.half_unit) / 2
    level = test.interval_level or 0.95
    ends = [
        _half_widths(pick[0], pick[1], (n1, n0), level) for pick in zip(s1.bounds, s0.bounds, strict=True)
    ]
    fits = np.zeros((n1 + 1, n0 + 1), dtype=np.bool_)
    for narrow, wide in zip(*ends, strict=True):
        fits[2:, 2:] |= (narrow <= half + slack) & (wide >= half - slack)
    return fits


def _half_widths(s1: float, s0: float, largest: tuple[int, int], level: float) -> list[NDArray[np.float64]]:
    """Return half the width of Student's and of Welch's interval for every n from 2 to the largest."""
    a = np.arange(2, largest[0] + 1, dtype=np.float64)[:, None]
    b = np.arange(2, largest[1] + 1, dtype=np.float64)[None, :]
    quantile = (1 + level) / 2
    pooled = ((a - 1) * s1**2 + (b - 1) * s0**2) / (a + b - 2) * (1 / a + 1 / b)
    v1, v0 = s1**2 / a, s0**2 / b
    df = (v1 + v0) ** 2 / (v1**2 / (a - 1) + v0**2 / (b - 1))
    student = special.stdtrit(a + b - 2, quantile) * np.sqrt(pooled)
    welch = special.stdtrit(df, quantile) * np.sqrt(v1 + v0)
    return [np.asarray(student, dtype=np.float64), np.asarray(welch, dtype=np.float64)]


def _f_span(groups: Sequence[Group], sizes: Sizes) -> tuple[float, float]:
    try:
        middle = _f(groups, sizes, 0.0)
        reach = sum(abs(_f_moved(groups, sizes, i) - middle) for i in range(len(groups)))
        ends = [_f(groups, sizes, way) for way in (-1.0, 1.0)]
    except StatisticsError:
        return -math.inf, math.inf
    return min(*ends, middle) - reach, max(*ends, middle) + reach


def _f(groups: Sequence[Group], sizes: Sizes, way: float) -> float:
    spreads = [group.spread.value + way * group.spread.half_unit for group in groups]
    return float(anova_from_summary([group.mean.value for group in groups], spreads, sizes).statistic or 0)


def _f_moved(groups: Sequence[Group], sizes: Sizes, place: int) -> float:
    means = [group.mean.value + (group.mean.half_unit if i == place else 0) for i, group in enumerate(groups)]
    return float(anova_from_summary(means, [group.spread.value for group in groups], sizes).statistic or 0)


def solutions(joint: Joint, m: Material) -> list[Sizes] | None:
    """Return all patients per arm that give what is printed, None where they are too many to tell."""
    found: list[Sizes] | None = m.remember(f"solutions {joint.rows}", lambda: _solutions(joint))
    return found


def _solutions(joint: Joint) -> list[Sizes] | None:
    """Return all patients per arm that give what is printed, None where they are too many to tell.

    Arms are added one at a time; each must fit the arms before it.
    """
    found: list[Sizes] = [()]
    for place, group in enumerate(joint.groups):
        mates = [(i, joint.fits[i, place]) for i in range(place) if (i, place) in joint.fits]
        found = [(*sizes, n) for sizes in found for n in _candidates(sizes, mates, group.n)]
        if len(found) > MOST_SOLUTIONS:
            return None
    if joint.omnibus is None or len(found) > 2000:
        return found
    return [sizes for sizes in found if joint.gives_f(sizes)] or found


def _candidates(sizes: Sizes, mates: list[tuple[int, Fits]], most: int) -> list[int]:
    fits = np.ones(most + 1, dtype=np.bool_)
    fits[:2] = False
    for i, grid in mates:
        fits &= grid[sizes[i]]
    return [int(n) for n in np.flatnonzero(fits)]


def implied_patients(dataset: Dataset) -> Implied:
    """Return the patients that alone fit what is printed of means, where those of the headers do not."""
    m = Material(dataset)
    sizes: dict[str, int] = {}
    p: dict[str, float] = {}
    for joint in joints(m):
        small = max(joint.header) <= LARGEST_ARM and not joint.allows(joint.header)
        found = (solutions(joint, m) if small else None) or []
        if len(found) == 1:
            sizes |= dict(zip((group.row for group in joint.groups), found[0], strict=True))
            fits, pairs = joint.lsd(found[0])
            if fits == pairs > 0 and len(joint.groups) > 2:
                p |= {test.row_id: lsd_p(test.arm_ids, joint.groups, found[0]) for test in joint.pairs}
    return Implied(sizes, p)


def joints(m: Material) -> list[Joint]:
    """Return every result with means, spreads and an interval of a difference, ready to be solved."""
    made: list[Joint] = m.remember("joints", lambda: _joints(m))
    return made


def _joints(m: Material) -> list[Joint]:
    made = []
    for same in grouped((test for test in m.tests if _difference(test)), _key).values():
        joint = _joint(same, m)
        if joint is not None:
            made.append(joint)
    return made


def _difference(test: Test) -> bool:
    plain = bool(test.low and test.high and "difference" in test.effect_label.lower())
    return plain and len(test.arm_ids) == 2 and test.adjusted.lower() in ("", "no", "false")


def _key(test: Test) -> Hashable:
    return (*part(test), moment(test), test.from_time)


def _joint(pairs: list[Test], m: Material) -> Joint | None:
    arms = list(dict.fromkeys(arm for test in pairs for arm in test.arm_ids))
    rows = [row for row in m.measures_of.get(part(pairs[0]), ()) if moment(row) == moment(pairs[0])]
    groups = [group_of(arm, rows, m) for arm in arms]
    if any(group is None or group.n < 2 for group in groups):
        return None
    omnibus = next((test for test in m.tests_of[part(pairs[0])] if _overall(test, pairs[0], arms)), None)
    return Joint(tuple(group for group in groups if group), tuple(pairs), omnibus, groups_of(pairs[0], m))


def _overall(test: Test, pair: Test, arms: Sequence[str]) -> bool:
    return (
        _key(test) == _key(pair) and len(arms) > 2 and set(test.arm_ids) == set(arms) and bool(test.statistic)
    )


def patients_fit_means_and_intervals(m: Material) -> Iterator[Finding]:
    """Solve for the numbers of patients that give all printed intervals, and compare with the headers."""
    for joint in joints(m):
        if max(joint.header) > LARGEST_ARM:
            yield Finding(
                joint.rows, _shown(joint.header), "", "not_checkable", "The arms are too large for it."
            )
        else:
            yield _solved(joint, m)


def _shown(sizes: Sizes) -> str:
    return ", ".join(map(str, sizes))


def _solved(joint: Joint, m: Material) -> Finding:
    reported = f"n = {_shown(joint.header)}"
    if joint.allows(joint.header):
        why = "The numbers of patients in the headers give the printed intervals."
        return Finding(joint.rows, reported, _shown(joint.header), "consistent", why)
    found, study = solutions(joint, m), joint.pairs[0].study_id
    names = ", ".join(in_sentence(m.label(study, group.arm)) for group in joint.groups)
    if not found:
        said = (
            "too many numbers of patients would"
            if found is None
            else "no numbers of patients up to the headers'"
        )
        why = f"The printed intervals do not follow from {reported} ({names}); {said} give all of them."
        return Finding(joint.rows, reported, "", "inconsistent", why, "number")
    shown, (fits, pairs) = _spans(found), joint.lsd(found[0])
    lsd = f" All {pairs} P values are then those of LSD after ANOVA." if fits == pairs > 2 else ""
    totals = sorted({sum(sizes) for sizes in found})
    total = f"{totals[0]} to {totals[-1]}" if len(totals) > 1 else str(totals[0])
    why = (
        f"The figures for {in_sentence(m.outcome(joint.pairs[0].outcome_id))} fit {total} patients, not the "
        f"{sum(joint.header)} of the headers. The printed means, ± values and intervals go together only "
        f"with n = {shown} ({names}); the other patients have no value there.{lsd}{_not_all(joint, found, m)}"
    )
    return Finding(joint.rows, reported, f"n = {shown}", "inconsistent", why, "conclusion")


def _not_all(joint: Joint, found: Sequence[Sizes], m: Material) -> str:
    """Return why such patients are not all who had the event, where another table excludes it."""
    criteria = _thresholds(m).get(joint.pairs[0].outcome_id)
    others = _other_tables(joint, found, criteria, m) if criteria else ()
    why = next((one.why for one in others if one.verdict == "inconsistent"), "")
    if not why:
        return ""
    refuted = f"{why[:1].lower()}{why[1:]}"
    return f" They cannot be all who reached it: {refuted} Whose times are missing is not said."


def _spans(found: Sequence[Sizes]) -> str:
    ends = [(min(one), max(one)) for one in zip(*found, strict=True)]
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in ends)


def patients_fit_f(m: Material) -> Iterator[Finding]:
    """Find the numbers of patients with which F and P can stand together, and compare with the headers."""
    for test in m.tests:
        given = distribution(test, m) if test.statistic and test.exact_p else None
        if given is not None and given.name == "F":
            yield _fits_f(test, int(given.df), int(given.df_error))


def _fits_f(test: Test, df: int, error: int) -> Finding:
    ids, groups = (test.row_id,), df + 1
    span = error_df_span(test.statistic, test.p, float(df), 10 * error)
    reported = f"F = {test.statistic}, P = {test.p}, n = {error + groups}"
    if span is None:
        why = "No number of patients makes F and P fit."
        return Finding(ids, reported, "", "inconsistent", why, "number")
    shown = f"n = {span[0] + groups} to {span[1] + groups}"
    if span[0] <= error <= span[1]:
        return Finding(ids, reported, shown, "consistent", "F and P fit the number of patients.")
    why = f"F and P belong together with {shown[4:]} patients, not with {error + groups}."
    return Finding(ids, reported, shown, "inconsistent", why, "number")


def other_tables_hold_with_implied_patients(m: Material) -> Iterator[Finding]:
    """Ask whether the means of a value can stand, if only the implied patients ever reached a threshold.

    Where a time until a threshold was reached has values of k of n patients, the others stayed below the
    threshold T. A mean M above T then needs a standard deviation of at least
    (M - T) √((n - k) / k) √(n / (n - 1)): with all others at T exactly.
    """
    thresholds = _thresholds(m)
    for joint in joints(m):
        criteria = thresholds.get(joint.pairs[0].outcome_id)
        if criteria and max(joint.header) <= LARGEST_ARM and not joint.allows(joint.header):
            found = solutions(joint, m)
            yield from _other_tables(joint, found, criteria, m) if found else ()


def _thresholds(m: Material) -> Mapping[str, tuple[str, float]]:
    """Return, by outcome defined by one criterion of reaching a value, what is measured and the threshold."""
    frame = m.data.definitions
    frame = frame[(frame["cites"] == "") & frame["operator"].isin([">=", ">"])]
    rows = zip(
        frame["outcome_id"].tolist(), frame["criterion"].tolist(), frame["threshold"].tolist(), strict=True
    )
    made = grouped(rows, lambda row: row[0])
    return {name: same[0][1:] for name, same in made.items() if len({one[1:] for one in same}) == 1}


def _other_tables(
    joint: Joint, found: Sequence[Sizes], criteria: tuple[str, float], m: Material
) -> Iterator[Finding]:
    criterion, threshold = criteria
    for place, group in enumerate(joint.groups):
        reached = max(sizes[place] for sizes in found)
        for row in m.measurements:
            same = row.study_id == joint.pairs[0].study_id and row.arm_id == group.arm
            if same and row.outcome_id == criterion and row.statistic == "mean" and row.spread and row.n:
                yield from _needed_spread(row, group, reached, threshold)


def _needed_spread(row: Measure, group: Group, reached: int, threshold: float) -> Iterator[Finding]:
    n, mean, spread = row.n or 1, Reported(row.value), Reported(row.spread)
    if n <= reached or mean.bounds[0] <= threshold:
        return
    needed = (mean.bounds[0] - threshold) * math.sqrt((n - reached) / reached * n / (n - 1))
    widest = spread.bounds[1] * math.sqrt(n)
    ids, reported = (row.row_id, group.row), f"{row.value} ± {row.spread}, n = {n}"
    shown = f"SD of at least {needed:.1f}"
    if widest >= needed:
        why = f"A mean of {row.value} can stand with {reached} of {n} patients ever above {threshold:g}."
        yield Finding(ids, reported, shown, "consistent", why)
        return
    why = (
        f"If only {reached} of {n} patients ever reached {threshold:g}, a mean of {row.value} needs a "
        f"standard deviation of at least {needed:.0f}; ± {row.spread} is at most {widest:.0f} even as a "
        "standard error: the two tables cannot both be of these patients."
    )
    yield Finding(ids, reported, shown, "inconsistent", why, "number")


def counts_hold_with_implied_patients(m: Material) -> Iterator[Finding]:
    """Ask whether as many patients had an event as the times until it are of.

    Where the times until an event are of k patients of an arm, a count of more than k patients with the
    event, or of fewer, is of other patients or of another follow-up.
    """
    for joint in joints(m):
        found = solutions(joint, m) if max(joint.header) <= LARGEST_ARM else None
        event = joint.pairs[0].outcome_id.removeprefix("time_to_")
        if found and not joint.allows(joint.header) and event in m.outcomes:
            yield from _other_counts(joint, found, event, m)


def _other_counts(joint: Joint, found: Sequence[Sizes], event: str, m: Material) -> Iterator[Finding]:
    rows = m.counts_of.get((joint.pairs[0].study_id, event, "", ""), ())
    for place, group in enumerate(joint.groups):
        sizes = [one[place] for one in found]
        for row in rows:
            if row.arm_id == group.arm and row.events is not None and not row.category:
                yield _same_patients(row, group, min(sizes), max(sizes))


def _same_patients(row: Count, group: Group, fewest: int, most: int) -> Finding:
    span = str(fewest) if fewest == most else f"{fewest} to {most}"
    ids, reported = (row.row_id, group.row), f"{row.events} patients"
    if fewest <= (row.events or 0) <= most:
        why = f"The times until it are of {span} patients, too."
        return Finding(ids, reported, span, "consistent", why)
    if (row.events or 0) < most:
        why = f"The times until it are of {span} patients: some may have had it later."
        return Finding(ids, reported, span, "not_checkable", why, "number")
    why = (
        f"{row.events} patients had the event, but the times until it are of {span}: some times are left out."
    )
    return Finding(ids, reported, span, "inconsistent", why, "number")
