"""Outcomes that nobody printed a count of, but whose patients are those of several printed categories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd

from evidence.data.complement import PRINTED_ONLY
from evidence.data.frame import optional, text, whole
from evidence.data.precedence import result_keys
from evidence.data.recover import inferred_sizes

OF_RESULT = ("study_id", "arm_id", "subgroup", "level", "analysis_set")
Key = tuple[Hashable, ...]


def add_sums(counts: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the counts with the sums of categories that outcomes are made of (``sum_of``) appended.

    ``sum_of`` is ``outcome:category|category``: a grade of 2 or more is the sum of the grades from 2. A sum
    is made where every category was counted, of as many patients, in one arm and at one time, and where
    nobody counted the outcome itself. ``derived_from`` holds the rows that were added up.
    """
    asked = _asked(outcomes)
    made = [] if not asked else list(_find(counts, asked))
    if "derived_from" not in counts:
        counts = counts.assign(derived_from=text([""] * len(counts)))
    return pd.concat([counts, _rows(counts, made)], ignore_index=True) if made else counts


def _asked(outcomes: pd.DataFrame) -> dict[str, tuple[str, list[str]]]:
    """Return by outcome the one whose categories it adds up, and which."""
    if "sum_of" not in outcomes:
        return {}
    told = zip(outcomes["outcome_id"].tolist(), outcomes["sum_of"].tolist(), strict=True)
    split = {str(name): str(of).partition(":") for name, of in told if of}
    return {name: (of, parts.split("|")) for name, (of, _, parts) in split.items()}


def _find(
    counts: pd.DataFrame, asked: dict[str, tuple[str, list[str]]]
) -> Iterable[tuple[str, list[int], int]]:
    """Yield the outcome, the places of the rows that it adds up, and how many events they have."""
    names, categories = counts["outcome_id"].tolist(), counts["category"].tolist()
    events, sizes, counted = optional(counts["events"]), optional(counts["n"]), counts["counted"].tolist()
    keys = result_keys(counts, OF_RESULT)
    known = set(zip(names, keys, strict=True))
    places: defaultdict[tuple[str, Key], dict[str, int]] = defaultdict(dict)
    for place, (name, category) in enumerate(zip(names, categories, strict=True)):
        if category and counted[place] and events[place] is not None:
            places[name, keys[place]][category] = place
    for outcome, (of, parts) in asked.items():
        for (name, key), found in places.items():
            rows = [found[part] for part in parts if part in found]
            whole_sum = len(rows) == len(parts) and len({sizes[row] for row in rows}) == 1
            if name == of and whole_sum and (outcome, key) not in known:
                yield outcome, rows, sum(events[row] or 0 for row in rows)


def _rows(counts: pd.DataFrame, made: Sequence[tuple[str, list[int], int]]) -> pd.DataFrame:
    """Return the sums as rows: all that the first of their parts has, less what is printed of it.

    A number of patients that was inferred for one of the parts is inferred for the sum, with the same note.
    """
    ids = counts["row_id"].tolist()
    none = text([""] * len(made))
    empty = {name: none for name in ("category", "category_label", *PRINTED_ONLY) if name in counts}
    parts = counts.iloc[[rows[0] for _, rows, _ in made]]
    if "note" in empty:
        inferred = inferred_sizes(counts).tolist()
        weakest = [next((row for row in rows if inferred[row]), rows[0]) for _, rows, _ in made]
        sizes = counts.iloc[weakest]
        empty["n_basis"] = text(sizes["n_basis"].tolist())
        empty["note"] = text(sizes["note"].where(inferred_sizes(sizes), "").tolist())
    return parts.assign(
        row_id=text([f"{ids[rows[0]]}~{outcome}" for outcome, rows, _ in made]),
        outcome_id=text([outcome for outcome, _, _ in made]),
        events=whole([events for _, _, events in made]),
        basis="derived",
        derived_from=text(["|".join(ids[row] for row in rows) for _, rows, _ in made]),
        **empty,
        **{name: np.nan for name in ("interval_level", "percent_value") if name in counts},
    ).astype(counts.dtypes.to_dict())
