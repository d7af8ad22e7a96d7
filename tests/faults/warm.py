"""Run ``evidence`` with faults, each time in a process forked off one that has loaded the engine already.

Each line of the input is JSON: ``folder``, ``environment``, ``fault``, ``arguments``, and the ``place`` for the
files ``out``, ``err``, ``pid`` and, once the process has ended, ``status``. A fork is what a fresh process would be:
it leads a session of its own, nothing of the engine has been called in it, and it ends as a program ends.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
inject = importlib.import_module("inject")
LOADED = (
    "evidence.cli",
    "evidence.audit",
    "evidence.render",
    "evidence.build.report",
    "evidence.build.sweep",
    "scipy.stats",
    "multiprocessing.connection",
)


def serve() -> dict[str, Any]:
    """Fork for every line of the input; return what is asked for, in the fork alone."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        if not os.fork():
            process = os.fork()
            if not process:
                become(asked)
                return asked
            keep(process, Path(asked["place"]))
        reap()
    sys.exit()


def keep(process: int, place: Path) -> None:
    """Tell the number of a process and how it ends."""
    told(place / "pid", process)
    told(place / "status", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    os._exit(0)


def told(path: Path, number: int) -> None:
    """Write a number so that it is there whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(str(number))
    partial.rename(path)


def reap() -> None:
    """Let go of those that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def become(asked: dict[str, Any]) -> None:
    """Give the fork the session, folder, environment and streams that a process of its own would have."""
    os.setsid()
    place = Path(asked["place"])
    for name, stream in ((os.devnull, 0), (place / "out", 1), (place / "err", 2)):
        handle = os.open(name, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, stream)
        os.close(handle)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    tempfile.tempdir = None


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    wanted = serve()
    inject.main(wanted["fault"], wanted["arguments"])
