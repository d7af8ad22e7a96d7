import importlib.util
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from evidence.parameters import Parameters
from evidence.results import (
    CONTRASTS,
    OMNIBUS,
    RATES,
    class_labels,
    contrasts,
    interaction,
    level_contrasts,
    level_omnibus,
    omnibus,
    rates,
    reference_arm,
)

PLACE = Path(__file__).parent / "display" / "conftest.py"
SPEC = importlib.util.spec_from_file_location("invented_results", PLACE)
INVENTED = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(INVENTED)
Z = 1.959963984540054


@pytest.fixture(scope="module")
def data():
    return INVENTED.Invented(**{name: INVENTED.read(name) for name in INVENTED.Invented.__dataclass_fields__})


def wilson(events, n, z=Z):
    centre = (events + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(events * (n - events) / n + z**2 / 4) / (n + z**2)
    return centre - half, centre + half


def one(frame, **equals):
    for name, value in equals.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_frames_have_the_promised_columns(data):
    p = Parameters()
    assert list(rates(data, p).columns) == RATES
    assert list(contrasts(data, p, study_id="pilot").columns)[: len(CONTRASTS)] == CONTRASTS
    assert list(omnibus(data, p, study_id="cohort").columns) == OMNIBUS
    assert rates(data, p, study_id="nothing").empty
    assert contrasts(data, p, study_id="nothing").empty


def test_a_rate_is_wilsons_at_the_level_asked_for(data):
    for level, z in ((0.95, Z), (0.9, 1.6448536269514722)):
        frame = rates(data, Parameters(confidence_level=level), study_id="pilot", subgroup="")
        row = one(frame, arm_id="new", outcome_id="complete_response", time=3.0)
        assert row["estimate"] == 7 / 32
        assert (row["low"], row["high"]) == pytest.approx(wilson(7, 32, z))


def test_a_result_known_as_a_percentage_only_has_no_interval(data):
    row = one(rates(data, Parameters(), study_id="register", outcome_ids=["sex"]))
    assert row["estimate"] == 0.66
    assert pd.isna(row["events"])
    assert math.isnan(row["low"])


def test_a_result_out_of_an_inferred_number_of_patients_is_assumed(data):
    counts = data.counts.assign(note="")
    own = counts["events"].notna() & counts["n"].notna() & counts["basis"].eq("printed")
    place = counts.index[own & counts["subgroup"].eq("") & counts["counted"].astype(bool)][0]
    told = {"": "assumed", "derived": "printed", "header": "printed", "elsewhere": "assumed"}
    for n_basis, basis in told.items():
        counts.loc[place, ["n_basis", "note"]] = [n_basis, "107 + 60 = 167"]
        frame = rates(replace(data, counts=counts), Parameters())
        row = one(frame, row_id=counts.loc[place, "row_id"])
        assert row["basis"] == basis
        others = frame[frame["row_id"].ne(row["row_id"])]
        assert "assumed" not in set(others["basis"])
    counts.loc[place, ["n_basis", "note"]] = ["", ""]
    assert "assumed" not in set(rates(replace(data, counts=counts), Parameters())["basis"])


def test_a_percentage_without_a_count_is_known_as_printed(data):
    counts = data.counts.copy()
    own = counts["percent"].ne("") & counts["events"].notna() & counts["counted"].astype(bool)
    place = counts.index[own & counts["subgroup"].eq("")][0]
    counts.loc[place, "basis"] = "derived"
    row = counts.loc[place, "row_id"]
    assert one(rates(replace(data, counts=counts), Parameters()), row_id=row)["basis"] == "derived"
    counts.loc[place, "events"] = pd.NA
    assert one(rates(replace(data, counts=counts), Parameters()), row_id=row)["basis"] == "printed"


def test_the_size_of_the_group_that_missing_patients_are_counted_in_is_not_the_assumed_one(data):
    counts = data.counts.assign(note="")
    place = (
        counts["outcome_id"].eq("count_ge30") & counts["study_id"].eq("register") & counts["subgroup"].eq("")
    )
    counts.loc[place, ["n_basis", "note"]] = ["", "taken from a figure"]
    marked = replace(data, counts=counts)
    how = {"study_id": "register", "outcome_ids": ["count_ge30"], "subgroup": ""}
    assert one(rates(marked, Parameters(), **how), time=24.0)["basis"] == "assumed"
    assert one(rates(marked, Parameters(missing_data="failure"), **how), time=24.0)["basis"] != "assumed"


def test_each_arm_of_a_contrast_is_known_in_its_own_way(data):
    counts = data.counts.copy()
    made = contrasts(data, Parameters(), study_id="pilot")
    first, second = str(made["row_id"].iloc[0]).split("|")
    counts.loc[counts["row_id"] == first, "basis"] = "assumed"
    counts.loc[counts["row_id"] == second, "basis"] = "derived"
    row = contrasts(replace(data, counts=counts), Parameters(), study_id="pilot").iloc[0]
    assert (row["basis1"], row["basis0"], row["basis"]) == ("assumed", "derived", "assumed")


def test_rows_that_do_not_count_do_not_enter(data):
    counts = data.counts.assign(counted=data.counts["arm_id"] == "old")
    assert set(rates(replace(data, counts=counts), Parameters(), study_id="pilot")["arm_id"]) == {"old"}


def test_a_percentage_printed_again_without_its_time_is_one_result(data):
    counts = data.counts
    dated = counts[counts["percent"].ne("") & counts["time"].notna() & counts["subgroup"].eq("")].iloc[[0]]
    again = dated.assign(row_id="again", time=math.nan, time_label="", counted=True)
    other = again.assign(row_id="other", percent="0.1", events=pd.NA)
    added = replace(data, counts=pd.concat([counts, again, other], ignore_index=True))
    shown = set(rates(added, Parameters(), study_id=str(dated["study_id"].iloc[0]))["row_id"])
    assert "again" not in shown
    assert "other" in shown
    larger = added.counts["n"].where(added.counts["row_id"] != "again", 999)
    apart = replace(added, counts=added.counts.assign(n=larger))
    assert "again" in set(rates(apart, Parameters())["row_id"])


@pytest.mark.parametrize(
    ("policy", "events", "n"), [("observed", 91, 104), ("failure", 91, 167), ("success", 91 + 63, 167)]
)
def test_missing_patients_are_treated_as_asked(data, policy, events, n):
    frame = rates(
        data, Parameters(missing_data=policy), study_id="register", outcome_ids=["count_ge30"], subgroup=""
    )
    row = one(frame, time=24.0)
    assert (row["events"], row["n"], row["policy"]) == (events, n, policy)
    assert (row["evaluated"], row["enrolled"]) == (104, 167)


def test_a_subgroup_is_completed_from_its_own_baseline_count(data):
    frame = rates(data, Parameters(missing_data="failure"), study_id="register", subgroup="stage")
    row = one(frame, level="chronic", time=24.0)
    assert (row["events"], row["n"]) == (48, 89)


def test_an_arm_counted_whole_is_left_alone(data):
    for policy in ("failure", "success"):
        frame = rates(data, Parameters(missing_data=policy), study_id="pilot")
        assert set(frame["policy"]) == {"observed"}


def lessened(data, outcome_id, **more):
    """Return the data with one patient of the pilot's new arm uncounted, and the row that says so."""
    counts = data.counts.copy()
    own = (counts["study_id"] == "pilot") & (counts["outcome_id"] == outcome_id) & (counts["subgroup"] == "")
    row = counts[own & counts["events"].notna() & counts["counted"].astype(bool)].iloc[0]
    place = counts["row_id"] == row["row_id"]
    counts.loc[place, "n"] = int(row["n"]) - 1
    for name, value in more.items():
        counts.loc[place, name] = value
    return replace(data, counts=counts), row


@pytest.mark.parametrize(
    ("analysis_set", "better", "policy"),
    [("unstated", "higher", "failure"), ("treated", "higher", "observed"), ("unstated", "lower", "observed")],
)
def test_a_response_counted_in_part_of_the_arm_is_completed(data, analysis_set, better, policy):
    less, row = lessened(data, "complete_response", analysis_set=analysis_set)
    less = replace(less, outcomes=less.outcomes.assign(better=better))
    frame = rates(less, Parameters(missing_data="failure"), study_id="pilot")
    found = one(frame, row_id=row["row_id"])
    assert (found["policy"], found["n"]) == (policy, row["n"] if policy == "failure" else row["n"] - 1)
    assert found["events"] == row["events"]


def test_a_combined_arm_stands_for_its_parts_where_they_have_no_result(data):
    arms = data.arms.copy()
    arms.loc[(arms["study_id"] == "cohort") & (arms["arm_id"] == "ab"), "combines"] = "b|c"
    whole = replace(data, arms=arms)
    asked = {"study_id": "cohort", "outcome_ids": ["efficacy"], "reference": "a"}
    assert set(contrasts(whole, Parameters(), **asked)["arm1"]) == {"b", "c"}
    parts = (data.counts["study_id"] == "cohort") & data.counts["arm_id"].isin(["b", "c"])
    alone = replace(whole, counts=data.counts[~parts])
    assert set(contrasts(alone, Parameters(), **asked)["arm1"]) == {"ab"}
    assert contrasts(alone, Parameters(), **asked, pairs="all").empty


def test_arms_that_share_patients_are_not_compared(data):
    arms = data.arms.copy()
    arms.loc[(arms["study_id"] == "cohort") & (arms["arm_id"] == "ab"), "combines"] = "a|b"
    parts = (data.counts["study_id"] == "cohort") & data.counts["arm_id"].isin(["b", "c"])
    alone = replace(data, arms=arms, counts=data.counts[~parts])
    assert contrasts(alone, Parameters(), study_id="cohort", outcome_ids=["efficacy"], reference="a").empty


def test_arms_and_times_come_in_the_order_of_the_tables(data):
    frame = rates(data, Parameters(), study_id="cohort", outcome_ids=["efficacy"])
    assert list(frame["arm_id"]) == ["a", "b", "ab", "c"]
    times = rates(data, Parameters(), study_id="pilot", outcome_ids=["complete_response"], subgroup="")[
        "time"
    ]
    assert list(times.drop_duplicates())[:2] == [3.0, 6.0]
    assert math.isnan(times.iloc[-1])


def test_a_contrast_is_the_experimental_arm_against_the_control(data):
    frame = contrasts(data, Parameters(), study_id="pilot", outcome_ids=["complete_response"], measure="RR")
    row = one(frame, time=3.0)
    assert (row["arm1"], row["arm0"], row["e1"], row["n0"]) == ("new", "old", 7, 96)
    assert row["estimate"] == pytest.approx((7 / 32) / (5 / 96))
    half = Z * math.sqrt(1 / 7 - 1 / 32 + 1 / 5 - 1 / 96)
    assert (row["low"], row["high"]) == pytest.approx((4.2 * math.exp(-half), 4.2 * math.exp(half)))
    assert row["basis"] == "derived"
    assert row["row_id"] == "pilot-c003|pilot-c004"


def test_the_number_needed_goes_with_the_risk_difference(data):
    frame = contrasts(data, Parameters(), study_id="pilot", outcome_ids=["complete_response"], measure="RD")
    assert one(frame, time=3.0)["number_needed"].startswith("NNTB 6 (")


def test_all_pairs_are_adjusted_by_holm(data):
    made = contrasts(
        data, Parameters(), study_id="cohort", outcome_ids=["efficacy"], pairs="all", measure="RD"
    )
    assert len(made) == 6
    smallest = made.sort_values("p")
    assert smallest["p_holm"].iloc[0] == pytest.approx(6 * smallest["p"].iloc[0])
    assert smallest["p_holm"].is_monotonic_increasing


def test_named_pairs_are_taken_as_named(data):
    made = contrasts(data, Parameters(), study_id="cohort", outcome_ids=["efficacy"], pairs=[("c", "ab")])
    assert [(row.arm1, row.arm0) for row in made.itertuples()] == [("c", "ab")]


def test_an_arm_that_combines_others_is_compared_with_none(data):
    made = contrasts(data, Parameters(), study_id="cohort", pairs="all")
    assert "all" not in {*made["arm1"], *made["arm0"]}


def test_an_effect_that_cannot_be_defined_is_empty_with_a_reason(data):
    made = contrasts(
        data, Parameters(), study_id="cohort", outcome_ids=["fatigue"], pairs=[("b", "ab")], measure="RR"
    )
    assert math.isnan(made["estimate"].iloc[0])
    assert "no events" in made["method"].iloc[0]


def test_the_reference_is_the_control_else_the_active_arm(data):
    assert reference_arm(data, "pilot") == "old"
    assert reference_arm(data, "cohort") == "a"
    assert reference_arm(data, "nothing") == ""


def test_interaction_of_risk_differences_is_the_q_between_levels(data):
    made = contrasts(
        data,
        Parameters(),
        study_id="pilot",
        outcome_ids=["complete_response"],
        subgroup="severity",
        measure="RD",
    )
    found = interaction(made[made["time"] == 6.0], level=0.95)

    def wald(e1, n1, e0, n0):
        p1, p0 = e1 / n1, e0 / n0
        return p1 - p0, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0

    (d1, v1), (d2, v2) = wald(9, 21, 10, 60), wald(2, 11, 4, 36)
    assert found.statistic == pytest.approx((d1 - d2) ** 2 / (v1 + v2))
    assert found.df == 1


def test_interaction_of_odds_ratios_is_breslow_days(data):
    made = contrasts(
        data,
        Parameters(),
        study_id="pilot",
        outcome_ids=["complete_response"],
        subgroup="severity",
        measure="OR",
    )
    assert "Breslow-Day" in interaction(made[made["time"] == 3.0], level=0.95).method
    assert interaction(made.iloc[0:1], level=0.95) is None


def test_the_omnibus_test_is_exact_where_counts_are_small(data):
    frame = omnibus(data, Parameters(), study_id="cohort", outcome_ids=["efficacy", "fatigue"])
    assert one(frame, outcome_id="efficacy")["method"] == "Pearson chi-square"
    assert one(frame, outcome_id="fatigue")["method"] == "Fisher-Freeman-Halton"


def test_ordered_levels_have_a_trend(data):
    frame = level_omnibus(
        data, Parameters(), study_id="register", outcome_ids=["count_ge30"], subgroup="stage"
    )
    assert frame["p_trend"].notna().all()
    assert list(frame["k"]) == [3] * 4


def test_levels_are_compared_in_pairs(data):
    made = level_contrasts(
        data, Parameters(), study_id="register", outcome_ids=["count_ge30"], subgroup="stage", measure="RD"
    )
    assert len(made) == 12
    row = one(made, time=24.0, arm1="newly", arm0="chronic")
    assert row["estimate"] == pytest.approx(26 / 27 - 48 / 59)


def test_a_class_is_written_as_its_own_outcome_labels_it():
    columns = ["outcome_id", "category", "category_label", "n_basis"]
    rows = [("grade", "0", "none", ""), ("status", "0", "0", ""), ("sex", "male", "males", ""),
            ("sex", "male", "Men", "header"), ("stage", "early_on", "", "")]  # fmt: skip
    data = SimpleNamespace(counts=pd.DataFrame(rows, columns=columns))
    row = {"outcome_id": "grade", "category": "0", "subgroup": "status", "level": "0"}
    assert class_labels(data, row) == ["None", "0"]
    assert class_labels(data, {**row, "level": ""}) == ["None"]
    assert class_labels(data, {**row, "category": "", "subgroup": "sex", "level": "male"}) == ["Men"]
    assert class_labels(data, {**row, "category": "", "subgroup": "stage", "level": "early_on"}) == [
        "Early on"
    ]
