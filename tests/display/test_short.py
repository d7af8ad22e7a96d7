"""What a chapter says in two sentences follows the data and the parameters."""

import functools
import re
from pathlib import Path

import pytest

import evidence
from evidence.display.labels import lower_first
from evidence.display.short import (
    NOTHING,
    definitions_in_short,
    findings_in_short,
    in_short,
    quoted,
    registered_in_short,
    statements_in_short,
    study_in_short,
)
from evidence.display.tables.answered import split_title
from evidence.display.tables.certain import certain_table
from evidence.display.tables.protocols import awaited
from evidence.display.verdicts import verdict_words
from evidence.parameters import Parameters
from evidence.results import rates
from evidence.synthesis.certainty import certainty
from evidence.wording import SIGNS, per_1000, told_difference

ROOT = Path(__file__).parents[2]
P = Parameters()


@functools.cache
def real():
    return evidence.load(ROOT / "data")


@functools.cache
def rated():
    """Return every answer with its certainty, in the order of the questions."""
    asked = real().questions.sort_values("order")["question_id"]
    made = [evidence.answer(one, real(), P) for one in asked]
    return [(one, certainty(one, real(), P)) for one in made]


def read(prose):
    """Return a short text as it is read."""
    text = re.sub(r"\n>(?: - |\n> - )", " ", prose.text)
    return re.sub(r"</?span[^>]*>|\\|\*\*", "", text).removeprefix("> In short. ")


def test_one_answer_is_told_with_its_numbers_and_its_certainty():
    one = evidence.answer("saa_cr_6m", real(), P)
    said = read(in_short(real(), P, "saa_cr_6m"))
    numbers = {str(per_1000(risk.estimate)) for risk in (one.treatment, one.control)}
    assert numbers <= set(re.findall(r"\d+", said))
    assert told_difference(one.difference.limits, interval="95% CI", unit=False) in said
    assert said.endswith("very low certainty. (†\N{NO-BREAK SPACE}count that follows from printed figures.)")


def test_a_short_text_signs_its_counts_and_explains_its_signs_alone():
    for one in real().questions["question_id"]:
        found = evidence.answer(one, real(), P)
        arms = [found.finding.studies[0].treatment, found.finding.studies[0].comparator]
        signs = {sign for arm in arms if arm for sign in arm.sign} - {""}
        said = read(in_short(real(), P, one))
        told, _, legend = said.rpartition(". (")
        assert {sign for sign in SIGNS.values() if sign in told} == signs, one
        assert {sign for sign in SIGNS.values() if sign in legend} == signs, one


@pytest.mark.parametrize(
    ("study", "signs"),
    [("itp_realworld", ""), ("eltrombopag_china", "‡§"), ("patel_epag", "§"), ("nma_karger", "§")],
)
def test_the_short_text_of_a_study_says_how_its_numbers_are_known(study, signs):
    told, _, legend = read(study_in_short(real(), P, study_id=study)).rpartition(". (")
    if not signs:
        assert not any(sign in legend for sign in SIGNS.values())
        return
    assert signs in told
    assert all(sign in legend for sign in signs)


def test_a_percentage_without_a_count_has_no_sign_of_a_count():
    data = evidence.load(Path(__file__).parents[2] / "data", include_derived=False)
    for study in ("itp_persistent", "eltrombopag_china"):
        said = read(study_in_short(data, P, study_id=study))
        assert "no count printed" in said
        assert not {"†", "‡"} & set(said), study


def test_the_short_text_of_a_doubtful_result_says_so():
    said = read(study_in_short(real(), P, study_id="itp_persistent"))
    assert "of 32‡§¶; 95% CI" in said
    assert said.endswith("the audit says why.)")


def test_several_answers_are_the_points_of_a_list_each_with_what_it_is_about_in_front():
    asked = ["saa_cr_6m", "saa_or_6m"]
    titles = [split_title(evidence.answer(one, real(), P).title)[1] for one in asked]
    heading, blank, *points = in_short(real(), P, *asked, "And a sentence.").text.split("\n")
    assert (heading, blank) == ("> **In short.**", ">")
    starts = [*(f"> - **{title}:** " for title in titles), "> - And a sentence."]
    assert all(point.startswith(start) for point, start in zip(points, starts, strict=True))


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_the_interval_follows_the_level(level):
    parameters = Parameters(confidence_level=level)
    one = evidence.answer("saa_cr_6m", real(), parameters)
    assert f"{100 * level:g}% CI {abs(per_1000(one.difference.low))}" in read(
        in_short(real(), parameters, "saa_cr_6m")
    )


def test_of_many_answers_comparisons_are_counted_and_studies_that_share_patients_once():
    asked = list(real().questions.loc[real().questions["indication"] == "ITP", "question_id"])
    answers = [one for one in (evidence.answer(each, real(), P) for each in asked) if one.control]
    parents = dict(zip(real().studies["study_id"], real().studies["parent_study_id"], strict=True))
    studies = {study for one in answers for study in one.studies}
    families = {parents[study] or study for study in studies}
    assert len(families) < len(studies)
    told = f"{len(answers)} comparisons come from {len(families)} studies with different patients"
    assert told in read(in_short(real(), P, *answers))


def test_the_most_certain_answers_lead_the_summary_of_findings():
    best = max(sure.level for _, sure in rated())
    leading = [one for one, sure in rated() if sure.level == best and one.difference]
    table = certain_table(real(), P)
    lines = [[cell.text for cell in row] for row in table.rows]
    shown = [line for line in lines if not line[0].startswith("of these")]
    assert len(shown) == len(leading)
    for one in leading:
        told = [str(per_1000(one.control.estimate)), str(per_1000(one.treatment.estimate))]
        told.append(told_difference(one.difference.limits, unit=False))
        assert [line[1:4] for line in shown].count(told) == 1


def test_the_summary_of_findings_begins_with_a_line_for_every_disease():
    said = findings_in_short(real(), P).text
    first = real().questions.sort_values("order").drop_duplicates("indication")
    assert len(first) > 2
    for title in first["title"]:
        whom = split_title(title)[0]
        some = [one for one in rated() if split_title(one[0].title)[0] == whom]
        assert f"**{whom}:** {lower_first(verdict_words(some))}; " in said
    compared = [one for one, _ in rated() if one.control]
    assert f"{len(compared)} comparisons come from" in said


def test_results_without_a_comparison_say_how_many_more_studies_they_come_from():
    answers = [evidence.answer(one, real(), P) for one in real().questions["question_id"]]
    compared = {study.family for one in answers if one.control for study in one.finding.studies}
    every = {study.family for one in answers for study in one.finding.studies}
    more = len(every - compared)
    assert f"without a comparison, from {more} more stud" in read(findings_in_short(real(), P))


def test_no_chapter_counts_how_many_intervals_leave_out_no_difference():
    for group in ("ITP", "SAA", "CIT"):
        wide, narrow = (
            read(in_short(real(), Parameters(confidence_level=level), indication=group)).partition(". ")[2]
            for level in (0.9999, 0.6)
        )
        counted = re.compile(r"\d+ comparisons? .*? patients")
        assert counted.findall(wide) == counted.findall(narrow)
        assert "one side" not in wide + narrow


def test_a_share_of_fewer_patients_than_the_group_has_says_so():
    one = evidence.answer("itp_ge30_24w", real(), P)
    arm = one.finding.studies[0].treatment
    size = (
        real()
        .arms.set_index(["study_id", "arm_id"])
        .loc[("itp_realworld", one.included["arm_id"].iloc[0]), "n"]
    )
    told = f"{arm.events} of {arm.n} counted, of {size} in the group"
    assert arm.n < size
    assert told in read(in_short(real(), P, "itp_ge30_24w"))
    assert told in one.sentence
    worst = evidence.answer("itp_ge30_24w", real(), Parameters(missing_data="failure"))
    assert f"{per_1000(worst.treatment.estimate)} per 1,000 if none of the others had it" in one.sentence
    assert "in the group" not in worst.sentence


def test_a_doubtful_number_of_patients_is_told_with_the_answer():
    said = read(in_short(real(), P, "saa_hpag_epag_cr"))
    assert "the number of patients with hetrombopag + IST is doubtful" in said
    assert "doubtful" not in read(in_short(real(), P, "saa_cr_6m"))


def test_an_uncertain_direction_is_called_so():
    assert "direction not clear" in read(in_short(real(), P, "saa_or_6m"))


def test_without_data_no_number_is_given():
    gone = real().without(list(real().studies["study_id"]))
    assert "no data" in read(in_short(gone, P, "saa_cr_6m"))
    assert read(quoted([])) == NOTHING
    assert read(study_in_short(gone, P, study_id="saa_pilot")) == NOTHING
    assert read(registered_in_short(gone)) == NOTHING


def test_a_study_is_told_with_the_share_in_every_arm():
    frame = rates(real(), P, study_id="itp_phase3", outcome_ids=["platelets_ge50"], subgroup="")
    said = read(study_in_short(real(), P, study_id="itp_phase3"))
    counts = [f"{events} of {n}" for events, n in zip(frame["events"], frame["n"], strict=True)]
    assert len(counts) == 3
    assert all(count in said for count in counts)


def test_every_study_has_two_sentences_in_one_paragraph():
    studies = real().studies
    for study, design in zip(studies["study_id"], studies["design"], strict=True):
        text = study_in_short(real(), P, study_id=study).text
        silent = design in ("product_label", "pharmacokinetic")  # nobody was asked for a response
        assert text.startswith("> **In short.** ") or (silent and not text), study
        assert "\n" not in text
        assert "_" not in read(study_in_short(real(), P, study_id=study)), study


def test_trials_without_results_are_counted_by_state():
    said = read(registered_in_short(real()))
    assert said.startswith(f"{len(awaited(real()))} trials")


def test_definitions_and_statements_are_counted():
    rows = definitions_in_short(real(), P)
    assert re.search(r"counts \d+ of \d+§ \(\d+\.\d%\)", read(rows))
    assert re.search(r'row [\w-]+">\d+ of \d+§ ', rows.text)
    assert re.match(r"\d+ statements", read(statements_in_short(real(), kinds=["identity", "other"])))
