"""Warnings on what was typed, which can be meant so but mostly is a slip."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from evidence.data.read import Sheet
from evidence.data.schema import nearest
from evidence.data.validate import shortened
from evidence.errors import Fault

Sheets = Mapping[str, Sheet]
NUMBER = re.compile(r"[-−+]?[0-9]+(\.[0-9]+)?")
KEEP = "check the row, keep it if it is printed so"

# The value that stands between the ends of its interval.
BETWEEN = (("measurements", "value"), ("tests", "effect"), ("claims", "value"), ("counts", "percent"))
# What a question asks for, and where the data say it: each of its values should match something.
ASKED = (
    ("indication", "studies", "indication"),
    ("population", "studies", "population"),
    ("designs", "studies", "design"),
    ("treatment", "arms", "node"),
    ("comparator", "arms", "node"),
    ("analysis_set", "counts", "analysis_set"),
)
USED_OUTCOMES = tuple((table, "subgroup") for table in ("counts", "measurements", "tests", "claims"))
IDENTITY = {"row_id", "note", "category_label"}  # two rows that differ in these alone are the same entry


def find_slips(sheets: Sheets) -> tuple[Fault, ...]:
    """Return what looks like a slip in tables that were read without a fault, by file and line."""
    found = chain.from_iterable(check(sheets) for check in CHECKS)
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column, one.value)))


def _outside_interval(sheets: Sheets) -> Iterator[Fault]:
    for table, column in BETWEEN:
        sheet = sheets[table]
        for line, texts in zip(sheet.lines, sheet.rows((column, "low", "high")), strict=False):
            value, low, high = (_number(text) for text in texts)
            if value is not None and (
                (low is not None and value < low) or (high is not None and value > high)
            ):
                mend = f"lies outside its interval {texts[1]} to {texts[2]}; {KEEP}"
                yield Fault(sheet.file, line, column, texts[0], mend)


def _number(text: str) -> float | None:
    return float(text.replace("−", "-")) if NUMBER.fullmatch(text) else None


def _sizes(sheets: Sheets) -> Iterator[Fault]:
    """Yield arms that are not the sum of those they combine, and studies that are not that of their arms."""
    arms = sheets["arms"]
    rows = list(zip(arms.lines, arms.rows(("study_id", "arm_id", "combines", "n")), strict=False))
    sizes = {(study, arm): n for _, (study, arm, _, n) in rows}
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for line, (study, _, combines, n) in rows:
        if not combines:
            parts[study].append(n)
        elif wrong := _other_sum(n, [sizes.get((study, one), "") for one in combines.split("|")]):
            yield Fault(arms.file, line, "n", n, f"{combines} have {wrong} together; {KEEP}")
    yield from _studies(sheets["studies"], parts)


def _studies(studies: Sheet, parts: Mapping[str, list[str]]) -> Iterator[Fault]:
    for line, (study, n) in zip(studies.lines, studies.rows(("study_id", "n")), strict=False):
        if wrong := _other_sum(n, parts.get(study, [])):
            yield Fault(studies.file, line, "n", n, f"its arms have {wrong} together; {KEEP}")


def _other_sum(n: str, parts: Iterable[str]) -> int | None:
    """Return the sum of the parts where it is known and not n."""
    given = list(parts)
    if not n or not given or not all(given):
        return None
    total = sum(map(int, given))
    return total if total != int(n) else None


def _unmatched_questions(sheets: Sheets) -> Iterator[Fault]:
    questions = sheets["questions"]
    for column, table, key in ASKED:
        known = {one for value in sheets[table].columns.get(key, ()) for one in (value, *value.split("|"))}
        for line, value in zip(questions.lines, questions.columns.get(column, ()), strict=False):
            for one in value.split("|") if value not in known else ():
                if one and one not in known:
                    mend = f"matches no {key} in {sheets[table].file}{nearest(one, known - {''})}"
                    yield Fault(questions.file, line, column, shortened(one), mend)


def _undefined_subgroups(sheets: Sheets) -> Iterator[Fault]:
    known = set(sheets["outcomes"].columns.get("outcome_id", ()))
    for table, column in USED_OUTCOMES:
        sheet = sheets[table]
        for line, value in zip(sheet.lines, sheet.columns.get(column, ()), strict=False):
            if value and value not in known:
                mend = f"no such outcome_id in {sheets['outcomes'].file}; define it there"
                yield Fault(sheet.file, line, column, shortened(value), mend + nearest(value, known))


def _same_entry(sheets: Sheets) -> Iterator[Fault]:
    """Yield rows that say the same of the same place as an earlier row."""
    for sheet in sheets.values():
        names = tuple(name for name in sheet.columns if name not in IDENTITY)
        if "row_id" not in sheet.columns or "locator" not in names:
            continue
        rows = sheet.rows(names)
        if max(Counter(rows).values(), default=1) == 1:
            continue
        first: dict[tuple[str, ...], int] = {}
        for line, row, name in zip(sheet.lines, rows, sheet.columns["row_id"], strict=False):
            if first.setdefault(row, line) != line:
                mend = f"says the same as line {first[row]}; remove it, or name the other place in locator"
                yield Fault(sheet.file, line, "row_id", shortened(name), mend)


CHECKS: tuple[Callable[[Sheets], Iterator[Fault]], ...] = (
    _outside_interval,
    _sizes,
    _unmatched_questions,
    _undefined_subgroups,
    _same_entry,
)
