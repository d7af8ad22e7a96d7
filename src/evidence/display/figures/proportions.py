"""Proportions of single arms as a forest plot with intervals, and a pool only of what was asked alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.across import Choice, across_frame
from evidence.display.figures.forest import draw_forest
from evidence.display.labels import joined, lower_first, outcome_labels, pretty
from evidence.display.model import Figure
from evidence.display.synthesis import Section, Synthesis
from evidence.parameters import Parameters
from evidence.questions import Study
from evidence.results import records
from evidence.synthesis.safety import arms_of, safety_forest


def proportions_figure(
    data: Dataset,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str] | None = None,
    window: tuple[float, float, str] | None = None,
    **choice: Unpack[Choice],
) -> Figure:
    """Draw every arm's proportion with its interval: a section per outcome, a group per disease.

    Without ``outcome_ids``, the adverse events that at least two studies counted.
    """
    wanted = list(outcome_ids) if outcome_ids is not None else shared_events(data, parameters, **choice)
    sections = []
    for outcome in wanted:
        frame = across_frame(data, parameters, outcome_ids=[outcome], window=window, **choice)
        rows = [row for row in records(frame) if not row["category"]]
        if rows:
            sections.append(_section(outcome, rows, data, parameters))
    names = joined([lower_first(section.title) for section in sections]) or "no outcome"
    caption = f"Patients with {names}{_reach(sections)}, by study and arm, as each study counted them."
    return draw_forest(Synthesis(tuple(sections), caption))


def _reach(sections: Sequence[Section]) -> str:
    """Return from where to where the proportions of one outcome reach; of several, nothing."""
    shown = [
        row.estimate for section in sections for row in section.forest.rows if not math.isnan(row.estimate)
    ]
    if not shown or len(sections) > 1:
        return ""
    low, high = fmt.percent(min(shown)), fmt.percent(max(shown))
    return f": {low}" if low == high else f": from {low} to {high}"


def _section(outcome: str, rows: Sequence[dict[str, Any]], data: Dataset, parameters: Parameters) -> Section:
    title = outcome_labels(data).get(outcome, outcome)
    studies = [_named(study) for study in arms_of(rows, data)]
    return Section(title, safety_forest(studies, data, parameters, outcome=title))


def _named(study: Study) -> Study:
    """Return the arm with a name that tells its treatment and time."""
    told = study.when if " " in study.when else ""  # a single word such as "study" tells no time
    parts = [lower_first(pretty(study.treatment.label)), told]
    return replace(study, label=", ".join(filter(None, (study.name, *parts))), year="")


def shared_events(data: Dataset, parameters: Parameters, **choice: Unpack[Choice]) -> list[str]:
    """Return the adverse events that at least two studies counted, most studies first."""
    ids = [str(row["outcome_id"]) for row in records(data.outcomes[data.outcomes["domain"] == "safety"])]
    frame = across_frame(data, parameters, outcome_ids=ids, **choice)
    counted = frame[frame["events"].notna() & frame["n"].notna() & (frame["category"] == "")]
    studies = counted.groupby("outcome_id", sort=False)["study_id"].nunique()
    return [str(name) for name in studies[studies > 1].sort_values(ascending=False, kind="stable").index]
