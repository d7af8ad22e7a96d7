"""Says what of a project's sources is wrong, or outside the subset of Quarto that both renderers share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from evidence.errors import Fault
from evidence.render.book import Book, read_book
from evidence.render.builtin import read_sources, stage
from evidence.render.notebook import Source
from evidence.render.press import at_work


def lint(project: Path) -> list[Fault]:
    """Return every fault of a project's sources, with file and cell; none means both renderers can go on.

    Faults are unresolved references, labels used twice, missing images, files and bibliography keys, and
    whatever lies outside the subset.

    Raises:
        RenderError: ``_quarto.yml`` cannot be read.
    """
    book = read_book(project.resolve())
    sources = read_sources(book)
    with TemporaryDirectory(prefix="evidence-lint-") as folder:
        work = Path(folder)
        stage(sources, work)
        with at_work(book, sources, work, modes=()) as press:
            found = press.finish()
    return all_faults(book, sources, found.faults)


def all_faults(book: Book, sources: Sequence[Source], found: Sequence[Fault]) -> list[Fault]:
    """Return the faults of the project's files, of its notebooks and of their text, by chapter and cell."""
    order = {chapter.path: position for position, chapter in enumerate(book.chapters)}
    unread = {source.chapter.path for source in sources if not source.text}  # of these, that alone is told
    faults = [fault for source in sources for fault in source.faults]
    faults += [fault for fault in found if fault.file not in unread]
    faults.sort(key=lambda fault: (order.get(fault.file, -1), _cell(fault)))
    return _missing_files(book) + list(dict.fromkeys(faults))


def _cell(fault: Fault) -> int:
    digits = fault.column.removeprefix("cell ")
    return int(digits) if digits.isdigit() else 0


def _missing_files(book: Book) -> list[Fault]:
    named = [("bibliography", path) for path in book.bibliography] + [("css", path) for path in book.css]
    if book.csl:
        named.append(("csl", book.csl))
    return [
        Fault("_quarto.yml", 0, key, path, "there is no such file")
        for key, path in named
        if not (book.root / path).is_file()
    ]
