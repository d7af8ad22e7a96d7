from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable

from evidence.errors import StatisticsError
from evidence.stats import (
    breslow_day,
    cochran_mantel_haenszel,
    compare,
    heterogeneity,
    mantel_haenszel,
    peto,
    tarone,
)

cell = st.integers(1, 80)
table = st.tuples(cell, cell, cell, cell).map(lambda x: [[x[0], x[1]], [x[2], x[3]]])
strata = st.lists(table, min_size=2, max_size=6)
measures = st.sampled_from(["OR", "RR", "RD"])
EMPTY = [[0, 10], [0, 12]]


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ([[[30, 970], [20, 980]]], "events are 2.5% of patients"),
        ([[[3, 2997], [1, 999]]], "arms of a study are 3.0:1"),
        ([[[9, 991], [1, 999]]], "odds ratio 4.99 is outside"),
        ([[[0, 991], [0, 999]]], "no odds ratio to estimate"),
    ],
)
def test_peto_is_refused_with_the_reason(tables, reason):
    with pytest.raises(StatisticsError, match=reason):
        peto(tables)


def test_peto_is_computed_on_request_where_it_is_biased():
    assert peto([[[9, 991], [1, 999]]], conditions="ignore").estimate > 2


def test_what_became_of_zero_cells_is_said():
    assert mantel_haenszel([[[1, 9], [2, 8]], EMPTY]).zero_cells.endswith("left out: 1")
    assert mantel_haenszel([[[1, 9], [2, 8]], EMPTY], measure="RD").zero_cells.endswith("left out: 0")


def test_stratified_results_match_statsmodels():
    tables = [[[12, 28], [7, 33]], [[20, 15], [15, 25]], [[9, 3], [4, 8]]]
    theirs = StratifiedTable([np.array(t) for t in tables])
    ours = mantel_haenszel(tables)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(
        (theirs.oddsratio_pooled, *theirs.oddsratio_pooled_confint()), rel=1e-10
    )
    assert mantel_haenszel(tables, measure="RR").estimate == pytest.approx(theirs.riskratio_pooled)
    assert breslow_day(tables).p == pytest.approx(theirs.test_equal_odds().pvalue)
    assert tarone(tables).p == pytest.approx(theirs.test_equal_odds(adjust=True).pvalue)
    assert cochran_mantel_haenszel(tables).p == pytest.approx(theirs.test_null_odds().pvalue)


def test_admissions_are_those_of_r():
    # R, mantelhaen.test(UCBAdmissions): M^2 = 1.4269 with continuity (1.5246 without), OR 0.9047 (0.7719 to 1.0603)
    tables = [
        [[512, 313], [89, 19]], [[353, 207], [17, 8]], [[120, 205], [202, 391]],
        [[138, 279], [131, 244]], [[53, 138], [94, 299]], [[22, 351], [24, 317]],
    ]  # fmt: skip
    common = mantel_haenszel(tables)
    assert [round(x, 4) for x in (common.estimate, common.low, common.high)] == [0.9047, 0.7719, 1.0603]
    tested = cochran_mantel_haenszel(tables, correction="continuity")
    assert (round(tested.statistic, 4), tested.df) == (1.4269, 1)


@given(strata, measures, st.randoms())
def test_the_order_of_strata_does_not_matter(tables, measure, random):
    shuffled = list(tables)
    random.shuffle(shuffled)
    one, other = mantel_haenszel(tables, measure=measure), mantel_haenszel(shuffled, measure=measure)
    assert (one.estimate, one.se) == pytest.approx((other.estimate, other.se), rel=1e-9, abs=1e-12)


@given(strata, measures)
def test_swapping_the_arms_mirrors_the_common_effect(tables, measure):
    one = mantel_haenszel(tables, measure=measure)
    other = mantel_haenszel([[none, some] for some, none in tables], measure=measure)
    turned = -other.estimate if measure == "RD" else 1 / other.estimate
    assert one.estimate == pytest.approx(turned, rel=1e-9, abs=1e-12)
    assert one.se == pytest.approx(other.se, rel=1e-6)


@given(table, measures)
def test_one_stratum_gives_its_own_effect(one, measure):
    (a, b), (c, d) = one
    common = mantel_haenszel([one], measure=measure)
    assert common.estimate == pytest.approx(compare(a, a + b, c, c + d, measure=measure).estimate, abs=1e-12)


@given(strata)
def test_strata_without_events_leave_ratios_and_stay_in_differences(tables):
    for measure in ("OR", "RR"):
        one, other = (
            mantel_haenszel(tables, measure=measure),
            mantel_haenszel([*tables, EMPTY], measure=measure),
        )
        assert (one.estimate, one.se, one.k) == pytest.approx((other.estimate, other.se, other.k), rel=1e-9)
    difference = mantel_haenszel([*tables, EMPTY], measure="RD")
    assert difference.k == len(tables) + 1
    assert abs(difference.estimate) <= abs(mantel_haenszel(tables, measure="RD").estimate) + 1e-12


@given(strata)
def test_an_empty_stratum_does_not_change_the_tests(tables):
    assert breslow_day([*tables, EMPTY]).p == pytest.approx(breslow_day(tables).p, rel=1e-9)
    assert cochran_mantel_haenszel([*tables, EMPTY]).p == pytest.approx(
        cochran_mantel_haenszel(tables).p, rel=1e-9
    )


def test_homogeneity_is_defined_where_the_common_odds_ratio_is_1():
    tables = [[[10, 20], [5, 25]], [[5, 25], [10, 20]]]
    assert mantel_haenszel(tables).estimate == pytest.approx(1)
    assert math.isfinite(breslow_day(tables).statistic)


def test_interaction_of_two_subgroups_is_the_square_of_z():
    result = heterogeneity([0.3, 0.9], [0.04, 0.05])
    assert result.statistic == pytest.approx((0.6 / math.sqrt(0.09)) ** 2)
    assert result.df == 1


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: mantel_haenszel([EMPTY]), "measure='RD'"),
        (lambda: mantel_haenszel([[[0, 0], [3, 4]]], measure="RD"), "nothing to compare"),
        (lambda: mantel_haenszel([[1, 2], [3, 4]]), "2 x 2"),
        (lambda: mantel_haenszel([[[1.5, 2], [3, 4]]]), "whole counts"),
        (lambda: mantel_haenszel([[[1, 2], [3, 4]]], measure="HR"), "OR, RR, RD"),
        (lambda: breslow_day([[[1, 2], [3, 4]], EMPTY]), "fewer than two strata"),
        (lambda: cochran_mantel_haenszel([EMPTY]), "nothing to test"),
        (lambda: heterogeneity([0.1], [0.2]), "at least two"),
        (lambda: heterogeneity([0.1, 0.2], [0.2, 0.0]), "variance above 0"),
        (lambda: heterogeneity([0.1, 0.2], [0.2]), "one value per group"),
    ],
)
def test_unusable_strata_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()
