"""What a notebook says of itself, and its form without anything volatile."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.build.quick import nbformat
from evidence.errors import BuildError

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
LABEL = re.compile(r"^(#\|\s*label:\s*)(\S+)\s*$", re.MULTILINE)
REFERENCE = re.compile(r"(?<![\w@])@((?:fig|tbl|sec|eq)-[\w-]*\w)")
ANCHOR = re.compile(r"\{#((?:fig|tbl|sec|eq)-[\w-]*\w)")
TITLE = re.compile(r"^# .*$", re.MULTILINE)
VOLATILE = ("papermill", "execution", "widgets")


def read_notebook(path: Path) -> Any:
    """Read a notebook as nbformat 4, without what running it has left.

    Raises:
        BuildError: the file is missing or not a notebook.
    """
    return parse_notebook(bare(_read(path)))


def read_cells(path: Path) -> list[dict[str, Any]]:
    """Read the cells of a notebook as its file has them.

    Raises:
        BuildError: the file is missing or not a notebook.
    """
    cells: list[dict[str, Any]] = json.loads(_read(path))["cells"]
    return cells


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BuildError(f"{path}: {_UNREADABLE} ({type(error).__name__})") from error
    if not (
        isinstance(content, dict) and content.get("nbformat") == 4 and isinstance(content.get("cells"), list)
    ):
        raise BuildError(f"{path}: {_UNREADABLE} (no cells of format 4)")
    return text


def parse_notebook(text: str) -> Any:
    """Return the notebook that a text holds, which is known to be one."""
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


_UNREADABLE = "not a readable notebook; open and save it in JupyterLab"


@lru_cache(maxsize=128)
def bare(text: str) -> str:
    """Return the text of a notebook without what running it has left."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return to_text(parse_notebook(json.dumps(notebook)))


def to_text(notebook: Any) -> str:
    """Return the notebook as text the way JupyterLab saves it: one space of indent, a final newline."""
    text = str(nbformat.writes(notebook, indent=1))  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def declared_values(notebook: Any) -> dict[str, Any]:
    """Return the names and literal defaults in the cell tagged ``parameters``."""
    for cell in notebook.cells:
        if PARAMETERS_TAG in cell.metadata.get("tags", []):
            return _assignments(cell.source)
    return {}


def _assignments(source: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def settle(notebook: Any) -> Any:
    """Return the executed notebook without volatile metadata and with captions where the renderers look.

    A figure's caption and alt text come out of a cell as output metadata; renderers read the cell's metadata.
    """
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        _settle_cell(cell)
    return notebook


def _settle_cell(cell: Any) -> None:
    for key in VOLATILE:
        cell.metadata.pop(key, None)
    if INJECTED_TAG in cell.metadata.get("tags", []):
        cell["id"] = INJECTED_TAG
    if cell.get("outputs"):
        cell["outputs"] = _whole_streams(cell["outputs"])
    for said in (output.get("metadata", {}).get("evidence", {}) for output in cell.get("outputs", [])):
        if said.get("kind") == "figure":
            cell.metadata.update({"fig-cap": said["caption"], "fig-alt": said["alt"]})


def _whole_streams(outputs: list[Any]) -> list[Any]:
    """Return outputs with all that was printed in one piece: a kernel cuts it as time will have it."""
    whole: list[Any] = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output["output_type"] == last.get("output_type") == "stream" and output["name"] == last["name"]:
            last["text"] += output["text"]
        else:
            whole.append(output)
    return whole


def code_of(notebook: Any) -> list[str]:
    """Return the text of every code cell in order, the parameters' cell marked as such."""
    tagged = [(PARAMETERS_TAG in cell.metadata.get("tags", []), cell) for cell in notebook.cells]
    return [f"{'#p ' if own else ''}{cell.source}" for own, cell in tagged if cell.cell_type == "code"]


def with_outputs(source: Any, executed: Any) -> Any:
    """Return ``source`` as executing it would leave it, from an execution of the same code cells.

    All but the outputs is taken from ``source``, so that changed prose needs no new execution.
    """
    ran = [cell for cell in executed.cells if cell.cell_type == "code"]
    cells = _take_injected(ran)
    for cell in source.cells:
        cell.metadata.setdefault("tags", [])  # as papermill leaves every cell
        if cell.cell_type == "code":
            done = ran.pop(0)
            cell["outputs"], cell["execution_count"] = done["outputs"], done["execution_count"]
        cells += [cell, *(_take_injected(ran) if cell.cell_type == "code" else [])]
    source.cells = cells
    source["nbformat_minor"] = executed["nbformat_minor"]
    source.metadata["language_info"] = executed.metadata.get("language_info", {})
    return settle(source)


def _take_injected(ran: list[Any]) -> list[Any]:
    """Take the cell that parameters were injected with off the front, where it is the next."""
    is_next = bool(ran) and INJECTED_TAG in ran[0].metadata.get("tags", [])
    return [ran.pop(0)] if is_next else []


def specialise(notebook: Any, suffix: str, title: str) -> Any:
    """Return the template notebook for one subject: its title, and every label and anchor made its own.

    A label may occur once in a book, so ``tbl-results`` becomes ``tbl-results-<suffix>``, with the
    references to it; references to labels that the notebook does not define stay as they are.
    """
    own = {label for cell in notebook.cells for label in _labels(cell)}

    def renamed(match: re.Match[str]) -> str:
        label = match.group(match.lastindex or 0)
        return f"{match.group(0)}-{suffix}" if label in own else match.group(0)

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = LABEL.sub(lambda match: f"{match.group(1)}{match.group(2)}-{suffix}", cell.source)
        else:
            cell.source = REFERENCE.sub(renamed, ANCHOR.sub(renamed, cell.source))
    _retitle(notebook, title)
    return notebook


def _labels(cell: Any) -> list[str]:
    if cell.cell_type == "code":
        return [match.group(2) for match in LABEL.finditer(cell.source)]
    return ANCHOR.findall(cell.source)


def _retitle(notebook: Any, title: str) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := TITLE.search(cell.source)):
            anchor = re.search(r"\s*\{#.*\}\s*$", found.group(0))
            line = f"# {title}{anchor.group(0) if anchor else ''}"
            cell.source = cell.source.replace(found.group(0), line, 1)
            return
