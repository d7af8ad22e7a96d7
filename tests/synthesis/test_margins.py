"""The loss that an interval leaves room for, and what a margin makes of it."""

import copy

import pytest

import evidence as ev
from evidence.display import noninferiority_table
from evidence.parameters import Parameters
from evidence.stats import compare
from evidence.synthesis.margins import margins

from ..conftest import TABLES
from .invented import dataset


def claim(kind, outcome, number=1):
    said = {
        "kind": kind,
        "outcome_id": outcome,
        "arms": "drug|placebo",
        "paraphrase": "They do equally well.",
    }
    return said | {"study_id": "trial_a", "row_id": f"doc-l{number:03d}"}


def tables(**more):
    made = copy.deepcopy(TABLES)
    made["outcomes"].append(
        {"outcome_id": "fever", "label": "Fever", "domain": "safety", "type": "binary", "better": "lower"}
    )
    made["outcomes"].append(
        {"outcome_id": "sex", "label": "Sex", "domain": "baseline", "type": "binary", "better": "none"}
    )
    for outcome, one, none in (("fever", "5", "4"), ("sex", "20", "20")):
        for row, events in zip(copy.deepcopy(TABLES["counts"]), (one, none), strict=True):
            made["counts"].append(row | {"outcome_id": outcome, "events": events, "percent": ""})
    made["claims"] = [claim("non_inferior", "cured", 1), claim("superior", "fever", 2)]
    return made | more


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("margins"), tables())


def held(data, **parameters):
    p = Parameters(**parameters)
    frame = margins(data, p, study_id="trial_a", outcome_ids=["cured", "fever", "sex"])
    return {row["outcome_id"]: row for row in frame.to_dict("records")}


def test_the_loss_is_the_end_of_the_interval_on_which_more_patients_fare_worse(data):
    found = held(data)
    cured, fever = compare(30, 50, 20, 50, measure="RD"), compare(5, 50, 4, 50, measure="RD")
    assert found["cured"]["loss"] == pytest.approx(-100 * cured.low)
    assert found["fever"]["loss"] == pytest.approx(100 * fever.high)
    assert set(found) == {"cured", "fever"}, "of a characteristic neither more nor less is better"


def test_without_a_margin_nothing_is_shown_and_with_one_the_loss_decides(data):
    assert held(data)["fever"]["not_inferior"] is None
    loss = held(data)["fever"]["loss"]
    assert held(data, noninferiority_margin=loss + 0.01)["fever"]["not_inferior"]
    assert not held(data, noninferiority_margin=loss - 0.01)["fever"]["not_inferior"]


def test_the_loss_follows_level_and_method_of_the_interval(data):
    wide = held(data, confidence_level=0.99, difference_method="miettinen-nurminen")["fever"]
    made = compare(5, 50, 4, 50, measure="RD", level=0.99, method="miettinen-nurminen")
    assert wide["loss"] == pytest.approx(100 * made.high)


def test_claims_that_arms_do_equally_well_are_named(data):
    found = held(data)
    assert (found["cured"]["claimed"], found["fever"]["claimed"]) == ("non_inferior", "")


def test_a_printed_margin_holds_until_another_is_chosen(tmp_path):
    printed = {"study_id": "trial_a", "section": "statistics", "item": "non-inferiority margin",
               "value": "-20", "unit": "percentage points"}  # fmt: skip
    data = dataset(tmp_path, tables(protocols=[printed]))
    assert held(data)["cured"]["margin"] == 20
    assert held(data, noninferiority_margin=5)["cured"]["margin"] == 5
    table = noninferiority_table(data, Parameters(), study_id="trial_a", outcome_ids=["cured"])
    assert "20 percentage points, as printed, 1 of 1" in table.caption


def test_the_table_says_what_a_chosen_margin_shows(data):
    def table(margin):
        p = Parameters(noninferiority_margin=margin)
        return noninferiority_table(data, p, study_id="trial_a", outcome_ids=["cured", "fever"])

    assert "None is printed" in table(0.0).caption
    assert len(table(0.0).columns) == 4
    strict, lax = table(5.0), table(40.0)
    assert [row[-1].text for row in strict.rows] == ["Not inferior", "Not shown"]
    assert [row[-1].text for row in lax.rows] == ["Not inferior", "Not inferior"]
    assert "5 percentage points, chosen for this report, 1 of 2" in strict.caption


@pytest.mark.parametrize(
    ("margin", "verdict", "words"),
    [
        (0.0, "inconsistent", "without a margin."),
        (
            5.0,
            "inconsistent",
            "At a margin of 5 percentage points, chosen for this report, not inferior is not",
        ),
        (40.0, "not_checkable", "is borne out: the interval reaches a loss of"),
    ],
)
def test_the_audit_holds_claims_of_non_inferiority_against_the_chosen_margin(
    tmp_path, margin, verdict, words
):
    made = tables(claims=[claim("non_inferior", "fever")])
    found = ev.audit(dataset(tmp_path, made), margin=margin)
    (row,) = found[found["check"] == "non_inferiority_has_a_margin"].to_dict("records")
    assert row["verdict"] == verdict
    assert words in row["why"]


@pytest.mark.parametrize(
    ("value", "unit", "verdict"),
    [("30", "%", "consistent"), ("5", "%", "inconsistent"), ("3", "mmHg", "not_checkable")],
)
def test_the_audit_holds_them_against_a_printed_margin(tmp_path, value, unit, verdict):
    printed = {"study_id": "trial_a", "section": "statistics", "item": "margin", "value": value, "unit": unit}
    found = ev.audit(dataset(tmp_path, tables(protocols=[printed], claims=[claim("non_inferior", "fever")])))
    assert found.loc[found["check"] == "non_inferiority_has_a_margin", "verdict"].tolist() == [verdict]
