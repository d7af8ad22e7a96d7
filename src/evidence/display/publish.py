"""Show an item in a notebook: one call, the same in JupyterLab, in HTML and in PDF."""

from __future__ import annotations

from typing import Any

from evidence.data.export import as_csv
from evidence.display.markdown import escape, table_markdown, table_plain, unbroken
from evidence.display.model import Figure, Item, Prose, Table
from evidence.display.shown import Output, published

FLOATS = "%.10g"  # enough to recompute from, few enough to be the same on every machine


def show(item: Item) -> None:
    """Publish a table, figure or prose as the output of the running cell.

    The output carries, under ``evidence`` in its metadata, the kind, the caption as Markdown, the alternative
    text as plain text, and the tidy values as CSV.
    """
    from IPython.display import display

    for bundle, metadata in published(item) or outputs(item):
        display(bundle, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]


def outputs(item: Item) -> tuple[Output, ...]:
    """Return all that ``show`` publishes of an item, one after the other."""
    return representation(item), *further_parts(item)


def representation(item: Item) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what ``show`` publishes: texts by media type, and the output's metadata."""
    if isinstance(item, Table):
        return _table(item)
    if isinstance(item, Figure):
        return _figure(item)
    return _prose(item)


def further_parts(item: Item) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Return what is published below the first drawing of a figure in several parts."""
    from evidence.display.theme import svg

    drawings = item.more if isinstance(item, Figure) else ()
    told = [
        f"Part {place} of {len(drawings) + 1}; the numbers of all parts are told with the first."
        for place in range(2, len(drawings) + 2)
    ]
    return [
        (
            {"image/svg+xml": svg(drawing), "text/plain": words},
            _with_narrow(_metadata("part", "", words, ""), item, place),
        )
        for place, (drawing, words) in enumerate(zip(drawings, told, strict=True), start=1)
    ]


def _with_narrow(metadata: dict[str, Any], item: Item, place: int) -> dict[str, Any]:
    """Return the metadata with the drawing for narrow screens of a part of a figure, where it has one."""
    from evidence.display.theme import svg

    drawings = item.narrow if isinstance(item, Figure) else ()
    if place < len(drawings):
        metadata["evidence"]["narrow"] = svg(drawings[place])
    return metadata


def _table(item: Table) -> tuple[dict[str, str], dict[str, Any]]:
    bundle = {"text/markdown": table_markdown(item), "text/plain": table_plain(item)}
    return bundle, _metadata("table", escape(unbroken(item.caption)), item.full_note, _csv(item))


def _figure(item: Figure) -> tuple[dict[str, str], dict[str, Any]]:
    from evidence.display.theme import svg

    plain, caption = f"{item.caption}\n{item.alt}", escape(unbroken(item.caption))
    bundle = {"image/svg+xml": svg(item.figure), "text/plain": plain}
    return bundle, _with_narrow(_metadata("figure", caption, item.alt, _csv(item)), item, 0)


def _prose(item: Prose) -> tuple[dict[str, str], dict[str, Any]]:
    return {"text/markdown": item.text, "text/plain": item.text}, _metadata("prose", "", "", "")


def _metadata(kind: str, caption: str, alt: str, csv: str) -> dict[str, Any]:
    return {"evidence": {"kind": kind, "caption": caption, "alt": alt, "csv": csv}}


def _csv(item: Table | Figure) -> str:
    if item.data.columns.empty:
        return ""
    return as_csv(item.data, float_format=FLOATS)
