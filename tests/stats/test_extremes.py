"""Numbers of other kinds, and such as floating-point numbers cannot hold: a result or a reason in words."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from evidence.errors import StatisticsError
from evidence.stats import (
    anova_from_summary,
    arm_contrasts,
    bucher,
    cochran_armitage,
    compare,
    conditional_logistic,
    e_value,
    fragility,
    mantel_haenszel,
    mean_difference,
    network,
    pool,
    pool_comparisons,
    pool_proportions,
    proportion,
)

ARMS = ["s", "s"], ["a", "b"], [3, 5], [20, 20]
STUDIES = [(5, 20, 3, 20), (6, 20, 4, 20), (1, 20, 3, 20)]
LEVELS = {
    "bucher": lambda level: bucher((-0.5, 0.3), (-0.1, 0.4), level=level).level,
    "compare": lambda level: compare(5, 20, 3, 20, level=level).level,
    "conditional_logistic": lambda level: conditional_logistic(*ARMS, reference="a", level=level).level,
    "fragility": lambda level: fragility(5, 20, 15, 20, alpha=level).alpha,
    "mean_difference": lambda level: mean_difference(1, 1, 10, 2, 1, 10, level=level).level,
    "pool": lambda level: pool([0.1, 0.2], [0.1, 0.2], level=level).level,
    "pool_comparisons": lambda level: pool_comparisons(STUDIES, level=level).effects[0].level,
    "pool_proportions": lambda level: pool_proportions([1, 2], [10, 12], level=level).level,
    "proportion": lambda level: proportion(5, 20, level=level).level,
}


def contrasts(*rows):
    return pd.DataFrame(rows, columns=["study", "treatment1", "treatment0", "y", "v"])


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("level", [Fraction(19, 20), Decimal("0.95"), np.float32(0.95)])
def test_a_level_is_kept_as_the_floating_point_number_it_was_computed_with(name, level):
    kept = LEVELS[name](level)
    assert (type(kept), kept) == (float, float(level))


@pytest.mark.parametrize("number", [np.complex64(1), np.complex128(1), 1 + 0j])
def test_a_complex_number_is_none_to_compute_with(number):
    rows = contrasts(("s", "b", "a", 0.5, 1.0)).astype({"y": object})
    rows["y"] = pd.Series([number], dtype=object)
    calls = (
        lambda: proportion(number, 20),
        lambda: e_value(number, 1, 1),
        lambda: pool([number, 2.0], [1.0, 1.0]),
        lambda: network(rows, measure="OR", reference="a"),
    )
    for call in calls:
        with pytest.raises(StatisticsError):
            call()


def test_dates_are_no_numbers():
    with pytest.raises(StatisticsError, match="non-numeric"):
        pool(np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"), [1.0, 1.0])


def test_columns_that_can_be_read_only_once_are_read_once():
    means, sds, sizes = [5.032, 4.661, 5.526], [0.58, 0.79, 0.44], [10, 10, 10]
    assert anova_from_summary(iter(means), iter(sds), iter(sizes)) == anova_from_summary(means, sds, sizes)
    assert cochran_armitage(iter([1, 2, 3]), iter(sizes)) == cochran_armitage([1, 2, 3], sizes)
    assert pool_proportions(iter([1, 2, 3]), iter(sizes)) == pool_proportions([1, 2, 3], sizes)


def test_a_number_that_cannot_be_written_is_no_name():
    with pytest.raises(StatisticsError, match="give its name"):
        arm_contrasts([10**5000, 10**5000], ["a", "b"], [3, 5], [20, 20], measure="OR")
    with pytest.raises(StatisticsError, match="no name"):
        network(contrasts((10**5000, "b", "a", 0.5, 1.0)), measure="OR", reference="a")


@pytest.mark.parametrize("choice", [pd.NA, np.array([1.0, 2.0])])
def test_what_is_no_name_of_an_estimator_is_refused_before_it_is_compared(choice):
    with pytest.raises(StatisticsError, match="tau2"):
        pool_comparisons(STUDIES, tau2=choice)


def test_strata_beyond_all_proportion_have_no_interval():
    apart = [[[0, 10**15], [1, 10**15]], [[1, 0], [10**15, 1]]]
    with pytest.raises(StatisticsError, match="orders of magnitude"):
        mantel_haenszel(apart, measure="OR")


def test_a_ratio_that_no_number_holds_is_infinite_in_the_table_of_a_network():
    made = network(contrasts(("s", "b", "a", 710.0, 0.001)), measure="RR", reference="a")
    assert sorted(made.effects()["estimate"])[1] == np.inf
    assert "inf" in made.league().loc["b", "a"]


def test_studies_that_agree_to_the_last_digit_have_no_width_to_give_a_network():
    rows = contrasts(*((f"s{place}", "b", "a", 0.5, 0.25) for place in range(3)))
    with pytest.raises(StatisticsError, match="no width"):
        network(rows, measure="OR", reference="a", ci="HKSJ")
    assert network(rows, measure="OR", reference="a", ci="HKSJ-adhoc").ci == "HKSJ-adhoc"


def test_variances_that_leave_the_covariance_no_digits_are_refused():
    triangle = [
        ("s", "b", "a", 0.0, 1e-7),
        ("s", "c", "a", 0.0, 1e-7),
        ("s", "c", "b", 0.0, 4e-7 * (1 - 1e-9)),
    ]
    rows = contrasts(*triangle, ("p", "d", "a", 0.1, 0.4))
    with pytest.raises(StatisticsError, match="weighed together"):
        network(rows, measure="OR", reference="a")
