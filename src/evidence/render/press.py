"""Runs Pandoc over a staged book: several at once, each on a share of the chapters, with a store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pypandoc

from evidence.errors import RenderError
from evidence.render import builtin
from evidence.render.book import Book
from evidence.render.builtin import Outcome
from evidence.render.notebook import Source

EXCHANGE = "exchange"  # what the runs tell each other, and the pieces of the Typst text
WORDS = ("scanned", "typst", "html")  # what a run says when it has got there
MOST = 4  # runs at once; each scans the whole book
LEAST_CHAPTERS = 4  # for fewer, a second run costs more than it brings
HEAP = "-A64m"  # Pandoc's own few megabytes make it collect garbage a sixth of the time
BEHIND = 5  # how far the pages stand back when the PDF is begun
KEPT = 6000  # entries; beyond, those that the last render had no use for are removed


@dataclass(slots=True)
class Press:
    """Runs of Pandoc at work on one book."""

    book: Book
    work: Path
    runs: list[Run] = field(default_factory=list)

    def await_word(self, word: str) -> bool:
        """Wait until every run says that it is done with something; return whether all got there."""
        reached = [run.reached(word) for run in self.runs]
        return all(reached)

    def give_way(self) -> None:
        """Let the runs take only what other work leaves of the processors, where the system knows how.

        Typst needs more time than the pages: once it has begun, a processor is its own.
        """
        if hasattr(os, "setpriority"):
            level = os.getpriority(os.PRIO_PROCESS, 0) + BEHIND
            for run in self.runs:
                with suppress(ProcessLookupError):  # it is done already
                    os.setpriority(os.PRIO_PROCESS, run.process.pid, level)

    def exchange(self) -> None:
        """Wait until every run has scanned its share, then let all go on.

        Raises:
            RenderError: one of them failed; the others would wait for it.
        """
        for run in self.runs:
            if not run.reached("scanned"):
                run.end()
                raise RenderError("Pandoc ended before its work was done")
        for run in self.runs:
            run.go_on()

    def typst(self) -> str:
        """Return the Typst text of the whole book, once ``typst`` was said."""
        folder = self.work / builtin.SOURCES / EXCHANGE
        names = ["front", *(str(number) for number in range(1, len(self.book.chapters) + 1)), "back"]
        pieces = [(folder / f"{name}.typ").read_text(encoding="utf-8") for name in names]
        return "\n\n".join(piece for piece in pieces if piece) + "\n"

    def finish(self) -> Outcome:
        """Wait for all runs and return what they found.

        Raises:
            RenderError: Pandoc itself failed.
        """
        for run in self.runs:
            run.end()
        return Outcome.of(builtin.outcome(self.work, run.name) for run in self.runs)


@dataclass(slots=True)
class Run:
    """One run of Pandoc: its process, and what it said that was no word of ours."""

    name: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def reached(self, word: str) -> bool:
        """Wait until the run says a word, or ends."""
        while word not in self.words:
            line = _pipe(self.process.stdout).readline()
            if not line:
                return False
            if line.strip() in WORDS:
                self.words.add(line.strip())
            else:
                self.said.append(line)
        return True

    def go_on(self) -> None:
        """Tell a run that has said ``scanned`` that all others have."""
        try:
            _pipe(self.process.stdin).write("go\n")
            _pipe(self.process.stdin).flush()
        except BrokenPipeError:
            return  # it failed; ``end`` says how

    def end(self) -> None:
        """Wait for the end.

        Raises:
            RenderError: Pandoc failed.
        """
        self.said.append(_pipe(self.process.stdout).read())
        if self.process.wait():
            said = "".join(self.said).strip() or "it said nothing"
            raise RenderError(f"Pandoc failed with status {self.process.returncode}: {said}")


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("the run has no such pipe")
    return stream


@contextmanager
def at_work(
    book: Book,
    sources: Sequence[Source],
    work: Path,
    *,
    modes: Sequence[str],
    pdf: bool = False,
    store: Path | None = None,
) -> Iterator[Press]:
    """Start Pandoc on a staged book; give the press when all chapters are scanned.

    Args:
        book: the book.
        sources: its chapters.
        work: the folder in which they are staged.
        modes: what to make, in this order; nothing makes the runs look for faults alone.
        pdf: whether the pages offer a PDF.
        store: folder of what earlier renders made of the chapters; None makes everything anew.
    """
    exchange = work / builtin.SOURCES / EXCHANGE
    exchange.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {
        "modes": list(modes),
        "exchange": str(exchange),
        "pdf": f"{book.output_file}.pdf" if pdf else False,
        "cache": str(store) if store else False,
    }
    press = Press(book, work)
    try:
        for number, share in enumerate(shares(sources, _count(sources)), 1):
            own = {**told, "share": share, "token": f"{os.getpid()}-{number}"}
            manifest = builtin.write_manifest(book, sources, work, name=f"run-{number}", how=own)
            press.runs.append(Run(f"run-{number}", _start(manifest)))
        press.exchange()
        yield press
    finally:
        for run in press.runs:
            if run.process.poll() is None:
                run.process.kill()
            run.process.communicate()


def _start(manifest: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        builtin.command(manifest),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=_surroundings(manifest.parent),
    )


def _surroundings(folder: Path) -> dict[str, str]:
    """Return the environment, with more memory for the package's own Pandoc, which takes the option.

    Pandoc reads the names of files as the locale says, and ours are in UTF-8 wherever we are started. What it
    leaves among temporary files when it is killed lies in ``folder``, and goes with it.
    """
    ours = Path(pypandoc.__file__).parent in Path(pypandoc.get_pandoc_path()).parents
    heap = {"GHCRTS": HEAP} if ours and "GHCRTS" not in os.environ else {}
    return {
        **os.environ,
        "TMPDIR": str(folder),
        **({"LC_ALL": "C.UTF-8"} if sys.platform == "linux" else {}),
        **heap,
    }


def _count(sources: Sequence[Source]) -> int:
    return max(1, min(MOST, os.cpu_count() or 1, len(sources) // LEAST_CHAPTERS))


def shares(sources: Sequence[Source], count: int) -> list[list[int]]:
    """Deal the chapters, counted from 1, so that each share has about as much text as the others."""
    dealt: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for position in sorted(range(len(sources)), key=lambda one: (-len(sources[one].text), one)):
        lightest = loads.index(min(loads))
        dealt[lightest].append(position + 1)
        loads[lightest] += len(sources[position].text)
    return [sorted(share) for share in dealt]


def prune(store: Path, used: Sequence[str], *, kept: int = KEPT) -> None:
    """Remove what the last render had no use for, where the store has become big."""
    entries = [path for path in store.glob("*/*") if path.is_file()]
    if len(entries) <= kept:
        return
    wanted = set(used)
    for path in entries:
        if path.name not in wanted:
            path.unlink(missing_ok=True)
