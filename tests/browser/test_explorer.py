"""The explorer in a real browser: what is shown follows the choices and agrees with the engine."""

import re
from dataclasses import replace

import pytest

import evidence
from evidence import format as fmt
from evidence.display import explorer_page
from evidence.synthesis.explorer import explore
from evidence.wording import difference_text, per_1000, signed_text

from ..conftest import ROOT
from ..synthesis.invented import dataset, emptied, study
from ..synthesis.test_explorer import BCG, only

pytestmark = [pytest.mark.browser, pytest.mark.slow]
P = evidence.Parameters()
PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Explorer</title><style>body {{ margin: 0; padding: 1rem; font-family: sans-serif; }} {css}</style></head>
<body><main><h1>Explorer</h1>{block}</main></body></html>"""


def written(folder, data, parameters=P):
    block = re.sub(r"^`+\{=html\}\n|\n`+$", "", explorer_page(data, parameters).text)
    css = re.sub(r"@font-face \{.*?\}", "", (ROOT / "assets" / "report.css").read_text(encoding="utf-8"))
    path = folder / "explorer.html"
    path.write_text(PAGE.format(css=css, block=block), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    data = evidence.load(ROOT / "data")
    return data, written(tmp_path_factory.mktemp("real"), data)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    tables = emptied()
    for place, four in enumerate(BCG[:5]):
        study(tables, f"trial_{place}", four, randomised="no" if place == 1 else "yes")
    folder = tmp_path_factory.mktemp("mixed")
    data = dataset(folder / "data", tables)
    return data, written(folder, data)


@pytest.fixture
def visit(browser):
    """Open a page; whatever it says on the console or asks of the network is a fault."""
    opened, said = [], []

    def go(address, width=1024, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda one: said.append(one.url) if not one.url.startswith("file:") else None)
        page.goto(address)
        return page

    yield go
    for context in opened:
        context.close()
    assert said == []


def sentence(page) -> str:
    return page.inner_text(".explorer-sentence")


def told(page, asked) -> str:
    """Return the engine's sentence without what was taken together, which the page tells below the plot."""
    left = asked.sentence
    for found in filter(None, (asked.finding, *asked.apart)):
        if note := found.taken_together:
            assert note in page.text_content(".explorer-reading")
            left = left.replace(f" {note}", "")
    return left


def cards(page) -> list[list[str]]:
    return page.eval_on_selector_all(
        ".explorer-card",
        "cards => cards.map((card) => [...card.querySelectorAll('dd:not(.explorer-bar)')].map((one) => one.textContent).filter(Boolean))",
    )


def expected(asked) -> list[str]:
    risks = [asked.treatment, asked.control]
    told = [
        part
        for risk in risks
        for part in (str(per_1000(risk.estimate)), f"{per_1000(risk.low)} to {per_1000(risk.high)}")
    ]
    one, effect = asked.difference, asked.effect
    ratio = [fmt.ratio_number(value) for value in (effect.estimate, effect.low, effect.high)]
    return [
        *told, signed_text(one.estimate).replace(" per 1,000", ""), difference_text(one.low, one.high),
        ratio[0], f"{ratio[1]} to {ratio[2]}",
    ]  # fmt: skip


def forest_words(page) -> str:
    return " ".join(
        page.eval_on_selector_all(".explorer-forest text", "all => all.map((one) => one.textContent)")
    )


def test_choices_change_what_is_shown_and_agree_with_the_engine(visit, mixed):
    data, address = mixed
    page = visit(address)
    asked = evidence.answer("cured_6m", data, P)
    assert sentence(page) == told(page, asked)
    assert cards(page)[0] == expected(asked)
    page.check("input[name=explorer-level][value='0.99']", force=True)
    page.select_option("#explorer-pooling", "DL")
    page.select_option("#explorer-interval", "Wald")
    page.uncheck(".explorer-boxes input[value=trial_3]")
    chosen = replace(P, confidence_level=0.99, pooling_method="DL", interval_method="Wald")
    asked = evidence.answer("cured_6m", only(data, ["trial_0", "trial_1", "trial_2", "trial_4"]), chosen)
    assert sentence(page) == told(page, asked)
    assert cards(page)[0] == expected(asked)
    shown = forest_words(page)
    assert fmt.ratio(asked.effect.estimate, asked.effect.low, asked.effect.high) in shown
    assert "left out" in shown
    assert "99% CI" in shown
    assert "trial_3" in page.get_attribute(".explorer-forest svg", "aria-label")


def test_every_question_of_the_report_agrees_with_the_engine(visit, real):
    data, address = real
    page = visit(address)
    for topic in explore(data, P).topics:
        page.select_option("#explorer-question", topic.subject.topic_id)
        if len(topic.subject.questions) == 1:
            asked = evidence.answer(topic.subject.topic_id, data, P)
            assert sentence(page) == told(page, asked)
            if asked.control:
                assert cards(page)[0] == expected(asked)
        for name in topic.names:
            assert name.split(",")[0] in page.get_attribute(".explorer-forest svg", "aria-label")


def test_the_missing_data_policy_changes_the_answer(visit, real):
    data, address = real
    page = visit(f"{address}#explore:q=itp_ge30_24w")
    for policy in ("observed", "failure", "success"):
        page.check(f"input[name=explorer-missing][value={policy}]", force=True)
        assert sentence(page) == told(
            page, evidence.answer("itp_ge30_24w", data, replace(P, missing_data=policy))
        )


def test_the_keyboard_alone_is_enough(visit, mixed):
    data, address = mixed
    page = visit(address)
    page.focus("#explorer-question")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not page.is_checked(".explorer-boxes input >> nth=0")
    first = page.get_attribute(".explorer-boxes input >> nth=0", "value")
    left = [f"trial_{place}" for place in range(5) if f"trial_{place}" != first]
    assert sentence(page) == told(page, evidence.answer("cured_6m", only(data, left), P))
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.is_checked("input[name=explorer-level][value='0.99']")
    chosen = replace(P, confidence_level=0.99)
    assert sentence(page) == told(page, evidence.answer("cured_6m", only(data, left), chosen))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert page.input_value("#explorer-pooling") != "REML"


def test_the_address_carries_the_state_and_back_undoes(visit, mixed):
    _, address = mixed
    page = visit(address)
    opening = sentence(page)
    page.uncheck(".explorer-boxes input[value=trial_0]")
    changed = sentence(page)
    assert changed != opening
    link = page.url
    page.select_option("#explorer-pooling", "FE")
    common = sentence(page)
    page.go_back()
    page.wait_for_function(
        "text => document.querySelector('.explorer-sentence').textContent === text", arg=changed
    )
    assert page.input_value("#explorer-pooling") == "REML"
    page.go_back()
    page.wait_for_function(
        "text => document.querySelector('.explorer-sentence').textContent === text", arg=opening
    )
    page.go_forward()
    page.go_forward()
    page.wait_for_function(
        "text => document.querySelector('.explorer-sentence').textContent === text", arg=common
    )
    assert sentence(visit(link)) == changed


def test_a_wrong_address_opens_the_report_s_choices(visit, mixed):
    _, address = mixed
    opening = sentence(visit(address))
    assert (
        sentence(
            visit(
                f"{address}#explore:q=nothing&level=2&pool=x&studies=trial_0,trial_1,trial_2,trial_3,trial_4"
            )
        )
        == opening
    )


def test_no_study_is_said_so(visit, mixed):
    page = visit(mixed[1])
    for box in page.query_selector_all(".explorer-boxes input"):
        box.uncheck()
    assert "nothing to say" in sentence(page)
    assert cards(page) == []
    page.click(".explorer-reset")
    assert len(cards(page)) == 2


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_scrolls_sideways_or_leaves_the_drawing(visit, real, mixed, width):
    for _, address in (real, mixed):
        page = visit(address, width)
        for topic in page.eval_on_selector_all(
            "#explorer-question option", "all => all.map((one) => one.value)"
        ):
            page.select_option("#explorer-question", topic)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            out = page.eval_on_selector_all(
                ".explorer-forest text",
                "all => all.map((one) => one.getBoundingClientRect()).filter((one) => one.left < 0 || one.right > innerWidth).length",
            )
            assert out == 0


def test_a_long_question_wraps_in_its_chooser(visit, real):
    page = visit(real[1], 360)
    names = page.eval_on_selector_all("#explorer-question option", "all => all.map((one) => one.label)")
    heights = []
    for name in (min(names, key=len), max(names, key=len)):
        page.select_option("#explorer-question", label=name)
        heights.append(page.eval_on_selector("#explorer-question", "one => one.clientHeight"))
        needed = page.evaluate(
            """(name) => {
              const field = document.querySelector('#explorer-question'), look = getComputedStyle(field);
              const copy = document.createElement('div');
              copy.textContent = name;
              copy.style.cssText = `font: ${look.font}; width: ${field.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight)}px`;
              document.body.append(copy);
              const height = copy.clientHeight + parseFloat(look.paddingTop) + parseFloat(look.paddingBottom);
              copy.remove();
              return height;
            }""",
            name,
        )
        assert heights[-1] >= needed - 1
    assert heights[0] < heights[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, mixed, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(mixed[1], 360 if scheme == "dark" else 1024, color_scheme=scheme)
    page.uncheck(".explorer-boxes input[value=trial_0]")
    found = axe.run(page).response
    assert [(one["id"], one["nodes"][0]["html"][:160]) for one in found["violations"]] == []
