"""Spread between a lowest and a highest value: the printed range, the criteria of eligibility."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.audit.limits import largest_sd, smallest_sd

VALUES = st.lists(st.floats(-100, 100, allow_nan=False), min_size=2, max_size=30)


@settings(deadline=None)
@given(VALUES)
def test_every_sample_has_a_deviation_between_the_smallest_and_the_largest(values):
    low, high, n = min(values), max(values), len(values)
    sd = float(np.std(values, ddof=1))
    assert sd <= largest_sd(float(np.mean(values)), low, high, n) + 1e-6
    assert sd >= smallest_sd(low, high, n) - 1e-6


def test_the_limits_are_reached():
    assert largest_sd(50, 0, 100, 4) == pytest.approx(np.std([0, 0, 100, 100], ddof=1))
    assert smallest_sd(0, 100, 4) == pytest.approx(np.std([0, 50, 50, 100], ddof=1))


def ranged(rows, mean, sd, low, high):
    at = {"time": "0", "time_unit": "month"}
    return [rows.measure("drug", mean, sd, low=low, high=high, interval_label="range", **at)]


def test_a_standard_error_under_the_name_of_a_deviation_is_too_small_for_its_range(audited, rows):
    found = audited(measurements=ranged(rows, "50.0", "3.2", "2.0", "99.0")).one("spread_fits_range")
    assert found["verdict"] == "inconsistent"
    assert "as a standard error it could be" in found["why"]


def test_a_deviation_too_large_for_mean_and_range_is_found(audited, rows):
    # half the range is 50, but with a mean of 5 the deviation is at most √(5 × 95) = 22
    found = audited(measurements=ranged(rows, "5.0", "30.0", "0.0", "100.0")).one("spread_fits_range")
    assert found["verdict"] == "inconsistent"


def protocol(item, value):
    return {"study_id": "trial_a", "section": "eligibility", "item": item, "value": value, "unit": "g"}


def at_start(rows, mean, sd):
    return [rows.measure("drug", mean, sd, time="0", time_unit="month", time_label="baseline")]


@pytest.mark.parametrize(
    ("mean", "sd", "verdict"),
    [
        ("20.0", "6.0", "consistent"),
        ("33.0", "6.0", "inconsistent"),
        ("28.0", "9.5", "inconsistent"),
        (
            "28.0",
            "7.6",
            "consistent",
        ),  # with a mean of 27.95, 7.65 is possible: so 7.6 may be what was rounded
        ("28.0", "7.7", "inconsistent"),
    ],
)
def test_baseline_values_are_held_against_eligibility(audited, rows, mean, sd, verdict):
    # with values from 0 to 30, a mean of 28 allows a deviation of √(28 × 2 × 50/49) = 7.6
    found = audited(measurements=at_start(rows, mean, sd), protocols=[protocol("inclusion: level", "<30")])
    assert found.verdicts("baseline_fits_eligibility") == [verdict]


def test_what_is_no_criterion_of_inclusion_sets_no_limit(audited, rows):
    odd = ("normal or low", "<30 or unknown")
    for row in (protocol("exclusion: level", "<30"), *(protocol("inclusion: level", one) for one in odd)):
        found = audited(measurements=at_start(rows, "33.0", "6.0"), protocols=[row])
        assert found.of("baseline_fits_eligibility") == []


def test_a_lowest_value_alone_sets_no_highest(audited, rows):
    least = protocol("inclusion: level", "≥10")
    assert audited(measurements=at_start(rows, "500.0", "90.0"), protocols=[least]).verdicts(
        "baseline_fits_eligibility"
    ) == ["consistent"]
    found = audited(measurements=at_start(rows, "5.0", "1.0"), protocols=[least])
    assert found.one("baseline_fits_eligibility")["recomputed"] == "from 10 and more"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=3, max_size=20).filter(lambda one: len(set(one)) > 1))
def test_figures_made_from_values_are_sound(values):
    low, high, n = float(min(values)), float(max(values)), len(values)
    sd = round(float(np.std(values, ddof=1)), 1)
    mean = round(float(np.mean(values)), 1)
    assert smallest_sd(low, high, n) - 0.05 <= sd
    inner = min(max((low + high) / 2, mean - 0.05), mean + 0.05)
    assert sd - 0.05 <= largest_sd(inner, low, high, n) + 1e-9
