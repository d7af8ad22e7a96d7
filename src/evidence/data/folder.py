"""From a folder of CSV files to a dataset: read, validate, derive."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from evidence.data.complement import add_complements
from evidence.data.dataset import TABLES, Dataset
from evidence.data.frame import make_frame
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
from evidence.data.recover import recover_counts
from evidence.data.schema import read_schema
from evidence.data.validate import find_faults
from evidence.errors import DataError, Fault
from evidence.project import resolve

Tables = dict[str, pd.DataFrame]
RESULTS = ("counts", "measurements", "tests")


def load(path: Path | str = "data") -> Dataset:
    """Read, validate and complete the tables in a folder.

    The folder is looked for here and below the project's root. Its ``datapackage.json`` declares the tables.

    Raises:
        DataError: lists every fault of every file: file, line, column, value and mend.
    """
    folder = resolve(path)
    if not folder.is_dir():
        raise DataError((Fault(str(path), 0, "", "", "no such folder; give the folder of the CSV files"),))
    schema = read_schema(folder)
    sheets = {resource.name: read_sheet(folder, resource) for resource in schema.resources}
    if faults := find_faults(schema, sheets):
        raise DataError(faults)
    tables, warnings = derive({name: make_frame(sheet) for name, sheet in sheets.items()}, sheets["counts"])
    own: dict[str, Any] = {name: tables.pop(name) for name in TABLES}
    undeclared = _undeclared(folder, {resource.path for resource in schema.resources})
    return Dataset(**own, path=folder, digest=digest(folder), warnings=(*undeclared, *warnings), extra=tables)


def derive(tables: Tables, counts: Sheet) -> tuple[Tables, tuple[Fault, ...]]:
    """Return the tables with everything filled in that follows from the printed figures, and warnings."""
    tables = tables | {name: _with_origin(tables[name], tables) for name in RESULTS}
    found = recover_counts(tables["counts"], tables["arms"])
    found, warnings = add_complements(
        mark_counted(found, COUNT_KEY, COUNT_FIGURES),
        tables["outcomes"],
        file=counts.file,
        lines=counts.lines,
    )
    found = mark_counted(found, COUNT_KEY, COUNT_FIGURES)
    doubts = find_warnings(found, tables, file=counts.file, lines=counts.lines)
    counted = {
        "counts": found,
        "measurements": mark_counted(tables["measurements"], MEASUREMENT_KEY, MEASUREMENT_FIGURES),
        "tests": mark_counted(tables["tests"], TEST_KEY, TEST_FIGURES),
    }
    return tables | counted, (*warnings, *doubts)


def digest(folder: Path) -> str:
    """Return the SHA-256 of all CSV files of a folder, in order of their names."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.csv")))).hexdigest()


def _with_origin(frame: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return a table of results with the origin of its study and the tier of its source."""
    origins = dict(zip(tables["studies"]["study_id"], tables["studies"]["origin"], strict=True))
    tiers = dict(zip(tables["sources"]["source_id"], tables["sources"]["tier"], strict=True))
    return frame.assign(
        origin=[origins.get(study, "") for study in frame["study_id"].tolist()],
        tier=[tiers[source] for source in frame["source_id"].tolist()],
    ).astype({"origin": "str", "tier": "str"})


def _undeclared(folder: Path, declared: set[str]) -> tuple[Fault, ...]:
    strays = sorted({path.name for path in folder.glob("*.csv")} - declared)
    mend = "not declared in datapackage.json and not read; declare or remove it"
    return tuple(Fault(f"{folder.name}/{name}", 0, "", "", mend) for name in strays)
