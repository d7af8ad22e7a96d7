"""What ``_quarto.yml`` says of the book: title, chapters, bibliography, look."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from evidence.errors import RenderError
from evidence.project import ROOT_MARK

CHAPTER_SUFFIXES = (".ipynb", ".qmd", ".md")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One source file of the book; ``part`` is the title of the part it stands in, or empty."""

    path: str
    part: str = ""
    appendix: bool = False

    @property
    def page(self) -> str:
        """Return the HTML page that this file becomes, relative to the output folder."""
        return str(PurePosixPath(self.path).with_suffix(".html"))

    @property
    def folder(self) -> str:
        """Return the folder of the file relative to the project; empty at the root."""
        parent = str(PurePosixPath(self.path).parent)
        return "" if parent == "." else parent


@dataclass(frozen=True, slots=True)
class Book:
    """The book as the project's ``_quarto.yml`` describes it; paths are relative to ``root``."""

    root: Path
    title: str
    chapters: tuple[Chapter, ...]
    subtitle: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    version: str = ""
    lang: str = "en"
    output_file: str = "report"
    bibliography: tuple[str, ...] = ()
    csl: str = ""
    css: tuple[str, ...] = ()
    after_body: str = ""
    url: str = ""
    resources: tuple[str, ...] = ()
    font: str = ""
    font_paths: tuple[str, ...] = ()
    toc_depth: int = 3
    number_sections: bool = True
    variables: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def citation(self) -> str:
        """Return how the report is cited: who, when, what, which version, where."""
        who = f"{', '.join(self.authors)}{f' ({self.date})' if self.date else ''}"
        what = ": ".join(part for part in (self.title, self.subtitle) if part)
        named = self.version.lower().startswith("version") or not self.version
        version = self.version if named else f"Version {self.version}"
        return " ".join(f"{part.rstrip('.')}." for part in (who, what, version) if part) + (
            f" {self.url}" if self.url else ""
        )


def read_book(project: Path) -> Book:
    """Read ``_quarto.yml`` and ``_variables.yml`` of a project folder.

    Raises:
        RenderError: the file is absent or malformed, or lacks a title or chapters.
    """
    settings = _mapping(project / ROOT_MARK)
    book = settings.get("book")
    if not isinstance(book, dict) or not book.get("title") or not book.get("chapters"):
        raise RenderError(f"{project / ROOT_MARK}: give book: title: and book: chapters:")
    variables = _mapping(project / "_variables.yml") if (project / "_variables.yml").is_file() else {}
    return Book(
        root=project,
        chapters=(*_chapters(book["chapters"]), *_chapters(book.get("appendices"), appendix=True)),
        variables=variables,
        metadata={**settings, **{key: value for key, value in book.items() if key != "chapters"}},
        **_identity(settings, book),
        after_body=_included(project, settings),
        **_look(settings, book),
    )


def _identity(settings: Mapping[str, Any], book: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": str(book["title"]),
        "subtitle": str(book.get("subtitle") or ""),
        "authors": tuple(_author(author) for author in _list(book.get("author"))),
        "date": _date(book.get("date") or settings.get("date")),
        "version": str((settings.get("report") or {}).get("version") or ""),
        "lang": str(settings.get("lang") or "en"),
        "output_file": str(book.get("output-file") or "report"),
        "url": str(book.get("site-url") or book.get("repo-url") or ""),
    }


def _look(settings: Mapping[str, Any], book: Mapping[str, Any]) -> dict[str, Any]:
    html, paper = _format(settings, "html"), _format(settings, "typst")
    return {
        "bibliography": _texts(settings.get("bibliography") or book.get("bibliography")),
        "csl": str(settings.get("csl") or ""),
        "css": _texts(html.get("css")),
        "resources": _texts((settings.get("project") or {}).get("resources")),
        "font": str(paper.get("mainfont") or settings.get("mainfont") or ""),
        "font_paths": _texts(paper.get("font-paths") or settings.get("font-paths")),
        "toc_depth": int(settings.get("toc-depth") or html.get("toc-depth") or 3),
        "number_sections": settings.get("number-sections", html.get("number-sections", True)) is not False,
    }


def _included(project: Path, settings: Mapping[str, Any]) -> str:
    """Return what the HTML pages end with: the text of ``include-after-body``, files or ``text:``."""
    entries = _list(_format(settings, "html").get("include-after-body"))
    return "\n".join(_inclusion(project, entry) for entry in entries)


def _inclusion(project: Path, entry: Any) -> str:
    if isinstance(entry, dict) and "text" in entry:
        return str(entry["text"])
    path = project / str(entry["file"] if isinstance(entry, dict) else entry)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RenderError(
            f"{ROOT_MARK}: include-after-body: {path} cannot be read ({error.strerror})"
        ) from error


def _chapters(entries: Any, *, part: str = "", appendix: bool = False) -> Iterator[Chapter]:
    for entry in _list(entries):
        if isinstance(entry, dict) and "part" in entry:
            yield from _chapters(entry.get("chapters"), part=_part_title(entry["part"]), appendix=appendix)
        else:
            path = entry.get("file") or entry.get("href") if isinstance(entry, dict) else entry
            yield Chapter(_chapter_path(path), part=part, appendix=appendix)


def _part_title(part: Any) -> str:
    if str(part).endswith(CHAPTER_SUFFIXES):
        raise RenderError(f"{ROOT_MARK}: part {part!r} is a file; give the part's title instead")
    return str(part)


def _chapter_path(path: Any) -> str:
    if not isinstance(path, str) or not path.endswith(CHAPTER_SUFFIXES):
        raise RenderError(
            f"{ROOT_MARK}: chapter {path!r} is not a file ending in {', '.join(CHAPTER_SUFFIXES)}"
        )
    return str(PurePosixPath(path))


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RenderError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise RenderError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise RenderError(f"{path}: must hold names and values")
    return content


def _format(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    formats = settings.get("format")
    options = formats.get(name) if isinstance(formats, dict) else None
    return options if isinstance(options, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in _list(value))


def _author(author: Any) -> str:
    name = author.get("name", "") if isinstance(author, dict) else author
    return " ".join(str(part) for part in name.values()) if isinstance(name, dict) else str(name)


def _date(value: Any) -> str:
    """Return a date as printed; ``today`` becomes SOURCE_DATE_EPOCH's day where that is set."""
    if value in (None, "", "today", "now", "last-modified"):
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch and value else None
        return f"{moment.day} {moment:%B %Y}" if moment else ""
    return str(value)
