"""A plugin for pytest: nbval's kernels are started and share results as those of a report do.

``pytest -p tools.forked -p nbval.plugin --nbval ...``. They come from a server that has loaded the libraries, and
what one of them has computed in this run the others need not compute again. Without the plugin, or where nothing
can be forked, nbval starts ordinary kernels; that both give the same bytes is tested (``tests/build/test_kernels.py``).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from typing import Any

import nbval.kernel  # type: ignore[import-untyped]  # it has no types
import pytest

from evidence import memo
from evidence.build.kernel_client import Provisioned, Witness
from evidence.build.kernels import surroundings

RUN = "EVIDENCE_TEST_RUN"  # names the folder of what kernels share, to the workers of a run


class Manager(Provisioned):
    """Starts kernels through the provisioner of the report's own."""

    witness = Witness()

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        kwargs.pop("stderr").close()  # the provisioner has a place of its own for what a kernel says
        return await super()._async_pre_start_kernel(**kwargs)


class Served:
    """Keeps the server and what is shared for as long as cells of notebooks are tested, and for no other test."""

    def __init__(self) -> None:
        self.kept = ExitStack()
        self.at_work = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start the server before the first cell, and end it before a test of another kind."""
        wanted = item.path.suffix == ".ipynb"
        if wanted and not self.at_work:
            os.environ[memo.FOLDER] = os.environ[RUN]
            self.kept.enter_context(surroundings())
        elif self.at_work and not wanted:
            self.pytest_sessionfinish()
        self.at_work = wanted

    def pytest_sessionfinish(self) -> None:
        """End the server."""
        self.kept.close()
        os.environ.pop(memo.FOLDER, None)


def pytest_configure(config: pytest.Config) -> None:
    """Put the manager in the place of nbval's, and make the folder of what is shared."""
    nbval.kernel.KernelManager = Manager
    if RUN not in os.environ:
        os.environ[RUN] = tempfile.mkdtemp(prefix="evidence-tests-")
    config.pluginmanager.register(Served())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder, in the process that the workers belong to."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(RUN, ""), ignore_errors=True)
