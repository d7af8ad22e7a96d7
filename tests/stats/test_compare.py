from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep

from evidence.errors import StatisticsError
from evidence.stats import chi_square, compare, fisher_exact

METHODS = [
    ("RR", "katz"),
    ("OR", "woolf"),
    ("OR-exact", "conditional"),
    ("RD", "newcombe"),
    ("RD", "miettinen-nurminen"),
    ("RD", "wald"),
]
arm = st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
arms = st.tuples(arm, arm).map(lambda pair: (*pair[0], *pair[1]))
kinds = st.sampled_from(METHODS)
closed_kinds = st.sampled_from([kind for kind in METHODS if kind[1] != "conditional"])


def found(counts, kind, level=0.95):
    try:
        return compare(*counts, measure=kind[0], method=kind[1], level=level)
    except StatisticsError:
        assume(False)


def test_the_grid_has_not_shrunk(pinned):
    rows = pinned.rows("two_by_two.csv")
    assert len(rows) >= 680
    assert {(row["measure"], row["method"]) for row in rows} == set(METHODS)
    assert len({(row["e1"], row["n1"], row["e0"], row["n0"]) for row in rows}) >= 30


@pytest.mark.parametrize(
    ("counts", "method", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998;17:873-890, Table II, examples (a), (c), (d), (e), (g)
        ((56, 70, 48, 80), "newcombe", 0.0524, 0.3339),
        ((6, 7, 2, 7), "newcombe", 0.0582, 0.8062),
        ((5, 56, 0, 29), "newcombe", -0.0381, 0.1926),
        ((0, 10, 0, 20), "newcombe", -0.1611, 0.2775),
        ((10, 10, 0, 20), "newcombe", 0.6791, 1.0000),
        ((56, 70, 48, 80), "wald", 0.0575, 0.3425),
        ((56, 70, 48, 80), "miettinen-nurminen", 0.0528, 0.3382),
        ((5, 56, 0, 29), "miettinen-nurminen", -0.0326, 0.1933),
    ],
)
def test_differences_are_those_of_newcombe_1998(counts, method, low, high):
    effect = compare(*counts, measure="RD", method=method)
    assert (round(effect.low, 4), round(effect.high, 4)) == (low, high)


def test_odds_and_risk_ratio_match_statsmodels():
    effect, table = compare(104, 115, 111, 224, measure="OR"), Table2x2([[104, 11], [111, 113]])
    assert (effect.estimate, effect.low, effect.high, effect.p) == pytest.approx(
        (table.oddsratio, *table.oddsratio_confint(), table.log_oddsratio_pvalue()), rel=1e-10
    )
    effect = compare(104, 115, 111, 224)
    assert (effect.estimate, effect.low, effect.high, effect.p) == pytest.approx(
        (table.riskratio, *table.riskratio_confint(), table.log_riskratio_pvalue()), rel=1e-10
    )


@pytest.mark.parametrize(("method", "name"), [("newcombe", "newcomb"), ("wald", "wald")])
def test_differences_match_statsmodels(method, name):
    effect = compare(7, 25, 4, 28, measure="RD", method=method)
    assert (effect.low, effect.high) == pytest.approx(
        confint_proportions_2indep(7, 25, 4, 28, name), rel=1e-10
    )


@given(arms)
def test_p_of_a_difference_is_that_of_its_chi_square_test(counts):
    e1, n1, e0, n0 = counts
    assume(0 < e1 + e0 < n1 + n0)
    table = [[e1, n1 - e1], [e0, n0 - e0]]
    for method, correction in (("newcombe", "none"), ("miettinen-nurminen", "n-1")):
        effect = compare(*counts, measure="RD", method=method)
        assert effect.p == pytest.approx(chi_square(table, correction=correction).p, rel=1e-9)


@given(arms, st.floats(0.6, 0.995))
def test_miettinen_nurminen_interval_excludes_0_exactly_when_its_p_is_small(counts, level):
    effect = found(counts, ("RD", "miettinen-nurminen"), level)
    assume(abs(effect.p - (1 - level)) > 1e-6)
    assert (effect.low > 0 or effect.high < 0) == (effect.p < 1 - level)


@given(arms, kinds)
def test_interval_holds_the_estimate_and_p_is_a_probability(counts, kind):
    effect = found(counts, kind)
    assert effect.low <= effect.estimate + 1e-12
    assert effect.estimate <= effect.high + 1e-12
    assert 0 <= effect.p <= 1


@given(arms, kinds)
def test_swapping_the_arms_mirrors_the_effect(counts, kind):
    e1, n1, e0, n0 = counts
    one, other = found(counts, kind), found((e0, n0, e1, n1), kind)
    turn = (lambda x: -x) if kind[0] == "RD" else (lambda x: math.inf if x == 0 else 1 / x)
    expected = (turn(other.estimate), turn(other.high), turn(other.low), other.p)
    assert (one.estimate, one.low, one.high, one.p) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(arms, kinds)
def test_swapping_event_and_non_event_mirrors_differences_and_odds_ratios(counts, kind):
    assume(kind[0] != "RR")
    e1, n1, e0, n0 = counts
    one, other = found(counts, kind), found((n1 - e1, n1, n0 - e0, n0), kind)
    turn = (lambda x: -x) if kind[0] == "RD" else (lambda x: math.inf if x == 0 else 1 / x)
    assert (one.low, one.high, one.p) == pytest.approx(
        (turn(other.high), turn(other.low), other.p), rel=1e-6, abs=1e-9
    )


@given(arms, kinds, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_a_higher_level_never_narrows_the_interval(counts, kind, first, second):
    low, high = sorted((first, second))
    narrow, wide = found(counts, kind, low), found(counts, kind, high)
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9 * max(1, abs(wide.high))


@given(arms)
def test_differences_stay_between_minus_1_and_1(counts):
    for _, method in METHODS[3:]:
        effect = compare(*counts, measure="RD", method=method)
        assert -1 <= effect.low <= effect.estimate <= effect.high <= 1
        assert effect.estimate == counts[0] / counts[1] - counts[2] / counts[3]


@given(arms, closed_kinds)
def test_a_correction_is_named_only_where_the_method_has_no_answer_without_it(counts, kind):
    e1, n1, e0, n0 = counts
    effect = found(counts, kind)
    full = e1 == n1 and e0 == n0
    needed = {
        "katz": e1 == 0 or e0 == 0 or full,
        "woolf": 0 in (e1, e0, n1 - e1, n0 - e0),
        "wald": e1 in (0, n1) and e0 in (0, n0),
    }.get(kind[1], False)
    assert (effect.correction != "none") == needed
    if kind[0] == "RR" and not needed:
        assert effect.estimate == pytest.approx((e1 / n1) / (e0 / n0))


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind[1])
@pytest.mark.parametrize(
    "counts", [(0, 15, 3, 15), (15, 15, 12, 15), (15, 15, 0, 12), (1, 1, 0, 1), (0, 1, 1, 1)]
)
def test_empty_cells_give_defined_effects(kind, counts):
    effect = compare(*counts, measure=kind[0], method=kind[1])
    assert not any(math.isnan(x) for x in (effect.estimate, effect.low, effect.high, effect.p))


def test_a_half_is_added_to_every_cell_of_a_risk_ratio_without_events():
    effect = compare(0, 15, 3, 12)
    assert effect.correction == "0.5 added to every cell"
    assert effect.estimate == pytest.approx((0.5 / 16) / (3.5 / 13))


def test_the_wald_difference_of_unvarying_arms_keeps_its_estimate():
    effect = compare(0, 10, 0, 20, measure="RD", method="wald")
    assert (effect.estimate, effect.correction) == (
        0.0,
        "0.5 added to every cell, in the standard error only",
    )
    assert effect.low < 0 < effect.high


@pytest.mark.parametrize(
    ("measure", "counts"),
    [
        ("RR", (0, 9, 0, 7)),
        ("OR", (0, 9, 0, 7)),
        ("OR-exact", (0, 9, 0, 7)),
        ("OR", (9, 9, 7, 7)),
        ("OR-exact", (9, 9, 7, 7)),
    ],
)
def test_ratios_that_the_counts_say_nothing_about_are_refused(measure, counts):
    with pytest.raises(StatisticsError, match="says nothing about a ratio; use measure='RD'"):
        compare(*counts, measure=measure)


def test_the_risk_ratio_of_two_full_arms_is_about_one_and_corrected():
    effect = compare(9, 9, 9, 9)
    assert effect.estimate == pytest.approx(1)
    assert effect.correction == "0.5 added to every cell"


def test_the_exact_odds_ratio_is_0_or_infinite_at_the_end_of_its_support():
    assert compare(0, 15, 3, 12, measure="OR-exact").estimate == 0
    effect = compare(15, 15, 9, 12, measure="OR-exact")
    assert (effect.estimate, effect.high, effect.correction) == (math.inf, math.inf, "none")


@given(arms)
def test_p_of_the_exact_odds_ratio_is_fishers(counts):
    e1, n1, e0, n0 = counts
    effect = found(counts, ("OR-exact", "conditional"))
    assert effect.p == fisher_exact([[e1, n1 - e1], [e0, n0 - e0]]).p


def test_the_exact_limits_hold_half_alpha_in_each_tail():
    effect = compare(7, 25, 4, 28, measure="OR-exact", level=0.9)
    assert stats.nchypergeom_fisher.sf(6, 53, 11, 25, effect.low) == pytest.approx(0.05)
    assert stats.nchypergeom_fisher.cdf(7, 53, 11, 25, effect.high) == pytest.approx(0.05)


@pytest.mark.parametrize(("measure", "method"), [("RR", "woolf"), ("RD", "katz"), ("OR", "newcombe")])
def test_a_method_of_another_measure_is_refused(measure, method):
    with pytest.raises(StatisticsError, match=f"method of {measure}"):
        compare(3, 9, 2, 8, measure=measure, method=method)


def test_an_unknown_measure_is_refused_with_the_known_ones():
    with pytest.raises(StatisticsError, match="RR, OR, OR-exact, RD"):
        compare(3, 9, 2, 8, measure="HR")  # type: ignore[arg-type]


def test_the_message_names_the_arm_that_is_wrong():
    with pytest.raises(StatisticsError, match="e0 9 exceeds n0 8"):
        compare(3, 9, 9, 8)


def test_a_score_limit_nearer_to_the_estimate_than_a_search_can_start_is_found():
    effect = compare(0, 1, 0, 10**15, measure="RD", method="miettinen-nurminen")
    assert -1e-12 <= effect.low <= 0 == effect.estimate < effect.high <= 1


def test_a_number_too_long_to_be_written_is_refused():
    with pytest.raises(StatisticsError, match="beyond all bounds"):
        compare(10**5000, 3, 1, 3)
