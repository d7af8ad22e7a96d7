"""The extraction ledger counted: how many figures of each document are data, and why the others are not."""

from __future__ import annotations

import pandas as pd

from evidence.data import Dataset
from evidence.data.ledger import REASONS
from evidence.display.documents import document_name
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import Body, nothing
from evidence.parameters import Parameters
from evidence.reads import unnoted
from evidence.results import Tables, plain

CARRIED = "Carried by a row of data"
UNACCOUNTED = "Unaccounted for"
CAPTION = "Every figure and number word of the documents, and where it went."


def ledger_table(data: Tables, parameters: Parameters) -> Table:
    """Return, by document, how many figures a row of data carries and how many stand aside for which reason.

    Reads the table ``ledger`` where the data have one.
    """
    with unnoted():
        tables = getattr(data, "extra", {})
    if "ledger" not in tables or tables["ledger"].empty:
        return nothing(CAPTION)
    ledger = data.select("ledger") if isinstance(data, Dataset) else tables["ledger"]
    frame = ledger.assign(
        went=[_went(*pair) for pair in zip(ledger["row_id"], ledger["reason"], strict=True)]
    )
    documents = list(dict.fromkeys(frame["source_id"]))
    counts = pd.crosstab(frame["went"], frame["source_id"])[documents]
    totals = {str(went): sum(numbers) for went, *numbers in counts.itertuples()}
    ordered = counts.assign(all=counts.sum(axis=1)).loc[
        sorted(totals, key=lambda went: (went != "row", -totals[went], went))
    ]
    ordered.loc["All"] = ordered.sum()
    body: Body = [_row(str(went), list(numbers)) for went, *numbers in ordered.itertuples()]
    note = f"{totals.get('', 0) or 'No'} figures are unaccounted for."
    return Table(_columns(data, documents), tuple(body), CAPTION, note, ordered.reset_index())


def _went(row_id: str, reason: str) -> str:
    return "row" if row_id else str(reason)


def _row(went: str, numbers: list[int]) -> tuple[Cell, ...]:
    words = {"row": CARRIED, "": UNACCOUNTED, "All": "All"}.get(went) or _reason(went)
    return Cell(words), *(Cell(str(number) if number else "") for number in numbers)


def _reason(reason: str) -> str:
    words = REASONS.get(reason, plain(reason))
    return words[:1].upper() + words[1:]


def _columns(data: Tables, documents: list[str]) -> tuple[Column, ...]:
    named = (Column(document_name(data, one), "right", 1.1) for one in documents)
    return Column("Where it went", width=2.6), *named, Column("All", "right", 0.7)
