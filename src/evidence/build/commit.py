"""The commit that a report is made from: part of its record, and named on its own pages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

VARIABLES = "_variables.yml"
NAME = "commit"
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


def last_commit(root: Path) -> str:
    """Return the last commit that changed an input, or an empty text outside a repository."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%H", "--", *INPUTS]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""


def variables(root: Path) -> bytes | None:
    """Return the project's variables as its pages see them, with the commit; nothing where it has none.

    Outside a repository the commit stays as it is written there, so that an archive keeps that of its report.
    """
    path = root / VARIABLES
    if not path.is_file():
        return None
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if NAME in content:
        content[NAME] = last_commit(root) or content[NAME]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()
