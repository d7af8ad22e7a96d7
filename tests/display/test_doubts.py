from pathlib import Path

import pytest

import evidence
from evidence import display as make
from evidence.data.joint import find_doubts
from evidence.display import doubtful_sizes_table
from evidence.display.tables.doubts import doubt_words
from evidence.parameters import Parameters
from evidence.stats import compare

from ..synthesis.invented_network import World

P = Parameters()
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world():
    made = World().outcome("eased", "Eased").outcome("cured", "Cured")
    made.study("s", ("alpha", None, "", 67), ("placebo", None, 31, 42), outcome="eased")
    made.count("s", "a0", 21, 67, percent="31.3").count("s", "a1", 12, 42)
    made.rows["arms"][1] |= {"role": "placebo"}
    made.rows["counts"][0] |= {"percent": "65.6", "n_basis": "elsewhere"}
    made.rows["counts"][2] |= {"basis": "derived", "n_basis": "elsewhere"}
    return made


def test_each_result_stands_with_what_the_printed_number_and_a_fitting_one_give(world):
    table = doubtful_sizes_table(world, P)
    first, cut, second = ([cell.text for cell in row] for row in table.rows)
    assert cut == ["Eased, if digits were cut off", "65.6%", "44/67", "none computed", "", ""]
    assert table.rows[1][2].mark == "assumed"
    assert first == ["Eased", "65.6%", "no count fits 67", "none computed", "42/64", "none computed"]
    assert (second[2], second[4]) == ("21/67", "20/64")
    ours, other = compare(21, 67, 12, 42), compare(20, 64, 12, 42)
    assert second[3].startswith(f"{ours.estimate:.2f} (")
    assert second[5].startswith(f"{other.estimate:.2f} (")
    assert table.groups[0][1].endswith("67 printed, 32 and 64 would fit")
    assert "not an answer" in table.note


def test_a_doubt_is_told_of_the_rows_it_touches_and_of_no_other(world):
    rows = [row["row_id"] for row in world.rows["counts"]]
    told = doubt_words(world, {rows[2]})
    assert "67, is doubtful" in told
    assert "all fit 32 or 64 if rounded; 44 of 67 gives 65.6% if digits were cut off." in told
    assert doubt_words(world, {rows[3]}) == ""


@pytest.mark.slow
def test_a_cell_that_rests_on_a_doubtful_number_of_patients_is_marked_in_every_table():
    data = evidence.load(ROOT / "data")
    doubt = find_doubts(data.counts)[0]
    rows = set(data.counts["row_id"].iloc[list(doubt.places)])
    shown = 0
    answers = [evidence.answer(one, data, P) for one in data.questions["question_id"]]
    tables = [make.summary_table(answers, data, P), make.answers_table(answers, data, P)]
    tables += [make.findings_table(data, P, question_id=one.question_id) for one in answers]
    for table in (one for one in tables if one.doubts):
        for cell in (cell for row in table.rows for cell in row if rows & set(cell.rows)):
            assert table.doubted(cell)
            shown += 1
    assert shown > 3


def test_nothing_is_shown_where_nothing_is_in_doubt():
    sound = World().outcome("cured", "Cured").study("s", ("alpha", None, 3, 10), ("placebo", None, 1, 10))
    assert [[cell.text for cell in row] for row in doubtful_sizes_table(sound, P).rows] != []
    assert len(doubtful_sizes_table(sound, P).columns) == 1
