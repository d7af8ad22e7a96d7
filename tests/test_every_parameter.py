"""Every parameter changes something that the report shows: a number, or the look of a figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import evidence as ev
from evidence import display as make
from evidence.data import Dataset
from evidence.parameters import PARAMETERS, Parameters, set_rounding, set_theme

ROOT = Path(__file__).parents[1]
COHORT = {"study_id": "cit_cohort", "outcome_ids": ["treatment_efficacy"]}
TRIALS = {"designs": ["randomised_trial", "controlled_trial"], "indication": "ITP"}
NETWORK = {"outcome_ids": ["platelets_ge50"], "window": (6, 8, "week"), **TRIALS}
WIDER = {
    "outcome_ids": ["platelets_ge50", "platelets_gt50", "platelet_response"],
    "indication": "ITP",
    "except_populations": ["persistent"],
}


@cache
def data(**rows: Any) -> Dataset:
    return ev.dataset(Parameters(data_dir=str(ROOT / "data"), **rows))


def rows_of(p: Parameters) -> Dataset:
    names = ("include_external", "include_derived", "primary_only", "excluded_studies", "subgroups",
             "outcome_threshold")  # fmt: skip
    return data(**{name: getattr(p, name) for name in names if name in p.changed()})


def answers(p: Parameters) -> Any:
    questions = ("saa_cr_6m", "itp_p3_5", "saa_hpag_epag_cr")
    return make.answers_table([ev.answer(one, rows_of(p), p) for one in questions], rows_of(p), p)


def rates(p: Parameters) -> Any:
    return make.rates_table(rows_of(p), p, **COHORT)


def over_time(p: Parameters) -> Any:
    return make.rates_table(rows_of(p), p, study_id="itp_realworld", outcome_ids=["platelets_ge30"])


def subgroups(p: Parameters) -> Any:
    return make.rates_table(
        rows_of(p), p, study_id="saa_pilot", outcome_ids=["complete_response"], subgroup="aa_severity"
    )


def pooled(p: Parameters) -> Any:
    return make.network_sets_table(rows_of(p).where(indication="ITP"), p, sets={"Any": WIDER})


def checks(p: Parameters) -> Any:
    return make.audit_checks_table(rows_of(p).only({"cit_cohort"}), p)


def league(p: Parameters) -> Any:
    return make.league_table(rows_of(p).where(indication="ITP"), p, **NETWORK)


def margin(p: Parameters) -> Any:
    return make.noninferiority_table(rows_of(p), p, **COHORT)


def drawn(p: Parameters) -> Any:
    return make.rates_figure(rows_of(p), p, **COHORT)


SHOWN: dict[str, tuple[Any, Callable[[Parameters], Any]]] = {
    "confidence_level": (0.9, rates),
    "proportion_method": ("jeffreys", rates),
    "effect_measure": ("OR", answers),
    "difference_method": ("wald", answers),
    "pooling_method": ("FE", pooled),
    "interval_method": ("Wald", pooled),
    "missing_data": ("failure", over_time),
    "include_external": (False, answers),
    "include_derived": (False, answers),
    "primary_only": (True, answers),
    "excluded_studies": ("saa_pilot", answers),
    "subgroups": ("disease_stage", subgroups),
    "outcome_threshold": ("30", answers),
    "reference_treatment": ("hetrombopag 5 mg", league),
    "rounding": (2, rates),
    "alpha": (0.001, checks),
    "noninferiority_margin": (10.0, margin),
    "theme": ("print", drawn),
}
ELSEWHERE = {
    "study_id": "chooses the study of a study page: each edition has a page for every study",
    "data_dir": "names other data: every number can be another",
}


@pytest.fixture(autouse=True)
def _usual():
    yield
    set_rounding(Parameters().rounding)
    set_theme(Parameters().theme)


def numbers(name: str, parameters: Parameters, builder: Callable[[Parameters], Any]) -> Any:
    """Return what a reader sees of an output: its numbers, or of a figure under another look its drawing."""
    item = builder(Parameters.of(parameters.values()))
    bundle, _ = make.representation(item)
    if name == "theme":
        return bundle["image/svg+xml"]
    return re.findall(r"\d+(?:\.\d+)?", bundle["text/plain"])


def test_every_parameter_is_tried_or_has_a_reason_not_to_be():
    assert {*SHOWN, *ELSEWHERE} == {spec.name for spec in PARAMETERS}
    assert not set(SHOWN) & set(ELSEWHERE)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_a_parameter_changes_what_the_report_shows(name: str):
    value, builder = SHOWN[name]
    usual = numbers(name, Parameters(), builder)
    assert usual, "there is something to change"
    assert numbers(name, Parameters(**{name: value}), builder) != usual


def test_the_methods_show_every_value_and_mark_the_changed_ones():
    table = make.parameters_table(Parameters(theme="contrast", noninferiority_margin=12.5))
    here = {row[0].text: row[1].text for row in table.rows}
    assert set(here) == {spec.name for spec in PARAMETERS}
    assert here["theme"] == "contrast (changed)"
    assert here["noninferiority_margin"] == "12.5 (changed)"
    assert here["reference_treatment"] == "none"
    assert "2 changed: noninferiority_margin, theme" in table.caption
