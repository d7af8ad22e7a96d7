import pytest

from evidence.display import doubtful_sizes_table
from evidence.display.tables.doubts import doubt_words
from evidence.parameters import Parameters
from evidence.stats import compare

from ..synthesis.invented_network import World

P = Parameters()


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
    first, second = ([cell.text for cell in row] for row in table.rows)
    assert first == ["Eased", "65.6%", "no count fits 67", "none computed", "42/64", "none computed"]
    assert (second[2], second[4]) == ("21/67", "20/64")
    ours, other = compare(21, 67, 12, 42), compare(20, 64, 12, 42)
    assert second[3].startswith(f"{ours.estimate:.2f} (")
    assert second[5].startswith(f"{other.estimate:.2f} (")
    assert table.groups[0][1].endswith("67 printed, 32 and 64 would fit")
    assert "not an answer" in table.note


def test_a_doubt_is_told_of_the_rows_it_touches_and_of_no_other(world):
    rows = [row["row_id"] for row in world.rows["counts"]]
    assert "67, is doubtful" in doubt_words(world, {rows[2]})
    assert doubt_words(world, {rows[3]}) == ""


def test_nothing_is_shown_where_nothing_is_in_doubt():
    sound = World().outcome("cured", "Cured").study("s", ("alpha", None, 3, 10), ("placebo", None, 1, 10))
    assert [[cell.text for cell in row] for row in doubtful_sizes_table(sound, P).rows] != []
    assert len(doubtful_sizes_table(sound, P).columns) == 1
