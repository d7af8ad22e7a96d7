"""Results in, captioned and labelled tables, figures and sentences out; ``show`` publishes them.

Names are imported when they are first used, so that a notebook pays only for what it shows.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "across": ("find_study",),
    "answers": ("allocation_prose", "answers_prose", "answers_table"),
    "evidence": ("evidence_table", "narrative_prose", "recovered_table"),
    "figures.across": ("across_figure", "effects_across_figure"),
    "figures.diagrams": ("diagram_figure",),
    "figures.effects": ("effects_figure", "pairwise_figure", "subgroup_figure"),
    "figures.measurements": ("measurement_figure",),
    "figures.missing": ("denominator_flow_figure", "missing_bounds_figure"),
    "figures.rates": ("rates_figure", "rates_over_time_figure"),
    "figures.thresholds": ("thresholds_figure",),
    "model": ("Cell", "Column", "Figure", "Prose", "Table"),
    "prose": ("comparison_prose",),
    "publish": ("representation", "show"),
    "series": ("all_alike_prose",),
    "tables.across": ("across_table", "effects_across_table", "measured_across_table"),
    "tables.arms": ("side_by_side_table",),
    "tables.baseline": ("baseline_table",),
    "tables.definitions": ("definitions_side_by_side_table", "thresholds_table"),
    "tables.events": ("disposition_table", "event_table"),
    "tables.ledger": ("ledger_table",),
    "tables.measurements": ("mean_difference_table", "measurement_table"),
    "tables.missing": ("denominator_flow_table", "missing_bounds_table"),
    "tables.overview": (
        "comparability_table",
        "missing_evidence_table",
        "published_effects_table",
        "studies_table",
    ),
    "tables.pairwise": ("omnibus_table", "pairwise_table"),
    "tables.protocols": (
        "design_facts_table",
        "identifiers_table",
        "illustrative_protocols_table",
        "protocols_side_by_side_table",
        "registered_table",
    ),
    "tables.rates": ("comparison_table", "rates_table"),
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
        "study_tests_table",
    ),
    "tables.subgroups": ("level_table", "subgroup_table"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evidence.display' has no attribute {name!r}")
    return getattr(import_module(f"evidence.display.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
