"""What every case of a fuzz test must end in: a result without a silent NaN, or a typed error; never a hang."""

from __future__ import annotations

import json
import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evidence.errors import EvidenceError

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "_build" / "assurance" / "fuzz.json"
SECONDS = 10.0  # of this process's own time, so that a busy machine makes no hang
LENGTH = os.environ.get("EVIDENCE_FUZZ", "")
CASES = int(LENGTH or 20)  # per target

tally: dict[str, Counter[str]] = {}


class Hang(Exception):  # noqa: N818
    """A case took longer than any case may."""


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[None]:
    """Raise ``Hang`` after so much processor time; where there is no such clock, do nothing."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise Hang(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcome(target: str, call: Callable[[], Any]) -> Any:
    """Count a case and return its result, None where it ended in a typed error."""
    counts = tally.setdefault(target, Counter())
    counts["cases"] += 1
    with limited():
        try:
            result = call()
        except EvidenceError as error:
            if not str(error).strip():
                raise AssertionError("an error says nothing") from error
            counts["typed errors"] += 1
            return None
    counts["results"] += 1
    return result


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a result with the name of its field."""
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from numbers(getattr(value, one.name), one.name)
    elif isinstance(value, pd.DataFrame):
        for column in value.select_dtypes("number"):
            yield from ((str(column), float(number)) for number in value[column])
    elif isinstance(value, np.ndarray):
        yield from ((name, float(number)) for number in value.ravel())
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from numbers(one, name)
    elif isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        yield name, float(value)


def nans(value: Any) -> set[str]:
    return {name for name, number in numbers(value) if math.isnan(number)}


def infinities(value: Any) -> set[str]:
    return {name for name, number in numbers(value) if math.isinf(number)}


def write_report() -> None:
    """Write the cases of every target that ran, beside those of other runs of the same length."""
    if not tally:
        return
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    mine = {name: dict(sorted(counts.items())) for name, counts in sorted(tally.items())}
    place = REPORT if LENGTH else REPORT.with_name("fuzz-fast.json")
    with _alone(place):
        targets = dict(sorted({**_known(place), **mine}.items()))
        cases = sum(counts["cases"] for counts in targets.values())
        content = {"cases_per_target": CASES, "cases": cases, "targets": targets}
        partial = place.with_name(f".{place.name}.{os.getpid()}")
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(place)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep other processes from the report meanwhile; where files cannot be locked, do nothing."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _known(place: Path) -> dict[str, dict[str, int]]:
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(content["targets"]) if content.get("cases_per_target") == CASES else {}
