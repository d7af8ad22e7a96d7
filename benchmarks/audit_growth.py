"""How the cost of the audit grows with the data: seconds for 10, 100 and 1,000 simulated studies.

Run from the root: ``python benchmarks/audit_growth.py > benchmarks/audit_growth.txt``; prints a table in Markdown.
The studies are those of ``audit_power.py``, in all its shapes. One study is audited beforehand, so that no time to
import anything is counted.
"""

from __future__ import annotations

import sys

import numpy as np
from audit_power import SHAPES, audited

NUMBERS = (10, 100, 1000)


def measured(studies: int) -> tuple[int, float]:
    """Return the checks made of so many studies and the seconds of processor time they took."""
    rng = np.random.default_rng(studies)
    found, seconds = audited([SHAPES[number % len(SHAPES)](number, rng) for number in range(studies)])
    return len(found), seconds


def main() -> None:
    """Print the table."""
    measured(len(SHAPES))
    lines = ["| studies | checks | seconds | seconds per 1,000 checks |", "| ---: | ---: | ---: | ---: |"]
    for studies in NUMBERS:
        checks, seconds = measured(studies)
        lines.append(f"| {studies:,} | {checks:,} | {seconds:.2f} | {1000 * seconds / checks:.3f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
