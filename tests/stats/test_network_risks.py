from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats import arm_contrasts, compare, network, proportion
from evidence.stats.compare import EVERY_CELL
from evidence.stats.network_risks import _covariance, common_risk, network_risks

PLACEBO, TREATED = [85, 50, 26], [168, 171, 104, 48]
TRIALS = [0, 0, 1, 2]  # the trial of each treatment: a star of three trials, one with two doses


def made(trials, *, reference="a", shared=True, **choice):
    """Return network, risks and reference risk of trials, {treatment: (events, n)} with the reference called a."""
    rows = [
        (f"s{place}", node, *counts) for place, arms in enumerate(trials) for node, counts in arms.items()
    ]
    study, treatment, events, n = map(list, zip(*rows, strict=True))
    contrasts = arm_contrasts(study, treatment, events, n, measure="OR")
    result = network(contrasts, measure="OR", reference=reference, **choice)
    own = [row for row in rows if row[1] == reference]
    counts = (np.array([float(row[place]) for row in own]) for place in (2, 3))
    corrected = set(contrasts.loc[contrasts["correction"] == EVERY_CELL, "study"])
    base = common_risk(*counts, [row[0] for row in own] if shared else [], corrected=corrected)
    return result, network_risks(result, base), base


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_in_one_trial_risks_are_wilsons_and_differences_newcombes(data):
    sizes = data.draw(st.lists(st.integers(2, 300), min_size=3, max_size=3))
    arms = {node: (data.draw(st.integers(1, n - 1)), n) for node, n in zip("abc", sizes, strict=True)}
    result, found, _ = made([arms])
    for i, one in enumerate(result.treatments):
        alone = proportion(*arms[one])
        assert (found.risk[i], found.risk_low[i], found.risk_high[i]) == pytest.approx(
            (alone.estimate, alone.low, alone.high)
        )
        for j, none in enumerate(result.treatments):
            if i != j:
                own = compare(*arms[one], *arms[none], measure="RD")
                assert (found.difference[i, j], found.low[i, j], found.high[i, j]) == pytest.approx(
                    (own.estimate, own.low, own.high)
                )


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_risks_and_differences_stay_in_range_and_in_order_and_mirror(data):
    def arm():
        n = data.draw(st.integers(1, 200))
        return data.draw(st.integers(0, n)), n

    trials = [{"a": arm(), "b": arm()}, {"a": arm(), "c": arm()}, {"b": arm(), "c": arm(), "a": arm()}]
    try:
        found = made(trials)[1]
    except StatisticsError:
        return  # no trial says anything, or what does is not connected
    assert (found.risk_low >= 0).all()
    assert (found.risk_high <= 1).all()
    assert (found.risk_low <= found.risk).all()
    assert (found.risk <= found.risk_high).all()
    assert (found.low <= found.difference).all()
    assert (found.difference <= found.high).all()
    assert (np.abs(found.low) <= 1 + 1e-9).all()
    assert (np.abs(found.high) <= 1 + 1e-9).all()
    np.testing.assert_allclose(found.low, -found.high.T, atol=1e-12)
    assert not np.diag(found.high).any()  # no treatment differs from itself


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 29), min_size=7, max_size=7), st.sampled_from([0.0, 0.1, "REML"]))
def test_the_share_of_each_reference_arm_is_how_far_effects_fall_when_it_rises(events, tau2):
    a1, b1, a2, c2, a3, b3, c3 = ((one, 30) for one in events)
    trials = [{"a": a1, "b": b1}, {"a": a2, "c": c2}, {"b": b3, "a": a3, "c": c3}]
    rows = [(f"s{i}", node, *counts) for i, arms in enumerate(trials) for node, counts in arms.items()]
    contrasts = arm_contrasts(*map(list, zip(*rows, strict=True)), measure="OR")
    result = network(contrasts, measure="OR", reference="a", tau2=tau2)
    np.testing.assert_allclose(result.reference_shares[1:].sum(axis=1), 1)
    for place, study in enumerate(result.studies):
        mine = contrasts["study"] == study
        raised = contrasts["y"] - 0.1 * (mine & (contrasts["treatment0"] == "a"))
        raised = raised + 0.1 * (mine & (contrasts["treatment1"] == "a"))
        moved = network(contrasts.assign(y=raised), measure="OR", reference="a", tau2=result.tau2)
        fall = (result.estimate[:, 0] - moved.estimate[:, 0]) / 0.1
        np.testing.assert_allclose(fall, result.reference_shares[:, place], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from([{"tau2": 0.0}, {"tau2": 0.2}, {"ci": "HKSJ"}]))
def test_risks_never_share_more_with_the_trials_than_they_have(data, choice):
    def arm(least):
        n = data.draw(st.integers(2, 60))
        return data.draw(st.integers(least, n)), n

    trials = [{"a": arm(0), "b": arm(1)} for _ in range(3)]
    trials += [{"a": arm(0), "b": arm(1), "c": arm(1)}, {"b": arm(1), "c": arm(0)}]
    try:
        result, _, base = made(trials, **choice)
    except StatisticsError:
        return  # too little to connect, or no spread to make an interval of
    eigenvalues = np.linalg.eigvalsh(_covariance(result, base))
    assert eigenvalues.min() >= -1e-9 * eigenvalues.max()


@pytest.mark.parametrize("size", [10, 20, 40])
def test_trials_with_an_empty_cell_give_the_risk_that_the_treated_patients_had(size):
    half = size // 2
    found = made([{"a": (0, size), "b": (half, size)}, {"a": (1, size), "b": (half, size)}], tau2=0.0)[1]
    own = proportion(size, 2 * size)
    assert found.risk[1] == pytest.approx(own.estimate, abs=0.02)
    assert found.risk_high[1] - found.risk_low[1] == pytest.approx(own.high - own.low, rel=0.08)


def test_a_risk_from_other_patients_is_independent_of_the_effects():
    arms = [{"a": (5, 85), "b": (99, 168)}]
    shared, outside = made(arms)[1], made(arms, shared=False)[1]
    assert outside.risk_high[1] - outside.risk_low[1] > 1.5 * (shared.risk_high[1] - shared.risk_low[1])


def test_a_reference_without_events_still_carries_the_corrected_odds_ratio():
    found = made([{"a": (0, 17), "b": (21, 32)}])[1]
    assert found.risk[0] == 0
    assert found.risk[1] == pytest.approx(21.5 / 33)
    assert found.risk_low[1] == pytest.approx(proportion(21, 32).low, abs=0.02)


def test_risks_follow_from_odds_ratios_alone():
    rows = (["s", "s"], ["a", "b"], [5, 9], [20, 20])
    result = network(arm_contrasts(*rows, measure="RR"), measure="RR", reference="a")
    with pytest.raises(StatisticsError, match="not from RR"):
        network_risks(result, common_risk(np.array([5.0]), np.array([20.0]), ["s"]))


def drawn(count, rate, odds_ratios):
    """Return the share of simulated stars whose intervals hold the true difference, joint and independent."""
    generator = np.random.default_rng(20260101)
    truth = special.expit(special.logit(rate) + np.log(odds_ratios))
    held = np.zeros((2, 4, 4))
    for _ in range(count):
        placebo = generator.binomial(PLACEBO, rate)
        treated = generator.binomial(TREATED, truth)
        trials = [{"a": (int(one), n)} for one, n in zip(placebo, PLACEBO, strict=True)]
        for node, trial, one, n in zip("bcde", TRIALS, treated, TREATED, strict=True):
            trials[trial][node] = (int(one), n)
        result, joint, _ = made(trials)
        base = common_risk(placebo.astype(float), np.array(PLACEBO, dtype=float), [])
        for place, found in enumerate((joint, network_risks(result, base))):
            risks = np.array([rate, *truth])
            wanted = np.subtract.outer(risks, risks)
            inside = (found.low <= wanted) & (wanted <= found.high)
            held[place] += np.hstack([inside[1:, :1], inside[1:, 1:4]])
    return held / count


@pytest.mark.slow
def test_joint_intervals_hold_the_truth_as_often_as_they_say_and_independent_ones_too_often():
    joint, independent = drawn(600, 10 / 161, [23, 29, 21, 40])
    assert (joint[:, 0] > 0.92).all()
    assert (joint[:, 0] < 0.975).all()
    assert (independent[:3, 0] > 0.975).all()
    # Between treatments what is shared cancels, so that both ways hold about as often.
    pairs = joint[1:, 1:4][np.tril_indices(3)], independent[1:, 1:4][np.tril_indices(3)]
    assert np.abs(pairs[0] - pairs[1]).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trials", "size", "rate", "truth"), [(2, 20, 0.05, 0.5), (3, 30, 0.03, 0.4), (3, 50, 0.05, 0.4)]
)
def test_intervals_of_rare_events_hold_the_risk_with_the_treatment_nearly_as_often_as_they_say(
    trials, size, rate, truth
):
    generator = np.random.default_rng(20260102)
    held = []
    while len(held) < 400:
        placebo, treated = generator.binomial(size, rate, trials), generator.binomial(size, truth, trials)
        if placebo.any():
            arms = [
                {"a": (int(one), size), "b": (int(other), size)}
                for one, other in zip(placebo, treated, strict=True)
            ]
            found = made(arms, tau2=0.0)[1]
            held.append(bool(found.risk_low[1] <= truth <= found.risk_high[1]))
    assert np.mean(held) > 0.915
