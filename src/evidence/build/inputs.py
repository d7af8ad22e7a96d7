"""What a report is made from, as hashes; with the standard library alone, since it decides what is loaded."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import evidence
from evidence.build.files import sha256

PACKAGE = Path(evidence.__file__).parent
LOCK = "requirements-core.txt"
# Of a project, what a report is made from, or what its archive of sources holds to make it again.
SINGLE = (
    *("index.ipynb", "_quarto.yml", "_variables.yml", LOCK, "requirements.txt", "pyproject.toml", "Makefile"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "LICENSE-DATA.md"),
)
# In the folder of a report: what it was made from.
RECORD = "provenance.json"
FOLDERS = ("notebooks", "assets", "scenarios")
# Of the engine, what only assembles and prints the finished notebooks: it changes no result of a cell.
AFTER_EXECUTION = ("render/", "cli.py", "__main__.py")
# Of building, only what runs a notebook; the rest decides when, and moves files.
EXECUTION = tuple(
    f"build/{name}.py" for name in ("execute", "kernel_server", "kernel_client", "kernels", "streams")
)
PASSED_OVER = frozenset({"__pycache__", ".ipynb_checkpoints"})
# What the surroundings may change in a page.
VARIABLES = ("SOURCE_DATE_EPOCH",)


def project_files(root: Path, data: Path) -> dict[str, str]:
    """Return the hash of every file of a project that a report may be made from, by its path."""
    files = [root / name for name in SINGLE if (root / name).is_file()]
    for folder in (*(root / name for name in FOLDERS), data):
        files += below(folder)
    return {Path(os.path.relpath(path, root)).as_posix(): sha256(path) for path in files}


def engine(package: Path = PACKAGE) -> dict[str, str]:
    """Return the hash of every file of the engine, templates included, by its path in the package."""
    return {path.relative_to(package).as_posix(): sha256(path) for path in below(package)}


def of_notebooks(modules: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the engine that a notebook's outputs can depend on.

    It is the same part for every notebook: which modules a notebook reaches would have to be guessed.
    """
    return {
        name: digest
        for name, digest in modules.items()
        if name.endswith(".py") and (name in EXECUTION or not name.startswith((*AFTER_EXECUTION, "build/")))
    }


def environment(root: Path) -> dict[str, str]:
    """Return Python's version, the lock and every installed distribution; nothing of it needs an import."""
    found = {"python": sys.version, "platform": sys.platform}
    for folder in dict.fromkeys(filter(os.path.isdir, sys.path)):
        for name in os.listdir(folder):
            if name.endswith((".dist-info", ".egg-info")):
                package, _, version = name.rpartition(".")[0].partition("-")
                found[package.lower()] = version
    lock = root / LOCK
    return found | ({LOCK: sha256(lock)} if lock.is_file() else {})


def printer(choice: str) -> dict[str, Any]:
    """Return which renderer a choice stands for, without starting it, and what it sees around it."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    path = None if choice == "builtin" else shutil.which("quarto", path=places)
    found: dict[str, Any] = {name: os.environ.get(name, "") for name in VARIABLES}
    if path:
        version = Path(path).resolve().parents[1] / "share" / "version"
        found |= {"quarto": sha256(Path(path)), "version": sha256(version) if version.is_file() else ""}
    return found


def commit(root: Path) -> str:
    """Return what the checked-out branch points to; the report names its last commit."""
    git = root / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (git / name).is_file():
            return (git / name).read_text(encoding="utf-8").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def total(values: Any) -> str:
    """Return one hash over nested names and values."""
    import json

    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def below(folder: Path) -> Iterable[Path]:
    """Return the files below a folder in a fixed order, without hidden ones and those that Python leaves."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - PASSED_OVER)
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))
