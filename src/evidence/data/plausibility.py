"""Warnings: what documents print although it cannot all be right. Data with warnings load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

import pandas as pd

from evidence.data.frame import optional
from evidence.data.precedence import result_keys
from evidence.data.recover import FIGURE, NONE_FITS, cut_events, recover_events
from evidence.errors import Fault

Class = tuple[int, int, int | None]  # place of the row, events, n
CLASSES_OF = ("study_id", "arm_id", "outcome_id", "subgroup", "level", "analysis_set")


def find_warnings(
    counts: pd.DataFrame, tables: dict[str, pd.DataFrame], *, file: str, lines: tuple[int, ...]
) -> tuple[Fault, ...]:
    """Return what looks wrong in the counts read from ``file``, whose rows stand on ``lines``."""
    rows = counts.iloc[: len(lines)]
    found = [*_percentages(rows), *_classes(rows, tables["arms"], tables["outcomes"])]
    return tuple(Fault(file, lines[place], *what) for place, *what in sorted(found))


def _percentages(counts: pd.DataFrame) -> Iterator[tuple[int, str, str, str]]:
    """Yield the rows whose percentage is not that of the count beside it, or of no count at all."""
    texts = (counts[name].tolist() for name in ("percent", "basis", "admissible", "admissible_n"))
    columns = (*texts, optional(counts["events"]), optional(counts["n"]))
    for place, (percent, basis, admissible, sizes, events, n) in enumerate(zip(*columns, strict=True)):
        if admissible == NONE_FITS:
            fits = f"; all percentages of the group fit {sizes.replace('|', ' or ')}" if sizes else ""
            cut = " or ".join(map(str, cut_events(percent, n or 0)))
            none = f"no count out of {n} {f'rounds to it, {cut} gives it cut off' if cut else 'gives it'}"
            yield place, "percent", percent, f"{none}; check percent and n{fits}"
        elif basis == "derived" or events is None or n is None or not FIGURE.fullmatch(percent):
            continue
        elif events not in recover_events(percent, n):
            share = f"{events}/{n} is {100 * events / n:.2f}" if n else "n is 0"
            yield place, "percent", percent, f"{share}; check the row, keep it if it is printed so"


def _classes(
    counts: pd.DataFrame, arms: pd.DataFrame, outcomes: pd.DataFrame
) -> Iterator[tuple[int, str, str, str]]:
    """Yield the first row of each categorical result whose classes do not add up to its patients."""
    sizes = dict(zip(zip(arms["study_id"], arms["arm_id"], strict=True), optional(arms["n"]), strict=True))
    for key, rows in _by_result(counts, outcomes).items():
        n = _size(rows, None if key[3] else sizes.get((key[0], key[1])))
        total = sum(events for _, events, _ in rows)
        if len(rows) > 1 and n not in {None, total}:
            mend = f"sum of the {len(rows)} classes of {key[2]}, but n is {n}; check whether one is missing"
            yield rows[0][0], "events", str(total), mend


def _size(rows: list[Class], arm: int | None) -> int | None:
    """Return the n that all classes share, the arm's where none is printed, None where they differ."""
    printed = {n for _, _, n in rows if n is not None}
    return arm if not printed else printed.pop() if len(printed) == 1 else None


def _by_result(counts: pd.DataFrame, outcomes: pd.DataFrame) -> dict[tuple[Hashable, ...], list[Class]]:
    """Return place, events and n of the counted classes of each categorical result."""
    categorical = set(outcomes.loc[outcomes["type"].isin(["categorical", "ordinal"]), "outcome_id"])
    found: defaultdict[tuple[Hashable, ...], list[Class]] = defaultdict(list)
    columns = (counts[name].tolist() for name in ("outcome_id", "category", "counted"))
    numbers = zip(optional(counts["events"]), optional(counts["n"]), strict=True)
    keys = result_keys(counts, CLASSES_OF)
    rows = enumerate(zip(*columns, numbers, strict=True))
    for place, (outcome, category, counted, (events, n)) in rows:
        if outcome in categorical and category and counted and events is not None:
            found[keys[place]].append((place, events, n))
    return found
