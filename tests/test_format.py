import math

import pytest

from evidence import format as fmt


def test_halves_round_away_from_zero_as_papers_do():
    assert fmt.percent(0.125, 0) == "13%"
    assert fmt.number(-0.5, 0) == "−1"
    assert fmt.number(0.285 * 100, 0) == "29"


def test_nothing_is_written_minus_zero():
    assert fmt.signed(-0.0001, 1) == "0.0"
    assert fmt.number(-0.0001, 2) == "0.00"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "<0.001"), (0.001, "0.001"), (0.0496, "0.050"), (0.9995, ">0.999"), (math.nan, "")],
)
def test_p_values_have_three_decimals_and_no_zero(p, text):
    assert fmt.p_value(p) == text


def test_a_difference_is_in_points_with_signs_and_a_true_minus():
    assert fmt.difference(-0.0115, -0.35, 0.0) == "−1.2 (−35.0 to 0.0)"


def test_what_cannot_be_estimated_says_so():
    for text in (fmt.ratio(math.nan, 1, 2), fmt.risk(None, 0, 1), fmt.difference(math.nan, 0, 0)):
        assert text == "not estimable"


def test_an_infinite_limit_is_a_sign_not_a_word():
    assert fmt.ratio(3.0, 0.5, math.inf) == "3.00 (0.50 to ∞)"


def test_confidence_levels_are_written_without_float_noise():
    assert [fmt.level(x) for x in (0.9, 0.95, 0.99, 0.999, 0.57)] == ["90%", "95%", "99%", "99.9%", "57%"]


def test_printed_figures_keep_their_digits():
    assert fmt.printed("0.000") == "0.000"
    assert fmt.printed("-2.50") == "−2.50"
