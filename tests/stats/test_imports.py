from __future__ import annotations

import subprocess
import sys

import evidence.stats


def test_importing_the_statistics_loads_neither_statsmodels_nor_scipy_stats():
    code = (
        "import sys, evidence.stats; print([m for m in ('statsmodels', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_has_a_docstring():
    assert [name for name in evidence.stats.__all__ if not getattr(evidence.stats, name).__doc__] == []
