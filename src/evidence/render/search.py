"""What the pages' search looks through: their sections, tables and figures, written as a script."""

from __future__ import annotations

import html
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.errors import RenderError

LIBRARY = "templates/resources/elasticlunr.min.js"  # inside the package pdoc; MIT
HEADINGS = ("h1", "h2", "h3", "h4")
# What nobody searches: menus and controls, code, and what is not text.
UNSEEN = re.compile(
    r"<(script|style|nav|button|footer|dialog)\b.*?</\1>"
    r'|<details class="code".*?</details>|<p class="downloads".*?</p>|<!--.*?-->',
    re.DOTALL,
)
BREAKS = {"td": " · ", "th": " · ", "p": " ", "li": " ", "tr": " ", "figcaption": " "}
SYNONYMS = "assets/synonyms.txt"  # of the project: which words its readers use for one thing
VOID = ("br", "img", "hr", "input", "wbr")
SEEN = "|".join((*HEADINGS, "figure", *BREAKS, *VOID))  # the tags that tell passages or words apart
OTHER = re.compile(rf"</?(?!(?:{SEEN})\b)[a-zA-Z!][^>]*>")
TAG = re.compile(rf"<(/?)({SEEN})\b([^>]*)>")
ANCHOR = re.compile(r'\sid="([^"]+)"')


@dataclass(slots=True)
class Passage:
    """A place that can be found: its anchor, its heading or caption, and its words."""

    anchor: str
    title: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Takes a page of the built-in renderer apart at its headings, tables and figures."""

    passages: list[Passage] = field(default_factory=list)
    float: Passage | None = None
    titling: str = ""  # the tag whose text is a title

    def begin(self, tag: str, attributes: str) -> None:
        """Begin a passage at a heading, a table or a figure."""
        anchor = ANCHOR.search(attributes) if tag in HEADINGS or tag == "figure" else None
        if tag in VOID:
            self.add(" ")
        elif anchor:
            passage = Passage(html.unescape(anchor[1]))
            self.passages.append(passage)
            if tag == "figure":
                self.float = passage
            else:
                self.titling = tag
        elif tag == "figcaption":
            self.titling = tag

    def end(self, tag: str) -> None:
        """End what the tag began: a title, a table or a figure."""
        if tag == self.titling:
            self.titling = ""
        if tag == "figure" and self.float:
            self._after_float()
        if tag in BREAKS:
            self.add(BREAKS[tag])

    def _after_float(self) -> None:
        """Go on with the section that the table or figure stands in."""
        section = next(passage for passage in reversed(self.passages) if passage is not self.float)
        self.passages.append(Passage(section.anchor, section.title))
        self.float = None

    def add(self, text: str) -> None:
        """Add text to the title or the words of the passage."""
        if self.passages:
            passage = self.passages[-1]
            (passage.title if self.titling else passage.words).append(text)


def passages(page: str) -> list[tuple[str, str, str]]:
    """Return the anchor, title and words of each section, table and figure of an HTML page.

    >>> passages('<h2 id="a">Fruit</h2><p>Two pears.</p><details class="code"><p>x</p></details>')
    [('a', 'Fruit', 'Two pears.')]
    """
    reader = _Reader()
    _, *marks = TAG.split(OTHER.sub("", UNSEEN.sub("", page)))
    for closing, tag, attributes, text in zip(*[iter(marks)] * 4, strict=True):
        if closing:
            reader.end(tag)
        else:
            reader.begin(tag, attributes)
        reader.add(html.unescape(text))
    found: dict[str, tuple[str, str]] = {}
    for passage in reader.passages:
        title, words = _line(passage.title), _line(passage.words)
        before = found.get(passage.anchor, ("", ""))[1]
        found[passage.anchor] = (title, f"{before} {words}".strip())
    return [(anchor, title, words) for anchor, (title, words) in found.items()]


def _line(pieces: list[str]) -> str:
    text = " ".join("".join(pieces).split())
    return re.sub(r"(?:· )*·(?= |$)", "·", text).strip("· ")


def search_index(pages: Mapping[str, str], synonyms: Sequence[Sequence[str]] = ()) -> str:
    """Return the script that hands all passages of a report to its search.

    Args:
        pages: the HTML text of every page under its address relative to the report.
        synonyms: groups of words and phrases that are searched for together.

    Returns:
        ``evidencePassages = [[page, chapter, [[anchor, title, words], ...]], ...];`` and below it
        ``evidenceSynonyms = [[phrase, ...], ...];``
    """
    rows = []
    for address, page in pages.items():
        found = passages(page)
        rows.append([address, found[0][1] if found else "", found])
    return _assigned("evidencePassages", rows) + _assigned("evidenceSynonyms", synonyms)


def _assigned(name: str, value: Any) -> str:
    return f"{name} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))};\n"


def read_synonyms(path: Path) -> list[list[str]]:
    """Return the groups of a list of synonyms: one per line, divided by commas; ``#`` begins a remark.

    A project without the list has none.
    """
    if not path.is_file():
        return []
    lines = (line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines())
    groups = [[phrase.strip().lower() for phrase in line.split(",") if phrase.strip()] for line in lines]
    return [group for group in groups if len(group) > 1]


def library() -> Path:
    """Return the file of the search library that the pages load.

    Raises:
        RenderError: the package that ships it is not installed.
    """
    found = importlib.util.find_spec("pdoc")
    for place in found.submodule_search_locations if found and found.submodule_search_locations else ():
        if (Path(place) / LIBRARY).is_file():
            return Path(place) / LIBRARY
    raise RenderError("the search library is missing; install pdoc as requirements-core.txt pins it")
