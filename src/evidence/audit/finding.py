"""What a check says about printed figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from evidence.audit.material import Material

Verdict = Literal["consistent", "rounding", "inconsistent", "not_checkable"]
Consequence = Literal["conclusion", "number", "cosmetic", ""]
Family = Literal[
    "percentages", "sums", "tests from data", "P values", "effects", "spread", "implied n",
    "denominators", "claims", "across documents", "reporting",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: the rows it is about, what they print, what follows from the other figures.

    ``consequence`` says what the finding changes where it is not sound: a conclusion, a number or only the
    looks; it is empty where nothing changes. ``about`` tells apart findings of one check on the same rows.
    Findings of one check and study with the same ``cause`` have one root cause; empty: the check knows none.
    """

    rows: tuple[str, ...]
    reported: str
    recomputed: str
    verdict: Verdict
    why: str
    consequence: Consequence = ""
    about: str = ""
    cause: str = ""

    def identity(self, check: str) -> str:
        """Return an id that depends on the check and the rows only, not on the order of anything."""
        key = "|".join((check, self.about, *sorted(self.rows)))
        return f"{check}-{hashlib.blake2s(key.encode(), digest_size=4).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Check:
    """A pure function from the printed figures to findings, and the family it belongs to."""

    family: Family
    run: Callable[[Material], Iterator[Finding]]

    @property
    def name(self) -> str:
        """Return the name by which findings refer to the check."""
        return self.run.__name__
