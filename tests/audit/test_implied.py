"""Patients inferred from printed means, and the least significant differences that they give."""

import numpy as np
import pytest
from scipy import stats

from evidence.audit.implied_n import _f_span, implied_patients
from evidence.audit.pairwise import Group, lsd_p
from evidence.audit.reported import Reported


def exact(n, mean, sd, rng):
    """Return values of exactly this mean and standard deviation."""
    values = rng.normal(size=n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


def test_least_significant_differences_are_those_of_a_linear_model():
    rng = np.random.default_rng(4)
    figures = {"a": (9, "9.12", "2.66"), "b": (13, "6.69", "2.21"), "c": (16, "9.25", "2.86")}
    groups = [Group(arm, arm, Reported(m), Reported(s), 60) for arm, (_, m, s) in figures.items()]
    y = np.concatenate([exact(n, float(m), float(s), rng) for n, m, s in figures.values()])
    sizes = [n for n, _, _ in figures.values()]
    x = np.repeat(np.eye(3), sizes, axis=0)
    coefficients, squares, _, _ = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - 3
    error = np.sqrt(squares[0] / df * (1 / sizes[0] + 1 / sizes[1]))
    expected = 2 * stats.t.sf(abs(coefficients[0] - coefficients[1]) / error, df)
    assert lsd_p(("a", "b"), groups, sizes) == pytest.approx(expected, rel=1e-9)


def test_patients_are_inferred_only_where_the_headers_do_not_fit(real):
    found = implied_patients(real.only(["cit_cohort"]))
    assert sorted(found.sizes.values()) == [9, 13, 16, 33]
    printed = real.tests.set_index("row_id")["p"]
    assert all(abs(p - float(printed[row])) < 0.004 for row, p in found.p.items())
    assert len(found.p) == 6
    assert not implied_patients(real.only(set(real.studies["study_id"]) - {"cit_cohort"})).sizes


def test_the_f_that_rounding_allows_is_that_of_spreads_at_either_end():
    figures = {"a": (33, 9.12, 2.66), "b": (12, 9.9, 3.24), "c": (14, 6.69, 2.21)}
    # means to ten decimals, so that only the rounding of the spreads is left
    groups = [
        Group(arm, arm, Reported(f"{m:.10f}"), Reported(str(s)), n) for arm, (n, m, s) in figures.items()
    ]
    sizes, means, spreads = map(np.array, zip(*figures.values(), strict=True))

    def f(sds):
        between = (sizes * (means - np.average(means, weights=sizes)) ** 2).sum() / 2
        return between / (((sizes - 1) * sds**2).sum() / (sizes.sum() - 3))

    expected = f(spreads + 0.005), f(spreads - 0.005)
    assert _f_span(groups, tuple(sizes)) == pytest.approx(expected, abs=1e-6)
