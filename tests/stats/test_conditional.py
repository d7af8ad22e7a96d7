from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.discrete.conditional_models import ConditionalLogit

from evidence.errors import StatisticsError
from evidence.stats import arm_contrasts, compare, conditional_logistic, network


@pytest.fixture(scope="module")
def data(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("conditional_data.csv"):
        sets[row["set"]].append((row["study"], row["treatment"], int(row["events"]), int(row["n"])))
    return sets


def fitted(rows, reference):
    return conditional_logistic(*zip(*rows, strict=True), reference=reference)


@pytest.mark.slow
def test_sparse_networks_match_the_exact_method_of_clogit(pinned, data):
    expected = pinned.rows("conditional.csv")
    results = {row["set"]: fitted(data[row["set"]], row["treatment0"]) for row in expected}
    assert len(results) >= 3
    assert len(expected) >= 9
    for row in expected:
        ours = results[row["set"]]
        at = ours.treatments.index(row["treatment1"]), 0
        assert math.log(ours.estimate[at]) == pytest.approx(float(row["estimate"]), rel=1e-7), row
        assert ours.se[at] == pytest.approx(float(row["se"]), rel=1e-6), row
        assert ours.low[at] < ours.estimate[at] < ours.high[at]


@pytest.mark.slow
def test_treatments_without_events_get_one_finite_limit_or_are_named(data):
    ours = fitted(data["gurusamy2011"], "Control/Placebo")
    assert ours.left_out == ("Solvent detergent plasma",)
    at = ours.treatments.index("Antithrombin III"), 0
    assert (ours.estimate[at], ours.low[at]) == (0, 0)
    assert math.isnan(ours.se[at])
    assert 1 < ours.high[at] < 3


@pytest.mark.parametrize(
    ("e1", "n1", "e0", "n0"), [(2, 26, 3, 50), (3, 4, 1, 4), (10, 40, 4, 45), (1, 13, 5, 12)]
)
def test_one_study_gives_fishers_conditional_odds_ratio(e1, n1, e0, n0):
    ours = conditional_logistic(["s", "s"], ["b", "a"], [e1, e0], [n1, n0], reference="a")
    assert ours.estimate[1, 0] == pytest.approx(
        compare(e1, n1, e0, n0, measure="OR-exact").estimate, rel=1e-7
    )


def test_a_tree_of_single_studies_keeps_each_studys_conditional_odds_ratio():
    arms = ["s", "s", "t", "t"], ["b", "a", "b", "c"], [2, 5, 3, 7], [26, 26, 50, 50]
    ours = conditional_logistic(*arms, reference="a")
    ab = compare(2, 26, 5, 26, measure="OR-exact").estimate
    cb = compare(7, 50, 3, 50, measure="OR-exact").estimate
    np.testing.assert_allclose(ours.estimate[1:, 0], [ab, ab * cb], rtol=1e-7)


@pytest.mark.slow
def test_large_networks_agree_with_inverse_variance():
    rng = np.random.default_rng(7)
    study, treatment = np.repeat(np.arange(12), 3).astype(str), np.tile(["a", "b", "c"], 12)
    n = np.full(36, 600)
    events = rng.binomial(n, np.tile([0.3, 0.4, 0.35], 12))
    ours = conditional_logistic(study, treatment, events, n, reference="a")
    theirs = network(
        arm_contrasts(study, treatment, events, n, measure="OR"), measure="OR", reference="a", tau2="FE"
    )
    np.testing.assert_allclose(np.log(ours.estimate), theirs.estimate, atol=4e-3)
    np.testing.assert_allclose(ours.se[1:, 0], theirs.se[1:, 0], rtol=1e-2)
    np.testing.assert_allclose(np.log(ours.high[1:, 0]), theirs.high[1:, 0], atol=6e-3)


def test_patients_one_by_one_match_statsmodels():
    arms = (
        ["s", "s", "s", "t", "t", "u", "u"],
        list("abcabbc"),
        [2, 4, 1, 3, 5, 2, 6],
        [9, 8, 7, 10, 11, 8, 9],
    )
    rows = [
        (study, treatment == "b", treatment == "c", int(place < happened))
        for study, treatment, happened, n in zip(*arms, strict=True)
        for place in range(n)
    ]
    group, b, c, event = (list(column) for column in zip(*rows, strict=True))
    model = ConditionalLogit(np.array(event), np.column_stack([b, c]).astype(float), groups=np.array(group))
    expected = model.fit(disp=0)
    ours = conditional_logistic(*arms, reference="a")
    np.testing.assert_allclose(
        np.log(ours.estimate[1:, 0]), expected.params, rtol=1e-3
    )  # its optimiser stops at 2e-4
    np.testing.assert_allclose(ours.se[1:, 0], expected.bse, rtol=1e-3)


counts = st.lists(st.tuples(st.integers(0, 6), st.integers(6, 12)), min_size=4, max_size=4)


@pytest.mark.slow
@settings(max_examples=15)
@given(counts)
def test_swapping_events_and_non_events_inverts_every_odds_ratio(cells):
    events, n = zip(*cells, strict=True)
    arms = ["s", "s", "t", "t"], list("abbc")
    assume(all(0 < sum(events[i : i + 2]) < sum(n[i : i + 2]) for i in (0, 2)))
    one = conditional_logistic(*arms, events, n, reference="a")
    other = conditional_logistic(*arms, [m - e for e, m in cells], n, reference="a")
    np.testing.assert_allclose(one.estimate, other.estimate.T, rtol=1e-6)
    np.testing.assert_allclose(one.p, other.p, atol=1e-7)


def test_a_comparison_through_a_treatment_without_events_is_unknown():
    arms = ["s", "s", "t", "t"], list("abbc"), [1, 0, 0, 1], [6] * 4
    ours = conditional_logistic(*arms, reference="a")
    at = ours.treatments.index("c"), 0
    assert math.isnan(ours.estimate[at])
    assert (ours.low[at], ours.high[at]) == (0, math.inf)


def test_unconnected_treatments_are_refused_with_the_components():
    with pytest.raises(StatisticsError, match=r"\{a, b\}; \{c, d\}"):
        conditional_logistic(list("sstt"), list("abcd"), [1, 2, 3, 4], [9] * 4, reference="a")
    with pytest.raises(StatisticsError, match="none"):
        conditional_logistic(["s", "s"], ["a", "b"], [0, 0], [9, 9], reference="a")
    with pytest.raises(StatisticsError, match="reference"):
        conditional_logistic(["s", "s"], ["a", "b"], [1, 2], [9, 9], reference="z")
