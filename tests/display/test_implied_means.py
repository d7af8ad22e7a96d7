"""Means of other patients than the headers': what is recomputed rests on those that fit, and says so."""

from pathlib import Path

import pytest

import evidence
from evidence.display import mean_difference_table, measurement_table
from evidence.parameters import Parameters

OUTCOMES = ["time_to_platelets_ge100"]


@pytest.fixture(scope="module")
def data():
    return evidence.load(Path(__file__).parents[2] / "data").where(indication="CIT")


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_differences_rest_on_the_patients_that_fit_and_are_marked(data, level):
    table = mean_difference_table(
        data, Parameters(confidence_level=level), study_id="cit_cohort", outcome_ids=OUTCOMES
    )
    cells = [cell for row in table.rows for cell in (row[2], row[4])]
    assert {cell.mark for cell in cells} == {"assumed"}
    assert all(row[4].text.endswith("(LSD)") for row in table.rows)
    assert not any("<0.001" in cell.text for cell in cells)
    assert "33 (rhTPO), 9 (hetrombopag), 13 (hetrombopag + rhTPO) and 16 (rhIL-11)" in table.note
    assert "all patients of an arm" not in table.note
    assert table.data["recomputed_method"].eq("LSD after one-way ANOVA").all()


def test_the_test_over_all_arms_rests_on_them_too_and_other_outcomes_do_not(data):
    table = measurement_table(data, Parameters(), study_id="cit_cohort", outcome_ids=OUTCOMES)
    assert (table.rows[0][-1].text, table.rows[0][-1].mark) == ("0.035; 0.035 (ANOVA)", "assumed")
    other = measurement_table(data, Parameters(), study_id="cit_cohort", outcome_ids=["platelet_count"])
    assert "not printed" not in other.note
    assert not any("assumed" in cell.mark for row in other.rows for cell in row)
