"""The audit of this project's own documents: every finding checked by hand, and what must be found."""

import csv
import time
from pathlib import Path

import pytest

from evidence.audit import CHECKS, audit
from evidence.audit.run import COLUMNS

# finding_id, first row and what was read in the source; a finding that is new here has to be checked by hand first
CHECKED = Path(__file__).with_name("checked.csv")


def rows_of(found, check, verdict=None):
    wanted = found[found["check"] == check]
    return wanted if verdict is None else wanted[wanted["verdict"] == verdict]


def test_every_inconsistent_finding_was_checked_by_hand(found):
    with CHECKED.open(encoding="utf-8", newline="") as file:
        checked = {row["finding_id"]: row for row in csv.DictReader(file)}
    inconsistent = found[found["verdict"] == "inconsistent"]
    unchecked = inconsistent[~inconsistent["finding_id"].isin(list(checked))]
    assert unchecked[["finding_id", "row_id", "why"]].to_dict("records") == []
    assert set(checked) == set(inconsistent["finding_id"]), (
        "checked.csv lists findings that are no longer made"
    )
    assert all(row["note"] for row in checked.values())


def test_the_frame_has_the_promised_columns_and_values(found):
    assert tuple(found.columns) == COLUMNS
    assert set(found["verdict"]) <= {"consistent", "rounding", "inconsistent", "not_checkable"}
    assert set(found["consequence"]) <= {"conclusion", "number", "cosmetic", ""}
    assert found["finding_id"].is_unique
    assert (found["why"] != "").all()
    assert (found["row_id"] != "").all()
    changed = found[found["verdict"].isin(["inconsistent", "rounding"])]
    assert (changed["consequence"] != "").all()


def test_every_check_has_its_own_name_and_says_what_it_does():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.run.__doc__ for check in CHECKS)
    assert len({check.family for check in CHECKS}) == 11


def test_findings_do_not_depend_on_the_order_of_rows(real, found):
    import dataclasses

    tables = {
        name: frame.sample(frac=1, random_state=3)
        for name, frame in real.tables.items()
        if name not in real.extra
    }
    turned = audit(dataclasses.replace(real, **tables, _found={}))
    assert set(turned["finding_id"]) == set(found["finding_id"])


def test_the_whole_audit_takes_well_under_five_seconds(real):
    start = time.process_time()
    audit(real)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("check", "row", "verdict", "words"),
    [
        ("statistics_stand_beside_their_p", "cit_cohort-t069", "inconsistent", "The data give every printed P (Wald chi-square, ± read as standard errors), so no conclusion changes; 7.665 should then be 7.892"),
        ("spread_is_what_it_says", "cit_cohort-m010", "inconsistent", "are standard errors, not standard deviations"),
        ("effect_recomputes", "cit_cohort-t055", "inconsistent", "what is printed is the inverse"),
        ("patients_fit_means_and_intervals", "cit_cohort-t108", "inconsistent", "n = 33, 9, 13, 16"),
        ("patients_fit_f", "cit_cohort-t106", "inconsistent", "70 to 80 patients, not with 187"),
        ("percent_is_possible", "cit_cohort-c011", "rounding", "No count out of 187 rounds to 19.2%"),
        ("classes_cover_every_value", "cit_cohort-c081", "inconsistent", "Exactly 5 is in no class"),
        ("centre_is_what_it_is_called", "cit_cohort-m030", "inconsistent", "called a median"),
        ("non_inferiority_has_a_margin", "cit_cohort-l019", "inconsistent", "without a margin"),
        ("statistic_is_what_its_label_says", "cit_cohort-t129", "inconsistent", "Fisher-Freeman-Halton"),
        ("same_ratio_one_percent", "cit_cohort-c017", "rounding", "43.7% and 43.8%"),
        ("quoted_grades_fit_total", "cit_cohort-l090", "not_checkable", "leave 0.3 points"),
        ("significance_survives_holm", "cit_cohort-t085", "not_checkable", "none of the 3 that are significant survives"),
        ("percent_is_possible", "saa_pilot-c032", "rounding", "No count out of 32 rounds to 65%"),
        ("rounding_is_one_habit", "saa_pilot-c007", "rounding", "rounds halves down"),
        ("p_is_not_zero", "saa_pilot-t007", "rounding", "No P value is 0"),
        ("percent_is_possible", "vendor_notes-c007", "rounding", "44/67 = 65.67% gives it only if its digits are cut off. Rounded, it and 31.3% of the same patients together fit 32 or 64"),
        ("percent_is_possible", "vendor_notes-c009", "rounding", "No count out of 67 rounds to 65.6%"),
        ("test_recomputes", "vendor_notes-t002", "inconsistent", "P printed 0.59, recomputed 0.759"),
        ("test_recomputes", "saa_pilot-t003", "consistent", "N-1 chi-square test gives it"),
        ("tests_are_named", "saa_pilot-t001", "not_checkable", "N-1 chi-square test gives every one"),
        ("claims_do_not_contradict", "saa_pilot-l034", "inconsistent", "(very severe)"),
        ("safety_claims_have_counts", "saa_pilot-l042", "not_checkable", "no count of it is printed"),
        ("medians_are_of_everybody", "saa_pilot-m001", "not_checkable", "15 of 32"),
        ("medians_are_of_everybody", "saa_pilot-m003", "not_checkable", "11 of 32"),
        ("subgroups_are_alike", "itp_realworld-l010", "not_checkable", "missing as failure"),
        ("rates_are_of_everybody", "itp_realworld-c009", "not_checkable", "the printed rise becomes a fall"),
        ("subgroups_add_up", "itp_realworld-c009", "consistent", "add up to the whole study"),
        ("other_tables_hold_with_implied_patients", "cit_cohort-m024", "inconsistent", "If only 13 of 36"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_there_is_found(found, check, row, verdict, words):
    rows = rows_of(found, check)
    rows = rows[rows["row_id"].str.split("|").map(lambda ids: row in ids)]
    assert verdict in set(rows["verdict"])
    assert any(words in why for why in rows["why"]), rows["why"].tolist()


def rows_in(found, *checks):
    return {row for ids in found.loc[found["check"].isin(checks), "row_id"] for row in ids.split("|")}


def test_every_percentage_of_a_printed_number_is_held_against_it_wherever_it_is_printed(real, found):
    counts = real.counts[
        (real.counts["percent"] != "") & real.counts["n"].notna() & (real.counts["derived_from"] == "")
    ]
    arms = set(zip(real.arms["study_id"], real.arms["arm_id"], strict=True))
    own = [pair in arms for pair in zip(counts["study_id"], counts["arm_id"], strict=True)]
    assert set(counts.loc[own, "row_id"]) <= rows_in(found, "percent_matches_count", "percent_is_possible")
    assert (counts.loc[own, "cites"] != "").any()
    assert (counts.loc[own, "origin"] == "external").any()


def test_every_printed_test_between_known_arms_is_done_again_wherever_it_is_printed(real, found):
    arms = set(zip(real.arms["study_id"], real.arms["arm_id"], strict=True))
    tests = real.tests[(real.tests["p"] != "") | (real.tests["statistic"] != "")]
    known = tests[
        [
            all((study, arm) in arms for arm in names.split("|") if arm)
            for study, names in zip(tests["study_id"], tests["arms"], strict=True)
        ]
    ]
    done = rows_in(found, "test_recomputes", "statistics_stand_beside_their_p")
    assert set(known["row_id"]) <= done
    assert (known["cites"] != "").any()


def test_a_quotation_and_what_the_study_prints_are_compared_once(real, found):
    quoted = set(real.counts.loc[real.counts["cites"] != "", "row_id"])
    pairs = rows_of(found, "counts_agree_everywhere")["row_id"].str.split("|")
    assert not [ids for ids in pairs if ids[0] in quoted and ids[1] not in quoted]


def test_the_package_can_be_called_as_the_function_of_the_same_name(real, found):
    import evidence.audit

    assert evidence.audit(real)["finding_id"].tolist() == found["finding_id"].tolist()
