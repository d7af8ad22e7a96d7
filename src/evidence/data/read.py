"""Raw tables: the text of one CSV file as columns, each row with its physical line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from evidence.data.schema import Resource, nearest
from evidence.errors import UNSEEN, DataError, Fault

UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks
MANY = 8  # UTF-16 without a mark has a zero byte in every second place

Record = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file as read: text by column, the line of each row, and whether every row could be kept."""

    resource: Resource
    file: str
    lines: tuple[int, ...]
    columns: dict[str, tuple[str, ...]]
    complete: bool
    faults: tuple[Fault, ...]

    def rows(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return the values of some columns row by row; nothing where a column is missing."""
        if any(name not in self.columns for name in names):
            return []
        return list(zip(*(self.columns[name] for name in names), strict=True))


def read_sheet(folder: Path, resource: Resource) -> Sheet:
    """Read one declared table; what is wrong with the file as such is in ``faults``, nothing is raised."""
    file = f"{folder.name}/{resource.path}"
    try:
        records, broken = _split(_decode(folder / resource.path, file), file)
    except DataError as error:
        return Sheet(resource, file, (), {}, complete=False, faults=error.faults)
    sheet = _tabulate(resource, file, records)
    return replace(sheet, complete=False, faults=(*sheet.faults, *broken)) if broken else sheet


def _decode(path: Path, file: str) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        mend = "the table is missing; put it there, at least its header"
        raise DataError((Fault(file, 0, "", "", mend),)) from error
    except OSError as error:
        raise DataError((Fault(file, 0, "", "", f"cannot be read ({error.strerror})"),)) from error
    if content[:2] in UTF_16 or content.count(0) > len(content) // MANY:
        raise DataError((Fault(file, 0, "", "", "not UTF-8 but UTF-16 or no text; save the file as UTF-8"),))
    if faults := tuple(_undecodable(content, file)):
        raise DataError(faults)
    return content.decode("utf-8-sig")


def _undecodable(content: bytes, file: str) -> Iterator[Fault]:
    """Yield the first byte of each line that is not UTF-8; a line feed is never part of a character."""
    position = 0
    for line, part in enumerate(re.split(rb"\r\n|\r|\n", content), 1):
        try:
            part.decode("utf-8")
        except UnicodeDecodeError as error:
            place = content.index(part, position) + error.start
            value = f"byte 0x{part[error.start]:02x} at position {place}"
            yield Fault(file, line, "", value, "not UTF-8; save the file as UTF-8")
        position = content.index(part, position) + len(part)


def _split(text: str, file: str) -> tuple[list[Record], tuple[Fault, ...]]:
    """Return the records, and the fault at which reading them ended before the end of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[Record] = []
    broken: tuple[Fault, ...] = ()
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        mend = "check the quotation marks; a quote inside a quoted text is written twice"
        broken = (Fault(file, line, "", "", f"{error}; {mend}; no line after it was read"),)
    if not records:
        empty = Fault(file, 0, "", "", "the file is empty; give it at least its header")
        raise DataError(broken or (empty,))
    return records, broken


def _tabulate(resource: Resource, file: str, records: list[Record]) -> Sheet:
    header = records[0][1]
    whole = [record for record in records[1:] if len(record[1]) == len(header)]
    lines = tuple(line for line, _ in whole)
    values = zip(*(cells for _, cells in whole), strict=True) if whole else ((),) * len(header)
    columns = dict(zip(header, values, strict=True))
    faults = (*_header_faults(resource, file, header), *_ragged(file, records), *_unseen(file, records))
    for column in resource.columns:
        if column.default is not None:
            columns.setdefault(column.name, (column.default,) * len(whole))
    complete = len(whole) == len(records) - 1
    return Sheet(resource, file, lines, columns, complete, faults)


def _header_faults(resource: Resource, file: str, header: list[str]) -> Iterator[Fault]:
    known = [column.name for column in resource.columns]
    if len(header) == 1 and len(known) > 1 and re.search(r"[;\t]", header[0]):
        yield Fault(file, 1, "", header[0][:40], "separate the columns with commas")
        return
    for name in sorted(set(header) - set(known)):
        hint = nearest(name, set(known) - set(header))
        yield Fault(file, 1, name, "", f"no such column; rename it or declare it in datapackage.json{hint}")
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Fault(file, 1, name, "", "the column stands twice; remove one")
    for column in resource.columns:
        if column.default is None and column.name not in header:
            yield Fault(file, 1, column.name, "", "the column is missing; add it to the header")


def _ragged(file: str, records: list[Record]) -> Iterator[Fault]:
    width = len(records[0][1])
    widths = [len(cells) for _, cells in records[1:]]
    if len(widths) > 1 and set(widths) != {width} and len(set(widths)) == 1:
        mend = f"each of the {len(widths)} rows has {widths[0]} fields; one name for each field"
        yield Fault(file, 1, "", f"{width} names", mend)
        return
    for line, cells in records[1:]:
        if len(cells) != width:
            mend = f"the header has {width}; quote a text that holds a comma, keep empty fields"
            yield Fault(file, line, "", f"{len(cells)} fields", mend)


def _unseen(file: str, records: list[Record]) -> Iterator[Fault]:
    header = records[0][1]
    for line, cells in records:
        if not UNSEEN.search("".join(cells)):
            continue
        for place, cell in enumerate(cells):
            for character in sorted(set(UNSEEN.findall(cell))):
                name = header[place] if place < len(header) else ""
                column = UNSEEN.sub("?", name)
                mend = "remove this character, which cannot be seen or read"
                yield Fault(file, line, column, f"U+{ord(character):04X}", mend)
