"""Invented studies of one question, added to the small invented project by counts alone."""

import copy

import evidence

from ..conftest import TABLES, write_tables

Counts = tuple[int, int, int, int]


def study(tables, study_id, four: Counts, *, randomised="yes", label="", node="drug", **changes):
    """Add a study: events and patients with the drug, events and patients with placebo."""
    e1, n1, e0, n0 = four
    tables["studies"].append(
        {**TABLES["studies"][0], "study_id": study_id, "label": label or study_id, "n": str(n1 + n0)}
        | {"randomised": randomised}
        | changes
    )
    for arm, n in zip(copy.deepcopy(TABLES["arms"]), (n1, n0), strict=True):
        tables["arms"].append(
            arm | {"study_id": study_id, "n": str(n)} | ({"node": node} if arm["arm_id"] == "drug" else {})
        )
    for count, (events, n) in zip(copy.deepcopy(TABLES["counts"]), ((e1, n1), (e0, n0)), strict=True):
        tables["counts"].append(
            count | {"study_id": study_id, "events": str(events), "n": str(n), "percent": ""}
        )


def emptied():
    """Return the invented tables without any study."""
    tables = copy.deepcopy(TABLES)
    for name in ("studies", "arms", "counts"):
        tables[name] = []
    return tables


def dataset(folder, tables):
    """Return the tables as a loaded dataset."""
    write_tables(folder, tables)
    return evidence.load(folder)


def of_counts(folder, fours, **changes):
    """Return a dataset with one randomised study per set of counts."""
    tables = emptied()
    for place, four in enumerate(fours):
        study(tables, f"trial_{place}", four, label=f"Trial {place}", **changes)
    return dataset(folder, tables)
