from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from evidence.errors import StatisticsError
from evidence.stats import cumulative, egger, leave_one_out, pool


@pytest.fixture(scope="module")
def data(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("pool_data.csv"):
        sets[row["set"]].append((float(row["y"]), float(row["v"])))
    return {name: np.array(pairs).T for name, pairs in sets.items()}


@pytest.fixture(scope="module")
def influence(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("influence.csv"):
        sets[row.pop("set")].append({name: float(value) for name, value in row.items()})
    assert len(sets) >= 4
    return sets


def test_leaving_one_out_equals_pooling_the_rest(data):
    y, v = data["bcg_rr"]
    for left, ours in enumerate(leave_one_out(y, v)):
        rest = pool(np.delete(y, left), np.delete(v, left))
        assert (ours.estimate, ours.low, ours.tau2) == pytest.approx((rest.estimate, rest.low, rest.tau2))


def test_the_last_of_the_cumulative_summaries_is_of_all_studies(data):
    y, v = data["li2007"]
    assert cumulative(y, v, [2000] * len(y))[-1].estimate == pytest.approx(pool(y, v).estimate)


def test_eggers_test_is_the_regression_of_the_standard_normal_deviate_on_precision(data):
    y, v = data["bcg_rr"]
    ours, classic = egger(y, v), stats.linregress(1 / np.sqrt(v), y / np.sqrt(v))
    assert (ours.slope, ours.slope_se, ours.limit) == pytest.approx(
        (classic.intercept, classic.intercept_stderr, classic.slope)
    )


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: egger([0.1] * 9, np.linspace(0.1, 1, 9)), "too little power with 9 studies"),
        (lambda: egger([0.1, 0.2], [0.1, 0.2], conditions="ignore"), "at least 3"),
        (lambda: egger([0.1, 0.2, 0.3], [0.1] * 3, conditions="ignore"), "same standard error"),
        (lambda: egger([0.5] * 10, np.linspace(0.1, 1, 10)), "lie on the regression line"),
        (lambda: egger([0.1] * 9 + [float("nan")], np.linspace(0.1, 1, 10)), "leave that row out"),
        (lambda: leave_one_out([0.1], [0.1]), "at least two studies"),
        (lambda: cumulative([0.1, 0.2], [0.1, 0.1], [2001]), "give one for each"),
        (lambda: leave_one_out([0.1, 0.2], [0.1, -0.1]), "0 or negative"),
        (lambda: egger([0.1, 0.2], [0.1]), "one v for each y"),
    ],
)
def test_unusable_studies_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()


def test_eggers_test_is_computed_on_request_with_few_studies():
    assert egger([0.1, 0.4, 0.2, 0.9], [0.1, 0.2, 0.15, 0.4], conditions="ignore").df == 2
