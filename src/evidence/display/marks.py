"""Doubts of the audit in tables and drawings: which data rows do not fit other printed figures, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import pandas as pd

from evidence.data import Dataset
from evidence.data.content import as_loaded, loaded_as
from evidence.data.values import by_value
from evidence.display.labels import joined, study_label
from evidence.display.model import DOUBTED, Figure, Item, Prose, Table
from evidence.memo import kept, repeated
from evidence.parameters import Parameters
from evidence.questions.studies import doubts_of
from evidence.reads import unnoted

TABLES = ("studies", "arms", "counts", "measurements", "tests", "claims", "definitions", "protocols")
DOUBTFUL_SIZE = "The percentages of the group do not all fit its number of patients; {}."
OPEN_QUESTION = "An open question: {}."
KEPT = 256  # more studies than one notebook shows


def doubted(builder: Callable[..., Item]) -> Callable[..., Item]:
    """Return a builder whose tables know which of their data rows the audit doubts, and whose figures say so.

    The builder's dataset and parameters are found among its arguments; without a dataset nothing changes.
    """

    @wraps(builder)
    def built(*arguments: Any, **named: Any) -> Item:
        item = builder(*arguments, **named)
        given = [*arguments, *named.values()]
        data = next((one for one in given if isinstance(one, Dataset)), None)
        if isinstance(item, Prose) or data is None:
            return item
        parameters = next((one for one in given if isinstance(one, Parameters)), Parameters())
        if isinstance(item, Table):
            return with_doubts(item, data, parameters)
        return with_doubt_told(item, data, parameters)

    return built


def with_doubts(table: Table, data: Dataset, parameters: Parameters) -> Table:
    """Return a table with the reason for every data row of it that does not fit other printed figures."""
    if not (rows := _rows(table)):
        return table
    alpha, margin = parameters.alpha, parameters.noninferiority_margin
    found = doubts(data, _studies(data, rows), alpha=alpha, margin=margin)
    return replace(table, doubts={row: why for row, why in found.items() if row in rows})


def with_doubt_told(figure: Figure, data: Dataset, parameters: Parameters) -> Figure:
    """Return a drawing whose caption names the studies of which it shows figures that fit no others."""
    if "row_id" not in figure.data or "study_id" not in figure.data:
        return figure
    pairs = list(zip(figure.data["study_id"].map(str), figure.data["row_id"].map(str), strict=True))
    found = doubts(
        data,
        {study for study, _ in pairs if study},
        alpha=parameters.alpha,
        margin=parameters.noninferiority_margin,
    )
    named = dict.fromkeys(study for study, rows in pairs if found.keys() & set(rows.split("|")))
    if not named:
        return figure
    whose = joined([f"“{study_label(data, study)}”" for study in named])
    told = f"Part of what is drawn of {whose} {DOUBTED}."
    return replace(figure, caption=f"{figure.caption} {told}")


def _rows(table: Table) -> set[str]:
    return {row for line in table.rows for cell in line for row in cell.rows}


def doubts(data: Dataset, studies: Iterable[str], *, alpha: float, margin: float = 0.0) -> dict[str, str]:
    """Return the data rows of studies that have an inconsistent finding, with the reasons.

    A finding doubts the rows of the table that its first row is of: a test that its counts do not give
    doubts the test and not the counts. Every study is audited alone: what only another study contradicts
    is told where the whole audit is. Where the data hold a study as it is loaded, what is noted is which of
    its rows are in doubt, not every row that it was audited by.
    """
    found: dict[str, str] = {}
    for study in sorted(studies):
        found |= _of_study(data, study, alpha, margin)
    return found


@repeated(KEPT)
def _of_study(data: Dataset, study: str, alpha: float, margin: float) -> dict[str, str]:
    family = _family(data, study)
    whole = loaded_as(data) if family <= set(as_loaded(data)) else None
    if whole is not None:
        return doubts_about(whole, study, alpha, margin)
    return _doubts(data.only({study}), alpha, margin) | _of_parts(data, family, alpha)


@by_value
def doubts_about(data: Dataset, study: str, alpha: float, margin: float) -> dict[str, str]:
    """Return the rows of a study that are in doubt, with the reasons; kept while the study is the same.

    Raises:
        KeyError: there is no such study.
    """
    family, same = _family(data, study), as_loaded(data)
    key = (*(same[one] for one in sorted(family)), study, alpha, margin)
    return kept(
        "doubts",
        lambda: key,
        lambda: _doubts(data.only({study}), alpha, margin) | _of_parts(data, family, alpha),
    )


def findings_of(data: Dataset, parameters: Parameters) -> pd.DataFrame:
    """Return the audit of a whole dataset; it is made once and kept for the next table."""
    return _audited(data, parameters.alpha, parameters.noninferiority_margin)


@repeated(1)
def _audited(data: Dataset, alpha: float, margin: float) -> pd.DataFrame:
    from evidence.audit import audit

    return audit(data, alpha=alpha, margin=margin)


def row_kinds(data: Dataset) -> dict[str, str]:
    """Return the table that every data row of a document stands in."""
    return {row: name for name in TABLES for row in getattr(data, name)["row_id"].tolist()}


def _studies(data: Dataset, rows: set[str]) -> set[str]:
    """Return the studies that rows belong to; a row of no study belongs to the study of no name."""
    found: set[str] = set()
    with unnoted():  # whoever has a row has read it; no other row tells anything of it
        for name in TABLES:
            frame = getattr(data, name)
            if "study_id" in frame:
                found |= set(frame.loc[frame["row_id"].isin(rows), "study_id"])
            elif frame["row_id"].isin(rows).any():
                found.add("")
    return found


def _doubts(data: Dataset, alpha: float, margin: float) -> dict[str, str]:
    from evidence.audit import audit

    kinds = row_kinds(data)
    findings = audit(data, alpha=alpha, margin=margin)
    wrong = findings[findings["verdict"] == "inconsistent"]
    found: dict[str, list[str]] = {}
    for ids, why in zip(wrong["row_id"], wrong["why"], strict=True):
        for row in _of_first_kind(ids.split("|"), kinds):
            found.setdefault(row, []).append(why)
    for row, words in doubts_of(data).items():
        found.setdefault(row, []).append(DOUBTFUL_SIZE.format(words))
    return {row: " ".join(dict.fromkeys(reasons)) for row, reasons in found.items()}


def _family(data: Dataset, study: str) -> frozenset[str]:
    """Return a study with the one that it is a part of: whose part it is stands in its own row."""
    with unnoted():
        parents = set(data.studies.loc[data.studies["study_id"] == study, "parent_study_id"]) - {""}
    return frozenset({study} | parents)


def _of_parts(data: Dataset, family: frozenset[str], alpha: float) -> dict[str, str]:
    """Return the rows of parts of studies whose sizes another printed total makes unlikely."""
    from evidence.audit.part_sizes import part_doubts

    if len(family) == 1:
        return {}
    found = part_doubts(data.only(family), alpha=alpha)
    return {row: OPEN_QUESTION.format(words) for row, words in found.items()}


def _of_first_kind(rows: Sequence[str], kinds: dict[str, str]) -> list[str]:
    return [row for row in rows if row in kinds and kinds[row] == kinds.get(rows[0])]
