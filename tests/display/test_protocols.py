import re
from dataclasses import dataclass, replace

import pandas as pd
import pytest

from evidence.data.joint import fill_jointly
from evidence.display import (
    claims_table,
    definitions_side_by_side_table,
    design_facts_table,
    identifiers_table,
    illustrative_protocols_table,
    ledger_table,
    protocols_side_by_side_table,
    registered_table,
    representation,
    statements_table,
    thresholds_figure,
    thresholds_table,
    unknown_sizes_table,
)
from evidence.display.documents import quantity
from evidence.display.tables.definitions import rule_words
from evidence.results import rates

from .conftest import Invented

BUILDERS = [
    definitions_side_by_side_table,
    design_facts_table,
    identifiers_table,
    illustrative_protocols_table,
    ledger_table,
    protocols_side_by_side_table,
    registered_table,
    statements_table,
    thresholds_figure,
    thresholds_table,
    unknown_sizes_table,
]
OPEN = {"study_id": "planned", "label": "Planned trial", "registry_id": "NCT00000071", "status": "recruiting"}


@dataclass(frozen=True)
class Loaded(Invented):
    """The invented studies with a table beyond the fixed ones."""

    extra: dict[str, pd.DataFrame]


def texts(table):
    return [[cell.shown for cell in row] for row in table.rows]


def headings(table):
    return [text for _, text in table.groups]


def row_of(table, first):
    return next(row for row in texts(table) if row[0] == first)


NUMBERS = ("n", "events", "threshold", "time", "dose_value", "from_time", "interval_level")


def frame_like(frame, rows):
    """Return rows as a table of the same columns and types, empty where nothing is said."""
    filled = [dict.fromkeys(frame, "") | row for row in rows]
    made = pd.DataFrame(filled, columns=[*frame, *(set().union(*rows) - set(frame))])
    numbers = [name for name in NUMBERS if name in frame]
    return made.replace({name: {"": None} for name in numbers}).astype(
        {name: frame[name].dtype for name in numbers}
    )


def with_rows(data, table, *rows):
    frame = getattr(data, table)
    made = frame_like(frame, rows).assign(row_id=[f"new-{place}" for place in range(len(rows))])
    made = made.assign(locator="Table 9", source_id=[row.get("source_id", "register") for row in rows])
    return replace(data, **{table: pd.concat([frame, made], ignore_index=True)})


def protocol(study, section, item, value="", unit=""):
    return {"study_id": study, "section": section, "item": item, "value": value, "unit": unit}


@pytest.fixture
def planned(data):
    """Two open trials of one indication with protocols, and the finished studies."""
    second = OPEN | {"study_id": "second", "label": "Second trial", "registry_id": "NCT00000072"}
    return with_rows(
        with_rows(data, "studies", OPEN | {"indication": "XY"}, second | {"indication": "XY"}),
        "protocols",
        protocol("planned", "design", "phase", "3"),
        protocol("planned", "design", "planned enrolment", "60", "patient"),
        protocol("planned", "design", "status", "recruiting"),
        protocol("planned", "design", "date of the status", "2025-07-17", "date"),
        protocol("planned", "eligibility", "inclusion: minimum age", "15", "year"),
        protocol("planned", "eligibility", "inclusion: disease", "untreated"),
        protocol("planned", "eligibility (illustrative)", "inclusion: sex", "any"),
        protocol("second", "design", "phase", "2"),
        protocol("second", "design", "sponsor", "a company"),
    )


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_nothing_in_the_data_is_said_not_raised(builder, data, empty, parameters):
    for tables in (data, empty):
        assert representation(builder(tables, parameters))[0]["text/plain"]


def test_an_open_trial_appears_with_number_state_and_planned_size(planned, parameters):
    table = registered_table(planned, parameters)
    row = row_of(table, "Planned trial")
    assert row[1] == "NCT00000071"
    assert row[-2:] == ["60 planned", "Registry: recruiting, 17 July 2025."]
    assert "Under way" in headings(table)


def test_a_finished_trial_without_rates_is_shown_as_missing_evidence(data, parameters):
    done = OPEN | {"status": "completed", "design": "randomised_trial"}
    claim = {"study_id": "planned", "kind": "superior", "paraphrase": "Significantly better; no rates."}
    tables = with_rows(with_rows(data, "studies", done), "claims", claim)
    table = registered_table(tables, parameters)
    assert headings(table)[0] == "Finished, no rates in the documents"
    assert row_of(table, "Planned trial")[-1].endswith("Significantly better; no rates.")


def test_a_published_report_does_not_say_that_a_trial_has_finished(data, parameters):
    told = OPEN | {"status": "published", "design": "randomised_trial"}
    table = registered_table(with_rows(data, "studies", told), parameters)
    assert headings(table)[-1] == "State not known"
    assert "Finished, no rates in the documents" not in headings(table)


def test_a_caption_that_names_no_outcome_is_no_statement_of_a_result(data, parameters):
    claim = {"study_id": "planned", "kind": "other", "paraphrase": "Shows a workflow.", "outcome_id": ""}
    tables = with_rows(with_rows(data, "studies", OPEN), "claims", claim)
    assert "workflow" in row_of(registered_table(tables, parameters), "Planned trial")[-1]
    captions = tables.claims.assign(locator="Fig. 1, caption")
    shown = registered_table(replace(tables, claims=captions), parameters)
    assert "workflow" not in row_of(shown, "Planned trial")[-1]


@pytest.mark.parametrize("design", ["product_label", "pharmacokinetic", "meta_analysis"])
def test_what_is_no_trial_is_not_awaited(design, data, parameters):
    table = registered_table(with_rows(data, "studies", OPEN | {"design": design}), parameters)
    assert "Planned trial" not in [row[0] for row in texts(table)]


def test_a_study_with_results_is_not_awaited(planned, parameters):
    shown = {row[0] for row in texts(registered_table(planned, parameters))}
    assert not shown & set(planned.studies["label"][:3])


def test_shared_items_are_rows_and_the_rest_of_a_section_stands_together(planned, parameters):
    table = protocols_side_by_side_table(planned, parameters, indication="XY")
    assert [column.header for column in table.columns] == ["Item", "Planned trial", "Second trial"]
    assert row_of(table, "Phase") == ["Phase", "3", "2"]
    assert row_of(table, "Also stated")[2] == "sponsor: a company"
    assert row_of(table, "Inclusion")[1] == "minimum age: 15 years; disease: untreated"


def test_every_element_of_a_shown_protocol_is_in_a_cell(planned, parameters):
    table = protocols_side_by_side_table(planned, parameters, indication="XY")
    shown = {row_id for row in table.rows for cell in row for row_id in cell.rows}
    assert shown == {one for one in planned.protocols["row_id"] if one.startswith("new-")}


def test_more_than_three_protocols_stand_below_each_other(planned, parameters):
    more = [OPEN | {"study_id": f"t{one}", "label": f"Trial {one}", "indication": "XY"} for one in range(3)]
    tables = with_rows(planned, "studies", *more)
    tables = with_rows(
        tables, "protocols", *(protocol(f"t{one}", "design", "phase", "1") for one in range(3))
    )
    table = protocols_side_by_side_table(tables, parameters, indication="XY")
    assert [column.header for column in table.columns] == ["Trial", "As stated"]
    assert "Design: phase" in headings(table)


def test_illustrative_protocols_are_named_so_and_nothing_else_is(planned, parameters):
    table = illustrative_protocols_table(planned, parameters)
    assert texts(table) == [["Inclusion: sex", "any", "Table 9"]]
    assert headings(table) == ["Printed beside Planned trial: eligibility"]


def test_a_sentence_on_two_registry_numbers_stands_under_both(planned, parameters):
    claim = {
        "kind": "identity",
        "unit": "registry number",
        "value": "NCT00000071",
        "paraphrase": "NCT00000071 extends NCT00000079",
    }
    table = identifiers_table(with_rows(planned, "claims", claim), parameters)
    assert headings(table) == ["NCT00000071: Planned trial", "NCT00000079: no study of this report"]
    assert len(table.rows) == 2


def test_statements_carry_no_figure_of_their_own(data, parameters):
    said = {"kind": "identity", "paraphrase": "It is a drug", "study_id": ""}
    counted = said | {"value": "15", "paraphrase": "Patient 15 relapsed"}
    table = statements_table(with_rows(data, "claims", said, counted), parameters, about="no study")
    assert [row[0] for row in texts(table)] == ["It is a drug."]


def test_facts_come_from_the_designs_and_sections_asked_for(data, parameters):
    label = OPEN | {"study_id": "label", "label": "A label", "design": "product_label"}
    tables = with_rows(
        with_rows(data, "studies", label),
        "protocols",
        protocol("label", "dose", "start", "2.5", "mg"),
        protocol("", "preclinical", "cells", "some"),
    )
    facts = design_facts_table(tables, parameters, designs=["product_label"])
    assert texts(facts) == [["Start", "2.5 mg", "Table 9"]]
    assert [row[1] for row in texts(design_facts_table(tables, parameters, sections=["preclinical"]))] == [
        "some"
    ]


COUNT = {"criterion": "cell_count", "unit": "10^9/L"}


def test_criteria_are_joined_as_the_document_joins_them():
    any_of = [
        COUNT | {"join": "any", "operator": ">=", "threshold": 100.0},
        COUNT | {"join": "any", "operator": "increase>=", "threshold": 50.0},
        COUNT | {"join": "any", "operator": "ratio>=", "threshold": 2.0, "unit": "times baseline"},
    ]
    assert rule_words(any_of) == (
        "any of: cell count ≥100 × 10⁹/L; rise of at least 50 × 10⁹/L; at least 2 times baseline"
    )
    rescue = {"criterion": "rescue_therapy", "operator": "absent", "threshold": None, "unit": ""}
    all_of = [COUNT | {"join": "all", "operator": ">", "threshold": 100000.0, "unit": "/mm^3"}, rescue]
    assert rule_words(all_of) == "all of: cell count >100,000/mm³; no rescue therapy"
    assert rule_words(all_of[:1]) == "cell count >100,000/mm³"


def test_a_response_reported_without_criteria_is_named(data, parameters):
    table = definitions_side_by_side_table(data, parameters)
    assert any(row[1] == "criteria not printed" for row in texts(table))


def test_criteria_of_an_illustrative_protocol_are_not_those_of_the_study_beside_it(data, parameters):
    rule = COUNT | {"outcome_id": "complete_response", "study_id": "pilot", "group": "a", "join": "all"}
    tables = with_rows(data, "definitions", rule | {"operator": ">=", "threshold": 100.0})
    tables.definitions.loc[tables.definitions["row_id"] == "new-0", "locator"] = "Protocol (Illustrative)"
    rows = [row for row in texts(definitions_side_by_side_table(tables, parameters)) if "100" in row[1]]
    owner = [row[0] for row in rows if row[2].endswith("Protocol (Illustrative)")]
    assert owner[0].startswith("Illustrative protocol printed beside ")


def thresholded(data):
    """Return the register with definitions of its two outcomes."""
    rule = COUNT | {"study_id": "register", "group": "a", "join": "all", "operator": ">="}
    rows = [rule | {"outcome_id": f"count_ge{at}", "threshold": float(at)} for at in (30, 100)]
    return with_rows(replace(data, definitions=data.definitions.iloc[0:0]), "definitions", *rows)


def test_thresholds_compare_the_same_patients_only(data, parameters):
    table = thresholds_table(thresholded(data), parameters)
    frame = rates(data, parameters, study_id="register", subgroup="")
    for _, group in table.data.groupby(["arm_id", "time", "n"]):
        assert len(group) > 1
        assert group["outcome_id"].is_unique
    assert set(table.data["row_id"]) <= set(frame["row_id"])


def test_the_patients_lost_between_two_thresholds_are_counted(data, parameters):
    table = thresholds_table(thresholded(data), parameters)
    first, second = texts(table)[:2]
    more, n = map(int, first[2].strip("†‡§").split("/"))
    fewer = int(second[2].strip("†‡§").split("/")[0])
    assert first[4] == ""
    assert second[4].startswith(f"{more - fewer} (")
    assert float(re.findall(r"\((.*) points", second[4])[0]) == pytest.approx(
        100 * (more - fewer) / n, abs=0.05
    )


def test_the_threshold_figure_draws_what_the_table_holds(data, parameters):
    tables = thresholded(data)
    figure, table = thresholds_figure(tables, parameters), thresholds_table(tables, parameters)
    assert set(figure.data["row_id"]) == set(table.data["row_id"])
    assert all(text in figure.alt for text in (row[3] for row in texts(table)))


def test_the_ledger_adds_up_by_document_and_by_reason(data, parameters):
    rows = [("a", "r1", ""), ("a", "", "heading"), ("b", "", "heading"), ("b", "r2|r3", ""), ("b", "r4", "")]
    ledger = pd.DataFrame(rows, columns=["source_id", "row_id", "reason"])
    fields = {name: getattr(data, name) for name in Invented.__dataclass_fields__}
    table = ledger_table(Loaded(**fields, extra={"ledger": ledger}), parameters)
    assert texts(table)[0] == ["Carried by a row of data", "1", "2", "3"]
    assert texts(table)[-1] == ["All", "2", "3", "5"]
    assert table.note == "No figures are unaccounted for."


def test_what_the_ledger_leaves_open_is_said(data, parameters):
    ledger = pd.DataFrame([("a", "", "")], columns=["source_id", "row_id", "reason"])
    fields = {name: getattr(data, name) for name in Invented.__dataclass_fields__}
    table = ledger_table(Loaded(**fields, extra={"ledger": ledger}), parameters)
    assert row_of(table, "Unaccounted for")[-1] == "1"
    assert table.note == "1 figures are unaccounted for."


def sized(data, total, *arms):
    """Return a study whose arms print one percentage each and no size."""
    study = OPEN | {"status": "published", "n": total}
    tables = with_rows(data, "studies", study)
    named = [{"study_id": "planned", "arm_id": f"a{at}", "label": f"Arm {at}"} for at in range(len(arms))]
    tables = with_rows(tables, "arms", *named)
    shares = [
        {
            "study_id": "planned",
            "arm_id": f"a{at}",
            "outcome_id": "response",
            "percent": percent,
            "counted": True,
        }
        for at, percents in enumerate(arms)
        for percent in percents
    ]
    return with_rows(tables, "counts", *shares)


def test_a_size_without_a_bound_is_never_unique(data, parameters):
    table = unknown_sizes_table(sized(data, None, ["59.5", "32.4", "21.6", "16.2", "13.5"]), parameters)
    row = row_of(table, "Planned trial")
    assert row[3:5] == ["37, 74, 111, 148, …", "–"]
    assert re.fullmatch(r"\d+ sizes possible: stays a percentage", row[5])


def test_the_total_of_a_study_settles_the_sizes_of_its_arms(data, parameters):
    made = sized(data, 80, ["68.8"], ["74.3"], ["7.7"])
    filled = replace(made, counts=fill_jointly(made.counts.assign(admissible=""), made.arms, made.studies))
    rows = [row for row in texts(unknown_sizes_table(filled, parameters)) if row[0] == "Planned trial"]
    assert [row[4] for row in rows] == ["32", "35", "13"]
    assert [row[5] for row in rows] == ["22/32†", "26/35†", "1/13†"]


def test_a_unique_size_is_said_where_derived_counts_are_left_out(data, parameters):
    table = unknown_sizes_table(sized(data, 80, ["68.8"], ["74.3"], ["7.7"]), parameters)
    assert row_of(table, "Planned trial")[5] == "unique: n = 32; derived counts are left out"


def test_percentages_that_no_size_fits_together_are_said(data, parameters):
    table = unknown_sizes_table(sized(data, 20, ["33.33", "51.7"]), parameters)
    assert row_of(table, "Planned trial")[5].startswith("no size fits")


def test_a_percentage_beside_its_n_is_not_listed(data, parameters):
    made = with_rows(data, "counts", {"study_id": "planned", "percent": "50.0", "n": 40})
    planned = [row for row in texts(unknown_sizes_table(made, parameters)) if row[0] == "planned"]
    assert not planned


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("11.9-40.1", "hour", "11.9 to 40.1 hours"),
        ("2021-06-16", "date", "16 June 2021"),
        ("-95.0", "percent", "−95.0%"),
        (">50", "%", ">50%"),
        ("375", "mg/m^2", "375 mg/m²"),
        ("", "month", ""),
    ],
)
def test_quantities_read_as_they_are_spoken(value, unit, words):
    assert quantity(value, unit) == words


def test_a_claim_made_against_several_comparators_stands_once(data, parameters):
    said = {"study_id": "planned", "kind": "superior", "outcome_id": ""}
    words = (
        "More were cured (drug against placebo).",
        "More were cured (drug against none).",
        "All were cured.",
    )
    tables = with_rows(
        with_rows(data, "studies", OPEN), "claims", *(said | {"paraphrase": one} for one in words)
    )
    table = claims_table(tables, parameters, study_id="planned")
    assert [row[1].text for row in table.rows] == [
        "More were cured (drug against placebo or none).",
        "All were cured.",
    ]
    assert [row[1].rows for row in table.rows] == [("new-0", "new-1"), ("new-2",)]
    assert "3 claims" in table.caption


def test_a_column_in_which_nothing_stands_is_left_out(planned, parameters):
    heads = [column.header for column in registered_table(planned, parameters).columns]
    assert heads[0] == "Trial"
    assert all(
        any(row[place].text for row in registered_table(planned, parameters).rows)
        for place in range(len(heads))
    )
