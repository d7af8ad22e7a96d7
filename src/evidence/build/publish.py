"""The committed copy of the default report."""

from __future__ import annotations

import shutil
from pathlib import Path

from evidence.build.files import swap


def publish(report: Path, target: Path) -> Path:
    """Copy a finished report over ``target`` in one step and return ``target``."""
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(report, fresh)
    swap(fresh, target)
    return target
