"""What another definition would count: printed rates, and bounds that the truth can never leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evidence
from evidence.display import (
    criteria_effects_table,
    definitions_side_by_side_table,
    event_table,
    lines_table,
    measurement_table,
    published_effects_table,
    study_measurements_table,
    study_tests_table,
)
from evidence.display.tables.lines import Counted, _least, _most

ROOT = Path(__file__).parents[2]
PLATELETS = {"criterion": "platelet_count", "unit": "10^9/L"}


@pytest.fixture(scope="module")
def real() -> evidence.Dataset:
    return evidence.load(ROOT / "data")


def texts(table):
    return [[cell.shown for cell in row] for row in table.rows]


def under(table, heading):
    """Return the rows below a heading, up to the next."""
    starts = [place for place, _ in table.groups] + [len(table.rows)]
    at = next(i for i, (_, text) in enumerate(table.groups) if text == heading)
    return texts(table)[starts[at] : starts[at + 1]]


VALUES = st.lists(st.integers(0, 200), min_size=1, max_size=40)
LINES = st.lists(
    st.tuples(st.sampled_from([30, 50, 100]), st.booleans(), st.sampled_from(["line", "narrower", "wider"])),
    min_size=1,
    max_size=5,
)


@given(VALUES, LINES, st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_true_share_lies_between_the_bounds(values, lines, draw):
    """Every patient has a count; a narrower rule drops some of those above its line, a wider adds others."""
    others = st.lists(st.booleans(), min_size=len(values), max_size=len(values))
    group = []
    for line, sharp, rule in lines:
        above = [value > line if sharp else value >= line for value in values]
        extra = draw.draw(others)
        joined = {"line": above, "narrower": [a and e for a, e in zip(above, extra, strict=True)]}
        joined["wider"] = [a or e for a, e in zip(above, extra, strict=True)]
        group.append(Counted({"estimate": sum(joined[rule]) / len(values)}, float(line), sharp, rule))
    for line in (30.0, 50.0, 100.0):
        truth = sum(value >= line for value in values) / len(values)
        least, most = _least(group, line), _most(group, line)
        assert least is None or least.row["estimate"] <= truth
        assert most is None or most.row["estimate"] >= truth


def test_two_printed_lines_enclose_the_one_between_them(real):
    rows = under(lines_table(real, evidence.Parameters(), **PLATELETS), "ITP real-world study")
    assert rows[0] == ["Hetrombopag", "6 weeks", "75.6% (121/160)", "30.6 to 75.6%", "30.6% (49/160)"]


def test_a_rule_with_another_criterion_bounds_from_below_only(real):
    rows = under(lines_table(real, evidence.Parameters(), **PLATELETS), "Avatrombopag, Chinese ITP study")
    assert [row[2:] for row in rows if row[0] == "Placebo"] == [["at least 7.7%†§", "at least 7.7%†§", ""]]


def test_a_rule_that_counts_others_too_bounds_from_above_only(real):
    rows = under(lines_table(real, evidence.Parameters(), **PLATELETS), "CIT four-regimen cohort")
    assert {(row[2], row[3]) for row in rows} == {("", "")}
    assert all(row[4].startswith("at most ") for row in rows)


def test_a_period_is_no_visit(real):
    table = lines_table(real, evidence.Parameters(), **PLATELETS)
    assert not table.data["time_label"].str.lower().str.startswith(("within", "stage")).any()


def test_the_same_comparison_changes_with_its_criterion(real):
    table = criteria_effects_table(real, evidence.Parameters())
    rows = under(table, "ITP phase 3 trial: hetrombopag 2.5 mg against placebo")
    assert [row[1:3] for row in rows] == [["147/168§", "24/85§"], ["99/168§", "5/85§"], ["55/168§", "2/85§"]]
    ratios = [(147 / 168) / (24 / 85), (99 / 168) / (5 / 85), (55 / 168) / (2 / 85)]
    assert [float(row[4].split(" ")[0]) for row in rows] == pytest.approx(ratios, rel=0.005)


def test_nothing_to_compare_is_said(real):
    alone = replace(real, definitions=real.definitions.iloc[0:0])
    for table in (
        lines_table(alone, evidence.Parameters(), **PLATELETS),
        criteria_effects_table(alone, evidence.Parameters()),
    ):
        assert texts(table) == [["No rows in the data."]]


def test_a_table_of_definitions_is_called_what_it_lists(real):
    title = "What counts as a characteristic."
    table = definitions_side_by_side_table(real, evidence.Parameters(), domains=["baseline"], caption=title)
    assert table.caption.startswith(title)
    assert len(table.rows) > 1


def test_events_of_two_times_stand_under_two_headings(real):
    table = event_table(real, evidence.Parameters(), study_id="itp_phase3")
    early, late = under(table, "Headache, 10 weeks"), under(table, "Headache, 24 weeks")
    assert [row[0] for row in early] == ["Hetrombopag 2.5 mg", "Hetrombopag 5 mg", "Placebo"]
    assert [row[1] for row in early] == ["13/168§", "12/171§", "8/85§"]
    assert [row[0] for row in late] == ["Hetrombopag, both doses", "Placebo, then eltrombopag"]
    headings = [text for _, text in table.groups]
    assert len(headings) == len(set(headings))


def test_an_arm_stands_once_under_each_heading(real):
    for study in ("itp_phase3", "cit_cohort"):
        table = event_table(real, evidence.Parameters(), study_id=study)
        for _, heading in table.groups:
            arms = [row[0] for row in under(table, heading)]
            assert len(arms) == len(set(arms)), (study, heading)


TABLES = {"tests": study_tests_table, "measurements": study_measurements_table}


@pytest.mark.parametrize("name", TABLES)
def test_every_value_of_an_external_row_is_marked(real, name):
    frame = getattr(real, name)
    external = frame[frame["origin"] == "external"]
    assert len(external)
    for study in external["study_id"].unique():
        own = set(external.loc[external["study_id"] == study, "row_id"])
        table = TABLES[name](real, evidence.Parameters(), study_id=study)
        values = [cell for row in table.rows for cell in row if cell.text and own & set(cell.rows)]
        assert values or not frame.loc[frame["row_id"].isin(own), "counted"].any()
        assert all(cell.mark for cell in values)


def test_no_value_of_the_documents_read_in_full_is_marked_external(real):
    frame = real.tests
    for study in frame.loc[frame["origin"] == "seed", "study_id"].unique():
        own = set(frame.loc[(frame["study_id"] == study) & (frame["origin"] == "seed"), "row_id"])
        table = study_tests_table(real, evidence.Parameters(), study_id=study)
        cells = [cell for row in table.rows for cell in row if set(cell.rows) & own]
        assert not [cell for cell in cells if cell.mark == "external"]


def test_a_measurement_table_marks_external_means_and_their_tests(real):
    external = "external"
    made = replace(
        real,
        measurements=real.measurements.assign(origin=external),
        tests=real.tests.assign(origin=external),
    )
    table = measurement_table(made, evidence.Parameters(), study_id="cit_cohort")
    values = [cell for row in table.rows for cell in row if cell.text and cell.rows]
    assert values
    assert all(cell.mark for cell in values)


def test_published_effects_are_marked_with_their_p_values(real):
    table = published_effects_table(real, evidence.Parameters())
    values = [cell for row in table.rows for cell in row[1:5] if cell.rows and cell.text]
    assert values
    assert {cell.mark for cell in values} == {"external"}
    assert isinstance(table.data, pd.DataFrame)
