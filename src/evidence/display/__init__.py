"""Results in, captioned and labelled tables, figures and sentences out; ``show`` publishes them.

Names are imported when they are first used, so that a notebook pays only for what it shows.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "across": ("find_study",),
    "answers": ("allocation_prose", "answers_prose", "answers_table"),
    "basis": ("basis_prose", "licence_prose", "reading_prose"),
    "chapters": (
        "audit_in_short",
        "beside_in_short",
        "bias_in_short",
        "effects_in_short",
        "explorer_in_short",
        "limits_in_short",
        "network_in_short",
        "scenarios_in_short",
        "sensitivity_in_short",
    ),
    "evidence": ("evidence_table", "narrative_prose", "recovered_table"),
    "explorer": ("explorer_figure", "explorer_page"),
    "figures.across": ("across_figure", "effects_across_figure"),
    "figures.bias": ("bias_figure", "bias_summary_figure"),
    "figures.audit": ("audit_figure",),
    "figures.diagrams": ("diagram_figure",),
    "figures.effects": ("effects_figure", "pairwise_figure", "subgroup_figure"),
    "figures.flow": ("flow_figure",),
    "figures.forest": ("forest_figure",),
    "figures.indirect": ("direct_indirect_figure",),
    "figures.league": ("league_figure", "network_effects_figure", "scales_figure"),
    "figures.measurements": ("measurement_figure",),
    "figures.missing": ("missing_bounds_figure",),
    "figures.network": ("network_figure",),
    "figures.proportions": ("proportions_figure",),
    "figures.rates": ("rates_figure", "rates_over_time_figure"),
    "figures.scenarios": ("scenarios_figure",),
    "figures.specification": ("specification_figure",),
    "figures.stability": ("changing_figure", "unchanged_figure"),
    "figures.thresholds": ("thresholds_figure",),
    "glossary": ("outcome_words_table", "signs_table"),
    "indirect": ("direct_indirect_prose",),
    "model": ("Cell", "Column", "Figure", "Prose", "Table"),
    "plain": (
        "plain_harms_prose",
        "plain_kinds_prose",
        "plain_licence_prose",
        "plain_prose",
        "stopping_plain",
        "without_figures_plain",
    ),
    "prose": ("comparison_prose",),
    "publish": ("representation", "show"),
    "series": ("all_alike_prose",),
    "short": (
        "definitions_in_short",
        "findings_in_short",
        "in_short",
        "registered_in_short",
        "series_in_short",
        "statements_in_short",
        "study_in_short",
    ),
    "summary": (
        "brief_prose",
        "current_prose",
        "key_prose",
        "scope_prose",
        "summary_prose",
        "summary_table",
        "wrong_prose",
    ),
    "trials": ("stopping_prose", "without_figures_prose"),
    "tables.accuracy": ("accuracy_prose", "accuracy_table"),
    "tables.across": ("across_table", "effects_across_table", "measured_across_table"),
    "tables.arms": ("side_by_side_table",),
    "tables.asked": ("questions_table",),
    "tables.audit": (
        "audit_checks_table",
        "audit_findings_table",
        "audit_power_table",
        "audit_prose",
        "audit_undecided_table",
    ),
    "tables.baseline": ("baseline_table",),
    "tables.bias": ("bias_prose", "bias_table", "bias_tools_table", "unjudged_table"),
    "tables.edition": ("edition_data_table", "edition_programs_table"),
    "tables.definitions": ("definitions_side_by_side_table", "thresholds_table"),
    "tables.doubts": ("doubtful_sizes_table",),
    "tables.events": ("disposition_table", "event_table"),
    "tables.certain": ("certain_table",),
    "tables.findings": ("certainty_table", "findings_table", "findings_tables"),
    "tables.flips": ("flips_table",),
    "tables.indirect": ("direct_indirect_table",),
    "tables.influence": ("influence_table",),
    "tables.ledger": ("ledger_table",),
    "tables.lines": ("criteria_effects_table", "lines_table"),
    "tables.margins": ("noninferiority_table",),
    "tables.measurements": ("mean_difference_table", "measurement_table", "median_times_prose"),
    "tables.missing": ("denominator_flow_table", "missing_bounds_table"),
    "tables.network": ("league_table", "network_absolute_table", "network_arms_table", "p_scores_table"),
    "tables.network_checks": ("network_exact_table", "network_sets_table", "within_trial_table"),
    "tables.overview": (
        "comparability_table",
        "missing_evidence_table",
        "published_effects_table",
        "studies_table",
    ),
    "tables.pairwise": ("omnibus_table", "pairwise_table"),
    "tables.printed_tests": ("study_tests_table",),
    "tables.protocols": (
        "design_facts_table",
        "identifiers_table",
        "illustrative_protocols_table",
        "protocols_side_by_side_table",
        "registered_table",
    ),
    "tables.rates": ("borderline_prose", "comparison_table", "rates_table"),
    "tables.robustness": ("robustness_table",),
    "tables.scenarios": ("scenarios_prose", "scenarios_table"),
    "tables.sizes": ("unknown_sizes_table",),
    "tables.statements": ("statements_table",),
    "tables.study": (
        "claims_table",
        "definitions_table",
        "parameters_table",
        "protocol_table",
        "study_card",
        "study_measurements_table",
        "study_results_table",
    ),
    "tables.subgroups": ("level_table", "subgroup_table"),
    "tables.synthesis": (
        "absolute_table",
        "forest_table",
        "published_beside_table",
        "specification_prose",
        "specification_table",
    ),
    "tables.transitivity": ("transitivity_table",),
}
# What these make is marked where the audit doubts its data rows, save the tables of the audit itself.
BUILDERS = ("_table", "_card", "_figure")
# These make nothing to show.
PLAIN = ("model", "publish")
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evidence.display' has no attribute {name!r}")
    if _HOME[name] in PLAIN:
        return _of_home(name)
    from evidence.display.kept import again, wanted

    return again(name, lambda: _builder(name)) if wanted() else _builder(name)


def _builder(name: str) -> Any:
    found = _of_home(name)
    if not name.endswith(BUILDERS) or name.startswith("audit_"):
        return found
    from evidence.display.marks import doubted

    return doubted(found)


def _of_home(name: str) -> Any:
    return getattr(import_module(f"evidence.display.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
