"""Counts recovered from percentages: always the true one, never one outside the rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.data.recover import cut_events, recover_events, recover_n
from evidence.errors import StatisticsError

from .conftest import Folder


@st.composite
def printed(draw: st.DrawFn) -> tuple[str, int, int]:
    """A percentage as some author would print it, with the count and the n behind it."""
    n = draw(st.integers(1, 5000))
    events = draw(st.integers(0, n))
    decimals = draw(st.integers(0, 2))
    rounding = draw(st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN]))
    with localcontext(prec=60):
        exact = Decimal(100 * events) / Decimal(n)
        return str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)), events, n


def distance(percent: str, events: int, n: int) -> Fraction:
    """Return how far a count lies from the printed percentage, in units of its last digit."""
    unit = Fraction(1, 10 ** len(percent.partition(".")[2]))
    return abs(Fraction(100 * events, n) - Fraction(percent)) / unit


@given(printed())
def test_the_true_count_is_always_admissible(case: tuple[str, int, int]):
    percent, events, n = case
    assert events in recover_events(percent, n)


@given(printed())
def test_the_admissible_counts_are_those_within_half_a_unit(case: tuple[str, int, int]):
    percent, _, n = case
    half = Fraction(1, 2)
    assert recover_events(percent, n) == tuple(e for e in range(n + 1) if distance(percent, e, n) <= half)


@given(printed())
def test_the_counts_cut_off_to_a_percentage_are_those_less_than_a_unit_above_it(case: tuple[str, int, int]):
    percent, _, n = case
    unit = Fraction(1, 10 ** len(percent.partition(".")[2]))
    above = [(Fraction(100 * e, n) - Fraction(percent)) / unit for e in range(n + 1)]
    assert cut_events(percent, n) == tuple(e for e, by in enumerate(above) if 0 <= by < 1)


@given(printed())
def test_the_true_n_is_always_admissible_and_every_admissible_n_fits(case: tuple[str, int, int]):
    percent, events, n = case
    found = recover_n(percent, events, most=n)
    assert n in found
    assert all(events in recover_events(percent, one) for one in found)


@pytest.mark.parametrize(
    ("percent", "n", "expected"),
    [
        ("68.7", 32, (22,)),  # 68.75: the half rounded down
        ("68.8", 32, (22,)),  # 68.75: the half rounded up
        ("21.9", 32, (7,)),
        ("50", 147, (73, 74)),
        ("65", 32, ()),
        ("0", 40, (0,)),
        ("0", 300, (0, 1)),  # 1/300 is 0.33
        ("100", 40, (40,)),
        ("100.0", 0, ()),
    ],
)
def test_known_percentages_give_known_counts(percent: str, n: int, expected: tuple[int, ...]):
    assert recover_events(percent, n) == expected


@pytest.mark.parametrize("percent", ["", "<1", "21.9%", "-3", "1e1", "٣", "5."])
def test_what_is_no_plain_figure_is_refused(percent: str):
    with pytest.raises(StatisticsError, match="give a plain figure"):
        recover_events(percent, 32)


def row(folder: Folder, **values: str | int) -> pd.Series:
    folder.count(**values)
    return folder.load().counts.iloc[0]


def test_a_unique_count_is_filled_in_and_marked_derived(folder: Folder):
    found = row(folder, n=32, percent="68.7")
    assert (found["events"], found["n"], found["basis"], found["admissible"]) == (22, 32, "derived", "")
    assert found["percent_value"] == 68.7


def test_a_count_that_is_not_unique_stays_missing_and_is_listed(folder: Folder):
    found = row(folder, n=147, percent="50")
    assert found["events"] is pd.NA
    assert (found["basis"], found["admissible"]) == ("printed", "73|74")


def test_a_percentage_of_no_count_is_marked_and_warned_of(folder: Folder):
    folder.count(n=32, percent="65")
    dataset = folder.load()
    assert dataset.counts["admissible"].tolist() == ["none"]
    (warning,) = dataset.warnings
    assert str(warning).startswith(
        "data/counts.csv:2 percent 65: no count out of 32 rounds to it, 21 gives it cut off"
    )


@pytest.mark.parametrize("percent", ["", "<1"])
def test_nothing_is_recovered_without_a_plain_percentage(folder: Folder, percent: str):
    found = row(folder, n=32, percent=percent)
    assert found["events"] is pd.NA
    assert pd.isna(found["percent_value"])
    assert found["admissible"] == ""


def test_a_percentage_without_n_is_left_alone(folder: Folder):
    found = row(folder, percent="68.7")
    assert found["events"] is pd.NA
    assert found["n"] is pd.NA


def test_n_is_recovered_where_only_one_within_the_arm_fits(folder: Folder):
    found = row(folder, events=5, percent="23.8")
    assert (found["n"], found["n_basis"], found["basis"]) == (21, "derived", "derived")


@pytest.mark.parametrize("values", [{"events": 0, "percent": "0.0"}, {"events": 5, "percent": "50"}])
def test_n_is_not_guessed(folder: Folder, values: dict[str, str | int]):
    folder.add("arms", arm_id="unsized", n="")
    found = row(folder, arm_id="new" if values["events"] == 0 else "unsized", **values)
    assert found["n"] is pd.NA


def test_a_printed_count_is_never_replaced(folder: Folder):
    folder.count(events=17, n=60, percent="25.0")
    dataset = folder.load()
    assert dataset.counts.loc[0, ["events", "basis"]].tolist() == [17, "printed"]
    assert dataset.warnings[0].mend == "17/60 is 28.33; check the row, keep it if it is printed so"


def test_an_assumed_row_stays_assumed(folder: Folder):
    assert row(folder, n=32, percent="68.7", basis="assumed")["basis"] == "assumed"
