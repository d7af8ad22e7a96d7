"""The tidy table and the drawing behind every labelled output of an executed notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.build.files import write_draft
from evidence.build.notebooks import LABEL, read_cells
from evidence.errors import BuildError
from evidence.render.notebook import LABEL_MEND, PLAIN_LABEL


def write_outputs(notebooks: list[Path], folder: Path) -> list[Path]:
    """Write ``tables/<label>.csv``, ``figures/<label>.csv`` and ``figures/<label>.svg`` below ``folder``.

    Returns the files written. An output without a label has nothing to be called and is passed over.

    Raises:
        BuildError: a label that is no plain name could lead out of the folder.
    """
    written: list[Path] = []
    for path in notebooks:
        for label, output in _labelled(read_cells(path), path):
            written += _write_one(label, output, folder)
    return written


def _labelled(cells: list[dict[str, Any]], path: Path) -> Iterator[tuple[str, Any]]:
    for place, cell in enumerate(cells, 1):
        found = LABEL.search("".join(cell["source"])) if cell["cell_type"] == "code" else None
        if found and not PLAIN_LABEL.fullmatch(found.group(2)):
            raise BuildError(f"{path.name}: cell {place} label: {found.group(2)}: {LABEL_MEND}")
        part = 1
        for output in cell.get("outputs", []) if found else []:
            said = output.get("metadata", {}).get("evidence", {})
            if said.get("csv"):
                yield found.group(2), output  # type: ignore[union-attr]
            elif said.get("kind") == "part":
                part += 1
                yield f"{found.group(2)}-{part}", output  # type: ignore[union-attr]


def _write_one(label: str, output: Any, folder: Path) -> Iterator[Path]:
    said = output["metadata"]["evidence"]
    place = folder / ("tables" if said["kind"] == "table" else "figures")
    parts = {".csv": said["csv"], ".svg": output["data"].get("image/svg+xml")}
    for ending, content in parts.items():
        if content:
            target = place / f"{label}{ending}"
            write_draft(target, content if isinstance(content, str) else "".join(content))
            yield target
