import math
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from evidence.audit.recompute import (
    MEDIANS,
    NOTHING,
    PERCENT_ONLY,
    WITHIN,
    Summary,
    _anova,
    _exact,
    _propagated,
    freeman_halton_statistic,
    recompute,
)
from evidence.audit.reported import Reported
from evidence.stats import TestResult


def test_of(data, **wanted):
    rows = data.tests.to_dict("records")
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


test_of.__test__ = False


def test_pearson_is_found_where_it_is_what_was_printed(data):
    found = recompute(test_of(data, outcome_id="efficacy", arms="a|b|ab|c"), data)
    # by hand: sum of (observed - expected)^2 / expected over 45/64, 26/37, 34/36, 33/50
    shares = [(45, 64), (26, 37), (34, 36), (33, 50)]
    p = sum(events for events, _ in shares) / sum(n for _, n in shares)
    statistic = sum((events - n * p) ** 2 / (n * p * (1 - p)) for events, n in shares)
    assert found.statistic == pytest.approx(statistic)
    assert (found.agrees, found.df, found.method) == ("yes", 3, "Pearson chi-square test")


def test_a_p_that_only_the_n_minus_1_test_gives_is_named_so(data):
    found = recompute(test_of(data, outcome_id="overall_response", time=3.0), data)
    pearson = 128 * (15 * 60 - 36 * 17) ** 2 / (51 * 77 * 32 * 96)
    assert found.method == "N-1 chi-square test"
    assert found.statistic == pytest.approx(pearson * 127 / 128)
    assert found.agrees == "yes"


def test_the_exact_test_and_its_statistic_are_found_in_a_sparse_table(data):
    found = recompute(test_of(data, outcome_id="performance"), data)
    assert found.agrees == "yes"
    assert "Freeman" in found.method
    assert found.statistic == pytest.approx(5.060, abs=5e-4)


def test_the_freeman_halton_statistic_grows_as_a_table_becomes_unlikely():
    assert freeman_halton_statistic([[9, 1], [1, 9]]) > freeman_halton_statistic([[6, 4], [4, 6]])


def test_an_odds_ratio_with_its_interval_is_recomputed(data):
    found = recompute(test_of(data, outcome_id="efficacy", arms="a|ab"), data)
    log_or = math.log(45 * 2 / (19 * 34))
    half = 1.959964 * math.sqrt(1 / 45 + 1 / 19 + 1 / 34 + 1 / 2)
    expected = (math.exp(log_or), math.exp(log_or - half), math.exp(log_or + half))
    assert (found.effect, found.low, found.high) == pytest.approx(expected, rel=1e-6)
    assert found.agrees == "yes"


def test_an_effect_printed_the_other_way_round_is_said_to_be(data):
    found = recompute(test_of(data, outcome_id="efficacy", arms="c|ab"), data)
    assert found.agrees == "no"
    assert "other way round" in found.reason
    assert "p" not in found.differs


def test_rounding_of_means_and_spreads_is_allowed_for(data):
    found = recompute(test_of(data, outcome_id="age", arms="a|b|ab|c"), data)
    assert found.agrees == "yes"
    assert f"{found.statistic:.3f}" != "1.928"
    assert found.candidates[0].statistic_range[0] < 1.928 < found.candidates[0].statistic_range[1]


def test_means_without_a_number_are_of_all_patients_of_their_own_studys_arms(data):
    bare = replace(data, measurements=data.measurements.assign(n=pd.NA))
    test = test_of(data, outcome_id="age", arms="a|b|ab|c")
    assert recompute(test, bare) == recompute(test, data)


def test_a_spread_that_must_be_a_standard_error_is_found_out(data):
    found = recompute(test_of(data, outcome_id="platelets", time=0.0), data)
    means = [(57.80, 1.67), (60.95, 1.86), (54.53, 2.79), (60.30, 1.70)]
    weights = [1 / se**2 for _, se in means]
    centre = sum(w * m for w, (m, _) in zip(weights, means, strict=True)) / sum(weights)
    wald = sum(w * (m - centre) ** 2 for w, (m, _) in zip(weights, means, strict=True))
    assert found.statistic == pytest.approx(wald)
    assert (found.df, found.p) == (3, pytest.approx(stats.chi2.sf(wald, 3)))
    assert "standard errors" in found.method
    assert found.agrees == "yes"


def test_a_statistic_that_contradicts_its_own_p_is_reported(data):
    found = recompute(test_of(data, outcome_id="platelets", time=7.0, arms="a|b|ab|c"), data)
    assert found.differs == ("statistic",)
    assert "3.745" in found.reason


def test_a_difference_of_means_agrees_within_the_rounding_of_the_means(data):
    found = recompute(test_of(data, outcome_id="recovery", arms="a|b"), data)
    assert "effect" not in found.differs
    assert {"low", "high"} <= set(found.differs)
    assert "64, 37" in found.reason


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"outcome_id": "platelets", "arms": "a"}, WITHIN),
        ({"outcome_id": "age", "arms": "new|old"}, MEDIANS),
        ({"outcome_id": "first_response"}, MEDIANS),
    ],
)
def test_what_needs_individual_patients_says_so(data, wanted, reason):
    found = recompute(test_of(data, **wanted), data)
    assert (found.agrees, found.reason) == ("", reason)


def test_a_test_of_a_result_that_is_not_printed_says_so(data):
    found = recompute({**test_of(data, outcome_id="liver"), "outcome_id": "fatigue", "time": 99.0}, data)
    assert (found.agrees, found.reason) == ("", NOTHING)


def test_percentages_alone_are_no_counts(data):
    test = {**test_of(data, outcome_id="sex", study_id="pilot"), "study_id": "register", "arms": "new|old"}
    assert recompute({**test, "time": 0.0}, data).reason == PERCENT_ONLY


def test_a_named_test_is_tried_first(data):
    test = {
        **test_of(data, outcome_id="efficacy", arms="a|b"),
        "test_label": "Fisher's exact test",
        "p": "0.500",
    }
    found = recompute({**test, "statistic": "", "effect": "", "low": "", "high": ""}, data)
    assert "Fisher" in found.method
    assert found.agrees == "no"


def test_every_printed_test_gets_an_answer(data):
    for test in data.tests.to_dict("records"):
        found = recompute(test, data)
        assert found.agrees or found.reason


@pytest.mark.parametrize("means", [("5.0", "5.0"), ("5.0", "5.1"), ("5.0", "9.0")])
def test_the_range_of_a_p_holds_probabilities_and_the_p_itself(means):
    groups = [Summary(Reported(mean), Reported("1.0"), 20) for mean in means]
    simulated = [TestResult(None, None, p, "by simulation", p_se=0.01) for p in (0.0, 0.99, 1.0)]
    for one in (_propagated(_anova, groups), *map(_exact, simulated)):
        low, high = one.p_range
        assert 0 <= low <= one.p <= high <= 1
        assert low < high


def test_the_freeman_halton_statistic_is_that_of_its_definition():
    # -2 log(gamma P): P is hypergeometric; gamma = 2 pi^((r-1)(c-1)/2) n^(-(rc-1)/2) prod rows^((c-1)/2) prod columns^((r-1)/2)
    p = math.comb(10, 9) * math.comb(10, 1) / math.comb(20, 10)
    gamma = math.sqrt(2 * math.pi) * 20**-1.5 * math.sqrt(10 * 10) * math.sqrt(10 * 10)
    assert freeman_halton_statistic([[9, 1], [1, 9]]) == pytest.approx(-2 * math.log(gamma * p), rel=1e-12)
    three = [[3, 1, 2], [1, 4, 1]]
    p = math.prod(math.comb(n, e) for n, e in zip((4, 5, 3), three[0], strict=True)) / math.comb(12, 6)
    gamma = 2 * math.pi * 12**-2.5 * 36 * math.sqrt(4 * 5 * 3)
    assert freeman_halton_statistic(three) == pytest.approx(-2 * math.log(gamma * p), rel=1e-12)
