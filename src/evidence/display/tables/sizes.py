"""Group sizes that no document prints: what the percentages of a group leave possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence.data.joint import MOST, joint_sizes, sizes_adding_up
from evidence.data.recover import FIGURE
from evidence.display.labels import arm_labels, sourced, study_label
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build
from evidence.parameters import Parameters
from evidence.results import Tables, records, separate_arms

Tidy = dict[str, Any]
SHOWN = 4  # sizes written out; the others are counted
KEY = ["study_id", "arm_id", "subgroup", "level", "analysis_set"]


def unknown_sizes_table(data: Tables, parameters: Parameters) -> Table:
    """Return the sizes that fit all percentages of every arm whose size no document prints.

    Percentages of one arm and analysis set are taken to share their denominator. An arm cannot be larger
    than its study, where the size of that is printed.
    """
    counts = data.counts
    plain_figures = counts["percent"].map(lambda text: bool(FIGURE.fullmatch(str(text)))).astype(bool)
    rows = counts[plain_figures & counts["n"].isna() & ~_sized(data)]
    groups = [group for _, group in rows.groupby(KEY, sort=False)]
    tidy = _added_up(data, [_tidy(data, group) for group in groups])
    return build(
        data,
        (
            Column("Study", width=1.7),
            Column("Arm", width=1.3),
            Column("Percentages", width=1.6),
            Column("Sizes that fit", width=1.9),
            Column("And add up to the study", width=1.4),
            Column("Unique", width=1.1),
        ),
        [_row(one, group) for one, group in zip(tidy, groups, strict=True)],
        caption="Groups whose size no document prints, and the sizes that their percentages allow.",
        note=f"Sizes up to that of the study where it is printed, else to {MOST}, if all percentages of a "
        "group are of the same patients. No count rests on a size that is not unique.",
        frame=pd.DataFrame(tidy).assign(sizes=_joined(tidy, "sizes"), added=_joined(tidy, "added")),
    )


def _joined(tidy: Sequence[Tidy], name: str) -> list[str]:
    return ["|".join(map(str, one[name])) for one in tidy]


def _added_up(data: Tables, tidy: Sequence[Tidy]) -> list[Tidy]:
    """Return the groups with their sizes that add up to the study's, where all its arms are here."""
    done: list[Tidy] = []
    for one in tidy:
        together = [other for other in tidy if other["study_id"] == one["study_id"]]
        arms = separate_arms(data, str(one["study_id"]))
        total = _size(data, str(one["study_id"]))
        whole = sorted(other["arm_id"] for other in together) == sorted(arms["arm_id"])
        added = sizes_adding_up([other["sizes"] for other in together], total) if whole and total else ()
        done.append({**one, "added": added[together.index(one)] if added else ()})
    return done


def _sized(data: Tables) -> pd.Series:
    """Return which rows of counts belong to an arm whose size is printed."""
    known = data.arms[data.arms["n"].notna()]
    pairs = set(zip(known["study_id"], known["arm_id"], strict=True))
    own = zip(data.counts["study_id"], data.counts["arm_id"], strict=True)
    return pd.Series([pair in pairs for pair in own], index=data.counts.index, dtype=bool)


def _tidy(data: Tables, group: pd.DataFrame) -> Tidy:
    first = records(group)[0]
    percents = list(dict.fromkeys(str(one) for one in group["percent"]))
    labels = arm_labels(data, str(first["study_id"]))
    return {
        **{name: first[name] for name in KEY},
        "study": study_label(data, str(first["study_id"])),
        "arm": labels.get(first["arm_id"], first["arm_id"]),
        "percents": "|".join(percents),
        "sizes": joint_sizes(percents, _size(data, str(first["study_id"])) or MOST),
    }


def _size(data: Tables, study_id: str) -> int:
    """Return the printed size of a study, or 0."""
    printed = data.studies.loc[data.studies["study_id"] == study_id, "n"]
    return int(printed.iloc[0]) if len(printed) and pd.notna(printed.iloc[0]) else 0


def _row(tidy: Tidy, group: pd.DataFrame) -> tuple[Cell, ...]:
    ids = "|".join(str(one) for one in group["row_id"])
    percents = ", ".join(f"{one}%" for one in tidy["percents"].split("|"))
    left = len(tidy["added"] or tidy["sizes"])
    unique = {0: "none fits", 1: "yes"}.get(left, f"no, {left} fit")
    sizes = (Cell(_listed(tidy[name])) for name in ("sizes", "added"))
    return Cell(tidy["study"]), Cell(tidy["arm"]), sourced(percents, ids), *sizes, Cell(unique)


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes[:SHOWN])) + (", …" if len(sizes) > SHOWN else "")
