"""The literature that the project around a data folder can cite."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from evidence.errors import BuildError
from evidence.project import ROOT_MARK, find_root

ENTRY = re.compile(r"^\s*@\w+\s*\{\s*([^,\s{}]+)\s*,", re.MULTILINE)


def bibliography(folder: Path) -> tuple[set[str], list[str]]:
    """Return the keys of the bibliography of the project around a folder, and its files."""
    try:
        root = find_root(folder)
        settings = yaml.safe_load((root / ROOT_MARK).read_text(encoding="utf-8"))
        named = settings.get("bibliography") or []
        files = [named] if isinstance(named, str) else [str(one) for one in named]
        texts = [(root / name).read_text(encoding="utf-8") for name in files]
    except (BuildError, OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError):
        return set(), []  # whoever renders the book says what is wrong with it
    return {key for text in texts for key in ENTRY.findall(text)}, files
