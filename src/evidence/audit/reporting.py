"""Reporting: what has to be printed for a figure to be used, and is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from evidence.audit.finding import Finding
from evidence.audit.material import Material, Measure, Test, grouped
from evidence.audit.printed import p_is
from evidence.audit.reported import Reported
from evidence.format import in_sentence

CENTRES = ("mean", "median")


def p_is_not_zero(m: Material) -> Iterator[Finding]:
    """Find P values printed as 0: no test gives 0."""
    for test in m.tests:
        if test.exact_p and Reported(test.p).value == 0:
            limit = f"<{2 * Reported(test.p).half_unit:g}"
            half = Reported(test.p).half_unit
            why = f"No P value is 0: {test.p} is anything below {half:g}, usually printed {limit}."
            yield Finding((test.row_id,), f"P = {test.p}", f"P {limit}", "rounding", why, "cosmetic")


def spread_is_printed(m: Material) -> Iterator[Finding]:
    """Find means and medians without any measure of spread, one finding for each result."""
    rows = [row for row in m.measurements if row.statistic in CENTRES and row.counted]
    for same in grouped(rows, lambda row: (row.source_id, row.outcome_id, row.statistic, row.time)).values():
        bare = [row for row in same if not (row.spread or row.low or row.high)]
        yield _spread(same, bare, m)


def _spread(same: list[Measure], bare: list[Measure], m: Material) -> Finding:
    name = f"{same[0].statistic} of {in_sentence(m.outcome(same[0].outcome_id))}"
    reported = ", ".join(row.value for row in same)
    if not bare:
        return Finding(
            tuple(row.row_id for row in same), reported, "", "consistent", "Its spread is printed."
        )
    why = f"The {name} is printed without any measure of spread: it cannot be tested or pooled."
    return Finding(tuple(row.row_id for row in bare), reported, "", "not_checkable", why, "number")


def denominator_is_printed(m: Material) -> Iterator[Finding]:
    """Find percentages without a number of patients."""
    for row in m.counts:
        if row.percent and (row.n is None or row.n_basis == "derived"):
            why = f"{row.percent}% is printed without the number of patients it is of."
            yield Finding((row.row_id,), f"{row.percent}%", "", "not_checkable", why, "number")


def tests_are_named(m: Material) -> Iterator[Finding]:
    """Count, for each document, the P values whose test is not named, and say which tests reproduce them."""
    for same in grouped((test for test in m.tests if test.exact_p), lambda test: test.source_id).values():
        bare = [test for test in same if not test.test_label]
        ids = tuple(test.row_id for test in (bare or same))
        reported = f"{len(bare)} of {len(same)} P values"
        if bare:
            why = f"The test is not named beside {len(bare)} of {len(same)} P values{_methods(bare, m)}."
            yield Finding(ids, reported, "", "not_checkable", why, "cosmetic")
        else:
            yield Finding(ids, reported, "", "consistent", "Every test is named.")


def _methods(bare: list[Test], m: Material) -> str:
    made = [m.again(test) for test in bare]
    told = [again.method.removesuffix(", Monte Carlo") for again in made if again.agrees == "yes"]
    if not told:
        return ""
    everywhere = _gives_all(bare, m)
    said = ", ".join(f"{name} {times}" for name, times in Counter(told).most_common())
    tail = f"; {everywhere} gives every one of them that can be done again" if everywhere else ""
    return f"; {len(told)} can be reproduced ({said}){tail}"


def _gives_all(bare: list[Test], m: Material) -> str:
    """Return the one method that reproduces every P value that can be done again, if there is one."""
    tried = [(test, again) for test in bare if (again := m.again(test)).candidates]
    fits = [
        {one.method for one in again.candidates if Reported(test.p).allows(*one.p_range)}
        for test, again in tried
    ]
    common = set.intersection(*fits) if len(fits) > 2 else set()
    return sorted(common)[0] if common else ""


def effects_are_printed(m: Material) -> Iterator[Finding]:
    """Find comparisons of two arms printed as a P value only, without an effect and its interval."""
    rows = [test for test in m.tests if test.exact_p and len(test.arm_ids) == 2 and test.counted]
    for same in grouped(rows, lambda test: test.source_id).values():
        bare = [test for test in same if not test.effect and m.outcomes[test.outcome_id].domain != "baseline"]
        if bare:
            lowest = p_is(min(Reported(test.p).value for test in bare))
            told = f"{len(bare)} comparison{'' if len(bare) == 1 else 's'}"
            has = "has" if len(bare) == 1 else "have"
            why = f"{told} of two arms {has} a P value but no effect with an interval."
            ids = tuple(test.row_id for test in bare)
            yield Finding(ids, f"{told}, lowest {lowest}", "", "not_checkable", why, "cosmetic")
