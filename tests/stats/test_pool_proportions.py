from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from evidence.errors import StatisticsError
from evidence.stats import binomial_normal, pool, pool_proportions, proportion
from evidence.stats.binomial_normal import fit

study = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
studies = st.lists(study, min_size=2, max_size=8)


def split(pairs):
    return [e for e, _ in pairs], [n for _, n in pairs]


def pooled(pairs, **options):
    try:
        return pool_proportions(*split(pairs), **options)
    except StatisticsError:
        assume(False)


@pytest.fixture(scope="module")
def data(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("glmm_data.csv"):
        sets[row["set"]].append((int(row["x"]), int(row["n"])))
    return {name: split(pairs) for name, pairs in sets.items()}


def test_the_glmm_is_near_glmer(pinned, data):
    rows = [row for row in pinned.rows("glmm.csv") if row["glmer_mean"]]
    assert len(rows) >= 14
    for row in rows:
        ours = pool_proportions(*data[row["set"]])
        # glmer as metafor calls it has 7 nodes and stops early: see the table of divergences
        assert special.logit(ours.estimate) == pytest.approx(float(row["glmer_mean"]), abs=2e-3)
        assert ours.tau2 == pytest.approx(float(row["glmer_tau2"]), abs=6e-3)


def test_the_log_likelihood_equals_numerical_integration():
    events, n = np.array([7.0, 17.0, 0.0]), np.array([32.0, 30.0, 12.0])
    found = fit(events, n)

    def one(e, m):
        def density(z):
            logit = found.mean + found.sd * z
            return math.exp(e * logit - m * np.logaddexp(0, logit) - z**2 / 2) / math.sqrt(2 * math.pi)

        return math.log(integrate.quad(density, -10, 10, epsabs=0, epsrel=1e-12, limit=200)[0])

    assert found.log_likelihood == pytest.approx(sum(map(one, events, n)), rel=1e-10)


@given(studies)
def test_the_summary_lies_among_the_studies_and_inside_its_interval(pairs):
    result = pooled(pairs)
    shares = [e / n for e, n in pairs]
    assert min(shares) - 1e-9 <= result.estimate <= max(shares) + 1e-9
    assert 0 <= result.low <= result.estimate <= result.high <= 1


@given(studies)
def test_swapping_event_and_non_event_mirrors_the_summary(pairs):
    one, other = pooled(pairs), pooled([(n - e, n) for e, n in pairs])
    assert one.estimate == pytest.approx(1 - other.estimate, abs=1e-6)
    assert one.low == pytest.approx(1 - other.high, abs=1e-5)


@given(studies, st.randoms())
def test_the_order_of_studies_does_not_matter(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert pooled(pairs).estimate == pytest.approx(pooled(shuffled).estimate, abs=1e-7)


@given(study, st.integers(2, 6))
def test_equal_studies_pool_to_their_total(one, k):
    result = pooled([one] * k)
    assert result.estimate == pytest.approx(one[0] / one[1])
    assert result.method == "exact" or result.tau2 == 0


@pytest.mark.parametrize("method", ["GLMM", "logit"])
@pytest.mark.parametrize(("events", "n"), [([0, 0], [10, 20]), ([10, 20], [10, 20]), ([3], [11])])
def test_totals_without_spread_have_the_exact_interval(events, n, method):
    result = pool_proportions(events, n, method=method)
    exact = proportion(sum(events), sum(n), method="clopper-pearson")
    assert (result.estimate, result.low, result.high) == (exact.estimate, exact.low, exact.high)
    assert math.isnan(result.tau2)
    assert result.method == "exact"
    assert "heterogeneity cannot be estimated" in result.warnings[0]


@pytest.mark.parametrize("method", ["GLMM", "logit"])
def test_two_studies_are_warned_of(method):
    assert pool_proportions([7, 17], [32, 30], method=method).warnings[0].startswith("two studies")
    assert pool_proportions([7, 17, 9], [32, 30, 20], method=method).warnings == ()


edge = st.integers(1, 200).flatmap(lambda n: st.tuples(st.sampled_from([0, 1, n]), st.just(n)))


@settings(max_examples=30)
@given(st.lists(edge, min_size=1, max_size=5))
def test_a_proportion_is_finite_or_warned_of_or_refused(pairs):
    for method in ("GLMM", "logit"):
        try:
            result = pool_proportions(*split(pairs), method=method)
        except StatisticsError:
            continue
        assert 0 <= result.low <= result.estimate <= result.high <= 1
        assert result.warnings or math.isfinite(result.tau2 + result.pi_low + result.pi_high)


def test_zero_studies_need_no_correction_in_the_glmm_and_one_in_logits():
    assert pool_proportions([0, 3, 5], [15, 16, 20]).correction == "none"
    assert pool_proportions([0, 3, 5], [15, 16, 20], method="logit").correction.startswith("0.5 added")
    assert pool_proportions([1, 3, 5], [15, 16, 20], method="logit").correction == "none"


def test_logit_pooling_takes_the_estimator_and_interval_asked_for():
    y, v = special.logit([0.2, 0.5, 0.6]), [1 / 4 + 1 / 16, 1 / 10 + 1 / 10, 1 / 12 + 1 / 8]
    expected = pool(y, v, tau2="DL", ci="HKSJ-adhoc")
    result = pool_proportions([4, 10, 12], [20, 20, 20], method="logit", tau2="DL", ci="HKSJ-adhoc")
    assert result.low == pytest.approx(special.expit(expected.low))


def test_studies_all_at_0_or_1_are_refused():
    with pytest.raises(StatisticsError, match="show the studies side by side"):
        pool_proportions([0, 10], [12, 10])


def test_a_new_study_is_as_uncertain_as_the_centre_and_the_studies_together():
    found = pool_proportions([16, 10, 4, 43, 10, 25, 13], [17, 12, 8, 58, 10, 42, 14])
    assert found.tau2 > 0
    centre, high = special.logit([found.estimate, found.high])
    reach = math.hypot(high - centre, special.ndtri(0.975) * math.sqrt(found.tau2))
    assert (found.pi_low, found.pi_high) == pytest.approx(
        tuple(special.expit([centre - reach, centre + reach]))
    )


def test_the_centre_is_called_the_median_study():
    assert pool_proportions([7, 17], [32, 30]).centre == "proportion in the median study"


def test_an_unknown_method_is_refused():
    with pytest.raises(StatisticsError, match="GLMM, logit"):
        pool_proportions([7, 17], [32, 30], method="arcsine")  # type: ignore[arg-type]


def test_the_same_studies_are_fitted_once_whatever_the_level(monkeypatch):
    calls = []
    monkeypatch.setattr(binomial_normal, "fit", lambda *given: calls.append(given) or fit(*given))
    results = [pool_proportions([3, 9, 14], [31, 47, 53], level=level) for level in (0.9, 0.95, 0.99)]
    assert len(calls) == 1
    assert len({one.estimate for one in results}) == 1
    assert results[0].high < results[1].high < results[2].high


@pytest.mark.parametrize("method", ["GLMM", "logit"])
def test_a_result_names_its_method(method):
    assert pool_proportions([3, 5, 9], [20, 21, 30], method=method).method.startswith(method)
