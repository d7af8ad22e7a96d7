"""Fuzz tests: few cases in ``make test``; ``EVIDENCE_FUZZ=10000`` runs so many per target."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # tests here share what a case must end in
from outcome import CASES, LENGTH, write_report

# The short run is the same on every machine; the long one looks elsewhere every time.
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=CASES,
    derandomize=not LENGTH,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session", autouse=True)
def _counted() -> Iterator[None]:
    yield
    write_report()
