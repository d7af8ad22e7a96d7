"""The three shortcodes of the subset: include, var and meta."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence.errors import RenderError

if TYPE_CHECKING:
    from evidence.render.book import Book
    from evidence.render.notebook import Source

SHORTCODE = re.compile(r"(?<!\{)\{\{<\s*(\S+)\s*(.*?)\s*>\}\}(?!\})")
ESCAPED = re.compile(r"\{(\{\{<.*?>\}\})\}")
FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*(\{[\w-]+[\s}].*|\{[\w-]+\})?")
DEPTH = 10  # an include chain longer than this is a circle


def expand(text: str, *, book: Book, source: Source, cell: int) -> str:
    """Replace the shortcodes of a Markdown cell outside code blocks; faults go to ``source``."""
    return _Expansion(book, source, cell).through(text, (book.root / source.chapter.path).parent, 0)


@dataclass(frozen=True, slots=True)
class _Expansion:
    book: Book
    source: Source
    cell: int

    def through(self, text: str, folder: Path, depth: int) -> str:
        return "\n".join(line if code else self.line(line, folder, depth) for line, code in self.lines(text))

    def line(self, line: str, folder: Path, depth: int) -> str:
        replaced = SHORTCODE.sub(lambda found: self.replace(found, folder, depth), line)
        return ESCAPED.sub(r"\1", replaced)

    def replace(self, found: re.Match[str], folder: Path, depth: int) -> str:
        try:
            return self.value(found[1], found[2].strip("'\""), folder, depth)
        except RenderError as error:
            self.source.fault(self.cell, found[0], str(error))
            return ""

    def value(self, name: str, argument: str, folder: Path, depth: int) -> str:
        if name == "include":
            return self.included(folder / argument, depth)
        if name == "var":
            return _look_up(self.book.variables, argument, "_variables.yml")
        if name == "meta":
            return _look_up({**self.book.metadata, **self.source.front}, argument, "the metadata")
        raise RenderError("is outside the subset; the shortcodes are include, var and meta")

    def included(self, path: Path, depth: int) -> str:
        if depth >= DEPTH:
            raise RenderError("includes itself")
        if not path.is_file():
            raise RenderError("there is no such file to include")
        return self.through(path.read_text(encoding="utf-8"), path.parent, depth + 1)

    def lines(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield each line with whether it stands in a fenced code block."""
        fence = ""
        for line in text.split("\n"):
            found = FENCE.match(line)
            if fence:
                yield line, True
                if found and found[1].startswith(fence) and not line.strip(" `~"):
                    fence = ""
            else:
                fence = found[1] if found else ""
                if found and found[2]:
                    self.source.fault(
                        self.cell, line.strip(), "code that is run belongs in a code cell, in Python"
                    )
                yield line, bool(found)


def _look_up(values: Mapping[str, Any], name: str, where: str) -> str:
    value: Any = values
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, (Mapping, list)):
        raise RenderError(f"{where} has no value {name!r}")
    return str(value)
