"""The level of a subgroup that was not printed follows from the others, or is left out."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.data import Dataset
from evidence.data.complement import add_complements
from evidence.data.precedence import COUNT_FIGURES, COUNT_KEY, mark_counted

from .conftest import Folder

LEVELS = ("mild", "severe", "very_severe")


def sizes(folder: Folder, **of: int) -> None:
    for level, events in of.items():
        folder.count("severity", category=level, events=events, n=sum(of.values()), time=0, time_unit="month")


def result(folder: Folder, events: int, n: int | str, level: str = "", **values: str | int) -> str:
    part = {"subgroup": "severity", "level": level} if level else {}
    return folder.count(events=events, n=n, time=3, time_unit="month", **part, **values)


def complements(dataset: Dataset) -> pd.DataFrame:
    return dataset.counts[dataset.counts["derived_from"] != ""]


def test_the_missing_level_is_the_total_less_the_other(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    total, part = result(folder, 7, 32), result(folder, 5, 21, "severe")
    found = complements(folder.load()).iloc[0]
    assert found["row_id"] == f"{total}~very_severe"
    assert (found["events"], found["n"], found["basis"], found["counted"]) == (2, 11, "derived", True)
    assert (found["subgroup"], found["level"], found["time"]) == ("severity", "very_severe", 3)
    assert found["derived_from"].split("|") == [total, part, "counts-002"]
    assert (found["percent"], found["same_as"]) == ("", "")


def test_complements_follow_from_counts_recovered_from_percentages(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    folder.count(n=32, percent="21.9")
    folder.count(n=21, percent="23.8", subgroup="severity", level="severe")
    assert complements(folder.load())[["events", "n"]].values.tolist() == [[2, 11]]


def test_only_the_counted_printing_enters(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    total = result(folder, 7, 32)
    result(folder, 7, 32, locator="Abstract")
    result(folder, 5, 21, "severe")
    found = complements(folder.load())
    assert len(found) == 1
    assert total in found.iloc[0]["derived_from"]


def test_types_survive_the_appended_rows(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    before = folder.load().counts.dtypes
    result(folder, 7, 32)
    result(folder, 5, 21, "severe")
    assert folder.load().counts.dtypes.equals(before)


@pytest.mark.parametrize(
    ("total", "part", "size"),
    [
        ((4, 32), (5, 21), {"severe": 21, "very_severe": 11}),
        ((20, 32), (5, 21), {"severe": 21, "very_severe": 11}),
    ],
)
def test_an_impossible_complement_is_left_out_with_a_warning(
    folder: Folder, total: tuple[int, int], part: tuple[int, int], size: dict[str, int]
):
    sizes(folder, **size)
    result(folder, *total)
    result(folder, *part, "severe")
    dataset = folder.load()
    assert complements(dataset).empty
    (warning,) = dataset.warnings
    assert (warning.file, warning.line, warning.value) == ("data/counts.csv", 4, str(total[0]))


@pytest.mark.parametrize("lost", ["total", "part"])
def test_nothing_is_derived_where_patients_were_lost(folder: Folder, lost: str):
    sizes(folder, severe=21, very_severe=11)
    result(folder, 7, 30 if lost == "total" else 32)
    result(folder, 5, 20 if lost == "part" else 21, "severe")
    assert complements(folder.load()).empty


def test_nothing_is_derived_where_two_levels_are_missing(folder: Folder):
    sizes(folder, mild=4, severe=17, very_severe=11)
    result(folder, 7, 32)
    result(folder, 5, 17, "severe")
    assert complements(folder.load()).empty


def test_nothing_is_derived_where_all_levels_are_printed(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    result(folder, 7, 32)
    result(folder, 5, 21, "severe")
    result(folder, 2, 11, "very_severe")
    assert complements(folder.load()).empty


def test_nothing_is_derived_where_the_sizes_are_disputed(folder: Folder):
    sizes(folder, severe=21, very_severe=11)
    folder.count("severity", category="severe", events=20, n=32, analysis_set="safety")
    result(folder, 7, 32)
    result(folder, 5, 21, "severe")
    assert complements(folder.load()).empty


def test_two_subgroups_with_a_level_of_one_name_get_names_of_their_own(folder: Folder):
    folder.add("outcomes", outcome_id="bleeding", domain="baseline", type="categorical")
    sizes(folder, severe=21, other=11)
    for level, events in {"severe": 12, "other": 20}.items():
        folder.count("bleeding", category=level, events=events, n=32, time=0, time_unit="month")
    total = result(folder, 7, 32)
    result(folder, 5, 21, "severe")
    folder.count(
        events=3, n=12, time=3, time_unit="month", subgroup="bleeding", level="severe", row_id="part-two"
    )
    found = complements(folder.load())["row_id"].tolist()
    assert found == [f"{total}~severity~other", f"{total}~bleeding~other"]


ROW = {
    "study_id": "s",
    "arm_id": "a",
    "analysis_set": "treated",
    "time": 3.0,
    "time_unit": "month",
    "time_label": "",
    "tier": "primary",
    "basis": "printed",
    "n_basis": "printed",
}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=3
    ),
    st.data(),
)
def test_the_complement_of_true_counts_is_the_true_count(parts: list[tuple[int, int]], data: st.DataObject):
    truth = dict(zip(LEVELS, parts, strict=False))
    gone = data.draw(st.sampled_from(sorted(truth)))
    whole = (sum(events for events, _ in parts), sum(n for _, n in parts))
    shown = {"": whole} | {level: part for level, part in truth.items() if level != gone}
    rows = [
        ROW | {"outcome_id": "response", "category": "", "level": level, "events": events, "n": n}
        for level, (events, n) in shown.items()
    ] + [
        ROW | {"outcome_id": "severity", "category": level, "level": "", "events": n, "n": whole[1]}
        for level, (_, n) in truth.items()
    ]
    frame = pd.DataFrame(rows).astype({"events": "Int64", "n": "Int64"})
    frame["subgroup"] = ["severity" if level else "" for level in frame["level"]]
    frame["row_id"] = [f"r{place}" for place in range(len(frame))]
    outcomes = pd.DataFrame({"outcome_id": ["response", "severity"], "domain": ["efficacy", "baseline"]})
    marked = mark_counted(frame, COUNT_KEY, COUNT_FIGURES)
    found, warnings = add_complements(marked, outcomes, file="f", lines=tuple(range(len(frame))))
    assert warnings == ()
    assert found.iloc[len(frame) :][["level", "events", "n"]].values.tolist() == [[gone, *truth[gone]]]
