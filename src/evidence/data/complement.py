"""The one level of a subgroup that nobody printed: the whole study less the levels that were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evidence.data.frame import optional, text, whole
from evidence.data.precedence import result_keys
from evidence.errors import Fault

Key = tuple[Hashable, ...]
PRINTED_ONLY = ("percent", "low", "high", "admissible", "admissible_n", "same_as", "note")
WITHIN = ("study_id", "arm_id", "outcome_id", "category", "analysis_set")


@dataclass(frozen=True, slots=True)
class _Count:
    place: int
    row_id: str
    events: int
    n: int | None


@dataclass(frozen=True, slots=True)
class _Complement:
    """A total, the printed levels it holds, and the size of the level that is missing."""

    subgroup: str
    level: str
    total: _Count
    parts: tuple[_Count, ...]
    size: _Count

    @property
    def events(self) -> int:
        """Return how many events are left for the missing level."""
        return self.total.events - sum(part.events for part in self.parts)

    @property
    def possible(self) -> bool:
        """Return whether the missing level can have had so many events."""
        return 0 <= self.events <= self.size.events

    @property
    def origin(self) -> str:
        """Return the rows that the complement follows from, joined by ``|``."""
        return "|".join(row.row_id for row in (self.total, *self.parts, self.size))


def add_complements(
    counts: pd.DataFrame, outcomes: pd.DataFrame, *, file: str, lines: tuple[int, ...]
) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Return the counts with the complements of printed subgroups appended, and warnings.

    For a result with a count for the whole study and for all but one level of a subgroup, the missing level
    has the total less the others, out of as many patients as the baseline count of that level. Only counted
    printings enter. The levels of a subgroup are the categories of the baseline outcome of that name; their
    sizes must add up to the n of the total. ``derived_from`` holds the rows used.
    """
    found = list(_find(counts, outcomes))
    warnings = tuple(_impossible(one, file, lines[one.total.place]) for one in found if not one.possible)
    made = [one for one in found if one.possible]
    if "derived_from" not in counts:
        counts = counts.assign(derived_from=text([""] * len(counts)))
    if not made:
        return counts, warnings
    return pd.concat([counts, _rows(counts, made)], ignore_index=True), warnings


def _find(counts: pd.DataFrame, outcomes: pd.DataFrame) -> Iterable[_Complement]:
    """Yield every complement that the counted rows settle."""
    rows = list(_counted(counts))
    keys = result_keys(counts, WITHIN)
    subgroups, levels = counts["subgroup"].tolist(), counts["level"].tolist()
    totals: dict[Key, _Count] = {}
    parts: defaultdict[tuple[Key, str], dict[str, _Count]] = defaultdict(dict)
    for row in rows:
        if subgroups[row.place]:
            parts[keys[row.place], subgroups[row.place]][levels[row.place]] = row
        else:
            totals[keys[row.place]] = row
    sizes = _sizes(counts, outcomes, rows)
    for (key, subgroup), printed in parts.items():
        whole_level = sizes.get((key[0], key[1], subgroup), {})
        missing = whole_level.keys() - printed.keys()
        if key in totals and len(missing) == 1 and printed.keys() <= whole_level.keys():
            total, level = totals[key], next(iter(missing))
            if _adds_up(total, printed, whole_level):
                yield _Complement(subgroup, level, total, tuple(printed.values()), whole_level[level])


def _adds_up(total: _Count, printed: dict[str, _Count], sizes: dict[str, _Count]) -> bool:
    """Return whether the denominators are those of the baseline, so that nobody is lost between them."""
    whole_study = total.n is None or total.n == sum(size.events for size in sizes.values())
    return whole_study and all(part.n in {None, sizes[level].events} for level, part in printed.items())


def _counted(counts: pd.DataFrame) -> Iterable[_Count]:
    columns = (
        counts["row_id"].tolist(),
        optional(counts["events"]),
        optional(counts["n"]),
        counts["counted"].tolist(),
    )
    for place, (row_id, events, n, counted) in enumerate(zip(*columns, strict=True)):
        if counted and events is not None:
            yield _Count(place, row_id, events, n)


def _sizes(counts: pd.DataFrame, outcomes: pd.DataFrame, rows: list[_Count]) -> dict[Key, dict[str, _Count]]:
    """Return, by study, arm and baseline outcome, the count of each category; nothing where two disagree."""
    baseline = set(outcomes.loc[outcomes["domain"] == "baseline", "outcome_id"])
    names = ("study_id", "arm_id", "outcome_id", "category", "subgroup")
    columns = list(zip(*(counts[name].tolist() for name in names), strict=True))
    sizes: defaultdict[Key, dict[str, _Count]] = defaultdict(dict)
    disputed: set[Key] = set()
    for row in rows:
        study, arm, outcome, category, subgroup = columns[row.place]
        if outcome in baseline and category and not subgroup:
            first = sizes[study, arm, outcome].setdefault(category, row)
            if first.events != row.events:
                disputed.add((study, arm, outcome))
    return {key: found for key, found in sizes.items() if key not in disputed}


def _rows(counts: pd.DataFrame, made: list[_Complement]) -> pd.DataFrame:
    """Return the complements as rows: all that the total has, less what is printed."""
    rows = counts.iloc[[one.total.place for one in made]]
    empty = {name: text([""] * len(made)) for name in PRINTED_ONLY if name in counts}
    return rows.assign(
        row_id=text(_names(made)),
        subgroup=text([one.subgroup for one in made]),
        level=text([one.level for one in made]),
        events=whole([one.events for one in made]),
        n=whole([one.size.events for one in made]),
        n_basis="derived",
        basis="derived",
        derived_from=text([one.origin for one in made]),
        **empty,
        **{name: np.nan for name in ("interval_level", "percent_value") if name in counts},
    ).astype(counts.dtypes.to_dict())


def _names(made: list[_Complement]) -> list[str]:
    """Return a row_id for each complement; the subgroup enters where two share a total and a level."""
    short = [f"{one.total.row_id}~{one.level}" for one in made]
    return [
        name if short.count(name) == 1 else f"{one.total.row_id}~{one.subgroup}~{one.level}"
        for name, one in zip(short, made, strict=True)
    ]


def _impossible(one: _Complement, file: str, line: int) -> Fault:
    sum_of_parts = sum(part.events for part in one.parts)
    what = f"less {sum_of_parts} in the other levels leaves {one.events} of {one.size.events}"
    mend = f"{what} for {one.subgroup} {one.level}; check {one.origin.replace('|', ', ')}"
    return Fault(file, line, "events", str(one.total.events), mend)
