"""Rows that name a study lead to its page, and the page leads back."""

import pytest

from evidence.render.crosslinks import crosslinked

STUDY = '<h1 id="sec-study-a"><span class="section-number">9</span> Trial A &amp; B</h1><p>{}</p>'
OTHER = '<h1 id="sec-study-c">Trial A</h1>'
CHAPTER = '<h1 id="sec-x"><span class="section-number">2</span> Results</h1><table>{}</table>'


def value(text: str, *rows: str) -> str:
    return f'<span class="v" title="Doe · rows {", ".join(rows)}">{text}</span>'


def row(first: str, tag: str = "td") -> str:
    return f'<tr class="odd">\n<{tag} style="text-align: left;">{first}</{tag}>\n<td>Trial A</td></tr>'


def made(*rows: str, study: str = "") -> dict[str, str]:
    pages = {
        "index.html": CHAPTER.format(""),
        "notebooks/x.html": CHAPTER.format("".join(rows)),
        "notebooks/study_a.html": STUDY.format(study),
        "notebooks/study_c.html": OTHER,
    }
    return {**pages, **crosslinked(pages)}


LINK = '<a class="study" href="study_a.html">Trial A &amp; B</a>'


@pytest.mark.parametrize("after", ["", "§", ": arm 1", " (2020)", "\u2021"])
def test_a_row_that_begins_with_a_study_leads_to_its_page(after):
    page = made(row(value(f"Trial A &amp; B{after}", "doe-c001"), "th"))["notebooks/x.html"]
    assert f"{LINK}{after}</span>" in page
    assert page.count("<a ") == 1


def test_the_longest_name_wins_and_a_longer_word_is_no_name():
    page = made(row("Trial A &amp; B"), row("Trial A"), row("Trial Ab"), row("The Trial A"))[
        "notebooks/x.html"
    ]
    assert page.count("study_a.html") == page.count("study_c.html") == 1


def test_names_elsewhere_in_a_row_and_on_the_own_page_are_left():
    assert "<a " not in made(row("Patients"))["notebooks/x.html"]
    assert "<a " not in made(study=row("Trial A &amp; B"))["notebooks/study_a.html"]


def test_a_page_leads_back_to_the_chapters_that_show_its_data():
    pages = made(row(value("7", "doe-c001", "doe-c002")), study=value("7", "doe-c001"))
    assert 'In the chapters: <a href="x.html">2 Results</a></p>' in pages["notebooks/study_a.html"]
    assert "In the chapters" not in pages["notebooks/study_c.html"]
    apart = made(row(value("7", "other-c001")), study=value("7", "doe-c001"))
    assert "In the chapters" not in apart["notebooks/study_a.html"]


def test_a_book_without_studies_stays_as_it_is():
    assert crosslinked({"x.html": CHAPTER.format(row("Trial A")), "y.html": "<p>No title.</p>"}) == {}
