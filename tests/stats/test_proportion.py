from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from evidence.errors import StatisticsError
from evidence.stats import proportion

METHODS = ("wilson", "clopper-pearson", "agresti-coull", "jeffreys")
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
methods = st.sampled_from(METHODS)
levels = st.floats(0.5, 0.999)


def test_the_grid_has_not_shrunk(pinned):
    rows = pinned.rows("proportions.csv")
    assert len(rows) >= 1740
    assert {row["method"] for row in rows} == set(METHODS)
    assert {float(row["level"]) for row in rows} == {0.8, 0.9, 0.95, 0.99, 0.999}
    assert len({row["n"] for row in rows}) >= 12


@pytest.mark.parametrize(
    ("events", "n", "method", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998;17:857-872, Table I, methods 3 (score) and 5 (Clopper-Pearson)
        (81, 263, "wilson", 0.2553, 0.3662),
        (15, 148, "wilson", 0.0624, 0.1605),
        (0, 20, "wilson", 0.0000, 0.1611),
        (1, 29, "wilson", 0.0061, 0.1718),
        (81, 263, "clopper-pearson", 0.2527, 0.3676),
        (15, 148, "clopper-pearson", 0.0578, 0.1617),
        (0, 20, "clopper-pearson", 0.0000, 0.1684),
        (1, 29, "clopper-pearson", 0.0009, 0.1776),
    ],
)
def test_limits_are_those_of_newcombe_1998(events, n, method, low, high):
    found = proportion(events, n, method=method)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("wilson", "wilson"),
        ("clopper-pearson", "beta"),
        ("agresti-coull", "agresti_coull"),
        ("jeffreys", "jeffreys"),
    ],
)
def test_limits_match_statsmodels_between_the_boundaries(ours, theirs):
    for events, n in [(1, 2), (3, 15), (7, 32), (29, 30), (60, 119)]:
        found = proportion(events, n, level=0.9, method=ours)
        np.testing.assert_allclose(
            (found.low, found.high), proportion_confint(events, n, 0.1, theirs), rtol=1e-12
        )


@given(counts, methods, levels)
def test_interval_holds_the_estimate_and_stays_between_0_and_1(count, method, level):
    found = proportion(*count, level=level, method=method)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(counts, methods, levels)
def test_swapping_event_and_non_event_mirrors_the_interval(count, method, level):
    events, n = count
    one, other = (
        proportion(events, n, level=level, method=method),
        proportion(n - events, n, level=level, method=method),
    )
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@given(counts, methods, levels, levels)
def test_a_higher_level_never_narrows_the_interval(count, method, first, second):
    low, high = sorted((first, second))
    narrow, wide = proportion(*count, level=low, method=method), proportion(*count, level=high, method=method)
    assert wide.low <= narrow.low + 1e-12
    assert narrow.high <= wide.high + 1e-12


@given(st.integers(1, 60), methods)
def test_more_events_never_lower_a_limit(n, method):
    found = [proportion(events, n, method=method) for events in range(n + 1)]
    for before, after in itertools.pairwise(found):
        assert before.low <= after.low
        assert before.high <= after.high


@pytest.mark.parametrize("method", METHODS)
def test_boundary_counts_have_a_limit_at_the_boundary(method):
    assert proportion(0, 12, method=method).low == 0
    assert proportion(12, 12, method=method).high == 1


def test_clopper_pearson_tails_hold_exactly_half_alpha():
    from scipy import stats

    found = proportion(7, 32, method="clopper-pearson")
    assert stats.binom.sf(6, 32, found.low) == pytest.approx(0.025)
    assert stats.binom.cdf(7, 32, found.high) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("events", "n", "mend"),
    [
        (17, 15, "events 17 exceeds n 15"),
        (0, 0, "n is 0"),
        (-1, 5, "whole number"),
        (2.5, 5, "whole number"),
        (float("nan"), 5, "whole number"),
        (None, 5, "whole number"),
        ("3", 5, "whole number"),
        (3, float("inf"), "whole number"),
    ],
)
def test_unusable_counts_are_refused_with_the_mend(events, n, mend):
    with pytest.raises(StatisticsError, match=mend):
        proportion(events, n)


def test_missing_values_of_pandas_are_refused():
    import pandas as pd

    with pytest.raises(StatisticsError, match="whole number"):
        proportion(pd.NA, 5)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan")])
def test_a_level_outside_0_to_1_is_refused(level):
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        proportion(3, 5, level=level)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(StatisticsError, match="wilson, clopper-pearson"):
        proportion(3, 5, method="wald")  # type: ignore[arg-type]


def test_whole_numbers_of_numpy_and_pandas_are_accepted():
    assert proportion(np.int64(3), np.float64(5.0)) == proportion(3, 5)
