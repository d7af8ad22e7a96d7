"""What a report was made from, so that anybody can make it again and compare."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from evidence.build import inputs
from evidence.build.commit import VARIABLES, last_commit
from evidence.build.files import digest_of, sha256
from evidence.build.notebooks import bare
from evidence.data import Dataset
from evidence.render import Rendered
from evidence.scenarios import Scenario

NAME = inputs.RECORD
SETTINGS = ("_quarto.yml", VARIABLES, inputs.LOCK)


def provenance(
    scenario: Scenario,
    rendered: Rendered,
    output: Path,
    made_from: Mapping[str, Any],
    *,
    formats: Sequence[str] = ("html", "pdf"),
) -> dict[str, Any]:
    """Return what ``provenance.json`` holds: inputs, parameters, versions and the hash of every output file.

    ``made_from`` is the report's ``origin``. Nothing in it depends on when or where the report was built.
    """
    return {
        **made_from,
        "scenario": {"name": scenario.name, "title": scenario.title, "reason": scenario.reason},
        "changed_parameters": scenario.parameters.changed(),
        "renderer": {"name": rendered.renderer, "version": rendered.version},
        "formats": sorted(formats),
        "files": hashes(output),
    }


def origin(root: Path, parameters: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    """Return what decides a report apart from its renderer: parameters, data, code and environment."""
    return {
        "parameters": dict(parameters),
        "data": {"digest": data.digest, "files": hashes(data.path)},
        "engine": digest_of(inputs.PACKAGE, "**/*.py"),
        "code": dict(inputs.engine()),
        "notebooks": {name: _source(root / name) for name in _notebooks(root)},
        "project": {name: sha256(root / name) for name in _settings(root)},
        "commit": last_commit(root),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": _packages(),
        "source_date_epoch": os.environ.get("SOURCE_DATE_EPOCH", ""),
    }


def _notebooks(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix() for path in [*root.glob("*.ipynb"), *root.glob("notebooks/*.ipynb")]
    )


def _source(path: Path) -> str:
    """Return the hash of a notebook without its outputs, which a run replaces."""
    return hashlib.sha256(bare(path.read_text(encoding="utf-8")).encode()).hexdigest()


def _settings(root: Path) -> list[str]:
    """Return the files of the project that are neither notebook nor data: settings, lock, look."""
    found = [*(root / name for name in SETTINGS), *inputs.below(root / "assets")]
    return sorted(path.relative_to(root).as_posix() for path in found if path.is_file())


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder by its name there, without this record itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / NAME)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def _packages() -> dict[str, str]:
    found = {item.metadata["Name"].lower(): item.version for item in distributions() if item.metadata["Name"]}
    return dict(sorted(found.items()))
