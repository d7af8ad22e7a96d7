import os
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

from .conftest import REPORT, pages

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1440)
# How wide the page is once all that follows the size of the window has come to rest.
WIDE = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => done(document.documentElement.scrollWidth))))"""


class Opened(NamedTuple):
    """A page in the browser, what it said to the console, and what it asked for."""

    name: str
    page: object
    said: list[str]
    asked: list[str]


@pytest.fixture(scope="module", params=pages())
def opened(browser, request):
    """Open a page once, as a phone does, for every test of it."""
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": 800})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((REPORT / request.param).as_uri(), wait_until="load")
    yield Opened(request.param, page, said, asked)
    page.close()


def test_no_page_scrolls_sideways_complains_or_calls_out(opened):
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 800})
        if "EVIDENCE_ALL_PAGES" in os.environ:
            opened.page.reload(wait_until="load")
        assert opened.page.evaluate(WIDE) <= width
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []


def test_every_internal_link_and_download_resolves(opened):
    links = opened.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    places = set(opened.page.eval_on_selector_all("[id]", "all => all.map(one => one.id)"))
    assert links
    for link in (link for link in links if link.startswith("file:")):
        parts = urlsplit(link)
        target = unquote(parts.path)
        assert (REPORT / target).is_file(), link
        if parts.fragment and target == (REPORT / opened.name).as_posix():
            assert unquote(parts.fragment) in places, link


def test_every_figure_has_alt_text_and_every_table_marked_heads(opened):
    unnamed = "all => all.filter(one => !one.alt.trim()).length"
    unmarked = "all => all.filter(one => !one.querySelector('th[scope]')).length"
    assert opened.page.eval_on_selector_all("img", unnamed) == 0
    assert opened.page.eval_on_selector_all("table", unmarked) == 0
