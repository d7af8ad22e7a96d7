"""Tests done again from the counts, or the means and spreads, they were made from."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from evidence.audit.finding import Finding
from evidence.audit.material import Material, Test, grouped, moment, part
from evidence.audit.pairwise import after_anova, groups_of
from evidence.audit.recompute import Candidate, Recomputed
from evidence.audit.reported import Reported
from evidence.errors import StatisticsError
from evidence.stats import chi_square, cochran_armitage, likelihood_ratio

AS_ERRORS = "read as standard errors"
NAMED = (
    ("yates", ("Yates",)), ("continuity", ("Yates",)), ("fisher", ("Fisher",)), ("exact", ("Fisher",)),
    ("likelihood", ("likelihood",)), ("chi", ("chi-square",)), ("χ", ("chi-square",)),
    ("pearson", ("Pearson",)), ("variance", ("ANOVA",)), ("anova", ("ANOVA",)), ("welch", ("Welch",)),
    ("student", ("Student",)), ("t test", ("Student", "Welch")), ("t-test", ("Student", "Welch")),
)  # fmt: skip
CHI_SQUARE_LABELS = ("χ", "chi", "x2")


def p_text(p: float) -> str:
    """Return a P value as a document would print it.

    >>> p_text(0.0004), p_text(0.05049)
    ('<0.001', '0.050')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def test_recomputes(m: Material) -> Iterator[Finding]:
    """Do every printed test again and compare P and statistic.

    A named test must be reproduced by that test; where none is named any plausible one may reproduce it.
    Printings of one test with the same P are one finding.
    """
    tests = [test for test in m.tests if test.p or test.statistic]
    for same in grouped(tests, lambda test: (result_of(test), test.p)).values():
        fullest = max(same, key=lambda test: (bool(test.statistic), bool(test.effect)))
        ids = (fullest.row_id, *(test.row_id for test in same if test is not fullest))
        yield _adjusted(fullest, ids) if is_adjusted(fullest) else _recomputed(fullest, ids, m)


def result_of(test: Test) -> Hashable:
    """Return what a test is of: the same for every printing of it, whatever the order of its arms."""
    return (*part(test), test.category, moment(test), test.from_time, frozenset(test.arm_ids), test.adjusted)


def is_adjusted(test: Test) -> bool:
    """Return whether an effect is said to be adjusted."""
    return test.adjusted.lower() not in ("", "no", "false")


def _adjusted(test: Test, ids: tuple[str, ...]) -> Finding:
    why = "It is adjusted for other variables: the counts alone do not give it."
    return Finding(ids, printed(test), "", "not_checkable", why)


def may_be_adjusted(test: Test, m: Material) -> bool:
    """Return whether a ratio that the counts do not give may be an adjusted one.

    So it is where the document does not say, prints no ratio that the counts do give, and the ratio of the
    counts lies inside the printed interval, or on the same side of 1 where there is none.
    """
    again = m.again(test)
    if test.adjusted or not test.effect or "effect" not in again.differs or math.isnan(again.effect):
        return False
    crude = any(
        m.again(other).agrees == "yes" and not math.isnan(m.again(other).effect)
        for other in m.tests
        if other.source_id == test.source_id and other.effect
    )
    if test.low and test.high:
        inside = Reported(test.low).value <= again.effect <= Reported(test.high).value
    else:
        inside = (again.effect > 1) == (Reported(test.effect).value > 1)
    return inside and not crude


def printed(test: Test) -> str:
    """Return the statistic and the P value of a test as printed."""
    p = f"P {test.p}" if test.p[:1] in "<>≤≥" else f"P = {test.p}"
    statistic = f"{test.statistic_label or 'statistic'} = {test.statistic}" if test.statistic else ""
    return ", ".join(one for one in (statistic, p if test.p else "") if one)


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
        return _differs(test, m, ids)
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
    return f"{statistic}P = {p_text(again.p)} ({again.method})".replace("= <", "< ")


def _reproduced(test: Test, again: Recomputed) -> str:
    natural = again.candidates[0]
    if AS_ERRORS in again.method and AS_ERRORS not in natural.method:
        return f"It is reproduced only if the values after ± are standard errors ({again.method})."
    if natural.method == again.method or not test.exact_p:
        return f"{again.method} on the printed figures gives it."
    why = f"{again.method} gives it, {natural.method} would give P = {p_text(natural.p)}".replace("= <", "< ")
    name = "" if test.test_label else "; the test is not named"
    tried = len(again.candidates)
    return f"{why}{name}; the chance that one of {tried} methods fits by luck is {luck(test, again):.1%}."


def luck(test: Test, again: Recomputed) -> float:
    """Return the chance that at least one of the methods tried gives the printed digits of P by luck.

    Taken that their P values fall anywhere between 0 and 1, each on its own.
    """
    width = min(1.0, 2 * Reported(test.p).half_unit)
    return float(1 - (1 - width) ** len(again.candidates))


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
    table = m.table(test)
    if table is None:
        return ""
    for name, p in _less_usual(table, test, m):
        if Reported(test.p).allows(p):
            return f"; {name} would give it"
    return ""


def _less_usual(table: tuple[tuple[int, ...], ...], test: Test, m: Material) -> Iterator[tuple[str, float]]:
    try:
        yield "the likelihood-ratio test", likelihood_ratio(table).p
        if len(table[0]) == 2:
            events, n = [row[0] for row in table], [sum(row) for row in table]
            yield "a test for trend over the groups as ordered", cochran_armitage(events, n).p
        elif len(table) == 2 and m.outcomes[test.outcome_id].type == "ordinal":
            yield "a rank test on the ordered classes (Mann-Whitney)", _rank_p(table)
        for place in range(len(table[0]) if len(table[0]) > 2 else 0):
            yield f"a test of class {place + 1} against the rest", _one_class_p(table, place)
    except StatisticsError:
        return


def _rank_p(table: tuple[tuple[int, ...], ...]) -> float:
    """Return P of the Mann-Whitney test on ordered classes, with the correction for ties."""
    from scipy.stats import mannwhitneyu

    one, none = ([place for place, times in enumerate(row) for _ in range(times)] for row in table)
    return float(mannwhitneyu(one, none, use_continuity=False, method="asymptotic").pvalue)


def _one_class_p(table: tuple[tuple[int, ...], ...], place: int) -> float:
    return chi_square([[row[place], sum(row) - row[place]] for row in table]).p


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
    ids, shown = (test.row_id, *m.again(test).row_ids), f"P = {p_text(exact.p)} ({exact.method})"
    few = small.partition(": prefer")[0]
    if (Reported(test.p).value < m.alpha) == (exact.p < m.alpha):
        why = f"{few}, but the exact test leads to the same conclusion."
        return Finding(ids, f"P = {test.p}", shown, "consistent", why)
    why = f"{few}: the exact test gives P = {p_text(exact.p)}, so the conclusion hangs on the choice of test."
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
        f"P = {p_text(natural.p)}."
    )
    return Finding(ids, printed(test), _result(natural), "inconsistent", why, "cosmetic")
