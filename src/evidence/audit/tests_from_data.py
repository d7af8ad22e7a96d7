"""Tests done again from the counts, or the means and spreads, they were made from."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

from evidence.audit.finding import Consequence, Finding
from evidence.audit.material import Material, Test, grouped
from evidence.audit.misplaced import misplaced
from evidence.audit.other_methods import others, that_gives
from evidence.audit.pairwise import after_anova, groups_of
from evidence.audit.printed import is_adjusted, p_is, printed, result_of
from evidence.audit.recompute import Candidate, Recomputed
from evidence.audit.reported import Reported
from evidence.errors import StatisticsError
from evidence.stats import chi_square

AS_ERRORS = "read as standard errors"
NAMED = (
    ("yates", ("Yates",)), ("continuity", ("Yates",)), ("fisher", ("Fisher",)), ("exact", ("Fisher",)),
    ("likelihood", ("likelihood",)), ("chi", ("chi-square",)), ("χ", ("chi-square",)),
    ("pearson", ("Pearson",)), ("variance", ("ANOVA",)), ("anova", ("ANOVA",)), ("welch", ("Welch",)),
    ("student", ("Student",)), ("t test", ("Student", "Welch")), ("t-test", ("Student", "Welch")),
)  # fmt: skip
MOST_LUCK = 0.05  # a match that luck gives more often says nothing
CHI_SQUARE_LABELS = ("χ", "chi", "x2")


def test_recomputes(m: Material) -> Iterator[Finding]:
    """Do every printed test again and compare P and statistic.

    A named test must be reproduced by that test; where none is named any plausible one may reproduce it.
    Printings of one test with the same P are one finding. Statistics that stand beside the wrong P values are
    left to ``statistics_stand_beside_their_p`` where the data give the printed P.
    """
    elsewhere = misplaced(m)
    tests = [test for test in m.tests if (test.p or test.statistic) and test.row_id not in elsewhere]
    for same in grouped(tests, lambda test: (result_of(test), test.p)).values():
        fullest = max(same, key=lambda test: (bool(test.statistic), bool(test.effect)))
        ids = (fullest.row_id, *(test.row_id for test in same if test is not fullest))
        yield _adjusted(fullest, ids) if is_adjusted(fullest) else _recomputed(fullest, ids, m)


def _adjusted(test: Test, ids: tuple[str, ...]) -> Finding:
    why = "It is adjusted for other variables: the counts alone do not give it."
    return Finding(ids, printed(test), "", "not_checkable", why)


def may_be_adjusted(test: Test, m: Material) -> bool:
    """Return whether a ratio that the counts do not give may be an adjusted one.

    So it is where the document does not say, prints no ratio of the study that the counts do give, and the
    ratio of the counts lies inside the printed interval, or on the same side of 1 where there is none.
    """
    again = m.again(test)
    if test.adjusted or not test.effect or "effect" not in again.differs or math.isnan(again.effect):
        return False
    crude = any(
        m.again(other).agrees == "yes" and not math.isnan(m.again(other).effect)
        for other in m.tests
        if (other.source_id, other.study_id) == (test.source_id, test.study_id) and other.effect
    )
    if test.low and test.high:
        inside = Reported(test.low).value <= again.effect <= Reported(test.high).value
    else:
        inside = (again.effect > 1) == (Reported(test.effect).value > 1)
    return inside and not crude


def named_methods(test: Test) -> tuple[str, ...]:
    """Return words of which the name of the test done must hold one; nothing where none is named."""
    label = test.test_label.lower()
    return next((methods for word, methods in NAMED if word in label), ())


def _recomputed(test: Test, ids: tuple[str, ...], m: Material) -> Finding:
    again, reported = m.again(test), printed(test)
    if not again.agrees:
        return Finding(ids, reported, "", "not_checkable", f"{again.reason[:1].upper()}{again.reason[1:]}.")
    ids, shown = (*ids, *again.row_ids), _result(again)
    if {"p", "statistic"} & set(again.differs):
        if may_be_adjusted(test, m):
            why = "It belongs to an effect that may be adjusted: the document does not say."
            return Finding(ids, reported, shown, "not_checkable", why)
        method = method_after_anova(test, m)
        if method and set(again.differs) <= {"p", "low", "high"}:
            return Finding(ids, reported, method, "consistent", f"{method} gives it.")
        return _left_open(test, m) or _differs(test, m, ids)
    methods = named_methods(test)
    if methods and not any(method in again.method for method in methods):
        why = (
            f"The test is called {test.test_label}, but only {again.method} gives what is printed ({shown})."
        )
        return Finding(ids, reported, shown, "inconsistent", why, "number")
    return Finding(ids, reported, shown, "consistent", _reproduced(test, again))


def method_after_anova(test: Test, m: Material) -> str:
    """Return which comparison after an analysis of variance gives the printed P, empty for none."""
    if len(test.arm_ids) != 2 or m.table(test):
        return ""
    made = after_anova(test, groups_of(test, m))
    return next((one.method for one in made if Reported(test.p).allows(*one.p)), "")


def _result(again: Recomputed | Candidate) -> str:
    statistic = "" if math.isnan(again.statistic) else f"{again.statistic:.3f}, "
    return f"{statistic}{p_is(again.p)} ({again.method})"


def _reproduced(test: Test, again: Recomputed) -> str:
    natural = again.candidates[0]
    if AS_ERRORS in again.method and AS_ERRORS not in natural.method:
        return f"It is reproduced only if the values after ± are standard errors ({again.method})."
    if natural.method == again.method or not test.exact_p:
        return f"{again.method} on the printed figures gives it."
    why = f"{again.method} gives it, {natural.method} would give {p_is(natural.p)}"
    name = "" if test.test_label else "; the test is not named"
    tried = len(again.candidates)
    return f"{why}{name}; the chance that one of {tried} methods fits by luck is {luck(test, again):.1%}."


def luck(test: Test, again: Recomputed, more: int = 0) -> float:
    """Return the chance that at least one of the methods tried gives the printed digits of P by luck.

    ``more`` is the number of methods tried beside the usual ones.

    Taken that their P values fall anywhere between 0 and 1, each on its own.
    """
    width = min(1.0, 2 * Reported(test.p).half_unit)
    return float(1 - (1 - width) ** (len(again.candidates) + more))


def _differs(test: Test, m: Material, ids: tuple[str, ...]) -> Finding:
    again = m.again(test)
    kept = [one for one in again.reason.split("; ") if one.startswith(("P printed", "statistic printed"))]
    flips = "p" in again.differs and _significance_flips(test, again, m.alpha)
    why = "; ".join(kept) + ("" if "p" not in again.differs else _other_method(test, m))
    sizes = [one for one in again.reason.split("; ") if one.startswith("taken that")]
    why = f"{why[:1].upper()}{why[1:]}{f'; this takes that{sizes[0][10:]}' if sizes else ''}."
    if flips:
        why += f" The recomputed P is on the other side of {m.alpha:g}."
    return Finding(
        ids, printed(test), _result(again), "inconsistent", why, "conclusion" if flips else "number"
    )


def _significance_flips(test: Test, again: Recomputed, alpha: float) -> bool:
    low, high = Reported(test.p).bounds
    side = low >= alpha if low > 0 or test.p[:1] in (">", "≥") else not high <= alpha
    return side != (again.candidates[0].p >= alpha)


def _other_method(test: Test, m: Material) -> str:
    """Return which less usual test of the same counts gives the printed P, if one does."""
    found = next((one for one in others(test, m) if Reported(test.p).allows(one.p)), None)
    return f"; {found.name} would give it ({_by_luck(test, m)})" if found and test.exact_p else ""


def _left_open(test: Test, m: Material) -> Finding | None:
    """Return a finding for a test that is not named and that only a less usual method gives."""
    found = that_gives(test, m) if test.exact_p and not test.test_label else None
    if found is None:
        return None
    again = m.again(test)
    ids = (test.row_id, *again.row_ids)
    shown = f"{p_is(found.p)} ({found.name})"
    natural = again.candidates[0]
    why = (
        f"Only {found.name} gives it, {natural.method} would give {p_is(natural.p)}; the test is not "
        f"named, and {_by_luck(test, m)}."
    )
    sound = luck(test, again, len(others(test, m))) < MOST_LUCK
    flips = _significance_flips(test, again, m.alpha)
    change: Consequence = "" if sound and not flips else "conclusion" if flips else "number"
    return Finding(ids, printed(test), shown, "consistent" if not change else "not_checkable", why, change)


def _by_luck(test: Test, m: Material) -> str:
    more = len(others(test, m))
    tried = len(m.again(test).candidates) + more
    return f"the chance that one of {tried} methods fits by luck is {luck(test, m.again(test), more):.1%}"


def places_of_p(test: Test, m: Material) -> list[tuple[float, float]]:
    """Return the P values, as ranges, that the usual methods give for a test."""
    return [one.p_range for one in m.again(test).candidates if AS_ERRORS not in one.method]


def p_values_stand_in_their_rows(m: Material) -> Iterator[Finding]:
    """Where P values of a table do not follow from the data, look for the order of rows that mends them."""
    rows = [test for test in m.tests if test.exact_p and "p" in m.again(test).differs and not test.adjusted]
    rows = [test for test in rows if not may_be_adjusted(test, m) and not method_after_anova(test, m)]
    for same in grouped(rows, _in_table).values():
        once = [one[0] for one in grouped(same, result_of).values()]
        if len({test.p for test in once}) > 1:
            yield from _reordered(once, m)


def _in_table(test: Test) -> Hashable:
    return (test.study_id, test.source_id, test.locator.partition(", row")[0].partition(", column")[0])


def _reordered(tests: list[Test], m: Material) -> Iterator[Finding]:
    fits = np.array([[_could_be(other.p, test, m) for other in tests] for test in tests])
    order = linear_sum_assignment(fits, maximize=True)[1].tolist()
    moved = [
        (test, tests[other])
        for test, other, fit in zip(tests, order, fits[range(len(tests)), order], strict=True)
        if fit
    ]
    if len(moved) < 2:
        return
    ids = tuple(test.row_id for test, _ in moved)
    reported = "; ".join(f"{_about(test, m)} P = {test.p}" for test, _ in moved)
    shown = "; ".join(f"{_about(test, m)} P = {other.p}" for test, other in moved)
    flips = any(_significance_flips(test, m.again(test), m.alpha) for test, _ in moved)
    why = f"{len(moved)} P values stand in the wrong rows: put in the order of the data they are {shown}."
    yield Finding(ids, reported, shown, "inconsistent", why, "conclusion" if flips else "number")


def _could_be(p: str, test: Test, m: Material) -> bool:
    return any(Reported(p).allows(*one) for one in places_of_p(test, m))


def _about(test: Test, m: Material) -> str:
    return f"{m.outcome(test.outcome_id)}, {m.names_inside(test.study_id, test.arm_ids)}"


def conclusion_holds_exactly(m: Material) -> Iterator[Finding]:
    """Where expected counts are small, ask whether the exact test leads to the printed conclusion."""
    for test in m.tests:
        if test.exact_p and len(test.arm_ids) > 1 and not is_adjusted(test):
            finding = _exactly(test, m)
            if finding:
                yield finding


def _exactly(test: Test, m: Material) -> Finding | None:
    again, table = m.again(test), m.table(test)
    exact = next((one for one in again.candidates if "Fisher" in one.method), None)
    if exact is None or table is None or "p" in again.differs:
        return None
    try:
        small = chi_square(table).warning
    except StatisticsError:
        return None
    return _exact_finding(test, m, exact, small) if small else None


def _exact_finding(test: Test, m: Material, exact: Candidate, small: str) -> Finding:
    ids, shown = (test.row_id, *m.again(test).row_ids), f"{p_is(exact.p)} ({exact.method})"
    few = small.partition(": prefer")[0]
    if (Reported(test.p).value < m.alpha) == (exact.p < m.alpha):
        why = f"{few}, but the exact test leads to the same conclusion."
        return Finding(ids, f"P = {test.p}", shown, "consistent", why)
    why = f"{few}: the exact test gives {p_is(exact.p)}, so the conclusion hangs on the choice of test."
    return Finding(ids, f"P = {test.p}", shown, "not_checkable", why, "conclusion")


def statistic_is_what_its_label_says(m: Material) -> Iterator[Finding]:
    """Find statistics under a chi-square label that belong to the exact test.

    A label of two statistics, such as F/χ², may mean either and is not judged.
    """
    for test in m.tests:
        again = m.again(test)
        label = test.statistic_label.lower()
        plain = any(word in label for word in CHI_SQUARE_LABELS) and "/" not in label
        if test.statistic and plain and again.agrees == "yes":
            yield _labelled(test, again)


def _labelled(test: Test, again: Recomputed) -> Finding:
    ids, natural = (test.row_id, *again.row_ids), again.candidates[0]
    if "Freeman" not in again.method:
        return Finding(
            ids, printed(test), _result(again), "consistent", "The statistic is of the kind its label says."
        )
    why = (
        f"{test.statistic} stands under {test.statistic_label} but is the statistic of the "
        f"Fisher-Freeman-Halton exact test, to which P belongs; chi-square is {natural.statistic:.3f}, "
        f"{p_is(natural.p)}."
    )
    cause = f"{_in_table(test)}"
    return Finding(ids, printed(test), _result(natural), "inconsistent", why, "cosmetic", cause=cause)
