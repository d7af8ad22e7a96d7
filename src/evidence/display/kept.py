"""What a notebook showed when it ran before, taken again where nothing that it was made from has changed.

A report is built again after a row was corrected: then a notebook that reads the row runs again, and most of
what it shows does not depend on that row. While a report is built, what each call of a notebook makes is kept
as it is published, with what it was made from (``reads.Made``). A later run of the same code makes the same
calls in the same order as long as what its own lines read is the same, and those of them whose reads have not
changed make the same again. Anywhere else, in JupyterLab too, everything is made anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from evidence import memo, reads
from evidence.display.model import Item
from evidence.display.publish import outputs
from evidence.display.shown import KINDS, Output

Builder = Callable[..., Any]
Make = Callable[[], Any]
Page = tuple[str, tuple[Output, ...]]  # the kind of an item, and what is published of it
Pages = Page | list[Page]
NAMED = {kind.__name__: shown for kind, shown in KINDS.items()}


def wanted() -> bool:
    """Return whether what the running notebook shows is kept for later runs."""
    return memo.keeps() and reads.may_keep()


def again(name: str, find: Callable[[], Builder]) -> Builder:
    """Return a builder that gives what is shown as it was made before, where it would be the same.

    Args:
        name: of the builder.
        find: gives the builder itself, which is loaded only where it has to work.
    """

    def built(*arguments: Any, **named: Any) -> Any:
        def make() -> Any:
            return find()(*arguments, **named)

        if not wanted():
            return make()
        call = reads.next_call(name)
        before = reads.made_before(call)
        if before and (kept := memo.get(before.kept)):
            reads.note_made(call, before.kept, before.reads)
            return _shown(kept[0], make)
        return _made(call, make)

    return built


def _shown(pages: Pages, make: Make) -> Any:
    """Return one item of which what is published is at hand, or a list of them."""
    if isinstance(pages, tuple):
        return NAMED[pages[0]](pages[1], make)
    return [NAMED[kind](one, partial(_one_of, make, place)) for place, (kind, one) in enumerate(pages)]


def _one_of(make: Make, place: int) -> Any:
    return make()[place]


def _made(call: str, make: Make) -> Any:
    """Return what is made, and keep how it is published; as it is where it is nothing to show."""
    pages: Pages | None = None
    with _heard() as words, reads.making() as found:
        made = make()
        if isinstance(made, list) and all(type(one) in KINDS for one in made):
            pages = [_page(one) for one in made]
            reads.goes_astray()  # how many there are may lead the notebook to other calls
        elif type(made) in KINDS:
            pages = _page(made)
    if pages is None:
        reads.note_again(found)
        return made
    if not words:
        reads.note_made(call, memo.put("shown", pages), found)

    def told() -> Any:
        reads.note_again(found)
        return made

    return _shown(pages, told)


def _page(item: Item) -> Page:
    return type(item).__name__, outputs(item)


@contextmanager
def _heard() -> Iterator[list[object]]:
    """Collect the warnings that are given inside, which go their way; what was warned of is not kept."""
    heard: list[object] = []
    tell = warnings.showwarning

    def listen(*arguments: Any, **named: Any) -> None:
        heard.append(arguments)
        tell(*arguments, **named)

    warnings.showwarning = listen
    try:
        yield heard
    finally:
        warnings.showwarning = tell
