"""What a report was made from, so that anybody can make it again and compare."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from evidence.build.files import digest_of, sha256
from evidence.build.scenarios import Scenario
from evidence.data import Dataset
from evidence.render import Rendered

INPUTS = (
    "index.ipynb",
    "notebooks",
    "data",
    "scenarios",
    "assets",
    "src",
    "_quarto.yml",
    "requirements-core.txt",
)
NAME = "provenance.json"


def provenance(
    root: Path, scenario: Scenario, data: Dataset, rendered: Rendered, output: Path
) -> dict[str, Any]:
    """Return what ``provenance.json`` holds: inputs, parameters, versions and the hash of every output file.

    Nothing in it depends on when or where the report was built.
    """
    return {
        "scenario": {"name": scenario.name, "title": scenario.title, "reason": scenario.reason},
        "parameters": scenario.parameters.values(),
        "changed_parameters": scenario.parameters.changed(),
        "data": {"digest": data.digest, "files": _hashes(data.path, "*.csv")},
        "engine": digest_of(Path(__file__).parents[1], "**/*.py"),
        "notebooks": {name: sha256(root / name) for name in _notebooks(root)},
        "commit": _commit(root),
        "renderer": {"name": rendered.renderer, "version": rendered.version},
        "python": platform.python_version(),
        "packages": _packages(),
        "files": _hashes(output, "**/*"),
    }


def _notebooks(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix() for path in [*root.glob("*.ipynb"), *root.glob("notebooks/*.ipynb")]
    )


def _hashes(folder: Path, pattern: str) -> dict[str, str]:
    files = sorted(path for path in folder.glob(pattern) if path.is_file() and path.name != NAME)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def _commit(root: Path) -> str:
    """Return the last commit that changed an input, or an empty text outside a repository."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%H", "--", *INPUTS]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""


def _packages() -> dict[str, str]:
    found = {item.metadata["Name"].lower(): item.version for item in distributions() if item.metadata["Name"]}
    return dict(sorted(found.items()))
