from dataclasses import fields, replace

import pandas as pd
import pytest

from evidence.display import (
    across_figure,
    across_table,
    all_alike_prose,
    comparability_table,
    effects_across_figure,
    effects_across_table,
    find_study,
    measured_across_table,
    missing_evidence_table,
    published_effects_table,
    representation,
    side_by_side_table,
    studies_table,
)
from evidence.display.across import across_frame, effects_frame
from evidence.parameters import Parameters
from evidence.synthesis.bias import SIGNS

OUTCOMES = ["overall_response", "complete_response"]
NUMBERS = ("time", "from_time", "dose_value", "interval_level", "threshold")


def typed(frame, rows):
    made = pd.DataFrame([{**dict.fromkeys(frame.columns, ""), **row} for row in rows])
    for column in made:
        if column in NUMBERS:
            made[column] = pd.to_numeric(made[column]).astype("float64")
        elif column in ("events", "n"):
            made[column] = pd.to_numeric(made[column]).astype("Int64")
    return pd.concat([frame, made], ignore_index=True).astype({"counted": bool} if "counted" in frame else {})


def adding(data, **tables):
    return replace(data, **{name: typed(getattr(data, name), rows) for name, rows in tables.items()})


def without(data, *studies):
    tables = {each.name: getattr(data, each.name) for each in fields(data)}
    kept = {
        name: frame[~frame["study_id"].isin(studies)] if "study_id" in frame else frame
        for name, frame in tables.items()
    }
    return replace(data, **kept)


def study(study_id, **values):
    return {"row_id": f"{study_id}-s001", "source_id": study_id, "study_id": study_id, "indication": "IND1",
            "label": f"The {study_id}", "design": "randomised_trial", "population": "first_line",
            "randomised": "yes", "comparator": "old", "origin": "seed", **values}  # fmt: skip


def arm(study_id, arm_id, node, role, **values):
    label = {"new+old": "New drug + standard", "old": "Standard alone"}.get(node, arm_id.capitalize())
    return {"study_id": study_id, "arm_id": arm_id, "label": label, "node": node, "role": role, **values}


def count(study_id, arm_id, events="", n="", **values):
    return {"row_id": f"{study_id}-{arm_id}{events}{n}", "source_id": study_id, "study_id": study_id,
            "arm_id": arm_id, "outcome_id": "complete_response", "time": 6, "time_unit": "month", "events": events,
            "n": n, "basis": "printed", "analysis_set": "enrolled", "counted": True, **values}  # fmt: skip


@pytest.fixture
def world(data):
    """The pilot of the shared data, a trial, a part of it, a registered trial and a synthesis."""
    known = replace(
        data,
        counts=data.counts.assign(origin="seed", admissible=""),
        definitions=data.definitions.assign(study_id=""),
    )
    return adding(
        known,
        studies=[
            study("trial", label="Large trial", origin="external", n=150),
            study("part", label="Later look", design="post_hoc_analysis", parent_study_id="trial"),
            study("waiting", registry_id="NCT00000002", n=240, status="completed"),
            study("synthesis", design="meta_analysis", indication=""),
            study("unread", design="network_meta_analysis", indication=""),
        ],
        arms=[
            arm("trial", "low", "new+old", "experimental", label="Low dose", n=70),
            arm("trial", "control", "old", "control", n=80),
            arm("trial", "all", "", "", combines="low|control"),
            arm("part", "low", "new+old", "experimental"),
            arm("part", "control", "old", "control"),
            arm("synthesis", "drugs", "", "experimental"),
            arm("synthesis", "none", "", "placebo"),
        ],
        counts=[
            count("trial", "low", 56, 70, origin="external"),
            count("trial", "control", 48, 80, origin="external"),
            count("trial", "all", 104, 150, origin="external"),
            count("part", "low", 22, 32, basis="derived", percent="68.8"),
            count("part", "low", percent="68.8", time="", time_unit=""),
            count("part", "control", "", 67, percent="65.6", admissible="none"),
        ],
        claims=[
            {"row_id": "waiting-l001", "study_id": "waiting", "kind": "superior", "paraphrase": "It was better."}
        ],
        definitions=[
            {"row_id": "trial-d001", "source_id": "trial", "study_id": "trial", "unit": "10^9/L",
             "outcome_id": "complete_response", "criterion": "cell_count", "operator": ">=", "threshold": 100},
            {"row_id": "trial-d002", "source_id": "trial", "study_id": "trial", "outcome_id": "complete_response",
             "criterion": "rescue", "operator": "absent"},
        ],
        tests=[
            {"row_id": "synthesis-t001", "study_id": "synthesis", "outcome_id": "complete_response",
             "arms": "drugs|none", "effect_label": "RR", "effect": "1.16", "low": "0.90", "high": "1.51", "p": "0.26"}
        ],
    )  # fmt: skip


def shown(table):
    return [[cell.shown for cell in row] for row in table.rows]


def row_of(table, first):
    return next(row for row in shown(table) if row[0] == first)


def every_builder(data, parameters):
    trial = find_study(data, designs="randomised_trial", results="some")
    return [
        studies_table(data, parameters),
        across_table(data, parameters, outcome_ids=OUTCOMES),
        across_figure(data, parameters, outcome_ids=OUTCOMES, window=(3, 6, "month")),
        effects_across_table(data, parameters, outcome_ids=OUTCOMES),
        effects_across_table(data, parameters, outcome_ids=OUTCOMES, comparators="old", treatments="new+old"),
        effects_across_figure(data, parameters, outcome_ids=OUTCOMES, comparators="old"),
        measured_across_table(data, parameters, outcome_ids=["age"]),
        comparability_table(data, parameters, outcome_ids=OUTCOMES),
        missing_evidence_table(data, parameters),
        published_effects_table(data, parameters),
        side_by_side_table(data, parameters, study_id=trial),
        all_alike_prose(data, parameters, outcome_ids=OUTCOMES),
    ]


@pytest.mark.parametrize("indication", ["IND1", ["IND1", "IND2"], None])
def test_a_study_added_by_rows_appears_in_every_table_of_its_indication(world, parameters, indication):
    choice = {"indication": indication}
    assert "Large trial§" in [row[0] for row in shown(studies_table(world, parameters, **choice))]
    rates = shown(across_table(world, parameters, outcome_ids=OUTCOMES, **choice))
    assert ["Large trial: low dose", "first line", "6 months", "56/70§", "80.0% (69.2 to 87.7)§"] in rates
    effects = effects_across_table(world, parameters, outcome_ids=OUTCOMES, **choice)
    assert row_of(effects, "Large trial: low dose against standard alone")[2:4] == ["56/70§", "48/80§"]
    assert "Large trial" in across_figure(world, parameters, outcome_ids=OUTCOMES, **choice).alt
    assert "Large trial" in effects_across_figure(world, parameters, outcome_ids=OUTCOMES, **choice).alt


def judged(study_id, outcome_id, judgement):
    return [
        {"row_id": f"{study_id}-{outcome_id}-{domain}", "study_id": study_id, "outcome_id": outcome_id,
         "tool": "Invented tool", "domain": domain, "judgement": judgement}
        for domain in ("selection", "overall")
    ]  # fmt: skip


def test_the_light_of_a_result_stands_beside_its_effect_in_drawing_words_and_data(world, parameters):
    plain = effects_across_figure(world, parameters, outcome_ids=OUTCOMES)
    assert "Lights" not in plain.caption
    assert not plain.data["risk_of_bias"].any()
    study = str(plain.data["study_id"].iloc[0])
    known = adding(world, risk_of_bias=judged(study, "complete_response", "high"))
    figure = effects_across_figure(known, parameters, outcome_ids=OUTCOMES)
    told = figure.data[figure.data["risk_of_bias"] == "high"]
    assert set(told["study_id"]) == {study}
    assert set(told["outcome_id"]) == {"complete_response"}
    assert len(told) < len(figure.data)
    assert "Lights at the right, risk of bias: × high." in figure.caption
    assert figure.alt.count("risk of bias high") == len(told)
    for canvas in (figure.figure, *figure.narrow):
        signs = [one for axis in canvas.axes for one in axis.texts if one.get_text() == SIGNS["high"]]
        assert len(signs) == len(told)


def test_a_study_of_another_indication_stays_out(world, parameters):
    table = across_table(world, parameters, outcome_ids=OUTCOMES, indication="IND2")
    assert shown(table) == [["No rows in the data."]]


@pytest.mark.parametrize(
    "gone",
    [
        *(pytest.param([one], marks=pytest.mark.slow) for one in ("part", "pilot", "waiting")),
        ["trial"],
        ["trial", "part", "pilot"],
        ["synthesis", "unread"],
    ],
)
def test_a_study_taken_away_breaks_nothing(world, parameters, gone):
    for item in every_builder(without(world, *gone), parameters):
        assert representation(item)[0]["text/plain"]


def test_nothing_at_all_is_said_not_raised(empty, parameters):
    for item in every_builder(empty, parameters):
        assert representation(item)[0]["text/plain"]


def test_a_part_of_a_study_is_shown_as_sharing_its_patients(world, parameters):
    studies = studies_table(world, parameters)
    assert (
        row_of(studies, "Later look")[1] == "Post hoc analysis, randomised; first line; part of Large trial"
    )
    table = across_table(world, parameters, outcome_ids=OUTCOMES)
    assert "Later look (part)" in [row[0] for row in shown(table)]
    assert "Later look with Large trial" in table.note
    assert "Later look with Large trial" in across_figure(world, parameters, outcome_ids=OUTCOMES).caption


def test_a_part_whose_study_was_taken_away_still_says_so(world, parameters):
    assert row_of(studies_table(without(world, "trial"), parameters), "Later look")[1].endswith(
        "part of trial"
    )


def test_a_sum_of_arms_stands_only_where_its_arms_do_not(world, parameters):
    def arms(data):
        frame = across_frame(data, parameters, outcome_ids=OUTCOMES)
        return set(frame.loc[frame["study_id"] == "trial", "arm_id"])

    assert arms(world) == {"low", "control"}
    sums = world.counts["arm_id"].isin(["all"]) | (world.counts["study_id"] != "trial")
    assert arms(replace(world, counts=world.counts[sums])) == {"all"}


def test_a_percentage_printed_again_without_its_time_is_shown_once(world, parameters):
    frame = across_frame(world, parameters, outcome_ids=OUTCOMES)
    assert list(frame.loc[(frame["study_id"] == "part") & (frame["arm_id"] == "low"), "time"]) == [6.0]


def test_a_percentage_that_fits_no_count_is_shown_without_an_interval(world, parameters):
    rows = shown(across_table(world, parameters, outcome_ids=OUTCOMES))
    assert ["Later look (part)", "first line", "6 months", "no count of 67 fits", "65.6%"] in rows


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"n": "", "percent": "39"}, "no n printed"),
        ({"admissible": "26|27", "percent": "15"}, "26 or 27 of 178"),
    ],
)
def test_a_percentage_without_a_count_says_why(world, parameters, values, words):
    data = adding(world, counts=[count("waiting", "x", **{"n": 178, **values})])
    assert words in [row[3] for row in shown(across_table(data, parameters, outcome_ids=OUTCOMES))]


def test_treatments_stand_together_and_comparators_last(world, parameters):
    frame = across_frame(world, parameters, outcome_ids=["complete_response"])
    assert list(dict.fromkeys(frame["node_label"])) == ["New + old", "Standard alone"]
    assert list(dict.fromkeys(frame["study_id"][frame["node"] == "old"])) == ["pilot", "trial", "part"]


def test_results_outside_the_window_stay_out(world, parameters):
    frame = across_frame(world, parameters, outcome_ids=OUTCOMES, window=(20, 30, "week"))
    assert set(frame["time"]) == {6.0}


def test_derived_and_external_are_told_apart(world, parameters):
    data = adding(world, counts=[count("trial", "low", 7, 70, basis="derived", origin="external", time=12)])
    rows = shown(across_table(data, parameters, outcome_ids=OUTCOMES))
    assert ["Large trial: low dose", "7/70†§"] in [[row[0], row[3]] for row in rows]
    assert ["Later look (part): new drug + standard", "22/32†"] in [[row[0], row[3]] for row in rows]
    figure = across_figure(data, parameters, outcome_ids=OUTCOMES)
    assert "† count that follows" in figure.caption
    assert "§ from outside" in figure.caption


def test_every_effect_stays_within_one_study(world, parameters):
    frame = effects_frame(world, parameters, outcome_ids=OUTCOMES)
    owner = dict(zip(world.counts["row_id"], world.counts["study_id"], strict=True))
    assert len(frame) > 2
    assert all(len({owner[one] for one in row.split("|")}) == 1 for row in frame["row_id"])


def test_randomised_studies_stand_before_the_others(world, parameters):
    designs = list(
        dict.fromkeys(effects_frame(world, parameters, outcome_ids=["complete_response"])["design"])
    )
    assert designs[0] == "Randomised trial"
    assert designs[-1].endswith("not randomised")


def test_only_the_treatments_asked_for_are_compared(world, parameters):
    choice = {"outcome_ids": OUTCOMES, "treatments": "old", "comparators": "new+old"}
    frame = effects_frame(world, parameters, **choice)
    assert set(frame["arm0"]) == {"new", "low"}
    assert effects_frame(world, parameters, **{**choice, "comparators": "unheard"}).empty


@pytest.mark.parametrize(("measure", "columns"), [("RR", 6), ("OR", 6), ("RD", 5)])
def test_the_difference_stands_beside_the_measure_asked_for(world, measure, columns):
    table = effects_across_table(world, Parameters(effect_measure=measure), outcome_ids=OUTCOMES)
    assert len(table.columns) == columns
    assert table.columns[-1].header.startswith("Risk difference")


def test_a_difference_matches_newcombe(world, parameters):
    """56/70 − 48/80 is 0.2 (0.0524 to 0.3339): Newcombe, Stat Med 1998;17:873-90, Table II, method 10."""
    table = side_by_side_table(world, parameters, study_id="trial", outcome_ids=["complete_response"])
    assert shown(table) == [["Complete response§", "56/70 (80.0%)", "48/80 (60.0%)", "+20.0 (+5.2 to +33.4)"]]


def test_an_outcome_of_one_arm_only_stays_with_a_dash_for_the_other(world, parameters):
    data = adding(world, counts=[count("trial", "low", 3, 70, outcome_id="died")])
    table = side_by_side_table(data, parameters, study_id="trial", outcome_ids=["complete_response", "died"])
    died = next(row for row in shown(table) if row[0].startswith("Died"))
    assert "3/70 (4.3%)" in died
    assert died.count("–") == 2
    assert "–: not given for this arm." in table.note


def test_a_study_without_results_is_missing_evidence(world, parameters):
    table = missing_evidence_table(world, parameters)
    assert shown(table) == [
        ["The waiting", "Randomised trial", "NCT00000002", "Completed", "240", "It was better."]
    ]
    known = adding(world, counts=[count("waiting", "x", 3, 10)])
    assert shown(missing_evidence_table(known, parameters)) == [["No rows in the data."]]


def test_the_largest_study_is_found(world):
    assert find_study(world, indication="IND1") == "waiting"
    assert find_study(world, indication="IND1", results="none") == "waiting"
    assert find_study(world, indication="IND1", designs="randomised_trial", results="some") == "trial"
    assert find_study(world, indication="unheard") == ""


def test_pooled_effects_of_others_are_shown_as_printed(world, parameters):
    table = published_effects_table(world, parameters, indication="")
    assert shown(table)[0] == [
        "Complete response",
        "drugs against none",
        "RR",
        "1.16 (0.90 to 1.51)",
        "0.26",
    ]
    assert shown(table)[1][1] == "No pooled estimate was read"
    assert [text for _, text in table.groups] == [
        "The synthesis (meta-analysis, indication not stated)",
        "The unread (network meta-analysis, indication not stated)",
    ]


def test_what_differs_between_studies_is_told_before_their_results(world, parameters):
    table = comparability_table(world, parameters, outcome_ids=["complete_response"])
    assert row_of(table, "Large trial§")[1:] == [
        "first line", "6 months", "enrolled", "cell count ≥100 × 10⁹/L; without rescue",
    ]  # fmt: skip
    assert row_of(table, "Later look (part)")[4] == "not stated"


def test_four_of_four_leaves_low_rates_possible(world, parameters):
    """Clopper-Pearson: the lower limit of n of n is (alpha / 2) ** (1 / n)."""
    data = adding(world, counts=[count("waiting", "x", 4, 4)])
    exact = Parameters(proportion_method="clopper-pearson")
    text = all_alike_prose(data, exact, outcome_ids=OUTCOMES).text
    assert f"down to {100 * 0.025**0.25:.1f}%" in text
    assert "one in 16 such series" in text
    assert "22 of 32" not in text


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_no_interval_is_left_at_another_level(world, level):
    for item in every_builder(world, Parameters(confidence_level=level)):
        assert "95%" not in str(representation(item)).replace("95%)", "")
