"""The renderer that needs nothing but wheels: Pandoc for HTML and Typst markup, Typst for the PDF."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pypandoc
import typst

from evidence.errors import Fault, RenderError
from evidence.render.book import Book
from evidence.render.notebook import Source, read_source
from evidence.render.search import SYNONYMS, library, read_synonyms, search_index

READER = "markdown"
TIMESTAMP = 1577836800  # 2020-01-01, where SOURCE_DATE_EPOCH is not set: equal sources give equal bytes
ASSETS = "assets"
SOURCES = ".sources"  # Markdown, manifests and results; never published
FALLBACK_FONTS = ("DejaVu Sans",)  # has the Greek letters and signs that text faces lack
PAPER, PAPER_TEMPLATE = "book.typ", "evidence-book.typ"
IMAGE = re.compile(r'#evidence-(?:inline-)?image\("/((?:[^"\\]|\\.)*)"')
STYLE, SCRIPT = "book.css", "book.js"
SEARCH_INDEX, SEARCH_LIBRARY = "search-index.js", "elasticlunr.min.js"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run over the book found: faults, remarks, and the project's files that it needs.

    ``read`` are the chapters that Pandoc read, ``used`` the entries of the store that are of use still.
    """

    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    used: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Outcome]) -> Outcome:
        """Return what several runs found together."""
        both = list(parts)
        return cls(
            faults=tuple(dict.fromkeys(fault for one in both for fault in one.faults)),
            notes=tuple(dict.fromkeys(note for one in both for note in one.notes)),
            files=tuple(sorted({file for one in both for file in one.files})),
            read=tuple(file for one in both for file in one.read),
            used=tuple(entry for one in both for entry in one.used),
        )


def resource_folder() -> Path:
    """Return the folder of templates and Lua programs."""
    return Path(str(resources.files("evidence.render") / "resources"))


def read_sources(book: Book) -> tuple[Source, ...]:
    """Read all chapters of a book."""
    return tuple(read_source(book, chapter) for chapter in book.chapters)


def stage(sources: Iterable[Source], work: Path) -> None:
    """Write the chapters as Markdown, with the images and downloads of their outputs, below a folder."""
    for source in sources:
        _write(_markdown(work, source), source.text.encode())
        stage_images(source, work)
        for name, content in source.downloads.items():
            _write(work / name, content)


def stage_images(source: Source, work: Path) -> None:
    """Write the images of a chapter's outputs below a working folder, beside the page that it becomes."""
    folder = (work / source.chapter.page).parent
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in source.media.items():
        _write(folder / name, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _markdown(work: Path, source: Source) -> Path:
    return work / SOURCES / f"{source.chapter.path}.md"


def write_manifest(
    book: Book, sources: Sequence[Source], work: Path, *, name: str, how: Mapping[str, Any]
) -> Path:
    """Write what one run of Pandoc is told; ``how`` says what it makes, and of which chapters."""
    manifest = work / SOURCES / f"{name}.json"
    told = {**_manifest(book, sources, work), "result": str(result_file(work, name)), **how}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    return manifest


def result_file(work: Path, name: str) -> Path:
    """Return where a run of Pandoc writes what it found."""
    return work / SOURCES / f"{name}.result.json"


def command(manifest: Path) -> list[str]:
    """Return the command that runs Pandoc as a manifest tells."""
    return [pypandoc.get_pandoc_path(), "lua", str(resource_folder() / "book.lua"), str(manifest)]


def _manifest(book: Book, sources: Sequence[Source], work: Path) -> dict[str, Any]:
    base = recipe(book)
    return {
        "reader": READER,
        "resources": str(resource_folder()),
        "root": str(book.root),
        "work": str(work),
        "out": str(work),
        "base": base,
        "styles": [f"{ASSETS}/{STYLE}", *book.css],
        "script": f"{ASSETS}/{SCRIPT}",
        "after": book.after_body,
        "bibliography": book.bibliography,
        "csl": book.csl,
        "lang": book.lang,
        "number_sections": book.number_sections,
        "toc_depth": book.toc_depth,
        "chapters": [_chapter(source, work, base) for source in sources],
        **_imprint(book),
    }


def recipe(book: Book) -> str:
    """Return the hash of all that makes any chapter what it becomes: filters, templates, Pandoc, settings."""
    made_by = [path.read_bytes() for path in sorted(resource_folder().glob("*")) if path.is_file()]
    settings = [READER, str(pypandoc.get_pandoc_version()), book.lang, str(book.toc_depth)]
    return _digest(*made_by, *(text.encode() for text in settings))


def _digest(*parts: bytes) -> str:
    return sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def _chapter(source: Source, work: Path, base: str) -> dict[str, Any]:
    chapter = source.chapter
    title = str(source.front.get("title") or "")
    unnumbered = source.front.get("number-sections") is False
    return {
        "file": chapter.path,
        "page": chapter.page,
        "folder": chapter.folder,
        "part": chapter.part,
        "appendix": chapter.appendix,
        "title": title,
        "unnumbered": unnumbered,
        "source": str(_markdown(work, source)),
        "digest": _digest(*(text.encode() for text in (base, title, str(unnumbered), source.text))),
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


def outcome(work: Path, name: str) -> Outcome:
    """Return what a run of Pandoc found."""
    found = json.loads(result_file(work, name).read_text(encoding="utf-8"))
    return Outcome(
        faults=tuple(_fault(fault) for fault in found["faults"] or ()),
        notes=tuple(found["notes"] or ()),
        files=tuple(found["files"] or ()),
        read=tuple(found["read"] or ()),
        used=tuple(found["used"] or ()),
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
    (work / ASSETS / SEARCH_INDEX).write_text(
        search_index(pages, read_synonyms(book.root / SYNONYMS)), encoding="utf-8", newline="\n"
    )
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
                found.append(Path(os.path.relpath(folder / name, book.root)).as_posix())
    return found


def _resource_files(book: Book) -> list[str]:
    paths = [path for pattern in book.resources for path in sorted(book.root.glob(pattern))]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return [file.relative_to(book.root).as_posix() for file in files if file.is_file()]


def copy_images(book: Book, folder: Path, text: str) -> None:
    """Put the project's images that a Typst text names where Typst can read them."""
    for named in dict.fromkeys(IMAGE.findall(text)):
        path = re.sub(r"\\(.)", r"\1", named)
        target = folder / path
        if not target.exists() and (book.root / path).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(book.root / path, target)


def make_pdf(book: Book, folder: Path, store: Path | None) -> tuple[str, ...]:
    """Make the PDF of the Typst text in a folder, or take it from the store; return remarks."""
    shutil.copyfile(resource_folder() / PAPER_TEMPLATE, folder / PAPER_TEMPLATE)
    (folder / "evidence-book.json").write_text(json.dumps(_paper_meta(book)), encoding="utf-8")
    target = folder / f"{book.output_file}.pdf"
    kept = store / "pdf" / _paper_key(book, folder) if store else None
    if kept and (found := _kept_paper(kept)):
        target.write_bytes(found[1])
        return found[0]
    notes = compile_pdf(book, folder, target)
    if kept:
        content = json.dumps(notes).encode() + b"\n" + target.read_bytes()
        _write_whole(kept, sha256(content).hexdigest().encode() + b"\n" + content)
    return notes


def _paper_key(book: Book, folder: Path) -> str:
    """Return the hash of everything that the PDF is made from."""
    parts = [version("typst").encode(), str(_timestamp()).encode()]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if SOURCES not in path.relative_to(folder).parts:
            parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    for place in _font_folders(book):
        parts += [path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()]
    return _digest(*parts)


def _kept_paper(path: Path) -> tuple[tuple[str, ...], bytes] | None:
    """Return the remarks and the PDF that were kept; None where they are not, or not as they were."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if sha256(content).hexdigest().encode() != digest:
        return None
    notes, _, pdf = content.partition(b"\n")
    return tuple(json.loads(notes)), pdf


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    os.replace(draft, path)


def compile_pdf(book: Book, folder: Path, target: Path) -> tuple[str, ...]:
    """Compile the Typst text of a folder; return remarks.

    The PDF is PDF/UA-1 where it passes Typst's checks, else an ordinary tagged PDF and a remark says why.

    Raises:
        RenderError: Typst refused the text.
    """
    try:
        _compile(book, folder, target, standard="ua-1")
    except typst.TypstError as refused:
        try:
            _compile(book, folder, target, standard=None)
        except typst.TypstError as error:
            raise RenderError(f"Typst failed: {error.diagnostic or error.message}") from error
        return (f"the PDF is not PDF/UA-1: {refused.message}",)
    return ()


def _compile(book: Book, work: Path, target: Path, *, standard: Literal["ua-1"] | None) -> None:
    typst.compile(
        work / PAPER,
        output=target,
        root=work,
        font_paths=_font_folders(book),
        ignore_system_fonts=True,
        pdf_standards=standard,
        timestamp=_timestamp(),
    )


def _timestamp() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH", TIMESTAMP))


def _font_folders(book: Book) -> list[Path]:
    return [*(book.root / path for path in book.font_paths), *_fallback_font_folders()]


def _fallback_font_folders() -> list[Path]:
    """Return where matplotlib keeps DejaVu, without the cost of importing it."""
    found = importlib.util.find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    return [Path(place) / "mpl-data" / "fonts" / "ttf" for place in places or ()]


def _paper_meta(book: Book) -> dict[str, Any]:
    language, _, region = book.lang.partition("-")
    fonts = [font for font in (book.font, *FALLBACK_FONTS) if font]
    return {**_imprint(book), "lang": language, "region": region or None, "fonts": fonts}
