"""No page breaks a rule of axe-core: contrast, names, roles, landmarks, tables, keyboard."""

import pytest

from .conftest import REPORT, pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def axe():
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


def complaints(axe, page) -> list[str]:
    # axe cannot judge text on a gradient: the shadow that says that a table goes on stands in no text's way
    page.add_style_tag(content=".table-scroll { background: none !important; }")
    found = axe.run(page).response
    assert len(found["passes"]) > 10
    return [
        f"{broken['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


@pytest.fixture(params=SCHEMES)
def visit(request, browser):
    """Open a page at a width in one colour scheme."""
    opened = []

    def go(name: str, width: int = 1280):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=request.param, reduced_motion="reduce"
        )
        opened.append(context)
        page = context.new_page()
        page.goto((REPORT / name).as_uri(), wait_until="load")
        return page

    yield go
    for context in opened:
        context.close()


@pytest.mark.parametrize("name", pages())
def test_axe_finds_no_violation(visit, axe, name):
    assert complaints(axe, visit(name)) == []


def test_axe_finds_no_violation_on_a_phone_with_contents_open(visit, axe):
    page = visit("index.html", width=360)
    page.click(".menu-button")
    assert complaints(axe, page) == []


def test_axe_finds_no_violation_while_searching(visit, axe):
    page = visit("index.html")
    page.click(".sidebar-tools .find")
    page.fill("#search-words", "response")
    page.wait_for_selector(".search-results a")
    assert complaints(axe, page) == []


def test_axe_finds_no_violation_while_an_origin_is_shown(visit, axe):
    page = visit("notebooks/itp_trials.html")
    page.hover("table .v >> nth=0")
    page.wait_for_selector(".origin:visible")
    assert complaints(axe, page) == []


def test_axe_finds_no_violation_after_the_colours_were_changed(visit, axe):
    page = visit("notebooks/saa_pilot.html")
    page.click(".sidebar-tools .theme")
    assert complaints(axe, page) == []
