"""Signs of how values are known: said once where all share them, once in a row, and with numbered reasons."""

from dataclasses import replace

import pytest

from evidence.audit.implied_n import Implied
from evidence.display.markdown import NO_BREAK, table_markdown, unbroken
from evidence.display.model import COMMON, Cell, Column, Table
from evidence.display.tables.events import BANDS, EVERYTHING, ORDER, OTHERS
from evidence.display.tables.printed_tests import _every_printing, short_name


def table(*rows: tuple[Cell, ...]) -> Table:
    return Table(tuple(Column(name) for name in "ABC"[: len(rows[0])]), rows, "Caption")


def outside(text: str, *rows: str) -> Cell:
    return Cell(text, rows, "external")


def test_a_sign_that_all_values_share_is_said_once_and_stands_in_no_cell():
    made = table((Cell("x"), outside("1/2", "a-c001")), (Cell("y"), outside("3/4", "a-c002")))
    assert [row[1] for row in made.texts()] == ["1/2", "3/4"]
    assert made.full_note == COMMON["external"]


def test_a_sign_stays_where_one_value_does_not_share_it():
    made = table((Cell("x"), outside("1/2", "a-c001")), (Cell("y"), Cell("3/4", ("b-c001",))))
    assert [row[1] for row in made.texts()] == ["1/2§", "3/4"]
    assert made.full_note == "§ from outside the documents read in full."


def test_a_sign_is_not_said_of_all_where_a_value_of_two_rows_shares_it_with_one_of_them():
    why = ("Reason.",)
    risks = Cell("1/2", ("a-c001",), "assumed", why=why), Cell("3/4", ("a-c002",))
    made = table((*risks, Cell("20% more", ("a-c001", "a-c002"), "assumed", why=why)))
    assert made.texts() == (("1/2‡", "3/4", "20% more‡"),)
    assert made.full_note == "‡ Reason."
    second = replace(risks[0], rows=("a-c002",))
    both = table((risks[0], Cell("more")), (second, Cell("less")))
    assert [row[0] for row in both.texts()] == ["1/2", "1/2"]
    assert both.full_note == "All of it rests on something assumed, not printed: reason."


def test_a_row_from_outside_has_its_sign_once_at_its_head():
    row = (Cell("first"), outside("1/2", "a-c001"), outside("50%", "a-c001"))
    made = table(row, (Cell("second"), Cell("3/4", ("b-c001",)), Cell("75%", ("b-c001",))))
    assert made.texts()[0] == ("First§", "1/2", "50%")
    assert made.texts()[1] == ("Second", "3/4", "75%")


def test_a_single_row_keeps_its_signs():
    made = table((Cell("1/2", ("a-c001",), "derived"), Cell("3/4", ("a-c002",), "derived")))
    assert made.texts() == (("1/2†", "3/4†"),)
    assert "†" in made.full_note


def test_several_reasons_are_numbered_and_one_is_not():
    first, second = (Cell("1/2", (f"a-c00{i}",), "assumed", why=(f"Reason {i}.",)) for i in (1, 2))
    other = Cell("9", ("b-c001",))
    made = table((first, other), (second, other))
    assert [row[0] for row in made.texts()] == ["1/2‡¹", "1/2‡²"]
    assert made.full_note == "‡¹ Reason 1. ‡² Reason 2."
    alone = table((first, other), (first, other))
    assert [row[0] for row in alone.texts()] == ["1/2‡", "1/2‡"]
    assert alone.full_note == "‡ Reason 1."


@pytest.mark.parametrize("text", ["(0.81 to 1.95)", "(316 fewer to 374 more)", "(95% CI)", "(n = 12)"])
def test_an_interval_stays_in_one_line(text):
    assert " " not in unbroken(text)
    assert unbroken(text).replace(NO_BREAK, " ") == text


@pytest.mark.parametrize("text", ["(3 trials, 652 patients)", "(in words alone)", f"({'1 ' * 20})"])
def test_what_is_no_interval_may_break(text):
    assert " " in unbroken(text)


def test_headings_of_columns_keep_their_brackets_whole():
    made = Table((Column("Ratio (95% CI)"),), ((Cell("1"),),), "Caption")
    assert f"(95%{NO_BREAK}CI)" in table_markdown(made)


def test_a_test_is_named_as_it_stands_before_its_statistic():
    assert short_name("Pearson chi-square test") == ("Pearson χ²", "")
    assert short_name("LSD after one-way ANOVA") == ("LSD t", "after one-way ANOVA")


def test_a_p_printed_twice_is_explained_twice_and_another_p_is_not():
    same = {"outcome_id": "days", "subgroup": "", "level": "", "time": 0, "p": "0.008"}
    tests = [
        {"row_id": "t1", "arms": "a|b", **same},
        {"row_id": "t2", "arms": "b|a", **same},
        {"row_id": "t3", "arms": "a|b", **same, "p": "0.8"},
    ]
    assert dict(_every_printing(tests, Implied({}, {"t1": 0.0081})).p) == {"t1": 0.0081, "t2": 0.0081}


@pytest.mark.parametrize(
    ("label", "band"),
    [
        ("Death", "Serious, severe or fatal"),
        ("Adverse event, grade ≥3", "Serious, severe or fatal"),
        ("Adverse event leading to discontinuation", "Treatment stopped or changed"),
    ],
)
def test_an_event_is_in_the_band_that_its_name_says(label, band):
    assert next(name for name, words in BANDS.items() if words.search(label)) == band


def test_serious_events_stand_before_single_ones_and_after_all_together():
    assert ORDER[0] == EVERYTHING
    assert ORDER[-1] == OTHERS
    assert not any(words.search("Cough, grade 1") for words in BANDS.values())
