from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_generic

from evidence.errors import StatisticsError
from evidence.stats import (
    anova_from_summary,
    f_p,
    holm,
    mean_difference,
    sd_from_interval,
    sd_from_se,
    se_from_sd,
    t_from_summary,
    t_p,
)

group = st.tuples(st.floats(-50, 50), st.floats(0.1, 20), st.integers(2, 200))
variances = st.sampled_from(["student", "welch"])


def test_anova_matches_oneway_test_and_aov(pinned):
    sets = pinned.tree("means.json")["sets"]
    assert len(sets) >= 6
    for row in sets.values():
        ours = anova_from_summary(row["mean"], row["sd"], row["n"])
        assert [ours.df, ours.df_error] == row["df"]
        for theirs in (row["f"], row["f_aov"]):
            assert ours.statistic == pytest.approx(theirs, rel=1e-10)
        assert ours.p == pytest.approx(row["p"], rel=1e-9)  # the pinned JSON has 15 digits


@given(group, group)
def test_two_group_tests_match_scipy(one, none):
    for method, equal in (("student", True), ("welch", False)):
        ours = t_from_summary(*one, *none, method=method)
        theirs = stats.ttest_ind_from_stats(*one, *none, equal_var=equal)
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-12)
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-7, abs=1e-300)


@given(st.lists(group, min_size=2, max_size=6))
def test_anova_matches_statsmodels(groups):
    means, sds, ns = (np.array(column, dtype=float) for column in zip(*groups, strict=True))
    theirs = anova_generic(means, sds**2, ns, use_var="equal")
    assert anova_from_summary(means, sds, ns).statistic == pytest.approx(
        theirs.statistic, rel=1e-8, abs=1e-10
    )


@given(group, group)
def test_f_of_two_groups_is_the_square_of_students_t(one, none):
    f, t = anova_from_summary(*zip(one, none, strict=True)), t_from_summary(*one, *none)
    assert f.statistic == pytest.approx(t.statistic**2, rel=1e-8, abs=1e-12)
    assert f.p == pytest.approx(t.p, rel=1e-6, abs=1e-12)


@given(group, group, variances, st.floats(0.01, 100), st.floats(-10, 10))
def test_unit_and_origin_do_not_change_the_test(one, none, method, unit, origin):
    moved = [(origin + unit * m, unit * s, n) for m, s, n in (one, none)]
    assert t_from_summary(*moved[0], *moved[1], method=method).statistic == pytest.approx(
        t_from_summary(*one, *none, method=method).statistic, rel=1e-6, abs=1e-6
    )


@given(group, group, variances)
def test_the_interval_excludes_0_exactly_when_p_is_below_alpha(one, none, method):
    found = mean_difference(*one, *none, method=method)
    assert found.low <= found.estimate <= found.high
    if abs(found.p - 0.05) > 1e-9:
        assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


@given(st.floats(0.01, 100), st.integers(2, 500))
def test_conversions_of_spread_are_inverse(sd, n):
    assert sd_from_se(se_from_sd(sd, n), n) == pytest.approx(sd)
    half = stats.t.ppf(0.975, n - 1) * se_from_sd(sd, n)
    assert sd_from_interval(10 - half, 10 + half, n) == pytest.approx(sd)


@pytest.mark.slow
@settings(max_examples=8)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_matches_statsmodels(p_values):
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)


@given(st.floats(0, 40), st.integers(1, 6), st.integers(1, 300))
def test_tails_match_scipy(statistic, df, df_error):
    assert f_p(statistic, df, df_error) == pytest.approx(
        stats.f.sf(statistic, df, df_error), rel=1e-8, abs=1e-300
    )
    assert t_p(statistic, df_error) == pytest.approx(
        2 * stats.t.sf(statistic, df_error), rel=1e-8, abs=1e-300
    )


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: t_from_summary(1, 0, 5, 2, 0, 5), "a group that varies"),
        (lambda: t_from_summary(1, 1, 1, 2, 1, 5), "n above 1"),
        (lambda: t_from_summary(1, -1, 4, 2, 1, 5), "SD of at least 0"),
        (lambda: t_from_summary(float("nan"), 1, 4, 2, 1, 5), "leave that row out"),
        (lambda: t_from_summary(1, 1, 4, 2, 1, 5, method="z"), "student, welch"),
        (lambda: anova_from_summary([1], [1], [5]), "at least two groups"),
        (lambda: anova_from_summary([1, 2], [1], [5, 5]), "one value per group"),
        (lambda: sd_from_se(-1, 5), "above 0"),
        (lambda: se_from_sd(1, 0), "above 0"),
        (lambda: sd_from_interval(2, 1, 5), "low below high"),
        (lambda: sd_from_interval(1, 1, 5), "low below high"),
        (lambda: holm([0.5, 1.5]), "between 0 and 1"),
        (lambda: f_p(-1, 1, 1), "at least 0"),
        (lambda: t_p(1, 0), "df"),
    ],
)
def test_unusable_summaries_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()
