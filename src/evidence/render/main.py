"""The one way in: render a project with whichever renderer is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pypandoc

from evidence.errors import Fault, RenderError
from evidence.render import builtin, quarto
from evidence.render.book import Book, read_book
from evidence.render.crosslinks import crosslink
from evidence.render.lint import all_faults, lint
from evidence.render.press import at_work, prune

Format = Literal["html", "pdf"]
Renderer = Literal["auto", "quarto", "builtin"]
PRESS = ".press"  # where the PDF is made


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made: renderer and its version, the files, and remarks that are no errors."""

    renderer: str
    version: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def program_for(renderer: Renderer) -> quarto.Program | None:
    """Return the Quarto program that a choice of renderer stands for, or None for the built-in renderer.

    Raises:
        RenderError: Quarto was asked for and no working program is there.
    """
    program = quarto.find() if renderer in ("auto", "quarto") else None
    if renderer == "quarto" and program is None:
        raise RenderError(
            "no working quarto program was found; install quarto-cli, or use the built-in renderer"
        )
    return program


def render(
    project: Path,
    output: Path,
    *,
    formats: Sequence[Format] = ("html", "pdf"),
    renderer: Renderer = "auto",
    store: Path | None = None,
) -> Rendered:
    """Render the book in ``project`` (a folder with ``_quarto.yml`` and executed notebooks) into ``output``.

    Args:
        project: the staged project.
        output: folder that gets the pages and the PDF; files already there stay, unless of the same name.
        formats: ``html``, ``pdf`` or both.
        renderer: ``auto`` takes Quarto where a working one is found, else the built-in renderer.
        store: folder in which the built-in renderer keeps what it made of each chapter, for the next time.

    Raises:
        RenderError: lists every fault of the sources with file and cell; nothing is written then.
    """
    project, output = project.resolve(), output.resolve()
    program = program_for(renderer)
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".render-", dir=output.parent) as folder:
        work = Path(folder)
        if program:
            _refuse(lint(project))
            notes = quarto.run(program, project, work, formats=formats)
            if "html" in formats:
                crosslink(work, [chapter.page for chapter in read_book(project).chapters])
        else:
            notes = _built_in(project, work, formats, store)
        files = _publish(work, output)
    if program:
        return Rendered("quarto", program.version, files, notes)
    return Rendered("builtin", f"Pandoc {pypandoc.get_pandoc_version()}", files, notes)


def _built_in(project: Path, work: Path, formats: Sequence[Format], store: Path | None) -> tuple[str, ...]:
    # Looked for here, once: two threads that look at the same time can find another, older program.
    pypandoc.get_pandoc_path()
    book = read_book(project)
    sources = builtin.read_sources(book)
    pages, paper = "html" in formats, "pdf" in formats
    folder = work / PRESS
    home = work if pages else folder
    builtin.stage(sources, home)
    modes = [mode for mode, wanted in (("typst", paper), ("html", pages)) if wanted]
    with (
        at_work(book, sources, home, modes=modes, pdf=paper, store=store) as press,
        ThreadPoolExecutor(1) as pool,
    ):
        printed = None
        # Typst reads what nothing else writes to, put there while Pandoc is at work.
        for source in sources if paper and pages else ():
            builtin.stage_images(source, folder)
        if paper and press.await_word("typst"):
            printed = pool.submit(_paper, book, folder, press.typst(), store)
            press.give_way()
        found = press.finish()
        _refuse(all_faults(book, sources, found.faults))
        if pages:
            builtin.copy_assets(book, work, found.files)
            crosslink(work, [chapter.page for chapter in book.chapters])
        notes = printed.result() if printed else ()
    if paper:
        os.replace(folder / f"{book.output_file}.pdf", work / f"{book.output_file}.pdf")
    if store:
        prune(store, found.used)
    return tuple(dict.fromkeys((*found.notes, *notes)))


def _paper(book: Book, folder: Path, text: str, store: Path | None) -> tuple[str, ...]:
    """Work in a folder of its own: Typst must not read a file that the pages are just being written to."""
    (folder / builtin.PAPER).write_text(text, encoding="utf-8")
    builtin.copy_images(book, folder, text)
    return builtin.make_pdf(book, folder, store)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise RenderError("\n".join(str(fault) for fault in faults))


def _publish(work: Path, output: Path) -> tuple[Path, ...]:
    """Move every file of the working folder to its place in the output, replacing what is there."""
    made = []
    for path in sorted(work.rglob("*")):
        relative = path.relative_to(work)
        if path.is_file() and relative.parts[0] not in (builtin.SOURCES, PRESS):
            target = output / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
            made.append(target)
    return tuple(made)
