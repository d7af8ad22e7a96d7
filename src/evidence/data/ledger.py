"""The extraction ledger: which row carries each number of a document, or why none does."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from evidence.data.numerals import Token, tokens, value
from evidence.data.read import Sheet, read_sheet
from evidence.data.schema import nearest, read_schema
from evidence.errors import DataError, Fault
from evidence.project import resolve

FILE = "ledger.csv"
Row = Mapping[str, str]

REASONS = {
    "citation_mark": "number of a reference where it is cited",
    "reference_list": "number or title in the list of references",
    "figure_or_table_number": "number or letter of a figure, table, file or supplement",
    "heading": "number of a heading, or a number word in one",
    "list_mark": "number of an item in a list or of a numbered outcome measure",
    "identifier": "part of an identifier of the document or a product: DOI, catalogue number, address",
    "contact": "postal address or telephone number",
    "document_date": "date of the document itself, held in the table of sources",
    "part_of_name": "digit or word within a name, symbol or term: of a gene, a test, a kind of drug",
    "unit_power": "power of ten or exponent of a unit, which the rows hold with their unit",
    "abbreviation": "short for number, before one",
    "determiner": "number word that counts nothing, or only repeats how many things are named beside it",
    "misprint": "digit printed in place of a letter",
}

# Columns that say where a row stands and what it belongs to; a digit in them is a name and carries nothing.
PLACES = {
    "row_id",
    "source_id",
    "locator",
    "cites",
    "study_id",
    "parent_study_id",
    "arm_id",
    "arms",
    "combines",
}
PLACES |= {"diagram", "node_id", "from_id", "to_id"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; ``row_id`` may hold several joined by ``|``."""

    source_id: str
    order: int
    line: int
    token: str
    context: str
    row_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A data folder's ledger: its entries, all rows by ``row_id``, and each document's file and SHA-256."""

    entries: tuple[Entry, ...]
    rows: Mapping[str, Row]
    files: Mapping[str, str]
    digests: Mapping[str, str]


def carries(row: Row, token: str) -> bool:
    """Return whether a row holds what a token states, as a number or in words, in any field but its place.

    ``all`` is carried by a count that is its whole denominator; 95% also by 0.95.
    """
    if (number := value(token)) is None:
        return _all(row)
    return bool({number, number / 100 if token.endswith("%") else number} & _numbers(_body(row)))


def _all(row: Row) -> bool:
    whole = bool(row.get("events")) and row.get("events") == row.get("n")
    return whole or re.search(r"(?<![a-z])all(?![a-z])", _body(row).lower()) is not None


def _body(row: Row) -> str:
    return "\n".join(value.replace("_", " ") for name, value in row.items() if name not in PLACES)


@cache
def _numbers(body: str) -> frozenset[Decimal | None]:
    return frozenset(value(token.text) for token in tokens(body))


def account(texts: Mapping[str, str], ledger: Iterable[Entry], rows: Mapping[str, Row]) -> tuple[Fault, ...]:
    """Return what a ledger leaves unaccounted for in the texts, by ``source_id``, or has wrong.

    Faults are: a token that the ledger lacks or has otherwise, an entry without a token, an entry with
    neither row nor reason, with both, with an unknown one, or with a row that does not carry its token.
    """
    numbered = list(enumerate(ledger, 2))
    faults = [fault for line, entry in numbered for fault in _entry_faults(line, entry, rows)]
    for source in dict.fromkeys([*texts, *(entry.source_id for _, entry in numbered)]):
        own = [(line, entry) for line, entry in numbered if entry.source_id == source]
        faults += (
            _text_faults(source, texts[source], own) if source in texts else [_no_text(source, own[0][0])]
        )
    return tuple(faults)


def _no_text(source: str, line: int) -> Fault:
    return Fault(
        FILE, line, "source_id", source, "no text of this document is given; add it or name its file"
    )


def _entry_faults(line: int, entry: Entry, rows: Mapping[str, Row]) -> Iterator[Fault]:
    if bool(entry.row_id) == bool(entry.reason):
        mend = "give either the row that carries it or a reason why none does"
        yield Fault(FILE, line, "row_id", entry.token, mend)
    if entry.reason and entry.reason not in REASONS:
        mend = f"no such reason; known are {', '.join(REASONS)}{nearest(entry.reason, REASONS)}"
        yield Fault(FILE, line, "reason", entry.reason, mend)
    for row_id in entry.row_id.split("|") if entry.row_id else ():
        if mend := _row_mend(row_id, entry, rows):
            yield Fault(FILE, line, "row_id", row_id, mend)


def _row_mend(row_id: str, entry: Entry, rows: Mapping[str, Row]) -> str:
    if row_id not in rows:
        return f"no table has this row{nearest(row_id, rows)}"
    if rows[row_id].get("source_id") != entry.source_id:
        return f"read from another document than {entry.source_id}; name a row of this one"
    if not carries(rows[row_id], entry.token):
        return f"does not carry {entry.token!r} ({entry.context}); correct the row or name another"
    return ""


def _text_faults(source: str, text: str, own: Sequence[tuple[int, Entry]]) -> list[Fault]:
    found = tokens(text)
    faults = [
        fault
        for pair in _aligned(found, [entry for _, entry in own])
        for fault in _change(source, own, *pair)
    ]
    orders = [entry.order for _, entry in own]
    if orders != list(range(1, len(own) + 1)):
        mend = "number the entries of a document from 1 without a gap"
        faults.append(Fault(FILE, own[0][0], "order", source, mend))
    return faults


Pair = tuple[Token | None, int | None]


def _aligned(found: Sequence[Token], entries: Sequence[Entry]) -> Iterator[Pair]:
    """Pair the tokens of a text with the places of their entries; None where one side has nothing."""
    left, right = [token.text for token in found], [entry.token for entry in entries]
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        for i in range(max(b - a, d - c)):
            yield found[a + i] if a + i < b else None, c + i if c + i < d else None


def _change(
    source: str, own: Sequence[tuple[int, Entry]], token: Token | None, place: int | None
) -> Iterator[Fault]:
    line, entry = own[place] if place is not None else (0, None)
    if token is None and entry is not None:
        yield Fault(FILE, line, "token", entry.token, f"not in {source} ({entry.context}); remove it")
    elif token is not None and entry is None:
        mend = f"not in {FILE} ({token.context}); enter it with a row or a reason"
        yield Fault(source, token.line, "", token.text, mend)
    elif token is not None and entry is not None:
        for column, old, new in _differences(entry, token):
            yield Fault(FILE, line, column, old, f"{source} has {new!r}; read it again")


def _differences(entry: Entry, token: Token) -> list[tuple[str, str, str]]:
    columns = (
        ("token", entry.token, token.text),
        ("line", str(entry.line), str(token.line)),
        ("context", entry.context, token.context),
    )
    return [column for column in columns if column[1] != column[2]][:1]


def rebuild(texts: Mapping[str, str], ledger: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the ledger of the texts, with the rows and reasons of entries whose tokens still stand there.

    New and changed tokens have neither row nor reason: they are what is left to read.
    """
    entries = list(ledger)
    return tuple(
        entry
        for source, text in texts.items()
        for entry in _rebuilt(source, text, [entry for entry in entries if entry.source_id == source])
    )


def _rebuilt(source: str, text: str, old: Sequence[Entry]) -> Iterator[Entry]:
    pairs = ((token, place) for token, place in _aligned(tokens(text), old) if token is not None)
    for order, (token, place) in enumerate(pairs, 1):
        kept = old[place] if place is not None and old[place].token == token.text else None
        fresh = Entry(source, order, token.line, token.text, token.context)
        yield replace(fresh, row_id=kept.row_id, reason=kept.reason) if kept else fresh


def as_csv(ledger: Iterable[Entry]) -> str:
    """Return entries as the text of a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Entry.__annotations__)
    writer.writerows(astuple(entry) for entry in ledger)
    return out.getvalue()


def digest(text: str) -> str:
    """Return the SHA-256 of a text whose line ends are line feeds."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_ledger(ledger: Ledger, texts: Mapping[str, str]) -> tuple[Fault, ...]:
    """Return every fault of a ledger against the texts, first of all texts it was not made from."""
    changed = tuple(
        Fault("sources.csv", 0, "sha256", source, "the text is not the one that was read; read what differs")
        for source, text in texts.items()
        if digest(text) != ledger.digests.get(source)
    )
    return changed + account(texts, ledger.entries, ledger.rows)


def read_ledger(path: Path | str = "data") -> Ledger:
    """Read the ledger, and the rows as they stand in the files, from a data folder.

    Raises:
        DataError: a file is missing or unreadable, or the package declares no ledger.
    """
    folder = resolve(path)
    sheets = {resource.name: read_sheet(folder, resource) for resource in read_schema(folder).resources}
    if "ledger" not in sheets:
        raise DataError((Fault(f"{folder.name}/datapackage.json", 0, "ledger", "", "declare this table"),))
    if faults := tuple(fault for sheet in sheets.values() for fault in sheet.faults):
        raise DataError(faults)
    entries = tuple(_entry(row) for row in _records(sheets.pop("ledger")))
    rows = {row["row_id"]: row for sheet in sheets.values() for row in _records(sheet) if "row_id" in row}
    texts = {row["source_id"]: row for row in _records(sheets["sources"]) if row.get("file")}
    files = {source: row["file"] for source, row in texts.items()}
    return Ledger(entries, rows, files, {source: row.get("sha256", "") for source, row in texts.items()})


def _records(sheet: Sheet) -> Iterator[dict[str, str]]:
    for values in zip(*sheet.columns.values(), strict=True):
        yield dict(zip(sheet.columns, values, strict=True))


def _entry(row: Row) -> Entry:
    text = {name: row[name] for name in ("source_id", "token", "context", "row_id", "reason")}
    return Entry(**text, order=int(row["order"]), line=int(row["line"]))


def read_texts(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Read the texts of documents, each from the one file of a folder whose name starts as ``files`` says.

    Raises:
        DataError: the folder does not exist, or a document has no such file, or several.
    """
    if not folder.is_dir():
        raise DataError((Fault(str(folder), 0, "", "", "no such folder; give the folder of the texts"),))
    found = {source: sorted(folder.glob(f"{start}*")) for source, start in files.items()}
    if faults := tuple(
        _not_one(folder, source, files[source], len(paths))
        for source, paths in found.items()
        if len(paths) != 1
    ):
        raise DataError(faults)
    return {source: paths[0].read_text(encoding="utf-8-sig") for source, paths in found.items()}


def _not_one(folder: Path, source: str, start: str, count: int) -> Fault:
    return Fault(str(folder), 0, source, f"{count} files {start}*", "give one file whose name starts so")
