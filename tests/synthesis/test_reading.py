import copy
from dataclasses import replace
from pathlib import Path

import pytest

import evidence
from evidence.errors import DataError
from evidence.questions import answer
from evidence.synthesis.certainty import REACH, WORDS, certainty, imprecision_step
from evidence.synthesis.reading import UNREAD, VENDOR, caveats, report_read, unstated, vendor_only

from ..conftest import TABLES
from .invented import dataset, emptied, study
from .test_certainty import judged as judge_domains

P = evidence.Parameters()
ROOT = Path(__file__).parents[2]
LARGE = (450, 1000, 300, 1000)


def of(folder, *, source=(), question=(), four=LARGE, **changes):
    """Return the dataset and the answer of one study, its document and the question changed."""
    tables = emptied()
    tables["sources"] = [TABLES["sources"][0] | {"origin": "seed"} | dict(source)]
    tables["questions"] = [TABLES["questions"][0] | dict(question)]
    study(tables, "trial_0", four, label="Trial 0", **changes)
    data = dataset(folder, tables)
    return data, answer("cured_6m", data, P)


def step(sure, domain):
    return next(one for one in sure.steps if one.domain == domain)


@pytest.mark.parametrize(
    ("origin", "tier", "expected"),
    [("seed", "primary", True), ("external", "primary", False), ("seed", "vendor", False)],
)
def test_a_report_is_read_only_where_it_is_the_studys_own_and_was_read_in_full(
    tmp_path, origin, tier, expected
):
    data, _ = of(tmp_path, source={"origin": origin, "tier": tier})
    assert report_read(data, "trial_0") is expected


@pytest.mark.parametrize(
    ("randomised", "population", "missing"),
    [
        ("yes", "adults", ()),
        ("", "adults", ("randomisation",)),
        ("yes", "", ("patients",)),
        ("", "", ("randomisation", "patients")),
        ("no", "adults", ()),
    ],
)
def test_what_is_not_stated_is_said_with_the_level_and_nothing_else_is(
    tmp_path, randomised, population, missing
):
    asked = {"population": ""}
    data, one = of(
        tmp_path, source={"origin": "external"}, question=asked, randomised=randomised, population=population
    )
    assert unstated(one.finding.studies[0]) == missing
    told = caveats(one.finding, data)
    assert len(told) == bool(missing)
    for text in told:
        assert all(word in text for word in missing)
        assert text.startswith(UNREAD)
    sure = certainty(one, data, P)
    assert sure.caveats[: len(told)] == told
    assert sure.caveats[len(told) :] == ((REACH.format(WORDS[sure.at_most]),) if missing else ())


def judged(folder, judgement, *, origin="external", **changes):
    """Return the certainty of one trial whose risk of bias was judged once, from a document of that origin."""
    tables = emptied()
    tables["sources"] = [TABLES["sources"][0] | {"origin": origin}]
    tables["questions"] = [TABLES["questions"][0] | {"population": ""}]
    study(tables, "trial_0", LARGE, label="Trial 0", **changes)
    judge_domains(tables, "trial_0", "RoB 2", judgement)
    data = dataset(folder, tables)
    return certainty(answer("cured_6m", data, P), data, P)


@pytest.mark.parametrize(
    ("judgement", "changes", "origin", "lost", "silent"),
    [
        ("no information", {}, "external", 1, 1),
        ("no information", {"randomised": ""}, "external", 2, 2),
        ("no information", {"population": ""}, "external", 2, 2),
        ("high", {}, "external", 1, 0),
        ("high", {"randomised": ""}, "external", 2, 1),
        ("low", {}, "external", 0, 0),
        ("no information", {"randomised": ""}, "seed", 2, 0),
    ],
)
def test_the_level_that_silence_costs_is_told_apart_from_what_was_found(
    tmp_path, judgement, changes, origin, lost, silent
):
    sure = judged(tmp_path, judgement, origin=origin, **changes)
    others = sum(step.levels for step in sure.steps if step.domain == "imprecision")
    assert 4 + others - sure.level == lost
    assert sure.at_most - sure.level == sure.silent == silent
    assert (REACH.format(WORDS[sure.at_most]) in sure.caveats) == bool(silent)


def test_where_the_report_was_read_nothing_says_that_it_was_not(tmp_path):
    data, one = of(tmp_path, randomised="")
    assert caveats(one.finding, data) == ("randomisation not stated in what was read",)


def test_patients_of_whom_nothing_was_read_cost_a_level_of_indirectness(tmp_path):
    known = certainty(*reversed(of(tmp_path / "known", question={"population": ""})), P)
    unknown = certainty(*reversed(of(tmp_path / "not", question={"population": ""}, population="")), P)
    assert step(known, "indirectness").levels == 0
    assert step(unknown, "indirectness").levels == -1
    assert step(unknown, "indirectness").basis == "computed"
    assert "cannot be judged" in step(unknown, "indirectness").reason
    assert unknown.level == known.level - 1


def test_what_a_reviewer_found_on_indirectness_stays_beside_unknown_patients(tmp_path):
    tables = emptied()
    tables["questions"] = [TABLES["questions"][0] | {"population": ""}]
    study(tables, "trial_0", LARGE, population="")
    tables["certainty"] = [
        {"question_id": "cured_6m", "domain": "indirectness", "levels": "-2", "reason": "Another drug.", "reviewer": "one"}
    ]  # fmt: skip
    data = dataset(tmp_path, tables)
    found = step(certainty(answer("cured_6m", data, P), data, P), "indirectness")
    assert found.levels == -2
    assert found.reason.endswith("Another drug.")


def test_only_what_a_seller_printed_alone_is_called_so(tmp_path):
    data, one = of(tmp_path / "seller", source={"tier": "vendor"})
    assert vendor_only(one.finding, data)
    assert VENDOR in caveats(one.finding, data)
    data, one = of(tmp_path / "own")
    assert not vendor_only(one.finding, data)


def test_risk_of_bias_is_never_set_by_hand(tmp_path):
    tables = copy.deepcopy(emptied())
    study(tables, "trial_0", LARGE)
    row = {"question_id": "cured_6m", "domain": "risk_of_bias", "reason": "so", "reviewer": "one"}
    with pytest.raises(DataError, match=r"certainty\.csv:2 domain risk_of_bias: allowed are"):
        dataset(tmp_path / "typed", tables | {"certainty": [row | {"levels": "-3"}]})
    data = dataset(tmp_path / "none", tables)
    assert step(certainty(answer("cured_6m", data, P), data, P), "risk_of_bias").basis == "computed"
    real = evidence.load(ROOT / "data")
    assert not set(real.certainty["domain"]) & {"risk_of_bias", "imprecision", "inconsistency"}


def test_a_single_arm_that_was_not_counted_whole_loses_a_level_more():
    data = evidence.load(ROOT / "data")
    late, early = (answer(one, data, P) for one in ("itp_ge30_24w", "itp_ge30_6w"))
    bias = [step(certainty(one, data, P), "risk_of_bias") for one in (late, early)]
    assert bias[0].levels == bias[1].levels - 1
    arm = late.finding.studies[0].treatment
    assert f"{arm.n} counted, of {arm.group}" in bias[0].reason


@pytest.mark.parametrize("question", ["saa_or_6m", "cit_efficacy_monotherapy", "itp_p3_2_5", "saa_cr_6m"])
def test_the_reason_for_imprecision_says_where_the_interval_includes_no_difference(question):
    one = answer(question, evidence.load(ROOT / "data"), P)
    shown = one.finding.each if one.finding.side_by_side else (one.difference,)
    includes = [each for each in shown if each.low <= 0 <= each.high]
    reason = imprecision_step(one.finding, important=one.important / 1000).reason
    assert ("includes no difference" in reason) == bool(includes)
    moved = {"difference": replace(one.difference, low=-0.01, high=0.01)}
    moved["each"] = tuple(replace(each, low=-0.01, high=0.01) for each in one.finding.each)
    assert "includes no difference" in imprecision_step(replace(one.finding, **moved), important=0.1).reason
