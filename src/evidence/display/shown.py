"""Items of which only what is published is at hand; whatever else they are asked, the item itself answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidence.display.model import Figure, Item, Prose, Table

Output = tuple[dict[str, str], dict[str, Any]]  # texts by media type, and the output's metadata
KEPT = ("published", "make")


class Shown:
    """What tables, figures and prose have in common of which only what is published is at hand.

    ``published`` is that; ``make`` returns the item itself, and notes what it reads.
    """

    __slots__ = ()

    def __init__(self, published: tuple[Output, ...], make: Callable[[], Item]) -> None:
        """Take what is published, and what makes the item."""
        for name, value in zip(KEPT, (published, make), strict=True):
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        """Return what the item has by a name."""
        return getattr(object.__getattribute__(self, "make")(), name)


class ShownTable(Shown, Table):
    """A table of which only what is published is at hand."""

    __slots__ = KEPT


class ShownFigure(Shown, Figure):
    """A figure of which only what is published is at hand."""

    __slots__ = KEPT


class ShownProse(Shown, Prose):
    """Prose of which only what is published is at hand."""

    __slots__ = KEPT


KINDS: dict[type, Callable[[tuple[Output, ...], Callable[[], Any]], Item]] = {
    Table: ShownTable,
    Figure: ShownFigure,
    Prose: ShownProse,
}


def published(item: Item) -> tuple[Output, ...] | None:
    """Return what is published of an item, where that is at hand."""
    if not isinstance(item, Shown):
        return None
    at_hand: tuple[Output, ...] = object.__getattribute__(item, "published")
    return at_hand
