"""The locked packages: read from ``requirements-core.txt``, which ``make lock`` writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-core.txt"
PIN = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of the lock: a package, its only version, the systems it is for, and its hashes."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def here(self) -> bool:
        """Whether this computer installs it."""
        return not self.marker or Marker(self.marker).evaluate()


def read_lock(path: Path = LOCK) -> tuple[Pin, ...]:
    """Return every pin of a lock; raises ValueError on a line that pins nothing."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(" #")[0] for line in text.splitlines()]
    return tuple(_pin(line) for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _pin(line: str) -> Pin:
    found = PIN.match(re.split(r"\s--", line)[0].strip())
    if found is None:
        raise ValueError(f"this line of the lock pins nothing: {line.strip()[:80]}")
    hashes = tuple(HASH.findall(line))
    return Pin(canonicalize_name(found["name"]), found["version"], found["marker"] or "", hashes)
