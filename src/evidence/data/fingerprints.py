"""The counts of a data folder as they are loaded, hashed by outcome and study, to tell what has changed."""

from __future__ import annotations

from pathlib import Path

from evidence.data.dataset import Dataset
from evidence.data.folder import load
from evidence.reads import Evidence, counted_by, hashed


def counts_by_outcome(folder: Path, evidence: Evidence) -> dict[tuple[str, str | None], str]:
    """Return the hash of each outcome's counts as they are loaded, in each study and in all together.

    Args:
        folder: the data folder.
        evidence: whether external and derived evidence takes part, and whether primary sources alone do.

    Raises:
        DataError: as ``load``.
    """
    frame = loaded(folder, evidence).counts
    keys = zip(frame["outcome_id"].tolist(), frame["study_id"].tolist(), strict=True)
    rows = zip(*(column.tolist() for _, column in frame.items()), strict=True)
    groups: dict[tuple[str, str | None], list[str]] = {}
    for (outcome, study), row in zip(keys, map(repr, rows), strict=True):
        for place in (study, None):
            groups.setdefault((outcome, place), []).append(row)
    return {key: hashed([list(frame.columns), some]) for key, some in groups.items()}


def loaded(folder: Path, evidence: Evidence) -> Dataset:
    """Return the dataset of a folder from the evidence that takes part."""
    external, derived, primary = evidence
    return load(folder, include_external=external, include_derived=derived, primary_only=primary)


counted_by(counts_by_outcome)
