"""Run the ``evidence`` command with one fault: ``python inject.py SPECIFICATION ARGUMENT...``.

The specification is JSON: ``at`` names a stage as ``module:function`` of ``evidence.build`` or the number of a
write below ``root``; ``do`` is what happens there; ``limit`` is a limit on the size of files; ``record`` a file
that gets the stages that are met, in order; ``preloaded`` are the modules that the server of kernels loads.
"""

import errno
import functools
import importlib
import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from typing import Any

Act = Callable[[str], None]


def act_of(do: str) -> Act:
    kind, _, what = do.partition(" ")
    if kind == "raise":
        return functools.partial(refuse, getattr(errno, what))
    if kind == "remove":
        return lambda place: shutil.rmtree(what)
    if kind == "count":
        return functools.partial(count, what, os.getpid())
    number = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}[kind]
    return lambda place: os.kill(os.getpid(), number)


def refuse(number: int, place: str) -> None:
    raise OSError(number, os.strerror(number), place)


def count(path: str, process: int, place: str) -> None:
    """Add a sign to a file for everything that happens in the main process."""
    if os.getpid() == process:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, b".")
        os.close(handle)


def wrap(stage: str, act: Act) -> None:
    """Let something happen before the first call of a stage."""
    module, _, name = stage.partition(":")
    home = importlib.import_module(f"evidence.build.{module}")
    original, met = getattr(home, name), []

    @functools.wraps(original)
    def stopped(*arguments: Any, **named: Any) -> Any:
        if not met:
            met.append(name)
            act(stage)
        return original(*arguments, **named)

    setattr(home, name, stopped)


def listen(root: str, first: int, act: Act) -> None:
    """Let something happen at every write below a folder, from the first that is given on."""
    seen = [0]

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.mkdir", "os.rename") or not isinstance(arguments[0], str):
            return
        writes = event != "open" or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        if writes and arguments[0].startswith(root):
            seen[0] += 1
            if seen[0] >= first:
                act(arguments[0])

    sys.addaudithook(hear)


def main(specification: dict[str, Any], arguments: list[str]) -> None:
    # A shell that starts the tests in the background lets them ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if limit := specification.get("limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for stage in specification.get("stages", []):
        wrap(stage, functools.partial(note, specification["record"]))
    if modules := specification.get("preloaded"):
        importlib.import_module("evidence.build.kernels").PRELOADED = tuple(modules)
    at = specification.get("at")
    if isinstance(at, str):
        wrap(at, act_of(specification["do"]))
    elif at is not None:
        listen(specification["root"], at, act_of(specification["do"]))
    from evidence.cli import main

    main(arguments)


def note(path: str, stage: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{stage}\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
