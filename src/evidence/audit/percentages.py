"""Percentages: what a count out of n gives, which counts a percentage admits, how a document rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from evidence.audit.finding import Finding
from evidence.audit.material import Count, Material, grouped, moment
from evidence.data.recover import FIGURE, recover_events

Rounding = Literal["exact", "nearest", "half up", "half down", "cut off", "up", "other"]
WORDS = {"half up": "rounds halves up", "half down": "rounds halves down", "cut off": "is cut off"}


class _Rounded(NamedTuple):
    row: Count
    rounding: Rounding


def rounding_of(events: int, n: int, percent: str) -> Rounding:
    """Return how ``events`` out of ``n`` became a printed percentage, in whole-number arithmetic.

    >>> rounding_of(22, 32, "68.7"), rounding_of(36, 64, "56.3"), rounding_of(21, 32, "65")
    ('half down', 'half up', 'cut off')
    """
    decimals = len(percent.partition(".")[2])
    below, rest = divmod(100 * 10**decimals * events, n)
    step = int(percent.replace(".", "")) - below
    if step not in (0, 1) or (step == 1 and not rest):
        return "other"
    if not rest:
        return "exact"
    if 2 * rest == n:
        return "half up" if step else "half down"
    if (2 * rest > n) == bool(step):
        return "nearest"
    return "up" if step else "cut off"


def _share(row: Count) -> str:
    return f"{row.events}/{row.n} = {100 * (row.events or 0) / (row.n or 1):.2f}%"


def _readable(row: Count) -> bool:
    return bool(row.percent) and bool(row.n) and FIGURE.fullmatch(row.percent) is not None


def percent_matches_count(m: Material) -> Iterator[Finding]:
    """Compare every percentage with the count and the n printed for it."""
    for row in m.counts:
        if row.printed and _readable(row):
            yield _matched(row, rounding_of(row.events or 0, row.n or 1, row.percent))


def _matched(row: Count, rounding: Rounding) -> Finding:
    reported = f"{row.events}/{row.n} ({row.percent}%)"
    if rounding in ("exact", "nearest", "half up", "half down"):
        return Finding((row.row_id,), reported, _share(row), "consistent", "The count gives the percentage.")
    if rounding in ("cut off", "up"):
        how = "cutting the digits off" if rounding == "cut off" else "rounding up"
        why = f"{_share(row)} is printed as {row.percent}%, which only {how} explains."
        cause = f"{_share(row)} {reported}"
        return Finding((row.row_id,), reported, _share(row), "rounding", why, "cosmetic", cause=cause)
    why = f"{_share(row)}, not {row.percent}%: the count, the number of patients or the percentage is wrong."
    return Finding((row.row_id,), reported, _share(row), "inconsistent", why, "number")


def percent_is_possible(m: Material) -> Iterator[Finding]:
    """Ask of every percentage without a count whether any count out of its n gives it (GRIM).

    Source: Brown and Heathers, Social Psychological and Personality Science 2017;8:363-369. The share of
    percentages that no count gives is the power of the question. A slip of rounding that leaves one count
    changes the looks alone; where other patients would give all percentages of a group, it changes a number.
    """
    for row in m.counts:
        if row.percent and row.n and not row.printed and not row.derived_from:
            yield _possible(row, m)


def _possible(row: Count, m: Material) -> Finding:
    ids, reported, n = (row.row_id,), f"{row.percent}% of {row.n}", row.n or 1
    if not _readable(row):
        return Finding(ids, reported, "", "not_checkable", "It is no plain figure.")
    fits = recover_events(row.percent, n)
    if fits:
        found = " or ".join(f"{events}/{row.n}" for events in fits[:3])
        why = f"{found} gives it; {_power(row):.0%} of such percentages fit no count out of {row.n}."
        return Finding(ids, reported, found, "consistent", why)
    return _with_group(_impossible(row, ids, reported), row, m)


def _with_group(found: Finding, row: Count, m: Material) -> Finding:
    """Return what was found with the other percentages of the same patients, where fewer patients fit all."""
    if not row.admissible_n:
        return found
    group = [one for one in m.counts if one.admissible_n and _patients(one) == _patients(row)]
    others = [one for one in group if one.row_id != row.row_id]
    if not others:
        return found
    told = " and ".join(dict.fromkeys(f"{one.percent}%" for one in others))
    sizes = " or ".join(row.admissible_n.split("|"))
    why = f"{found.why} Rounded, it and {told} of the same patients together fit {sizes} patients."
    return replace(found, rows=(row.row_id, *(one.row_id for one in others)), why=why, consequence="number")


def _patients(row: Count) -> Hashable:
    arm = (row.study_id, row.arm_id, row.subgroup, row.level, row.analysis_set)
    return (*arm, moment(row), row.n)


def _power(row: Count) -> float:
    steps = 100 * 10 ** len(row.percent.partition(".")[2]) + 1
    return float(max(0.0, 1 - ((row.n or 0) + 1) / steps))


def _impossible(row: Count, ids: tuple[str, ...], reported: str) -> Finding:
    n = row.n or 1
    near = round(float(row.percent) * n / 100)
    tried = [events for events in (near - 1, near, near + 1) if 0 <= events <= n]
    odd = [events for events in tried if rounding_of(events, n, row.percent) in ("cut off", "up")]
    closest = " and ".join(f"{events}/{n} = {100 * events / n:.2f}%" for events in tried)
    if odd:
        how = "only if its digits are cut off" if float(row.percent) * n < 100 * odd[0] else "only rounded up"
        found = f"{odd[0]}/{n} = {100 * odd[0] / n:.2f}%"
        why = f"No count out of {n} rounds to {row.percent}%; {found} gives it {how}."
        return Finding(ids, reported, closest, "rounding", why, "cosmetic" if len(odd) == 1 else "number")
    why = f"No count out of {n} gives {row.percent}%: the percentage or its denominator is wrong."
    return Finding(ids, reported, closest, "inconsistent", why, "number")


def rounding_is_one_habit(m: Material) -> Iterator[Finding]:
    """Infer how each document rounds, and point out the percentages that it rounds otherwise.

    Only percentages that tell are looked at: halves (up or down), and those that cutting off would print
    differently. One ratio counts once. A half rounded down so that two classes make 100 tells nothing.
    """
    for rows in grouped(_rounded(m), lambda one: one.row.source_id).values():
        for kinds in (("half up", "half down"), ("nearest", "cut off")):
            told = [one for one in rows if one.rounding in kinds and _tells(one)]
            yield from _habits([one for one in told if not _complement(one, rows)])


def _rounded(m: Material) -> list[_Rounded]:
    known = [row for row in m.counts if row.events is not None and not row.derived_from and _readable(row)]
    return [_Rounded(row, rounding_of(row.events or 0, row.n or 1, row.percent)) for row in known]


def _tells(one: _Rounded) -> bool:
    """Return whether rounding and cutting off would print this differently."""
    if one.rounding != "nearest":
        return True
    decimals, n = len(one.row.percent.partition(".")[2]), one.row.n or 1
    return bool(2 * (100 * 10**decimals * (one.row.events or 0) % n) > n)


def _complement(one: _Rounded, rows: list[_Rounded]) -> bool:
    """Return whether a half was rounded down because the other of two classes was rounded up."""
    mate = {
        (other.row.locator, other.row.events, other.row.n) for other in rows if other.rounding == "half up"
    }
    rest = (one.row.n or 0) - (one.row.events or 0)
    near = any(events == rest and n == one.row.n for _, events, n in mate)
    return one.rounding == "half down" and bool(one.row.category) and near


def _habits(told: list[_Rounded]) -> Iterator[Finding]:
    distinct = {(one.row.events, one.row.n, one.row.percent): one for one in told}
    times = Counter(one.rounding for one in distinct.values()).most_common()
    if not times:
        return
    if len(times) > 1 and 3 * times[0][1] < 2 * len(distinct):
        yield _two_habits(told, list(distinct.values()))
    elif times[0][1] > 1:
        for one in told:
            yield _habitual(one, times[0][0], times[0][1])


def _two_habits(told: list[_Rounded], distinct: list[_Rounded]) -> Finding:
    said = "; ".join(
        f"{_share(one.row)} as {one.row.percent}%, which {WORDS.get(one.rounding, 'is rounded')}"
        for one in distinct
    )
    reported = ", ".join(dict.fromkeys(f"{one.row.percent}%" for one in told))
    why = f"The document has no one way of rounding: it prints {said}."
    return Finding(tuple(one.row.row_id for one in told), reported, "", "rounding", why, "cosmetic")


def _habitual(one: _Rounded, habit: str, times: int) -> Finding:
    row, reported = one.row, f"{one.row.percent}%"
    if one.rounding == habit:
        return Finding((row.row_id,), reported, _share(row), "consistent", "Rounded as the document rounds.")
    words = WORDS.get(one.rounding, "is rounded")
    why = (
        f"{_share(row)} is printed as {row.percent}%, which {words}; in the {times} other places that tell, "
        f"the document {WORDS.get(habit, 'rounds to the nearest')}."
    )
    cause = f"{_share(row)} {reported}"
    return Finding((row.row_id,), reported, _share(row), "rounding", why, "cosmetic", cause=cause)


def same_ratio_one_percent(m: Material) -> Iterator[Finding]:
    """Compare the percentages that a document prints, with equal decimals, for one count out of one n."""
    rows = [row for row in m.counts if row.printed and _readable(row)]
    ratios = grouped(rows, lambda row: (row.source_id, row.events, row.n, len(row.percent.partition(".")[2])))
    for same in ratios.values():
        if len(same) > 1:
            yield _one_percent(same)


def _one_percent(same: list[Count]) -> Finding:
    percents = list(dict.fromkeys(row.percent for row in same))
    ids, reported = tuple(row.row_id for row in same), " and ".join(f"{one}%" for one in percents)
    if len(percents) == 1:
        return Finding(ids, reported, _share(same[0]), "consistent", "One ratio, one percentage.")
    said = f"{_share(same[0])} is printed as {reported} in one document"
    near = all(rounding_of(row.events or 0, row.n or 1, row.percent) != "other" for row in same)
    if near:
        return Finding(
            ids, reported, _share(same[0]), "rounding", f"{said}; only the rounding differs.", "cosmetic"
        )
    why = f"{said}, further apart than rounding leaves them."
    return Finding(ids, reported, _share(same[0]), "inconsistent", why, "number")
