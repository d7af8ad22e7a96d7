"""Building reports: staging, execution, provenance."""

from evidence.build.report import Request, build_report
from evidence.build.scenarios import Scenario, read_scenario

__all__ = ["Request", "Scenario", "build_report", "read_scenario"]
