"""A plugin for pytest: nbval's kernels come from a server that has loaded the libraries, as those of a report do.

``pytest -p tools.forked -p nbval.plugin --nbval ...``. Without it, or where nothing can be forked, nbval starts
ordinary kernels; that both give the same bytes is tested (``tests/build/test_kernels.py``).
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import nbval.kernel  # type: ignore[import-untyped]  # it has no types
import pytest
from jupyter_client.manager import KernelManager

from evidence.build.kernel_client import Provisioner, Witness
from evidence.build.kernels import surroundings


class Manager(KernelManager):
    """Starts kernels through the provisioner of the report's own."""

    witness = Witness()

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = Provisioner(kernel_spec=self.kernel_spec, parent=self)
        kwargs.pop("stderr").close()  # the provisioner has a place of its own for what a kernel says
        command, kwargs = await super()._async_pre_start_kernel(**kwargs)
        self.provisioner.kernel_id = self.kernel_id
        return command, kwargs


class Served:
    """Keeps the server for as long as cells of notebooks are tested, and for no other test."""

    def __init__(self) -> None:
        self.kept = ExitStack()
        self.at_work = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start the server before the first cell, and end it before a test of another kind."""
        wanted = item.path.suffix == ".ipynb"
        if wanted and not self.at_work:
            self.kept.enter_context(surroundings())
        elif self.at_work and not wanted:
            self.kept.close()
        self.at_work = wanted

    def pytest_sessionfinish(self) -> None:
        """End the server."""
        self.kept.close()


def pytest_configure(config: pytest.Config) -> None:
    """Put the manager in the place of nbval's."""
    nbval.kernel.KernelManager = Manager
    config.pluginmanager.register(Served())
