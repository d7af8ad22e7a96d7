"""Two studies of one name are told apart."""

from pathlib import Path

import pandas as pd

import evidence
from evidence.data.distinct import with_distinct_labels

ROOT = Path(__file__).parents[2]


def frame(**columns):
    return pd.DataFrame(columns)


def test_studies_of_one_name_get_what_differs_between_them():
    made = with_distinct_labels(
        frame(
            study_id=["a", "b", "c"],
            label=["Pilot", "pilot ", "Other"],
            registry_id=["R1", "", "R3"],
            n=[10, 20, 5],
        )
    )
    assert list(made["label"]) == ["Pilot (n 10)", "pilot  (n 20)", "Other"], "one registry number is missing"


def test_the_id_tells_apart_what_nothing_else_does():
    made = with_distinct_labels(frame(study_id=["a", "b"], label=["Pilot"] * 2, n=[10, 10]))
    assert list(made["label"]) == ["Pilot (a)", "Pilot (b)"]


def test_names_that_differ_stay_as_they_are():
    given = frame(study_id=["a", "b", "c"], label=["One", "", ""])
    assert list(with_distinct_labels(given)["label"]) == ["One", "", ""]


def test_no_two_studies_of_the_report_share_a_name():
    labels = evidence.load(ROOT / "data").studies["label"].str.casefold()
    assert labels.is_unique
