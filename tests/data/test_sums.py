"""The sum of printed categories is made where all of them were counted alike, and nowhere else."""

from __future__ import annotations

import pytest

import evidence

from .conftest import Folder

GRADES = {"2": 8, "3": 3, "4": 0}


@pytest.fixture
def graded(folder: Folder) -> Folder:
    folder.add("outcomes", outcome_id="grade", label="Grade", type="ordinal")
    folder.add("outcomes", outcome_id="grave", label="Grade 2 or more", sum_of="grade:2|3|4")
    return folder


def test_a_sum_out_of_an_inferred_number_of_patients_says_so_too(graded: Folder) -> None:
    why = "107 + 60 = 167; the header says 168"
    counted(graded, **{f"of_{grade}": {"note": why} for grade in GRADES})
    (made,) = evidence.load(graded.write()).select("counts", outcome_id="grave")["note"]
    assert made == why


def test_a_sum_is_out_of_an_inferred_number_if_one_of_its_parts_is(graded: Folder) -> None:
    last = {"n_basis": "", "note": "107 + 60 = 167"}
    counted(graded, of_2={"n_basis": "header"}, of_3={"n_basis": "header"}, of_4=last)
    made = evidence.load(graded.write()).select("counts", outcome_id="grave").iloc[0]
    assert (made["n_basis"], made["note"]) == ("", "107 + 60 = 167")


def test_a_remark_on_a_printed_number_is_no_remark_on_the_sum(graded: Folder) -> None:
    counted(graded, **{f"of_{grade}": {"note": "read twice", "n_basis": "header"} for grade in GRADES})
    (made,) = evidence.load(graded.write()).select("counts", outcome_id="grave")["note"]
    assert made == ""


def counted(folder: Folder, **changes: dict[str, str | int]) -> list[str]:
    return [
        folder.count(
            "grade", **{"category": grade, "events": events, "n": 167, "time": 8, "time_unit": "week"}
            | changes.get(f"of_{grade}", {})
        )
        for grade, events in GRADES.items()
    ]  # fmt: skip


def sums(folder: Folder, **how: bool) -> list[tuple[object, ...]]:
    counts = evidence.load(folder.write(), **how).counts
    found = counts[counts["outcome_id"].eq("grave") & counts["basis"].eq("derived")]
    return list(found[["events", "n", "category", "derived_from"]].itertuples(index=False, name=None))


def test_a_sum_has_the_events_of_its_categories_out_of_the_same_patients(graded: Folder):
    ids = counted(graded)
    counted_twice = graded.count("grade", category="1", events=96, n=167, time=8, time_unit="week")
    assert sums(graded) == [(11, 167, "", "|".join(ids))]
    assert counted_twice not in sums(graded)[0][3]
    assert sums(graded, include_derived=False) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"of_4": {"n": 168}},
        {"of_4": {"time": 10}},
        {"of_4": {"category": "5"}},
        {"of_4": {"events": ""}},
    ],
)
def test_no_sum_is_made_of_categories_that_were_not_counted_alike(graded: Folder, changes):
    counted(graded, **changes)
    assert sums(graded) == []


def test_no_sum_is_made_where_the_outcome_itself_was_printed(graded: Folder):
    counted(graded)
    graded.count("grave", events=12, n=167, time=8, time_unit="week")
    assert sums(graded) == []
