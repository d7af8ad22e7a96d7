import inspect
import math
import re
from dataclasses import replace

import pytest

from evidence import display
from evidence.display import (
    baseline_table,
    borderline_prose,
    comparison_prose,
    comparison_table,
    definitions_table,
    denominator_flow_table,
    disposition_table,
    event_table,
    level_table,
    mean_difference_table,
    measurement_table,
    median_times_prose,
    missing_bounds_table,
    omnibus_table,
    pairwise_table,
    parameters_table,
    protocol_table,
    rates_table,
    representation,
    study_card,
    study_measurements_table,
    study_results_table,
    study_tests_table,
    subgroup_table,
)
from evidence.parameters import Parameters

Z = {0.95: 1.959963984540054, 0.9: 1.6448536269514722}
ARGUMENTS = {
    "outcome_ids": ["complete_response", "count_ge30", "efficacy", "platelets", "recovery"],
    "outcome_id": "count_ge30",
    "subgroup": "severity",
    "criterion": "platelet_count",
    "unit": "10^9/L",
}


SHOWS_LOADED = (
    "audit",
    "diagram",
    "direct",
    "allocation",
    "answers",
    "evidence",
    "narrative",
    "recovered",
    "parameters",
)  # tested with their data


def required(name):
    """Return what a builder must be told beyond the data and the parameters."""
    named = inspect.signature(getattr(display, name)).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {one.name for one in named if one.default is one.empty and one.kind in kinds} - GIVEN


def reads_tables(name):
    """Return whether a builder is content with tidy tables; what needs a loaded dataset is tested with one."""
    data = inspect.signature(getattr(display, name)).parameters.get("data")
    return data is not None and str(data.annotation) == "Tables"


GIVEN = {"data", "parameters", "study_id", *ARGUMENTS}
BUILDERS = [
    name
    for name in display.__all__
    if name.endswith(("_table", "_card", "_figure", "_prose"))
    and not name.startswith(SHOWS_LOADED)
    and not required(name)  # what needs arguments of its own is tested with them
    and reads_tables(name)
]


def test_the_builders_of_studies_are_all_tried():
    assert len(BUILDERS) >= 50
    assert {"event_table", "lines_table", "study_tests_table", "studies_table"} <= set(BUILDERS)


def texts(table):
    return [[cell.shown for cell in row] for row in table.rows]


def row_of(table, first, *, nth=0):
    return [row for row in texts(table) if row[0] == first][nth]


def build(name, data, parameters, study_id, **changed):
    builder = getattr(display, name)
    names = inspect.signature(builder).parameters
    given = {"study_id": study_id, **ARGUMENTS, **changed}
    optional = (
        {"subgroup"} if names.get("subgroup") and names["subgroup"].default is not inspect._empty else set()
    )
    arguments = {key: value for key, value in given.items() if key in names and key not in optional}
    return builder(*[data, parameters][: 2 if "parameters" in names else 1], **arguments)


PUBLISHED = {}


def published(name, study, level, data):
    """Return what a builder publishes of a study; made once for all that it is not told of, since two tests ask."""
    told = inspect.signature(getattr(display, name)).parameters
    asked = (
        name,
        study if {"study_id", "subgroup"} & set(told) else "",
        level if "parameters" in told else 0,
    )
    if asked not in PUBLISHED:
        subgroup = {"register": "stage"}.get(study, "severity")
        item = build(name, data, Parameters(confidence_level=level), study, subgroup=subgroup)
        PUBLISHED[asked] = str(representation(item))
    return PUBLISHED[asked]


@pytest.mark.parametrize("name", BUILDERS)
def test_nothing_in_the_data_is_said_not_raised(name, data, empty, parameters):
    for tables, study in ((data, "nothing"), (empty, "pilot")):
        item = build(name, tables, parameters, study)
        assert representation(item)[0]["text/plain"]
    representation(build(name, data, parameters, "pilot", outcome_ids=["none"], outcome_id="none"))


@pytest.mark.parametrize("study", ["pilot", "register", "cohort"])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_builder_works_on_every_kind_of_study(name, study, data, parameters):
    assert parameters == Parameters()
    assert published(name, study, 0.95, data)


@pytest.mark.parametrize("name", BUILDERS)
def test_no_interval_of_the_default_level_is_left_at_another(name, data):
    for study in ("pilot", "register", "cohort"):
        shown = [published(name, study, level, data) for level in (0.95, 0.9)]
        if "95%" in shown[0].replace("95% (", ""):
            assert "90%" in shown[1]
        assert "95% CI" not in shown[1]
        assert "95% confidence" not in shown[1]


def test_the_comparison_shows_rate_effects_and_both_p_values(data, parameters):
    table = comparison_table(data, parameters, study_id="pilot", outcome_ids=["complete_response"])
    assert row_of(table, "New drug + standard")[1:3] == ["7/32†", "21.9% (11.0 to 38.8)†"]
    difference = row_of(table, "Risk difference, points")
    assert difference[2].startswith("+16.7 (+4.1 to +33.8)")
    assert difference[3:] == ["0.005", "0.005 (Pearson)"]
    assert row_of(table, "Number needed")[2] == "NNTB 6 (3 to 25)†"
    half = Z[0.95] * math.sqrt(1 / 7 - 1 / 32 + 1 / 5 - 1 / 96)
    low, high = 4.2 * math.exp(-half), 4.2 * math.exp(half)
    assert row_of(table, "Risk ratio")[2] == f"4.20 ({low:.2f} to {high:.1f})†"
    assert "95% confidence" in table.caption


def test_the_absolute_effect_stands_before_the_relative_one(data, parameters):
    for measure in ("RR", "OR", "RD"):
        chosen = replace(parameters, effect_measure=measure)
        first = [
            row[0]
            for row in texts(
                comparison_table(data, chosen, study_id="pilot", outcome_ids=["complete_response"])
            )
        ]
        assert first.index("Risk difference, points") < first.index("Risk ratio")
        assert first.index("Risk difference, points") < first.index("Odds ratio")


def test_values_name_their_rows_and_places(data, parameters):
    table = comparison_table(data, parameters, study_id="pilot", outcome_ids=["complete_response"])
    effect = next(row for row in table.rows if row[0].text == "Risk ratio")[2]
    assert effect.rows == ("pilot-c003", "pilot-c004")
    assert table.places["pilot-c003"] == "Pilot study · Abstract"
    numbers = [cell for row in table.rows for cell in row[1:] if any(char.isdigit() for char in cell.text)]
    assert all(cell.rows for cell in numbers)


def test_a_rate_that_would_not_be_printed_so_is_marked(data, parameters):
    counts = data.counts.copy()
    counts.loc[counts["row_id"] == "register-c001", "percent"] = "77"
    table = rates_table(
        replace(data, counts=counts), parameters, study_id="register", outcome_ids=["count_ge30"]
    )
    assert texts(table)[0] == ["Week 6", "121/160", "77%", "75.6% (68.4 to 81.6)≠"]


def test_where_no_percentage_is_printed_a_table_of_rates_says_nothing_of_printed_ones(data, parameters):
    silent = replace(data, counts=data.counts.assign(percent=""))
    for chosen, printed in ((data, True), (silent, False)):
        table = rates_table(chosen, parameters, study_id="register", outcome_ids=["count_ge30"])
        assert ("Printed" in [column.header for column in table.columns]) == printed
        assert ("printed" in table.caption) == printed
        assert "95% confidence intervals" in table.caption


def test_baseline_shows_what_is_printed_and_tests_it_again(data, parameters):
    table = baseline_table(data, parameters, study_id="cohort")
    assert [column.header for column in table.columns][
        1
    ] == "Drug A (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}64)"
    assert row_of(table, "Age, years, mean ± SD")[1] == "59.72 ± 9.85"
    assert row_of(table, "Performance status: 0")[-2:] == ["0.483", "0.483 (exact)"]
    assert row_of(table, "Performance status: 1")[-2:] == ["", ""]


def test_medians_are_not_tested_again(data, parameters):
    row = row_of(baseline_table(data, parameters, study_id="pilot"), "Age, years, median (range)")
    assert row[1:] == ["44 (13 to 69)", "45 (7 to 70)", "0.928", "needs patient data"]


def test_the_flow_counts_who_is_left(data, parameters):
    table = denominator_flow_table(data, parameters, study_id="register", outcome_id="count_ge30")
    assert row_of(table, "All patients") == [
        "All patients", "167", "160 (96%)", "139 (83%)", "115 (69%)", "104 (62%)",
    ]  # fmt: skip
    assert row_of(table, "Chronic")[-1] == "59 (66%)"


def test_missing_patients_give_bounds_that_are_called_bounds(data, parameters):
    table = missing_bounds_table(data, parameters, study_id="register", outcome_ids=["count_ge30"])
    row = row_of(table, "Week 24")
    assert [cell.split(",")[0] for cell in row[1:]] == ["91/104", "91/167", "154/167"]
    assert "not estimates" in table.note
    assert "bounds" in table.caption


def test_bounds_are_the_same_whatever_the_policy_of_the_report(data):
    shown = {
        policy: texts(
            missing_bounds_table(
                data, Parameters(missing_data=policy), study_id="register", outcome_ids=["count_ge30"]
            )
        )
        for policy in ("observed", "failure", "success")
    }
    assert shown["observed"] == shown["failure"] == shown["success"]


def test_a_policy_that_changed_a_rate_is_named_in_the_note(data):
    table = rates_table(
        data, Parameters(missing_data="failure"), study_id="register", outcome_ids=["count_ge30"]
    )
    assert "counted as failures" in table.note
    assert "failures" not in rates_table(data, Parameters(), study_id="register").note


def test_subgroups_end_with_their_interaction(data, parameters):
    table = subgroup_table(
        data,
        parameters,
        study_id="pilot",
        outcome_ids=["complete_response"],
        subgroup="severity",
        measure="OR",
    )
    names = [row[0] for row in texts(table)]
    assert names == ["Severe", "Very severe", "All patients", "Test of interaction"] * 2
    assert "Breslow-Day" in table.note


def test_pairs_with_few_expected_events_are_tested_exactly_and_the_test_is_named(data, parameters):
    whole = {"study_id": "pilot", "outcome_ids": ["complete_response"], "subgroup": "severity"}
    early, late = (row_of(subgroup_table(data, parameters, **whole), "All patients", nth=i) for i in (0, 1))
    assert early[-1] == "0.010 (exact)†"
    assert late[-1] == "0.014 (Pearson)†"
    levels = level_table(data, parameters, study_id="register", outcome_ids=["count_ge30"], subgroup="stage")
    pair = row_of(levels, "Newly − chronic", nth=3)
    assert pair[3:] == ["0.094 (exact)", "0.281"]
    assert "exact" in levels.note


def test_a_result_at_the_border_is_told_from_both_sides(data, parameters):
    text = borderline_prose(data, parameters, study_id="pilot", outcome_ids=["overall_response"]).text
    assert "includes 0, that of the risk ratio, 1.38 (1.01 to 1.87), leaves out 1; P = 0.065" in text
    assert text.count("lies at the border") == 1
    clear = borderline_prose(data, parameters, study_id="pilot", outcome_ids=["complete_response"]).text
    assert "agree" in clear


def test_a_median_time_is_held_against_the_shares_counted_later(data, parameters):
    rows = data.measurements.iloc[[0] * 3].assign(
        study_id="pilot", arm_id=["new", "old", "old"], outcome_id=["recovery"] * 3, statistic="median",
        value=["56", "200", "77"], unit="day", subgroup="", level="", time=math.nan, time_label="",
        row_id=["x1", "x2", "x3"], counted=True,
    )  # fmt: skip
    asked = {"study_id": "pilot", "counted_as": {"recovery": "complete_response"}}
    text = median_times_prose(replace(data, measurements=rows), parameters, **asked).text
    told = re.sub("<[^>]+>", "", text).split("\n")
    assert (
        "At 3 months, later than that, 7 of 32† (21.9%) were counted with complete response: fewer than half"
        in told[0]
    )
    assert "stays open" in told[1]
    assert "5 of 96" in told[2]
    assert told[0].endswith("fewer than half. (†\N{NO-BREAK SPACE}count that follows from printed figures.)")
    printed = replace(data, measurements=rows, counts=data.counts.assign(basis="printed", n_basis="header"))
    plain = re.sub("<[^>]+>", "", median_times_prose(printed, parameters, **asked).text)
    assert "7 of 32 (21.9%)" in plain
    assert "†" not in plain


def test_levels_of_one_arm_are_compared_with_adjusted_p(data, parameters):
    table = level_table(data, parameters, study_id="register", outcome_ids=["count_ge30"], subgroup="stage")
    assert row_of(table, "Newly − chronic", nth=3)[2].startswith("+14.9 (")
    assert any("trend P" in row[0] for row in texts(table))


def test_pairs_are_turned_as_they_are_printed(data, parameters):
    table = pairwise_table(data, parameters, study_id="cohort", outcome_ids=["efficacy"])
    titles = [text for _, text in table.groups]
    assert titles[-1] == "Drug C against drug A + drug B"
    printed, again = texts(table)[-2:]
    assert printed[4] == "8.758 (1.875 to 40.910)"
    assert again[4].endswith("≠")
    assert not again[2].endswith("≠"), "its P agrees, only the ratio is the other way round"


def test_the_omnibus_table_has_both_statistics(data, parameters):
    row = row_of(omnibus_table(data, parameters, study_id="cohort"), "Fatigue, 14 days")
    assert row[1:] == ["1.484", "1.000", "1.484", ">0.999 (exact)", ">0.999"]


def test_means_are_shown_as_printed_with_tests_within_arms(data, parameters):
    table = measurement_table(data, parameters, study_id="cohort", outcome_ids=["platelets"])
    assert row_of(table, "Day 7")[1] == "91.12 ± 4.73"
    assert row_of(table, "P within arm, printed")[1] == "<0.001"
    assert table.groups[0] == (0, "Cell count, ×10⁹/L, mean ± SD")


def test_differences_of_means_follow_the_level(data):
    rows = []
    for level in (0.95, 0.9):
        table = mean_difference_table(
            data, Parameters(confidence_level=level), study_id="cohort", outcome_ids=["recovery"]
        )
        rows.append(row_of(table, "Drug A − drug B"))
    assert rows[0][1] == rows[1][1] == "−0.212 (−2.326 to 1.902)"
    assert rows[0][2].startswith("−0.21 (−1.39 to +0.97)")
    assert rows[0][2] != rows[1][2]


def test_no_events_have_an_interval_too(data, parameters):
    table = event_table(data, parameters, study_id="cohort", outcome_ids=["fatigue"])
    upper = Z[0.95] ** 2 / (37 + Z[0.95] ** 2)
    assert row_of(table, "Drug B")[1:3] == ["0/37", f"0.0% (0.0 to {100 * upper:.1f})"]
    assert row_of(table, "Drug A")[3] == ""


def test_disposition_counts_patients_out_of_all(data, parameters):
    table = disposition_table(data, parameters, study_id="pilot")
    assert row_of(table, "Stopped treatment") == ["Stopped treatment", "Last follow-up", "7/32", "21.9%"]


def test_the_card_says_what_is_not_stated(data, parameters):
    table = study_card(data, parameters, study_id="register")
    assert row_of(table, "Patients") == ["Patients", "167"]
    assert "registry number" in table.note
    assert "doi 10.1000/pilot" in row_of(study_card(data, parameters, study_id="pilot"), "Source")[1]


def test_what_a_study_does_not_state_is_not_asked_of_a_label(data, parameters):
    blank = data.studies.assign(period="")
    for design, asked in (("cohort", True), ("product_label", False)):
        changed = replace(data, studies=blank.assign(design=design))
        assert ("Not stated: " in study_card(changed, parameters, study_id="register").note) is asked


def test_a_value_of_one_arm_of_several_names_the_arm(data, parameters):
    of = data.measurements["study_id"] == "pilot"
    first = data.measurements[of & (data.measurements["arm_id"] == "new")].head(1)
    alone = study_measurements_table(replace(data, measurements=first), parameters, study_id="pilot")
    label = data.arms.set_index(["study_id", "arm_id"])["label"]["pilot", "new"]
    assert alone.groups[0][1].lower().endswith(f", {label.lower()}")
    only = data.arms[(data.arms["study_id"] != "pilot") | (data.arms["arm_id"] == "new")]
    single = replace(data, measurements=first, arms=only)
    assert (
        label.lower()
        not in str(study_measurements_table(single, parameters, study_id="pilot").groups).lower()
    )


def test_study_tables_list_everything_printed(data, parameters):
    results = study_results_table(data, parameters, study_id="cohort")
    counted = data.counts[(data.counts["study_id"] == "cohort") & (data.counts["time"] > 0)]
    assert len(results.rows) == len(counted)
    domains = data.outcomes.set_index("outcome_id")["domain"]
    told = ["efficacy", "safety", "disposition"]
    for chosen in (told, told[::-1]):
        made = study_results_table(data, parameters, study_id="cohort", domains=chosen)
        places = [chosen.index(domains[one]) for one in made.data["outcome_id"]]
        assert places == sorted(places)
        assert len(set(places)) > 1
    tests = study_tests_table(data, parameters, study_id="cohort")
    assert len(tests.rows) == (data.tests["study_id"] == "cohort").sum()
    assert set(tests.data["agrees"]) == {"yes", "no", ""}


def test_definitions_and_protocol_read_as_words(data, parameters):
    criteria = [row[0] for row in texts(definitions_table(data, parameters, study_id="cohort"))]
    assert criteria == [
        "Cell count ≥100 ×10⁹/L", "Cell count: rise of at least 50 ×10⁹/L",
        "Cell count: at least 2 times baseline",
    ]  # fmt: skip
    assert row_of(protocol_table(data, parameters, study_id="cohort"), "Performance")[1] == "≤2"


def test_changed_parameters_say_so_in_words():
    table = parameters_table(Parameters(confidence_level=0.9))
    assert row_of(table, "confidence_level")[1:3] == ["0.9 (changed)", "0.95"]
    assert table.caption.endswith("1 changed: confidence_level.")


def test_sentences_give_absolute_numbers_and_no_verdict_of_no_effect(data, parameters):
    text = comparison_prose(data, parameters, study_id="pilot", outcome_ids=["overall_response"]).text
    assert "15 of 32 (46.9%; 95% CI 30.9 to 63.6)" in text
    assert "direction is uncertain" in text
    assert "no effect" not in text
    assert "no difference" not in text
