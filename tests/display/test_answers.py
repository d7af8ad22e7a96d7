import copy
import re

import pytest

import evidence
from evidence.display import (
    allocation_prose,
    answers_prose,
    answers_table,
    evidence_table,
    findings_table,
    key_prose,
    rates_table,
    recovered_table,
    summary_prose,
    summary_table,
)
from evidence.display.tables.answered import sign_on
from evidence.display.tables.certain import certain_table
from evidence.synthesis.specifications import variants

from ..conftest import TABLES, write_tables

P = evidence.Parameters()


@pytest.fixture
def tables():
    return copy.deepcopy(TABLES)


def loaded(folder, tables):
    write_tables(folder / "data", tables)
    return evidence.load(folder / "data")


def texts(table):
    return [[cell.shown for cell in row] for row in table.rows]


def test_the_answer_stands_in_patients_per_1000_with_its_interval(tmp_path, tables):
    data = loaded(tmp_path, tables)
    table = answers_table([evidence.answer("cured_6m", data, P)], data, P)
    row = texts(table)[0]
    assert row[:4] == ["Cure at 6 months", "100 (1)", "600 (462 to 724)", "400 (276 to 538)"]
    assert row[4].startswith("200 more (")
    assert row[-1] == "More patients"


def test_recovered_and_external_counts_carry_their_sign(tmp_path, tables):
    for count in tables["counts"]:
        count.pop("events")
    data = loaded(tmp_path, tables)
    derived = evidence.answer("cured_6m", data, P)
    assert "30 of 50† (" in derived.sentence
    table = answers_table([derived], data, P)
    assert texts(table)[0][2].endswith("†")
    assert "†" in table.full_note
    tables = copy.deepcopy(TABLES)
    tables["sources"][0]["origin"] = "external"
    external = evidence.answer("cured_6m", loaded(tmp_path / "external", tables), P)
    assert "30 of 50§ (" in external.sentence


def test_switches_leave_derived_or_external_evidence_out(tmp_path, tables):
    for count in tables["counts"]:
        count.pop("events")
    write_tables(tmp_path / "data", tables)
    printed_only = evidence.load(tmp_path / "data", include_derived=False)
    assert printed_only.counts["events"].isna().all()
    assert evidence.answer("cured_6m", printed_only, P).treatment is None
    tables["sources"][0]["origin"] = "external"
    write_tables(tmp_path / "data", tables)
    assert evidence.load(tmp_path / "data", include_external=False).counts.empty


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("yes", "Patients were randomised in:** Trial A."),
        ("no", "They were not in:** Trial A."),
        ("", "does not say in:** Trial A."),
    ],
)
def test_how_patients_came_to_their_treatment_is_told_by_study(tmp_path, tables, said, words):
    tables["studies"][0]["randomised"] = said
    data = loaded(tmp_path, tables)
    text = allocation_prose([evidence.answer("cured_6m", data, P)], data).text
    assert words in text
    assert ("Without randomisation" in text) or said == "yes"


def test_bullets_name_the_question_and_answer_it(tmp_path, tables):
    text = answers_prose([evidence.answer("cured_6m", loaded(tmp_path, tables), P)]).text
    assert text.startswith("- **Cure at 6 months.** Cured: 30 of 50 (60.0%; 95% CI 46.2 to 72.4) with drug")


def test_every_study_has_its_line_and_its_rows_are_counted(tmp_path, tables):
    table = evidence_table(loaded(tmp_path, tables))
    assert texts(table) == [["Trial A", "SAA", "Randomised trial", "100", "2", "0", "0", "0"]]


def test_recovered_counts_are_listed_with_the_percentage_they_follow_from(tmp_path, tables):
    for count in tables["counts"]:
        count.pop("events")
    tables["counts"][1]["percent"] = "41.1"
    rows = texts(recovered_table(loaded(tmp_path, tables)))
    assert rows[0][3:] == ["60.0%", "50", "30†", "percentage"]
    assert rows[1][3:] == ["41.1%", "50", "none fits", "percentage"]


INFERRED = {"n_basis": "", "note": "30 + 20 = 50; the header says 51"}


def test_a_number_of_patients_that_no_document_prints_is_told_as_assumed_everywhere(tmp_path, tables):
    tables["counts"][0] |= INFERRED
    data = loaded(tmp_path, tables)
    one = evidence.answer("cured_6m", data, P)
    made = [answers_table([one], data, P), summary_table([one], data, P), certain_table(data, P)]
    made += [findings_table(data, P, question_id="cured_6m"), rates_table(data, P, study_id="trial_a")]
    for table in made:
        cells = [cell for row in table.rows for cell in row if cell.rows == ("doc-c001",)]
        assert {"assumed" in cell.mark for cell in cells if cell.text != "60.0%"} == {True}, table.caption
        assert "‡ 30 + 20 = 50; the header says 51." in table.full_note
    assert "30 of 50‡ (" in one.sentence
    assert "20 of 50 (" in one.sentence
    assert "600‡" in re.sub("<[^>]+>", "", summary_prose([one], data, P).text)
    assert "rests on something assumed, not printed" in key_prose([one], data, P).text


def test_a_number_that_was_inferred_is_left_out_with_what_only_follows_from_figures(tmp_path, tables):
    tables["counts"][0] |= INFERRED
    write_tables(tmp_path / "data", tables)
    printed = evidence.load(tmp_path / "data", include_derived=False)
    assert printed.counts.set_index("row_id")["n"].isna().to_dict() == {"doc-c001": True, "doc-c002": False}
    assert not evidence.answer("cured_6m", printed, P).studies
    whole = variants(evidence.load(tmp_path / "data"))
    assert set(whole["Printed counts only"].counts["row_id"]) == {"doc-c002"}
    assert len(whole["Primary publications only"].counts) == 2


def test_a_risk_from_outside_the_studies_has_no_sign_of_theirs_and_what_a_ratio_makes_has_them(
    tmp_path, tables
):
    tables["counts"][1] |= INFERRED
    tables["questions"][0]["control_risk"] = "0.1"
    data = loaded(tmp_path, tables)
    one = evidence.answer("cured_6m", data, P)
    assert [sign_on(one, side) for side in ("treatment", "comparator")] == ["‡", ""]
    tables["questions"][0]["control_risk"] = ""
    one = evidence.answer("cured_6m", loaded(tmp_path / "own", tables), P)
    assert [sign_on(one, side) for side in ("treatment", "comparator")] == ["", "‡"]


def test_the_key_explains_no_sign_of_studies_side_by_side(tmp_path, tables):
    second_study(tables)
    for count in tables["counts"]:
        count |= INFERRED
    data = loaded(tmp_path, tables)
    one = evidence.answer("cured_6m", data, P)
    assert one.finding.side_by_side
    assert "‡" not in summary_prose([one], data, P).text + key_prose([one], data, P).text


def second_study(tables, **changes):
    tables["studies"].append({**tables["studies"][0], "study_id": "b", "label": "Trial B"} | changes)
    tables["arms"] += [arm | {"study_id": "b"} for arm in copy.deepcopy(tables["arms"][:2])]
    for count, events in zip(copy.deepcopy(tables["counts"][:2]), ("25", "20"), strict=True):
        tables["counts"].append(count | {"study_id": "b", "events": events, "percent": ""})


def test_two_studies_have_their_own_numbers_in_the_table_and_no_pool(tmp_path, tables):
    second_study(tables)
    data = loaded(tmp_path, tables)
    table = answers_table([evidence.answer("cured_6m", data, P)], data, P)
    row = texts(table)[0]
    assert row[1:4] == ["200 (2)", "600; 500", "400; 400"]
    assert row[4].startswith("200 more (5 more to 375 more); 100 more (")
    assert row[5] == "1.50 (1.00 to 2.26); 1.25 (0.81 to 1.94)"
    assert "side by side" in table.full_note


def test_studies_of_another_design_are_not_in_the_table(tmp_path, tables):
    second_study(tables, randomised="no")
    data = loaded(tmp_path, tables)
    table = answers_table([evidence.answer("cured_6m", data, P)], data, P)
    assert texts(table)[0][1] == "100 (1)"
    assert "stand apart in the text" in table.full_note
