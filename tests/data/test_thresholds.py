"""Which responses a threshold leaves, as the definitions of the data say."""

import copy
from pathlib import Path

import pytest

from evidence.data import dataset
from evidence.data.thresholds import Level, response_levels
from evidence.errors import ParameterError
from evidence.parameters import Parameters

from ..conftest import TABLES, write_tables

BINARY = {"domain": "efficacy", "type": "binary", "better": "higher"}
LEVEL = {"group": "a", "join": "all", "criterion": "cells", "operator": ">=", "unit": "g"}


def rule(outcome: str, threshold: str, study: str = "trial_a", **changes: str) -> dict[str, str]:
    return LEVEL | {"outcome_id": outcome, "study_id": study, "threshold": threshold} | changes


RULES = [
    rule("over_30", "30"),
    rule("over_30", "2", operator="ratio>=", unit="times baseline"),
    rule("over_50", "50"),
    rule("over_50", "", operator="absent", criterion="rescue", unit=""),
    rule("either", "100", join="any"),
    rule("either", "20", join="any", operator="increase>="),
    rule("both", "100"),
    rule("both", "9", criterion="iron"),
    rule("visits", "75", criterion="share_of_visits"),
]
OUTCOMES = ("over_30", "over_50", "either", "both", "visits", "undefined")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    tables = copy.deepcopy(TABLES)
    tables["outcomes"] += [BINARY | {"outcome_id": one, "label": one} for one in OUTCOMES]
    tables["studies"].append(tables["studies"][0] | {"study_id": "trial_b"})
    tables["studies"].append(tables["studies"][0] | {"study_id": "elsewhere", "indication": "ITP"})
    for study in ("trial_b", "elsewhere"):
        tables["arms"] += [arm | {"study_id": study} for arm in TABLES["arms"]]
    first = tables["counts"][0]
    tables["counts"] += [first | {"outcome_id": one} for one in OUTCOMES]
    tables["counts"] += [
        first | {"outcome_id": "over_50", "study_id": one} for one in ("trial_b", "elsewhere")
    ]
    tables["tests"] = [
        {
            "study_id": "trial_a",
            "outcome_id": one,
            "arms": "drug|placebo",
            "p": "0.05",
            "analysis_set": "randomised",
        }
        for one in OUTCOMES
    ]
    tables["definitions"] = RULES
    write_tables(tmp_path, tables)
    return str(tmp_path)


def outcomes(folder: str, threshold: str, table: str = "counts") -> set[tuple[str, str]]:
    frame = getattr(dataset(Parameters(data_dir=folder, outcome_threshold=threshold)), table)
    return set(zip(frame["study_id"], frame["outcome_id"], strict=True))


def test_a_response_of_one_quantity_has_a_level_and_others_have_none(folder):
    found = response_levels(dataset(Parameters(data_dir=folder)))
    assert found == {
        ("trial_a", "over_30"): Level("cells", 30.0),
        ("trial_a", "over_50"): Level("cells", 50.0),
        ("trial_b", "over_50"): Level("cells", 50.0),
        ("trial_a", "visits"): Level("share_of_visits", 75.0),
    }


def test_a_threshold_leaves_out_responses_at_others_and_nothing_else(folder):
    everything = outcomes(folder, "")
    assert everything - outcomes(folder, "50") == {("trial_a", "over_30")}
    assert everything - outcomes(folder, "30") == {("trial_a", "over_50"), ("trial_b", "over_50")}
    assert everything - outcomes(folder, "75") == set()


def test_tests_go_with_the_counts_of_their_response(folder):
    assert outcomes(folder, "", "tests") - outcomes(folder, "50", "tests") == {("trial_a", "over_30")}


def test_definitions_of_two_minds_are_no_definition(tmp_path, folder):
    tables = copy.deepcopy(TABLES)
    tables["outcomes"].append(BINARY | {"outcome_id": "over", "label": "Over"})
    tables["counts"].append(tables["counts"][0] | {"outcome_id": "over"})
    tables["definitions"] = [rule("over", "30"), rule("over", "50", locator="Methods")]
    write_tables(tmp_path / "two", tables)
    assert response_levels(dataset(Parameters(data_dir=str(tmp_path / "two")))) == {}


def test_a_threshold_of_no_response_is_refused_with_those_there_are(folder):
    with pytest.raises(ParameterError, match=r"outcome_threshold '40': .* give one of 30, 50, 75"):
        outcomes(folder, "40")
