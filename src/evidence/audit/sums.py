"""Sums: classes to arms, arms to the study, subgroups to totals, parts to the whole."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from evidence.audit.finding import Finding
from evidence.audit.material import Arm, Claim, Count, Material, grouped, moment
from evidence.audit.percentages import rounding_of
from evidence.audit.reported import Reported
from evidence.data.recover import FIGURE, recover_events
from evidence.format import in_sentence

Key = tuple[Hashable, ...]
CLASSED = ("categorical", "ordinal")
LIMIT = re.compile(r"(?P<sign>[<>≤≥]=?|=)\s*(?P<value>-?\d+(?:\.\d+)?)")
WORDED = re.compile(r"^(grade|class|stage) (\d|[IV]+)\b", re.IGNORECASE)
GRADE = re.compile(r"^(grade|class|stage|score)$", re.IGNORECASE)


class _Sizes(NamedTuple):
    total: int
    n: int
    complete: bool


def classes_add_up(m: Material) -> Iterator[Finding]:
    """Add up the classes of every categorical result and compare the sum with the patients it is of."""
    rows = [row for row in m.counts if row.counted and row.category and not row.derived_from]
    rows = [row for row in rows if m.outcomes[row.outcome_id].type in CLASSED]
    known = _classes(rows)
    for same in grouped(rows, _class_key).values():
        sizes = _sizes(m, same, known)
        if sizes is not None:
            yield _classes_sum(same, sizes, in_sentence(m.outcome(same[0].outcome_id)))


def _class_key(row: Count) -> Key:
    return (row.study_id, row.arm_id, row.outcome_id, row.subgroup, row.level, row.analysis_set, moment(row))


def _classes(rows: list[Count]) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = {}
    for row in rows:
        found.setdefault((row.study_id, row.outcome_id), set()).add(row.category)
    return found


def _sizes(m: Material, same: list[Count], known: dict[Key, set[str]]) -> _Sizes | None:
    """Return sum, n and whether all classes are there; None where there is nothing to add."""
    printed = {row.n for row in same if row.n is not None}
    arm = m.arms[same[0].study_id, same[0].arm_id]
    n = printed.pop() if len(printed) == 1 else arm.n if not printed and not same[0].subgroup else None
    if n is None or len(same) < 2 or any(row.events is None for row in same):
        return None
    complete = {row.category for row in same} == known[same[0].study_id, same[0].outcome_id]
    return _Sizes(sum(row.events or 0 for row in same), n, complete)


def _classes_sum(same: list[Count], sizes: _Sizes, outcome: str) -> Finding:
    ids = tuple(row.row_id for row in same)
    reported, total = " + ".join(str(row.events) for row in same), str(sizes.total)
    if sizes.total == sizes.n:
        why = f"The {len(same)} classes of {outcome} add up to the {sizes.n} patients."
        return Finding(ids, reported, total, "consistent", why)
    if sizes.total < sizes.n and not sizes.complete:
        why = f"{sizes.n - sizes.total} of {sizes.n} patients are in classes of {outcome} not printed here."
        return Finding(ids, reported, total, "not_checkable", why)
    what = (
        f"{sizes.total - sizes.n} counted twice"
        if sizes.total > sizes.n
        else f"{sizes.n - sizes.total} missing"
    )
    why = f"The classes of {outcome} add up to {sizes.total}, not to the {sizes.n} patients: {what}."
    return Finding(ids, reported, total, "inconsistent", why, "number")


def classes_cover_every_value(m: Material) -> Iterator[Finding]:
    """Look for a value that classes such as <5 and >5 leave out, or that two of them hold."""
    rows = [row for row in m.counts if row.counted and LIMIT.match(row.category_label or row.category)]
    for same in grouped(rows, lambda row: (row.study_id, row.outcome_id)).values():
        yield from _covered(same, m.outcome(same[0].outcome_id))


def _covered(same: list[Count], outcome: str) -> Iterator[Finding]:
    limits = {label: LIMIT.match(label) for row in same if (label := row.category_label or row.category)}
    by_value: dict[str, list[str]] = {}
    for found in limits.values():
        if found:
            by_value.setdefault(found["value"], []).append(found["sign"])
    ids = tuple(row.row_id for row in same)
    for value, signs in by_value.items():
        holding = sum("=" in sign or sign in "≤≥" for sign in signs)
        if len(signs) > 1:
            yield _cover(ids, " and ".join(limits), value, holding, outcome)


def _cover(ids: tuple[str, ...], labels: str, value: str, holding: int, outcome: str) -> Finding:
    if holding == 1:
        why = f"Every value of {outcome} has one class."
        return Finding(ids, labels, value, "consistent", why, about=value)
    gap = "no class" if not holding else "two classes"
    why = f"Exactly {value} is in {gap} of {outcome}, so it is unclear where such patients were counted."
    return Finding(ids, labels, value, "inconsistent", why, "cosmetic", value)


def arms_add_up_to_combined(m: Material) -> Iterator[Finding]:
    """Compare the count or percentage of a combined arm with the sum over the arms it combines."""
    rows = grouped((row for row in m.counts if row.counted and not row.derived_from), _result)
    for row in m.counts:
        parts = m.arms[row.study_id, row.arm_id].combines.split("|")
        if parts == [""] or row.subgroup or (row.events is None and not row.percent):
            continue
        by_arm = {one.arm_id: one for one in rows.get(_result(row), ())}
        if all(part in by_arm and by_arm[part].events is not None for part in parts):
            yield _combined(row, [by_arm[part] for part in parts])


def _result(row: Count) -> Key:
    return (row.study_id, row.outcome_id, row.category, row.subgroup, row.level, row.time, row.time_unit)


def _combined(row: Count, parts: list[Count]) -> Finding:
    events, n = sum(one.events or 0 for one in parts), sum(one.n or 0 for one in parts)
    ids = (row.row_id, *(one.row_id for one in parts))
    shown = f"{events}/{n} = {100 * events / n:.2f}%" if n else str(events)
    if row.printed:
        sound, reported = row.events == events, str(row.events)
    elif FIGURE.fullmatch(row.percent) and n:
        sound, reported = events in recover_events(row.percent, n), f"{row.percent}%"
    else:
        return Finding(ids, row.percent, shown, "not_checkable", "It prints no count and no plain figure.")
    if sound:
        return Finding(ids, reported, shown, "consistent", f"The arms add up to {shown}.")
    if not row.printed and rounding_of(events, n, row.percent) in ("cut off", "up"):
        why = f"The arms add up to {shown}, which is printed as {reported}: not rounded to the nearest."
        return Finding(ids, reported, shown, "rounding", why, "cosmetic")
    why = f"The arms add up to {shown}, not to {reported}."
    return Finding(ids, reported, shown, "inconsistent", why, "number")


def arms_add_up_to_study(m: Material) -> Iterator[Finding]:
    """Compare the size of every study with the sum of its arms, and of every combined arm with its parts."""
    arms = grouped(m.arms.values(), lambda arm: arm.study_id)
    studies = m.data.studies
    sizes = zip(studies["study_id"].tolist(), studies["row_id"].tolist(), studies["n"].tolist(), strict=True)
    for study, row_id, n in sizes:
        own = [arm for arm in arms.get(study, []) if not arm.combines]
        if own and isinstance(n, int):
            yield from _added(row_id, n, own)
    for arm in m.arms.values():
        parts = [m.arms.get((arm.study_id, one)) for one in arm.combines.split("|")]
        if arm.combines and arm.n is not None:
            yield from _added(arm.row_id, arm.n, [one for one in parts if one])


def _added(row_id: str, n: int, arms: list[Arm]) -> Iterator[Finding]:
    if any(arm.n is None for arm in arms):
        return
    total, ids = sum(arm.n or 0 for arm in arms), (row_id, *(arm.row_id for arm in arms))
    shown = " + ".join(str(arm.n) for arm in arms)
    if total == n:
        yield Finding(ids, str(n), shown, "consistent", f"The arms add up to the {n} patients.")
    else:
        why = f"The arms add up to {total}, not to the {n} patients of the study."
        yield Finding(ids, str(n), shown, "inconsistent", why, "number")


def arm_counts_match_sizes(m: Material) -> Iterator[Finding]:
    """Compare counts of patients by arm, where the classes of an outcome are arms, with the arms' sizes."""
    for row in m.counts:
        arm = m.arms.get((row.study_id, row.category))
        if arm and arm.n is not None and row.events is not None and not row.subgroup:
            sound = row.events == arm.n
            why = "The group is as large here as in its header." if sound else f"Its header says {arm.n}."
            verdict, change = ("consistent", "") if sound else ("inconsistent", "number")
            yield Finding((row.row_id, arm.row_id), str(row.events), str(arm.n), verdict, why, change)  # type: ignore[arg-type]


def parts_are_within_whole(m: Material) -> Iterator[Finding]:
    """Compare the count of an outcome with that of the outcome it is part of, same arm and time."""
    rows = [row for row in m.counts if row.counted and row.events is not None]
    wholes = {_placed(row, row.outcome_id): row for row in rows}
    for row in rows:
        parent = m.outcomes[row.outcome_id].parent_id
        whole = wholes.get(_placed(row, parent)) if parent else None
        if whole is not None and not row.derived_from:
            yield _within(row, whole, m)


def _placed(row: Count, outcome: str) -> Key:
    place = (row.study_id, row.arm_id, row.category, row.subgroup, row.level, row.analysis_set)
    return (*place, outcome, moment(row))


def _within(row: Count, whole: Count, m: Material) -> Finding:
    ids, names = (row.row_id, whole.row_id), (m.outcome(row.outcome_id), m.outcome(whole.outcome_id))
    inside, in_whole = map(in_sentence, names)
    reported, found = f"{names[0]} {row.events}, {names[1]} {whole.events}", str(whole.events)
    if (row.events or 0) <= (whole.events or 0):
        return Finding(ids, reported, found, "consistent", f"{names[0]} is no more frequent than {in_whole}.")
    why = f"{row.events} patients with {inside} cannot be part of {whole.events} with {in_whole}."
    return Finding(ids, reported, found, "inconsistent", why, "number")


def partitions_add_up(m: Material) -> Iterator[Finding]:
    """Add up the outcomes that share a partition: to their whole, or to no more than the patients."""
    rows = [row for row in m.counts if row.counted and row.events is not None]
    wholes = {_placed(row, row.outcome_id): row for row in rows}
    parted = [row for row in rows if m.outcomes[row.outcome_id].partition]
    members = grouped((one for one in m.outcomes.values() if one.partition), lambda one: one.partition)
    for same in grouped(parted, lambda row: _placed(row, m.outcomes[row.outcome_id].partition)).values():
        name = m.outcomes[same[0].outcome_id].partition
        whole = wholes.get(_placed(same[0], name))
        yield from _parted(same, whole, len(same) == len(members[name]))


def _parted(same: list[Count], whole: Count | None, complete: bool) -> Iterator[Finding]:
    total, n = sum(row.events or 0 for row in same), same[0].n if whole is None else whole.events
    ids = tuple(row.row_id for row in same) + (() if whole is None else (whole.row_id,))
    if n is None or len(same) < 2:
        return
    shown = " + ".join(str(row.events) for row in same)
    if total == n or (total < n and (whole is None or not complete)):
        yield Finding(ids, shown, str(n), "consistent", f"The parts add up to {total} of {n}.")
    else:
        why = f"The parts add up to {total}, the whole is {n}."
        yield Finding(ids, shown, str(n), "inconsistent", why, "number")


def subgroups_add_up(m: Material) -> Iterator[Finding]:
    """Add up the levels of a subgroup, events and patients, and compare with the whole study."""
    rows = [row for row in m.counts if row.counted and not row.derived_from and row.events is not None]
    totals = {_levelled(row): row for row in rows if not row.subgroup}
    levels = _classes([row for row in m.counts if row.category])
    for same in grouped(
        (row for row in rows if row.subgroup), lambda row: (_levelled(row), row.subgroup)
    ).values():
        total = totals.get(_levelled(same[0]))
        known = levels.get((same[0].study_id, same[0].subgroup), set())
        if total is not None and len(same) > 1:
            yield _levels_sum(same, total, complete={row.level for row in same} == known)


def _levelled(row: Count) -> Key:
    return (row.study_id, row.arm_id, row.outcome_id, row.category, row.analysis_set, moment(row))


def _levels_sum(same: list[Count], total: Count, *, complete: bool) -> Finding:
    ids = (total.row_id, *(row.row_id for row in same))
    events, n = sum(row.events or 0 for row in same), sum(row.n or 0 for row in same)
    sized = None not in (total.n, *(row.n for row in same))
    reported, found = (f"{a}/{b}" if sized else f"{a}" for a, b in ((total.events, total.n), (events, n)))
    over = events > (total.events or 0) or (sized and n > (total.n or 0))
    if complete and events == total.events and (n == total.n or not sized):
        return Finding(ids, reported, found, "consistent", "The subgroups add up to the whole study.")
    if not complete and not over:
        return Finding(ids, reported, found, "consistent", "The subgroups printed leave room for the others.")
    why = f"The subgroups add up to {found}, the whole study has {reported}."
    return Finding(ids, reported, found, "inconsistent", why, "number")


def subgroups_are_within_baseline(m: Material) -> Iterator[Finding]:
    """Compare the n of every subgroup with the size of that class at baseline."""
    sizes = {
        (row.study_id, row.arm_id, row.outcome_id, row.category): row
        for row in m.counts
        if row.counted and row.category and row.events is not None and not row.subgroup
    }
    for row in m.counts:
        size = sizes.get((row.study_id, row.arm_id, row.subgroup, row.level))
        if size is not None and row.n is not None and not row.derived_from:
            yield _fits_class(row, size)


def _fits_class(row: Count, size: Count) -> Finding:
    ids, reported = (row.row_id, size.row_id), f"{row.n} patients"
    if (row.n or 0) <= (size.events or 0):
        why = f"{row.n} of the {size.events} patients of that class at baseline."
        return Finding(ids, reported, str(size.events), "consistent", why)
    why = f"{row.n} patients are analysed, but only {size.events} were in that class at baseline."
    return Finding(ids, reported, str(size.events), "inconsistent", why, "number")


def quoted_grades_fit_total(m: Material) -> Iterator[Finding]:
    """Add up percentages quoted by grade and compare with the percentage quoted for all grades."""
    rates = [claim for claim in m.claims if claim.kind == "rate" and claim.unit == "%" and claim.value]
    for same in grouped(rates, lambda claim: (claim.source_id, claim.locator, claim.cites)).values():
        graded = [claim for claim in same if _grade(claim)]
        totals = [claim for claim in same if not claim.subgroup and not _grade(claim)]
        if len(graded) > 1 and len(totals) == 1:
            yield _graded(graded, totals[0])


def _grade(claim: Claim) -> bool:
    """Return whether a rate is of one grade: its part of the study, or its wording, says so."""
    return bool(GRADE.match(claim.subgroup) or (not claim.subgroup and WORDED.match(claim.paraphrase)))


def _graded(graded: list[Claim], total: Claim) -> Finding:
    figures, whole = [Reported(claim.value) for claim in graded], Reported(total.value)
    added, slack = sum(one.value for one in figures), sum(one.half_unit for one in figures) + whole.half_unit
    ids = (total.row_id, *(claim.row_id for claim in graded))
    shown = " + ".join(claim.value for claim in graded) + f" = {added:.10g}"
    gap = whole.value - added
    if abs(gap) <= slack + 1e-9:
        return Finding(ids, f"{total.value}%", shown, "consistent", "The grades add up to the total.")
    if gap > 0:
        why = f"The quoted grades leave {gap:.2g} points of {total.value}% for grades that are not quoted."
        return Finding(ids, f"{total.value}%", shown, "not_checkable", why)
    why = f"The quoted grades add up to {added:.10g}%, more than the {total.value}% quoted for all of them."
    return Finding(ids, f"{total.value}%", shown, "inconsistent", why, "number")
