"""Arguments for statistics: sensible, extreme, and such as no statistic can use."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

Many = st.SearchStrategy[Any]

EVIL = (
    None, True, False, pd.NA, pd.NaT, "", "3", "x", "0.95", b"3", [], {}, (), [1, 2], {"a": 1}, set(), object(), 3 + 0j,
    math.nan, math.inf, -math.inf, -1, -0.0, 0, 1, 2.5, 10**400, -(10**30), 10**12, 1e308, -1e308, 5e-324, 1e-300,
    Decimal(3), Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), Fraction(1, 3), np.int64(3), np.int8(7), np.uint64(5), np.float32(0.5),
    np.float64("nan"), np.bool_(True), np.array(3), np.array([1.0, 2.0]), np.array([[1, 2], [3, 4]]), np.array([]),
    np.array(["x"]), np.datetime64("2020-01-01"), pd.Series([1, 2]), pd.DataFrame({"a": [1]}), range(3),
    datetime.date(2020, 1, 1), float, len, "\x00", "９", "RR", "REML", [None], [math.nan], [[1, 2], [3, 4]], [["x"]],
    Fraction(1, 2), Decimal("0.5"), np.float16(0.5), np.longdouble(0.5), np.complex64(0.5), np.complex128(0.5), np.array([3 + 0j]), np.str_("REML"),
    np.timedelta64(1, "s"), pd.Timestamp("2020-01-01"), pd.Timedelta(1), pd.array([1, None]), pd.Categorical(["a", "b"]), (0.25, 0.5, 1.0),
)  # fmt: skip

evil = st.sampled_from(EVIL)
small = st.integers(0, 60)
huge = st.sampled_from([10**3, 10**6, 10**9, 10**12, 10**12 + 1, 10**15])
count = st.one_of(small, small, huge)
typed = st.sampled_from([int, int, float, np.int64, np.float64, Decimal, Fraction])
level = st.one_of(
    st.sampled_from([0.95, 0.9, 0.99, 0.5]),
    st.floats(0.5, 1 - 1e-9),
    st.sampled_from([1e-300, 1 - 1e-16, 0.0, 1.0]),
)
effect = st.one_of(
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.sampled_from([0.0, -0.0, 1e-300, -1e300, 1e300, 1e-9, 710.0, -750.0, 1e39]),
)
variance = st.one_of(
    st.floats(1e-3, 4), st.floats(1e-3, 4),
    st.sampled_from([0.0, 1e-300, 5e-324, 1e-16, 1e-12, 1e16, 1e300, 1.7e308, -1.0, math.nan, math.inf]),
)  # fmt: skip
any_float = st.one_of(st.floats(-100, 100), st.floats(), st.sampled_from([0.0, 1e-300, 1e300, -1e300]))


def lists(of: Many, least: int = 0, most: int = 8) -> Many:
    return st.lists(of, min_size=least, max_size=most)


@st.composite
def arm(draw: Any) -> tuple[Any, Any]:
    """Events out of n; n is huge now and then, events at either end often."""
    n = draw(st.one_of(st.integers(1, 60), st.integers(1, 60), huge))
    kind = draw(typed)
    return kind(draw(st.one_of(st.integers(0, min(n, 60)), st.sampled_from([0, n, n // 2, n - 1])))), kind(n)


def _tame(of: Many) -> tuple[Many, ...]:
    """Return a kind of number twice without its extremes and once with them."""
    tame = {id(effect): st.floats(-3, 3), id(variance): st.floats(1e-3, 4), id(count): small}.get(id(of), of)
    return tame, tame, of


@st.composite
def columns(draw: Any, *of: Many, least: int = 1, most: int = 8) -> list[list[Any]]:
    """Columns of one length; now and then one of them is shorter, or an array."""
    size = draw(st.integers(least, most))
    made = [draw(st.lists(draw(st.sampled_from(_tame(one))), min_size=size, max_size=size)) for one in of]
    fault = draw(st.integers(0, 19))
    if fault == 0 and made[0]:
        made[0] = made[0][:-1]
    elif fault == 1:
        made = [[] for _ in made]
    return made


@st.composite
def calls(
    draw: Any, *of: Many, together: Many | None = None, **named: Many
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments for a call; in a third of all cases one of them is something else altogether.

    ``together`` gives arguments that belong together, such as columns of one length; they come first.
    """
    given = [*(draw(together) if together is not None else ()), *(draw(one) for one in of)]
    keywords = {name: draw(one) for name, one in named.items() if draw(st.booleans())}
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(given) + len(named) - 1))
        if place < len(given):
            given[place] = _poisoned(draw, given[place])
        else:
            keywords[sorted(named)[place - len(given)]] = draw(evil)
    return given, keywords


def _poisoned(draw: Callable[[Many], Any], value: Any) -> Any:
    """Return something else in the place of a value, or of one inside it."""
    if isinstance(value, (list, tuple)) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [_poisoned(draw, one) if place == here else one for here, one in enumerate(value)]
    return draw(evil)
