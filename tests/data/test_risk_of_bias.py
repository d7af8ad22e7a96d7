"""The judgements in the data: complete, in the words of their tool, and with an overall one that follows."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

from evidence.data import Dataset, load
from evidence.synthesis.bias import OVERALL, SILENT, TOOLS, assessments, overall

ROOT = Path(__file__).parents[2]
Row = dict[str, str]


def table(name: str) -> list[Row]:
    with (ROOT / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


JUDGED: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
for one in table("risk_of_bias.csv"):
    JUDGED[one["study_id"], one["outcome_id"], one["tool"]].append(one)
FACTS = re.compile(r"external_facts\.csv, (\w+), rows? (\d+(?:(?:, | to )\d+)*)")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load(ROOT / "data")


@pytest.mark.parametrize(
    ("key", "rows"), JUDGED.items(), ids=lambda one: "-".join(one) if isinstance(one, tuple) else ""
)
def test_the_overall_judgement_follows_from_the_domains(key: tuple[str, str, str], rows: list[Row]):
    tool = next(tool for tool in TOOLS if tool.name == key[2])
    given = {row["domain"]: row["judgement"] for row in rows}
    assert list(given) == [*(domain.name for domain in tool.domains), OVERALL]
    assert set(given.values()) <= set(tool.scale)
    assert given.pop(OVERALL) == overall(given.values())


def test_every_judgement_has_a_reason_a_passage_and_a_reviewer():
    for row in table("risk_of_bias.csv"):
        assert row["reason"].endswith("."), row
        assert row["locator"], row
        assert row["reviewer"] == "one reviewer, from published text", row


def test_the_passages_in_the_external_facts_are_of_the_study_named():
    lines = (ROOT / "data" / "external" / "external_facts.csv").read_text(encoding="utf-8").splitlines()
    found = [match for row in table("risk_of_bias.csv") for match in FACTS.findall(row["locator"])]
    assert len(found) > 100
    for key, numbers in found:
        for number in re.findall(r"\d+", numbers):
            assert lines[int(number) - 1].startswith(f"{key},"), (key, number)


def test_a_passage_in_the_external_facts_never_stands_alone_in_an_unmatched_form():
    named = [row["locator"].count("external_facts.csv") for row in table("risk_of_bias.csv")]
    matched = [len(FACTS.findall(row["locator"])) for row in table("risk_of_bias.csv")]
    assert named == matched


def test_every_study_with_a_result_is_judged(data: Dataset):
    """Syntheses aside: they pool the results of others, which are judged where they stand."""
    outcomes = data.outcomes.set_index("outcome_id")["domain"]
    counts = data.counts[
        data.counts["outcome_id"].map(outcomes).isin(["efficacy", "safety"]) & (data.counts["time"] != 0)
    ]
    syntheses = set(data.studies.loc[data.studies["design"].str.contains("meta_analysis"), "study_id"])
    assert set(counts["study_id"]) - syntheses <= {one.study_id for one in assessments(data)}


def test_every_judged_result_has_a_figure_in_the_data(data: Dataset):
    known = set(zip(data.counts["study_id"], data.counts["outcome_id"], strict=True))
    assert {(one.study_id, one.outcome_id) for one in assessments(data)} <= known


def test_studies_that_answer_a_question_are_judged_on_its_outcome(data: Dataset):
    judged = {(one.study_id, one.outcome_id) for one in assessments(data)}
    for question in data.questions.to_dict("records"):
        designs = str(question["designs"]).split("|")
        studies = data.studies[data.studies["design"].isin(designs)]
        for name in ("indication", "population"):
            if question[name]:
                studies = studies[studies[name] == question[name]]
        counts = data.counts[data.counts["outcome_id"] == question["outcome_id"]]
        for study in set(counts["study_id"]) & set(studies["study_id"]):
            assert (study, question["outcome_id"]) in judged, (question["question_id"], study)


def test_trials_and_cohorts_are_judged_with_the_tool_for_their_design(data: Dataset):
    compared = data.studies.set_index("study_id")["comparator"].fillna("")
    for one in assessments(data):
        assert (one.tool.name == "Murad 2018") == (compared[one.study_id] == ""), one.study_id


def test_without_external_evidence_no_domain_is_lost_and_none_gets_better():
    seeds = {
        (one.study_id, one.outcome_id): one
        for one in assessments(load(ROOT / "data", include_external=False))
    }
    whole = {(one.study_id, one.outcome_id): one for one in assessments(load(ROOT / "data"))}
    assert 0 < len(seeds) < len(whole)
    for key, one in seeds.items():
        pairs = zip(one.judgements, whole[key].judgements, strict=True)
        assert all(own.judgement in (other.judgement, SILENT) for own, other in pairs)
