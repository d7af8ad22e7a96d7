"""Claims against what stands behind them: comparisons in words, questionable tests, the authors' own caveats."""

import pytest

from evidence.audit.part_sizes import PartSizes, part_sizes

TESTED = "superiority_is_shown"
COMPARED = "comparisons_are_within_a_study"
PARTS = "parts_are_of_those_they_say"
PART = {"study_id": "part_a", "label": "Part A", "indication": "SAA", "n": "20", "parent_study_id": "trial_a", "status": "completed", "origin": "seed"}  # fmt: skip


@pytest.mark.parametrize(("p", "verdict"), [("0.020", "not_checkable"), ("0.010", "consistent")])
def test_a_test_that_does_not_survive_holm_does_not_bear_a_claim_out(audited, rows, p, verdict):
    pairs = {"drug|placebo": p, "drug|other": "0.600", "placebo|other": "0.700"}
    tests = [rows.test(one, arms, "level") for arms, one in pairs.items()]
    claims = [rows.claim("superior", "level", paraphrase="Level was better.")]
    found = audited(arms=rows.arms(drug=50, placebo=50, other=50), tests=tests, claims=claims).one(TESTED)
    assert found["verdict"] == verdict
    assert ("does not survive Holm's adjustment (P = 0.060)" in found["why"]) == (verdict == "not_checkable")


@pytest.mark.parametrize(("p", "verdict"), [("0.010", "not_checkable"), ("0.046", "consistent")])
def test_a_p_that_the_counts_do_not_give_does_not_bear_a_claim_out(audited, rows, p, verdict):
    counts = [rows.count(events="30"), rows.count("placebo", events="20")]
    claims = [rows.claim("superior", paraphrase="More were cured.")]
    found = audited(counts=counts, tests=[rows.test(p)], claims=claims).one(TESTED)
    assert found["verdict"] == verdict
    assert ("does not follow from the printed figures" in found["why"]) == (verdict == "not_checkable")


def test_a_claim_in_other_words_is_a_question_and_tells_what_the_document_admits(audited, rows):
    claims = [
        rows.claim("superior", "lasting_cure", paraphrase="Early cure was better."),
        rows.claim("no_difference", "lasting_cure", paraphrase="The gap was not significant.", time="6", time_unit="month"),
    ]  # fmt: skip
    found = audited(tests=[rows.test("0.350", outcome="lasting_cure")], claims=claims)
    one = found.one(TESTED)
    assert (one["verdict"], one["consequence"]) == ("not_checkable", "conclusion")
    assert "The document says so itself: not significant at 6 months" in one["why"]
    assert one["why"].endswith("This takes early cure to mean lasting cure.")
    assert found.of("claims_do_not_contradict") == []


def test_patients_of_two_studies_are_no_comparison(audited, rows):
    claims = [
        rows.claim("comparable", arms="drug", cites="7"),
        rows.claim("comparable", outcome="", arms="", cites="8"),
    ]
    counts = [rows.count("placebo", percent="6.0", n="")]
    across, worded = audited(counts=counts, claims=claims).of(COMPARED)
    assert {across["verdict"], worded["verdict"]} == {"not_checkable"}
    assert "without a test or a margin" not in worded["why"]
    assert across["why"].startswith("What is called alike, cured with drug, is of another study than ")
    assert "never in one study" in across["why"]
    assert "reference 8 of the document" in worded["why"]
    within = rows.claim("comparable", arms="drug|placebo")
    assert audited(claims=[within]).of(COMPARED) == []


def part_of_a_trial(rows, counted):
    everybody = rows.arms(drug=50, placebo=50)
    all_ = everybody[0] | {
        "arm_id": "all",
        "label": "All",
        "n": "100",
        "combines": "drug|placebo",
        "role": "",
    }
    part = [one | {"study_id": "part_a", "n": "10"} for one in everybody]
    counts = [
        rows.baseline("drug", "stage", "I", 12), rows.baseline("placebo", "stage", "I", 8),
        rows.baseline("all", "stage", "early", 20, counted),
        rows.count(study_id="part_a", events="6", n="12"), rows.count("placebo", study_id="part_a", events="1", n="8"),
    ]  # fmt: skip
    studies = [{"study_id": "trial_a", "label": "Trial A", "indication": "SAA", "n": "100", "status": "completed", "origin": "seed"}, PART]  # fmt: skip
    return {"arms": [*everybody, all_, *part], "counts": counts, "studies": studies}


@pytest.mark.parametrize(("counted", "verdicts"), [(70, ["not_checkable"]), (95, ["consistent"]), (100, [])])
def test_a_part_sized_by_all_patients_is_hardly_a_part_of_fewer(audited, rows, counted, verdicts):
    found = audited(**part_of_a_trial(rows, counted))
    assert found.verdicts(PARTS) == verdicts
    if verdicts:
        assert f"printed as a part of {counted}" in found.one(PARTS)["why"]


def test_a_part_is_held_against_the_classes_of_its_own_study(audited, rows):
    given = part_of_a_trial(rows, 70)
    given["studies"].append(given["studies"][0] | {"study_id": "trial_b", "label": "Trial B"})
    given["arms"] += [one | {"study_id": "trial_b"} for one in rows.arms(drug=50, placebo=50)]
    given["counts"] += [
        rows.baseline(arm, "stage", "I", 9, study_id="trial_b") for arm in ("drug", "placebo")
    ]
    found = audited(**given).one(PARTS)
    assert (found["reported"], found["recomputed"]) == ("20 of 70", "12 + 8 of 100")


def test_the_chance_is_that_of_drawing_everybody_left_out_from_outside_the_part(real):
    small = PartSizes((), (), "", (2, 3), 5, 8, 10)
    assert small.p == pytest.approx(5 * 4 / (10 * 9))
    named = {one.rows[0].partition("-")[0]: one for one in part_sizes(real)}
    assert named
    assert all(one.part == sum(one.sizes) < one.some < one.everybody for one in named.values())


def test_a_claim_with_arms_or_an_outcome_is_more_than_words(audited, rows):
    for claim in (rows.claim("comparable", arms=""), rows.claim("comparable", outcome="")):
        assert audited(claims=[claim]).of(COMPARED) == []


def test_the_rate_of_another_study_is_shown_with_its_unit(audited, rows):
    claim = rows.claim("comparable", arms="drug", value="6.0", unit="%")
    assert audited(claims=[claim]).one(COMPARED)["recomputed"] == "6.0%"
