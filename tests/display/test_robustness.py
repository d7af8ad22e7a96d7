import copy
from dataclasses import replace
from pathlib import Path

import pytest

import evidence
from evidence.display import robustness_table
from evidence.questions import extremes
from evidence.stats import compare, e_value, fisher_exact, fragility, holm

from ..conftest import TABLES
from ..synthesis.invented import dataset, emptied, study

P = evidence.Parameters()
ROOT = Path(__file__).parents[2]
FRAGILE = (15, 40, 6, 40)  # Fisher's P 0.041, and 0.078 with one more event


@pytest.fixture(scope="module")
def real():
    return evidence.load(ROOT / "data")


@pytest.fixture(scope="module")
def table(real):
    return robustness_table(real, P)


def of(folder, four, *, enrolled=None, **changes):
    """Return data of one trial, whose groups may have more patients than were counted."""
    tables = copy.deepcopy(emptied())
    study(tables, "trial_0", four, label="Trial 0", **changes)
    for arm, size in zip(tables["arms"], enrolled or (four[1], four[3]), strict=True):
        arm["n"] = str(size) if size else ""
    return dataset(folder, tables)


def cells(data, parameters=P):
    made = robustness_table(data, parameters)
    return [cell.text for cell in made.rows[0]], made


def test_every_difference_that_leaves_out_none_is_asked_about_and_no_other(real, table):
    answers = [evidence.answer(one, real, P) for one in real.questions["question_id"]]
    found = {
        one.question_id
        for one in answers
        if one.difference and len(one.studies) == 1 and not one.difference.low <= 0 <= one.difference.high
    }
    assert set(table.data["question_id"]) == found
    assert 3 < len(found) < len(answers)


def test_values_are_those_of_the_counts(table):
    for row in table.data.to_dict("records"):
        four = tuple(row[name] for name in ("e1", "n1", "e0", "n0"))
        assert (row["fragility_index"], row["fragility_other"]) == (
            fragility(*four).index,
            fragility(*four).other,
        )
        ratio = compare(*four)
        assert row["e_value"] == e_value(ratio.estimate, ratio.low, ratio.high).estimate


def test_comparisons_of_the_same_patients_are_one_family(real, table):
    rows = {row["question_id"]: row for row in table.data.to_dict("records")}
    for row in rows.values():
        assert row["p"] <= row["p_holm"] <= 1
        same = [one for one in rows.values() if one["family"] == row["family"]]
        assert row["comparisons"] >= len(same)
        if row["comparisons"] == len(same):
            assert sorted(one["p_holm"] for one in same) == sorted(holm([one["p"] for one in same]))
    for line, row in zip(table.rows, table.data.to_dict("records"), strict=True):
        assert (f"among {row['comparisons']}," in line[-1].text) == (row["comparisons"] > 1)
        assert ("→" in line[-1].text) == ("holds" in line[-1].text) == (row["comparisons"] > 1)
    whole, part = rows["itp_p3_2_5"], rows["itp_persistent_2_5"]
    assert whole["family"] == part["family"]
    assert whole["comparisons"] == part["comparisons"]


def test_an_e_value_is_given_only_where_patients_are_not_known_to_be_randomised(real, table):
    randomised = dict(zip(real.studies["study_id"], real.studies["randomised"], strict=True))
    for line, row in zip(table.rows, table.data.to_dict("records"), strict=True):
        shown, said = line[3].text, randomised[row["study_id"]]
        assert (shown == "randomised") == (said == "yes")
        assert shown.endswith("if not randomised") == (said == "")


def test_one_patient_undoes_what_one_event_more_takes_over_the_line(tmp_path):
    shown, made = cells(of(tmp_path, FRAGILE, randomised="no"))
    assert shown[2] == "1 added or 1 removed"
    assert "one patient with another outcome would undo 1;" in made.caption
    assert fisher_exact([[15, 25], [7, 33]]).p >= P.alpha > fisher_exact([[15, 25], [6, 34]]).p
    assert shown[5].endswith(", the only one")
    assert "→" not in shown[5]


def test_missing_patients_are_taken_to_the_two_ends(tmp_path):
    data = of(tmp_path, (30, 40, 15, 40), enrolled=(50, 42))
    one = evidence.answer("cured_6m", data, P)
    ends = extremes(one, data, P)
    assert (ends.treatment, ends.comparator, ends.missing) == (10, 2, 12)
    lowest = compare(30, 50, 17, 42, measure="RD")
    highest = compare(40, 50, 15, 42, measure="RD")
    assert (ends.lowest.estimate, ends.highest.low) == (lowest.estimate, highest.low)
    assert lowest.low <= 0 < lowest.estimate < one.difference.estimate < highest.estimate
    for policy in ("failure", "success"):
        assert extremes(one, data, replace(P, missing_data=policy)) == ends
    shown, made = cells(data)
    assert shown[4].startswith("12 missing: ")
    assert "missing values could undo 1;" in f"{made.caption.rstrip('.')};"


@pytest.mark.parametrize(
    ("enrolled", "words"), [((40, 40), "none missing"), ((None, 40), "numbers allocated not known")]
)
def test_where_nobody_is_missing_or_nobody_knows_it_says_so(tmp_path, enrolled, words):
    assert cells(of(tmp_path, FRAGILE, enrolled=enrolled))[0][4] == words


def test_groups_too_large_to_go_through_have_no_fragility_and_all_the_rest(tmp_path):
    shown, _ = cells(of(tmp_path, (3000, 6000, 2000, 6000)))
    assert shown[2] == "–"
    assert shown[1].startswith("167 more")


def test_where_no_interval_leaves_out_no_difference_the_table_says_so(tmp_path):
    made = robustness_table(of(tmp_path, (10, 40, 9, 40)), P)
    assert "no interval of one study leaves out no difference" in made.caption
    assert len(made.columns) == 1
    empty = dataset(tmp_path / "none", {**emptied(), "questions": TABLES["questions"]})
    assert len(robustness_table(empty, P).columns) == 1


def test_two_studies_side_by_side_have_no_counts_of_their_own_to_change(tmp_path):
    tables = copy.deepcopy(emptied())
    for place in range(2):
        study(tables, f"trial_{place}", (30, 40, 10, 40), label=f"Trial {place}")
    assert len(robustness_table(dataset(tmp_path, tables), P).columns) == 1
