"""What is told of a notebook whose run ended early, without running one."""

import signal
from pathlib import Path

import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from evidence.build import execute, kernel_client
from evidence.build.execute import Executed, Task
from evidence.build.kernel_client import Witness
from evidence.errors import NotebookError

DIED = DeadKernelError("Kernel died")


def task(**injected: object) -> Task:
    return Task("notebooks/study.ipynb", "", Path("study.ipynb"), Path(), injected, 30)


@pytest.mark.parametrize(
    ("error", "witness", "told"),
    [
        (DIED, Witness(2, "# first\nx = 1", -9), "cell 2 (x = 1): the kernel died (SIGKILL, perhaps for want of memory)"),
        (DIED, Witness(2, "x = 1", -signal.SIGSEGV), "the kernel died (SIGSEGV)"),
        (DIED, Witness(2, "x = 1", -99), "the kernel died (signal 99)"),
        (DIED, Witness(2, "x = 1", 3), "the kernel died (exit status 3)"),
        (DIED, Witness(2, "x = 1"), "the kernel died (exit status unknown)"),
        (DIED, Witness(2, "x = 1", -9, flooded=True), "cell 2 (x = 1): put out more than 50,000,000 characters"),
        (CellTimeoutError("late"), Witness(1, ""), "cell 1 (): did not end within 30 seconds; mend it, or give more"),
        (ValueError("odd"), Witness(), "could not be executed: ValueError: odd"),
        (ValueError("x" * 100_000), Witness(), "x ... (100000 characters)"),
    ],
)  # fmt: skip
def test_how_a_run_ended_is_told_with_the_cell_and_the_mend(error, witness, told):
    assert told in execute._why(error, witness, task())


def test_cells_are_counted_as_they_stand_in_the_notebook():
    assert execute._cell(3, "y = 2", task()) == "cell 3 (y = 2)"
    assert execute._cell(3, "y = 2", task(alpha=0.05)) == "cell 2 (y = 2)"


@pytest.mark.parametrize(("gone", "runs"), [(True, 2), (False, 1)])
def test_a_notebook_that_was_lost_with_the_server_of_its_kernel_is_run_once_more(monkeypatch, gone, runs):
    made, finished = [], Executed("{}", None)

    def attempt(asked: Task) -> Executed:
        made.append(asked)
        if len(made) == 1:
            raise NotebookError("the kernel died")
        return finished

    monkeypatch.setattr(execute, "_execute", attempt)
    monkeypatch.setattr(kernel_client, "server_is_gone", lambda: gone)
    if gone:
        assert execute.run(task()) is finished
    else:
        with pytest.raises(NotebookError, match="the kernel died"):
            execute.run(task())
    assert len(made) == runs
