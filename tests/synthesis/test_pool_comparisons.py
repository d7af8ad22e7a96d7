import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import StatisticsError
from evidence.stats import compare, pool_comparisons


@st.composite
def tables(draw):
    n1, n0 = draw(st.integers(2, 200)), draw(st.integers(2, 200))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n0)), n0


@settings(max_examples=60, deadline=None)
@given(st.lists(tables(), min_size=1, max_size=6), st.randoms())
def test_the_order_of_studies_does_not_matter(fours, chance):
    shuffled = list(fours)
    chance.shuffle(shuffled)
    one, other = (pool_comparisons(some, measure="RD", tau2="DL") for some in (fours, shuffled))
    assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high))


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["RR", "OR", "RD"]))
def test_one_study_gives_its_own_effect(four, measure):
    try:
        made = pool_comparisons([four], measure=measure)
    except StatisticsError:
        with pytest.raises(StatisticsError):
            compare(*four, measure=measure)
        return
    own = compare(*four, measure=measure)
    assert (made.estimate, made.low, made.high) == (own.estimate, own.low, own.high)


@settings(max_examples=40, deadline=None)
@given(st.lists(tables(), min_size=2, max_size=5))
def test_exchanging_the_arms_inverts_the_odds_ratio(fours):
    swapped = [(e0, n0, e1, n1) for e1, n1, e0, n0 in fours]
    try:
        one, other = (pool_comparisons(some, measure="OR", tau2="DL") for some in (fours, swapped))
    except StatisticsError:
        return
    assert math.log(one.estimate) == pytest.approx(-math.log(other.estimate), abs=1e-8)


def test_differences_stay_between_minus_1_and_1():
    made = pool_comparisons([(10, 10, 0, 10), (5, 10, 0, 10)], measure="RD", ci="HKSJ")
    assert -1 <= made.low <= made.high <= 1


def test_nothing_to_say_of_a_ratio_is_refused_with_the_way_out():
    with pytest.raises(StatisticsError, match="RD"):
        pool_comparisons([(0, 10, 0, 10), (0, 20, 0, 20)])
