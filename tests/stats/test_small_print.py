"""What the statistics refuse or leave out is said in words, and a default is what it is said to be."""

import math
from functools import partial

import numpy as np
import pandas as pd
import pytest

from evidence.errors import StatisticsError
from evidence.stats import (
    absolute_effect,
    anova_from_summary,
    arm_contrasts,
    breslow_day,
    chi_square,
    compare,
    conditional_logistic,
    cumulative,
    fisher_freeman_halton,
    heterogeneity,
    holm,
    mantel_haenszel,
    mean_difference,
    network,
    node_split,
    number_needed,
    peto,
    pool,
    pool_comparisons,
    pool_many,
    proportion,
    sd_from_interval,
    t_from_summary,
    tau2,
    tau2_one,
)
from evidence.stats import binomial_normal as fitting
from evidence.stats._checks import finite
from evidence.stats.network_data import linked

CONTRASTS = pd.DataFrame({"study": ["s1", "s2"], "treatment1": ["b", "c"], "treatment0": ["a", "b"], "y": [0.5, 0.3], "v": [0.04, 0.05]})  # fmt: skip


def test_whole_numbers_are_computed_with_as_fractions_are():
    assert finite([1, 2], "values").dtype == np.float64


def test_a_refused_count_is_called_by_its_name():
    with pytest.raises(StatisticsError, match=r"^e1 11 exceeds n1 10"):
        compare(11, 10, 1, 10)
    with pytest.raises(StatisticsError, match=r"^e0 11 exceeds n0 10"):
        compare(1, 10, 11, 10)
    with pytest.raises(StatisticsError, match=r"\bseed\b"):
        network(CONTRASTS, measure="OR", reference="a", seed=1.5)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: compare(1, 10, 2, 10, measure="XX"), r"^measure is 'XX': choose"),
        (lambda: mantel_haenszel([[[1, 2], [3, 4]]], measure="XX"), r"^measure is 'XX': choose"),
        (lambda: mantel_haenszel([[[1, None], [3, 4]]]), "^tables holds a missing"),
        (lambda: proportion(1, 10, level=2.0), r"^level is 2\.0: give a number between 0 and 1"),
        (lambda: mean_difference(1, 2, 10, 1, -2, 10), "^group 0 has n 10 and SD -2"),
        (lambda: anova_from_summary([1, 2], [1, -2], [10, 10]), "^group 2 has n 10 and SD -2"),
        (lambda: anova_from_summary([1, 2], [1, 2], [10, 1.5]), r"^n2 is 1\.5: give a whole number"),
        (lambda: sd_from_interval(1, 2, 1.5), r"^n is 1\.5: give a whole number"),
        (lambda: number_needed(compare(1, 10, 2, 10, measure="RR")), "^number_needed was given RR: compare"),
        (lambda: node_split(CONTRASTS, "b", "z", measure="OR"), r"^\('b', 'z'\) is no pair of treatments"),
        (lambda: heterogeneity([[0.1, 0.2]], [[0.1, 0.2]]), r"^estimates has shape \(1, 2\): give a list of numbers$"),
        (lambda: heterogeneity([1e41, 0.2], [0.1, 0.2]), r"^estimates holds a number beyond 1e\+40: give it in another unit$"),
        (lambda: absolute_effect((1.5, None, 1.9), (0.3, 0.2, 0.4)), "^ratio holds a missing"),
        (lambda: absolute_effect((1.5, 1.2, 1.9), (0.3, None, 0.4)), "^control risk holds a missing"),
        (lambda: holm([0.1, None]), "^p_values holds a missing"),
        (lambda: network(CONTRASTS, measure="OR", reference="z"), "^reference is 'z': choose a, b, c$"),
        (lambda: pool([0.1, None], [0.1, 0.1]), "^y holds a missing"),
        (lambda: pool([0.1, 0.2], [0.1, None]), "^v holds a missing"),
        (lambda: conditional_logistic(["s", "s"], ["a", "b"], [1, 7], [5, 5], reference="a"), "^events of s, b"),
    ],
)  # fmt: skip
def test_a_refused_value_is_called_by_its_name(asked, words):
    with pytest.raises(StatisticsError, match=words):
        asked()


def test_a_simulated_p_is_drawn_with_the_first_seed_unless_another_is_given():
    table = [[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]]
    drawn = [
        fisher_freeman_halton(table, work=0, draws=400, **seed).p for seed in ({}, {"seed": 1}, {"seed": 2})
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_level_of_a_summary_of_the_first_studies_is_the_one_asked_for():
    y, v = [0.1, 0.5, 0.3], [0.04, 0.05, 0.06]
    last = cumulative(y, v, [1, 2, 3], level=0.8)[-1]
    assert (last.low, last.high) == (
        pool(y, v, ci="HKSJ", level=0.8).low,
        pool(y, v, ci="HKSJ", level=0.8).high,
    )


@pytest.mark.parametrize(("method", "name"), [("student", "Student's t test"), ("welch", "Welch's t test")])
def test_a_t_test_is_called_by_the_name_of_its_author(method, name):
    assert t_from_summary(3, 1, 20, 2, 1.5, 20, method=method).method == name


def test_tests_of_several_tables_are_named():
    assert breslow_day([[[8, 2], [3, 7]], [[6, 4], [5, 5]]]).method == "Breslow-Day test"
    assert heterogeneity([0.3, 0.9], [0.04, 0.05]).method == "Q test of heterogeneity"


@pytest.mark.parametrize(("measure", "method"), [("RR", "katz"), ("RD", "wald")])
def test_a_study_that_stands_alone_is_told_with_its_own_method(measure, method):
    assert pool_comparisons([(3, 20, 6, 20)], measure=measure, method=method).method == method


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 2), (1, 1, 2, 2)])
def test_strata_that_are_no_tables_of_two_by_two_are_refused(shape):
    with pytest.raises(StatisticsError, match="give k tables of 2 x 2"):
        breslow_day(np.ones(shape))


def test_the_largest_group_of_joined_sets_comes_first():
    assert linked([["a"], ["d", "c"], ["c", "b"]]) == (("b", "c", "d"), ("a",))


def test_all_reasons_against_petos_method_are_told():
    with pytest.raises(
        StatisticsError, match=r"^Peto's method is biased here: events are .* 1%; the arms .* 2:1; the odds"
    ):
        peto([[[60, 40], [5, 15]]])


def test_quadrature_by_even_steps_has_the_likelihood_of_that_by_gauss_and_hermite():
    studies = fitting._Studies(np.array([3.0, 8.0]), np.array([20.0, 30.0]))
    place = np.array([-1.0, 0.5])
    even, adaptive = (
        fitting._point(studies, place, partial(rule, number))
        for rule, number in ((fitting._even, 801), (fitting._hermite, 31))
    )
    assert even.log_likelihood == pytest.approx(adaptive.log_likelihood, rel=1e-10)


@pytest.mark.parametrize(
    ("counts", "measure", "why"),
    [
        ((0, 10, 0, 10), "RR", "left out: no events in any arm"),
        ((10, 10, 10, 10), "OR", "left out: only events in every arm"),
    ],
)
def test_a_study_without_information_is_left_out_of_a_network_and_told(counts, measure, why):
    e1, n1, e0, n0 = counts
    made = arm_contrasts(["s", "s"], ["a", "b"], [e0, e1], [n0, n1], measure=measure)
    assert made["correction"].tolist() == [why]
    assert made[["y", "v"]].isna().to_numpy().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treatment1": ["b", None]}, "lacks its study or a treatment"),
        ({"y": [0.5, 1j]}, "y holds a value that is no number"),
    ],
)
def test_a_contrast_that_cannot_be_read_is_refused(change, message):
    with pytest.raises(StatisticsError, match=message):
        network(CONTRASTS.assign(**change), measure="OR", reference="a")


@pytest.mark.parametrize("tau2", ["DL", "REML"])
def test_a_network_without_a_spare_contrast_has_no_heterogeneity(tau2):
    assert network(CONTRASTS, measure="OR", reference="a", tau2=tau2).tau2 == 0


def test_a_study_of_three_numbers_is_refused():
    with pytest.raises(StatisticsError, match="give events and patients of both arms"):
        pool_comparisons([(1, 10, 2)], measure="RR")


def test_counts_beyond_what_floats_hold_exactly_are_refused():
    with pytest.raises(StatisticsError, match="beyond"):
        chi_square([[1e300, 1], [1, 1]])
    with pytest.raises(StatisticsError, match="use measure='OR'"):
        compare(10**6, 2 * 10**6, 10**6, 2 * 10**6, measure="OR-exact")
    assert math.isfinite(compare(10**6, 2 * 10**6, 10**6, 2 * 10**6, measure="OR").estimate)


@pytest.mark.parametrize(
    ("ratio", "control", "more", "message"),
    [
        ((1.5, 1.2), (0.3, 0.2, 0.4), {}, "ratio has 2 numbers"),
        (
            (1.5, 1.2, 1.9),
            (0.3, 0.2, 0.4),
            {"correlation": 1.5},
            r"correlation is 1\.5: give a number from -1 to 1",
        ),
    ],
)
def test_limits_and_correlation_of_an_absolute_effect_are_complete(ratio, control, more, message):
    with pytest.raises(StatisticsError, match=message):
        absolute_effect(ratio, control, measure="RR", **more)


Y, V = [-0.9, 0.1, 0.4, 1.6], [0.04, 0.09, 0.02, 0.3]


@pytest.mark.parametrize(
    ("method", "steps"), [("REML", "SCORING_STEPS"), ("ML", "SCORING_STEPS"), ("PM", "NEWTON_STEPS")]
)
def test_an_iteration_that_does_not_settle_says_so_in_one_data_set_and_in_many(monkeypatch, method, steps):
    for module in (tau2_one, tau2):
        monkeypatch.setattr(module, steps, 1)
    many = pool_many(np.array([Y, Y]), np.array([V, V]), tau2=method)
    for made in (pool(Y, V, tau2=method), many.one(0), many.one(1)):
        assert any("tau2 did not converge" in warning for warning in made.warnings)
    settled = pool(Y, V, tau2="DL")
    assert not any("converge" in warning for warning in settled.warnings)
