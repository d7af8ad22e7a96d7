"""The renderer that needs nothing but wheels: Pandoc for HTML and Typst markup, Typst for the PDF."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pypandoc
import typst

from evidence.errors import Fault, RenderError
from evidence.render.book import Book
from evidence.render.notebook import Source, read_source
from evidence.render.search import library, search_index

Mode = Literal["html", "typst", "check"]
READER = "markdown"
TIMESTAMP = 1577836800  # 2020-01-01, where SOURCE_DATE_EPOCH is not set: equal sources give equal bytes
ASSETS = "assets"
SOURCES = ".sources"  # Markdown, manifests and results; never published
FALLBACK_FONTS = ("DejaVu Sans",)  # has the Greek letters and signs that text faces lack
PAPER_TEMPLATE = "evidence-book.typ"
STYLE, SCRIPT = "book.css", "book.js"
SEARCH_INDEX, SEARCH_LIBRARY = "search-index.js", "elasticlunr.min.js"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run over the book found: faults, remarks, and the project's files that it needs."""

    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    files: tuple[str, ...]


def resource_folder() -> Path:
    """Return the folder of templates and Lua programs."""
    return Path(str(resources.files("evidence.render") / "resources"))


def read_sources(book: Book) -> tuple[Source, ...]:
    """Read all chapters of a book."""
    return tuple(read_source(book, chapter) for chapter in book.chapters)


def stage(book: Book, sources: Iterable[Source], work: Path) -> None:
    """Write the chapters as Markdown, and the images of their outputs, below a working folder."""
    for source in sources:
        folder = (work / source.chapter.page).parent
        folder.mkdir(parents=True, exist_ok=True)
        _write(_markdown(work, source), source.text.encode())
        for name, content in source.media.items():
            _write(folder / name, content)
        for name, content in source.downloads.items():
            _write(work / name, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _markdown(work: Path, source: Source) -> Path:
    return work / SOURCES / f"{source.chapter.path}.md"


def start(
    book: Book, sources: Sequence[Source], work: Path, *, mode: Mode, pdf: bool = False
) -> subprocess.Popen[bytes]:
    """Start Pandoc on the staged book; ``finish`` waits for it and reads what it found."""
    manifest = work / SOURCES / f"{mode}.json"
    manifest.write_text(json.dumps(_manifest(book, sources, work, mode=mode, pdf=pdf)), encoding="utf-8")
    command = [pypandoc.get_pandoc_path(), "lua", str(resource_folder() / "book.lua"), str(manifest)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603


def _manifest(book: Book, sources: Sequence[Source], work: Path, *, mode: Mode, pdf: bool) -> dict[str, Any]:
    return {
        "mode": mode,
        "reader": READER,
        "resources": str(resource_folder()),
        "root": str(book.root),
        "work": str(work),
        "out": str(work / "book.typ" if mode == "typst" else work),
        "result": str(work / SOURCES / f"{mode}.result.json"),
        "styles": [f"{ASSETS}/{STYLE}", *book.css],
        "script": f"{ASSETS}/{SCRIPT}",
        "after": book.after_body,
        "pdf": f"{book.output_file}.pdf" if pdf else False,
        "bibliography": book.bibliography,
        "csl": book.csl,
        "lang": book.lang,
        "number_sections": book.number_sections,
        "toc_depth": book.toc_depth,
        "chapters": [_chapter(source, work) for source in sources],
        **_imprint(book),
    }


def _chapter(source: Source, work: Path) -> dict[str, Any]:
    chapter = source.chapter
    return {
        "file": chapter.path,
        "page": chapter.page,
        "folder": chapter.folder,
        "part": chapter.part,
        "appendix": chapter.appendix,
        "title": str(source.front.get("title") or ""),
        "unnumbered": source.front.get("number-sections") is False,
        "source": str(_markdown(work, source)),
    }


def _imprint(book: Book) -> dict[str, str]:
    return {
        "title": book.title,
        "subtitle": book.subtitle,
        "authors": ", ".join(book.authors),
        "date": book.date,
        "version": book.version,
        "citation": book.citation,
    }


def finish(process: subprocess.Popen[bytes], work: Path, *, mode: Mode) -> Outcome:
    """Wait for a run and return what it found.

    Raises:
        RenderError: Pandoc itself failed.
    """
    output = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode:
        raise RenderError(f"Pandoc failed: {output}")
    found = json.loads((work / SOURCES / f"{mode}.result.json").read_text(encoding="utf-8"))
    return Outcome(
        faults=tuple(_fault(fault) for fault in found["faults"] or ()),
        notes=tuple(found["notes"] or ()),
        files=tuple(found["files"] or ()),
    )


def _fault(found: Mapping[str, Any]) -> Fault:
    place = f"cell {found['cell']}" if found["cell"] else ""
    return Fault(found["file"], 0, place, found["value"], found["mend"])


def copy_assets(book: Book, work: Path, files: Iterable[str]) -> None:
    """Put beside the pages what they need: style, scripts and search, the project's css, fonts and files."""
    (work / ASSETS).mkdir(exist_ok=True)
    for name in (STYLE, SCRIPT):
        shutil.copyfile(resource_folder() / name, work / ASSETS / name)
    shutil.copyfile(library(), work / ASSETS / SEARCH_LIBRARY)
    pages = {chapter.page: (work / chapter.page).read_text(encoding="utf-8") for chapter in book.chapters}
    (work / ASSETS / SEARCH_INDEX).write_text(search_index(pages), encoding="utf-8")
    for path in (*book.css, *files, *_styled_files(book), *_resource_files(book)):
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(book.root / path, target)


def _styled_files(book: Book) -> list[str]:
    """Return the files that the project's css names with url(...)."""
    found = []
    for path in book.css:
        folder = (book.root / path).parent
        for name in re.findall(r"url\(\"?([^\")]+)\"?\)", (book.root / path).read_text(encoding="utf-8")):
            if (folder / name).is_file():
                found.append(os.path.relpath(folder / name, book.root))
    return found


def _resource_files(book: Book) -> list[str]:
    paths = [path for pattern in book.resources for path in sorted(book.root.glob(pattern))]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return [str(file.relative_to(book.root)) for file in files if file.is_file()]


def copy_files(book: Book, work: Path, files: Iterable[str]) -> None:
    """Put the project's images where Typst can read them."""
    for path in files:
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(book.root / path, target)


def compile_pdf(book: Book, work: Path) -> tuple[Path, tuple[str, ...]]:
    """Compile the Typst document of the working folder; return the PDF and remarks.

    The PDF is PDF/UA-1 where it passes Typst's checks, else an ordinary tagged PDF and a remark says why.
    """
    shutil.copyfile(resource_folder() / PAPER_TEMPLATE, work / PAPER_TEMPLATE)
    (work / "evidence-book.json").write_text(json.dumps(_paper_meta(book)), encoding="utf-8")
    target = work / f"{book.output_file}.pdf"
    try:
        _compile(book, work, target, standard="ua-1")
    except typst.TypstError as refused:
        try:
            _compile(book, work, target, standard=None)
        except typst.TypstError as error:
            raise RenderError(f"Typst failed: {error.diagnostic or error.message}") from error
        return target, (f"the PDF is not PDF/UA-1: {refused.message}",)
    return target, ()


def _compile(book: Book, work: Path, target: Path, *, standard: Literal["ua-1"] | None) -> None:
    typst.compile(
        work / "book.typ",
        output=target,
        root=work,
        font_paths=[*(book.root / path for path in book.font_paths), *_fallback_font_folders()],
        ignore_system_fonts=True,
        pdf_standards=standard,
        timestamp=int(os.environ.get("SOURCE_DATE_EPOCH", TIMESTAMP)),
    )


def _fallback_font_folders() -> list[Path]:
    """Return where matplotlib keeps DejaVu, without the cost of importing it."""
    found = importlib.util.find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    return [Path(place) / "mpl-data" / "fonts" / "ttf" for place in places or ()]


def _paper_meta(book: Book) -> dict[str, Any]:
    language, _, region = book.lang.partition("-")
    fonts = [font for font in (book.font, *FALLBACK_FONTS) if font]
    return {**_imprint(book), "lang": language, "region": region or None, "fonts": fonts}
