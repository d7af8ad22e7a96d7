"""Results across studies: which are chosen, their rates and their effects in one frame, never pooled."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data.values import by_value
from evidence.display.labels import joined, pretty, study_label
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import (
    Tables,
    category_label,
    contrasts,
    counts_of,
    days,
    once,
    plain,
    rates,
    records,
    undated_again,
    words_of,
)
from evidence.wording import ALLOCATED, allocation_of

SYNTHESES = ("meta_analysis", "network_meta_analysis")
COMPARATORS = ("placebo", "control")
PART = " (part)"
Some = str | Sequence[str] | None
Window = tuple[float, float, str]
Results = Literal["any", "some", "none"]
Row = dict[str, Any]


class Choice(TypedDict, total=False):
    """Which studies: values of their columns that are wanted (None: all of them), or not wanted."""

    indication: Some
    designs: Some
    populations: Some
    except_designs: Some
    except_populations: Some


def chosen_studies(data: Tables, **choice: Unpack[Choice]) -> list[str]:
    """Return the ids of the studies that a choice takes, in the order of the table."""
    frame = data.studies
    wanted = {"indication": "indication", "designs": "design", "populations": "population"}
    for name, column in wanted.items():
        if (values := _several(choice.get(name))) is not None:
            frame = frame[frame[column].isin(values)]
    for name, column in (("except_designs", "design"), ("except_populations", "population")):
        frame = frame[~frame[column].isin(_several(choice.get(name)) or [])]
    return [str(one) for one in frame["study_id"]]


def _several(values: Any) -> list[str] | None:
    return values if values is None else [values] if isinstance(values, str) else list(values)


def find_study(data: Tables, *, results: Results = "any", **choice: Unpack[Choice]) -> str:
    """Return the largest study that a choice takes, or nothing where there is none.

    Args:
        data: the tidy tables.
        results: whether the study has efficacy results: it need not, it has some, or it has none.
        **choice: which studies; see ``Choice``.
    """
    from evidence.display.evidence import patients

    known = studies_with_results(data)
    studies = data.studies[data.studies["study_id"].isin(chosen_studies(data, **choice))]
    sizes = {str(row["study_id"]): patients(data, row) for row in records(studies)}
    kept = [study for study in sizes if results in ("any", "some" if study in known else "none")]
    return max(kept, key=lambda one: -1 if pd.isna(sizes[one]) else int(sizes[one]), default="")


@by_value
def studies_with_results(data: Tables) -> set[str]:
    """Return the studies with at least one efficacy result: a count or a percentage, not at baseline."""
    efficacy = set(data.outcomes.loc[data.outcomes["domain"] == "efficacy", "outcome_id"])
    counts = data.counts[data.counts["outcome_id"].isin(efficacy) & (data.counts["time"] != 0)]
    given = counts["events"].notna() | (counts["percent"].fillna("") != "")
    return {str(one) for one in counts.loc[given, "study_id"]}


def across_frame(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> pd.DataFrame:
    """Return the rates of whole studies by arm, in order of outcome, treatment and study.

    Args:
        data: the tidy tables.
        parameters: level and method of the intervals.
        outcome_ids: the outcomes.
        window: earliest and latest time and their unit; results without a time are then left out.
        **choice: which studies; see ``Choice``.

    Returns:
        The columns of ``results.rates`` and ``SETTINGS``, with the ``origin`` of each row. An arm that is the
        sum of others is left out where these have the result themselves.
    """
    frame = rates(data, parameters, outcome_ids=outcome_ids, subgroup="")
    studies = chosen_studies(data, **choice)
    frame = frame[frame["study_id"].isin(studies) & (frame["estimate"].notna() | frame["events"].notna())]
    frame = _within(frame, window)
    frame = _without_sums(frame, data)
    settings = _Settings(data, set(frame["row_id"]), outcome_ids)
    made = [row | settings.of(row) for row in records(frame)]
    return pd.DataFrame(sorted(made, key=_order(data, outcome_ids)), columns=_columns(frame, SETTINGS))


SETTINGS = ["node", "node_label", "population", "design", "part_of", "admissible", "heading"]


def _columns(frame: pd.DataFrame, more: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*frame.columns, *more]))


def _within(frame: pd.DataFrame, window: Window | None) -> pd.DataFrame:
    if window is None:
        return frame
    first, last, unit = window
    inside = [
        days(first, unit) <= days(row["time"], row["time_unit"]) <= days(last, unit) for row in records(frame)
    ]
    return _where(frame, inside)


def _where(frame: pd.DataFrame, keep: Sequence[bool]) -> pd.DataFrame:
    """Return the rows to keep; an empty list of them keeps the columns."""
    return frame[pd.Series(keep, index=frame.index, dtype=bool)]


def _without_sums(frame: pd.DataFrame, data: Tables) -> pd.DataFrame:
    sums = {
        (row["study_id"], row["arm_id"]): str(row["combines"]).split("|")
        for row in records(data.arms)
        if not fmt.missing(row["combines"])
    }
    known = {(_result(row), row["arm_id"]) for row in records(frame)}

    def repeats(row: Row) -> bool:
        parts = sums.get((row["study_id"], row["arm_id"]), [])
        return any((_result(row), part) in known for part in parts)

    return _where(frame, [not repeats(row) for row in records(frame)])


def _result(row: Mapping[str, Any]) -> tuple[Any, ...]:
    when = days(row["time"], row["time_unit"]), str(row["time_label"]).lower() if pd.isna(row["time"]) else ""
    return (row["study_id"], row["outcome_id"], row["category"], *when)


class _Settings:
    """What the tables say of the study, the arm and the count of each rate."""

    def __init__(self, data: Tables, rows: set[str], outcome_ids: Sequence[str]) -> None:
        self.data = data
        self.studies = {row["study_id"]: row for row in records(data.studies)}
        self.arms = {(row["study_id"], row["arm_id"]): row for row in records(data.arms)}
        counts = counts_of(data, outcome_ids)
        self.counts = {row["row_id"]: row for row in records(counts[counts["row_id"].isin(rows)])}

    def of(self, row: Row) -> Row:
        study = self.studies.get(row["study_id"], {})
        arm = self.arms.get((row["study_id"], row["arm_id"]), {})
        return _setting(self.data, row, study, arm, self.counts.get(row["row_id"], {}))


def _setting(data: Tables, row: Row, study: Row, arm: Row, count: Row) -> Row:
    node = str(arm.get("node", "") or "")
    heading = [
        pretty(row["outcome_label"]),
        *([category_label(data, row["category"], row["outcome_id"])] if row["category"] else []),
    ]
    return {
        "node": node,
        "node_label": node_label(data, node) or str(row["arm_label"]),
        "population": str(study.get("population", "") or ""),
        "design": str(study.get("design", "") or ""),
        "part_of": str(study.get("parent_study_id", "") or ""),
        "admissible": str(count.get("admissible", "") or ""),
        "origin": str(count.get("origin", row["origin"]) or ""),
        "heading": ": ".join(heading),
    }


def _first(frame: pd.DataFrame, **equals: Any) -> Row:
    for column, value in equals.items():
        frame = frame[frame[column] == value]
    return records(frame.head(1))[0] if len(frame) else {}


def _order(data: Tables, outcome_ids: Sequence[str]) -> Any:
    ids = list(outcome_ids)
    arms = records(data.arms)
    last = {str(row["node"]) for row in arms if row["role"] in COMPARATORS}
    nodes = list(dict.fromkeys(str(row["node"]) for row in arms))
    studies = list(data.studies["study_id"])
    places = {(row["study_id"], row["arm_id"]): place for place, row in enumerate(arms)}

    def place(row: Row) -> tuple[Any, ...]:
        node = row["node"] == "", row["node"] in last, nodes.index(row["node"]) if row["node"] in nodes else 0
        arm = studies.index(row["study_id"]), places.get((row["study_id"], row["arm_id"]), 0)
        when, category = days(row["time"], row["time_unit"]), str(row["category"])
        classes = (when, category) if category else ()  # classes before treatment stand before those after
        return ids.index(row["outcome_id"]), bool(category), *classes, *node, *arm, when

    return place


def node_label(data: Tables, node: str) -> str:
    """Return how a treatment is written: as an arm's label says it, else its id in words.

    A label says it if it is the id but for capitals and spaces, or the only one that arms of it have.
    """
    if not node:
        return ""
    labels = [str(one) for one in data.arms.loc[data.arms["node"] == node, "label"]]
    said = [label for label in labels if re.sub(r"\s", "", label.lower()) == node]
    said = said or (labels if len(set(labels)) == 1 else [])
    return said[0] if said else plain(node.replace("+", " + "))


def when_counted(row: Mapping[str, Any]) -> str:
    """Return when a result was counted, in few words."""
    from evidence.display.labels import moment

    text = re.sub(r"^At (?=\d)", "", moment(row))
    return re.sub(r"(?<=\d)-(?=\d)", "–", text) or "not stated"


def sharing_words(data: Tables, study_ids: Collection[str]) -> str:
    """Return which of the studies have patients of another study, as sentences; nothing where none has."""
    rows = [row for row in records(data.studies) if row["study_id"] in study_ids]
    parents: dict[str, list[str]] = {}
    for row in rows:
        if not fmt.missing(row["parent_study_id"]):
            parents.setdefault(str(row["parent_study_id"]), []).append(
                study_label(data, str(row["study_id"]))
            )
    told = [f"{joined(parts)} with {study_label(data, parent)}" for parent, parts in parents.items()]
    return f"(part): shares patients, so the two are never added: {'; '.join(told)}." if told else ""


ONCE_IN_TIME = "A percentage printed both with and without its time is one result, shown at its time."


def undated_words(data: Tables, frame: pd.DataFrame) -> str:
    """Return that some results of a frame were printed a second time without their time, or nothing."""
    counts = once(counts_of(data, dict.fromkeys(map(str, frame["outcome_id"]))), ["row_id"])
    again = counts[undated_again(counts)]
    names = ["study_id", "outcome_id"]
    shown = set(zip(*(frame[name] for name in names), strict=True))
    return ONCE_IN_TIME if shown & set(zip(*(again[name] for name in names), strict=True)) else ""


def design_words(study: Mapping[str, Any]) -> str:
    """Return a design in words, with what is known of randomisation where arms are compared.

    >>> design_words({"design": "controlled_trial", "randomised": "", "comparator": "placebo"})
    'Controlled trial, randomisation not stated in what was read'
    """
    compared = not fmt.missing(study["comparator"]) and study["design"] not in SYNTHESES
    known = ALLOCATED[allocation_of([str(study["randomised"] or "")])]
    design = words_of(study["design"]) or "Design not stated"
    return design if not compared or known in design.lower() else f"{design}, {known}"


def effects_frame(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    treatments: Some = None,
    comparators: Some = None,
    measure: EffectMeasure | None = None,
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> pd.DataFrame:
    """Return every effect of a treatment against a comparator within a study, in order of design.

    Args:
        data: the tidy tables.
        parameters: level, methods and the measure.
        outcome_ids: the outcomes.
        treatments: the nodes compared; all but the comparators by default.
        comparators: the nodes compared with; each study's own reference arm by default.
        measure: the effect; the parameters' ``effect_measure`` by default.
        window: as in ``across_frame``.
        **choice: which studies; see ``Choice``.

    Returns:
        The columns of ``results.contrasts`` with ``study_label``, ``design``, ``part_of`` and ``origin``.
    """
    counted = set(counts_of(data, outcome_ids)["study_id"])
    frames = [
        contrasts(data, parameters, study_id=study, outcome_ids=outcome_ids, measure=measure, **pairs)
        for study in chosen_studies(data, **choice)
        if study in counted
        and (pairs := _pairs(data, study, _several(treatments), _several(comparators))) is not None
    ]
    filled = [frame for frame in frames if len(frame)]
    frame = pd.concat(filled, ignore_index=True) if filled else _no_effects(data, parameters)
    frame = _within(_of_nodes(frame, data, _several(treatments)), window)
    external = _external_rows(data, outcome_ids)
    made = [row | _study_of(data, row, external) for row in records(frame)]
    ids, designs = list(outcome_ids), list(dict.fromkeys(_design_order(data)))
    ordered = sorted(made, key=lambda row: (ids.index(row["outcome_id"]), designs.index(row["design"])))
    return pd.DataFrame(ordered, columns=_columns(frame, STUDY))


STUDY = ["study_label", "design", "part_of", "origin"]


def _no_effects(data: Tables, parameters: Parameters) -> pd.DataFrame:
    return contrasts(data, parameters, outcome_ids=[])


def _pairs(
    data: Tables, study: str, treatments: list[str] | None, comparators: list[str] | None
) -> dict[str, Any] | None:
    """Return which pairs of arms to compare: those of the nodes, or all with the reference arm."""
    arms = records(data.arms[data.arms["study_id"] == study])
    if comparators is None:
        return {"pairs": "reference"} if arms else None
    ones = [row["arm_id"] for row in arms if row["node"] not in comparators]
    zeros = [row["arm_id"] for row in arms if row["node"] in comparators]
    return {"pairs": [(one, zero) for one in ones for zero in zeros]} if ones and zeros else None


def _of_nodes(frame: pd.DataFrame, data: Tables, treatments: list[str] | None) -> pd.DataFrame:
    nodes = {(row["study_id"], row["arm_id"]): str(row["node"]) for row in records(data.arms)}
    found = [nodes.get((row["study_id"], row["arm1"]), "") for row in records(frame)]
    return _where(frame, [treatments is None or one in treatments for one in found])


def _external_rows(data: Tables, outcome_ids: Sequence[str]) -> frozenset[str]:
    """Return the rows of counts of some outcomes that were read from documents of external origin."""
    counts = once(counts_of(data, outcome_ids), ["row_id"])
    origins = counts["origin"] if "origin" in counts else pd.Series("", counts.index)
    return frozenset(counts.loc[origins == "external", "row_id"])


def _study_of(data: Tables, row: Row, external: frozenset[str]) -> Row:
    study = _first(data.studies, study_id=row["study_id"])
    used = external & set(str(row["row_id"]).split("|"))
    return {
        "study_label": study_label(data, str(row["study_id"])),
        "design": design_words(study),
        "part_of": str(study["parent_study_id"] or ""),
        "origin": "external" if used else "seed",
    }


def _design_order(data: Tables) -> list[str]:
    rows = sorted(
        records(data.studies), key=lambda row: ("yes", "", "no").index(str(row["randomised"] or ""))
    )
    return [design_words(row) for row in rows]
