"""The Quarto program, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evidence.errors import RenderError
from evidence.project import ROOT_MARK

LEAST_VERSION = (1, 9, 18)  # the first that makes a book with Typst
VERSION_SECONDS, RENDER_SECONDS = 30, 900
TARGETS = {"html": "html", "pdf": "typst"}


@dataclass(frozen=True, slots=True)
class Program:
    """A Quarto program that answers."""

    path: str
    version: str


def find() -> Program | None:
    """Return the first Quarto on PATH or beside this Python that answers and is new enough; else None."""
    beside = str(Path(sys.executable).parent)
    places = os.pathsep.join((beside, os.environ.get("PATH", "")))
    path = shutil.which("quarto", path=places)
    version = _version(path) if path else None
    if path is None or version is None or _numbers(version) < LEAST_VERSION:
        return None
    return Program(path, version)


def _version(path: str) -> str | None:
    """Return what the program answers; the package's launcher fails where its download was refused."""
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "--version"], capture_output=True, encoding="utf-8", timeout=VERSION_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:3])


def run(program: Program, project: Path, work: Path, *, formats: Sequence[str]) -> tuple[str, ...]:
    """Render the project and move what Quarto made into ``work``; return remarks.

    Both formats take a plain ``quarto render``: a run with ``--to`` empties the output folder first.

    Raises:
        RenderError: Quarto failed; the message ends with what it said last.
    """
    wanted = [TARGETS[name] for name in formats]
    command = [program.path, "render", *(["--to", wanted[0]] if len(wanted) == 1 else [])]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=project,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=RENDER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"quarto render did not end within {RENDER_SECONDS} seconds") from error
    if done.returncode:
        raise RenderError(f"quarto render failed:\n{_last_lines(done.stdout + done.stderr)}")
    made = project / _output_folder(project)
    if not made.is_dir():
        raise RenderError(f"quarto render made no {made}")
    for path in sorted(made.iterdir()):
        shutil.move(str(path), work / path.name)
    shutil.rmtree(made)
    return tuple(line for line in done.stderr.splitlines() if line.startswith(("WARNING", "[WARNING]")))


def _output_folder(project: Path) -> str:
    settings: Any = yaml.safe_load((project / ROOT_MARK).read_text(encoding="utf-8"))
    return str((settings.get("project") or {}).get("output-dir") or "_book")


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])
