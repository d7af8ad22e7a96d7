"""Figures as printed: what value a printed figure allows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

FIGURE = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?")  # some journals print .041, or 1e-5
EDGE = 1e-9  # of the printed unit: a value exactly between two printed figures may be either of them


@dataclass(frozen=True, slots=True)
class Reported:
    """A printed figure; its text decides which values would have been printed so."""

    text: str

    @property
    def value(self) -> float:
        """Return the number printed, NaN where there is none.

        >>> Reported("<0.001").value
        0.001
        """
        found = FIGURE.search(self.text.replace("−", "-"))
        return float(found.group()) if found else math.nan

    @property
    def half_unit(self) -> float:
        """Return half a unit of the last printed decimal.

        >>> Reported("57.80").half_unit
        0.005
        """
        found = FIGURE.search(self.text.replace("−", "-"))
        if not found:
            return math.nan
        digits, _, exponent = found.group().lower().partition("e")
        unit: float = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        return unit * float(f"1e{exponent}") if exponent else unit

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the values that are printed so: an interval around a number, all below or above a limit.

        >>> Reported("<0.05").bounds, Reported("0.5").bounds
        ((-inf, 0.05), (0.45, 0.55))
        """
        value, sign = self.value, self.text.strip()[:1]
        if sign in ("<", "≤"):
            return -math.inf, value
        if sign in (">", "≥"):
            return value, math.inf
        return value - self.half_unit, value + self.half_unit

    def allows(self, low: float, high: float | None = None) -> bool:
        """Return whether a value, or any value from ``low`` to ``high``, would have been printed so.

        >>> Reported("0.000").allows(0.0004), Reported("0.350").allows(0.3482)
        (True, False)
        """
        bottom, top = self.bounds
        slack = self.half_unit * EDGE * 2
        return low <= top + slack and (low if high is None else high) >= bottom - slack
