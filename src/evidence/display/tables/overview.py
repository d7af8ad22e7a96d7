"""What stands before any comparison: the studies, how they count, what is missing, what others pooled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display.across import (
    SYNTHESES,
    Choice,
    Some,
    across_frame,
    chosen_studies,
    design_words,
    studies_with_results,
    when_counted,
)
from evidence.display.counting import kinds_words, several, share_words, stated_words
from evidence.display.documents import document_origin
from evidence.display.evidence import patients
from evidence.display.labels import lower_first, outcome_labels, pretty, sourced, study_label, unit
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.across import NOT_STATED, study_words
from evidence.display.tables.pairwise import printed_effect
from evidence.display.tables.parts import build, empty_cells, grouped
from evidence.display.tables.statements import SAID, result_claims
from evidence.parameters import Parameters
from evidence.results import Tables, once, plain, records, rows_where, separate_arms, words_of

PLANNED = ("planned enrolment", "target enrolment")
NO_EFFICACY = ("product_label", "pharmacokinetic")
SPEAKING = (
    *SAID,
    "identity",
    "rate",
    "subgroup_consistent",
)  # kinds of claims that are no definition or method
OPERATORS = {"increase>=": "rise of at least", "ratio>=": "at least"}
EFFECT_KEY = ["study_id", "outcome_id", "arms", "time", "time_label", "effect_label"]


def studies_table(data: Tables, parameters: Parameters, **choice: Unpack[Choice]) -> Table:
    """Return the chosen studies: design, population, patients, arms, registry number, shared patients."""
    chosen = data.studies[data.studies["study_id"].isin(chosen_studies(data, **choice))]
    frame = chosen.assign(
        patients=[patients(data, row) for row in records(chosen)],
        arms=[_arms(data, row) for row in records(chosen)],
    )
    return build(
        data,
        (
            Column("Study", width=2.0),
            Column("Design; population", width=2.0),
            Column("Patients", "right", 0.8),
            Column("Arms (patients)", width=2.4),
        ),
        [_study_row(data, row) for row in records(frame)],
        caption=_studies_words(frame),
        note="A study that is part of another has patients of that study: they are not counted twice. "
        "Population, patients and arms that are missing are not printed.",
        frame=frame,
    )


def _studies_words(frame: pd.DataFrame) -> str:
    """Return how many studies there are, how many of them randomised, and how many are parts of others."""
    known = share_words(int((frame["randomised"] == "yes").sum()), len(frame), "known to be randomised")
    parts = int((frame["parent_study_id"].fillna("") != "").sum())
    told = f"{several(len(frame), 'study')}: {known}" if len(frame) else "No study"
    return (
        f"{told}; {parts} {'has' if parts == 1 else 'have'} patients of another study."
        if parts
        else f"{told}."
    )


def _share(data: Tables, row: Mapping[str, Any], parent: str) -> str:
    """Return what a study is of another with which it has patients in common."""
    sizes = [row["n"], *data.studies.loc[data.studies["study_id"] == parent, "n"]]
    known = len(sizes) == 2 and not any(map(fmt.missing, sizes))
    return "shares patients with" if known and sizes[0] > sizes[1] else "part of"


def _study_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    parent = str(row["parent_study_id"] or "")
    part = f"{_share(data, row, parent)} {study_label(data, parent)}" if parent else ""
    return (
        sourced(_named(row), row["row_id"], origin=str(row["origin"])),
        Cell("; ".join(filter(None, (design_words(row), words_of(row["population"]).lower(), part)))),
        Cell("" if fmt.missing(row["patients"]) else str(row["patients"])),
        Cell(str(row["arms"])),
    )


def _arms(data: Tables, row: Mapping[str, Any]) -> str:
    return _listed([_arm(arm) for arm in records(separate_arms(data, str(row["study_id"])))])


def _listed(names: Sequence[str]) -> str:
    """Return names one after the other, the first as it stands."""
    return "; ".join([*names[:1], *map(lower_first, names[1:])])


def _named(row: Mapping[str, Any]) -> str:
    """Return a study's label with its registry number, unless the label is that."""
    label, number = str(row["label"]), str(row["registry_id"] or "")
    return f"{label} ({number})" if number and number not in label else label


def _population(row: Mapping[str, Any]) -> str:
    return words_of(row["population"]).lower() or NOT_STATED


def _arm(arm: Mapping[str, Any]) -> str:
    return str(arm["label"]) if fmt.missing(arm["n"]) else f"{arm['label']} ({arm['n']})"


def comparability_table(
    data: Tables, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Choice]
) -> Table:
    """Return what differs between studies that report the outcomes: population, criteria, time, set counted.

    One row per study, outcome and time. Criteria are those that a document prints for the study.
    """
    frame = across_frame(data, parameters, outcome_ids=outcome_ids, **choice)
    keys = ["study_id", "outcome_id", "time", "time_unit", "time_label", "analysis_set"]
    ordered = frame.sort_values("outcome_id", key=lambda ids: ids.map(list(outcome_ids).index), kind="stable")
    frame = ordered.drop_duplicates(keys).reset_index(drop=True)
    criteria = [_criteria(data, row) for row in records(frame)]
    frame = frame.assign(criteria=[text for text, _ in criteria])
    labels = outcome_labels(data)
    return build(
        data,
        (
            Column("Study", width=2.0),
            Column("Population", width=1.2),
            Column("Time", width=1.0),
            Column("Patients counted", width=1.2),
            Column("What counts, as printed", width=2.4),
        ),
        [
            (sourced(study_words(row), "", origin=str(row["origin"])), Cell(_population(row)),
             Cell(when_counted(row)), Cell(_counted_set(row)),
             sourced(text or NOT_STATED, rows, origin=_origin(data, rows)))
            for row, (text, rows) in zip(records(frame), criteria, strict=True)
        ],
        caption=_differences_words(frame),
        note="“Not stated”: not in what was read.",
        frame=frame[[*keys, "study_label", "population", "criteria"]],
        groups=grouped([labels.get(one, one) for one in frame["outcome_id"]]),
    )  # fmt: skip


def _differences_words(frame: pd.DataFrame) -> str:
    """Return in how many populations, times and criteria the studies of a table differ."""
    people = [_population(row) for row in records(frame.drop_duplicates("study_id"))]
    told = [
        f"population: {kinds_words(people)}",
        f"time: {kinds_words([when_counted(row) for row in records(frame)])}",
        f"what counts: {stated_words([str(one) for one in frame['criteria']])}",
    ]
    return f"What differs between {several(len(people), 'study')}. {fmt.sentence('; '.join(told))}."


def _counted_set(row: Mapping[str, Any]) -> str:
    return NOT_STATED if row["analysis_set"] in ("", "unstated") else plain(str(row["analysis_set"])).lower()


def _criteria(data: Tables, row: Mapping[str, Any]) -> tuple[str, str]:
    frame = data.definitions[data.definitions["outcome_id"] == row["outcome_id"]]
    own = frame["study_id"] == row["study_id"] if "study_id" in frame else frame["source_id"] == ""
    sources = set(data.studies.loc[data.studies["study_id"] == row["study_id"], "source_id"])
    unnamed = frame["study_id"] == "" if "study_id" in frame else frame["source_id"] != ""
    found = records(frame[own | (unnamed & frame["source_id"].isin(sources))])
    told: dict[str, list[str]] = {}
    for one in found:
        told.setdefault(_criterion(one), []).append(str(one["row_id"]))
    join = " or " if any(one["join"] == "any" for one in found) else "; "
    return join.join(told), "|".join(row_id for rows in told.values() for row_id in rows)


def _origin(data: Tables, rows: str) -> str:
    """Return whether all these rows of definitions come from external documents."""
    used = data.definitions.loc[data.definitions["row_id"].isin(rows.split("|")), "source_id"]
    origins = {document_origin(data, str(source)) for source in used}
    return "external" if origins == {"external"} else ""


def _criterion(one: Mapping[str, Any]) -> str:
    operator = OPERATORS.get(str(one["operator"]), pretty(str(one["operator"])))
    amount = fmt.general(one["threshold"])
    name = lower_first(plain(str(one["criterion"])))
    if not amount:
        return f"without {name}" if operator == "absent" else f"{name}: {operator}"
    gap = "" if operator in ("<", ">", "≤", "≥", "=") else " "
    return f"{name} {operator}{gap}{amount} {unit(one['unit']).replace('×', '× ')}".strip()


def missing_evidence_table(data: Tables, parameters: Parameters, **choice: Unpack[Choice]) -> Table:
    """Return the studies without a single efficacy result: registry number, state, size, what is said.

    Left out are syntheses of other studies, and studies that were never to show efficacy. A study is missing
    evidence whether it is planned, under way or finished; what a document says of its result in words is no
    result. ``registered_table`` is the register of all diseases by state.
    """
    known = studies_with_results(data)
    chosen = data.studies[
        data.studies["study_id"].isin(chosen_studies(data, **choice))
        & ~data.studies["study_id"].isin(known)
        & ~data.studies["design"].isin([*SYNTHESES, *NO_EFFICACY])
    ]
    frame = chosen.assign(
        patients=[patients(data, row) for row in records(chosen)],
        planned=[_element(data, str(row["study_id"]), PLANNED)[0] for row in records(chosen)],
        said=[_said(data, str(row["study_id"]))[1] for row in records(chosen)],
    )
    return build(
        data,
        (
            Column("Study", width=2.5),
            Column("Design", width=1.4),
            Column("Registry number", width=1.1),
            Column("State", width=0.9),
            Column("Patients", "right", 0.8),
            Column("What is said of it", width=2.8),
        ),
        [_missing_row(data, row) for row in records(frame)],
        caption=f"Missing evidence: {len(frame)} studies without a single efficacy result"
        f"{_planned_words(frame)}.",
        note="No result here is counted anywhere in this report, and none can be.",
        frame=frame,
    )


def _planned_words(frame: pd.DataFrame) -> str:
    total = int(frame["patients"].dropna().sum())
    return f", with {total:,} patients where a number is known" if total else ""


def _missing_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    study = str(row["study_id"])
    rows, said = _said(data, study)
    state, where = _element(data, study, ("status",))
    planned, place = _element(data, study, PLANNED)
    size = "" if fmt.missing(row["patients"]) else str(row["patients"])
    shown = " ".join(filter(None, (size, f"({planned} planned)" if planned else "")))
    return (
        sourced(str(row["label"]), row["row_id"], origin=str(row["origin"])),
        Cell(design_words(row)),
        Cell(str(row["registry_id"] or "")),
        sourced(plain(state or str(row["status"] or "")) or NOT_STATED, where or row["row_id"]),
        sourced(shown or NOT_STATED, place or row["row_id"]),
        sourced(said or "Nothing", rows),
    )


def _element(data: Tables, study: str, items: Sequence[str]) -> tuple[str, str]:
    found = records(rows_where(data, "protocols", study_id=study, item=items))
    return (str(found[0]["value"]), str(found[0]["row_id"])) if found else ("", "")


def _said(data: Tables, study: str) -> tuple[str, str]:
    claims = result_claims(data, study, kinds=SPEAKING)
    told = [pretty(str(row["paraphrase"])).rstrip(".") for row in claims]
    return "|".join(str(row["row_id"]) for row in claims), f"{'. '.join(told)}." if told else ""


def published_effects_table(
    data: Tables, parameters: Parameters, *, designs: Some = SYNTHESES, indication: Some = None
) -> Table:
    """Return the pooled effects that others have printed, with their intervals as printed.

    A synthesis whose estimates were not read is listed as such.
    """
    studies = data.studies[
        data.studies["study_id"].isin(chosen_studies(data, indication=indication, designs=designs))
    ]
    tests = rows_where(data, "tests", study_id=list(studies["study_id"]))
    tests = once(tests[tests["effect"] != ""], EFFECT_KEY)
    body, headings = [], []
    for study in records(studies):
        rows = _pooled_rows(data, study, records(tests[tests["study_id"] == study["study_id"]]))
        body += rows
        headings += [_synthesis(data, study)] * len(rows)
    return build(
        data,
        (
            Column("Outcome", width=2.0),
            Column("Comparison", width=2.6),
            Column("Measure", width=0.9),
            Column("Printed effect (interval)", "right", 1.7),
            Column("P, printed", "right", 0.8),
            Column("Remark", width=1.3),
        ),
        body,
        caption=f"{several(len(tests), 'pooled effect')} of "
        f"{several(tests['study_id'].nunique(), 'published synthesis')}, as printed.",
        note="These are checks from outside: they enter no calculation of this report. Where no level is "
        "printed, the level of an interval is not known.",
        frame=_tidy_pooled(data, studies, tests),
        groups=grouped(headings),
    )


def _tidy_pooled(data: Tables, studies: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Return tests with label and patients of their study, then what is told of a study in words alone."""
    said = [
        {"study_id": study["study_id"], "row_id": row["row_id"], "said": text}
        for study in records(studies)
        for row, text in _words_alone(data, study, study["study_id"] in set(tests["study_id"]))
    ]
    frame = pd.concat([tests, pd.DataFrame(said)], ignore_index=True) if said else tests
    known = studies.set_index("study_id")
    return frame.assign(**{f"study_{name}": frame["study_id"].map(known[name]) for name in ("label", "n")})


def _words_alone(
    data: Tables, study: Mapping[str, Any], counted: bool
) -> list[tuple[Mapping[str, Any], str]]:
    """Return what documents tell of a synthesis without a figure, or that nothing was read."""
    claims = rows_where(data, "claims", study_id=str(study["study_id"]))
    claims = claims[claims["value"] == ""]
    said: list[tuple[Mapping[str, Any], str]] = [(one, str(one["paraphrase"])) for one in records(claims)]
    return said or ([] if counted else [(study, "No pooled estimate was read")])


def _synthesis(data: Tables, study: Mapping[str, Any]) -> str:
    size = "" if fmt.missing(study["n"]) else f", {study['n']} patients"
    scope = str(study["indication"] or "") or "indication not stated"
    return f"{study['label']} ({words_of(study['design']).lower()}, {scope}{size})"


def _pooled_rows(
    data: Tables, study: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]
) -> list[tuple[Cell, ...]]:
    rows = [_pooled_row(data, test) for test in tests]
    said = _words_alone(data, study, bool(rows))
    return rows + [(Cell("In words"), _told(data, row, text), *empty_cells(4)) for row, text in said]


def _told(data: Tables, row: Mapping[str, Any], text: str) -> Cell:
    return sourced(text, row["row_id"], origin=document_origin(data, str(row["source_id"])))


def _pooled_row(data: Tables, test: Mapping[str, Any]) -> tuple[Cell, ...]:
    arms = data.arms[data.arms["study_id"] == test["study_id"]]
    names = dict(zip(arms["arm_id"], arms["label"], strict=True))
    origin = str(test.get("origin", ""))
    when = when_counted(test)
    outcome = outcome_labels(data).get(str(test["outcome_id"]), str(test["outcome_id"]))
    return (
        Cell(outcome if when == NOT_STATED else f"{outcome}, {when}"),
        Cell(" against ".join(lower_first(str(names.get(arm, arm))) for arm in str(test["arms"]).split("|"))),
        Cell(str(test["effect_label"])),
        sourced(printed_effect(test), test["row_id"], origin=origin),
        sourced(fmt.printed(test["p"]), test["row_id"], origin=origin),
        Cell(_remark(test)),
    )


def _remark(test: Mapping[str, Any]) -> str:
    level = "" if fmt.missing(test["interval_level"]) else fmt.level(float(test["interval_level"]))
    note = re.sub(r"\bI2\b", "I²", str(test.get("note", "") or ""))
    return ", ".join(filter(None, (note, level)))
