"""How documents, registry numbers and quoted quantities are worded, the same in every table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from evidence import format as fmt
from evidence.display.labels import pretty
from evidence.results import Tables, plain, records

REGISTRY_ID = re.compile(
    r"\b(?:NCT\d{8}|ChiCTR[\w-]*\d|CTR\d{8}|ISRCTN\d{8}|\d{4}-\d{6}-\d{2}|jRCT\w+|UMIN\d{9})\b"
)
REGISTRY_UNIT = "registry number"
UNITS = {"percent": "%", "date": ""}
RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def document_label(data: Tables, source_id: str) -> str:
    """Return what a document is called: the study that it reports first, its title, or its kind and year."""
    own = data.studies.loc[data.studies["study_id"] == source_id, "label"]
    if len(own):
        return str(own.iloc[0])
    found = records(data.sources[data.sources["source_id"] == source_id])
    return _named(found[0]) if found else source_id


def document_name(data: Tables, source_id: str) -> str:
    """Return a document's name as short as a cell needs it: the study that it reports, or kind and year."""
    if (data.studies["study_id"] == source_id).any():
        return document_label(data, source_id)
    found = records(data.sources[data.sources["source_id"] == source_id])
    return _named({**found[0], "title": ""}) if found else source_id


def _named(source: Mapping[str, Any]) -> str:
    if not fmt.missing(source["title"]):
        return str(source["title"])
    kind = plain(str(source["kind"] or source["citekey"]))
    return kind if fmt.missing(source["year"]) else f"{kind}, {source['year']}"


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
    """
    if fmt.missing(value):
        return ""
    text = RANGE.sub(r"\1 to \2", str(value)) if RANGE.fullmatch(str(value)) else pretty(value)
    text = fmt.printed(text) if re.fullmatch(r"-\d.*", text) else text
    name = UNITS.get(str(unit), "" if fmt.missing(unit) else pretty(unit))
    if name[:1] in ("1", "/"):
        return f"{text} × {name}" if name[:1] == "1" else f"{text}{name}"
    if name.isalpha() and len(name) > 2 and name.islower():
        name += "" if str(value) == "1" else "s"
    return f"{text}{name}" if name == "%" else f"{text} {name}".strip()


def registry_ids(texts: Iterable[Any]) -> tuple[str, ...]:
    """Return the registration numbers that texts name, each once, in order.

    >>> registry_ids(["as NCT01234567 and NCT01234567 say", "none"])
    ('NCT01234567',)
    """
    return tuple(dict.fromkeys(found for text in texts for found in REGISTRY_ID.findall(str(text))))
