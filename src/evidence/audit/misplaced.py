"""Statistics that stand beside the P values of other rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from evidence.audit.distribution import Distribution, distribution
from evidence.audit.finding import Consequence, Finding
from evidence.audit.material import Material, Test, grouped
from evidence.audit.printed import p_is
from evidence.audit.reported import Reported

LITTLE = 0.01  # what the rounding of means and spreads may do to a statistic


def statistics_stand_beside_their_p(m: Material) -> Iterator[Finding]:
    """Where P values of a table do not fit their statistics, look for the permutation that mends them.

    Where the data give every printed P, only statistics are at fault, and no conclusion changes.
    """
    for tests, given in _wrong(m):
        yield from _permuted(tests, given, m)


def misplaced(m: Material) -> frozenset[str]:
    """Return the tests whose P the data give and whose statistic belongs beside another P of the table."""
    found: frozenset[str] = m.remember("misplaced", lambda: _misplaced(m))
    return found


def _misplaced(m: Material) -> frozenset[str]:
    moved = [tests for tests, given in _wrong(m) if any(_permuted(tests, given, m))]
    return frozenset(test.row_id for tests in moved for test in tests if p_from_data(test, m))


def p_from_data(test: Test, m: Material) -> bool:
    """Return whether the data give the printed P, whatever statistic stands beside it."""
    again = m.again(test)
    return bool(again.agrees) and test.exact_p and "p" not in again.differs


def _wrong(m: Material) -> Iterator[tuple[list[Test], Distribution]]:
    """Return the tests of each table that do not fit their statistics, where one distribution is theirs."""
    rows = [test for test in m.tests if test.exact_p and test.statistic and test.statistic[0] not in "<>"]
    for same in grouped(rows, _table_of).values():
        told = [(test, given) for test in same if (given := _told(test, m))]
        wrong = [(test, given) for test, given in told if not _beside(test.statistic, test, given)]
        if len(wrong) > 1 and len({(given.name, given.df) for _, given in wrong}) == 1:
            yield [test for test, _ in wrong], wrong[0][1]


def _told(test: Test, m: Material) -> Distribution | None:
    """Return the distribution of a statistic, None where an exact test explains the pair."""
    again = m.again(test)
    return None if "Freeman" in again.method and again.agrees == "yes" else distribution(test, m)


def _table_of(test: Test) -> Hashable:
    place = test.locator.partition(", row")[0].partition(", column")[0]
    return (test.study_id, test.source_id, place, test.statistic_label, test.arms)


def _beside(statistic: str, test: Test, given: Distribution) -> bool:
    return Reported(test.p).allows(*given.span(statistic))


def _permuted(tests: Sequence[Test], given: Distribution, m: Material) -> Iterator[Finding]:
    fits = np.array([[_beside(other.statistic, test, given) for other in tests] for test in tests])
    order = [int(place) for place in linear_sum_assignment(fits, maximize=True)[1]]
    mended = [fits[place, other] for place, other in enumerate(order)]
    if sum(mended) < 2:
        return
    moved = [
        (test, tests[other].statistic, bool(fit))
        for test, other, fit in zip(tests, order, mended, strict=True)
    ]
    ids, reported = (
        tuple(test.row_id for test in tests),
        _beside_each_other(tests, [one.statistic for one in tests]),
    )
    shown = _beside_each_other(tests, [statistic for _, statistic, _ in moved])
    order_ = ", ".join(statistic for _, statistic, _ in moved)
    why = f"The statistics stand beside the wrong P values: put in the order {order_}, "
    why += f"{sum(mended)} of {len(tests)} fit ({given})"
    if all(p_from_data(test, m) for test in tests):
        yield Finding(
            ids, reported, _from_data(tests, m), "inconsistent", f"{why}. {_sound(moved, m)}", "number"
        )
        return
    flips = any(not fit and _crosses(test, statistic, given, m.alpha) for test, statistic, fit in moved)
    change: Consequence = "conclusion" if flips else "number"
    yield Finding(ids, reported, shown, "inconsistent", f"{why}{_residual(moved, given, m.alpha)}.", change)


def _beside_each_other(tests: Sequence[Test], statistics: Sequence[str]) -> str:
    return "; ".join(f"{one} with P = {test.p}" for one, test in zip(statistics, tests, strict=True))


def _from_data(tests: Sequence[Test], m: Material) -> str:
    return "; ".join(f"{m.again(test).statistic:.3f} with {p_is(m.again(test).p)}" for test in tests)


def _sound(moved: Sequence[tuple[Test, str, bool]], m: Material) -> str:
    """Return that the data give every printed P, by which method, and which statistics are misprinted too."""
    methods = " and ".join(dict.fromkeys(m.again(test).method for test, _, _ in moved))
    said = [
        f"{statistic} should then be {m.again(test).statistic:.3f}"
        for test, statistic, _ in moved
        if not _near(statistic, m.again(test).statistic)
    ]
    return f"The data give every printed P ({methods}), so no conclusion changes{_also(said)}."


def _also(said: Sequence[str]) -> str:
    return f"; {' and '.join(said)}" if said else ""


def _near(statistic: str, value: float) -> bool:
    return abs(Reported(statistic).value - value) <= LITTLE * abs(value)


def _crosses(test: Test, statistic: str, given: Distribution, alpha: float) -> bool:
    return (given.p(Reported(statistic).value) < alpha) != (Reported(test.p).value < alpha)


def _side(test: Test, alpha: float) -> str:
    return "no longer" if Reported(test.p).value < alpha else "and so"


def _residual(moved: Sequence[tuple[Test, str, bool]], given: Distribution, alpha: float) -> str:
    left = [(test, statistic) for test, statistic, fit in moved if not fit]
    said = [
        f"; {statistic} would still give {p_is(given.p(Reported(statistic).value))} and not {test.p}"
        + (f", {_side(test, alpha)} below {alpha:g}" if _crosses(test, statistic, given, alpha) else "")
        for test, statistic in left
    ]
    return "".join(said)
