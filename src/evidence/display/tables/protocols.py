"""Registered trials: which there are, how they are planned side by side, and whose number is whose."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data.values import by_value
from evidence.display.documents import (
    REGISTRY_UNIT,
    document_label,
    document_origin,
    place_words,
    quantity,
    registry_ids,
)
from evidence.display.evidence import patients
from evidence.display.labels import arm_labels, joined, lower_first, pretty, sourced
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import Body, build, grouped, nothing
from evidence.display.tables.statements import result_claims
from evidence.parameters import Parameters
from evidence.results import Tables, plain, records, rows_where

OPEN = ("recruiting", "ongoing", "planned", "unknown")
STATES = {
    "Finished, no rates in the documents": ("completed", "terminated", "withdrawn"),
    "Under way": ("recruiting", "ongoing", "planned"),
    "State not known": ("published", "unknown", ""),
}
NO_TRIAL = ("product_label", "pharmacokinetic", "meta_analysis", "network_meta_analysis")
RESULTS = ("efficacy", "safety")
ILLUSTRATIVE = "(illustrative)"
KEY = "key efficacy endpoint"
TITLE = re.compile(r" \(title of [^)]*\)$")
MOST_COLUMNS = 2  # studies beside each other that leave a column wide enough to read on A4 and in a page
SECTIONS = (
    "design",
    "centre",
    "dates",
    "eligibility",
    "regimen",
    "dose",
    "primary endpoint",
    "endpoints",
    "secondary endpoint",
    "endpoint",
    "assessment",
    "safety",
)
Element = dict[str, Any]


def registered_table(data: Tables, parameters: Parameters) -> Table:
    """Return the register of trials without a result: state, number, design, size, what is known of them.

    ``missing_evidence_table`` tells what a single disease lacks; this is the list of all. These are all
    studies that are under way or of unknown state, and those finished or registered that the documents give
    no efficacy or safety result for.
    """
    chosen = awaited(data)
    columns = (
        Column("Trial", width=2.4),
        Column("Registry number", width=1.1),
        Column("Design", width=1.2),
        Column("Patients", "right", 1.0),
        Column("What is known of it", width=2.4),
    )
    return build(
        data,
        columns,
        [_registered_row(data, row) for row in chosen],
        caption=_awaited_words(chosen),
        note="Patients: enrolled where printed, else planned. Empty: not in the documents. The chapter of a "
        "disease sets those of its own beside its results.",
        frame=pd.DataFrame([_tidy(data, row) for row in chosen]),
        groups=grouped([str(row["state"]) for row in chosen]),
    )


def awaited(data: Tables) -> list[Element]:
    """Return the trials that no result was read of, with their ``state`` in words, in the order of states."""
    with_results = _with_results(data)
    chosen = [row | {"state": _state(row)} for row in records(data.studies) if _awaited(row, with_results)]
    return sorted(chosen, key=lambda row: list(STATES).index(row["state"]))


def _awaited_words(chosen: Sequence[Element]) -> str:
    """Return how many trials have no result, and how many of them are finished."""
    finished = sum(row["state"] == next(iter(STATES)) for row in chosen)
    told = f"{len(chosen)} trials whose results are not in the documents; {finished} of them "
    told += "is finished." if finished == 1 else "are finished."
    return told


def _state(study: Mapping[str, Any]) -> str:
    status = str(study["status"] or "")
    return next((words for words, members in STATES.items() if status in members), "State not known")


@by_value
def _with_results(data: Tables) -> set[str]:
    """Return the studies with a counted result of an efficacy or safety outcome."""
    chosen = set(data.outcomes.loc[data.outcomes["domain"].isin(RESULTS), "outcome_id"])
    frames = (data.counts, data.measurements, data.tests)
    return {str(one) for frame in frames for one in frame.loc[frame["outcome_id"].isin(chosen), "study_id"]}


def _awaited(study: Mapping[str, Any], with_results: set[str]) -> bool:
    """Return whether a study is a trial under way, or one finished or registered without a result."""
    if study["design"] in NO_TRIAL or study["study_id"] in with_results:
        return False
    registered = not fmt.missing(study["registry_id"])
    return registered or study["status"] in (*OPEN, "completed", "terminated", "withdrawn")


def _tidy(data: Tables, study: Element) -> Element:
    """Return a trial as it is in the data, with its patients and how many were planned."""
    row = _enrolment(_items(data, str(study["study_id"])))
    return study | {"patients": patients(data, study), "planned": row["value"] if row else ""}


def _registered_row(data: Tables, study: Element) -> tuple[Cell, ...]:
    items = _items(data, str(study["study_id"]))
    size = patients(data, study)
    return (
        sourced(str(study["label"]), study["row_id"], origin=str(study["origin"])),
        Cell(str(study["registry_id"] or "")),
        Cell(plain(str(study["design"] or ""))),
        _planned(items) if pd.isna(size) else Cell(str(size)),
        _known(data, study, items),
    )


def _items(data: Tables, study_id: str) -> dict[str, Element]:
    rows = records(rows_where(data, "protocols", study_id=study_id))
    return {str(row["item"]): row for row in rows}


def _enrolment(items: Mapping[str, Element]) -> Element | None:
    return next((row for item, row in items.items() if item.endswith("enrolment")), None)


def _planned(items: Mapping[str, Element]) -> Cell:
    row = _enrolment(items)
    return sourced(f"{row['value']} planned", row["row_id"]) if row else Cell("")


def _known(data: Tables, study: Element, items: Mapping[str, Element]) -> Cell:
    """Return state, comparator and endpoint, and what documents say of the result without a rate."""
    status, date = items.get("status"), items.get("date of the status")
    ends, said = _endpoints(data, study), result_claims(data, str(study["study_id"]))
    words = [_state_words(study, [row for row in (status, date) if row])]
    words += [f"Compared with {lower_first(_comparator(data, study))}."] if study["comparator"] else []
    words += [f"Endpoint: {'; '.join(_endpoint(row) for row in ends)}."] if ends else []
    words += [f"{pretty(row['paraphrase']).rstrip('.')}." for row in said]
    rows = (status, date, *ends, *said)
    return Cell(" ".join(filter(None, words)), tuple(str(row["row_id"]) for row in rows if row))


def _state_words(study: Element, registered: Sequence[Element]) -> str:
    """Return the state that a registry gives, or else the one that a document prints."""
    if registered:
        return f"Registry: {', '.join(quantity(row['value'], '') for row in registered)}."
    printed = str(study["status"] or "") in next(reversed(STATES.values()))
    return "" if printed else f"Printed, not from a registry: {study['status']}."


def _comparator(data: Tables, study: Element) -> str:
    labels = arm_labels(data, str(study["study_id"]))
    return joined([labels.get(one, one) for one in str(study["comparator"]).split("|")])


def _endpoints(data: Tables, study: Element) -> list[Element]:
    """Return the endpoints that are called primary, or else key."""
    own = records(rows_where(data, "protocols", study_id=str(study["study_id"])))
    first = [row for row in own if str(row["section"]).startswith("primary endpoint")]
    return first or [row for row in own if str(row["item"]).startswith(KEY)]


def _endpoint(row: Element) -> str:
    item, called = str(row["item"]).removeprefix(KEY).lstrip(": "), str(row["section"]).endswith(ILLUSTRATIVE)
    told = ", ".join(filter(None, (pretty(item), quantity(row["value"], row["unit"]))))
    return f"{told} {ILLUSTRATIVE}" if called else told


def identifiers_table(data: Tables, parameters: Parameters) -> Table:
    """Return what the documents say a registry number is, number by number, beside the study filed under it.

    These are the claims of kind identity that name a registry number.
    """
    claims = records(rows_where(data, "claims", kind="identity"))
    named = sorted(((number, row) for row in claims for number in _numbers(row)), key=lambda pair: pair[0])
    columns = (
        Column("Document", width=1.5),
        Column("What it says, in other words", width=3.4),
        Column("Place", width=1.6),
    )
    return build(
        data,
        columns,
        [_identity_row(data, row) for _, row in named],
        caption=f"What the documents say that {len({number for number, _ in named})} registry numbers are.",
        note="The headings name the study that this report files under the number. A sentence that names two "
        "numbers stands under both.",
        frame=pd.DataFrame([{"number": number, **row} for number, row in named]),
        groups=grouped([_filed(data, number) for number, _ in named]),
    )


def _numbers(claim: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the registry numbers that an identity claim names."""
    printed = [claim["value"]] if claim["unit"] == REGISTRY_UNIT else []
    return tuple(dict.fromkeys([*map(str, printed), *registry_ids([claim["paraphrase"]])]))


def _filed(data: Tables, number: str) -> str:
    labels = data.studies.loc[data.studies["registry_id"] == number, "label"]
    words = "; ".join(str(label) for label in labels) or "no study of this report"
    return words if words.startswith(number) else f"{number}: {words}"


def _identity_row(data: Tables, row: Element) -> tuple[Cell, ...]:
    origin = document_origin(data, str(row["source_id"]))
    return (
        Cell(document_label(data, str(row["source_id"])), mark="external" if origin == "external" else ""),
        sourced(pretty(row["paraphrase"]), row["row_id"]),
        Cell(place_words(data, str(row["source_id"]), row["locator"]), (str(row["row_id"]),)),
    )


def protocols_side_by_side_table(
    data: Tables, parameters: Parameters, *, indication: str | None = None
) -> Table:
    """Return the protocols of registered or open trials side by side, folded to what they share.

    A row is an item that at least two of them state, or the common head of several items (inclusion: age,
    inclusion: disease); everything else of a section stands together in one row. Up to two studies are
    columns; more stand below each other under every item, so that each text keeps its width.

    Args:
        data: the tidy tables.
        parameters: not used; every builder takes them.
        indication: the trials of one indication; all of them by default.
    """
    studies = _registered_studies(data, indication)
    elements = _elements(rows_where(data, "protocols", study_id=list(studies)))
    shown = [one for one in studies if any(element["study_id"] == one for element in elements)]
    caption = "Protocols of registered studies side by side, as documents and registries state them."
    if not elements:
        return nothing(caption)
    table = _fold(elements)
    layout = _columns if len(shown) <= MOST_COLUMNS else _stacked
    columns, body, groups = layout(table, {one: studies[one] for one in shown})
    note = f"Empty: not stated. Illustrative: the document calls it so. {_remarks(elements, studies)}".strip()
    frame = pd.DataFrame(elements)
    caption = (
        f"Protocols of {len(shown)} registered studies side by side, as documents and registries state them."
    )
    return build(data, columns, body, caption=caption, note=note, frame=frame, groups=groups)


def _remarks(elements: Sequence[Element], studies: Mapping[str, str]) -> str:
    """Return what the data remark on the elements, study by study, each remark once."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in elements:
        if not fmt.missing(one.get("note")):
            key = str(one["study_id"]), str(one["note"])
            found.setdefault(key, []).append(lower_first(str(one["item"]).partition(",")[0]))
    told = [f"{studies[study]}, {joined(items)}: {pretty(note)}." for (study, note), items in found.items()]
    return " ".join(told)


def _registered_studies(data: Tables, indication: str | None) -> dict[str, str]:
    return {
        str(row["study_id"]): str(row["label"])
        for row in records(data.studies)
        if (not fmt.missing(row["registry_id"]) or row["status"] in OPEN)
        and row["design"] not in NO_TRIAL
        and indication in (None, row["indication"])
    }


def _elements(frame: pd.DataFrame) -> list[Element]:
    """Return the rows of protocols with the section and item that they are compared under."""
    rows = [
        {**row, "section": _section(str(row["section"])), "item": TITLE.sub("", str(row["item"]))}
        for row in records(frame)
    ]
    return sorted(rows, key=lambda row: _section_place(str(row["section"])))


def _section(name: str) -> str:
    return "endpoint" if name == "endpoints" else name


def _section_place(section: str) -> tuple[int, bool]:
    name = section.removesuffix(ILLUSTRATIVE).strip()
    return SECTIONS.index(name) if name in SECTIONS else len(SECTIONS), section.endswith(ILLUSTRATIVE)


Folded = dict[tuple[str, str], dict[str, list[Element]]]


def _fold(elements: Sequence[Element]) -> Folded:
    """Return elements by (section, item) and study; what has no item of its own goes to (section, "")."""
    heads = _heads(elements)
    folded: Folded = {}
    for one in elements:
        key = one["section"], _head(one) if (one["section"], _head(one)) in heads else ""
        folded.setdefault(key, {}).setdefault(one["study_id"], []).append(one)
    return dict(sorted(folded.items(), key=lambda entry: (_section_place(entry[0][0]), not entry[0][1])))


def _head(element: Element) -> str:
    return str(element["item"]).partition(":")[0]


def _heads(elements: Sequence[Element]) -> set[tuple[str, str]]:
    """Return the items that get a row: stated by two studies, or the head of two items."""
    items: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one in elements:
        shared = items.setdefault((one["section"], _head(one)), set())
        shared |= {("study", str(one["study_id"])), ("item", str(one["item"]))}
    return {key for key, found in items.items() if len(found) > 2}


def _cell(elements: Sequence[Element], *, item: str) -> Cell:
    """Return what one study states under an item, each thing once, with all rows that state it."""
    words = list(dict.fromkeys(_stated(one, item) for one in elements))
    told = [one for one in words if not any(one != other and one in other for other in words)]
    return Cell("; ".join(told), tuple(str(one["row_id"]) for one in elements))


def _stated(element: Element, item: str) -> str:
    name = str(element["item"])
    value = quantity(element["value"], "" if _says(name, element["unit"]) else element["unit"])
    if name == item:
        return value or "stated"
    part = name.removeprefix(f"{item}:").strip() if item else name
    return f"{pretty(part)}: {value}" if value else pretty(part)


def _says(item: str, unit: Any) -> bool:
    """Return whether an item names its unit itself: days, 5."""
    return bool(unit) and bool(re.search(rf"\b{re.escape(str(unit))}s?\b", item))


Laid = tuple[tuple[Column, ...], Body, tuple[tuple[int, str], ...]]


def _columns(folded: Folded, studies: Mapping[str, str]) -> Laid:
    """Return the studies as columns, the sections as headings."""
    columns = (Column("Item", width=1.0), *(Column(label, width=2.0) for label in studies.values()))
    body: Body = [
        (
            Cell(_item_label(section, item, folded)),
            *(_cell(stated[one], item=item) if one in stated else Cell("") for one in studies),
        )
        for (section, item), stated in folded.items()
    ]
    return columns, body, grouped([plain(section) for section, _ in folded])


def _stacked(folded: Folded, studies: Mapping[str, str]) -> Laid:
    """Return the studies below each other under every item."""
    body: Body = []
    headings = []
    for (section, item), stated in folded.items():
        for one in [one for one in studies if one in stated]:
            body.append((Cell(studies[one]), _cell(stated[one], item=item)))
            headings.append(_item_heading(section, item, folded))
    return (Column("Trial", width=1.6), Column("As stated", width=4.4)), body, grouped(headings)


def _item_label(section: str, item: str, folded: Folded) -> str:
    """Return the words of an item; of what has none, whether other rows of its section stand above it."""
    if item:
        return pretty(plain(item))
    return "Also stated" if any(one == section and other for one, other in folded) else "Stated"


def _item_heading(section: str, item: str, folded: Folded) -> str:
    label = _item_label(section, item, folded)
    return (
        plain(section) if item == section or label == "Stated" else f"{plain(section)}: {lower_first(label)}"
    )


@by_value
def sections_of(data: Tables) -> list[str]:
    """Return the names of the sections that protocols have."""
    return list(dict.fromkeys(map(str, data.protocols["section"])))


def illustrative_protocols_table(data: Tables, parameters: Parameters) -> Table:
    """Return the protocols that a document itself calls illustrative: those of no trial."""
    sections = {one for one in sections_of(data) if one.endswith(ILLUSTRATIVE)}
    frame = rows_where(data, "protocols", section=sorted(sections))
    return _facts(
        data,
        frame,
        caption=f"{len(frame)} elements of protocols that a document prints as illustrations; they are the "
        "protocol of no trial.",
        heading=_illustration,
    )


def _illustration(data: Tables, row: Element) -> str:
    labels = dict(zip(data.studies["study_id"], data.studies["label"], strict=True))
    part = str(row["section"]).removesuffix(ILLUSTRATIVE).strip()
    return f"Printed beside {labels.get(row['study_id'], row['study_id'])}: {part}"


def design_facts_table(
    data: Tables,
    parameters: Parameters,
    *,
    designs: Sequence[str] = (),
    sections: Sequence[str] = (),
    caption: str = "Facts that stand in no trial result.",
) -> Table:
    """Return the protocol rows of studies of some designs, and of some sections of no study.

    Such are the facts of a product label, a pharmacokinetic study or a preclinical protocol.
    """
    studies = set(data.studies.loc[data.studies["design"].isin(list(designs)), "study_id"])
    rows = data.protocols
    loose = (rows["study_id"] == "") & rows["section"].isin(list(sections))
    return _facts(data, rows[rows["study_id"].isin(studies) | loose], caption=caption, heading=_fact_heading)


def _fact_heading(data: Tables, row: Element) -> str:
    labels = dict(zip(data.studies["study_id"], data.studies["label"], strict=True))
    owner = labels.get(row["study_id"]) or document_label(data, str(row["source_id"]))
    return f"{owner}: {lower_first(plain(str(row['section'])))}"


def _facts(
    data: Tables, frame: pd.DataFrame, *, caption: str, heading: Callable[[Tables, Element], str]
) -> Table:
    rows = records(frame)
    rows.sort(key=lambda row: (str(row["study_id"]), _section_place(str(row["section"]))))
    body: Body = [
        (
            Cell(pretty(plain(str(row["item"])))),
            sourced(
                quantity(row["value"], row["unit"]) or "stated",
                row["row_id"],
                origin=document_origin(data, str(row["source_id"])),
            ),
            Cell(place_words(data, str(row["source_id"]), row["locator"]), (str(row["row_id"]),)),
        )
        for row in rows
    ]
    columns = (Column("Item", width=2.0), Column("As stated", width=2.6), Column("Place", width=2.0))
    groups = grouped([heading(data, row) for row in rows])
    return build(data, columns, body, caption=caption, frame=frame, groups=groups)
