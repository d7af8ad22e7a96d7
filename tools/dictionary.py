"""The data dictionary, made from ``data/datapackage.json``: ``python -m tools.dictionary`` writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "data" / "datapackage.json"
PAGE = ROOT / "docs" / "data-dictionary.md"
LIMITS = (("minimum", "at least {}"), ("maximum", "at most {}"), ("pattern", "like `{}`"))


def page(package: dict[str, Any]) -> str:
    """Return the dictionary as Markdown: a section for each table, a line for each column."""
    parts = [
        "# Data dictionary",
        "",
        "Made by `python -m tools.dictionary` from `data/datapackage.json`, which `evidence check` holds the tables to. "
        "Conventions and decisions are in [data/README.md](../data/README.md).",
    ]
    for table in package["resources"]:
        parts += ["", *section(table)]
    return "\n".join(parts) + "\n"


def section(table: dict[str, Any]) -> list[str]:
    """Return the lines of one table."""
    schema = table["schema"]
    lines = [f"## {table['path']}", "", f"{sentence(table['description'])} {keys(schema)}".strip(), ""]
    lines += ["| column | type | meaning | values |", "| --- | --- | --- | --- |"]
    return [*lines, *(line(field) for field in schema["fields"])]


def keys(schema: dict[str, Any]) -> str:
    """Return what identifies a row, and what its columns refer to."""
    own = schema.get("primaryKey", [])
    said = [f"Key: {code(own)}."] if own else []
    for foreign in schema.get("foreignKeys", []):
        there = foreign["reference"]
        said.append(f"{code(foreign['fields'])} refers to `{there['resource']}` ({code(there['fields'])}).")
    return " ".join(said)


def code(names: str | list[str]) -> str:
    """Return names of columns."""
    return ", ".join(f"`{name}`" for name in ([names] if isinstance(names, str) else names))


def line(field: dict[str, Any]) -> str:
    """Return one column."""
    cells = (f"`{field['name']}`", field["type"], sentence(field.get("description", "")), values(field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def values(field: dict[str, Any]) -> str:
    """Return what a column may hold."""
    rules = field.get("constraints", {})
    said = ["needed"] if rules.get("required") else []
    said += ["never twice"] if rules.get("unique") else []
    said += [words.format(rules[name]) for name, words in LIMITS if name in rules]
    said += [", ".join(map(str, rules["enum"]))] if "enum" in rules else []
    if field.get("default"):
        said.append(f"without entry: {field['default']}")
    return "; ".join(said)


def sentence(text: str) -> str:
    """Return a description that ends as a sentence."""
    return text if not text or text.endswith((".", "?")) else f"{text}."


def main() -> int:
    """Write the page."""
    package = json.loads(PACKAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page(package), encoding="utf-8", newline="\n")
    print(
        f"{sum(len(table['schema']['fields']) for table in package['resources'])} columns in {PAGE.relative_to(ROOT)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
