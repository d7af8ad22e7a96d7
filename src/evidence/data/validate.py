"""Faults of the tables against their declaration: values, keys, rules within a row, references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from evidence.data.bibliography import bibliography
from evidence.data.read import Sheet
from evidence.data.schema import Reference, Rule, Schema, nearest
from evidence.data.structure import structural_faults
from evidence.errors import Fault

Sheets = Mapping[str, Sheet]
SHOWN = 60  # characters of a value that a message shows
PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def find_faults(schema: Schema, sheets: Sheets, folder: Path) -> tuple[Fault, ...]:
    """Return every fault of the tables of a folder, by file, line and column."""
    found = chain.from_iterable(check(sheet, sheets) for sheet in sheets.values() for check in SHEET_CHECKS)
    places = {(sheet.file, name): i for sheet in sheets.values() for i, name in enumerate(sheet.columns)}
    across = structural_faults(sheets), _shared_values(schema, sheets), _unknown_citations(sheets, folder)
    faults = set(chain(found, *across))
    return tuple(sorted(faults, key=lambda f: (f.file, f.line, places.get((f.file, f.column), -1), f.value)))


def _file_faults(sheet: Sheet, _: Sheets) -> Iterator[Fault]:
    yield from sheet.faults


def _wrong_values(sheet: Sheet, _: Sheets) -> Iterator[Fault]:
    for column in sheet.resource.columns:
        values = sheet.columns.get(column.name, ())
        mends = {value: mend for value in set(values) if (mend := column.mend(value))}
        if mends:
            yield from _at(sheet, column.name, values, mends)


def _at(sheet: Sheet, column: str, values: tuple[str, ...], mends: Mapping[str, str]) -> Iterator[Fault]:
    for line, value in zip(sheet.lines, values, strict=True):
        if value in mends:
            yield Fault(sheet.file, line, column, shortened(value), mends[value])


def _repeated_keys(sheet: Sheet, _: Sheets) -> Iterator[Fault]:
    keys: set[tuple[str, ...]] = {(column.name,) for column in sheet.resource.columns if column.unique}
    if sheet.resource.key:
        keys.add(sheet.resource.key)
    for key in sorted(keys):
        yield from _repeats(sheet, key)


def _repeats(sheet: Sheet, key: tuple[str, ...]) -> Iterator[Fault]:
    rows = sheet.rows(key)
    if len(set(rows)) == len(rows):
        return
    first: dict[tuple[str, ...], int] = {}
    for line, row in zip(sheet.lines, rows, strict=True):
        if any(row) and first.setdefault(row, line) != line:
            mend = f"already on line {first[row]}; give it a name of its own or remove the row"
            yield Fault(sheet.file, line, ", ".join(key), shortened(", ".join(row)), mend)


def _unknown_citations(sheets: Sheets, folder: Path) -> Iterator[Fault]:
    """Yield the keys that the bibliography of the project around a folder lacks; outside a project, none."""
    known, files = bibliography(folder)
    sources = sheets["sources"]
    for line, key in zip(sources.lines, sources.columns.get("citekey", ()), strict=False):
        if files and key and key not in known:
            mend = f"no such key in {', '.join(files)}; add the entry there{nearest(key, known)}"
            yield Fault(sources.file, line, "citekey", shortened(key), mend)


def _shared_values(schema: Schema, sheets: Sheets) -> Iterator[Fault]:
    for column in schema.unique:
        first: dict[str, tuple[str, int]] = {}
        for sheet in sheets.values():
            if not any(own.name == column and own.unique for own in sheet.resource.columns):
                continue
            for line, value in zip(sheet.lines, sheet.columns.get(column, ()), strict=False):
                file, earlier = first.setdefault(value, (sheet.file, line))
                if value and file != sheet.file:
                    mend = f"already used in {file}:{earlier}; give it one that no other table has"
                    yield Fault(sheet.file, line, column, shortened(value), mend)


def _broken_rules(sheet: Sheet, _: Sheets) -> Iterator[Fault]:
    for rule in sheet.resource.rules:
        rows = sheet.rows(rule.columns)
        for line, row in zip(sheet.lines, rows, strict=False):
            if mend := RULES[rule.name](rule, row):
                yield Fault(sheet.file, line, rule.columns[0], shortened(row[0]), mend)


def _at_most(rule: Rule, row: tuple[str, ...]) -> str:
    numbers = [float(value) for value in row if PLAIN.fullmatch(value)]
    if rule.limit is not None:
        return f"must be at most {rule.limit:g}" if any(n > rule.limit for n in numbers) else ""
    if len(numbers) < 2 or numbers[0] <= numbers[1]:
        return ""
    return f"exceeds {rule.columns[1]} {row[1]}; correct the row or leave {rule.columns[0]} empty"


def _any_of(rule: Rule, row: tuple[str, ...]) -> str:
    return "" if any(row) else f"give at least one of {', '.join(rule.columns)}"


def _needs(rule: Rule, row: tuple[str, ...]) -> str:
    return f"give {rule.columns[1]} as well" if row[0] and not row[1] else ""


RULES: dict[str, Callable[[Rule, tuple[str, ...]], str]] = {
    "at_most": _at_most,
    "any_of": _any_of,
    "needs": _needs,
}


def _dangling(sheet: Sheet, sheets: Sheets) -> Iterator[Fault]:
    for reference in sheet.resource.references:
        target = sheets.get(reference.table)
        if target is not None and target.complete and set(reference.keys) <= target.columns.keys():
            yield from _dangling_in(sheet, reference, target, _owners(sheet, reference, sheets))


def _owners(sheet: Sheet, reference: Reference, sheets: Sheets) -> set[tuple[str, ...]]:
    """Return the known owners of what a reference names; an unknown owner has a fault of its own."""
    for other in sheet.resource.references:
        if other.columns == reference.columns[:-1] and other.table in sheets:
            return set(sheets[other.table].rows(other.keys))
    return {row[:-1] for row in sheet.rows(reference.columns)}


def _dangling_in(
    sheet: Sheet, reference: Reference, target: Sheet, owners: set[tuple[str, ...]]
) -> Iterator[Fault]:
    rows = sheet.rows(reference.columns)
    known: dict[tuple[str, ...], set[str]] = {row[:-1]: set() for row in rows}
    for key in target.rows(reference.keys):
        known.setdefault(key[:-1], set()).add(key[-1])
    strangers = {row: [v for v in _values(row, reference) if v not in known[row[:-1]]] for row in set(rows)}
    if not any(strangers.values()):
        return
    for line, row in zip(sheet.lines, rows, strict=True):
        for value in strangers[row] if row[:-1] in owners or not any(row[:-1]) else ():
            mend = _add_or_correct(row[:-1], reference, target) + nearest(value, known[row[:-1]])
            yield Fault(sheet.file, line, reference.columns[-1], shortened(value), mend)


def _values(row: tuple[str, ...], reference: Reference) -> list[str]:
    if not row[-1]:
        return []
    return row[-1].split(reference.separator) if reference.separator else [row[-1]]


def _add_or_correct(owner: tuple[str, ...], reference: Reference, target: Sheet) -> str:
    where = f" of {', '.join(owner)}" if any(owner) else ""
    return f"no such {reference.keys[-1]}{where} in {target.file}; add it there or correct it here"


def shortened(value: str) -> str:
    """Return a value as a message shows it: on one line, and not too long."""
    text = " ".join(value.split()) if value.strip() == value else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


SHEET_CHECKS = (_file_faults, _wrong_values, _repeated_keys, _broken_rules, _dangling)
