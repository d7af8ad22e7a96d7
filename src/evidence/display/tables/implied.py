"""Figures that fit other patients than the headers': what is recomputed from them rests on those patients."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from evidence.audit.implied_n import Implied, implied_patients
from evidence.data import Dataset
from evidence.display.labels import arm_labels, joined, lower_first, outcome_labels
from evidence.display.model import Cell, together
from evidence.display.tables.parts import Tested
from evidence.results import Tables, records

LSD = "LSD after one-way ANOVA"
NOTHING_IMPLIED = Implied({}, {})


def with_implied(data: Tables, study_id: str) -> tuple[Tables, Implied]:
    """Return the tables with the patients that means are of where the headers' do not fit, and those."""
    if not isinstance(data, Dataset):
        return data, NOTHING_IMPLIED
    found = implied_patients(data.only([study_id]))
    if not found.sizes:
        return data, found
    frame = data.measurements
    sizes = [found.sizes.get(row, n) for row, n in zip(frame["row_id"], frame["n"], strict=True)]
    return replace(data, measurements=frame.assign(n=pd.array(sizes, dtype="Int64")), _found={}), found


def implied_words(data: Tables, frame: pd.DataFrame, implied: Implied) -> str:
    """Return on which patients the recomputed figures rest where they are not the headers', or nothing."""
    rows = [row for row in records(frame) if row["row_id"] in implied.sizes]
    if not rows:
        return ""
    labels = arm_labels(data, str(rows[0]["study_id"]))
    told = joined([f"{implied.sizes[row['row_id']]} ({lower_first(labels[row['arm_id']])})" for row in rows])
    names = dict.fromkeys(lower_first(outcome_labels(data)[row["outcome_id"]]) for row in rows)
    return (
        f"Patients with {joined(list(names))}, not printed: {told}, the only numbers that the printed means, "
        "± values and intervals fit. What is recomputed rests on them and not on the whole groups."
    )


def marked(again: Cell, implied: Implied) -> Cell:
    """Return a recomputed figure, marked as assumed where it rests on patients that are not printed."""
    assumed = "assumed" if set(again.rows) & set(implied.sizes) else ""
    return replace(again, mark=together(again.mark, assumed))


def as_lsd(found: Tested | None, implied: Implied) -> Tested | None:
    """Return a test of a least significant difference with its P where that is the printed one."""
    if found is None or found.test["row_id"] not in implied.p:
        return found
    differs = tuple(name for name in found.again.differs if name not in ("p", "statistic"))
    p = implied.p[str(found.test["row_id"])]
    again = replace(found.again, p=p, method=LSD, differs=differs, agrees="no" if differs else "yes")
    return found._replace(again=again)
