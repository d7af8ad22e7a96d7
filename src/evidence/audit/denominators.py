"""Denominators: who is left at each time, what the trend is of everybody, whose median it can be."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence

from evidence.audit.finding import Finding, Verdict
from evidence.audit.material import Count, Material, Measure, days, grouped, moment, plain
from evidence.audit.reported import Reported
from evidence.format import percent, span

TIME_TO = re.compile(r"^time_to_(?:first_)?(?P<event>.+)$")
RESPONDERS = "responders"


def patients_fit_arm(m: Material) -> Iterator[Finding]:
    """Compare the n of every count with the size of its arm; fewer leaves open who was left out."""
    for row in m.counts:
        size = m.arms[row.study_id, row.arm_id].n
        of_patients = row.events is not None or bool(row.percent)
        if row.n is not None and size is not None and of_patients and not row.derived_from:
            yield _fits_arm(row, row.n, size)


def _fits_arm(row: Count, n: int, size: int) -> Finding:
    ids, reported = (row.row_id,), f"n = {n}"
    if n == size:
        return Finding(ids, reported, str(size), "consistent", "All patients of the arm are counted.")
    if n < size and (row.subgroup or row.analysis_set == RESPONDERS):
        part = plain(row.level) if row.subgroup else "responders"
        return Finding(
            ids, reported, str(size), "consistent", f"A part of the arm's {size} patients: {part}."
        )
    if n < size:
        out = f"{size - n} {'is' if size - n == 1 else 'are'}"
        why = f"n is less than the arm: {out} left out of {size} patients, and who they are is not told here."
        return Finding(ids, reported, str(size), "not_checkable", why, "number")
    why = f"{n} patients are analysed, but the arm has {size}."
    return Finding((row.row_id,), f"n = {n}", str(size), "inconsistent", why, "number")


def events_fit_patients(m: Material) -> Iterator[Finding]:
    """Compare every count of patients with its n, or with the size of its arm."""
    for row in m.counts:
        n = row.n if row.n is not None else m.arms[row.study_id, row.arm_id].n
        if row.events is not None and n is not None and row.events > n:
            why = f"{row.events} patients cannot be out of {n}."
            yield Finding((row.row_id,), f"{row.events}/{n}", "", "inconsistent", why, "number")


def rates_are_of_everybody(m: Material) -> Iterator[Finding]:
    """Where fewer patients are counted as time goes on, give the rates of everybody at the start.

    Missing is taken as failure, then as success. The bounds say what the missing could do to the rates;
    why they are missing is not known.
    """
    rows = [
        row for row in m.counts if row.counted and row.n and row.events is not None and not row.derived_from
    ]
    rows = [row for row in rows if row.time is not None and not row.category]
    for same in grouped(rows, _course).values():
        course = sorted(same, key=lambda row: days(row) or 0.0)
        base = _enrolled(course[0], m)
        if len(course) > 1 and base is not None and max(row.n or 0 for row in course) <= base:
            yield _course_finding(course, base, m)


def _course(row: Count) -> Hashable:
    return (row.study_id, row.arm_id, row.outcome_id, row.subgroup, row.level, row.analysis_set)


def _enrolled(row: Count, m: Material) -> int | None:
    """Return how many patients the arm, or the class of it, had at the start."""
    if not row.subgroup:
        return m.arms[row.study_id, row.arm_id].n
    sizes = [
        one.events
        for one in m.counts_of.get((row.study_id, row.subgroup, "", ""), ())
        if one.arm_id == row.arm_id and one.category == row.level
    ]
    return sizes[0] if len(set(sizes)) == 1 else None


def _course_finding(course: Sequence[Count], base: int, m: Material) -> Finding:
    ids, times = tuple(row.row_id for row in course), _times(course)
    reported = ", ".join(f"{row.events}/{row.n}" for row in course)
    if all(row.n == base for row in course):
        return Finding(ids, reported, reported, "consistent", f"All {base} patients are counted {times}.")
    first = course[0]
    worst = ", ".join(percent((row.events or 0) / base, 1) for row in course)
    best = ", ".join(percent(((row.events or 0) + base - (row.n or 0)) / base, 1) for row in course)
    name = m.outcome(first.outcome_id) + (f", {plain(first.level)}" if first.level else "")
    why = (
        f"{name} {times} is of {', '.join(str(row.n) for row in course)} of {base} patients: of everybody "
        f"it is {worst} if the missing failed and {best} if they succeeded{_turn(course, base)}."
    )
    return Finding(
        ids, reported, f"{worst} to {best}", "not_checkable", why, "conclusion", cause=first.arm_id
    )


def _times(course: Sequence[Count]) -> str:
    """Return when a course is told, each unit once, after its times."""
    told = []
    for unit, same in grouped(course, lambda row: row.time_unit).items():
        times = [f"{row.time:g}" for row in same]
        told.append(f"{', '.join(times)} {unit}{'' if times == ['1'] else 's'}")
    return f"at {' and '.join(told)}"


def _turn(course: Sequence[Count], base: int) -> str:
    """Return what becomes of the printed trend with missing as failure and as success."""
    first, last = course[0], course[-1]
    printed = (last.events or 0) / (last.n or 1) - (first.events or 0) / (first.n or 1)
    gone = (first.n or 0) - (last.n or 0)
    failed = ((last.events or 0) - (first.events or 0)) / base
    succeeded = failed + gone / base
    if printed > 0 > failed:
        return "; the printed rise becomes a fall if they failed"
    if printed < 0 < succeeded:
        return "; the printed fall becomes a rise if they succeeded"
    return ""


def medians_are_of_everybody(m: Material) -> Iterator[Finding]:
    """Find medians of times to an event that half of the patients had not had by then, nor later.

    The median of all patients is no earlier than the time when half of them have had the event. An event
    that can be lost again may have been had by more patients than have it at one time.
    """
    for row in m.measurements:
        event = TIME_TO.match(row.outcome_id)
        if row.statistic == "median" and event and row.counted and not row.subgroup:
            yield from _median(row, event["event"], m)


def _median(row: Measure, event: str, m: Material) -> Iterator[Finding]:
    at = _in_days(row)
    rates = [rate for rate in _rates(row, event, m) if at is not None and (days(rate) or 0.0) >= at]
    if not rates:
        return
    median = f"median of {span(row.value, row.unit)}"
    reported = f"median {span(row.value, row.unit)}"
    below = [rate for rate in rates if 2 * (rate.events or 0) < (rate.n or 0)]
    seen = max(below or rates, key=lambda rate: days(rate) or 0.0)
    when = span(seen.time, seen.time_unit)
    shown = f"{seen.events}/{seen.n} at {when}"
    ids = (row.row_id, *(rate.row_id for rate in below or rates))
    if not below or row.analysis_set == RESPONDERS:
        why = (
            "Half of the patients can have had the event by then."
            if not below
            else "It is said to be of responders."
        )
        yield Finding(ids, reported, shown, "consistent", why)
        return
    why = (
        f"At {when} only {seen.events} of {seen.n} patients had the event (unless "
        f"some had lost it again), so a {median} can only be among those who had "
        f"it{': such medians of two arms do not compare all patients' if _compared(row, m) else ''}."
    )
    stated = row.analysis_set not in ("", "unstated")
    verdict: Verdict = "inconsistent" if stated else "not_checkable"
    yield Finding(ids, reported, shown, verdict, why, "conclusion", cause=row.outcome_id)


def _compared(row: Measure, m: Material) -> bool:
    """Return whether the study has another arm with which the median could be compared."""
    arms = [arm for arm in m.arms.values() if arm.study_id == row.study_id and not arm.combines]
    return len(arms) > 1


def _in_days(row: Measure) -> float | None:
    timed = row._replace(time=Reported(row.value).value, time_unit=row.unit)
    value = days(timed)
    return None if value is None or value != value else value


def _rates(row: Measure, event: str, m: Material) -> list[Count]:
    """Return the counts of the event whose time was measured, in the same arm and at known times."""
    names = [name for name in m.outcomes if name == event] or [
        name
        for name, outcome in m.outcomes.items()
        if name.endswith(f"_{event}") and not outcome.parent_id and outcome.domain == "efficacy"
    ]
    found = [one for name in names for one in m.counts_of.get((row.study_id, name, "", ""), ())]
    return [
        one
        for one in found
        if one.arm_id == row.arm_id
        and one.time is not None
        and one.n
        and one.events is not None
        and moment(one)
    ]
