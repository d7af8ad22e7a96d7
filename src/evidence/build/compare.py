"""What differs between two built reports, number by number."""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from typing import Literal

from evidence.errors import BuildError

Kind = Literal["parameter", "table", "figure", "caption", "text", "file"]
TABLES: dict[str, Kind] = {"tables": "table", "figures": "figure"}
# A number as pages print it: decimals, signs, limits; words around it are compared as words.
TOKEN = re.compile(r"[-+−]?\d+(?:[.,]\d+)*%?|[^\s\d]+")
# Tags that stay within a line of text; at every other tag a new text begins.
INLINE = re.compile(r"</?(?:a|abbr|b|code|em|i|q|small|span|strong|sub|sup|wbr)\b[^>]*>")
CAPTION = re.compile(r"<figcaption\b[^>]*>(.*?)</figcaption>", re.DOTALL)
UNSEEN = re.compile(r"<(script|style|svg|math)\b.*?</\1>", re.DOTALL)
MAIN = re.compile(r'<article class="text">(.*?)</article>|<main\b[^>]*>(.*)</main>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")
# Words at the sides of a difference that say where in a text it stands.
CONTEXT = 4
ROW = "row"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: what kind of thing, which, where in it, and how it reads in each report."""

    kind: Kind
    name: str
    place: str
    before: str
    after: str

    def as_row(self) -> dict[str, str]:
        """Return the difference as names and values."""
        return {str(name): str(value) for name, value in asdict(self).items()}


def compare_reports(before: Path, after: Path) -> list[Difference]:
    """Return what differs between two built reports: parameters, tidy tables, captions and text.

    Raises:
        BuildError: a folder is no built report.
    """
    for folder in (before, after):
        if not (folder / "provenance.json").is_file():
            raise BuildError(f"{folder}: no built report; give its folder, or the name of a built scenario")
    found = [*_parameters(before, after)]
    for name, kind in TABLES.items():
        found += _tables(before / name, after / name, kind)
    return found + list(_pages(before, after))


def _parameters(before: Path, after: Path) -> Iterator[Difference]:
    old, new = (_provenance(folder)["parameters"] for folder in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Difference("parameter", name, "", str(old.get(name, "")), str(new.get(name, "")))


def _provenance(folder: Path) -> Mapping[str, dict[str, object]]:
    try:
        found = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        return found if isinstance(found["parameters"], dict) else {"parameters": {}}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BuildError(f"{folder}/provenance.json: not readable ({type(error).__name__})") from None


def _tables(before: Path, after: Path, kind: Kind) -> Iterator[Difference]:
    for name, old, new in _pairs(before, after, "*.csv"):
        if old is None or new is None:
            yield _only(name, old is None)
        elif old.read_bytes() != new.read_bytes():
            yield from _cells(Path(name).stem, old, new, kind)


def _pairs(before: Path, after: Path, pattern: str) -> Iterator[tuple[str, Path | None, Path | None]]:
    old = {path.relative_to(before).as_posix(): path for path in before.glob(pattern)}
    new = {path.relative_to(after).as_posix(): path for path in after.glob(pattern)}
    for name in sorted({*old, *new}):
        yield name, old.get(name), new.get(name)


def _only(name: str, new: bool) -> Difference:
    return Difference("file", name, "", "" if new else "present", "present" if new else "")


def _cells(name: str, before: Path, after: Path, kind: Kind) -> Iterator[Difference]:
    """Yield the cells that differ; rows are told apart by their row_id or else matched in order."""
    old, new = _rows(before), _rows(after)
    for key in dict.fromkeys([*old, *new]):
        if key not in old or key not in new:
            yield Difference(kind, name, key, "" if key not in old else ROW, "" if key not in new else ROW)
            continue
        for column in dict.fromkeys([*old[key], *new[key]]):
            values = old[key].get(column, ""), new[key].get(column, "")
            if values[0] != values[1]:
                yield Difference(kind, name, f"{key}, {column}", *values)


def _rows(path: Path) -> dict[str, dict[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(_text(path), newline="")))
    except csv.Error as error:
        raise BuildError(f"{path}: not readable as a table ({error})") from None
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 1):
        key = row.get("row_id") or f"row {number}"
        found[key if key not in found else f"{key} (row {number})"] = row
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except ValueError as error:
        raise BuildError(f"{path}: not readable as UTF-8 ({error})") from None


def _pages(before: Path, after: Path) -> Iterator[Difference]:
    for name, old, new in _pairs(before, after, "**/*.html"):
        if old is None or new is None:
            yield _only(name, old is None)
        elif old.read_bytes() != new.read_bytes():
            yield from _texts(name, _blocks(old), _blocks(new))


def _blocks(path: Path) -> list[tuple[Kind, str]]:
    """Return the captions and the other texts of a page in order, without its frame."""
    page = _text(path)
    main = MAIN.search(page)
    body = UNSEEN.sub("", (main.group(1) or main.group(2)) if main else page)
    found: list[tuple[Kind, str]] = []
    # The parts between captions and the captions take turns.
    for place, part in enumerate(CAPTION.split(body)):
        words = [" ".join(unescape(one).split()) for one in TAG.split(INLINE.sub("", part))]
        lines = [" ".join(filter(None, words))] if place % 2 else words
        found += [("caption" if place % 2 else "text", one) for one in lines if one]
    return found


def _texts(name: str, before: list[tuple[Kind, str]], after: list[tuple[Kind, str]]) -> Iterator[Difference]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        old, new = before[i:i_end], after[j:j_end]
        for place in range(max(len(old), len(new))):
            one = old[place] if place < len(old) else ("text", "")
            two = new[place] if place < len(new) else ("text", "")
            kind: Kind = "caption" if "caption" in (one[0], two[0]) else "text"
            yield from _words(kind, name, one[1], two[1])


def _words(kind: Kind, name: str, before: str, after: str) -> Iterator[Difference]:
    """Yield what differs within a paragraph, each with the words that stand before it."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if not old or not new:
        yield Difference(kind, name, "", before, after)
        return
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            place = " ".join(old[max(0, i - CONTEXT) : i])
            yield Difference(kind, name, place, " ".join(old[i:i_end]), " ".join(new[j:j_end]))
