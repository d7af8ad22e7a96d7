"""One look for every figure: quiet axes, labels beside what they name, the same bytes on every run."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence.errors import BuildError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

WIDTH = 5.4  # inches: inside the text of an A4 page, so that 9 pt prints as 9 pt; readable on a phone
FONT_SIZE = 9.0
FONT = "IBM Plex Sans"
FALLBACK = "DejaVu Sans"  # comes with matplotlib; also draws the signs that the first font lacks
INK, MUTED, GRID, PAPER = "#1c2530", "#5c6773", "#e4e8ec", "#ffffff"


@dataclass(frozen=True, slots=True)
class Style:
    """Colour, marker and line of one series; no two share a marker, so that colour is never needed."""

    color: str
    marker: str
    line: Any
    size: float


# Colours of Okabe and Ito, darkened to a contrast of at least 3:1 on white.
STYLES: tuple[Style, ...] = (
    Style("#0b62a8", "o", "-", 6.5),
    Style("#c2500a", "s", "--", 6.0),
    Style("#00805e", "D", "-.", 6.0),
    Style("#a3487f", "^", ":", 7.5),
    Style("#7a6200", "v", (0, (5, 1)), 7.5),
    Style("#3f4a56", "P", (0, (3, 1, 1, 1)), 7.0),
)


def style(index: int) -> Style:
    """Return the style of the series at a position; they repeat after six."""
    return STYLES[index % len(STYLES)]


@functools.cache
def font_family() -> tuple[str, ...]:
    """Return the fonts to draw with: the project's own where its files are found, and the fallback."""
    from matplotlib import font_manager

    for path in _font_files():
        font_manager.fontManager.addfont(path)
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return (FONT, FALLBACK) if FONT in known else (FALLBACK,)


def _font_files() -> list[Path]:
    from evidence.project import find_root

    try:
        return sorted((find_root() / "assets" / "fonts").glob("**/*.ttf"))
    except BuildError:
        return []


@contextmanager
def themed() -> Iterator[None]:
    """Draw and save under the theme; settings outside are left as they were."""
    import matplotlib as mpl
    import seaborn as sns

    look = {**sns.axes_style("ticks"), **sns.plotting_context("paper"), **_settings()}
    with mpl.rc_context(look):
        yield


def _settings() -> dict[str, Any]:
    sizes = ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "axes.titlesize")
    inks = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
    return {
        **dict.fromkeys(sizes, FONT_SIZE),
        **dict.fromkeys(inks, INK),
        "font.family": list(font_family()),
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.major.width": 0.7,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "svg.hashsalt": "evidence",
        "svg.fonttype": "path",
    }


def svg(figure: Canvas) -> str:
    """Return the figure as SVG text: letters as outlines, no date, the same bytes on every run."""
    buffer = io.StringIO()
    with themed():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
