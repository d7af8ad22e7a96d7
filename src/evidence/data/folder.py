"""From a folder of CSV files to a dataset: read, validate, derive."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from evidence.data.bibliography import bibliography
from evidence.data.complement import add_complements
from evidence.data.content import remembered
from evidence.data.dataset import TABLES, Dataset
from evidence.data.distinct import with_distinct_labels
from evidence.data.expectations import find_slips
from evidence.data.frame import make_frame
from evidence.data.joint import fill_jointly
from evidence.data.plausibility import find_warnings
from evidence.data.precedence import (
    COUNT_FIGURES,
    COUNT_KEY,
    MEASUREMENT_FIGURES,
    MEASUREMENT_KEY,
    TEST_FIGURES,
    TEST_KEY,
    mark_counted,
)
from evidence.data.read import Sheet, read_sheet
from evidence.data.recover import inferred_sizes, recover_counts
from evidence.data.schema import PACKAGE, nearest, read_schema
from evidence.data.sums import add_sums
from evidence.data.thresholds import at_threshold
from evidence.data.validate import find_faults
from evidence.errors import DataError, Fault, ParameterError
from evidence.memo import kept
from evidence.parameters import Parameters, ids
from evidence.project import resolve
from evidence.reads import note_file, unnoted

Tables = dict[str, pd.DataFrame]
RESULTS = ("counts", "measurements", "tests")


def load(
    path: Path | str = "data",
    *,
    include_external: bool = True,
    include_derived: bool = True,
    primary_only: bool = False,
) -> Dataset:
    """Read, validate and complete the tables in a folder.

    The folder is looked for here and below the project's root. Its ``datapackage.json`` declares the tables.

    Args:
        path: the folder.
        include_external: whether rows read from documents of external origin take part.
        include_derived: whether counts that only follow from printed figures take part.
        primary_only: whether results read from other than primary sources stay out.

    Raises:
        DataError: lists every fault of every file: file, line, column, value and mend.
    """
    folder = resolve(path)
    if not folder.is_dir():
        raise DataError((Fault(str(path), 0, "", "", "no such folder; give the folder of the CSV files"),))
    note_file(folder / PACKAGE)
    taken = (include_external, include_derived, primary_only)
    with unnoted():
        made_from = _made_from(folder)
        found = kept("load", lambda: (made_from, taken), lambda: _loaded(folder, made_from, *taken))
        return remembered(found)


def _made_from(folder: Path) -> tuple[object, ...]:
    """Return everything that loading depends on: the files of the folder and the bibliography around it."""
    names = tuple(path.name for path in sorted(folder.glob("*.csv")))
    package = (folder / PACKAGE).read_bytes() if (folder / PACKAGE).is_file() else b""
    known, files = bibliography(folder)
    return str(folder), names, digest(folder), package, tuple(sorted(known)), tuple(files)


@lru_cache(maxsize=1)  # one folder is loaded several times, with more or less of its evidence
def _sound(folder: Path, made_from: Hashable) -> tuple[dict[str, Sheet], Tables, set[str]]:
    """Return the sheets of a folder without a fault, their frames, and the files that are declared."""
    schema = read_schema(folder)
    sheets = {resource.name: read_sheet(folder, resource) for resource in schema.resources}
    if faults := find_faults(schema, sheets, folder):
        raise DataError(faults)
    frames = {name: make_frame(sheet) for name, sheet in sheets.items()}
    frames["studies"] = with_distinct_labels(frames["studies"])
    return sheets, frames, {resource.path for resource in schema.resources}


def _loaded(
    folder: Path, made_from: Hashable, include_external: bool, include_derived: bool, primary_only: bool
) -> Dataset:
    sheets, frames, declared = _sound(folder, made_from)
    frames = {name: frame.copy() for name, frame in frames.items()}
    chosen = frames if include_external else _seeds(frames)
    chosen = _primary(chosen) if primary_only else chosen
    tables, warnings = derive(chosen, sheets["counts"], include_derived=include_derived)
    own: dict[str, Any] = {name: tables.pop(name) for name in TABLES}
    undeclared = _undeclared(folder, declared)
    warnings = (*undeclared, *find_slips(sheets), *warnings)
    taken = (include_external, include_derived, primary_only)
    return Dataset(**own, path=folder, digest=digest(folder), warnings=warnings, extra=tables, _taken=taken)


def dataset(parameters: Parameters) -> Dataset:
    """Return the dataset that the parameters ask for: which folder, and which evidence takes part.

    With a ``study_id`` it holds that study alone, with the study that it is a part of and its own parts.

    Raises:
        DataError: as ``load``.
        ParameterError: a study to leave out, a subgroup or a threshold to show is none of the data's.
    """
    data = load(
        parameters.data_dir,
        include_external=parameters.include_external,
        include_derived=parameters.include_derived,
        primary_only=parameters.primary_only,
    )
    if left_out := _known_ids("excluded_studies", parameters.excluded_studies, _ids(data, "study_id")):
        data = data.without(left_out)
    if shown := _known_ids("subgroups", parameters.subgroups, _ids(data, "subgroup")):
        data = data.showing(shown)
    if parameters.outcome_threshold:
        data = at_threshold(data, float(parameters.outcome_threshold))
    return data.only(data.family(parameters.study_id)) if parameters.study_id else data


def _ids(data: Dataset, column: str) -> set[str]:
    """Return the ids that stand in a column of any table; they only say what a parameter may name."""
    with unnoted():
        frames = [frame for frame in data.tables.values() if column in frame]
        return {str(one) for frame in frames for one in frame[column]} - {""}


def _known_ids(name: str, given: str, known: set[str]) -> tuple[str, ...]:
    found = ids(given)
    faults = [
        f"{name} {one!r}: the data have none of this id{nearest(one, known)}"
        for one in found
        if one not in known
    ]
    if faults:
        raise ParameterError("\n".join(faults))
    return found


def derive(
    tables: Tables, counts: Sheet, *, include_derived: bool = True
) -> tuple[Tables, tuple[Fault, ...]]:
    """Return the tables with everything filled in that follows from the printed figures, and warnings."""
    tables = tables | {name: _with_origin(tables[name], tables) for name in RESULTS}
    # Rows that stay out leave gaps: the others keep the lines that they stand on.
    counts = replace(counts, lines=tuple(counts.lines[place] for place in tables["counts"].index))
    found, warnings = _counts(tables, counts, include_derived=include_derived)
    doubts = find_warnings(found, tables, file=counts.file, lines=counts.lines)
    counted = {
        "counts": found,
        "measurements": mark_counted(tables["measurements"], MEASUREMENT_KEY, MEASUREMENT_FIGURES),
        "tests": mark_counted(tables["tests"], TEST_KEY, TEST_FIGURES),
    }
    return tables | counted, (*warnings, *doubts)


def _counts(
    tables: Tables, counts: Sheet, *, include_derived: bool
) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Return the counts with what follows from them, or without anything that is not printed."""
    printed = tables["counts"]
    recovered = recover_counts(printed, tables["arms"])
    found = fill_jointly(recovered, tables["arms"], tables["studies"])
    if not include_derived:
        return mark_counted(_without_derived(found, printed), COUNT_KEY, COUNT_FIGURES), ()
    marked = mark_counted(found, COUNT_KEY, COUNT_FIGURES)
    found, warnings = add_complements(marked, tables["outcomes"], file=counts.file, lines=counts.lines)
    found = add_sums(found, tables["outcomes"])
    return mark_counted(found, COUNT_KEY, COUNT_FIGURES), warnings


def _without_derived(found: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Return the counts as printed, without those that their document or source only derived."""
    derived = printed["basis"] == "derived"
    as_printed = {name: printed[name] for name in ("n_basis", "basis")}
    sizes = printed["n"].mask(inferred_sizes(printed))
    return found.assign(events=printed["events"].mask(derived), n=sizes, derived_from="", **as_printed)


def _seeds(frames: Tables) -> Tables:
    """Return the tables without what was read from documents of external origin."""
    sources = frames["sources"]
    external = set(sources.loc[sources["origin"] == "external", "source_id"])
    kept = {
        name: frame[~_from(frame, external)] if "source_id" in frame else frame
        for name, frame in frames.items()
    }
    return kept | {name: _own_sizes(kept[name], external) for name in ("studies", "arms")}


def _own_sizes(frame: pd.DataFrame, external: set[str]) -> pd.DataFrame:
    """Return studies or arms without the numbers of patients that are of external origin (``n_source``)."""
    if "n_source" not in frame:
        return frame
    return frame.assign(n=frame["n"].mask(frame["n_source"].isin(external)))


def _primary(frames: Tables) -> Tables:
    """Return the tables of results without what was read from other than primary sources."""
    sources = frames["sources"]
    others = set(sources.loc[sources["tier"] != "primary", "source_id"])
    return frames | {name: frames[name][~_from(frames[name], others)] for name in RESULTS}


def _from(frame: pd.DataFrame, sources: set[str]) -> pd.Series:
    return frame["source_id"].isin(sources)


def digest(folder: Path) -> str:
    """Return the SHA-256 of all CSV files of a folder, in order of their names."""
    return hashlib.sha256(b"".join(_content(path) for path in sorted(folder.glob("*.csv")))).hexdigest()


def _content(path: Path) -> bytes:
    """Return the content of a file, none where it cannot be read: what is declared is refused for that."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _with_origin(frame: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return a table of results with the tier and the origin of its source, else the origin of its study."""
    studies = dict(zip(tables["studies"]["study_id"], tables["studies"]["origin"], strict=True))
    sources = dict(zip(tables["sources"]["source_id"], tables["sources"]["origin"], strict=True))
    tiers = dict(zip(tables["sources"]["source_id"], tables["sources"]["tier"], strict=True))
    rows = zip(frame["source_id"].tolist(), frame["study_id"].tolist(), strict=True)
    return frame.assign(
        origin=[sources[source] or studies.get(study, "") for source, study in rows],
        tier=[tiers[source] for source in frame["source_id"].tolist()],
    ).astype({"origin": "str", "tier": "str"})


def _undeclared(folder: Path, declared: set[str]) -> tuple[Fault, ...]:
    strays = sorted({path.name for path in folder.glob("*.csv")} - declared)
    mend = "not declared in datapackage.json and not read; declare or remove it"
    return tuple(Fault(f"{folder.name}/{name}", 0, "", "", mend) for name in strays)
