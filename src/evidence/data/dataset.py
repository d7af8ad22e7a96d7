"""The loaded dataset: one frame per table, and the few questions that every chapter asks of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from evidence.data.schema import nearest
from evidence.errors import EvidenceError, Fault

Kind = Literal["studies", "arms", "outcomes"]
LABEL_KEYS: dict[str, tuple[str, ...]] = {
    "studies": ("study_id",),
    "arms": ("study_id", "arm_id"),
    "outcomes": ("outcome_id",),
}


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Every table as a frame, with what follows from the printed figures filled in and marked.

    Text is ``str`` with "" for missing, ``events`` and ``n`` are ``Int64``, times and thresholds ``float64``.
    ``counts``, ``measurements`` and ``tests`` have ``origin``, ``tier``, ``counted`` and ``same_as`` besides
    what their files hold; ``counts`` also ``percent_value``, ``admissible`` and ``derived_from``.
    ``extra`` holds the declared tables beyond these, by name.
    """

    sources: pd.DataFrame
    studies: pd.DataFrame
    arms: pd.DataFrame
    outcomes: pd.DataFrame
    counts: pd.DataFrame
    measurements: pd.DataFrame
    tests: pd.DataFrame
    claims: pd.DataFrame
    questions: pd.DataFrame
    definitions: pd.DataFrame
    protocols: pd.DataFrame
    risk_of_bias: pd.DataFrame
    certainty: pd.DataFrame
    pathway_nodes: pd.DataFrame
    pathway_edges: pd.DataFrame
    path: Path
    digest: str
    warnings: tuple[Fault, ...] = ()
    extra: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    _found: dict[str, dict[Any, str]] = field(default_factory=dict, repr=False)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        return {name: getattr(self, name) for name in TABLES} | dict(self.extra)

    def select(self, table: str, **equals: Any) -> pd.DataFrame:
        """Return the rows of a table whose columns have the given values; a collection means any of them.

        Raises:
            EvidenceError: the table or a column does not exist.
        """
        frame: pd.DataFrame = _known(table, self.tables)
        keep = pd.Series(data=True, index=frame.index, dtype=bool)
        for column, value in equals.items():
            values = _known(column, dict(frame.items()))
            many = isinstance(value, Collection) and not isinstance(value, str)
            keep &= (values.isin(value) if many else values.eq(value)).fillna(value=False).astype(bool)
        return frame[keep]

    def label(self, kind: Kind, *identifier: str) -> str:
        """Return the label of a study, an arm (``study_id, arm_id``) or an outcome; its id where unknown."""
        labels = self._lookup(kind, self._labels)
        return labels.get(identifier) or identifier[-1]

    def locate(self, row_id: str) -> str:
        """Return where a row was read: the document's title or else its key, and the place in it.

        Several row_ids joined by ``|`` give several places joined by ``; ``, each place once.

        Raises:
            EvidenceError: no table has such a row.
        """
        places = self._lookup("places", self._places)
        found = dict.fromkeys(_known(one, places) for one in row_id.split("|"))
        return "; ".join(found)

    def without(self, study_ids: Iterable[str]) -> Dataset:
        """Return the dataset less everything of some studies; unknown ids are no error."""
        gone = list(study_ids)
        kept: dict[str, Any] = {
            name: frame[~frame["study_id"].isin(gone)] if "study_id" in frame else frame
            for name, frame in self.tables.items()
        }
        extra = {name: kept.pop(name) for name in self.extra}
        return replace(self, **kept, extra=extra, _found={})

    def where(self, **equals: Any) -> Dataset:
        """Return the dataset less the studies for which the given columns of ``studies`` do not hold.

        Raises:
            EvidenceError: ``studies`` has no such column.
        """
        kept = set(self.select("studies", **equals)["study_id"])
        return self.without(set(self.studies["study_id"]) - kept)

    def _lookup(self, name: str, make: Callable[[str], dict[Any, str]]) -> dict[Any, str]:
        if name not in self._found:
            self._found[name] = make(name)
        return self._found[name]

    def _labels(self, kind: str) -> dict[Any, str]:
        frame = _known(kind, self.tables)
        keys = zip(*(frame[name].tolist() for name in LABEL_KEYS[kind]), strict=True)
        return dict(zip(keys, frame["label"].tolist(), strict=True))

    def _places(self, _: str) -> dict[Any, str]:
        columns = (self.sources[name].tolist() for name in ("source_id", "title", "citekey"))
        names = {source: title or key or source for source, title, key in zip(*columns, strict=True)}
        return {
            row_id: f"{names[source]}, {locator}"
            for frame in self.tables.values()
            if {"row_id", "source_id", "locator"} <= set(frame.columns)
            for row_id, source, locator in zip(
                frame["row_id"].tolist(), frame["source_id"].tolist(), frame["locator"].tolist(), strict=True
            )
        }


def _known(name: str, things: Mapping[Any, Any]) -> Any:
    if name not in things:
        raise EvidenceError(f"the data have no {name!r}{nearest(name, things)}")
    return things[name]


TABLES: tuple[str, ...] = tuple(
    name for name, kind in Dataset.__annotations__.items() if kind == "pd.DataFrame"
)
