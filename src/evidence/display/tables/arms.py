"""The arms of one study side by side: one row per outcome, one column per arm, differences beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.across import Window, across_frame
from evidence.display.labels import (
    arm_labels,
    ci,
    effect_note,
    interval_words,
    joined,
    lower_first,
    sourced,
    study_label,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.events import ORDER, band_of, outcomes_of
from evidence.display.tables.parts import build, clear_words, grouped
from evidence.display.tables.rates import stacked
from evidence.parameters import Parameters
from evidence.results import Tables, contrasts, records

DASH = "–"
Arms = list[tuple[str, str]]  # id and label


def side_by_side_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str] | None = None,
    window: Window | None = None,
) -> Table:
    """Return the outcomes of a study with its arms side by side, and differences from the reference arm.

    A dash stands where an outcome is not given for an arm; what is counted for several arms together alone is
    in the note. All adverse events by default; ``window`` as in ``across_frame``, and needed where a study
    counts at several times.
    """
    chosen = outcomes_of(data, "safety") if outcome_ids is None else list(outcome_ids)
    frame = _of_study(data, parameters, study_id, chosen, window)
    frame, together = _apart(data, study_id, frame)
    effects = _differences(data, parameters, study_id, chosen, frame)
    arms = [(one, arm_labels(data, study_id)[one]) for one in _in_order(data, study_id, set(frame["arm_id"]))]
    tested = [one for one in arms if one[0] in set(effects["arm1"])]
    zero = next((str(label) for label in effects["arm0_label"]), "")
    titles = _by_band(data, frame)
    when = joined([lower_first(str(one)) for one in dict.fromkeys(frame["time_label"]) if one])
    return build(
        data,
        (
            Column("", width=2.6),
            *(Column(_header(frame, one), "right", 1.1) for one in arms),
            *(
                Column(f"{label} − {lower_first(zero)}, points ({ci(parameters)})", "right", 1.4)
                for _, label in tested
            ),
        ),
        [_row(frame, effects, title, arms, tested) for title in titles],
        caption=f"{study_label(data, study_id)}: arms side by side{f' ({when})' if when else ''}"
        f"{f', differences with {interval_words(parameters)}s' if tested else ''}. "
        f"{clear_words(effects)}".strip(),
        note=" ".join(filter(None, (effect_note(effects, parameters), _dashes(frame), *_together(together)))),
        frame=stacked(frame, effects),
        groups=grouped(list(titles.values())) if len(set(titles.values())) > 1 else (),
    )


def _by_band(data: Tables, frame: pd.DataFrame) -> dict[str, str]:
    """Return titles with their bands: adverse events by seriousness, in each the most frequent first.

    Outcomes that are not all adverse events keep their order and have no band.
    """
    bands = {str(row["heading"]): band_of(data, str(row["outcome_id"])) for row in records(frame)}
    if not set(frame["outcome_id"]) <= set(outcomes_of(data, "safety")):
        return dict.fromkeys(bands, "")
    counts = frame.groupby("heading")[["events", "n"]].sum()
    often = (counts["events"] / counts["n"]).to_dict()
    return {one: bands[one] for one in sorted(bands, key=lambda one: (ORDER.index(bands[one]), -often[one]))}


def _of_study(
    data: Tables, parameters: Parameters, study_id: str, chosen: Sequence[str], window: Window | None
) -> pd.DataFrame:
    frame = across_frame(data, parameters, outcome_ids=chosen, window=window)
    return frame[(frame["study_id"] == study_id) & frame["events"].notna()]


def _sums(data: Tables, study_id: str, used: set[str]) -> set[str]:
    """Return the arms that are the sum of other arms shown."""
    arms = records(data.arms[data.arms["study_id"] == study_id])
    return {str(arm["arm_id"]) for arm in arms if used & set(str(arm["combines"] or "").split("|"))}


def _in_order(data: Tables, study_id: str, used: set[str]) -> list[str]:
    arms = data.arms.loc[data.arms["study_id"] == study_id, "arm_id"]
    return [str(one) for one in arms if one in used]


def _apart(data: Tables, study_id: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the arms shown, and all rows of outcomes that are given for a sum of them alone."""
    summed = frame["arm_id"].isin(_sums(data, study_id, set(frame["arm_id"])))
    alone = set(frame.loc[summed, "heading"])
    return frame[~summed].reset_index(drop=True), frame[frame["heading"].isin(alone)]


def _dashes(frame: pd.DataFrame) -> str:
    sizes = frame.groupby("heading", sort=False)["arm_id"].nunique() if len(frame) else pd.Series(dtype=int)
    return f"{DASH}: not given for this arm." if bool((sizes < frame["arm_id"].nunique()).any()) else ""


def _together(frame: pd.DataFrame) -> list[str]:
    """Return what is counted for several arms together alone, a sentence for each outcome."""
    return [
        f"{title}: counted together, "
        + " against ".join(
            f"{fmt.count(row['events'], row['n'])} ({lower_first(str(row['arm_label']))})"
            for row in records(rows)
        )
        + "."
        for title, rows in frame.groupby("heading", sort=False)
    ]


def _differences(
    data: Tables, parameters: Parameters, study_id: str, chosen: Sequence[str], frame: pd.DataFrame
) -> pd.DataFrame:
    effects = contrasts(data, parameters, study_id=study_id, outcome_ids=chosen, measure="RD")
    used = set(frame["row_id"])
    kept = [set(str(one).split("|")) <= used for one in effects["row_id"]]
    return effects[pd.Series(kept, effects.index, dtype=bool)]


def _header(frame: pd.DataFrame, arm: tuple[str, str]) -> str:
    sizes = dict.fromkeys(int(n) for n in frame.loc[frame["arm_id"] == arm[0], "n"] if not pd.isna(n))
    return f"{arm[1]} (n = {next(iter(sizes))})" if len(sizes) == 1 else arm[1]


def _row(
    frame: pd.DataFrame, effects: pd.DataFrame, title: str, arms: Arms, tested: Arms
) -> tuple[Cell, ...]:
    rows = {str(row["arm_id"]): row for row in records(frame[frame["heading"] == title])}
    ids = {str(row["row_id"]) for row in rows.values()}
    found = {str(row["arm1"]): row for row in records(effects) if set(str(row["row_id"]).split("|")) <= ids}
    return (
        sourced(title, "", origin=_origin(rows)),
        *(_count(rows.get(one)) for one, _ in arms),
        *(_difference(found.get(one)) for one, _ in tested),
    )


def _count(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return Cell(DASH)
    text = f"{fmt.count(row['events'], row['n'])} ({fmt.percent(row['estimate'])})"
    return sourced(text, row["row_id"], basis=str(row["basis"]))


def _difference(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return Cell(DASH)
    text = fmt.difference(row["estimate"], row["low"], row["high"])
    return sourced(text, row["row_id"], basis=str(row["basis"]))


def _origin(rows: Mapping[str, Mapping[str, Any]]) -> str:
    return "external" if any(row["origin"] == "external" for row in rows.values()) else ""
