"""The questions as they were asked, before anything was answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.labels import lower_first, outcome_labels, pretty
from evidence.display.model import Cell, Column, Table
from evidence.display.synthesis import asked_questions, window_words
from evidence.display.tables.parts import build, grouped
from evidence.results import plain


def questions_table(data: Dataset) -> Table:
    """Return what each question asks: outcome and time, designs that count, the difference that matters."""
    questions = asked_questions(data)
    compared = sum(not fmt.missing(one["comparator"]) for one in questions)
    return build(
        data,
        (
            Column("Question", width=3.0),
            Column("Outcome and time", width=1.8),
            Column("Designs that count", width=1.6),
            Column("Difference that matters, per 1,000", "right", 1.1),
        ),
        [_row(one, outcome_labels(data)) for one in questions],
        caption=f"The {len(questions)} questions that this report asks of the data, {compared} of them of a "
        "comparison.",
        note="A row of data answers a question if it has what the question asks; nothing else decides.",
        frame=pd.DataFrame(questions, columns=data.questions.columns),
        groups=grouped([str(one["indication"]) for one in questions]),
    )


def _row(one: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[Cell, ...]:
    outcome = labels.get(str(one["outcome_id"]), str(one["outcome_id"]))
    when = window_words(dict(one)) or "any time"
    designs = [lower_first(plain(name)) for name in str(one["designs"]).split("|") if name]
    return (
        Cell(pretty(one["title"])),
        Cell(f"{outcome}, {when}"),
        Cell(" or ".join(designs) or "any"),
        Cell(fmt.general(one["important_per_1000"]) or "none named"),
    )
