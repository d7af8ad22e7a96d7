"""Where a PDF of Typst's prints its runs of text: a line, or a part of one, each with its box on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pypdf
from pypdf.generic import ContentStream

SLACK = 0.6  # points that two runs may share, as a letter that leans over the next
POINTS = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text as printed: its ends on the line, its baseline and its size, in points."""

    left: float
    right: float
    base: float
    size: float
    text: str

    def overprints(self, other: Run) -> bool:
        """Return whether the other run, not begun before this one, is printed over its end."""
        near = abs(self.base - other.base) < 0.5 * min(self.size, other.size)
        return near and other.left < min(self.right, other.right) - SLACK


def _widths(font: Any) -> dict[int, float]:
    found: dict[int, float] = {}
    listed = list(font["/DescendantFonts"][0].get_object()["/W"])
    while listed:
        first, second = listed[0], listed[1]
        if isinstance(second, list):
            found |= {int(first) + place: float(width) for place, width in enumerate(second)}
            listed = listed[2:]
        else:
            found |= dict.fromkeys(range(int(first), int(second) + 1), float(listed[2]))
            listed = listed[3:]
    return found


def _codes(shown: Any) -> list[int]:
    raw = shown if isinstance(shown, bytes) else shown.original_bytes
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


@dataclass(frozen=True, slots=True)
class _Font:
    widths: dict[int, float]
    letters: dict[int, str]

    def glyphs(self, pieces: list[Any]) -> list[tuple[float, str]]:
        """Return how far each glyph goes on and what it stands for; moves between glyphs stand for nothing."""
        found: list[tuple[float, str]] = []
        for piece in pieces:
            if isinstance(piece, (str, bytes)):
                found += [(self.widths.get(code, 0.0), self.letters.get(code, "?")) for code in _codes(piece)]
            else:
                found.append((-float(piece), ""))
        while found and not found[-1][1].strip():  # a line's last space is not seen
            found.pop()
        return found


def _read(text: str) -> dict[int, str]:
    """Return what each code stands for, of the lists and ranges of a font's /ToUnicode."""
    found: dict[int, str] = {}
    for block in text.split("beginbfchar")[1:]:
        cells = block.split("endbfchar")[0].replace("<", " ").replace(">", " ").split()
        found |= {
            int(code, 16): bytes.fromhex(means).decode("utf-16-be", "replace")
            for code, means in zip(cells[::2], cells[1::2], strict=True)
        }
    return found


def _fonts(page: pypdf.PageObject) -> dict[str, _Font]:
    resources: Any = page["/Resources"]
    found: dict[str, _Font] = {}
    for name, font in resources.get("/Font", {}).items():
        said = font["/ToUnicode"].get_data().decode("latin-1")
        found[name] = _Font(_widths(font), _read(said))
    return found


def runs_of(page: pypdf.PageObject) -> list[Run]:
    """Return the runs of a page in the order of their left ends; none of its drawings."""
    fonts, font, size = _fonts(page), "", 0.0
    stack: list[tuple[float, float, float]] = []
    scale, x, y, found = 1.0, 0.0, 0.0, []
    for operands, operator in ContentStream(page["/Contents"].get_object(), page.pdf).operations:
        if operator == b"q":
            stack.append((scale, x, y))
        elif operator == b"Q":
            scale, x, y = stack.pop()
        elif operator == b"cm":
            a, _, _, _, e, f = (float(number) for number in operands)
            scale, x, y = scale * a, x + scale * e, y + scale * f
        elif operator == b"Tf":
            font, size = str(operands[0]), scale * float(operands[1])
        elif operator in (b"TJ", b"Tj"):
            glyphs = fonts[font].glyphs(operands[0] if operator == b"TJ" else [operands[0]])
            right = x + size * sum(width for width, _ in glyphs) / 1000
            found.append(Run(x, right, y, size, "".join(letter for _, letter in glyphs)))
    return sorted((run for run in found if run.text), key=lambda run: run.left)


def misprints(page: pypdf.PageObject, side: float = 16 * POINTS) -> list[str]:
    """Return what is wrong with the runs of a page: one over another, or one in the side margin."""
    runs, width = runs_of(page), float(page.mediabox.width)
    outside = (side - SLACK, width - side + SLACK)
    found = [f"in the margin: {run.text}" for run in runs if run.left < outside[0] or run.right > outside[1]]
    for place, run in enumerate(runs):
        for other in runs[place + 1 :]:
            if other.left > run.right:
                break
            if run.overprints(other):
                found.append(f"{run.text} under {other.text}")
    return found
