"""Files written whole or not at all, and what they hash to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

# How a file is called until it is whole; the name begins with a dot.
UNFINISHED = ".part"


def write_whole(path: Path, content: bytes | str) -> None:
    """Write ``content`` beside ``path`` and move it there in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A full disk does not say which file it had no room for.
            error.filename = str(path)
        raise


def write_draft(path: Path, content: bytes | str) -> None:
    """Write a file of a folder that this run alone reads until it is whole; the disk may take its time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        error.filename = str(path)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON with sorted keys and a final newline."""
    write_whole(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest_of(folder: Path, pattern: str = "**/*") -> str:
    """Return one SHA-256 over the names and bytes of the files below ``folder`` that match, in name order."""
    total = hashlib.sha256()
    for path in sorted(
        item for item in folder.glob(pattern) if item.is_file() and "__pycache__" not in item.parts
    ):
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return total.hexdigest()


def swap(new: Path, target: Path) -> None:
    """Put the folder ``new`` in the place of ``target``; there is always one of them, and it is whole.

    Where the system can exchange two names in one step, nobody ever finds the place empty; elsewhere it is
    for a moment, and ``restore`` puts the old folder back if that moment was the last.
    """
    restore(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        new.rename(target)
    elif _exchange(new, target):
        shutil.rmtree(new, ignore_errors=True)
    else:
        target.rename(_old(target))
        new.rename(target)
        restore(target)


def restore(target: Path) -> None:
    """Undo what a killed ``swap`` has left: an old folder without its place, or beside the new one."""
    old = _old(target)
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system has no such call, or it fails."""
    if sys.platform != "linux":
        return False
    import ctypes

    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    here = -100  # AT_FDCWD: the names stand for themselves
    exchange = 2  # RENAME_EXCHANGE
    return bool(rename and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left below a folder; nobody may be writing there."""
    for path in folder.rglob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)
