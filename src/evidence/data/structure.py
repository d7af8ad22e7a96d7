"""Faults between the rows of a table: what refers to itself, goes round in a circle or stands twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from evidence.data.read import Sheet
from evidence.errors import Fault

Sheets = Mapping[str, Sheet]
Node = tuple[str, ...]

# Tables whose rows name rows of the same table: the columns that are a row's own name, and those named.
PARENTS = (
    ("studies", ("study_id",), "parent_study_id", "a part of"),
    ("outcomes", ("outcome_id",), "parent_id", "a part of"),
    ("arms", ("study_id", "arm_id"), "combines", "the sum of"),
)
LISTS = (("arms", "combines"), ("tests", "arms"), ("claims", "arms"))
FILE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")  # alike on every system, and room for what stands around it
SPANS = ("measurements", "tests")


def structural_faults(sheets: Sheets) -> Iterator[Fault]:
    """Yield what no printed figure can be the reason of: it is wrong however a document prints it."""
    for table, own, column, words in PARENTS:
        yield from _circles(sheets[table], own, column, words)
    for table, column in LISTS:
        yield from _twice_in_list(sheets[table], column)
    yield from _same_but_for_case(sheets["studies"])
    yield from _no_file_name(sheets["studies"])
    for table in SPANS:
        yield from _backwards(sheets[table])


def _same_but_for_case(sheet: Sheet) -> Iterator[Fault]:
    """Yield ids that name the same file on systems that do not tell capitals from small letters."""
    first: dict[str, tuple[str, int]] = {}
    for line, value in zip(sheet.lines, sheet.columns.get("study_id", ()), strict=False):
        earlier, where = first.setdefault(value.casefold(), (value, line))
        if earlier != value:
            mend = f"differs from {earlier} on line {where} in capitals alone; give it a name of its own"
            yield Fault(sheet.file, line, "study_id", value, mend)


def _no_file_name(sheet: Sheet) -> Iterator[Fault]:
    """Yield ids that no page can be called by, where the declaration lets them pass."""
    column = next((one for one in sheet.resource.columns if one.name == "study_id"), None)
    for line, value in zip(sheet.lines, sheet.columns.get("study_id", ()), strict=False):
        if value and not FILE_NAME.fullmatch(value) and not (column and column.mend(value)):
            mend = "names the study's page; give at most 80 letters, digits, '_', '.' and '-'"
            yield Fault(sheet.file, line, "study_id", value[:40], mend)


def _circles(sheet: Sheet, own: tuple[str, ...], column: str, words: str) -> Iterator[Fault]:
    """Yield the rows that are, through those they name, named by themselves."""
    named = _named(sheet, own, column)
    for line, row in zip(sheet.lines, sheet.rows((*own, column)), strict=False):
        node = row[:-1]
        if node in named.get(node, ()):
            yield Fault(sheet.file, line, column, row[-1], f"names itself; it cannot be {words} itself")
        elif way := _way_back(node, named):
            names = " to ".join(one[-1] for one in way)
            mend = f"goes round in a circle ({names}); a row cannot be {words} one that names it"
            yield Fault(sheet.file, line, column, row[-1], mend)


def _named(sheet: Sheet, own: tuple[str, ...], column: str) -> dict[Node, tuple[Node, ...]]:
    """Return the rows that each row names, within its owner."""
    rows = sheet.rows((*own, column))
    return {row[:-1]: tuple((*row[:-2], one) for one in row[-1].split("|") if one) for row in rows}


def _way_back(start: Node, named: Mapping[Node, tuple[Node, ...]]) -> tuple[Node, ...]:
    """Return the way from a row back to itself, nothing where there is none."""
    ways: list[tuple[Node, ...]] = [(start,)]
    seen: set[Node] = set()
    while ways:
        way = ways.pop()
        for following in named.get(way[-1], ()):
            if following == start:
                return (*way, start)
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()


def _twice_in_list(sheet: Sheet, column: str) -> Iterator[Fault]:
    for line, value in zip(sheet.lines, sheet.columns.get(column, ()), strict=False):
        names = value.split("|")
        for name in sorted({name for name in names if names.count(name) > 1 and name}):
            yield Fault(sheet.file, line, column, name, "stands twice in the list; name each arm once")


def _backwards(sheet: Sheet) -> Iterator[Fault]:
    """Yield changes that are counted from a later time than they are counted to."""
    for line, (start, end) in zip(sheet.lines, sheet.rows(("from_time", "time")), strict=False):
        earlier, later = _number(start), _number(end)
        if earlier is not None and later is not None and earlier > later:
            mend = f"is later than time {end}; from_time is the earlier of the two"
            yield Fault(sheet.file, line, "from_time", start, mend)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
