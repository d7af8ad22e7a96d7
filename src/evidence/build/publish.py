"""The committed copy of the default report."""

from __future__ import annotations

import shutil
from pathlib import Path

from evidence.build.files import swap
from evidence.build.inputs import RECORD
from evidence.build.locks import Say, held, unasked
from evidence.errors import BuildError


def _is_empty(target: Path) -> bool:
    return target.is_dir() and not any(target.iterdir())


def publish(report: Path, target: Path, say: Say = unasked) -> Path:
    """Copy a finished report over ``target`` in one step and return ``target``.

    Raises:
        BuildError: the place is taken by something that is no report, which nobody meant to replace.
        OSError: the copy could not be written; what was there before is as it was.
    """
    if target.exists() and not (target / RECORD).is_file() and not _is_empty(target):
        raise BuildError(
            f"{target}: holds something other than a report; give a new folder, or remove it first"
        )
    fresh = target.with_name(f".{target.name}.new")
    with held(target.with_name(f".{target.name}.lock"), f"another copy to {target}", say):
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            shutil.copytree(report, fresh)
            swap(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return target
