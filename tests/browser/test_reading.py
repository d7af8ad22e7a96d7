"""Origins of values, search and colours, as a reader without mouse or network meets them."""

import re

import pytest

from .conftest import REPORT

pytestmark = pytest.mark.browser
PAGE = "notebooks/saa_pilot.html"
TITLE = (
    "A study · Abstract · row study-c001; A study · Table 1, row Age; a; b · rows study-c002, study-c003; "
    + ("; ".join(f"Other · Results {number} · row other-t{number:03}" for number in range(7)))
)


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto((REPORT / PAGE).as_uri(), wait_until="load")
    yield page
    context.close()


@pytest.fixture
def phone(browser):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((REPORT / PAGE).as_uri(), wait_until="load")
    yield page
    context.close()


def origin(page) -> str:
    return page.inner_text(".origin") if page.is_visible(".origin") else ""


def test_each_table_of_values_is_one_tab_stop(page):
    tables = page.locator("table:has(.v)").count()
    assert tables
    assert page.locator("table .v").count() > tables
    assert page.locator('table .v[tabindex="0"]').count() == tables


def test_arrow_keys_go_from_value_to_value_and_tell_the_origin_of_each(page):
    values = page.locator("table:has(.v) >> nth=1").locator(".v")
    values.nth(0).focus()
    first = origin(page)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == values.nth(1).inner_text()
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    assert page.get_attribute(f"#{described}", "role") == "tooltip"
    assert origin(page)
    page.keyboard.press("Home")
    assert origin(page) == first
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") > 1


@pytest.mark.slow
def test_numbers_of_the_first_screen_tell_their_origin_by_pointer_finger_and_keyboard(page, phone):
    for opened in (page, phone):
        opened.goto((REPORT / "index.html").as_uri(), wait_until="load")
    answers = page.locator(".answers li li")
    assert answers.count() >= 3
    assert all(one.locator('.v[tabindex="0"]').count() == 1 for one in answers.all())
    page.locator(".answers .risk .v").first.hover()
    assert origin(page)
    page.keyboard.press("Escape")
    answers.nth(1).locator('[tabindex="0"]').focus()
    first = origin(page)
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.closest('.told') !== null")
    assert first != origin(page)
    phone.locator(".answers .risk .v").first.tap()
    assert origin(phone)


def test_the_answers_the_errors_and_the_date_stand_on_the_first_screen_and_on_two_of_a_phone(page, phone):
    for opened, screens, height in ((page, 1, 860), (phone, 2, 844)):
        opened.set_viewport_size({"width": 1280 if screens == 1 else 390, "height": height})
        opened.goto((REPORT / "index.html").as_uri(), wait_until="load")
        boxes = [opened.locator(name).last.bounding_box() for name in (".answers li li", ".brief > ul > li")]
        assert all(box["y"] + box["height"] <= screens * height for box in boxes)
        assert boxes[0]["y"] < boxes[1]["y"]


@pytest.mark.slow
def test_the_errors_and_the_date_of_the_first_screen_lead_to_where_they_are_told_in_full(page):
    page.goto((REPORT / "index.html").as_uri(), wait_until="load")
    links = page.locator(".brief strong a")
    assert links.count() == 2
    for link in links.all():
        heading = page.locator(link.get_attribute("href"))
        assert link.inner_text() in heading.inner_text()


@pytest.mark.slow
def test_a_name_that_ends_in_digits_is_never_broken(phone):
    phone.goto((REPORT / "notebooks/cit_safety.html").as_uri(), wait_until="load")
    names = phone.locator("table .unbroken")
    assert names.count() > 4
    assert all(
        lines == 1 for lines in names.evaluate_all("all => all.map(one => one.getClientRects().length)")
    )


@pytest.mark.slow
def test_each_bar_has_its_number_beside_it(page):
    page.goto((REPORT / "index.html").as_uri(), wait_until="load")
    bars = page.eval_on_selector_all(
        ".answers .risk[style]",
        "all => all.map(one => [one.style.getPropertyValue('--share'), one.textContent])",
    )
    assert len(bars) >= 6
    for share, text in bars:
        assert abs(float(share.strip("% ")) * 10 - int(re.match(r"\d+", text)[0])) <= 1


@pytest.mark.slow
def test_escape_closes_the_origin_and_leaves_the_focus(page):
    page.locator("table .v").first.focus()
    assert origin(page)
    page.keyboard.press("Escape")
    assert not origin(page)
    assert page.evaluate("document.activeElement.classList.contains('v')")
    assert page.locator("[aria-describedby='origin']").count() == 0


@pytest.mark.slow
def test_pointing_shows_the_origin_and_it_can_be_reached_by_the_pointer(page):
    page.locator("table .v").first.hover()
    assert origin(page)
    page.hover(".origin")
    page.wait_for_timeout(400)
    assert origin(page)
    page.mouse.move(2, 2)
    page.wait_for_selector(".origin", state="hidden")


def test_a_tap_shows_the_origin_within_the_screen_and_a_tap_elsewhere_hides_it(phone):
    phone.locator("table .v").first.tap()
    assert origin(phone)
    box = phone.locator(".origin").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    phone.locator("h1").tap()
    assert not origin(phone)


@pytest.mark.slow
@pytest.mark.parametrize("block", [pytest.param("start", marks=pytest.mark.slow), "end"])
def test_an_origin_on_a_phone_leaves_the_next_row_free_and_the_next_tap_closes_it(phone, block):
    value = phone.locator("table td .v").nth(20)
    value.evaluate("(one, block) => one.scrollIntoView({ block })", block)
    phone.mouse.wheel(0, -80 if block == "start" else 0)
    value.tap()
    note, row = phone.locator(".origin").bounding_box(), value.bounding_box()
    below = row["y"] + 2 * row["height"]
    assert note["y"] >= below or note["y"] + note["height"] <= row["y"]
    value.tap()
    assert not origin(phone)


def test_code_is_out_of_sight_until_asked_for_and_the_address_keeps_the_choice(page):
    switch = page.get_by_role("switch", name="Show code")
    code = page.locator("details.code")
    assert code.count() > 1
    assert page.locator("details.code:visible").count() == 0
    switch.focus()
    page.keyboard.press("Space")
    assert switch.get_attribute("aria-checked") == "true"
    assert page.locator("details.code[open]:visible").count() == code.count()
    page.goto(page.url)
    assert page.locator("details.code[open]:visible").count() == code.count()
    switch.click()
    assert page.url == (REPORT / PAGE).as_uri()
    assert page.locator("details.code:visible").count() == 0


@pytest.mark.slow
def test_a_figure_opens_at_full_size_on_a_phone_and_escape_closes_it(phone):
    image = phone.locator(".float-fig img").first
    small = image.bounding_box()["width"]
    button = phone.locator(".enlarge").first
    button.tap()
    shown = phone.locator(".viewer img")
    assert shown.bounding_box()["width"] > 1.3 * small
    assert shown.get_attribute("alt") == image.get_attribute("alt")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    box = phone.locator(".viewer-box")
    assert box.evaluate("one => { one.scrollLeft = 90; return one.scrollLeft; }") == 90
    for _ in range(4):
        phone.keyboard.press("Tab")
        assert phone.evaluate("document.activeElement.closest('.viewer, body') !== null")
    phone.keyboard.press("Escape")
    assert phone.is_hidden(".viewer")
    assert button.evaluate("one => one === document.activeElement")


@pytest.mark.slow
def test_the_still_picture_of_the_explorer_is_for_readers_without_scripts(page, browser):
    page.goto((REPORT / "notebooks/explorer.html").as_uri())
    assert page.is_visible(".explorer-forest svg")
    assert page.is_hidden("#fig-explorer")
    page.goto((REPORT / "notebooks/explorer.html").as_uri() + "#fig-explorer")
    page.reload()
    assert page.is_visible("#fig-explorer")
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto((REPORT / "notebooks/explorer.html").as_uri())
    assert plain.is_visible("#fig-explorer")
    context.close()


@pytest.mark.slow
def test_a_figure_that_fits_cannot_be_enlarged(page):
    assert page.locator(".float-fig img").count()
    assert page.locator(".enlarge:visible").count() == 0


@pytest.mark.slow
def test_names_of_studies_lead_to_their_pages_and_these_lead_back(page):
    chapter = "notebooks/itp_trials.html"
    page.goto((REPORT / chapter).as_uri(), wait_until="load")
    page.locator("table a.study").first.click()
    page.wait_for_url("**/study_*.html")
    page.locator(f'.return a[href="{chapter.rpartition("/")[2]}"]').click()
    page.wait_for_url(f"**/{chapter}")


@pytest.mark.slow
def test_many_rows_are_cut_short_and_counted(page):
    """A page of its own, so that the number of rows is known."""
    script = (REPORT / PAGE).read_text(encoding="utf-8").partition("// Where a value comes from")
    body = script[2].partition("</script>")[0]
    page.set_content(f'<main><p><span class="v" title="{TITLE}">1</span></p></main>')
    page.add_script_tag(content="//" + body)
    page.focus(".v")
    said = page.inner_text("[role=tooltip]")
    assert said.count("A study\n") == 1
    assert "Table 1, row Age; a; b" in said
    assert "rows study-c002, study-c003" in said
    assert "and 4 more places" in said
    assert "other-t006" not in said


@pytest.mark.slow
def test_an_origin_names_the_document_in_words_and_a_doubt_apart(page):
    script = (REPORT / PAGE).read_text(encoding="utf-8").partition("// Where a value comes from")
    title = "Doe A. Journal 2020;14:37 (figures) · row doe2020-c016~part. It does not fit. Nor that."
    page.set_content(f'<main><p><span class="v" title="{title}">1</span></p></main>')
    page.add_script_tag(content="//" + script[2].partition("</script>")[0])
    page.focus(".v")
    assert page.inner_text(".origin-document") == "Doe A. Journal 2020;14:37 (figures)"
    assert page.inner_text(".origin-row") == "row doe2020-c016~part"
    assert page.inner_text(".origin-doubt") == "It does not fit. Nor that."


def test_search_opens_by_key_and_leads_to_the_place_found(page):
    page.keyboard.press("/")
    page.keyboard.type("registered")
    page.wait_for_selector(".search-results a")
    assert page.inner_text(".found-title >> nth=0")
    assert page.locator(".found-words mark").count()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.search-results') !== null")
    wanted = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url(wanted)
    assert page.evaluate("document.getElementById(decodeURIComponent(location.hash.slice(1))) !== null")


def found(page, words: str) -> list[str]:
    page.reload()
    page.keyboard.press("/")
    page.fill("#search-words", words)
    page.wait_for_selector(".search-results a")
    return page.locator(".search-results li").all_inner_texts()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("side effects", "adverse"),
        *(
            pytest.param(*words, marks=pytest.mark.slow)
            for words in (
                ("hepatotoxicity", "liver"),
                ("off-label", "label"),
                ("hemorrhage", "bleeding"),
                ("aplastic anemia", "aplastic anaemia"),
                ("hemoglobin", "haemoglobin"),
            )
        ),
    ],
)
def test_search_knows_other_words_for_the_same(page, asked, meant):
    first = " ".join(found(page, asked)[:4]).lower()
    assert meant in first


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param("NCT03222843", marks=pytest.mark.slow), "nct03825744"])
def test_a_registry_number_leads_to_the_page_of_its_trial_first(page, number):
    found(page, number)
    page.locator(".search-results a").first.click()
    page.wait_for_url("**/study_*.html#*")
    assert number.upper() in page.inner_text("main table >> nth=0")


@pytest.mark.slow
def test_search_finds_tables_by_name_and_says_when_there_is_nothing(page):
    page.click(".sidebar-tools .find")
    page.fill("#search-words", "table 2.1")
    page.wait_for_selector(".search-results a")
    assert any(title.startswith("Table 2.1") for title in page.locator(".found-title").all_inner_texts())
    page.fill("#search-words", "qqqqqqq")
    page.wait_for_selector(".search-results a", state="detached")
    assert page.inner_text(".search-said") == "Nothing found"
    page.keyboard.press("Escape")
    assert page.is_hidden("#search")


@pytest.mark.slow
def test_every_passage_that_can_be_found_exists(page):
    page.click(".sidebar-tools .find")
    page.fill("#search-words", "a")
    page.wait_for_function("typeof evidencePassages !== 'undefined'")
    for name, _, passages in page.evaluate("evidencePassages"):
        text = (REPORT / name).read_text(encoding="utf-8")
        assert [anchor for anchor, _, _ in passages if f'id="{anchor}"' not in text] == []


def test_search_index_is_small():
    assert (REPORT / "assets" / "search-index.js").stat().st_size < 1_000_000


@pytest.mark.slow
def test_colours_chosen_by_the_reader_stay_on_the_next_page(page):
    def ground():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.click(".sidebar-tools .theme")
    dark = ground()
    assert dark != light
    page.goto((REPORT / "index.html").as_uri())
    assert ground() == dark
    page.click(".sidebar-tools .theme")
    assert ground() == light


def test_pages_can_be_read_without_scripts(browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto((REPORT / PAGE).as_uri())
    assert page.is_visible(".sidebar")
    assert page.is_hidden(".tool")
    assert page.get_attribute("table .v >> nth=0", "title")
    context.close()


@pytest.mark.slow
def test_every_table_and_figure_offers_its_data(page):
    for kind, places in (("tbl", "tables/"), ("fig", "figures/")):
        for float_ in page.query_selector_all(f".float-{kind}[id^={kind}-]"):
            links = [link.get_attribute("href") for link in float_.query_selector_all(".downloads a")]
            assert any(link.endswith(f"{places}{float_.get_attribute('id')}.csv") for link in links)
            assert kind == "tbl" or any(link.endswith(".svg") for link in links)


@pytest.mark.slow
def test_paper_shows_light_colours_and_no_controls(page):
    page.click(".sidebar-tools .theme")
    page.emulate_media(media="print")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
        == "#fff"
    )
    for unseen in (".sidebar", ".tool", ".turn", ".downloads"):
        assert page.is_hidden(f"{unseen} >> nth=0")
