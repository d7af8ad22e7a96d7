"""What is written and drawn in one row of a forest plot, and how much room it takes."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Literal

from evidence.display import theme

POINTS = 72 * theme.WIDTH  # the width of the figure in points
LINE, GAP, SPACE = 13.0, 5.0, 4.0  # points: a line of text, the space below a row and above a heading
LEFT = 124.0  # points at the left of the value axis
CHARACTER = 4.4  # points: the mean width of a letter at 9 points
Shape = Literal["square", "diamond", "hollow", "bar", "none"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands on the second line of a row: counts, an interval on the axis, a weight, a judgement."""

    estimate: float
    low: float
    high: float
    shape: Shape
    size: float = 0.0
    counts: tuple[str, str] = ("", "")
    weight: str = ""
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Words on the left and right of a line, the mark below them or on it, and the points left free above.

    ``level`` is 1 for the heading of a section, 2 for that of a group, else 0; a row that ``joins`` the one
    above it is never parted from it.
    """

    left: str
    right: str = ""
    bold: bool = False
    muted: bool = False
    mark: Mark | None = None
    same_line: bool = False
    before: float = 0.0
    level: int = 0
    joins: bool = False

    @property
    def lines(self) -> list[str]:
        """Return the words on the left in lines that leave room for those on the right."""
        beside = LEFT if self.same_line else POINTS - CHARACTER * (len(self.right) + 2)
        kept = re.sub(r"(?<=\d) (?=[a-z])", "\u00a0", self.left)  # a number stays with its unit
        return textwrap.wrap(kept, max(16, int(beside / CHARACTER))) or [""]

    @property
    def height(self) -> float:
        """Return the points that the row takes."""
        marked = LINE if self.mark and not self.same_line else 0.0
        return (
            self.before + LINE * len(self.lines) + marked + (GAP if self.mark and not self.same_line else 1.0)
        )
