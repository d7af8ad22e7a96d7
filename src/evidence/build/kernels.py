"""Where the kernels of a run come from: one server process, and one folder for all that is temporary."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from evidence.build.locks import claim

# What notebooks of a report import: loaded once by the server instead of in every kernel.
PRELOADED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "matplotlib.pyplot",
    "seaborn",
    "pandas",
    "scipy.stats",
    "evidence",
    "evidence.data.*",
    "evidence.display.*",
    "evidence.stats.*",
)
# The address of the run's server, for its workers; a kernel does not get to see it.
ADDRESS = "EVIDENCE_KERNEL_SERVER"
# Not empty: kernels are ordinary processes.
COLD = "EVIDENCE_COLD_KERNELS"
# What a kernel could take from its surroundings and put into a report.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
# How the folder of a run is called, once it is held.
RUN = "evidence-run-"
# The file names of sockets have at most about 100 characters.
LONGEST_FOLDER = 50
# A server that has not ended so many seconds after it was asked to is killed; kernels follow it.
FAREWELL = 10.0


def can_fork() -> bool:
    """Return whether kernels may be forked here: not without ``fork``, on macOS, or when asked not to.

    The system libraries of macOS do not survive in a forked process.
    """
    return hasattr(os, "fork") and sys.platform != "darwin" and not os.environ.get(COLD)


@contextmanager
def chosen_kernels(*, cold: bool) -> Iterator[None]:
    """Let the runs inside start ordinary kernels where ``cold``, and else the fastest that there are."""
    before = os.environ.get(COLD, "")
    os.environ[COLD] = "1" if cold else before
    try:
        yield
    finally:
        os.environ.pop(COLD)
        os.environ.update({COLD: before} if before else {})


_AHEAD: list[ExitStack] = []


@contextmanager
def started_ahead() -> Iterator[None]:
    """Let the server of the first run inside load its modules while the run itself is still being loaded."""
    with ExitStack() as own:
        own.enter_context(surroundings())
        _AHEAD.append(own)
        try:
            yield
        finally:
            _AHEAD.clear()


def taken_over() -> ExitStack | None:
    """Return the surroundings that were started ahead, to be closed by who has them now; None without any."""
    return _AHEAD.pop().pop_all() if _AHEAD else None


@contextmanager
def surroundings() -> Iterator[None]:
    """Fix what kernels inherit, and keep them and their files where nothing outlives the run."""
    with run_folder() as folder:
        fixed = ENVIRONMENT | {"JUPYTER_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
        before = {name: os.environ.get(name) for name in fixed}
        os.environ.update(fixed)
        try:
            with kernel_server(folder, PRELOADED if can_fork() else ()):
                yield
        finally:
            for name in fixed:
                os.environ.pop(name, None)
            os.environ.update({name: value for name, value in before.items() if value is not None})


@contextmanager
def run_folder() -> Iterator[Path]:
    """Provide a folder for everything temporary of a run; it becomes the place of temporary files.

    Folders of runs that were killed before they could remove them are removed first.
    """
    place = tempfile.gettempdir()
    short = place if len(place) < LONGEST_FOLDER or sys.platform == "win32" else "/tmp"  # noqa: S108
    _remove_abandoned(Path(short))
    folder = Path(tempfile.mkdtemp(prefix="evidence-", dir=short))
    held, named = claim(folder), folder.with_name(f"{RUN}{folder.name.removeprefix('evidence-')}")
    # Only now, when it is held, does it get a name by which others look for abandoned ones.
    folder.rename(named)
    tempfile.tempdir = str(named)
    try:
        yield named
    finally:
        tempfile.tempdir = place
        shutil.rmtree(named, ignore_errors=True)
        if held is not None:
            os.close(held)


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{RUN}*"):
        with suppress(OSError):
            if (hold := claim(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(hold)


@contextmanager
def kernel_server(folder: Path, modules: Sequence[str] = PRELOADED) -> Iterator[int | None]:
    """Keep a kernel server for the time of the run and announce it to workers; yield its process id.

    Without ``modules`` it starts ordinary kernels. Systems that it cannot run on have none, and kernels are
    then started by their clients.
    """
    if not hasattr(os, "fork"):
        yield None
        return
    address = str(folder / "server")
    server = _start_server(address, folder, modules)
    os.environ[ADDRESS] = address
    try:
        yield server.pid
    finally:
        del os.environ[ADDRESS]
        _dismiss(server)


def _dismiss(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _start_server(address: str, folder: Path, modules: Sequence[str]) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("kernel_server.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(128)
        inherited = str(listener.fileno())
        return subprocess.Popen(  # noqa: S603
            [sys.executable, str(script), inherited, str(os.getpid()), str(folder), *modules],
            pass_fds=(listener.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
        )
