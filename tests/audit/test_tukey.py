"""The studentized range against published tables and against the general library."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import studentized_range

from evidence.audit.tukey import studentized_range_p, studentized_range_quantile

# Upper 5% points, Pearson and Hartley, Biometrika Tables for Statisticians 1, table 29.
PUBLISHED = [(3, 10, 3.88), (4, 20, 3.96), (5, 60, 3.98), (10, 15, 5.20)]


@pytest.mark.parametrize(("groups", "df", "q"), PUBLISHED)
def test_quantiles_are_the_published_ones(groups, df, q):
    assert studentized_range_quantile(0.95, groups, df) == pytest.approx(q, abs=0.006)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 9.0), st.integers(3, 10), st.integers(3, 500))
def test_p_is_that_of_the_general_library(q, groups, df):
    assert studentized_range_p(q, groups, df) == pytest.approx(studentized_range.sf(q, groups, df), abs=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 0.999), st.integers(3, 8), st.integers(5, 200))
def test_the_quantile_inverts_p(level, groups, df):
    q = studentized_range_quantile(level, groups, df)
    assert studentized_range_p(q, groups, df) == pytest.approx(1 - level, abs=1e-8)


@pytest.mark.parametrize("q", [3.0, 6.0, 9.0, 12.0])
@pytest.mark.parametrize("groups", [3, 10])
def test_p_on_one_degree_of_freedom_is_that_of_the_general_library_to_eight_decimals(groups, q):
    assert studentized_range_p(q, groups, 1) == pytest.approx(studentized_range.sf(q, groups, 1), abs=1e-8)
