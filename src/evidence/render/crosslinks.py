"""Links between finished pages: from table rows that name a study to its page, and from there back."""

from __future__ import annotations

import html
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

OWN = re.compile(r'\bid="sec-study-[\w-]+"')  # the anchor of a page's title, where the page is a study's own
TITLE = re.compile(r"(<h1\b[^>]*>)(.*?)(</h1>)", re.DOTALL)
NUMBER = re.compile(r'<span class="(?:section|chapter)-number">[^<]*</span>')
TAG = re.compile(r"<[^>]+>")
# The first cell of a row up to its words, and what may follow a name in it: signs, an arm, a remark.
ROW = r'(<tr[^>]*>\s*<t[hd]\b[^>]*>(?:<span class="v"[^>]*>|<strong>)*)'
AFTER = r"(?=[<:§†‡¶≠*]|\s\()"
# The data rows that a value names, as its title tells them: "A study · Table 1 · rows a-c001, a-c002".
TITLED = re.compile(r'<span class="v" title="([^"]*)"')
DATA_ROW = re.compile(r"\b[\w-]+-[a-z]\d{3}\b")
MOST = 3  # chapters that a study's page leads back to
LEAST = 0.25  # of the rows that the first of them shows: the others show more than this share


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a page, its number apart, and whether the page is a study's own."""

    title: str
    number: str
    study: bool


def heading(page: str) -> Heading | None:
    """Return what a page is called; None where it has no title.

    >>> heading('<h1 id="sec-study-a"><span class="section-number">3</span> Trial <em>A</em></h1>')
    Heading(title='Trial A', number='3', study=True)
    """
    found = TITLE.search(page)
    if not found:
        return None
    number = NUMBER.search(found[2])
    words = TAG.sub("", NUMBER.sub("", found[2]))
    return Heading(
        " ".join(html.unescape(words).split()),
        TAG.sub("", number[0]) if number else "",
        bool(OWN.search(found[0])),
    )


def crosslinked(pages: Mapping[str, str]) -> dict[str, str]:
    """Return those of a book's pages, in its order, that get links, with the links in them.

    A row whose first cell begins with the title of a study's page leads to that page. A study's page leads
    back to the chapters that show most of the data rows that it shows.
    """
    titles = {address: found for address, page in pages.items() if (found := heading(page))}
    studies = {found.title: address for address, found in titles.items() if found.study}
    if not studies:
        return {}
    named, chapters = _pattern(studies), [one for one, found in titles.items() if not found.study]
    made = {address: named.sub(_linker(address, studies), page) for address, page in pages.items()}
    shown = {address: _data_rows(pages[address]) for address in titles}
    for address in studies.values():
        shared = Counter({one: len(shown[address] & shown[one]) for one in chapters})
        most = max(shared.values(), default=0)
        back = [one for one, count in shared.most_common(MOST) if count > most * LEAST]
        made[address] = _with_return(address, made[address], back, titles)
    return {address: page for address, page in made.items() if page != pages[address]}


def _data_rows(page: str) -> set[str]:
    return {row for title in set(TITLED.findall(page)) for row in DATA_ROW.findall(title)}


def _pattern(titles: Mapping[str, str]) -> re.Pattern[str]:
    """Return what finds a study's name at the beginning of a row, the longest name that fits."""
    names = (re.escape(html.escape(title, quote=False)) for title in sorted(titles, key=len, reverse=True))
    spaced = "|".join(name.replace(r"\ ", "[ \u00a0]") for name in names)
    return re.compile(f"{ROW}({spaced}){AFTER}")


def _linker(address: str, studies: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    """Return what puts a link into a row of one page; a page does not lead to itself."""

    def linked(found: re.Match[str]) -> str:
        target = studies[html.unescape(found[2]).replace("\u00a0", " ")]
        if target == address:
            return found[0]
        return f'{found[1]}<a class="study" href="{_path(address, target)}">{found[2]}</a>'

    return linked


def _with_return(address: str, page: str, back: Sequence[str], titles: Mapping[str, Heading]) -> str:
    links = [f'<a href="{_path(address, one)}">{_numbered(titles[one])}</a>' for one in back]
    said = f'\n<p class="return">In the chapters: {", ".join(links)}</p>' if links else ""
    return TITLE.sub(lambda found: found[0] + said, page, count=1)


def _numbered(found: Heading) -> str:
    return html.escape(f"{found.number} {found.title}".strip(), quote=False)


def _path(start: str, target: str) -> str:
    return posixpath.relpath(target, PurePosixPath(start).parent or ".")


def crosslink(folder: Path, pages: list[str]) -> None:
    """Put the links into the pages of a finished report, in place; ``pages`` are in the book's order."""
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in pages if (folder / name).is_file()}
    for name, text in crosslinked(texts).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
