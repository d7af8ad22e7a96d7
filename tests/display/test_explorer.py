import html
import json
import re
from dataclasses import replace

import pytest

import evidence
from evidence import format as fmt
from evidence.display import explorer_figure, explorer_page
from evidence.display.explorer import default_topic, json_text, payload
from evidence.display.figures.treatments import treatments
from evidence.display.labels import pretty
from evidence.synthesis.explorer import explore
from evidence.wording import difference_text, per_1000, signed_text

from ..conftest import ROOT, TABLES
from ..synthesis.invented import dataset, emptied, of_counts, study
from ..synthesis.test_explorer import BCG

P = evidence.Parameters()
LIMIT = 5_000_000  # bytes of the whole page


@pytest.fixture(scope="module")
def real():
    return evidence.load(ROOT / "data")


def stored(page: str):
    return json.loads(
        re.search(r'<script type="application/json" id="explorer-data">(.*?)</script>', page, re.DOTALL)[1]
    )


def pick(made, topic, level, policy, model, some):
    """Return a view the way the script finds it."""
    at = made["levels"].index(level)
    at = at * len(made["missing"]) + made["missing"].index(policy)
    at = at * len(made["pooling"]) + made["pooling"].index(model[0])
    at = at * len(made["interval"]) + made["interval"].index(model[1])
    place = topic["places"][at * len(topic["sets"]) + topic["sets"].index(list(some))]
    return None if place < 0 else topic["views"][place]


def words(made, place):
    return made["texts"][place]


@pytest.mark.slow
def test_every_view_prints_the_engine_s_numbers(real):
    exploration = explore(real, P)
    made = payload(exploration)
    for topic, shown in zip(exploration.topics, made["topics"], strict=True):
        if len(topic.subject.questions) > 1:
            continue
        for level in exploration.options.levels:
            chosen = replace(P, confidence_level=level)
            asked = evidence.answer(topic.subject.topic_id, real, chosen)
            view = pick(
                made, shown, f"{level:g}", "observed", ("REML", "HKSJ-adhoc"), range(len(topic.names))
            )
            assert " ".join(filter(None, (words(made, part) for part in view[0]))) == asked.sentence
            _, _, parts = view[4][0]
            figures = [(words(made, main), words(made, limits)) for _, main, limits, _ in parts]
            risk = asked.treatment
            assert figures[0] == (
                str(per_1000(risk.estimate)),
                f"{per_1000(risk.low)} to {per_1000(risk.high)}",
            )
            if asked.control:
                told = signed_text(asked.difference.estimate).replace(" per 1,000", "")
                assert figures[2] == (told, difference_text(asked.difference.low, asked.difference.high))
                effect = asked.effect
                assert "{} ({})".format(*figures[3]) == fmt.ratio(effect.estimate, effect.low, effect.high)


@pytest.mark.slow
def test_the_stored_page_is_the_payload_and_always_the_same(real):
    page = explorer_page(real, P).text
    assert stored(page) == payload(explore(real, P))
    same = replace(real)  # of which nothing is known yet
    assert explorer_page(same, P).text == page


def test_each_treatment_has_the_colour_that_it_has_in_the_figures(real):
    page = html.unescape(re.search(r'data-colors="([^"]*)"', explorer_page(real, P).text)[1])
    colors, styles = json.loads(page), treatments(real)
    topics = explore(real, P).topics
    arms = {
        arm.label
        for topic in topics
        for one in topic.studies
        for arm in (one.treatment, one.comparator)
        if arm
    }
    assert len(colors) == len(arms)
    assert {colors[f"With {pretty(arm)}"] for arm in arms} == {styles.label(arm).color for arm in arms}
    assert len(set(colors.values())) > 2


def test_the_page_is_one_raw_block_and_asks_nobody(real):
    page = explorer_page(real, P).text
    assert page.startswith("`````{=html}\n")
    assert page.endswith("\n`````")
    assert "`````" not in page[5:-5]
    assert not re.search(r"""(src|href)\s*=|@import|url\(|fetch\(|eval\(|innerHTML|new Function""", page)
    assert "{{" not in page


@pytest.mark.slow
def test_the_page_stays_small(real, tmp_path):
    assert len(explorer_page(real, P).text.encode()) < LIMIT / 10
    many = of_counts(tmp_path, BCG[:6])
    assert len(explorer_page(many, P).text.encode()) < LIMIT


def test_text_from_the_data_is_harmless(tmp_path):
    wicked = "</script><script>alert(1)</script>` & <b>"
    tables = emptied()
    study(tables, "first", BCG[0], label=wicked)
    tables["questions"] = [{**TABLES["questions"][0], "title": wicked}]
    page = explorer_page(dataset(tmp_path, tables), P).text
    assert "alert(1)</script>" not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert stored(page)["topics"][0]["names"] == [f"{wicked} (2020)"]
    assert "\u2028" not in json_text("\u2028")


def test_the_figure_shows_the_studies_that_the_page_opens_with(real):
    start = default_topic(explore(real, P))
    figure = explorer_figure(real, P)
    assert all(name in figure.alt for name in start.names)


def test_the_choices_of_the_report_are_the_ones_chosen_first(tmp_path):
    own = evidence.Parameters(confidence_level=0.9, pooling_method="DL", missing_data="failure")
    page = explorer_page(of_counts(tmp_path, BCG[:2]), own).text
    assert 'value="0.9" checked' in page
    assert 'value="failure" checked' in page
    assert '<option value="DL" selected>' in page


def test_without_studies_there_is_a_sentence_and_an_empty_figure(tmp_path):
    data = dataset(tmp_path, emptied())
    assert "nothing to explore" in explorer_page(data, P).text
    assert explorer_figure(data, P).alt
