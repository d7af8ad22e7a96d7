from __future__ import annotations

import math
from collections import defaultdict
from importlib import import_module

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from evidence.errors import StatisticsError
from evidence.stats import heterogeneity, pool, pool_many
from evidence.stats.tau2 import TAU2_METHODS, generalised_q

FLOATS_UP_TO = import_module("evidence.stats.pool").FLOATS_UP_TO  # evidence.stats.pool is also the function
INTERVALS = ("HKSJ", "HKSJ-adhoc", "Wald")
CLOSED = {"FE", "DL", "SJ", "HE"}
PARTS = ("estimate", "se", "low", "high", "p", "tau2", "i2", "h2", "q", "q_p", "pi_low", "pi_high")

effect = st.tuples(st.floats(-3, 3), st.floats(0.01, 2))
studies = st.lists(effect, min_size=2, max_size=12)
methods = st.sampled_from(TAU2_METHODS)
intervals = st.sampled_from(INTERVALS)


def split(pairs):
    y, v = np.array(pairs).T
    return y, v


@pytest.fixture(scope="module")
def data(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("pool_data.csv"):
        sets[row["set"]].append((float(row["y"]), float(row["v"])))
    return {name: split(pairs) for name, pairs in sets.items()}


def pooled_both_ways(y, v, **options):
    """One data set by itself, in plain floats, and as one of many, by arrays."""
    return pool(y, v, **options), pool_many(np.array([y]), np.array([v]), **options).one(0)


def test_the_grid_has_not_shrunk(pinned, data):
    rows = pinned.rows("pool.csv")
    done = [(row["set"], row["method"], row["ci"]) for row in rows]
    assert TAU2_METHODS == ("FE", "DL", "PM", "REML", "ML", "EB", "SJ", "HE")
    assert len(data) >= 23
    assert sum(len(y) >= 5 for y, _ in data.values()) >= 17
    assert sorted(done) == sorted(
        (name, method, ci) for name in data for method in TAU2_METHODS for ci in INTERVALS
    )
    assert {*PARTS, "tau2_low", "tau2_high", "weight_1"} < set(rows[0])
    assert all(row[part] for row in rows for part in PARTS if row["method"] != "FE" or part[:2] != "pi")


def test_the_grid_holds_both_paths(data):
    sizes = [len(y) for y, _ in data.values()]
    assert min(sizes) == 2
    assert max(sizes) > FLOATS_UP_TO


def test_bcg_is_as_printed_by_viechtbauer_2010(data):
    # Journal of Statistical Software 2010;36(3), section 3.1: REML with Wald, and confint(res)
    result = pool(*data["bcg_rr"], ci="Wald")
    assert [round(x, 4) for x in (result.estimate, result.low, result.high)] == [-0.7145, -1.0669, -0.3622]
    assert [round(x, 4) for x in (result.tau2, result.tau2_low, result.tau2_high)] == [0.3132, 0.1197, 1.1115]
    assert (round(result.i2, 2), round(result.h2, 2), round(result.q, 4)) == (92.22, 12.86, 152.2330)


@pytest.mark.parametrize(("ours", "theirs"), [("DL", "chi2"), ("PM", "pm")])
def test_pooled_effects_match_statsmodels(data, ours, theirs):
    for name in ("bcg_rr", "hackshaw1998", "normand1999"):
        y, v = data[name]
        expected = combine_effects(y, v, method_re=theirs, atol=1e-12).summary_frame()
        found = pool(y, v, tau2=ours, ci="Wald")
        row = expected.loc["random effect"]
        assert (found.estimate, found.low, found.high) == pytest.approx(
            (row["eff"], row["ci_low"], row["ci_upp"]), rel=1e-5, abs=1e-9
        )


def test_many_data_sets_at_once_equal_them_one_by_one(data):
    groups = defaultdict(list)
    for y, v in data.values():
        groups[len(y)].append((y, v))
    pairs = max(groups.values(), key=len)
    y, v = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    for method in TAU2_METHODS:
        many = pool_many(y, v, tau2=method)
        for index in range(len(y)):
            one, other = pool(y[index], v[index], tau2=method), many.one(index)
            for part in PARTS:
                assert getattr(one, part) == pytest.approx(getattr(other, part), rel=1e-12, nan_ok=True)


@given(studies, methods, intervals, st.sampled_from([0.5, 0.95, 0.999]))
def test_plain_floats_and_arrays_agree(pairs, method, ci, level):
    one, other = pooled_both_ways(*split(pairs), tau2=method, ci=ci, level=level)
    for part in (*PARTS, "tau2_low", "tau2_high"):
        # 1e-9: both end where a step is below 1e-8, with an error of the order of its square
        assert getattr(one, part) == pytest.approx(getattr(other, part), rel=1e-9, abs=1e-12, nan_ok=True), (
            part
        )
    assert one.weights == pytest.approx(other.weights, rel=1e-9)
    assert one.warnings == other.warnings


wild = st.tuples(
    st.floats() | st.sampled_from([0.0, 1.0, -1e3]),
    st.floats() | st.floats(0, 1e300) | st.floats(1e-3, 1e3) | st.just(0.1),
)


@given(st.lists(wild, min_size=1, max_size=6), methods, intervals, st.floats(1e-12, 1, exclude_max=True))
def test_a_result_is_finite_or_warned_of_or_refused(pairs, method, ci, level):
    try:
        results = pooled_both_ways(*split(pairs), tau2=method, ci=ci, level=level)
    except StatisticsError:
        return
    for result in results:
        values = [getattr(result, part) for part in (*PARTS, "tau2_low", "tau2_high")]
        assert not any(map(math.isinf, values))
        assert not any(map(math.isnan, [*values[:10], *result.weights]))
        assert result.warnings or not any(map(math.isnan, values))


@pytest.mark.parametrize("unit", [1e-18, 1e-6, 1e6, 1e19])
def test_very_small_and_very_large_units_carry_over(data, unit):
    y, v = data["bcg_rr"]
    for method in TAU2_METHODS:
        one, others = pool(y, v, tau2=method), pooled_both_ways(unit * y, unit**2 * v, tau2=method)
        for other in others:
            assert (other.estimate / unit, other.se / unit, other.tau2 / unit**2) == pytest.approx(
                (one.estimate, one.se, one.tau2), rel=1e-9
            )


@given(studies, methods, intervals)
def test_the_interval_holds_the_estimate_and_the_estimate_lies_among_the_studies(pairs, method, ci):
    y, v = split(pairs)
    result = pool(y, v, tau2=method, ci=ci)
    assert result.low <= result.estimate <= result.high
    assert y.min() - 1e-9 <= result.estimate <= y.max() + 1e-9
    assert result.tau2 >= 0
    assert result.weights.sum() == pytest.approx(100)
    assert 0 <= result.i2 < 100 + 1e-9
    assert 0 <= result.p <= 1


@given(studies, methods, intervals, st.randoms())
def test_the_order_of_studies_does_not_matter(pairs, method, ci, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, other = pool(*split(pairs), tau2=method, ci=ci), pool(*split(shuffled), tau2=method, ci=ci)
    for part in ("estimate", "se", "tau2", "q"):
        assert getattr(one, part) == pytest.approx(getattr(other, part), rel=1e-6, abs=1e-8)


@given(studies, methods, intervals, st.floats(0.05, 20), st.floats(-5, 5))
def test_unit_and_origin_carry_over(pairs, method, ci, unit, origin):
    y, v = split(pairs)
    one, other = pool(y, v, tau2=method, ci=ci), pool(origin + unit * y, unit**2 * v, tau2=method, ci=ci)
    assert other.estimate == pytest.approx(origin + unit * one.estimate, rel=1e-5, abs=1e-6)
    assert other.se == pytest.approx(unit * one.se, rel=1e-5, abs=1e-6)
    assert other.tau2 == pytest.approx(unit**2 * one.tau2, rel=1e-5, abs=1e-6)


@given(studies, methods, intervals, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_a_higher_level_never_narrows_an_interval(pairs, method, ci, first, second):
    low, high = sorted((first, second))
    narrow, wide = (pool(*split(pairs), tau2=method, ci=ci, level=level) for level in (low, high))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high
    if method != "FE":
        assert wide.tau2_low <= narrow.tau2_low + 1e-9
        assert narrow.tau2_high <= wide.tau2_high + 1e-9
        assert wide.pi_low <= narrow.pi_low


@given(studies, methods)
def test_the_ad_hoc_interval_is_never_narrower_than_hksj(pairs, method):
    plain, floored = (pool(*split(pairs), tau2=method, ci=ci) for ci in ("HKSJ", "HKSJ-adhoc"))
    wald = pool(*split(pairs), tau2=method, ci="Wald")
    assert floored.se >= plain.se
    assert floored.se >= wald.se * (1 - 1e-12)


@given(studies)
def test_the_q_profile_ends_meet_the_chi_square_quantiles(pairs):
    from scipy import stats

    y, v = split(pairs)
    result = pool(y, v)
    for end, tail in ((result.tau2_low, 0.025), (result.tau2_high, 0.975)):
        if end > 0:
            q = generalised_q(y[None], v[None], np.array([end]))[0]
            assert q == pytest.approx(stats.chi2.isf(tail, len(y) - 1), rel=1e-9)


@given(studies)
def test_paule_mandel_sets_q_to_its_degrees_of_freedom(pairs):
    y, v = split(pairs)
    found = pool(y, v, tau2="PM").tau2
    assume(found > 0)
    assert generalised_q(y[None], v[None], np.array([found]))[0] == pytest.approx(len(y) - 1, rel=1e-9)


@given(studies)
def test_q_is_that_of_the_heterogeneity_test(pairs):
    y, v = split(pairs)
    result, test = pool(y, v, tau2="FE"), heterogeneity(y, v)
    assert (result.q, result.q_p, result.q_df) == pytest.approx(
        (test.statistic, test.p, test.df), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_no_other_tau2_is_much_likelier_than_the_one_found(method):
    from evidence.stats.tau2 import _likelihood, estimate_tau2

    rng = np.random.default_rng(20240601)
    v = rng.uniform(0.01, 0.6, (2000, 6))
    y = rng.normal(0, np.sqrt(v + rng.choice([0, 0.05, 0.3], (2000, 1))))
    found = estimate_tau2(y, v, method)
    best = _likelihood(y, v, found.tau2, restricted=method == "REML")
    others = [
        _likelihood(y, v, np.full(2000, t), restricted=method == "REML") for t in np.geomspace(1e-4, 5, 60)
    ]
    # A second, slightly higher maximum away from tau2 = 0 is rare (metafor shares it): fewer than 1 in 200
    assert (np.max(others, axis=0) > best + 1e-9).mean() < 0.005
    assert found.converged.mean() > 0.999


def test_one_study_is_itself():
    result = pool([0.4], [0.04])
    assert (result.estimate, result.se, result.tau2, result.k, result.ci) == (0.4, 0.2, 0, 1, "Wald")
    assert result.high == pytest.approx(0.4 + 1.959963984540054 * 0.2)
    assert math.isnan(result.pi_low)
    assert "heterogeneity cannot be estimated" in result.warnings[0]


def test_two_studies_are_warned_of():
    assert any(warning.startswith("two studies") for warning in pool([0.1, 0.5], [0.1, 0.2]).warnings)


def test_a_falsely_narrow_interval_is_warned_of():
    y, v = [0.30, 0.31, 0.29], [0.1, 0.1, 0.1]
    assert any("narrower than Wald" in warning for warning in pool(y, v).warnings)
    assert not any("narrower" in warning for warning in pool(y, v, ci="HKSJ-adhoc").warnings)
    for equal in ([0.3, 0.3, 0.3], [0.1 + 0.2, 0.3, 0.3]):  # the second differ by the error of a sum
        for result in pooled_both_ways(equal, v):
            assert result.se == 0
            assert any("no width" in warning for warning in result.warnings)


@pytest.mark.parametrize("method", ["PM", "EB"])
def test_a_scale_factor_of_1_is_not_called_narrow(data, method):
    for y, v in data.values():
        for result in pooled_both_ways(y, v, tau2=method):
            assert result.tau2 == 0 or not any("narrower" in warning for warning in result.warnings)


def test_equal_effects_have_a_result_by_every_method():
    for method in TAU2_METHODS:
        for result in pooled_both_ways([0.3, 0.3, 0.3], [0.1, 0.2, 0.4], tau2=method, ci="HKSJ-adhoc"):
            assert (result.estimate, result.tau2) == pytest.approx((0.3, 0))
            assert result.low < 0.3 < result.high


def test_an_empty_interval_of_tau2_is_warned_of():
    result = pool([0.300, 0.301, 0.299, 0.3, 0.3, 0.3], [0.1] * 6)
    assert (result.tau2_low, result.tau2_high) == (0, 0)
    assert any("interval of tau2 is empty" in warning for warning in result.warnings)


def test_the_common_effect_has_no_prediction_interval_and_warns_of_hksj():
    result = pool([0.1, 0.5, 0.9], [0.1, 0.2, 0.1], tau2="FE")
    assert math.isnan(result.pi_low)
    assert math.isnan(result.tau2_high)
    assert any("not meant for the common-effect model" in warning for warning in result.warnings)
    wald = pool([0.1, 0.5, 0.9], [0.1, 0.2, 0.1], tau2="FE", ci="Wald")
    assert [warning.partition(":")[0] for warning in wald.warnings] == ["common-effect model (FE)"]
    two = pool([0.1, 0.5], [0.1, 0.2], tau2="FE", ci="Wald")
    assert any(warning.startswith("common-effect model (FE)") for warning in two.warnings)


def test_the_prediction_interval_has_k_minus_2_degrees_of_freedom_on_request():
    from scipy import stats

    y, v = [0.1, 0.5, 0.9, 0.2], [0.1, 0.2, 0.1, 0.05]
    result = pool(y, v, ci="Wald", prediction="t k-2")
    reach = stats.t.ppf(0.975, 2) * math.sqrt(result.tau2 + result.se**2)
    assert result.pi_high == pytest.approx(result.estimate + reach)
    two = pool(y[:2], v[:2], prediction="t k-2")
    assert math.isnan(two.pi_low)
    assert any("needs three studies" in warning for warning in two.warnings)


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: pool([0.1, 0.2], [0.1]), "one v for each y"),
        (lambda: pool([0.1, 0.2], [0.1, 0.0]), "0 or negative"),
        (lambda: pool([0.1, float("nan")], [0.1, 0.1]), "leave that row out"),
        (lambda: pool([], []), "one v for each y"),
        (lambda: pool([[0.1]], [[0.1]]), "pool_many"),
        (lambda: pool_many([0.1], [0.1]), "or use pool"),
        (lambda: pool_many([[0.1, 0.2]], [[0.1, -0.1]]), "0 or negative"),
        (lambda: pool([0.1, 1e41], [0.1, 0.1]), "in another unit"),
        (lambda: pool([0.1, 0.2], [0.1, 1e-41]), "in another unit"),
        (
            lambda: pool([0.1, 0.2], [0.1, 1e-9]),
            "1e[+]08 times another, .*: correct one or leave a study out$",
        ),
        (lambda: pool_many([[0.1, 0.2]], [[0.1, 1e-9]]), "1e[+]08 times another"),
        (lambda: pool([0.1], [0.1], tau2="XX"), "FE, DL, PM, REML"),
        (lambda: pool([0.1], [0.1], ci="t"), "HKSJ, HKSJ-adhoc, Wald"),
        (lambda: pool([0.1], [0.1], level=95), "between 0 and 1"),
        (lambda: pool([0.1], [0.1], prediction="none"), "default, t k-2"),
    ],
)
def test_unusable_studies_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()


def test_one_study_has_no_heterogeneity_to_test():
    result = pool([0.4], [0.04])
    assert (result.q, result.q_df, result.q_p) == (0, 0, 1)
    many = pool_many([[0.4], [0.1]], [[0.04], [0.09]])
    assert (many.q.tolist(), many.q_df, many.q_p.tolist()) == ([0, 0], 0, [1, 1])
