"""What a series of very few patients can mean, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from evidence import format as fmt
from evidence.display.across import Choice, across_frame
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.traced import traced
from evidence.parameters import Parameters
from evidence.results import Tables, records
from evidence.stats import proportion

EVEN = 0.5  # a treatment that helps every second patient: the chance of no failure is that of a coin
NOTHING = "No series in the data had the same result in every patient."


def all_alike_prose(
    data: Tables, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Choice]
) -> Prose:
    """Return, for every result that all patients of an arm share, what rates it leaves possible.

    The limits are those of the report's method for a single proportion.
    """
    frame = across_frame(data, parameters, outcome_ids=outcome_ids, **choice)
    later = frame[frame["time"] != 0]  # what all had before treatment was chosen, not seen
    alike = [row for row in records(later) if not fmt.missing(row["events"]) and row["events"] == row["n"]]
    return Prose("\n".join(_alike(row, data, parameters) for row in alike) or NOTHING)


def _alike(row: Mapping[str, Any], data: Tables, parameters: Parameters) -> str:
    n = int(row["n"])
    level, method = parameters.confidence_level, parameters.proportion_method
    rate = proportion(n, n, level=level, method=method)
    times = fmt.number(1 / EVEN**n, 0)
    source = traced(f"{n} of {n}", str(row["row_id"]).split("|"), data)
    return (
        f"- **{escape(str(row['study_label']))}**: {source} had {escape(_said(row))}. The "
        f"{fmt.level(level)} interval reaches down to {fmt.percent(rate.low)}. If the "
        f"true rate were {fmt.percent(EVEN, 0)}, one in {times} such series would still show {n} of {n}."
    )


def _said(row: Mapping[str, Any]) -> str:
    heading = str(row["heading"])
    return heading[:1].lower() + heading[1:]
