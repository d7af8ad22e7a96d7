"""One look for every figure: quiet axes, labels beside what they name, the same bytes on every run.

``INK``, ``MUTED``, ``GRID``, ``PAPER`` and ``STYLES`` are those of the theme in force, which is a parameter:
``light``, ``print`` in greys that stay apart without colour, or ``contrast`` for the strongest contrast.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import parameters
from evidence.errors import BuildError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

WIDTH = 5.4  # inches: inside the text of an A4 page, so that 9 pt prints as 9 pt; readable on a phone
FONT_SIZE = 9.0
FONT = "IBM Plex Sans"
FALLBACK = "DejaVu Sans"  # comes with matplotlib; also draws the signs that the first font lacks


@dataclass(frozen=True, slots=True)
class Style:
    """Colour, marker and line of one series; no two share a marker, so that colour is never needed."""

    color: str
    marker: str
    line: Any
    size: float


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours with a fixed meaning: text, what stands back, lines of a grid, paper, and the series."""

    ink: str
    muted: str
    grid: str
    paper: str
    series: tuple[str, ...]
    line: float = 0.7

    @property
    def colors(self) -> tuple[str, ...]:
        """Return all colours, in the same order in every palette."""
        return (self.ink, self.muted, self.grid, self.paper, *self.series)

    @property
    def styles(self) -> tuple[Style, ...]:
        """Return the styles of the series; markers and lines are the same in every palette."""
        return tuple(Style(color, *shape) for color, shape in zip(self.series, SHAPES, strict=True))


SHAPES: tuple[tuple[str, Any, float], ...] = (
    ("o", "-", 6.5),
    ("s", "--", 6.0),
    ("D", "-.", 6.0),
    ("^", ":", 7.5),
    ("v", (0, (5, 1)), 7.5),
    ("P", (0, (3, 1, 1, 1)), 7.0),
)
PALETTES: dict[parameters.Theme, Palette] = {
    # Colours of Okabe and Ito, darkened to a contrast of at least 4.5:1 on white.
    "light": Palette(
        "#1c2530", "#5c6773", "#e4e8ec", "#ffffff",
        ("#0b62a8", "#c2500a", "#00805e", "#a3487f", "#5c3d00", "#3f4a56"),
    ),
    # Greys with 4.5:1 on white, so that words in them can be read; neighbours as far apart as six can be.
    "print": Palette(
        "#000000", "#525252", "#d9d9d9", "#ffffff",
        ("#000000", "#767676", "#3b3b3b", "#636363", "#1f1f1f", "#505050"),
    ),
    # The same hues at 7:1 on white, the ratio that WCAG 2.2 calls enhanced (1.4.6).
    "contrast": Palette(
        "#000000", "#2e2e2e", "#c4c4c4", "#ffffff",
        ("#00468b", "#8f3300", "#005c42", "#7a1f5c", "#402000", "#000000"), 1.1,
    ),
}  # fmt: skip
LIGHT = PALETTES["light"]
# A dark page inverts its drawings (assets/report.css): bright amber with a dark sign would turn brown with a
# bright one. Fills of amber and of the signs on it, and what stands for them there before they are inverted.
IN_THE_DARK = {"#f2c14e": "#9c7000", "#1c2531": "#ffffff", "#ffd966": "#8a6000", "#000001": "#ffffff"}

if TYPE_CHECKING:
    INK: str
    MUTED: str
    GRID: str
    PAPER: str
    STYLES: tuple[Style, ...]


def __getattr__(name: str) -> Any:
    found = {"INK": "ink", "MUTED": "muted", "GRID": "grid", "PAPER": "paper", "STYLES": "styles"}
    if name not in found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(palette(), found[name])


def palette() -> Palette:
    """Return the palette of the theme in force."""
    return PALETTES[parameters.theme()]


def now(color: str) -> str:
    """Return what stands in the theme in force for a colour of the light one; other colours as they are."""
    return dict(zip(LIGHT.colors, palette().colors, strict=True)).get(color, color)


def style(index: int) -> Style:
    """Return the style of the series at a position; they repeat after six."""
    styles = palette().styles
    return styles[index % len(styles)]


def background() -> Style:
    """Return the style of what stands back: arms without a drug of their own."""
    return Style(palette().muted, "X", ":", 7.0)


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
    with mpl.rc_context(look), warnings.catch_warnings():
        # A sign that no font has is drawn as an empty box; the page need not say so beside the figure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _settings() -> dict[str, Any]:
    sizes = ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "axes.titlesize")
    inks = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
    look = palette()
    return {
        **dict.fromkeys(sizes, FONT_SIZE),
        **dict.fromkeys(inks, look.ink),
        "font.family": list(font_family()),
        "axes.edgecolor": look.muted,
        "axes.linewidth": look.line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": look.grid,
        "grid.linewidth": look.line,
        "axes.axisbelow": True,
        "xtick.color": look.muted,
        "ytick.color": look.muted,
        "xtick.major.width": look.line,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "figure.facecolor": look.paper,
        "savefig.facecolor": look.paper,
        "svg.hashsalt": "evidence",
        "svg.fonttype": "path",
        "text.parse_math": False,  # a dollar sign in the data is a dollar sign
    }


def svg(figure: Canvas) -> str:
    """Return the figure as SVG text: letters as outlines, no date, the same bytes on every run."""
    buffer = io.StringIO()
    with themed():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _for_the_dark(buffer.getvalue())


def _for_the_dark(text: str) -> str:
    """Return a drawing with the fills that it has on a dark page; unchanged where it has none such."""
    rules = [
        f'[style*="fill: {fill}"]{{fill: {other} !important}}'
        for fill, other in IN_THE_DARK.items()
        if f"fill: {fill}" in text
    ]
    style = f"<style>@media (prefers-color-scheme: dark) {{{''.join(rules)}}}</style>\n"
    start, end, rest = text.rpartition("</svg>")
    return f"{start}{style}{end}{rest}" if rules else text
