"""Results in sentences: absolute numbers first, and only the words that an interval allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evidence.display.labels import pretty, titled
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.parameters import Parameters
from evidence.results import Tables, contrasts, records
from evidence.stats import Proportion, proportion
from evidence.wording import allocation_of, conclusion, risks_text, verdict_of

NOTHING = "The data hold no counts to compare here."


def comparison_prose(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    reference: str | None = None,
    subgroup: str | None = "",
) -> Prose:
    """Return one bullet per outcome, time and pair of arms: both risks, their difference, the verdict."""
    frame = contrasts(
        data,
        parameters,
        study_id=study_id,
        outcome_ids=outcome_ids,
        measure="RD",
        reference=reference,
        subgroup=subgroup,
    )
    bullets = [f"- {escape(_sentence(data, row, parameters))}" for row in records(frame)]
    return Prose("\n".join(bullets) or NOTHING)


def _sentence(data: Tables, row: Mapping[str, Any], parameters: Parameters) -> str:
    names = {"treatment": str(row["arm1_label"]), "comparator": str(row["arm0_label"])}
    difference = (row["estimate"], row["low"], row["high"])
    risks = _risk(row, "1", parameters), _risk(row, "0", parameters)
    told = risks_text(titled(row), names, *risks, difference)
    better = _better(data, str(row["outcome_id"]))
    verdict = verdict_of(row["low"], row["high"], better=better, important=0.0)
    allocation = allocation_of(_said(data, str(row["study_id"])))
    words = conclusion(verdict, pretty(row["outcome_label"]), names["treatment"], allocation=allocation)
    return f"{told} {words}"


def _risk(row: Mapping[str, Any], arm: str, parameters: Parameters) -> Proportion:
    level, method = parameters.confidence_level, parameters.proportion_method
    return proportion(int(row[f"e{arm}"]), int(row[f"n{arm}"]), level=level, method=method)


def _better(data: Tables, outcome_id: str) -> str:
    found = data.outcomes.loc[data.outcomes["outcome_id"] == outcome_id, "better"]
    return str(found.iloc[0]) if len(found) else ""


def _said(data: Tables, study_id: str) -> list[str]:
    return list(data.studies.loc[data.studies["study_id"] == study_id, "randomised"])
