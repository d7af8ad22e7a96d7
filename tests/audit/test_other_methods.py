"""Less usual tests: right in themselves, and used to explain a print, never to excuse a named test."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from evidence.audit.other_methods import linear_by_linear, rank_statistic
from evidence.audit.recompute import freeman_halton_statistic
from evidence.stats import chi_square, fisher_freeman_halton, likelihood_ratio

CELLS = st.lists(st.lists(st.integers(1, 30), min_size=3, max_size=3), min_size=2, max_size=4)


def ranks(row):
    return np.repeat(np.arange(len(row)), row)


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_the_rank_statistic_is_that_of_kruskal_and_wallis(table):
    expected = stats.kruskal(*map(ranks, table)).statistic
    assert rank_statistic(table)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_two_groups_give_the_test_of_mann_and_whitney(table):
    made = stats.mannwhitneyu(ranks(table[0]), ranks(table[1]), use_continuity=False, method="asymptotic")
    statistic, df = rank_statistic(table[:2])
    assert stats.chi2.sf(statistic, df) == pytest.approx(made.pvalue, rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_linear_by_linear_is_the_squared_correlation(table):
    x = np.repeat(np.arange(len(table)), [sum(row) for row in table])
    y = np.concatenate([ranks(row) for row in table])
    expected = (len(x) - 1) * np.corrcoef(x, y)[0, 1] ** 2
    assert linear_by_linear(table) == pytest.approx(expected, rel=1e-8, abs=1e-9)


def classes(rows, drug=(10, 20, 20), placebo=(20, 20, 10)):
    names = ("I", "II", "III")
    return [
        rows.baseline(arm, "stage", name, events)
        for arm, counts in (("drug", drug), ("placebo", placebo))
        for name, events in zip(names, counts, strict=True)
    ]


def of_stage(rows, p, **more):
    return rows.test(p, outcome="stage", time="0", time_unit="month", time_label="baseline", **more)


def test_an_unnamed_test_may_be_a_rank_test_of_ordered_classes(audited, rows):
    p = f"{stats.mannwhitneyu(ranks((10, 20, 20)), ranks((20, 20, 10)), use_continuity=False).pvalue:.3f}"
    found = audited(counts=classes(rows), tests=[of_stage(rows, p)]).one("test_recomputes")
    assert found["verdict"] == "consistent"
    assert "Mann-Whitney" in found["why"]
    assert "methods fits by luck is" in found["why"]


def test_a_match_that_luck_gives_often_says_nothing(audited, rows):
    p = f"{stats.mannwhitneyu(ranks((10, 20, 20)), ranks((20, 20, 10)), use_continuity=False).pvalue:.2f}"
    found = audited(counts=classes(rows), tests=[of_stage(rows, p)]).one("test_recomputes")
    assert (found["verdict"], found["consequence"]) == ("not_checkable", "number")


def test_a_named_test_is_not_excused_by_another(audited, rows):
    table = [[30, 20], [20, 30]]
    p = f"{likelihood_ratio(table).p:.4f}"
    assert p != f"{chi_square(table).p:.4f}"
    counts = [rows.count(events="30"), rows.count("placebo", events="20")]
    named = audited(counts=counts, tests=[rows.test(p, test_label="chi-square test")]).one("test_recomputes")
    assert named["verdict"] == "inconsistent"
    assert "the likelihood-ratio test would give it" in named["why"]
    open_ = audited(counts=counts, tests=[rows.test(p)]).one("test_recomputes")
    assert open_["verdict"] == "consistent"


def test_the_statistic_of_the_exact_test_belongs_to_its_p(audited, rows):
    table = [[6, 2, 1], [1, 4, 5]]
    p, statistic = f"{fisher_freeman_halton(table).p:.3f}", f"{freeman_halton_statistic(table):.3f}"
    found = audited(
        counts=classes(rows, *table), tests=[of_stage(rows, p, statistic=statistic, statistic_label="χ²")]
    )
    one = found.one("p_fits_statistic")
    assert (one["verdict"], one["recomputed"]) == ("consistent", "")
    assert one["why"].startswith("An exact P value with the statistic of the exact test: ")


def test_three_classes_may_stand_behind_a_test_of_two(audited, rows):
    counts = [
        rows.count(events="30"), rows.count("placebo", events="22"),
        rows.count(outcome="lasting_cure", events="20"), rows.count("placebo", "lasting_cure", events="5"),
    ]  # fmt: skip
    p = f"{chi_square([[20, 10, 20], [5, 17, 28]]).p:.4f}"
    found = audited(counts=counts, tests=[rows.test(p)]).one("test_recomputes")
    assert found["verdict"] == "not_checkable"
    assert found["consequence"] == "conclusion"
    assert found["why"].startswith(
        "Only a chi-square test of three classes (the part, the rest, none) gives it"
    )


def swapped(rows, first, second, ratios=({}, {})):
    at = {"locator": "Table 2, row Cured"}
    other = {"locator": "Table 2, row Fever"}
    counts = [
        rows.count(events="30"), rows.count("placebo", events="20"),
        rows.count(outcome="fever", events="10"), rows.count("placebo", "fever", events="12"),
    ]  # fmt: skip
    tests = [rows.test(first, **at, **ratios[0]), rows.test(second, outcome="fever", **other, **ratios[1])]
    return {"counts": counts, "tests": tests}


def test_p_values_in_each_others_rows_are_put_right(audited, rows):
    p = [f"{chi_square(table).p:.3f}" for table in ([[30, 20], [20, 30]], [[10, 40], [12, 38]])]
    assert audited(**swapped(rows, *p)).of("p_values_stand_in_their_rows") == []
    found = audited(**swapped(rows, *p[::-1])).one("p_values_stand_in_their_rows")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "conclusion")
    assert f"P = {p[0]}" in found["recomputed"]
    # The crude odds ratios, 2.25 and 0.79, lie inside the intervals of other ones: both may be adjusted.
    ratios = [
        dict(zip(("effect_label", "effect", "low", "high"), texts, strict=True))
        for texts in (("OR", "1.60", "0.70", "3.40"), ("OR", "0.45", "0.20", "0.99"))
    ]
    assert audited(**swapped(rows, *p[::-1], ratios)).of("p_values_stand_in_their_rows") == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 49), st.integers(1, 49))
def test_the_p_of_any_table_is_sound_whatever_method_gave_it(audited, rows, e1, e0):
    table = [[e1, 50 - e1], [e0, 50 - e0]]
    counts = [rows.count(events=str(e1)), rows.count("placebo", events=str(e0))]
    for p in (chi_square(table).p, likelihood_ratio(table).p):
        found = audited(counts=counts, tests=[rows.test(f"{p:.4f}")])
        assert "inconsistent" not in found.verdicts("test_recomputes")


def test_ordered_classes_may_have_been_cut_in_the_middle(audited, rows):
    cells = {"drug": (20, 8, 4, 18), "placebo": (8, 10, 20, 12)}
    counts = [
        rows.baseline(arm, "stage", name, events)
        for arm, row in cells.items()
        for name, events in zip(("I", "II", "III", "IV"), row, strict=True)
    ]
    p = chi_square([[28, 22], [18, 32]]).p  # classes I and II against III and IV: 28 and 18 of 50
    found = audited(counts=counts, tests=[of_stage(rows, f"{p:.4f}")]).one("test_recomputes")
    assert found["recomputed"] == f"P = {p:.3f} (a test of classes 1 to 2 against the others)"


def test_p_values_of_different_tables_are_not_put_in_each_others_place(audited, rows):
    p = [f"{chi_square(table).p:.3f}" for table in ([[10, 40], [12, 38]], [[30, 20], [20, 30]])]
    given = swapped(rows, *p)
    for locators, number in ((("Table 2", "Table 2"), 1), (("Table 2", "Table 3"), 0)):
        tests = [test | {"locator": locator} for test, locator in zip(given["tests"], locators, strict=True)]
        found = audited(counts=given["counts"], tests=tests)
        assert len(found.of("p_values_stand_in_their_rows")) == number
