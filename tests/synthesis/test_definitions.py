"""What counts as the outcome is compared by the criteria that the documents print."""

from dataclasses import replace

import evidence
from evidence.questions import Definition, answer, definition_differences, definition_of, differences_between
from evidence.synthesis.forest import forest

from .invented import dataset, emptied, study

P = evidence.Parameters()
BCG = [(4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220)]


def row(criterion="platelet_count", operator=">=", threshold=50, unit="10^9/L", join="all"):
    return {"criterion": criterion, "operator": operator, "threshold": threshold, "unit": unit, "join": join}


FIFTY, MORE = definition_of([row()]), definition_of([row(operator=">")])
NO_RESCUE = definition_of([row(), row("rescue_therapy", "absent", None, "")])
LATE_RESCUE = definition_of([row(), row("rescue_therapy", "<=", 4, "week")])


def differences(*definitions):
    return definition_differences({f"Trial {i}": one for i, one in enumerate(definitions)})


def test_equal_criteria_are_no_difference_whatever_their_order_or_how_often_printed():
    both = definition_of([row(), row("bleeding", "absent", None, "")])
    turned = definition_of([row("bleeding", "absent", None, ""), row(), row()])
    assert differences(both, turned) == ("", "")


def test_another_threshold_or_sign_is_told_with_the_studies():
    told, silent = differences(FIFTY, MORE, FIFTY)
    assert (
        told
        == "definitions (Trial 0, Trial 2: Platelet count ≥50 × 10⁹/L; Trial 1: Platelet count >50 × 10⁹/L)"
    )
    assert silent == ""
    assert differences(FIFTY, definition_of([row(threshold=30)]))[0].startswith("definitions (")


def test_one_of_several_criteria_differs_from_all_of_them():
    criteria = [row(), row(operator="ratio>=", threshold=2, unit="times baseline")]
    either = definition_of([one | {"join": "any"} for one in criteria])
    assert " or " in differences(definition_of(criteria), either)[0]


def test_one_threshold_in_two_units_is_one_definition_and_another_unit_is_not():
    assert differences(FIFTY, definition_of([row(threshold=50000, unit="/mm^3")])) == ("", "")
    assert differences(FIFTY, definition_of([row(unit="g/L")]))[0].startswith("definitions (")


def test_rules_for_rescue_differ_only_where_two_are_printed():
    told, _ = differences(NO_RESCUE, LATE_RESCUE)
    assert told.startswith("rules for rescue treatment (Trial 0: None allowed (rescue therapy); Trial 1: ")
    told, silent = differences(NO_RESCUE, FIFTY)
    assert told == ""
    assert silent == "Rule for rescue treatment printed only by Trial 0: None allowed (rescue therapy)."


def test_silence_is_told_and_is_no_difference():
    assert differences(FIFTY, Definition(), Definition()) == ("", "Definition not printed: Trial 1, Trial 2.")
    assert differences(Definition(), Definition()) == ("", "Definition not printed by any study.")


def with_definitions(folder, *told, **changes):
    """Return three trials, each with the threshold that its documents print, None for none."""
    tables = emptied()
    tables["definitions"] = []
    for place, threshold in enumerate(told):
        study(tables, f"t{place}", BCG[place], label=f"Trial {place}", **changes)
        if threshold is not None:
            tables["definitions"].append(
                {
                    "row_id": f"s-d{place}",
                    "source_id": tables["sources"][0]["source_id"],
                    "locator": "Methods",
                }
                | {"cites": "", "outcome_id": "cured", "group": "a", **row(threshold=str(threshold))}
                | {"study_id": f"t{place}"}
            )
    return dataset(folder, tables)


def test_a_pooled_forest_says_of_itself_that_definitions_differ(tmp_path):
    made = forest(["cured_6m"], with_definitions(tmp_path, 30, 50, 50), P)
    assert made.groups[0].summary.k == 3
    assert "Taken together across definitions (Trial 0 (2020): Platelet count ≥30" in made.notes[0]


def test_an_answer_says_of_itself_that_definitions_differ_or_are_not_known(tmp_path):
    told = answer("cured_6m", with_definitions(tmp_path / "differ", 30, 50, None), P).sentence
    assert "Taken together across definitions (" in told
    assert "Definition not printed: Trial 2 (2020)." in told
    alike = answer("cured_6m", with_definitions(tmp_path / "alike", 50, 50, 50), P).sentence
    assert "Taken together" not in alike
    assert "not printed" not in alike


def test_one_study_takes_nothing_together(tmp_path):
    assert "not printed" not in answer("cured_6m", with_definitions(tmp_path, None), P).sentence


def test_times_designs_and_analysis_sets_are_told_too(tmp_path):
    found = forest(["cured_6m"], with_definitions(tmp_path, 50, 50), P).rows
    one, other = (row.study for row in found)
    assert differences_between([one, other]) == ""
    changed = replace(other, when="8 weeks", design="cohort", analysis_set="evaluable")
    told = differences_between([one, changed])
    for name in ("times (6 months, 8 weeks)", "analysis sets (", "designs ("):
        assert name in told
