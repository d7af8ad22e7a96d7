import math
from statistics import NormalDist

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


def by_moments(effects, variances):
    """Return the pooled effect and its standard error by DerSimonian and Laird's formula, written out."""
    w = [1 / v for v in variances]
    centre = sum(a * y for a, y in zip(w, effects, strict=True)) / sum(w)
    q = sum(a * (y - centre) ** 2 for a, y in zip(w, effects, strict=True))
    tau2 = max(0.0, (q - len(w) + 1) / (sum(w) - sum(a * a for a in w) / sum(w)))
    w = [1 / (v + tau2) for v in variances]
    return sum(a * y for a, y in zip(w, effects, strict=True)) / sum(w), 1 / math.sqrt(sum(w))


STUDIES = [(30, 50, 20, 50), (12, 40, 10, 38), (45, 60, 25, 55), (9, 20, 0, 20)]


def variance(measure, e1, n1, e0, n0):
    """Return the effect on the analysis scale and its variance by the delta method."""
    p1, p0 = e1 / n1, e0 / n0
    if measure == "RD":
        return p1 - p0, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0
    if measure == "RR":
        return math.log(p1 / p0), 1 / e1 - 1 / n1 + 1 / e0 - 1 / n0
    return math.log(p1 * (1 - p0) / p0 / (1 - p1)), 1 / e1 + 1 / (n1 - e1) + 1 / e0 + 1 / (n0 - e0)


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize("measure", ["RD", "RR", "OR"])
def test_pooling_is_by_inverse_variance_on_the_scale_of_the_measure(measure, level):
    made = pool_comparisons(STUDIES[:3], measure=measure, tau2="DL", ci="Wald", level=level)
    effects, variances = zip(*(variance(measure, *one) for one in STUDIES[:3]), strict=True)
    centre, error = by_moments(effects, variances)
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    back = math.exp if measure != "RD" else float
    wanted = [back(end) for end in (centre, centre - half, centre + half)]
    assert [made.estimate, made.low, made.high] == pytest.approx(wanted, rel=1e-9)
    assert [made.wald_low, made.wald_high] == pytest.approx(wanted[1:], rel=1e-9)
    assert made.p == pytest.approx(2 * NormalDist().cdf(-abs(centre) / error), rel=1e-8)


def test_where_neither_arm_varies_a_difference_has_half_a_patient_in_each_cell():
    fours = [(20, 20, 0, 20), (5, 20, 4, 20)]
    made = pool_comparisons(fours, measure="RD", tau2="FE")
    corrected = 2 * (20.5 / 21) * (0.5 / 21) / 21
    plain = (0.25 * 0.75 + 0.2 * 0.8) / 20
    weights = 1 / corrected, 1 / plain
    assert made.weights == pytest.approx([100 * w / sum(weights) for w in weights], rel=1e-9)
    assert made.estimate == pytest.approx((weights[0] * 1 + weights[1] * 0.05) / sum(weights), rel=1e-9)


def test_a_study_without_information_keeps_its_place_with_no_weight():
    fours = [(0, 10, 0, 12), *STUDIES]
    made = pool_comparisons(fours, measure="OR", tau2="DL")
    assert made.effects[0] is None
    assert made.weights[0] == 0.0
    assert sum(made.weights) == pytest.approx(100)
    assert made.k == 4
    assert (
        made.zero_cells
        == "0.5 added to every cell in 1 study; 1 study with no events, or only events, in both arms left out of the ratio"
    )
    assert [
        pool_comparisons(part, measure="OR", tau2="DL").secondary for part in (STUDIES[:2], STUDIES[:3])
    ] == [True, False]
