"""Which notebooks use which parameter."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any


def notebooks_by_parameter(root: Path) -> dict[str, list[str]]:
    """Return, by parameter, the notebooks that declare it in the cell tagged ``parameters``, by path."""
    used: dict[str, list[str]] = {}
    for path in [*sorted(root.glob("*.ipynb")), *sorted((root / "notebooks").glob("*.ipynb"))]:
        for name in _declared(path):
            used.setdefault(name, []).append(path.relative_to(root).as_posix())
    return used


def _declared(path: Path) -> list[str]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
        return [name for cell in tagged for name in _assigned("".join(cell["source"]))]
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, RecursionError):
        return []


def _assigned(source: str) -> list[str]:
    targets: list[Any] = [node.targets[0] for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
