"""One study on one page: its card, its results, its tests, what it claims and how it was done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.counting import several
from evidence.display.documents import document_name, document_origin, place_words, quantity
from evidence.display.evidence import patients
from evidence.display.labels import (
    ended,
    interval_words,
    joined,
    lower_first,
    moment,
    outcome_labels,
    pretty,
    sourced,
    spelled,
    study_label,
    unit,
)
from evidence.display.measured import measured, measurements, statistic_words
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.definitions import capitals_of, rule_words
from evidence.display.tables.parts import build, grouped, nothing
from evidence.display.tables.rates import listed_rates
from evidence.display.tables.statements import told_in_words
from evidence.parameters import PARAMETERS, Parameters
from evidence.results import Tables, plain, rates, records, words_of

NOT_STATED = "not stated"
CARD = (
    ("design", "Design"),
    ("randomised", "Randomised"),
    ("indication", "Indication"),
    ("population", "Population"),
    ("n", "Patients"),
    ("follow_up", "Follow-up"),
    ("period", "Period"),
    ("country", "Country"),
    ("funding", "Funding"),
    ("status", "Status"),
    ("registry_id", "Registry number"),
    ("parent_study_id", "Part of"),
)
CODED = ("design", "population", "status", "randomised")
OPTIONAL = ("part of",)  # what most studies are not
NO_STUDY = ("product_label",)  # designs that nobody was allocated or followed up in
# A claim with its comparison in brackets at the end: what is claimed, of what, against what.
AGAINST = re.compile(r"(.+) \((.+) against (.+)\)\.?")
TITLED = re.compile(r" \(title of [^)]*\)$")


def study_card(data: Tables, parameters: Parameters, *, study_id: str) -> Table:
    """Return a study at a glance: design, population, arms with dose, comparator, registry, source."""
    found = records(data.studies[data.studies["study_id"] == study_id])
    caption = f"{study_label(data, study_id)}: the study at a glance."
    if not found:
        return nothing(caption)
    study = found[0]
    names = {str(row["arm_id"]): str(row["label"]) for row in _arms(data, study_id)}
    compared = joined([names.get(one, one) for one in str(study["comparator"] or "").split("|")])
    facts = [(label, _fact(data, study, name)) for name, label in CARD] + [("Comparator", compared)]
    arms = [
        (f"Arm: {lower_first(row['label'])}", _arm_words(data, row), row) for row in _arms(data, study_id)
    ]
    body = [
        *((Cell(label), _read(data, study, text)) for label, text in facts if text),
        *((Cell(label), _read(data, row, text)) for label, text, row in arms),
        *((Cell("Source"), Cell(text)) for text in _sources(data, study)),
    ]
    missing = [label.lower() for label, text in facts if not text and label.lower() not in OPTIONAL]
    note = f"Not stated: {', '.join(missing)}." if missing and study["design"] not in NO_STUDY else ""
    tidy = pd.DataFrame([{"item": row[0].text, "value": row[1].text} for row in body])
    columns = (Column("Item", width=1.0), Column("As reported", width=3.4))
    return build(data, columns, body, caption=caption, note=note, frame=tidy)


def _read(data: Tables, row: Mapping[str, Any], text: str) -> Cell:
    """Return a text with the row that it was read from, marked where its document is external."""
    return sourced(text, row["row_id"], origin=document_origin(data, str(row["source_id"])))


def _fact(data: Tables, study: Mapping[str, Any], name: str) -> str:
    value = study[name]
    if name == "n":
        return _size(data, study)
    if fmt.missing(value):
        return ""
    if name == "parent_study_id":
        return study_label(data, str(value))
    return words_of(value) if name in CODED else fmt.sentence(pretty(value))


def _size(data: Tables, study: Mapping[str, Any]) -> str:
    """Return the patients of a study as printed, else those of its arms together."""
    total = patients(data, dict(study))
    if fmt.missing(total):
        return ""
    return f"{int(total):,}" if not fmt.missing(study["n"]) else f"{int(total):,} (sum of the arms)"


def _arms(data: Tables, study_id: str) -> list[dict[str, Any]]:
    arms = data.arms[(data.arms["study_id"] == study_id) & (data.arms["combines"].fillna("") == "")]
    return records(arms)


def _arm_words(data: Tables, row: Mapping[str, Any]) -> str:
    drugs = " + ".join(spelled(data, one) for one in str(row["components"]).split("+") if one)
    parts = [] if str(row["label"]).lower().startswith(drugs.lower()) else [drugs]
    if not fmt.missing(row["dose_value"]):
        parts.append(f"{fmt.general(row['dose_value'])} {row['dose_unit']}".strip())
    parts.append(str(row["dose_schedule"] or ""))
    if not fmt.missing(row["n"]):
        parts.append(f"n = {int(row['n'])}")
    return fmt.sentence("; ".join(part for part in parts if part)) or NOT_STATED.capitalize()


def _sources(data: Tables, study: Mapping[str, Any]) -> list[str]:
    """Return every document that something on a study was read in, the one that names it first."""
    frames = (data.counts, data.measurements, data.tests, data.protocols, data.claims)
    read = [one for frame in frames for one in frame.loc[frame["study_id"] == study["study_id"], "source_id"]]
    known = {str(row["source_id"]): row for row in records(data.sources)}
    used = dict.fromkeys([study["source_id"], *read])
    return [_source_words(data, known[one]) for one in used if one in known]


def _source_words(data: Tables, row: Mapping[str, Any]) -> str:
    """Return a document's title or citation, what it is, its year and its DOI, each once."""
    name = str(row["title"]) if not fmt.missing(row["title"]) else document_name(data, str(row["source_id"]))
    told = [name, words_of(row["kind"]), "" if fmt.missing(row["year"]) else str(row["year"])]
    parts = [part for place, part in enumerate(told) if place == 0 or part not in name]
    doi = "" if fmt.missing(row["doi"]) else f"doi {row['doi']}"
    return ". ".join(filter(None, (*parts, doi)))


def study_results_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    domains: Sequence[str] = ("efficacy", "safety", "disposition"),
) -> Table:
    """Return every counted result of a study in the domains, one after the other, with its interval."""
    outcomes = records(data.outcomes)
    chosen = [str(row["outcome_id"]) for domain in domains for row in outcomes if row["domain"] == domain]
    frame = rates(data, parameters, study_id=study_id, outcome_ids=chosen)
    shown = frame[frame["estimate"].notna()]
    known = shown["events"].notna()
    how = f"with {interval_words(parameters)}s{'' if known.all() else ' where a count is known'}"
    how = how if known.any() or shown.empty else "as printed, without counts"
    caption = f"{study_label(data, study_id)}: {counted_words(frame)}, {how}."
    return listed_rates(data, parameters, shown, caption=caption, printed=False)


def counted_words(frame: pd.DataFrame) -> str:
    """Return how many results of how many outcomes a frame of rates holds, in words."""
    shown = frame[frame["estimate"].notna()]
    kind = "counted result" if shown["events"].notna().all() else "rate"
    if len(shown) < 2:
        return f"the only {kind}" if len(shown) else f"every {kind}"
    outcomes = shown["outcome_id"].nunique()
    return f"all {len(shown)} {kind}s of {several(outcomes, 'outcome')}"


def study_measurements_table(data: Tables, parameters: Parameters, *, study_id: str) -> Table:
    """Return every mean, median and other measured value of a study, as printed."""
    frame = measurements(data, study_id)
    labels = {row["arm_id"]: row["label"] for row in records(data.arms[data.arms["study_id"] == study_id])}
    several = frame["arm_id"].nunique() > 1
    alone = len(labels) > 1 and not several
    body = [
        (
            Cell(fmt.sentence(str(labels.get(row["arm_id"], row["arm_id"])) if several else moment(row))),
            Cell(fmt.sentence(statistic_words(row) or "value")),
            sourced(measured(row), row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", ""))),
        )
        for row in records(frame)
    ]
    headings = [
        ", ".join(
            filter(
                None,
                (
                    pretty(row["outcome_label"]),
                    unit(row["unit"]),
                    lower_first(moment(row)) if several else "",
                    fmt.in_sentence(str(labels.get(row["arm_id"], ""))) if alone else "",
                ),
            )
        )
        for row in records(frame)
    ]
    return build(
        data,
        (
            Column("Arm" if several else "Time", width=1.6),
            Column("Statistic", width=1.4),
            Column("Value", "right", 1.4),
        ),
        body,
        caption=f"{study_label(data, study_id)}: every measured value, as printed.",
        frame=frame,
        groups=grouped(headings),
    )


def claims_table(
    data: Tables, parameters: Parameters, *, study_id: str, kinds: Sequence[str] | None = None
) -> Table:
    """Return what a document claims, in other words, with the figures it quotes and from whom.

    Of a study without a counted result, whatever is told of its result in words has a row, of any kind.
    """
    frame = data.claims[data.claims["study_id"] == study_id]
    if kinds is not None:
        alone = {row["row_id"] for row in told_in_words(data, study_id)}
        frame = frame[frame["kind"].isin(list(kinds)) | frame["row_id"].isin(alone)]
    body = [_claim_row(data, rows) for rows in _alike(data, records(frame))]
    return build(
        data,
        (
            Column("Kind", width=0.9),
            Column("Claim, in other words", width=3.2),
            Column("Place", width=1.5),
        ),
        body,
        caption=f"{study_label(data, study_id)}: {several(len(frame), 'claim')} of the documents, by kind.",
        note="In brackets: the figure, and the document’s own reference numbers where it quotes others.",
        frame=frame,
    )


def _alike(data: Tables, rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return claims that differ in the comparator alone together, in the order of the first of each."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        said = AGAINST.fullmatch(str(row["paraphrase"]))
        words = (said[1], said[2]) if said else row["row_id"]
        found.setdefault((row["kind"], words, _added(row), _place(data, [row]).text), []).append(row)
    return list(found.values())


def _added(row: Mapping[str, Any]) -> str:
    """Return the figure of a claim and the documents it quotes."""
    quoted = f"quoted from {', '.join(str(row['cites']).split('|'))}" if row["cites"] else ""
    return "; ".join(filter(None, (_figure(row), quoted)))


def _claim_row(data: Tables, rows: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    """Return a claim once, against all comparators that it names one by one."""
    first, added, words = rows[0], _added(rows[0]), str(rows[0]["paraphrase"])
    if len(rows) > 1:
        said = [found for row in rows if (found := AGAINST.fullmatch(str(row["paraphrase"])))]
        words = f"{said[0][1]} ({said[0][2]} against {joined([one[3] for one in said], 'or')})"
    claim = f"{fmt.sentence(ended(pretty(words)))}{f' [{added}]' if added else ''}"
    origin = "external" if all(_external(data, row) for row in rows) else ""
    told = sourced(claim, "|".join(str(row["row_id"]) for row in rows), origin=origin)
    return Cell(words_of(first["kind"])), told, _place(data, rows)


def _figure(row: Mapping[str, Any]) -> str:
    limits = [fmt.printed(row[name]) for name in ("low", "high")]
    shown = fmt.printed(row["value"]) or (fmt.interval(*limits) if all(limits) else "".join(limits))
    if not shown:
        return ""
    return f"{shown}%" if row["unit"] == "%" else quantity(shown, row["unit"])


def protocol_table(
    data: Tables, parameters: Parameters, *, study_id: str, sections: Sequence[str] | None = None
) -> Table:
    """Return how a study was done, element by element, as reported."""
    frame = data.protocols[data.protocols["study_id"] == study_id]
    if sections is not None:
        frame = frame[frame["section"].isin(list(sections))]
    body, headings = [], []
    for section, same in _stated(records(frame)).items():
        for (item, text), rows in same.items():
            ids = "|".join(str(row["row_id"]) for row in rows)
            origin = "external" if all(_external(data, row) for row in rows) else ""
            cells = Cell(fmt.sentence(item)), sourced(fmt.sentence(text), ids, origin=origin)
            body.append((*cells, _place(data, rows)))
            headings.append(section)
    return build(
        data,
        (Column("Element", width=1.4), Column("As reported", width=3.0), Column("Place", width=1.6)),
        body,
        caption=f"{study_label(data, study_id)}: how it was done.",
        frame=frame,
        groups=grouped(headings),
    )


Stated = dict[str, dict[tuple[str, str], list[dict[str, Any]]]]


def _stated(rows: Sequence[dict[str, Any]]) -> Stated:
    """Return the rows of protocols by section, then by item and value: what is said twice stands once."""
    found: Stated = {}
    for row in rows:
        item = TITLED.sub("", pretty(str(row["item"]).replace("_", " ")))
        same = found.setdefault(plain(str(row["section"])), {})
        same.setdefault((item, _valued(row)), []).append(row)
    return found


def _external(data: Tables, row: Mapping[str, Any]) -> bool:
    return document_origin(data, str(row["source_id"])) == "external"


def _place(data: Tables, rows: Sequence[Mapping[str, Any]]) -> Cell:
    """Return where rows were read, each place once; the rows themselves show on pointing."""
    told = dict.fromkeys(place_words(data, str(row["source_id"]), row["locator"]) for row in rows)
    return Cell("; ".join(filter(None, told)), tuple(str(row["row_id"]) for row in rows))


def _valued(row: Mapping[str, Any]) -> str:
    return quantity(row["value"], row["unit"])


def definitions_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str | None = None,
    outcome_ids: Sequence[str] | None = None,
) -> Table:
    """Return the criteria of the outcomes, one row per criterion and document, each once."""
    frame = data.definitions
    if study_id is not None:
        sources = set(data.studies.loc[data.studies["study_id"] == study_id, "source_id"])
        frame = frame[frame["source_id"].isin(sources)]
    if outcome_ids is not None:
        frame = frame[frame["outcome_id"].isin(list(outcome_ids))]
    keys = ["source_id", "outcome_id", "group", "criterion", "operator", "threshold"]
    frame = frame.drop_duplicates(keys)
    names = outcome_labels(data)
    body = [_definition_row(data, row) for row in records(frame)]
    title = f"{study_label(data, study_id)}: definitions" if study_id else "Definitions"
    return build(
        data,
        (Column("Criterion", width=2.4), Column("Joined by", width=1.2), Column("Place", width=1.6)),
        body,
        caption=f"{title} of the outcomes.",
        frame=frame,
        groups=grouped([names.get(row["outcome_id"], str(row["outcome_id"])) for row in records(frame)]),
    )


def _definition_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    words = rule_words([row], capitals_of(data, str(row["outcome_id"])))
    words = words if words[:1].isupper() else plain(words)
    joined = {"any": "any one suffices", "all": "all needed"}.get(str(row["join"]), str(row["join"]))
    return _read(data, row, words), Cell(joined), _place(data, [row])


def parameters_table(parameters: Parameters) -> Table:
    """Return every parameter with its value here, its default and its meaning; changed ones say so."""
    values, changed = parameters.values(), parameters.changed()
    body = [
        (
            Cell(spec.name, code=True),
            Cell(f"{_shown(values[spec.name])}{' (changed)' if spec.name in changed else ''}", code=True),
            Cell(_shown(spec.default), code=True),
            Cell(f"{spec.meaning}. Allowed: {_choice(spec.allowed)}."),
        )
        for spec in PARAMETERS
    ]
    words = f"{len(changed)} changed: {', '.join(changed)}" if changed else "all at their defaults"
    tidy = pd.DataFrame(
        [
            {
                "name": spec.name,
                "value": values[spec.name],
                "default": spec.default,
                "meaning": spec.meaning,
                "allowed": spec.allowed,
            }
            for spec in PARAMETERS
        ]
    )
    columns = (
        Column("Parameter", width=1.5),
        Column("Here"),
        Column("Default"),
        Column("Meaning", width=3.0),
    )
    return Table(columns, tuple(body), f"Parameters of this report: {words}.", "", tidy)


def _choice(allowed: str) -> str:
    """Return what is allowed as a phrase.

    >>> _choice("RR | OR | RD"), _choice("text")
    ('RR, OR or RD', 'text')
    """
    return joined(allowed.split(" | "), "or")


def _shown(value: Any) -> str:
    return "none" if value == "" else str(value)
