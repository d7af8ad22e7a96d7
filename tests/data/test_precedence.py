"""Of several printings of one result exactly one counts, the best."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.data.precedence import COUNT_FIGURES, COUNT_KEY, mark_counted

from .conftest import Folder

TIERS = ["primary", "secondary", "registry", "vendor"]


def counted(folder: Folder, table: str = "counts") -> list[str]:
    frame = folder.load().select(table, counted=True)
    return frame["row_id"].tolist()


def test_the_document_nearest_to_the_patients_counts(folder: Folder):
    rows = {}
    for tier in reversed(TIERS):
        folder.add("sources", source_id=tier, citekey=tier, tier=tier)
        rows[tier] = folder.count(events=7, n=32, source_id=tier)
    frame = folder.load().counts
    assert frame.loc[frame["counted"], "row_id"].tolist() == [rows["primary"]]
    assert frame.loc[~frame["counted"], "same_as"].unique().tolist() == [rows["primary"]]
    assert frame.loc[frame["counted"], "same_as"].tolist() == [""]


def test_a_printed_count_goes_before_one_derived_from_its_percentage(folder: Folder):
    folder.count(n=32, percent="21.9", locator="Abstract")
    printed = folder.count(events=7, n=32, percent="21.9")
    assert counted(folder) == [printed]


def test_a_derived_count_goes_before_an_assumed_one(folder: Folder):
    folder.count(events=8, n=32, basis="assumed")
    derived = folder.count(events=7, n=32, basis="derived")
    assert counted(folder) == [derived]


def test_a_row_with_a_count_goes_before_a_percentage_alone(folder: Folder):
    folder.count(percent="21.9", locator="Abstract")
    complete = folder.count(n=32, percent="21.9")
    assert counted(folder) == [complete]


def test_of_equal_printings_the_first_counts(folder: Folder):
    first = folder.count(events=7, n=32)
    folder.count(events=7, n=32)
    assert counted(folder) == [first]


@pytest.mark.parametrize(
    "other",
    [
        {"arm_id": "old"},
        {"outcome_id": "severity"},
        {"category": "severe"},
        {"subgroup": "severity", "level": "severe"},
        {"analysis_set": "safety"},
        {"time": 6},
        {"time_unit": "week"},
        {"time": "", "time_label": "last follow-up"},
    ],
)
def test_rows_that_differ_in_the_key_are_different_results(folder: Folder, other: dict[str, Any]):
    folder.count(events=7, time=3, time_unit="month")
    folder.count(**({"events": 7, "time": 3, "time_unit": "month"} | other))
    assert folder.load().counts["counted"].tolist() == [True, True]


def test_the_words_for_a_time_do_not_matter_where_its_number_is_given(folder: Folder):
    folder.count(events=7, time=3, time_unit="month", time_label="3 months")
    folder.count(events=7, time=3, time_unit="month", time_label="month 3")
    assert folder.load().counts["counted"].tolist() == [True, False]


def test_measurements_of_one_statistic_count_once(folder: Folder):
    folder.add("measurements", low="13", high="69", interval_label="range")
    full = folder.add("measurements", value="44", low="13", high="69", interval_label="range")
    mean = folder.add("measurements", value="45", statistic="mean")
    assert counted(folder, "measurements") == [full, mean]


def test_a_change_is_another_measurement_than_the_value(folder: Folder):
    folder.add("measurements", value="44", time=3, time_unit="month")
    folder.add("measurements", value="4", time=3, from_time=0, time_unit="month")
    assert folder.load().measurements["counted"].tolist() == [True, True]


def test_the_fuller_printing_of_a_test_counts(folder: Folder):
    folder.add("tests", p="0.005")
    full = folder.add("tests", p="0.005", statistic="7.9", df="1")
    other = folder.add("tests", p="0.1", arms="old|new")
    adjusted = folder.add("tests", p="0.004", effect="3.1", adjusted="age")
    assert counted(folder, "tests") == [full, other, adjusted]


def test_an_exact_p_value_goes_before_a_limit(folder: Folder):
    folder.add("tests", p="<0.05", locator="Abstract")
    exact = folder.add("tests", p="0.009")
    assert counted(folder, "tests") == [exact]


def test_results_carry_the_origin_of_the_study_and_the_tier_of_the_source(folder: Folder):
    folder.add("sources", source_id="leaflet", citekey="leaflet", tier="vendor")
    folder.add("studies", study_id="beta", label="Beta", origin="external")
    folder.add("arms", study_id="beta", arm_id="new")
    folder.count(events=7, study_id="beta", source_id="leaflet")
    assert folder.load().counts.loc[0, ["origin", "tier"]].tolist() == ["external", "vendor"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(TIERS),
            st.sampled_from(["printed", "derived", "assumed"]),
            st.booleans(),
        )
    )
)
def test_each_result_counts_exactly_once_and_no_printing_beats_the_one_that_does(
    rows: list[tuple[str, str, str, bool]],
):
    frame = pd.DataFrame(rows, columns=["study_id", "tier", "basis", "known"])
    frame["row_id"] = [f"r{place}" for place in range(len(rows))]
    frame["events"] = pd.array([7 if known else pd.NA for known in frame["known"]], dtype="Int64")
    frame = frame.assign(n=frame["events"], time=float("nan"), time_unit="", time_label="")
    frame = frame.assign(**dict.fromkeys(set(COUNT_KEY) - {"study_id"}, ""))
    marked = mark_counted(frame, COUNT_KEY, COUNT_FIGURES)
    assert (marked.groupby("study_id")["counted"].sum() == 1).all()
    winners = marked[marked["counted"]].set_index("study_id")["row_id"]
    losers = marked[~marked["counted"]]
    assert (losers["same_as"] == losers["study_id"].map(winners)).all()
    for row in losers.itertuples():
        best = marked[marked["row_id"] == row.same_as].iloc[0]
        assert TIERS.index(best["tier"]) <= TIERS.index(row.tier)
