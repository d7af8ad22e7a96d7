from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evidence.errors import StatisticsError
from evidence.stats import e_value, fisher_exact, fragility

arm = st.integers(2, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ratio = st.floats(0.02, 50)


def p_of(e1, n1, e0, n0):
    return fisher_exact([[e1, n1 - e1], [e0, n0 - e0]]).p


def test_the_grid_has_not_shrunk(pinned):
    rows = pinned.rows("fragility.csv")
    assert len(rows) >= 24
    assert {row["index"] for row in rows} > {"0", "1"}


def test_fragility_is_that_of_base_r(pinned):
    for row in pinned.rows("fragility.csv"):
        made = fragility(*(int(row[name]) for name in ("e1", "n1", "e0", "n0")), alpha=float(row["alpha"]))
        assert (made.index, made.other) == tuple(int(row[name]) for name in ("index", "other"))
        assert math.isclose(made.p, float(row["p"]), rel_tol=1e-10)


def test_e_values_solve_the_equation_of_the_largest_bias(pinned):
    for row in pinned.rows("fragility.csv"):
        made = e_value(*(float(row[name]) for name in ("rr", "low", "high")))
        assert math.isclose(made.estimate, float(row["e"]), rel_tol=1e-7)
        assert math.isclose(made.limit, float(row["e_limit"]), rel_tol=1e-7)


@settings(max_examples=20)
@given(arm, arm)
def test_one_patient_fewer_leaves_a_result_significant_and_the_index_does_not(one, none):
    made = fragility(*one, *none)
    assume(made.index)
    rare, common = sorted((one, none), key=lambda pair: pair[0] / pair[1])
    assert p_of(rare[0] + made.index - 1, rare[1], *common) < 0.05
    assert p_of(rare[0] + made.index, rare[1], *common) >= 0.05


@given(arm, arm)
def test_which_arm_is_named_first_changes_nothing(one, none):
    assert fragility(*one, *none) == fragility(*none, *one) or one[0] * none[1] == none[0] * one[1]


@given(arm, arm)
def test_calling_events_what_were_none_turns_the_two_numbers_round(one, none):
    assume(one[0] * none[1] != none[0] * one[1])
    turned = fragility(one[1] - one[0], one[1], none[1] - none[0], none[1])
    made = fragility(*one, *none)
    assert (turned.index, turned.other) == (made.other, made.index)


@given(arm, arm)
def test_its_p_is_that_of_fishers_exact_test(one, none):
    assert math.isclose(fragility(*one, *none).p, p_of(*one, *none), rel_tol=1e-9)


@given(arm, arm)
def test_what_is_not_significant_needs_no_patient(one, none):
    made = fragility(*one, *none)
    assert (made.fewest == 0) == (made.p >= 0.05)


@given(ratio, ratio, ratio)
def test_an_e_value_is_the_same_for_a_ratio_and_its_inverse(one, two, three):
    low, middle, high = sorted((one, two, three))
    made, turned = e_value(middle, low, high), e_value(1 / middle, 1 / high, 1 / low)
    assert math.isclose(made.estimate, turned.estimate, rel_tol=1e-9)
    assert math.isclose(made.limit, turned.limit, rel_tol=1e-9)
    assert 1 <= made.limit <= made.estimate * (1 + 1e-12)
    assert (made.limit == 1) == (low <= 1 <= high)


def test_a_ratio_outside_its_interval_is_refused():
    with pytest.raises(StatisticsError, match="outside its interval"):
        e_value(2.0, 2.5, 3.0)
    with pytest.raises(StatisticsError):
        fragility(5, 4, 1, 4)


def test_what_is_too_large_or_too_extreme_is_refused():
    with pytest.raises(StatisticsError, match="more than 5,000 patients"):
        fragility(1, 6000, 30, 100)
    with pytest.raises(StatisticsError, match="too extreme"):
        e_value(5e-324, 5e-324, 1.0)


def test_a_p_of_exactly_alpha_is_not_significant():
    p = fragility(12, 40, 2, 40).p
    assert fragility(12, 40, 2, 40, alpha=p).fewest == 0
    assert fragility(12, 40, 2, 40, alpha=math.nextafter(p, 1)).fewest == 1
