"""Building reports: staging, execution, provenance; each name is loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.build.report import Request, build_report
    from evidence.build.scenarios import Scenario, read_scenario

__all__ = ["Request", "Scenario", "build_report", "read_scenario"]

_HOME = {"Request": "report", "build_report": "report", "Scenario": "scenarios", "read_scenario": "scenarios"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evidence.build' has no attribute {name!r}")
    return getattr(import_module(f"evidence.build.{_HOME[name]}"), name)
