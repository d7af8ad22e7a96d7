from urllib.parse import unquote, urlsplit

import pytest

from .conftest import REPORT, pages

pytestmark = pytest.mark.browser
WIDTHS = [360, 768, 1440]


@pytest.fixture(params=WIDTHS)
def width(request):
    return request.param


@pytest.mark.parametrize("name", pages())
def test_no_page_scrolls_sideways_complains_or_calls_out(browser, width, name):
    page = browser.new_page(viewport={"width": width, "height": 800})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((REPORT / name).as_uri(), wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize("name", pages())
def test_every_internal_link_and_download_resolves(browser, name):
    page = browser.new_page()
    page.goto((REPORT / name).as_uri())
    links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    assert links
    for link in (link for link in links if link.startswith("file:")):
        parts = urlsplit(link)
        target = unquote(parts.path)
        assert (REPORT / target).is_file(), link
        if parts.fragment and target == (REPORT / name).as_posix():
            assert page.query_selector(f'[id="{unquote(parts.fragment)}"]'), link
    page.close()


@pytest.mark.parametrize("name", pages())
def test_every_figure_has_alt_text_and_every_table_marked_heads(browser, name):
    page = browser.new_page()
    page.goto((REPORT / name).as_uri())
    assert page.eval_on_selector_all("img", "all => all.filter(one => !one.alt.trim()).length") == 0
    assert (
        page.eval_on_selector_all("table", "all => all.filter(one => !one.querySelector('th[scope]')).length")
        == 0
    )
    page.close()
