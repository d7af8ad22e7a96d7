from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evidence.errors import StatisticsError
from evidence.stats import (
    chi_square,
    chi_square_p,
    cochran_armitage,
    fisher_exact,
    fisher_freeman_halton,
    likelihood_ratio,
)

cell = st.integers(0, 60)
tables = st.tuples(st.integers(2, 4), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(cell, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)
small = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=3)


def informative(table):
    cells = np.array(table)
    return (cells.sum(axis=0) > 0).sum() > 1 and (cells.sum(axis=1) > 0).sum() > 1


def fisher_by_fractions(a, b, c, d):
    n1, n0, events = a + b, c + d, a + c
    weights = [comb(n1, x) * comb(n0, events - x) for x in range(max(0, events - n0), min(n1, events) + 1)]
    observed = comb(n1, a) * comb(n0, c)
    return float(Fraction(sum(w for w in weights if w <= observed), sum(weights)))


def exact_by_brute_force(table):
    """Every table of the margins, in fractions: slow, and right."""
    rows, columns = np.sum(table, axis=1).tolist(), np.sum(table, axis=0).tolist()
    weights = {(): Fraction(1)}
    for column in columns:
        fills = [fill for fill in product(*(range(min(r, column) + 1) for r in rows)) if sum(fill) == column]
        weights = {
            (*filled, fill): weight / prod(map(factorial, fill))
            for filled, weight in weights.items()
            for fill in fills
            if all(sum(used) <= r for used, r in zip(zip(*filled, fill, strict=True), rows, strict=True))
        }
    observed = weights[tuple(map(tuple, np.array(table).T.tolist()))]
    return float(sum(w for w in weights.values() if w <= observed) / sum(weights.values()))


def test_r_x_c_tests_match_base_r(pinned):
    pinned_tests = pinned.tree("tables.json")["tests"]
    assert len(pinned_tests) >= 12
    for name, row in pinned_tests.items():
        pearson, g = chi_square(row["table"]), likelihood_ratio(row["table"])
        assert pearson.df == g.df == row["df"]
        for ours, theirs in (
            (pearson.statistic, row["pearson"]),
            (pearson.p, row["pearson_p"]),
            (g.statistic, row["g"]),
            (g.p, row["g_p"]),
        ):
            assert pinned.deviation(ours, theirs, 1e-9) < 1e-9, name  # the pinned JSON has 15 digits
        exact = fisher_freeman_halton(row["table"])
        assert exact.p_se == 0
        assert pinned.deviation(exact.p, row["exact_p"], 1e-12) < 1e-9, name


@given(cell, cell, cell, cell)
def test_fisher_equals_the_sum_in_fractions(a, b, c, d):
    expected = fisher_by_fractions(a, b, c, d) if a + b and c + d else 1.0
    assert fisher_exact([[a, b], [c, d]]).p == pytest.approx(expected, rel=1e-9)
    assert fisher_freeman_halton([[a, b], [c, d]]).p == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40)
@given(small.filter(informative))
def test_fisher_freeman_halton_equals_brute_force(table):
    assert fisher_freeman_halton(table).p == pytest.approx(exact_by_brute_force(table), rel=1e-9)


@given(tables.filter(informative), st.randoms())
def test_order_and_direction_of_the_table_do_not_matter(table, random):
    shuffled = [list(row) for row in np.array(table).T]
    random.shuffle(shuffled)
    for test in (chi_square, likelihood_ratio):
        one, other = test(table), test(shuffled)
        assert one.statistic == pytest.approx(other.statistic, rel=1e-8, abs=1e-8)
        assert one.df == other.df


@given(tables.filter(informative))
def test_empty_rows_and_columns_change_nothing(table):
    padded = [[*row, 0] for row in table] + [[0] * (len(table[0]) + 1)]
    assert chi_square(padded).p == pytest.approx(chi_square(table).p, rel=1e-9)


def test_simulation_agrees_with_the_exact_p_within_its_error_and_says_so():
    table = [[20, 5, 8], [10, 15, 9], [12, 7, 20], [9, 9, 9]]
    exact, simulated = fisher_freeman_halton(table), fisher_freeman_halton(table, work=1000)
    assert exact.p_se == 0
    assert exact.warning == ""
    assert simulated.p_se > 0
    assert "simulated from 100,000 tables" in simulated.warning
    assert abs(simulated.p - exact.p) < 4 * simulated.p_se


def test_simulation_is_the_same_for_the_same_seed():
    table = [[40, 50, 60], [60, 40, 55], [80, 60, 50]]
    first, again, other = (fisher_freeman_halton(table, work=10, draws=2000, seed=seed) for seed in (5, 5, 6))
    assert first.p == again.p != other.p


def test_small_expected_counts_are_warned_of():
    assert "2 of 4 expected counts are below 5" in chi_square([[1, 24], [3, 47]]).warning
    assert chi_square([[20, 30], [25, 25]]).warning == ""


def test_yates_never_overshoots_equality():
    assert chi_square([[10, 10], [10, 11]], correction="yates").statistic < 1e-9


@given(tables.filter(informative))
def test_chi_square_and_likelihood_ratio_are_those_of_scipy(table):
    cells = np.array(table, dtype=float)
    cells = cells[cells.any(axis=1)][:, cells.any(axis=0)]
    pearson, likelihood = chi_square(table), likelihood_ratio(table)
    theirs = stats.chi2_contingency(cells, correction=False)
    assert (pearson.statistic, pearson.df) == (pytest.approx(theirs.statistic, rel=1e-12), theirs.dof)
    theirs = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood")
    assert likelihood.statistic == pytest.approx(max(theirs.statistic, 0), rel=1e-12)
    if cells.shape == (2, 2):
        yates = chi_square(cells.tolist(), correction="yates")
        assert yates.statistic == pytest.approx(stats.chi2_contingency(cells).statistic, rel=1e-12)


def test_a_uniform_trend_matches_the_correlation_form():
    # The statistic is N r^2 of outcome and score (Agresti, Categorical Data Analysis, section 5.3.5)
    events, n, scores = [2, 5, 9, 14], [20, 21, 19, 22], [0.0, 2.5, 5.0, 7.5]
    outcome = np.concatenate([[1] * e + [0] * (m - e) for e, m in zip(events, n, strict=True)])
    r = stats.pearsonr(np.repeat(scores, n), outcome).statistic
    assert cochran_armitage(events, n, scores=scores).statistic == pytest.approx(sum(n) * r**2)


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_trend_does_not_depend_on_origin_and_unit_of_the_scores(origin, unit):
    events, n, scores = [2, 5, 9], [20, 21, 19], np.array([0.0, 1.0, 4.0])
    moved = cochran_armitage(events, n, scores=list(origin + unit * scores))
    assert moved.statistic == pytest.approx(cochran_armitage(events, n, scores=scores).statistic)


def test_of_hardly_any_freedom_nothing_lies_above_0():
    assert chi_square_p(0, 5e-324) == 1
    assert chi_square_p(5e-324, 5e-324) == chi_square_p(1, 5e-324) == 0


@pytest.mark.parametrize("test", [chi_square, likelihood_ratio])
def test_a_table_without_comparison_is_refused(test):
    with pytest.raises(StatisticsError, match="nothing to compare"):
        test([[0, 10], [0, 20]])


@pytest.mark.parametrize("test", [fisher_exact, fisher_freeman_halton])
def test_exact_tests_of_a_table_without_comparison_have_p_1(test):
    assert test([[0, 10], [0, 20]]).p == 1


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: chi_square([[1, 2.5], [3, 4]]), "whole counts"),
        (lambda: chi_square([[1, -2], [3, 4]]), "whole counts"),
        (lambda: chi_square([[1, float("nan")], [3, 4]]), "leave that row out"),
        (lambda: chi_square([[1, 2]]), "at least two rows"),
        (lambda: chi_square([[1, 2, 3], [3, 4, 5]], correction="yates"), "2 x 2"),
        (lambda: chi_square([[1, 2], [3, 4]], correction="half"), "none, yates, n-1"),
        (lambda: fisher_exact([[1, 2, 3], [3, 4, 5]]), "fisher_freeman_halton"),
        (lambda: cochran_armitage([1, 2], [5]), "one value per group"),
        (lambda: cochran_armitage([1, 2], [5, 6], scores=[1, 1]), "no trend"),
        (lambda: cochran_armitage([0, 0], [5, 6]), "no trend"),
        (lambda: chi_square_p(-1, 1), "at least 0"),
    ],
)
def test_unusable_tables_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()
