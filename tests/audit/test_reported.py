import math

import pytest

from evidence.audit.reported import Reported


@pytest.mark.parametrize(
    ("text", "value", "agrees"),
    [
        ("0.350", 0.3499, True),
        ("0.350", 0.3482, False),
        ("0.000", 0.00049, True),
        ("0.000", 0.00051, False),
        ("<0.001", 0.0009, True),
        ("<0.001", 0.002, False),
        (">0.05", 0.4, True),
        (">0.05", 0.04, False),
        ("1.000", 0.9996, True),
        ("68.7", 68.75, True),
        ("-0.212", -0.2121, True),
        ("−0.212", -0.2131, False),
    ],
)
def test_a_printed_figure_allows_exactly_what_would_be_printed_so(text, value, agrees):
    assert Reported(text).allows(value) is agrees


def test_a_range_agrees_where_any_value_in_it_does():
    assert Reported("0.35").allows(0.30, 0.346)
    assert not Reported("0.35").allows(0.30, 0.344)


def test_text_without_a_number_allows_nothing():
    assert math.isnan(Reported("not stated").value)
    assert not Reported("not stated").allows(0.5)


def test_a_figure_with_an_exponent_is_read_whole():
    assert Reported("1.2e-5").bounds == pytest.approx((1.15e-5, 1.25e-5), rel=1e-9)
    assert Reported("2E−4").value == 2e-4
    assert not Reported("1e-5").allows(1.0)
    assert Reported("<1e-5").allows(4e-6)
