"""The loaded dataset: one frame per table, and the few questions that every chapter asks of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from evidence.data.schema import nearest
from evidence.errors import EvidenceError, Fault
from evidence.reads import note_match, note_outcomes, note_rows, note_where, unnoted

Taken = tuple[bool, bool, bool]  # what it was loaded with: external, derived, primary evidence alone
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
    what their files hold; ``counts`` also ``percent_value``, ``admissible``, ``admissible_n`` and
    ``derived_from``.
    ``extra`` holds the declared tables beyond these, by name.

    What is read of it is noted (``evidence.reads``): a table as it is taken, whole, or, of a dataset
    that ``where`` or ``only`` narrowed, the rows of its studies, and after ``about`` those of its outcomes;
    ``select`` by study or by outcome notes these, ``label`` and ``locate`` note the studies that they name.
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
    _found: dict[str, dict[Any, Any]] = field(default_factory=dict, repr=False)
    _scope: frozenset[str] | None = None
    _outcomes: frozenset[str] | None = None
    _taken: Taken | None = None

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> Any:
            """Return an attribute; a table or what depends on all of them is noted as read."""
            # A copy (dataclasses.replace) is no reading: the copy notes for itself what is taken of it.
            if name in NOTED and sys._getframe(1).f_globals.get("__name__") != "dataclasses":
                for table in NOTED[name] or object.__getattribute__(self, "_all")():
                    object.__getattribute__(self, "_note")(table)
            return object.__getattribute__(self, name)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        return {name: getattr(self, name) for name in TABLES} | dict(self.extra)

    def select(self, table: str, **equals: Any) -> pd.DataFrame:
        """Return the rows of a table whose columns have the given values; a collection means any of them.

        Raises:
            EvidenceError: the table or a column does not exist.
        """
        with unnoted():
            frame: pd.DataFrame = _known(table, self.tables)
            found = frame[_matching(frame, equals)]
        self._note_selected(table, equals)
        return found

    def label(self, kind: Kind, *identifier: str) -> str:
        """Return the label of a study, an arm (``study_id, arm_id``) or an outcome; its id where unknown."""
        labels = self._lookup(kind, self._labels)
        self._note(kind, identifier[:1])
        return labels.get(identifier) or identifier[-1]

    def locate(self, row_id: str) -> str:
        """Return where a row was read: the document's title or else its key, and the place in it.

        Several row_ids joined by ``|`` give several places joined by ``; ``, each place once.

        Raises:
            EvidenceError: no table has such a row.
        """
        places = self._lookup("places", self._places)
        found = [_known(one, places) for one in row_id.split("|")]
        for _, table, study in found:
            self._note(table, (study,))
        return "; ".join(dict.fromkeys(place for place, _, _ in found))

    def without(self, study_ids: Iterable[str]) -> Dataset:
        """Return the dataset less everything of some studies; unknown ids are no error."""
        gone = list(study_ids)
        with unnoted():
            kept: dict[str, Any] = {
                name: frame[~frame["study_id"].isin(gone)] if "study_id" in frame else frame
                for name, frame in self.tables.items()
            }
            extra = {name: kept.pop(name) for name in self.extra}
            scope = None if self._scope is None else self._scope - set(gone)
            return replace(self, **kept, extra=extra, _found={}, _scope=scope)

    def only(self, study_ids: Iterable[str]) -> Dataset:
        """Return the dataset with these studies alone and what belongs to no study; unknown ids are no error.

        Rows are counted anew from 0, so that no other study's rows leave a trace.
        """
        kept = frozenset(study_ids)
        with unnoted():
            gone = set(self.studies["study_id"]) - kept
            less = self.without(gone)
            tables = {name: frame.reset_index(drop=True) for name, frame in less.tables.items()}
            extra = {name: tables.pop(name) for name in self.extra}
            scope = kept if self._scope is None else self._scope & kept
            return replace(less, **tables, extra=extra, _found={}, _scope=scope)  # type: ignore[arg-type]

    def about(self, outcome_ids: Iterable[str]) -> Dataset:
        """Return the dataset with the counts of these outcomes alone; nothing else is left out."""
        kept = frozenset(outcome_ids)
        with unnoted():
            counts = self.counts[self.counts["outcome_id"].isin(kept)]
            outcomes = kept if self._outcomes is None else self._outcomes & kept
            return replace(self, counts=counts, _found={}, _outcomes=outcomes)

    def showing(self, subgroups: Iterable[str]) -> Dataset:
        """Return the dataset less the rows of all other subgroups; rows of whole studies stay."""
        kept = {"", *subgroups}
        with unnoted():
            frames = {name: frame for name, frame in self.tables.items() if "subgroup" in frame}
            less: dict[str, Any] = {name: one[one["subgroup"].isin(kept)] for name, one in frames.items()}
            extra = {name: less.pop(name, frame) for name, frame in self.extra.items()}
            return replace(self, **less, extra=extra, _found={})

    def family(self, study_id: str) -> frozenset[str]:
        """Return a study with the study that it is a part of, and with the studies that are parts of it."""
        with unnoted():
            ids, parents = (self.studies[name] for name in ("study_id", "parent_study_id"))
            own = set(parents[ids == study_id]) - {""}
            parts = set(ids[parents == study_id])
        self._note("studies", (study_id,))
        note_match(self.path, "parent_study_id", (study_id,))
        return frozenset({study_id} | own | parts)

    def where(self, **equals: Any) -> Dataset:
        """Return the dataset less the studies for which the given columns of ``studies`` do not hold.

        Raises:
            EvidenceError: ``studies`` has no such column.
        """
        with unnoted():
            kept = self.select("studies", **equals)["study_id"]
            less = self.without(set(self.studies["study_id"]) - set(kept))
            exact = all(_is_text(self.studies[name]) for name in equals)
        if not exact:
            self._note("studies")
        for column, value in equals.items() if exact else ():
            note_match(self.path, column, _several(value))
        with unnoted():
            return replace(less, _scope=frozenset(kept) if self._scope is None else less._scope)

    def _note_selected(self, table: str, equals: Mapping[str, Any]) -> None:
        """Note the rows that were asked for: just these where their file tells them, else their studies."""
        path, scope = (object.__getattribute__(self, name) for name in ("path", "_scope"))
        asked = {name: _several(value) for name, value in equals.items()}
        frame = object.__getattribute__(self, table) if table in AS_READ else pd.DataFrame()
        if asked and table in AS_READ and all(_is_text(frame[name]) for name in asked):
            within = {} if scope is None or "study_id" in asked else {"study_id": (*scope, "")}
            note_where(path, table, asked | within)
        else:
            self._note(table, asked.get("study_id"), asked.get("outcome_id"))

    def _note(
        self, table: str, studies: Collection[str] | None = None, outcomes: Collection[str] | None = None
    ) -> None:
        """Note a table as read: the rows of some studies, else of those that the dataset is narrowed to.

        Of counts only those of some outcomes, else of those that the dataset is narrowed to.
        """
        own = {name: object.__getattribute__(self, name) for name in OWN}
        about = own["_outcomes"] if studies is None and outcomes is None else outcomes
        if table == "counts" and about is not None and own["_taken"]:
            note_outcomes(own["path"], about, own["_taken"], own["_scope"] if studies is None else studies)
            return
        frame = own["extra"].get(table) if table in own["extra"] else object.__getattribute__(self, table)
        scope = studies if studies is not None else own["_scope"]
        by_study = scope is not None and "study_id" in frame
        note_rows(own["path"], table, {*scope, ""} if by_study and scope is not None else None)

    def _all(self) -> tuple[str, ...]:
        return (*TABLES, *object.__getattribute__(self, "extra"))

    def _lookup(self, name: str, make: Callable[[str], dict[Any, Any]]) -> dict[Any, Any]:
        if name not in self._found:
            with unnoted():
                self._found[name] = make(name)
        return self._found[name]

    def _labels(self, kind: str) -> dict[Any, str]:
        frame = _known(kind, self.tables)
        keys = zip(*(frame[name].tolist() for name in LABEL_KEYS[kind]), strict=True)
        return dict(zip(keys, frame["label"].tolist(), strict=True))

    def _places(self, _: str) -> dict[Any, tuple[str, str, str]]:
        """Return, by row, the place it was read in, its table and its study."""
        columns = (self.sources[name].tolist() for name in ("source_id", "title", "citekey"))
        names = {source: title or key or source for source, title, key in zip(*columns, strict=True)}
        found: dict[Any, tuple[str, str, str]] = {}
        for table, frame in self.tables.items():
            if {"row_id", "source_id", "locator"} <= set(frame.columns):
                studies = frame["study_id"].tolist() if "study_id" in frame else [""] * len(frame)
                rows = zip(
                    *(frame[name].tolist() for name in ("row_id", "source_id", "locator")), strict=True
                )
                for (row_id, source, locator), study in zip(rows, studies, strict=True):
                    found[row_id] = f"{names[source]}, {locator}", table, study
        return found


def _matching(frame: pd.DataFrame, equals: Mapping[str, Any]) -> pd.Series:
    keep = pd.Series(data=True, index=frame.index, dtype=bool)
    for column, value in equals.items():
        values = _known(column, dict(frame.items()))
        many = isinstance(value, Collection) and not isinstance(value, str)
        keep &= (values.isin(value) if many else values.eq(value)).fillna(value=False).astype(bool)
    return keep


def _several(value: Any) -> tuple[str, ...]:
    many = isinstance(value, Collection) and not isinstance(value, str)
    return tuple(map(str, value)) if many else (str(value),)


def _is_text(column: pd.Series) -> bool:
    """Return whether a column holds text as its file does; yes and no are spelled in several ways."""
    return column.dtype == "str" and not set(column) <= {"yes", "no", ""}


def _known(name: str, things: Mapping[Any, Any]) -> Any:
    if name not in things:
        raise EvidenceError(f"the data have no {name!r}{nearest(name, things)}")
    return things[name]


TABLES: tuple[str, ...] = tuple(
    name for name, kind in Dataset.__annotations__.items() if kind == "pd.DataFrame"
)
# Tables whose rows and columns are as their files hold them.
AS_READ = ("claims", "protocols", "definitions", "risk_of_bias")
OWN = ("path", "extra", "_taken", "_scope", "_outcomes")
# Attributes that are tables, and those that depend on all of them.
NOTED: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in TABLES},
    **dict.fromkeys(("digest", "warnings", "tables", "extra"), ()),
}
