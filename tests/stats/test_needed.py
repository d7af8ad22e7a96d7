from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evidence.errors import StatisticsError
from evidence.stats import compare, number_needed

arm = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def needed(e1, n1, e0, n0, better="higher"):
    return number_needed(compare(e1, n1, e0, n0, measure="RD"), better=better)


@pytest.mark.parametrize(
    ("counts", "better", "text"),
    [
        ((56, 70, 48, 80), "higher", "NNTB 5 (3 to 20)"),  # RD 0.2 (0.0524 to 0.3339): 1/0.3339 and 1/0.0524
        ((56, 70, 48, 80), "lower", "NNTH 5 (3 to 20)"),
        ((48, 80, 56, 70), "lower", "NNTB 5 (3 to 20)"),
        ((7, 20, 5, 20), "higher", "NNTB 10 (NNTB 3 to infinity to NNTH 6)"),
        ((5, 20, 7, 20), "higher", "NNTH 10 (NNTH 3 to infinity to NNTB 6)"),
    ],
)
def test_the_text_names_benefit_and_harm(counts, better, text):
    assert needed(*counts, better=better).text == text


def test_equal_risks_need_infinitely_many():
    found = needed(5, 20, 5, 20)
    assert math.isinf(found.estimate)
    assert found.text.startswith("NNT infinity (NNTB 4 to infinity to NNTH 4")


@given(arm, arm)
def test_turning_the_question_round_turns_benefit_into_harm(one, none):
    up, down = needed(*one, *none, better="higher"), needed(*one, *none, better="lower")
    assume(math.isfinite(up.estimate))
    assert up.estimate == down.estimate
    assert up.direction != down.direction
    assert (up.low, up.high) == (down.low, down.high)


@given(arm, arm)
def test_the_estimate_lies_inside_its_interval(one, none):
    found = needed(*one, *none)
    assert found.low <= found.estimate * (1 + 1e-12)
    if not found.crosses:
        assert found.estimate <= found.high * (1 + 1e-12)
        assert found.direction == found.high_direction
    assert found.crosses == ("to infinity to" in found.text)


@given(arm, arm)
def test_no_number_is_printed_smaller_than_it_is(one, none):
    effect = compare(*one, *none, measure="RD")
    assume(effect.estimate)
    printed = int(number_needed(effect).text.split()[1].replace(",", ""))
    assert printed >= 1 / abs(effect.estimate) - 1e-6


def test_ratios_are_refused():
    with pytest.raises(StatisticsError, match="measure='RD'"):
        number_needed(compare(5, 20, 7, 20))


def test_an_unknown_direction_is_refused():
    with pytest.raises(StatisticsError, match="higher, lower"):
        needed(5, 20, 7, 20, better="more")
