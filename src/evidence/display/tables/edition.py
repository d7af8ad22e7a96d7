"""What one edition of a report was made from: tables with their hashes, programs with their versions."""

from __future__ import annotations

import csv
import hashlib
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pandas as pd

from evidence.display.model import Cell, Column, Table
from evidence.parameters import Parameters
from evidence.project import resolve
from evidence.results import records

SHOWN = 16  # characters of a hash on the page: enough to tell two files apart; the download has all 64
NAME = re.compile(r"[A-Za-z0-9._-]+")


def edition_data_table(parameters: Parameters) -> Table:
    """Show every table in the folder of data with its rows and the SHA-256 hash of its file."""
    paths = sorted(resolve(parameters.data_dir).glob("*.csv"))
    found = pd.DataFrame([_file(path) for path in paths])
    body = tuple(
        (Cell(row["file"], code=True), Cell(f"{row['rows']:,}"), Cell(row["sha256"][:SHOWN], code=True))
        for row in records(found)
    )
    columns = (Column("Table", width=1.6), Column("Rows", "right", 0.7), Column("SHA-256, begins", width=1.6))
    caption = f"{len(found)} tables with {found['rows'].sum():,} rows are the data of this edition."
    return Table(columns, body, caption, "The download has the hashes in full.", found)


def edition_programs_table(package: str = "evidence") -> Table:
    """Show the programs that a report is made with: Python, and what the package itself asks for.

    Args:
        package: name of an installed distribution.
    """
    found = pd.DataFrame(
        [("Python", platform.python_version()), *_installed(package)], columns=["name", "version"]
    )
    body = tuple((Cell(row["name"], code=True), Cell(row["version"])) for row in records(found))
    caption = f"{len(found)} programs and their versions, as installed where this edition was made."
    note = "Only what the engine itself asks for; the file of the edition's origin lists every package."
    return Table((Column("Program"), Column("Version")), body, caption, note, found)


def _file(path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    rows = sum(1 for _ in csv.reader(content.decode("utf-8").splitlines(keepends=True))) - 1
    return {"file": path.name, "rows": rows, "sha256": hashlib.sha256(content).hexdigest()}


def _installed(package: str) -> list[tuple[str, str]]:
    """Return what a distribution requires without an extra, with the versions that are there."""
    wanted = [text for text in requires(package) or [] if "extra ==" not in text]
    names = sorted({found[0].lower() for text in wanted if (found := NAME.match(text))})
    return [(name, version(name)) for name in names if _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
