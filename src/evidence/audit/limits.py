"""Limits: what a mean and a standard deviation can be between a lowest and a highest value."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from evidence.audit.finding import Finding
from evidence.audit.material import Material, Measure, grouped, moment, part
from evidence.audit.reported import FIGURE, Reported

SECTION = re.compile(r"(?:eligibility|inclusion)(?: criteria)?")  # not: (illustrative)
UPPER, LOWER = re.compile(r"\bmax|\bat most\b|\bto\b"), re.compile(r"\bmin|\bat least\b|\bfrom\b")
UP_TO, FROM = ("<", "≤"), (">", "≥")


class Limits(NamedTuple):
    """The lowest and highest value that patients were admitted with, and the rows that say so."""

    low: float
    high: float
    rows: tuple[str, ...]


def largest_sd(mean: float, low: float, high: float, n: int) -> float:
    """Return the largest standard deviation of n values between two limits with a given mean.

    √((M - a)(b - M) n / (n - 1)): everybody at one of the limits (Bhatia and Davis 2000).

    >>> round(largest_sd(50, 0, 100, 2), 1)
    70.7
    """
    inside = max(mean - low, 0.0) * max(high - mean, 0.0)
    return math.sqrt(inside * n / (n - 1)) if n > 1 else 0.0


def smallest_sd(low: float, high: float, n: int) -> float:
    """Return the smallest standard deviation of n values of which one is the lowest, one the highest.

    (b - a) / √(2 (n - 1)): all others halfway.

    >>> round(smallest_sd(0, 100, 51), 1)
    10.0
    """
    return (high - low) / math.sqrt(2 * (n - 1)) if n > 1 else 0.0


def spread_fits_range(m: Material) -> Iterator[Finding]:
    """Compare a standard deviation with the largest and smallest that the printed range allows."""
    ranges = {
        _place(row): row for row in m.measurements if row.interval_label == "range" and row.low and row.high
    }
    for row in m.measurements:
        limits = ranges.get(_place(row))
        if row.spread and row.spread_label == "sd" and limits is not None:
            yield _fits_range(row, limits, m)


def _place(row: Measure) -> Hashable:
    return (*part(row), row.arm_id, moment(row))


def _fits_range(row: Measure, limits: Measure, m: Material) -> Finding:
    ids, spread = tuple(dict.fromkeys((row.row_id, limits.row_id))), Reported(row.spread)
    low, high = Reported(limits.low), Reported(limits.high)
    n, mean = _patients(row, m), Reported(row.value)
    least = smallest_sd(low.bounds[1], high.bounds[0], n) if n else 0.0
    most = _most(row, mean, (low.bounds[0], high.bounds[1]), n)
    reported, shown = f"± {row.spread}, {limits.low} to {limits.high}", f"{least:.3g} to {most:.3g}"
    if least <= spread.bounds[1] and spread.bounds[0] <= most:
        why = "The range leaves room for the standard deviation."
        return Finding(ids, reported, shown, "consistent", why)
    why = f"Values from {limits.low} to {limits.high} cannot have a standard deviation of {row.spread}"
    if spread.bounds[1] < least:
        se = spread.bounds[1] * math.sqrt(n) >= least
        why += f": it is at least {least:.3g}{'; as a standard error it could be' if se else ''}"
    return Finding(ids, reported, shown, "inconsistent", f"{why}.", "number")


def _most(row: Measure, mean: Reported, ends: tuple[float, float], n: int) -> float:
    """Return the largest standard deviation: with the mean where one is printed, else half the range."""
    low, high = ends
    if row.statistic != "mean":
        return (high - low) / 2 * (math.sqrt(n / (n - 1)) if n > 1 else math.sqrt(2))
    centre = min(max((low + high) / 2, mean.bounds[0]), mean.bounds[1])
    return largest_sd(centre, low, high, n or 2)


def _patients(row: Measure, m: Material) -> int:
    return row.n or m.arms[row.study_id, row.arm_id].n or 0


def baseline_fits_eligibility(m: Material) -> Iterator[Finding]:
    """Compare baseline means, spreads and ranges with the values that patients had to have to be admitted."""
    admitted = eligibility(m)
    for row in m.measurements:
        limits = admitted.get((row.study_id, row.outcome_id))
        if limits is not None and row.time == 0 and row.counted:
            yield _eligible(row, limits, m)


def eligibility(m: Material) -> dict[tuple[str, str], Limits]:
    """Return, by study and outcome, the limits that its protocol sets; no value is taken to be negative."""
    frame = m.data.protocols
    columns = [frame[name].tolist() for name in ("study_id", "section", "item", "value", "row_id")]
    rows = [row for row in zip(*columns, strict=True) if SECTION.fullmatch(row[1]) and _admits(row[2])]
    found = {}
    for outcome in m.outcomes.values():
        words = re.compile(rf"\b{re.escape(outcome.label.lower())}\b")
        about = [row for row in rows if outcome.type == "continuous" and words.search(row[2].lower())]
        for study, same in grouped(about, _study).items():
            ends = [(_end(item, value), row_id) for _, _, item, value, row_id in same]
            found[study, outcome.outcome_id] = _limits(ends)
    return {key: limits for key, limits in found.items() if limits.rows}


def _admits(item: str) -> bool:
    return "exclusion" not in item.lower()


def _study(row: tuple[str, ...]) -> str:
    return row[0]


def _end(item: str, value: str) -> tuple[str, float] | None:
    """Return whether a criterion sets a highest or a lowest value, and which; None where it sets neither."""
    figure = FIGURE.search(value)
    if figure is None or not re.fullmatch(r"[<>≤≥=\s]*-?[\d.]+", value.strip()):
        return None
    if value.strip()[:1] in UP_TO or UPPER.search(item.lower()):
        return "high", float(figure.group())
    if value.strip()[:1] in FROM or LOWER.search(item.lower()):
        return "low", float(figure.group())
    return None


def _limits(ends: list[tuple[tuple[str, float] | None, str]]) -> Limits:
    known = [(end, row) for end, row in ends if end is not None]
    high = [value for (side, value), _ in known if side == "high"]
    low = [value for (side, value), _ in known if side == "low"]
    return Limits(max(low, default=0.0), min(high, default=math.inf), tuple(row for _, row in known))


def _eligible(row: Measure, limits: Limits, m: Material) -> Finding:
    ids = (row.row_id, *limits.rows)
    spread = f" ± {row.spread}" if row.spread else f" ({row.low} to {row.high})" if row.low else ""
    reported, admitted = f"{row.value}{spread}", _admitted(limits)
    outside = [text for text in (row.value, row.low, row.high) if text and not _inside(text, limits)]
    if outside:
        seen = " and ".join(outside)
        why = f"Only patients {admitted} were to be admitted, but {seen} is printed at baseline."
        return Finding(ids, reported, admitted, "inconsistent", why, "number")
    most = _largest(row, limits, _patients(row, m))
    if row.spread and row.spread_label == "sd" and Reported(row.spread).bounds[0] > most:
        why = f"Patients {admitted} with that mean cannot have a standard deviation above {most:.3g}."
        return Finding(ids, reported, f"at most {most:.3g}", "inconsistent", why, "number")
    return Finding(ids, reported, admitted, "consistent", f"It fits patients {admitted}.")


def _admitted(limits: Limits) -> str:
    high = f"up to {limits.high:g}" if math.isfinite(limits.high) else "and more"
    return f"from {limits.low:g} {high}"


def _inside(text: str, limits: Limits) -> bool:
    low, high = Reported(text).bounds
    return high >= limits.low and low <= limits.high


def _largest(row: Measure, limits: Limits, n: int) -> float:
    if not math.isfinite(limits.high) or row.statistic != "mean":
        return math.inf
    ends = Reported(row.value).bounds
    centre = min(max((limits.low + limits.high) / 2, ends[0]), ends[1])
    return largest_sd(centre, limits.low, limits.high, n or 2)
