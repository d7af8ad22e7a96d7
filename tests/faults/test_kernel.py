"""Kernels that die, hang or flood."""

import json
from pathlib import Path

import pytest

from .conftest import CHANGED, REPORT

COMMAND = [*REPORT, *CHANGED]
DEATHS = {
    "import os\nos._exit(3)": r"the kernel died (exit status 3)",
    "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)": "the kernel died (SIGKILL, perhaps for want of memory)",
    "import ctypes\nctypes.string_at(0)": "the kernel died (SIGSEGV)",
    "import os\nos.abort()": "the kernel died (SIGABRT)",
}
HANGS = {
    "sleeps": "import time\nwhile True:\n    time.sleep(1)",
    "is deaf": "import signal\nfor n in (2, 15):\n    signal.signal(n, signal.SIG_IGN)\nwhile True:\n    pass",
    "waits for input": "import sys\nsys.stdin.readline()\nimport threading\nthreading.Event().wait()",
    "leaves a child": "import subprocess\nsubprocess.Popen(['sleep', '600']).wait()",
    "floods from a child": "import os\nos.system('yes')",
    "holds the interpreter": "import ctypes\nctypes.PyDLL(None).sleep(600)",
}
FLOODS = {
    "for ever": "while True:\n    print('x' * 200)",
    "at once": "print('x' * 60_000_000)",
    "as a value": "'x' * 60_000_000",
    "in many pieces": "from IPython.display import display\nfor _ in range(70):\n    display('x' * 1_000_000)",
}

pytestmark = [pytest.mark.slow]


def spoil(path: Path, source: str) -> str:
    """Put a cell's source in the place of the last one, and return the notebook as it was."""
    text = path.read_text()
    content = json.loads(text)
    content["cells"][-1]["source"] = source
    path.write_text(json.dumps(content))
    return text


@pytest.fixture
def fails(world, survives):
    """Return the check that a build fails over one notebook, says so, and goes on with it mended."""

    def check(source: str, message: str, *more: str) -> None:
        path = world.root / "notebooks" / "study.ipynb"
        text = spoil(path, source)
        status, _, said = world.run([*COMMAND, *more])
        assert status == 1, said
        assert f"notebooks/study_trial_a.ipynb: cell 3 ({source.splitlines()[0]}): {message}" in said
        assert "Traceback" not in said
        assert len(said) < 5_000
        survives(mend=lambda: path.write_text(text))

    return check


@pytest.mark.fault("a kernel dies")
@pytest.mark.parametrize("source", DEATHS)
@pytest.mark.parametrize("how", [[], ["--cold"]], ids=["forked", "cold"])
def test_a_kernel_that_dies_is_an_error_with_the_cell_and_how_it_ended(fails, source, how):
    fails(source, DEATHS[source], *how)


@pytest.mark.fault("a kernel hangs")
@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("how", [[], ["--cold"]], ids=["forked", "cold"])
def test_a_cell_that_hangs_is_ended_after_the_time_that_it_is_given(fails, hang, how):
    fails(
        HANGS[hang],
        "did not end within 4 seconds; mend it, or give more with --timeout",
        "--timeout",
        "4",
        *how,
    )


@pytest.mark.fault("a kernel floods its output")
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_output_is_cut_off_and_named(fails, flood):
    fails(FLOODS[flood], "put out more than 50,000,000 characters; print less")


@pytest.mark.fault("an error of endless words")
def test_a_long_message_of_a_cell_is_shortened(fails):
    fails("raise ValueError('x' * 10_000_000)", "ValueError: " + "x" * 2000 + " ... (10000000 characters)")
