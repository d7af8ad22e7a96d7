"""Reproducible evidence reports: tidy data in, statistics, tables, figures and pages out.

The names listed in ``__all__`` are the public surface; each is imported when it is first used, so that the
command line answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from evidence.errors import EvidenceError
from evidence.parameters import Parameters

if TYPE_CHECKING:
    from evidence.audit import audit
    from evidence.data import Dataset, dataset, load
    from evidence.questions import Answer, answer
    from evidence.scenarios import read_scenarios
    from evidence.stats import compare, network, number_needed, pool, pool_proportions, proportion
    from evidence.synthesis.scenarios import compare_scenarios

__all__ = [
    "Answer",
    "Dataset",
    "EvidenceError",
    "Parameters",
    "answer",
    "audit",
    "compare",
    "compare_scenarios",
    "dataset",
    "load",
    "network",
    "number_needed",
    "pool",
    "pool_proportions",
    "proportion",
    "read_scenarios",
]

_HOME = {
    "Answer": "questions",
    "Dataset": "data",
    "answer": "questions",
    "audit": "audit",
    "compare": "stats",
    "compare_scenarios": "synthesis.scenarios",
    "dataset": "data",
    "load": "data",
    "network": "stats",
    "number_needed": "stats",
    "pool": "stats",
    "pool_proportions": "stats",
    "proportion": "stats",
    "read_scenarios": "scenarios",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evidence' has no attribute {name!r}")
    return getattr(import_module(f"evidence.{_HOME[name]}"), name)
