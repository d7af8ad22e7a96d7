"""How far the calculations are from a second implementation, as a benchmark found it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evidence.display.labels import lower_first
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import nothing
from evidence.project import resolve
from evidence.results import records

COLUMNS = (
    Column("Calculation", width=2.4),
    Column("Function", width=2.2),
    Column("Held against", width=1.3),
    Column("Numbers compared", "right", 1.1),
    Column("Largest deviation", "right", 1.1),
    Column("Allowed", "right", 0.9),
)
CAPTION = "Calculations of this report against the same calculations by other programs."
NOTE = "Deviations are relative; absolute where the number itself is nearly zero."


def accuracy_table(path: str) -> Table:
    """Show each calculation, the program that it was held against, and the largest deviation found.

    Args:
        path: CSV that the benchmark wrote, below the project's root: columns what, function, oracle, version,
            cases, largest, tolerance, file.
    """
    found = _read(path)
    if found.empty:
        return nothing(CAPTION)
    body = tuple(_line(row) for row in records(found))
    return Table(COLUMNS, body, CAPTION, NOTE, found)


def accuracy_prose(path: str) -> Prose:
    """Say how many numbers were compared, with what, and how far off the farthest was."""
    found = _read(path)
    if found.empty:
        return Prose("No comparison with another program is stored beside this report.")
    worst = max(records(found), key=lambda row: float(row["largest"]))
    programs = list(dict.fromkeys(map(_program, records(found))))
    return Prose(
        f"{found['cases'].astype(int).sum():,} numbers in {len(found)} groups were computed a second time by "
        f"{', '.join(programs[:-1])} and {programs[-1]}. The farthest apart are two results of "
        f"*{lower_first(str(worst['what']))}*: they differ by {power_of_ten(worst['largest'])} of their "
        "size, far below the digits that a page prints."
    )


def power_of_ten(text: str) -> str:
    """Return a number in words of powers of ten.

    >>> power_of_ten("3.6e-11")
    '3.6 × 10⁻¹¹'
    >>> power_of_ten("1e-10")
    '10⁻¹⁰'
    """
    figure, power = f"{float(text):.1e}".split("e")
    raised = "10" + str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return raised if float(figure) == 1 else f"{figure} × {raised}"


def _read(path: str) -> pd.DataFrame:
    file = resolve(path)
    return pd.read_csv(file, dtype=str, keep_default_na=False) if file.is_file() else pd.DataFrame()


def _line(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        Cell(str(row["what"])),
        Cell(str(row["function"]), code=True),
        Cell(_program(row)),
        Cell(f"{int(row['cases']):,}"),
        Cell(power_of_ten(row["largest"])),
        Cell(power_of_ten(row["tolerance"])),
    )


def _program(row: Mapping[str, Any]) -> str:
    return f"{'' if row['oracle'] == 'R' else 'R package '}{row['oracle']} {row['version']}"
