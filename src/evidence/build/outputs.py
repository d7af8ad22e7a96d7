"""The tidy table and the drawing behind every labelled output of an executed notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.build.files import write_whole
from evidence.build.notebooks import LABEL, read_notebook


def write_outputs(notebooks: list[Path], folder: Path) -> list[Path]:
    """Write ``tables/<label>.csv``, ``figures/<label>.csv`` and ``figures/<label>.svg`` below ``folder``.

    Returns the files written. An output without a label has nothing to be called and is passed over.
    """
    written: list[Path] = []
    for path in notebooks:
        for label, output in _labelled(read_notebook(path)):
            written += _write_one(label, output, folder)
    return written


def _labelled(notebook: Any) -> Iterator[tuple[str, Any]]:
    for cell in notebook.cells:
        found = LABEL.search(cell.source) if cell.cell_type == "code" else None
        for output in cell.get("outputs", []) if found else []:
            if output.get("metadata", {}).get("evidence", {}).get("csv"):
                yield found.group(2), output  # type: ignore[union-attr]


def _write_one(label: str, output: Any, folder: Path) -> Iterator[Path]:
    said = output["metadata"]["evidence"]
    place = folder / ("figures" if said["kind"] == "figure" else "tables")
    parts = {".csv": said["csv"], ".svg": output["data"].get("image/svg+xml")}
    for ending, content in parts.items():
        if content:
            target = place / f"{label}{ending}"
            write_whole(target, content if isinstance(content, str) else "".join(content))
            yield target
