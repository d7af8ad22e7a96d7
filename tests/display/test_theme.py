"""Palettes: fixed meanings, told apart without colour and by eyes that lack a kind of cone."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from evidence import load
from evidence.display import bias_summary_figure, rates_figure, representation, theme
from evidence.display.figures.lights import FILLS, light_look
from evidence.parameters import Parameters, set_theme

from ..conftest import ROOT

# Machado, Oliveira and Fernandes 2009 (doi:10.1109/TVCG.2009.113), table of severity 1.0, on linear sRGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                   [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
FAR = 12.0  # in CIE 1976 colour difference; 2.3 is just noticeable


@pytest.fixture(autouse=True)
def _light():
    yield
    set_theme("light")


def linear(color):
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(color):
    return 1.05 / ((TO_XYZ @ linear(color))[1] + 0.05)


def lab(color, eye="all cones"):
    seen = np.clip(EYES[eye] @ linear(color), 0, 1)
    ratio = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", ["light", "contrast"])
def test_every_two_series_are_told_apart_by_every_kind_of_eye(name: str, eye: str):
    seen = [lab(color, eye) for color in theme.PALETTES[name].series]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) > FAR


def test_print_has_no_colour_and_neighbours_far_apart_in_lightness():
    look = theme.PALETTES["print"]
    fills = [color for three in FILLS["print"] for color in three]
    assert all(color[1:3] == color[3:5] == color[5:7] for color in (*look.colors, *fills))
    assert all(abs(lab(one)[0] - lab(other)[0]) > FAR for one, other in pairwise(look.series))


@pytest.mark.parametrize(("name", "least"), [("light", 4.5), ("print", 4.5), ("contrast", 7.0)])
def test_words_and_lines_stand_out_from_paper(name: str, least: float):
    look = theme.PALETTES[name]
    assert min(contrast(color) for color in (look.ink, look.muted, *look.series)) >= least
    assert all(
        max(contrast(fill) / contrast(sign), contrast(sign) / contrast(fill)) >= 4.5
        for fill, sign, _ in FILLS[name]
    )


# Filter Effects Module Level 1, section 8.1: the matrix of hue-rotate(180deg), on sRGB as it is coded.
TURNED = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
DARK_PAPER = "#14171a"


def inverted(color):
    """Return a colour as a dark page shows it: inverted, its hue turned back, on the page's ground."""
    coded = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    ground = np.array([int(DARK_PAPER[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    seen = 1 - (1 - np.clip(TURNED @ (1 - coded), 0, 1)) * (1 - ground)
    return "#" + "".join(f"{round(255 * part):02x}" for part in seen)


@pytest.mark.parametrize("name", ["light", "contrast"])
def test_amber_stays_amber_in_the_dark_and_its_sign_can_be_read(name: str):
    assert f"--paper: {DARK_PAPER}" in (ROOT / "assets" / "report.css").read_text(encoding="utf-8")
    fill, sign, _ = FILLS[name][1]
    amber, dark_sign = inverted(theme.IN_THE_DARK[fill]), inverted(theme.IN_THE_DARK[sign])
    assert contrast(dark_sign) / contrast(amber) >= 4.5
    assert contrast(DARK_PAPER) / contrast(amber) >= 3.0
    lightness, _, yellow = lab(amber)
    assert lightness > 55  # below it, what is orange or yellow is named brown
    assert yellow > 40
    assert lab(inverted(fill))[0] < 45
    assert all(sign not in (look[1], theme.PALETTES[name].ink) for look in FILLS[name][2:])


def test_a_drawing_with_amber_brings_its_fills_for_the_dark_and_others_bring_none():
    drawing = representation(bias_summary_figure(load(ROOT / "data")))[0]["image/svg+xml"]
    fill, sign, _ = FILLS["light"][1]
    for one in (fill, sign):
        assert f'[style*="fill: {one}"]{{fill: {theme.IN_THE_DARK[one]} !important}}' in drawing
        assert f'style="fill: {one}' in drawing
    chosen = {"study_id": "saa_pilot", "outcome_ids": ["complete_response"]}
    without = rates_figure(load(ROOT / "data"), Parameters(), **chosen)
    assert "@media" not in representation(without)[0]["image/svg+xml"]


def test_no_theme_gives_two_series_or_judgements_one_look():
    for look in theme.PALETTES.values():
        assert len({style.marker for style in look.styles}) == len(set(look.series)) == 6
    assert all(len({fill for fill, _, _ in fills}) == 5 for fills in FILLS.values())


def test_markers_and_lines_are_the_same_in_every_theme():
    shapes = {
        tuple((one.marker, one.line, one.size) for one in look.styles) for look in theme.PALETTES.values()
    }
    assert len(shapes) == 1


def test_a_colour_of_the_light_theme_has_its_like_in_every_other():
    set_theme("print")
    assert theme.now(theme.LIGHT.series[1]) == theme.PALETTES["print"].series[1] == theme.style(1).color
    assert theme.now("#123456") == "#123456"
    assert theme.INK == "#000000"
    assert light_look("low").color == FILLS["print"][0][0]


def test_the_theme_of_the_parameters_changes_figures_and_nothing_of_their_words(data):
    drawn, words = set(), set()
    for name in theme.PALETTES:
        chosen = Parameters.of({"theme": name})
        figure = rates_figure(data, chosen, study_id="pilot", outcome_ids=["complete_response"])
        drawn.add(representation(figure)[0]["image/svg+xml"])
        words.add((figure.caption, figure.alt))
    assert (len(drawn), len(words)) == (3, 1)


def test_an_unknown_name_of_the_theme_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'BLUE'"):
        theme.BLUE  # noqa: B018
