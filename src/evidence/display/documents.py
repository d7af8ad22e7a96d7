"""How documents, registry numbers and quoted quantities are worded, the same in every table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.labels import READ_FROM, pretty
from evidence.display.model import Cell
from evidence.format import sentence
from evidence.memo import repeated
from evidence.reads import unnoted
from evidence.results import Tables, records, words_of

REGISTRY_ID = re.compile(
    r"\b(?:NCT\d{8}|ChiCTR[\w-]*\d|CTR\d{8}|ISRCTN\d{8}|\d{4}-\d{6}-\d{2}|jRCT\w+|UMIN\d{9})\b"
)
REGISTRY_UNIT = "registry number"
UNITS = {"percent": "%", "date": ""}
# A place in a table of facts from publications: file, publication's key, rows; then a part of the document.
FILE_KEY = re.compile(r"(?:^|; )[\w.-]+\.csv, [^,;]+, rows? (?:\d+(?:, | to )?)+(?=; |$)")
PRINTED = ("article", "abstract", "review", "meta_analysis", "network_meta_analysis", "letter")
TAKEN = "figures taken from the publication"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
YEARS = re.compile(r"\d{4}")
KEPT = 8  # datasets whose documents stay known by name
RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def document_label(data: Tables, source_id: str) -> str:
    """Return what a document is called: the study that it reports first, its title, or its kind and year."""
    own = data.studies.loc[data.studies["study_id"] == source_id, "label"]
    if len(own):
        return str(own.iloc[0])
    found = records(data.sources[data.sources["source_id"] == source_id])
    return _named(found[0]) if found else source_id


def document_name(data: Tables, source_id: str) -> str:
    """Return a document's name as short as a cell needs it: the study that it reports, or how it is cited."""
    names = _kept_names(data) if isinstance(data, Dataset) else _names(data)
    return names.get(source_id, source_id)


def _names(data: Tables) -> dict[str, str]:
    """Return the names of all documents by their ids."""
    sources = {str(row["source_id"]): _named({**row, "title": ""}) for row in records(data.sources)}
    return sources | dict(zip(data.studies["study_id"], data.studies["label"], strict=True))


def _kinds(data: Tables) -> dict[str, str]:
    """Return the kinds of all documents by their ids."""
    return {str(row["source_id"]): str(row.get("kind", "")) for row in records(data.sources)}


# Of a dataset, which never changes, documents are named once.
_kept_names, _kept_kinds = repeated(KEPT)(_names), repeated(KEPT)(_kinds)


def place_words(data: Tables, source_id: str, locator: Any) -> str:
    """Return a place for a reader: of a table of facts the publication, of a document the place in it."""
    text = "" if fmt.missing(locator) else str(locator)
    within = place_within(text)
    if within == pretty(text):
        return within
    name = document_name(data, source_id)
    return name if within.lower() in name.lower() else f"{name}, {within}"


def place_within(locator: str) -> str:
    """Return the place inside a document; of a table of facts only the part of the document that it names.

    >>> place_within("Table 1, row Age"), place_within("facts.csv, Doe2020, rows 3, 4; abstract")
    ('Table 1, row Age', 'abstract')
    """
    return pretty(FILE_KEY.sub("", locator).removeprefix("; "))


def places(data: Tables, rows: Iterable[Sequence[Cell]]) -> dict[str, str]:
    """Return in words where the data rows that cells name were read."""
    return origins(data, {row_id for row in rows for cell in row for row_id in cell.rows})


def origins(data: Tables, row_ids: Iterable[str]) -> dict[str, str]:
    """Return in words where data rows were read, by row: the document's name, and the place in it."""
    wanted = set(row_ids)
    found: dict[str, tuple[str, str]] = {}
    with unnoted():  # whoever has a row has read it
        for name in READ_FROM:
            frame = getattr(data, name, None) if wanted else None
            if frame is not None and {"locator", "source_id"} <= set(frame) and len(frame):
                used = frame[frame["row_id"].isin(wanted)]
                columns = (used[field].tolist() for field in ("row_id", "source_id", "locator"))
                found |= {row: (source, place) for row, source, place in zip(*columns, strict=True)}
    names = {source: _origin(data, source) for source in sorted({source for source, _ in found.values()})}
    return {row: _within(*names[source], place) for row, (source, place) in found.items()}


def _origin(data: Tables, source_id: str) -> tuple[str, str]:
    """Return a document's name and its kind; of a dataset only what is said of this document is read."""
    with unnoted():
        name = document_name(data, source_id)
    kinds = _kept_kinds(data) if isinstance(data, Dataset) else _kinds(data)
    if isinstance(data, Dataset):
        data.label("studies", source_id)
    number = source_id.upper()
    registered = REGISTRY_ID.fullmatch(number) and number not in name
    return sentence(f"{name}, {number}" if registered else name), kinds.get(source_id, "")


def _within(name: str, kind: str, locator: Any) -> str:
    """Return a place in a document behind the document's name.

    >>> _within("Doe A. Journal 2020", "article", "facts.csv, Doe2020, rows 3, 4; Table 2")
    'Doe A. Journal 2020 (figures taken from the publication) · Table 2'
    """
    text = "" if fmt.missing(locator) else str(locator)
    within = place_within(text)
    shown = f"{name} ({TAKEN})" if within != pretty(text) and kind in PRINTED else name
    parts = [part for part in within.split("; ") if part.lower() not in name.lower()]
    return " · ".join(filter(None, (shown, "; ".join(parts))))


def _named(source: Mapping[str, Any]) -> str:
    if not fmt.missing(source["title"]):
        return str(source["title"])
    cited = _cited(source)
    if cited:
        return cited
    kind = words_of(str(source["kind"] or source["citekey"]))
    return kind if fmt.missing(source["year"]) else f"{kind}, {source['year']}"


def _cited(source: Mapping[str, Any]) -> str:
    """Return how a publication from outside is cited: the first part of its note, with the year."""
    if source.get("origin") != "external" or source["kind"] not in PRINTED or fmt.missing(source.get("note")):
        return ""
    cited = str(source["note"]).partition("; ")[0]
    year = "" if fmt.missing(source["year"]) or YEARS.search(cited) else f", {source['year']}"
    return f"{pretty(cited)}{year}"


def document_origin(data: Tables, source_id: str) -> str:
    """Return whether a document is one of those read in full (``seed``) or ``external``."""
    if "origin" not in data.sources:
        return ""
    found = data.sources.loc[data.sources["source_id"] == source_id, "origin"]
    return str(found.iloc[0]) if len(found) else ""


def quantity(value: Any, unit: Any) -> str:
    """Return a value of a protocol with its unit as it is read aloud.

    >>> [quantity(*one) for one in [("6", "month"), ("-98.7", "percent"), (">9", "10^9/L"), (">9", "/mm^3")]]
    ['6 months', '−98.7%', '>9 × 10⁹/L', '>9/mm³']
    >>> [quantity(*one) for one in [("16", "study"), ("2", "day"), ("4", "criterion"), ("2148", "patient")]]
    ['16 studies', '2 days', '4 criteria', '2,148 patients']
    """
    if fmt.missing(value):
        return ""
    text = RANGE.sub(r"\1 to \2", str(value)) if RANGE.fullmatch(str(value)) else pretty(value)
    text = fmt.printed(text) if re.fullmatch(r"-\d.*", text) else text
    name = UNITS.get(str(unit), "" if fmt.missing(unit) else pretty(unit))
    if name[:1] in ("1", "/"):
        return f"{text} × {name}" if name[:1] == "1" else f"{text}{name}"
    if name in ("", "date") and (day := day_words(text)):
        return day
    if name == "year" and YEARS.fullmatch(text):
        return text
    if name.isalpha() and len(name) > 2 and name.islower():
        text = f"{int(text):,}" if re.fullmatch(r"\d{4,}", text) else text
        name = name if str(value) == "1" or name.endswith("s") else _plural(name)
    return f"{text}{name}" if name == "%" else f"{text} {name}".strip()


def _plural(name: str) -> str:
    """Return a unit counted more than once: ``days``, ``studies``, ``criteria``."""
    if name.endswith("criterion"):
        return f"{name[:-2]}a"
    return re.sub(r"(?<=[^aeiou])y$", "ie", name) + "s"


def day_words(text: str) -> str:
    """Return an ISO date in words, or nothing where the text is none.

    >>> day_words("2021-06-16"), day_words("2021")
    ('16 June 2021', '')
    """
    try:
        day = date.fromisoformat(text if text[4:5] == "-" else "")
    except ValueError:
        return ""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def registry_ids(texts: Iterable[Any]) -> tuple[str, ...]:
    """Return the registration numbers that texts name, each once, in order.

    >>> registry_ids(["as NCT01234567 and NCT01234567 say", "none"])
    ('NCT01234567',)
    """
    return tuple(dict.fromkeys(found for text in texts for found in REGISTRY_ID.findall(str(text))))
