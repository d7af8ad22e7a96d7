"""Where tasks run: in local processes, or on a Dask cluster through the same executor interface."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any

from evidence.errors import BuildError

# How often a cluster starts a task again that failed or whose worker was lost.
RETRIES = 2
# A scheduler that has not answered after so many seconds is given up.
PATIENCE = "20s"


@contextmanager
def local_pool(number: int) -> Iterator[Executor]:
    """Provide worker processes; when the run is interrupted they end at once, not after their task."""
    pool = ProcessPoolExecutor(max(1, number), mp_context=_context(), initializer=_follow_parent)
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        raise
    finally:
        pool.shutdown()


@contextmanager
def cluster_pool(address: str) -> Iterator[Executor]:
    """Provide the workers of an existing Dask cluster as an executor that starts lost tasks again.

    Raises:
        BuildError: Dask is not installed, or nothing answers at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise BuildError("--cluster needs Dask: install distributed") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise BuildError(
            f"--cluster {address}: no scheduler answers there ({type(error).__name__})"
        ) from None
    with client, client.get_executor(retries=RETRIES, pure=False) as pool:  # type: ignore[no-untyped-call]
        yield pool


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when the parent ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _context() -> Any:
    # A forked worker has papermill imported already; Windows and macOS can only start afresh.
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
