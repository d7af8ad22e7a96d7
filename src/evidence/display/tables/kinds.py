"""What the events of an answer were, as rows below it, where fewer of them are no proof of less harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.labels import lower_first
from evidence.display.model import Cell
from evidence.display.tables.answered import (
    difference_words,
    effect_words,
    finding_values,
    patients_words,
    risk_cell,
    rows_of,
    split_asked,
)
from evidence.display.tables.beside import beside_values
from evidence.display.verdicts import TIME
from evidence.parameters import Parameters
from evidence.questions import Answer, Parts, events_of, parts_of
from evidence.synthesis.certainty import Certainty

NOT_RATED = "Not rated"
SIDES = ("treatment", "comparator")
Line = tuple[Cell, ...]


def kinds_words(*found: tuple[Answer, Parts]) -> str:
    """Return what most events of answers were, if they say the same of them, with the counts of every arm."""
    what, colon, follows = found[0][1].caveat.partition(": ")
    counts = dict.fromkeys(
        f"{events_of(parts.most, side)} of {events_of(one, side)} with {fmt.in_sentence(arm.label)}"
        for side in SIDES
        for one, parts in found
        if (arm := getattr(one.finding.studies[0], side))
    )
    return f"{what[:1].upper()}{what[1:]} ({', '.join(counts)}){colon}{follows}."


def kind_name(part: Answer) -> str:
    """Return the name of a kind of event as the beginning of a row below the events that it is of."""
    return f"of these, {lower_first(part.outcome)}"


def treated_kind(one: Answer, part: Answer) -> str:
    """Return the name of a kind of event with the treatment of the question that its events are of."""
    treatment = split_asked(one.title)[1].partition(" against ")[0]
    return ", ".join(filter(None, (kind_name(part), lower_first(treatment))))


def kind_ratio(part: Answer) -> str:
    """Return the ratio of a kind of event; a dash where a group has none, and half an event would make it."""
    return effect_words(part) if all(events_of(part, side) for side in SIDES) else "–"


def kind_lines(one: Answer, data: Dataset, parameters: Parameters) -> list[Line]:
    """Return a row per kind of event: what, patients, both risks, difference, ratio, not rated."""
    parts = parts_of(one, data, parameters)
    return [
        (
            Cell(treated_kind(one, part)),
            Cell(f"{patients_words(part)} ({len(part.studies)})"),
            risk_cell(part, "comparator"),
            risk_cell(part, "treatment"),
            Cell(difference_words(part, unit=False), rows_of(part)),
            Cell(kind_ratio(part), rows_of(part)),
            Cell(NOT_RATED),
        )
        for part in (parts.all if parts else ())
    ]


def kinds_note(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> str:
    """Return for every outcome whose events are mostly of one kind what they were, as sentences."""
    found = [(one, parts) for one in answers if (parts := parts_of(one, data, parameters))]
    same: dict[tuple[str, str], list[tuple[Answer, Parts]]] = {}
    for one, parts in found:
        same.setdefault((TIME.sub("", split_asked(one.title)[0]), parts.caveat), []).append((one, parts))
    return " ".join(f"{name}: {lower_first(kinds_words(*some))}" for (name, _), some in same.items())


def kind_values(
    one: Answer, sure: Certainty | None, data: Dataset, parameters: Parameters
) -> list[dict[str, Any]]:
    """Return an answer and every kind of its events as unformatted values, rows of the tidy table."""
    parts = parts_of(one, data, parameters)
    of = [finding_values(part, None) | {"title": part.outcome} for part in (parts.all if parts else ())]
    return [finding_values(one, sure) | beside_values(one, data, parameters), *of]


def findings_frame(
    answers: Sequence[Answer], made: Sequence[Certainty | None], data: Dataset, parameters: Parameters
) -> pd.DataFrame:
    """Return answers with the kinds of their events as one tidy table."""
    pairs = zip(answers, made, strict=True)
    return pd.DataFrame([row for one, sure in pairs for row in kind_values(one, sure, data, parameters)])
