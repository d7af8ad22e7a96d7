"""A forest plot too long for one page, split into parts that can each be read by themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from evidence.display.figures.forest_rows import SPACE, Row

TALLEST = 575.0  # points: what a printed page holds at full size beside a caption
WHOLE = 1.15  # a drawing up to this many times as high stays whole: print then sets 9 points as 7.8
CLOSER = tuple(share / 20 for share in range(19, 9, -1))  # of the room, that parts are made to fill
CONTINUED = "continued"


def split_rows(
    head: Sequence[Row], rows: Sequence[Row], height: Callable[[Row], float], *, room: float = TALLEST
) -> list[list[Row]]:
    """Return the rows in parts of at most the given height, the head above each of them; few stay whole.

    A heading stays with the row below it, a summary with what belongs to it; a part that begins inside a
    section or group repeats their headings. A block higher than the room is a part by itself.

    Args:
        head: rows that name the columns.
        rows: the rows below them, from top to bottom.
        height: the points that a row takes.
        room: points for head and rows together.
    """

    def high(some: Sequence[Row]) -> float:
        return sum(map(height, some))

    if high([*head, *rows]) <= WHOLE * room:
        return [[*head, *rows]]
    parts = _filled(head, rows, height, room)
    for share in CLOSER:  # as even as so many parts can be
        closer = _filled(head, rows, height, share * room)
        if len(closer) == len(parts):
            parts = closer
    return parts


def begun(part: Sequence[Row], heads: int) -> list[Row]:
    """Return a part without the space that parts its first section from what stood before it."""
    return [
        replace(row, before=min(row.before, SPACE)) if place == heads else row
        for place, row in enumerate(part)
    ]


def _filled(
    head: Sequence[Row], rows: Sequence[Row], height: Callable[[Row], float], room: float
) -> list[list[Row]]:
    """Return the rows in parts, each filled before the next; a section that fits a part is not divided."""

    def high(some: Sequence[Row]) -> float:
        return sum(map(height, some))

    parts: list[list[Row]] = []
    left, inside, blocks = 0.0, list[Row](), _blocks(rows)
    for place, block in enumerate(blocks):
        section = high(_section(blocks[place:])) if block[0].level == 1 else 0.0
        whole = section if high(head) + section <= room else 0.0
        if not parts or max(high(block), whole) > left:
            again = [] if block[0].level == 1 else _again(inside, block)
            parts.append([*head, *again])
            left = room - high(parts[-1])
        parts[-1] += block
        left -= high(block)
        inside = _inside(inside, block)
    return parts


def _section(blocks: Sequence[Sequence[Row]]) -> list[Row]:
    """Return the rows from the first block to the next section."""
    rest = itertools.takewhile(lambda block: block[0].level != 1, blocks[1:])
    return [*blocks[0], *itertools.chain.from_iterable(rest)]


def _blocks(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows that stay together: headings with the next row, further lines with the one above."""
    blocks: list[list[Row]] = []
    for row in rows:
        if blocks and (row.joins or blocks[-1][-1].level):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def _inside(known: Sequence[Row], block: Sequence[Row]) -> list[Row]:
    """Return the headings that the row after a block stands under."""
    found = list(known)
    for row in block:
        if row.level:
            found = [one for one in found if one.level < row.level] + [row]
    return found


def _again(inside: Sequence[Row], block: Sequence[Row]) -> list[Row]:
    """Return the headings to repeat above a block: those it does not bring along itself."""
    own = min((row.level for row in block if row.level), default=3)
    kept = [row for row in inside if row.level < own]
    return [replace(row, left=f"{row.left} ({CONTINUED})") for row in kept]
