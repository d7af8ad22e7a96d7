"""The results that the kernels of one build share on disk: where they are kept, and how much of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evidence import memo

# What is used least recently goes first where the files hold more bytes than this.
MOST = 128_000_000
NAMED = 16


@contextmanager
def remembering(folder: Path, base: str) -> Iterator[None]:
    """Let this process and its kernels keep results below ``folder`` for as long as the block lasts.

    ``EVIDENCE_MEMO=off`` keeps nothing, and any other value set by the caller is left as it is.

    Args:
        folder: where results of any engine are kept; those of another than ``base`` are removed at the end.
        base: one hash over the engine and the environment, on which every result depends.
    """
    if memo.FOLDER in os.environ:
        yield
        return
    own = folder / base[:NAMED]
    os.environ[memo.FOLDER] = str(own)
    try:
        yield
    finally:
        os.environ.pop(memo.FOLDER, None)
        _trim(folder, own)


def _trim(folder: Path, own: Path) -> None:
    """Remove what other engines left, and the oldest results above the limit; failing that, leave them."""
    for other in folder.iterdir() if folder.is_dir() else ():
        if other != own:
            shutil.rmtree(other, ignore_errors=True)
    kept: list[tuple[float, int, Path]] = []
    for path in own.glob(f"*{memo.ENDING}"):
        with suppress(OSError):
            found = path.stat()
            kept.append((found.st_mtime, found.st_size, path))
    held = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if held <= MOST:
            break
        held -= size
        with suppress(OSError):
            path.unlink()
