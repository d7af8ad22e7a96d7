"""The table of checks, and the audit that runs them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from evidence.audit import (
    across,
    claims,
    comparisons,
    denominators,
    effects,
    implied_n,
    limits,
    misplaced,
    p_values,
    part_sizes,
    percentages,
    references,
    reporting,
    spread,
    sums,
    tests_from_data,
)
from evidence.audit.causes import Found, causes
from evidence.audit.finding import Check, Family, Finding
from evidence.audit.material import Material
from evidence.data import Dataset
from evidence.data.content import content_of
from evidence.memo import kept, recalled
from evidence.reads import Read, held, note_again

COLUMNS = (
    "finding_id", "study_id", "row_id", "source_id", "locator", "check", "reported", "recomputed", "verdict",
    "why", "family", "consequence", "cause",
)  # fmt: skip

# The checks that a margin chosen for a report can matter to.
OF_MARGIN: Family = "claims"
CHECKS: tuple[Check, ...] = (
    Check("percentages", percentages.percent_matches_count),
    Check("percentages", percentages.percent_is_possible),
    Check("percentages", percentages.rounding_is_one_habit),
    Check("percentages", percentages.same_ratio_one_percent),
    Check("sums", sums.classes_add_up),
    Check("sums", sums.classes_cover_every_value),
    Check("sums", sums.arms_add_up_to_combined),
    Check("sums", sums.arms_add_up_to_study),
    Check("sums", sums.arm_counts_match_sizes),
    Check("sums", sums.parts_are_within_whole),
    Check("sums", sums.partitions_add_up),
    Check("sums", sums.subgroups_add_up),
    Check("sums", sums.subgroups_are_within_baseline),
    Check("sums", sums.quoted_grades_fit_total),
    Check("tests from data", tests_from_data.test_recomputes),
    Check("tests from data", tests_from_data.p_values_stand_in_their_rows),
    Check("tests from data", tests_from_data.conclusion_holds_exactly),
    Check("tests from data", tests_from_data.statistic_is_what_its_label_says),
    Check("P values", p_values.p_fits_statistic),
    Check("P values", misplaced.statistics_stand_beside_their_p),
    Check("P values", p_values.p_is_a_probability),
    Check("P values", p_values.one_test_one_p),
    Check("effects", effects.effect_recomputes),
    Check("effects", effects.rate_interval_recomputes),
    Check("effects", effects.interval_holds_estimate),
    Check("effects", effects.p_fits_interval),
    Check("spread", spread.spread_is_what_it_says),
    Check("spread", spread.centre_is_what_it_is_called),
    Check("spread", spread.centre_is_within_interval),
    Check("spread", limits.spread_fits_range),
    Check("spread", limits.baseline_fits_eligibility),
    Check("spread", spread.mean_of_whole_numbers_is_possible),
    Check("implied n", implied_n.patients_fit_means_and_intervals),
    Check("implied n", implied_n.patients_fit_f),
    Check("implied n", implied_n.other_tables_hold_with_implied_patients),
    Check("implied n", implied_n.counts_hold_with_implied_patients),
    Check("denominators", denominators.patients_fit_arm),
    Check("denominators", denominators.events_fit_patients),
    Check("denominators", denominators.rates_are_of_everybody),
    Check("denominators", denominators.medians_are_of_everybody),
    Check("denominators", part_sizes.parts_are_of_those_they_say),
    Check("claims", claims.non_inferiority_has_a_margin),
    Check("claims", claims.superiority_is_shown),
    Check("claims", claims.no_difference_is_shown),
    Check("claims", claims.safety_claims_have_counts),
    Check("claims", claims.claims_do_not_contradict),
    Check("claims", claims.claimed_rates_match_counts),
    Check("claims", claims.subgroups_are_alike),
    Check("claims", claims.significance_survives_holm),
    Check("claims", comparisons.comparisons_are_within_a_study),
    Check("claims", references.pooling_is_shown),
    Check("across documents", across.counts_agree_everywhere),
    Check("across documents", across.measurements_agree_everywhere),
    Check("across documents", across.effects_agree_everywhere),
    Check("across documents", references.quoted_figures_match_their_study),
    Check("across documents", references.one_reference_one_study),
    Check("across documents", across.registry_ids_are_sound),
    Check("across documents", across.definitions_are_one),
    Check("across documents", references.documents_are_listed_once),
    Check("across documents", references.references_are_plausible),
    Check("reporting", reporting.p_is_not_zero),
    Check("reporting", reporting.spread_is_printed),
    Check("reporting", reporting.denominator_is_printed),
    Check("reporting", reporting.tests_are_named),
    Check("reporting", reporting.effects_are_printed),
)
PLACES = {check.name: place for place, check in enumerate(CHECKS)}


def audit(dataset: Dataset, *, alpha: float = 0.05, margin: float = 0.0) -> pd.DataFrame:
    """Check every printed figure of a dataset against every other figure that constrains it.

    Args:
        dataset: loaded tables; rows that quote somebody else are held against the others like all rows, those
            that belong to no arm are not.
        alpha: P value below which a result is called significant.
        margin: loss in percentage points that still counts as not inferior; 0 takes what a document prints.

    Returns:
        One row for each thing checked, sound or not: ``finding_id`` (the same whatever the order of rows),
        ``study_id``, ``row_id``, ``source_id`` and ``locator`` (each joined by ``|`` where a check spans
        several), ``check``, ``reported``, ``recomputed``, ``verdict`` (consistent, rounding, inconsistent,
        not_checkable), ``why``, ``family``, ``consequence`` (conclusion, number, cosmetic, or empty) and
        ``cause`` (the same for findings with one root cause; empty where nothing is questioned).
    """
    return _audited(dataset, alpha, margin)


def _asked(dataset: Dataset, alpha: float, margin: float) -> tuple[object, ...]:
    """Return everything that an audit depends on."""
    return content_of(dataset), alpha, margin


@recalled(0, _asked)
def _audited(dataset: Dataset, alpha: float, margin: float) -> pd.DataFrame:
    material, places = Material(dataset, alpha, margin), _places(dataset)

    def regardless() -> tuple[dict[int, list[Finding]], tuple[Read, ...]]:
        with held() as notes:
            return _run(material, chosen=False), tuple(notes)

    others, notes = kept("checks", lambda: (content_of(dataset), alpha), regardless)
    note_again(notes)
    by_check = others | _run(replace(material, doubted=_doubted(others)), chosen=True)
    found = [
        Found(check, finding, _placed(finding, places)[0])
        for place, check in enumerate(CHECKS)
        for finding in by_check[place]
    ]
    named = zip(found, causes(found), strict=True)
    rows = [(*_record(one.check, one.finding, places), cause) for one, cause in named]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def _run(material: Material, *, chosen: bool) -> dict[int, list[Finding]]:
    """Return what checks find, by their place: those that a chosen margin can matter to, or the others."""
    return {
        place: list(check.run(material))
        for place, check in enumerate(CHECKS)
        if (check.family == OF_MARGIN) == chosen
    }


def _doubted(others: Mapping[int, Sequence[Finding]]) -> dict[str, str]:
    """Return in words what the other checks have against the rows that a claim may rest on."""
    found: dict[str, str] = {}
    for name, words in claims.AGAINST.items():
        for finding in others[PLACES[name]]:
            wrong = finding.verdict == "inconsistent" and finding.consequence != "cosmetic"
            if wrong or finding.consequence == "conclusion":
                found |= dict.fromkeys(finding.rows, words)
    return found


def _places(dataset: Dataset) -> dict[str, tuple[str, str, str]]:
    """Return study, document and place of every row."""
    made = {source: ("", source, "") for source in dataset.sources["source_id"].tolist()}
    for frame in dataset.tables.values():
        if {"row_id", "source_id", "locator"} <= set(frame.columns):
            study = frame["study_id"] if "study_id" in frame else frame["source_id"].map(lambda _: "")
            rows = zip(study.tolist(), frame["source_id"].tolist(), frame["locator"].tolist(), strict=True)
            made |= dict(zip(frame["row_id"].tolist(), rows, strict=True))
    return made


def _placed(finding: Finding, places: dict[str, tuple[str, str, str]]) -> tuple[str, str, str]:
    known = [places[row] for row in finding.rows if row in places]
    study, source, locator = (_joined([place[i] for place in known]) for i in range(3))
    return study, source, locator


def _record(check: Check, finding: Finding, places: dict[str, tuple[str, str, str]]) -> tuple[str, ...]:
    study, source, locator = _placed(finding, places)
    ids = "|".join(finding.rows)
    told = (finding.reported, finding.recomputed, finding.verdict, finding.why)
    placed = (finding.identity(check.name), study, ids, source, locator, check.name)
    return (*placed, *told, check.family, finding.consequence)


def _joined(texts: Sequence[str]) -> str:
    return "|".join(dict.fromkeys(text for text in texts if text))
