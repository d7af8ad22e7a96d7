"""Checks of published figures against every other figure that constrains them.

``evidence.audit`` is both this package and its main function: ``evidence.audit(dataset)``.
"""

import sys
from types import ModuleType
from typing import Any

from evidence.audit.finding import Check, Finding
from evidence.audit.recompute import Candidate, Recomputed, recompute
from evidence.audit.run import CHECKS, audit

__all__ = ["CHECKS", "Candidate", "Check", "Finding", "Recomputed", "audit", "recompute"]


class _Package(ModuleType):
    """A package that can be called: importing it anywhere must not hide the function of the same name."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return audit(*arguments, **named)


sys.modules[__name__].__class__ = _Package
