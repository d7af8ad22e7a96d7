"""What documents say in words: statements chosen by their kind and place, with their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from evidence import format as fmt
from evidence.display.across import studies_with_results
from evidence.display.documents import document_label, document_origin, place_words, registry_ids
from evidence.display.labels import ended, pretty, sourced
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build, grouped
from evidence.parameters import Parameters
from evidence.results import Tables, records, rows_where

SAID = ("superior", "non_inferior", "comparable", "no_difference", "other")


def statements_table(
    data: Tables,
    parameters: Parameters,
    *,
    kinds: Sequence[str] = ("identity",),
    places: Sequence[str] = (),
    domains: Sequence[str] = ("",),
    about: Literal["anything", "no study"] = "anything",
    caption: str = "What the documents state, in other words.",
) -> Table:
    """Return statements without a figure of their own, document by document, with whom they quote.

    Args:
        data: the tidy tables.
        parameters: not used; every builder takes them.
        kinds: the kinds of claims.
        places: parts of locators, any of which a claim's place must hold; all places by default.
        domains: domains of the outcome that a claim is about; ``""`` for a claim about none.
        about: ``no study`` leaves out the claims of a document about one study.
        caption: what the statements are about.
    """
    domain_of = dict(zip(data.outcomes["outcome_id"], data.outcomes["domain"], strict=True))
    claims = rows_where(data, "claims", kind=kinds)
    told = [
        row
        for row in records(claims)
        if domain_of.get(row["outcome_id"], "") in domains
        and _at(row, places)
        and (about == "anything" or fmt.missing(row["study_id"]))
        and _wordy(row)
    ]
    columns = (
        Column("Statement, in other words", width=3.8),
        Column("Quoted from", width=0.9),
        Column("Place", width=1.7),
    )
    return build(
        data,
        columns,
        [_statement_row(data, row) for row in told],
        caption=f"{caption} {len(told)} statements.",
        note="Quoted from: the document's own reference numbers; empty where it cites nobody.",
        frame=pd.DataFrame(told, columns=list(claims.columns)),
        groups=grouped([document_label(data, str(row["source_id"])) for row in told]),
    )


def result_claims(data: Tables, study_id: str, *, kinds: Sequence[str] = SAID) -> list[dict[str, Any]]:
    """Return what documents say of a study in words, of the kinds that can speak of a result.

    A caption that names no outcome says what a figure shows, and nothing of a result.
    """
    claims = rows_where(data, "claims", study_id=study_id, kind=kinds)
    return [
        row
        for row in records(claims)
        if not fmt.missing(row["outcome_id"]) or "caption" not in str(row["locator"])
    ]


def told_in_words(data: Tables, study_id: str) -> list[dict[str, Any]]:
    """Return what is said of the result of a study that no rate and no effect was read of; else nothing."""
    tests = rows_where(data, "tests", study_id=study_id)
    known = study_id in studies_with_results(data) or bool(tests["effect"].ne("").any())
    return [] if known else result_claims(data, study_id)


def _at(row: Mapping[str, Any], places: Sequence[str]) -> bool:
    return not places or any(place in str(row["locator"]) for place in places)


def _wordy(row: Mapping[str, Any]) -> bool:
    """Return whether a claim is words only: no value, no limits, no registry number."""
    figures = all(fmt.missing(row[name]) for name in ("value", "low", "high"))
    return figures and not registry_ids([row["paraphrase"]])


def _statement_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    origin = document_origin(data, str(row["source_id"]))
    quoted = "" if fmt.missing(row["cites"]) else ", ".join(str(row["cites"]).split("|"))
    said = sourced(ended(pretty(row["paraphrase"])), row["row_id"], origin=origin)
    place = place_words(data, str(row["source_id"]), row["locator"])
    return said, Cell(quoted), Cell(place, (str(row["row_id"]),))
