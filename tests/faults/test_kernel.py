"""Kernels that die, hang or flood."""

import json
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from .conftest import CHANGED, REPORT, World

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
    "holds the interpreter": "import ctypes\nctypes.PyDLL(None).sleep(600)",
}
FLOODS = {
    "for ever": "while True:\n    print('x' * 200)",
    "at once": "print('x' * 60_000_000)",
    "as a value": "'x' * 60_000_000",
    "in many pieces": "from IPython.display import display\nfor _ in range(70):\n    display('x' * 1_000_000)",
}

CHILDREN = {
    "to the notebook": "import subprocess\nsubprocess.run(['yes'])",
    "of errors": "import os\nos.system('yes >&2')",
    "past the notebook": "import subprocess, sys\nsubprocess.run(['yes'], stdout=sys.stdout)",
    "in a session of its own": (
        "import subprocess, sys, time\n"
        "subprocess.Popen(['yes'], stdout=sys.stdout, start_new_session=True)\ntime.sleep(600)"
    ),
}
# A flood is cut off at 50 million characters; they may be on the disk once, and in a process or two.
MOST_DISK, MOST_MEMORY = 100_000_000, 1_000_000_000
TOO_MUCH = "put out more than 50,000,000 characters; print less"
# The server of these kernels loads all that it loads for a reader.
ALL_LOADED = {"preloaded": []}

pytestmark = [pytest.mark.slow]


@contextmanager
def watched(world: World) -> Iterator[dict[str, int]]:
    """Note the most bytes that all files, and any one process, have meanwhile held."""
    most, ended = {"disk": 0, "memory": 0}, threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            with suppress(FileNotFoundError):  # a folder is gone while its files are looked at
                files = [*world.place.rglob("*"), *world.root.rglob("*")]
                most["disk"] = max(most["disk"], sum(map(size, files)))
            most["memory"] = max([most["memory"], *map(resident, world.processes())])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


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
        status, _, said = world.run([*COMMAND, *more], ALL_LOADED)
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
    fails(FLOODS[flood], TOO_MUCH)


@pytest.mark.fault("a child of a kernel floods the output")
@pytest.mark.parametrize("flood", CHILDREN)
@pytest.mark.parametrize("how", [[], ["--cold"]], ids=["forked", "cold"])
def test_a_flood_from_a_child_is_cut_off_before_it_fills_the_disk(world, fails, flood, how):
    with watched(world) as most:
        fails(CHILDREN[flood], TOO_MUCH, *how)
    assert 0 < most["disk"] < MOST_DISK
    assert 0 < most["memory"] < MOST_MEMORY


@pytest.mark.fault("a notebook leaves a process behind")
@pytest.mark.parametrize("how", [[], ["--cold"]], ids=["forked", "cold"])
def test_what_a_notebook_leaves_running_in_a_session_of_its_own_ends_with_the_run(world, how):
    spoil(
        world.root / "notebooks" / "study.ipynb",
        "import subprocess\nleft = subprocess.Popen(['sleep', '600'], start_new_session=True)",
    )
    assert world.run([*COMMAND, *how], ALL_LOADED)[0] == 0
    assert world.is_quiet()


@pytest.mark.fault("an error of endless words")
def test_a_long_message_of_a_cell_is_shortened(fails):
    fails("raise ValueError('x' * 10_000_000)", "ValueError: " + "x" * 2000 + " ... (10000000 characters)")
