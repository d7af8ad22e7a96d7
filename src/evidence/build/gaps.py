"""Pages of one subject without the tables that have nothing to show for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from evidence.build.files import write_draft

SECTION = re.compile(r"^## (?P<title>[^{\n]+?)\s*(?:\{[^}\n]*\})?\s*$", re.MULTILINE)
LABEL = re.compile(r"^#\|\s*label:", re.MULTILINE)

Cell = dict[str, Any]


def close_gaps(paths: list[Path]) -> None:
    """Take tables without rows out of executed notebooks, in place; say which sections that leaves empty."""
    for path in paths:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        kept = without_gaps(notebook["cells"])
        if kept != notebook["cells"]:
            notebook["cells"] = kept
            write_draft(path, json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def without_gaps(cells: list[Cell]) -> list[Cell]:
    """Return the cells less tables without rows; a section of such tables alone becomes a line at the end.

    A section begins at a Markdown cell with a heading of the second level.
    """
    kept: list[Cell] = []
    gone: list[str] = []
    for section in _sections(cells):
        full = [cell for cell in section if not _is_gap(cell)]
        title = _title(section[0])
        if title and len(full) < len(section) and not any(_is_float(cell) for cell in full):
            gone.append(title)
        else:
            kept += full
    return [*kept, _note(gone)] if gone else kept


def _sections(cells: list[Cell]) -> list[list[Cell]]:
    found: list[list[Cell]] = [[]]
    for cell in cells:
        if _title(cell):
            found.append([])
        found[-1].append(cell)
    return [section for section in found if section]


def _title(cell: Cell) -> str:
    match = SECTION.match(_source(cell)) if cell["cell_type"] == "markdown" else None
    return match["title"] if match else ""


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _is_float(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and bool(LABEL.search(_source(cell)))


def _is_gap(cell: Cell) -> bool:
    """Return whether a cell shows tables alone, and none of them has values behind it."""
    shown = [output.get("metadata", {}).get("evidence", {}) for output in cell.get("outputs", [])]
    return bool(shown) and all(one.get("kind") == "table" and not one.get("csv") for one in shown)


def _note(titles: list[str]) -> Cell:
    told = "; ".join(title[:1].lower() + title[1:] for title in titles)
    source = f"*No section on:* {told}."
    return {"cell_type": "markdown", "id": "nothing-on", "metadata": {}, "source": source}
