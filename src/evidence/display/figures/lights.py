"""The light of a judgement on risk of bias: its colour, shape and sign, wherever it stands in a figure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evidence import parameters
from evidence.synthesis.bias import RANKS, SIGNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIGHT, SMALL = 15.0, 11.5  # points across: in a table of lights, and beside a row of a forest plot
ROOM = 18.0  # points that a column of small lights takes


@dataclass(frozen=True, slots=True)
class Look:
    """Colour and shape of a judgement, and the ink of the sign on it: none is told by colour alone."""

    color: str
    ink: str
    edge: str
    marker: str


MARKERS = ("o", "s", "o", "D", "8")
FILLS = {  # fill, sign and edge by theme; greys darken with the risk, amber is as theme.IN_THE_DARK names it
    "light": (
        ("#17795e", "#ffffff", "#17795e"),
        ("#f2c14e", "#1c2531", "#a87b00"),
        ("#ffffff", "#1c2530", "#5c6773"),
        ("#b23c00", "#ffffff", "#b23c00"),
        ("#4d0f2b", "#ffffff", "#4d0f2b"),
    ),
    "print": (
        ("#efefef", "#000000", "#525252"),
        ("#bdbdbd", "#000000", "#525252"),
        ("#ffffff", "#000000", "#525252"),
        ("#5f5f5f", "#ffffff", "#5f5f5f"),
        ("#000000", "#ffffff", "#000000"),
    ),
    "contrast": (
        ("#005c42", "#ffffff", "#000000"),
        ("#ffd966", "#000001", "#000000"),
        ("#ffffff", "#000000", "#000000"),
        ("#8f3300", "#ffffff", "#000000"),
        ("#3a001d", "#ffffff", "#000000"),
    ),
}
SIZES = {"o": 1.0, "s": 0.9, "D": 0.82, "8": 1.05}  # so that the shapes look equally large


def light_look(judgement: str) -> Look:
    """Return how the light of a judgement is drawn."""
    rank = RANKS[judgement]
    return Look(*FILLS[parameters.theme()][rank], MARKERS[rank])


def draw_light(axis: Axes, x: float, y: float, judgement: str, *, size: float = LIGHT) -> None:
    """Draw the light of a judgement with its sign, centred on a place of the axis; ``size`` in points."""
    _draw(axis, x, y, judgement, size, {}, {"fontsize": size * 0.74})


def draw_light_beside(axis: Axes, x: float, y: float, judgement: str) -> None:
    """Draw a small light at a share of the axis's width, which may lie beside it, level with ``y``."""
    _draw(axis, x, y, judgement, SMALL, {"transform": axis.get_yaxis_transform()}, {})


def _draw(
    axis: Axes, x: float, y: float, judgement: str, size: float, place: dict[str, Any], words: dict[str, Any]
) -> None:
    look = light_look(judgement)
    axis.plot(
        [x], [y], look.marker, markersize=size * SIZES[look.marker], markerfacecolor=look.color,
        markeredgecolor=look.edge, markeredgewidth=1.0, clip_on=False, zorder=3, **place,
    )  # fmt: skip
    sign: dict[str, Any] = {"ha": "center", "va": "center", "color": look.ink, "weight": "bold", "zorder": 4}
    axis.text(x, y, SIGNS[judgement], **sign, **place, **words)


def lights_legend(judgements: Collection[str]) -> str:
    """Return the meaning of the signs of risk of bias that stand at the right, from best to worst.

    >>> lights_legend({"high", "low"})
    'Lights at the right, risk of bias: + low, × high.'
    """
    told = [f"{sign} {judgement}" for judgement, sign in SIGNS.items() if judgement in judgements]
    return f"Lights at the right, risk of bias: {', '.join(told)}." if told else ""
