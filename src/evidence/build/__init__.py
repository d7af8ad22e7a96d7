"""Building reports: staging, execution, provenance; each name is loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.build.report import Request, build_report
    from evidence.scenarios import Scenario, read_scenario

# A chapter takes seconds; a cell that needs five minutes hangs.
CELL_SECONDS = 300

__all__ = ["CELL_SECONDS", "Request", "Scenario", "build_report", "read_scenario"]

_HOME = {
    **dict.fromkeys(("Request", "build_report"), "evidence.build.report"),
    **dict.fromkeys(("Scenario", "read_scenario"), "evidence.scenarios"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evidence.build' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
