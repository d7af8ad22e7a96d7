"""Locks on folders that only one run may write: held by the process, gone with it however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evidence.build.files import remove_unfinished

Say = Callable[[str], None]

FOLDER = "_build/.locks"
CACHE = "_build/.cache"
# How often a run that waits looks whether the other one has ended.
GLANCE = 0.1


def unasked(message: str) -> None:
    """Say nothing."""


@contextmanager
def alone(root: Path, name: str, say: Say = unasked) -> Iterator[None]:
    """Let one run at a time build what is called ``name``; another one waits, and is told so.

    The first of the runs of a project removes what killed ones have left half-written in the shared store.
    """
    with held(root / FOLDER / name, f"another build of {name}", say), _sharing(root):
        yield


@contextmanager
def held(path: Path, what: str, say: Say = unasked) -> Iterator[None]:
    """Hold the lock file ``path``, waiting for ``what`` where another process holds it.

    The lock is the system's and not the file: one that a killed process has left behind stops nobody.
    """
    handle = _try(path)
    if handle is None:
        say(f"waiting for {what} to end")
    while handle is None:
        time.sleep(GLANCE)
        handle = _try(path)
    try:
        yield
    finally:
        # While the lock is held, so that nobody can hold a file that is then removed.
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _try(path: Path) -> int | None:
    """Return the open and locked file, or None where somebody else holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if _lock(handle) and _is_at(handle, path):
        return handle
    os.close(handle)
    return None


def _is_at(handle: int, path: Path) -> bool:
    """Return whether a locked file still has its name; its last holder may just have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def claim(folder: Path) -> int | None:
    """Return a hold on a folder that ends with this process, or when it is closed; None where it is taken."""
    if not SHARES:
        return None
    handle = os.open(folder, os.O_RDONLY)
    if _lock(handle):
        return handle
    os.close(handle)
    return None


@contextmanager
def _sharing(root: Path) -> Iterator[None]:
    """Take part in the use of the store of a project, and clean it where nobody else does."""
    store = root / CACHE
    store.mkdir(parents=True, exist_ok=True)
    if not SHARES:
        yield
        return
    handle = os.open(store, os.O_RDONLY)
    try:
        if _lock(handle):
            remove_unfinished(store)
        _share(handle)
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    SHARES = False

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _share(handle: int) -> None:
        """Do nothing: a lock is never shared here."""

else:
    import fcntl

    SHARES = True

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A disk that knows no locks, as some of a network: better without than not at all.
            return True
        return True

    def _share(handle: int) -> None:
        """Let others share the lock; one that is cleaning the store is soon done."""
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
