"""Risk of bias shown: lights with signs, shares that add up, reasons with passages; and the light of a result."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from evidence.data import load
from evidence.display import (
    bias_figure,
    bias_prose,
    bias_summary_figure,
    bias_table,
    bias_tools_table,
    representation,
    unjudged_table,
)
from evidence.display.documents import place_within
from evidence.display.figures.lights import light_look
from evidence.synthesis.bias import RANKS, SIGNS, TOOLS, assessments, bias_lights, overall, shares

ROOT = Path(__file__).parents[2]
COLUMNS = [
    "row_id",
    "source_id",
    "locator",
    "study_id",
    "outcome_id",
    "tool",
    "domain",
    "judgement",
    "reason",
]
DOMAINS = [domain.name for domain in TOOLS[0].domains]


def judged(
    study: str, outcome: str, words: list[str], *, tool: str = "RoB 2", domains: list[str] = DOMAINS
) -> list[Any]:
    pairs = [*zip(domains, words, strict=True), ("overall", overall(words))]
    return [
        (
            f"{study}-{outcome}-{place}",
            "paper",
            f"Table {place}",
            study,
            outcome,
            tool,
            domain,
            word,
            f"Because of {domain}.",
        )
        for place, (domain, word) in enumerate(pairs)
    ]


def made(rows: list[Any]) -> Any:
    """Return what the builders read of a dataset: two invented studies, one of them without a judgement."""
    studies = pd.DataFrame(
        {"row_id": ["s1", "s2"], "study_id": ["alpha", "beta"], "label": ["Study Alpha", "Study Beta"],
         "design": ["randomised_trial", "meta_analysis"], "origin": ["seed", "seed"], "source_id": ["paper", "paper"]}
    )  # fmt: skip
    outcomes = pd.DataFrame(
        {
            "outcome_id": ["response", "event"],
            "label": ["Response", "Any event"],
            "domain": ["efficacy", "safety"],
        }
    )
    sources = pd.DataFrame(
        {
            "source_id": ["paper"],
            "title": [""],
            "kind": ["article"],
            "citekey": ["p"],
            "year": ["2020"],
            "origin": ["seed"],
        }
    )
    counts = pd.DataFrame({"study_id": ["alpha"], "outcome_id": ["response"], "time": [6.0]})
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(reviewer="one reviewer")
    held = SimpleNamespace(
        studies=studies, outcomes=outcomes, sources=sources, counts=counts, risk_of_bias=frame
    )
    held.select = lambda name, study_id: frame[frame["study_id"] == study_id]
    return held


@pytest.fixture
def data() -> Any:
    rows = judged("alpha", "response", ["low", "low", "some concerns", "low", "low"])
    return made(rows + judged("alpha", "event", ["low", "low", "some concerns", "high", "no information"]))


@pytest.fixture(scope="module")
def real() -> Any:
    return load(ROOT / "data")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_overall_is_the_worst_of_any_mixture(tool):
    """ROBINS-I, Table 2 of Sterne 2016: lacking information comes after serious and critical problems."""
    for words in itertools.combinations_with_replacement(tool.scale, 3):
        assert overall(words) == tool.scale[max(map(tool.scale.index, words))]


def test_words_of_one_rank_share_a_sign_and_no_two_ranks_look_alike():
    ranks = set(RANKS.values())
    assert len({SIGNS[word] for word in RANKS}) == len(ranks)
    looks = {(RANKS[word], light_look(word)) for word in RANKS}
    assert len(looks) == len({(look.marker, look.color) for _, look in looks}) == len(ranks)


def test_the_light_of_a_result_names_the_domains_that_decide(data):
    light = bias_lights(data, "alpha", "event")
    assert (light.sign, light.judgement, light.because) == ("×", "high", ("measurement of the outcome",))
    assert bias_lights(data, "alpha", "response").sign == "−"


def test_what_was_not_judged_has_no_light(data):
    assert bias_lights(data, "beta", "response") is None
    assert bias_lights(data, "alpha", "another") is None


def test_a_judgement_on_the_whole_study_stands_in():
    data = made(judged("alpha", "", ["low"] * 5))
    assert bias_lights(data, "alpha", "response").judgement == "low"
    assert bias_lights(data, "alpha", "response").because == ()


def test_a_domain_whose_row_is_missing_is_no_information(data):
    data.risk_of_bias = data.risk_of_bias[data.risk_of_bias["domain"] != "missing outcome data"]
    first = assessments(data)[0]
    assert first.overall == "no information"
    assert [one.domain.short for one in first.decisive] == ["Missing data"]


def test_a_result_without_an_overall_row_is_not_judged(data):
    data.risk_of_bias = data.risk_of_bias[data.risk_of_bias["domain"] != "overall"]
    assert assessments(data) == ()


def test_a_tool_that_is_not_known_has_the_domains_judged_with_it():
    data = made(judged("alpha", "response", ["low", "unclear"], tool="Another", domains=["one", "two"]))
    assert [domain.short for domain in assessments(data)[0].tool.domains] == ["One", "Two"]
    assert "Another" in bias_summary_figure(data).alt
    assert "? no information" not in representation(bias_table(data, tool="Another"))[0]["text/plain"]


def test_shares_of_each_domain_add_up_to_one(real):
    frame = shares(assessments(real))
    assert frame.groupby(["tool", "domain"])["share"].sum().tolist() == pytest.approx([1.0] * 21)


def test_the_figure_draws_a_sign_for_every_judgement(data):
    figure = bias_figure(data, tool="RoB 2")
    signs = [
        text.get_text() for text in figure.figure.axes[0].texts if text.get_text() in set(SIGNS.values())
    ]
    assert len(signs) == 2 * 6 + len(TOOLS[0].scale)
    assert "Study Alpha: response some concerns, any event high" in figure.alt
    assert "2 results of 1 study; overall some concerns in 1 and high in 1" in figure.caption


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS])
def test_no_words_of_the_figure_leave_it_or_lie_under_a_light(real, tool):
    made = bias_figure(real, tool=tool)
    for figure in (made.figure, *made.narrow):
        axis, renderer = figure.axes[0], FigureCanvasAgg(figure).get_renderer()
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in axis.texts]
        page = figure.bbox
        lights = [box for text, box in boxes if text in set(SIGNS.values())]
        assert all(box.x0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1 for _, box in boxes)
        for text, box in boxes:
            if text not in set(SIGNS.values()):
                assert not any(box.overlaps(light) for light in lights), text


def test_a_phone_shows_the_same_lights_and_bars_on_a_narrower_sheet(real):
    for made in (bias_figure(real, tool="RoB 2"), bias_summary_figure(real)):
        (small,) = made.narrow
        assert small.get_size_inches()[0] < made.figure.get_size_inches()[0]
        wide, narrow = (len(one.axes[0].lines) + len(one.axes[0].patches) for one in (made.figure, small))
        assert narrow == wide


def test_the_table_takes_equal_reasons_together_and_names_outcomes_where_they_differ(data):
    text = " ".join(representation(bias_table(data, tool="RoB 2"))[0]["text/plain"].split())
    assert text.count("Because of randomisation process. [Article, 2020: Table 0]") == 1
    assert "× high Measurement of the outcome for any event: Because" in text
    assert "Study Alpha. Overall − some concerns, response; × high, any event" in text


def test_every_reason_and_passage_is_in_the_tables(real):
    for tool in TOOLS:
        shown = " ".join(cell.text for row in bias_table(real, tool=tool.name).rows for cell in row)
        for one in assessments(real, tool=tool.name):
            for own in one.judgements:
                assert all(part in shown for part in place_within(own.locator).split("; "))
                assert own.judgement in shown


def test_the_tools_table_says_what_each_domain_asks(real):
    table = bias_tools_table(real)
    assert len(table.rows) == sum(len(tool.domains) for tool in TOOLS)
    assert all(cell.text for row in table.rows for cell in row)


def test_what_is_not_judged_says_why(data):
    rows = [[cell.text for cell in row] for row in unjudged_table(data).rows]
    assert rows == [
        ["Study Beta", "Meta-analysis", "Puts the results of others together; enters no calculation here"]
    ]


def test_prose_counts_results_and_names_the_reviewer(data):
    assert bias_prose(data).text.startswith("2 results of 1 study. Judged by one reviewer.")


def test_nothing_judged_is_said_everywhere():
    data = made([])
    assert bias_prose(data).text == "No risk of bias was judged."
    for item in (
        bias_figure(data, tool="RoB 2"),
        bias_summary_figure(data),
        bias_table(data, tool="RoB 2"),
        bias_tools_table(data),
    ):
        assert representation(item)[0]["text/plain"]


def test_figures_are_the_same_on_every_run(real):
    first, second = (representation(bias_summary_figure(real))[0]["image/svg+xml"] for _ in range(2))
    assert first == second
