"""Group sizes that several percentages admit together: the true one is always among them."""

from __future__ import annotations

import time
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.data.joint import joint_sizes, sizes_adding_up
from evidence.data.recover import recover_events
from evidence.errors import StatisticsError

ROUNDINGS = [ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN]


def printed(events: int, n: int, decimals: int, rounding: str) -> str:
    with localcontext(prec=60):
        return str((Decimal(100 * events) / Decimal(n)).quantize(Decimal(1).scaleb(-decimals), rounding))


@st.composite
def group(draw: st.DrawFn) -> tuple[list[str], int]:
    """The percentages that some author prints of one group, and its size."""
    n = draw(st.integers(1, 300))
    one = st.tuples(st.integers(0, n), st.integers(0, 2), st.sampled_from(ROUNDINGS))
    rows = draw(st.lists(one, min_size=1, max_size=6))
    return [printed(events, n, decimals, rounding) for events, decimals, rounding in rows], n


@given(group(), st.integers(0, 100))
def test_the_true_size_is_always_among_them(case: tuple[list[str], int], more: int):
    percents, n = case
    assert n in joint_sizes(percents, n + more)


@given(group())
def test_a_size_fits_exactly_where_every_percentage_has_a_count(case: tuple[list[str], int]):
    percents, _ = case
    every = tuple(n for n in range(1, 121) if all(recover_events(one, n) for one in percents))
    assert joint_sizes(percents, 120) == every


@given(group(), st.data())
def test_another_percentage_never_adds_a_size(case: tuple[list[str], int], draw: st.DataObject):
    percents, _ = case
    fewer = percents[: draw.draw(st.integers(1, len(percents)))]
    assert set(joint_sizes(percents, 150)) <= set(joint_sizes(fewer, 150))


@given(group(), st.integers(2, 4))
def test_every_multiple_of_a_size_fits_too(case: tuple[list[str], int], times: int):
    percents, n = case
    assert times * n in joint_sizes(percents, times * n)


@given(group(), st.permutations(range(6)))
def test_neither_order_nor_repetition_matters(case: tuple[list[str], int], order: list[int]):
    percents, _ = case
    mixed = [percents[place % len(percents)] for place in order] + percents
    assert joint_sizes(mixed, 200) == joint_sizes(percents, 200)


def test_five_percentages_of_37_patients_leave_its_multiples_below_a_hundred():
    assert joint_sizes(["59.5", "32.4", "21.6", "16.2", "13.5"], 100) == (37, 74)  # 22, 12, 8, 6, 5 of 37


def test_percentages_that_contradict_each_other_leave_nothing():
    assert joint_sizes(["65", "33.33"], 20) == ()


@pytest.mark.parametrize(("percents", "sizes"), [(["0"], (1, 2, 3)), (["100.0"], (1, 2, 3)), (["50"], (2,))])
def test_the_ends_of_the_scale_admit_every_size(percents: list[str], sizes: tuple[int, ...]):
    assert joint_sizes(percents, 3) == sizes


def test_no_patient_at_most_leaves_nothing():
    assert joint_sizes(["50"], 0) == ()


@pytest.mark.parametrize("percents", [[], ["<1"], ["50", ""], ["-3"]])
def test_what_is_no_plain_figure_is_refused(percents: list[str]):
    with pytest.raises(StatisticsError):
        joint_sizes(percents, 10)


def test_two_thousand_sizes_are_instant():
    start = time.perf_counter()
    joint_sizes(["59.5", "32.4", "21.6", "16.2", "13.5", "7", "88.88", "1.1"], 2000)
    assert time.perf_counter() - start < 0.5  # takes 4 ms; the margin is for a busy machine


@given(st.lists(group(), min_size=1, max_size=4))
def test_the_true_sizes_add_up_to_their_total(cases: list[tuple[list[str], int]]):
    total = sum(n for _, n in cases)
    kept = sizes_adding_up([joint_sizes(percents, total) for percents, _ in cases], total)
    assert all(n in sizes for (_, n), sizes in zip(cases, kept, strict=True))


@given(st.lists(st.lists(st.integers(1, 12), max_size=4), min_size=1, max_size=3), st.integers(1, 30))
def test_a_size_is_kept_exactly_where_some_combination_adds_up(sizes: list[list[int]], total: int):
    fitting = [one for one in product(*sizes) if sum(one) == total]
    expected = tuple(
        tuple(n for n in own if any(one[place] == n for one in fitting)) for place, own in enumerate(sizes)
    )
    assert sizes_adding_up(sizes, total) == expected


def test_a_total_settles_three_arms_that_one_percentage_each_leaves_open():
    arms = [joint_sizes([percent], 80) for percent in ("68.8", "74.3", "7.7")]
    assert sizes_adding_up(arms, 80) == ((32,), (35,), (13,))  # 22/32, 26/35 and 1/13 of 80 patients
