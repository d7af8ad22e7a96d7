"""Who cannot see a figure is told its main numbers, and these are the numbers that were drawn."""

import csv
import functools
import html
import math
import re

import pytest

from .conftest import REPORT

NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*(?:\.\d+)?")
FIGURE = re.compile(r'<figure[^>]*\bid="(fig-[\w-]+)".*?</figure>', re.DOTALL)
ALT = re.compile(r'<img\b[^>]*?\balt="([^"]*)"', re.DOTALL)
SHARED = 0.33  # of the numbers told; others are in names, in thresholds, or sums of those drawn
SCALES = (1, 100, 1000)  # as it is, in per cent, per 1,000 patients


@functools.cache
def figures() -> dict[str, list[str]]:
    """Return the alternative texts of every labelled figure of the report."""
    found: dict[str, list[str]] = {}
    for path in REPORT.rglob("*.html"):
        for figure in FIGURE.finditer(path.read_text(encoding="utf-8")):
            found[figure.group(1)] = [html.unescape(alt) for alt in ALT.findall(figure.group(0))]
    return found


def number(text: str) -> tuple[float, int]:
    """Return a number as it is written, with its decimals."""
    return float(text.replace("−", "-").replace(",", "")), len(text.partition(".")[2])


def drawn(label: str) -> tuple[list[str], list[float]]:
    """Return the words of a figure's data, and every number in them."""
    text = (REPORT / "figures" / f"{label}.csv").read_text(encoding="utf-8")
    rows = [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(text.splitlines())]
    cells = [cell for row in rows for cell in row.values()]
    if any("diagram" in row for row in rows):
        return cells, []
    values = [number(cell)[0] for cell in cells if NUMBER.fullmatch(cell)]
    words = [cell for cell in cells if not NUMBER.fullmatch(cell)]
    return words, [*values, float(len(rows))] if values else []


def agrees(text: str, values: list[float]) -> bool:
    """Return whether a number as written is one of the values, rounded as it is."""
    told, decimals = number(text)
    half = 0.5 * 10**-decimals + 1e-9
    return any(abs(abs(value * scale) - abs(told)) <= half for value in values for scale in SCALES)


def test_the_report_has_figures_and_each_is_described():
    found = figures()
    assert len(found) > 20
    assert {label for label, alts in found.items() if not alts or not all(map(str.strip, alts))} == set()


@pytest.mark.parametrize("label", sorted(figures()))
def test_a_description_tells_numbers_of_the_figure(label: str):
    words, values = drawn(label)
    told = " ".join(figures()[label])
    if not values:  # a diagram, or a figure of judgements: words and no numbers
        assert sum(word.lower() in told.lower() for word in set(words)) >= 2
        return
    said = NUMBER.findall(told)
    shared = [text for text in said if agrees(text, values)]
    assert len(shared) >= max(1, math.ceil(SHARED * len(said))), (said, shared)


def test_a_number_that_was_not_drawn_is_noticed():
    assert agrees("34.4", [0.34375])
    assert agrees("344", [0.34375])
    assert not agrees("35.4", [0.34375])
