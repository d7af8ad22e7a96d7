"""The words of the built pages: no identifiers, one spelling, capitals where a text begins."""

import functools
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import evidence
from evidence.display.labels import spelled
from evidence.format import SMALL_WORD

ROOT = Path(__file__).parents[2]
REPORT = Path(os.environ.get("EVIDENCE_REPORT", ROOT / "docs" / "report"))
UNSEEN = {"script", "style", "code", "pre", "svg", "math", "template", "head", "option", "select"}
BLOCKS = {"p", "li", "td", "th", "h1", "h2", "h3", "h4", "figcaption", "blockquote", "summary", "dt", "dd"}
VOID = {"br", "img", "hr", "input", "meta", "link", "col", "wbr", "source"}
IDS = re.compile(
    r"(?:_id|^kind|^design|^population|^category|^subgroup|^level|^domain|^analysis_set|^section)$"
)
SNAKE = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
QUOTED = re.compile(r"“[^”]*”|\[[^\]]*\]|\brow .*|Hetrombopag Olamine.*")  # words and places of the documents
AUDIT = ("audit.html", "limits.html")  # they name arms as the documents' tables do
CAPITAL = re.compile(r"[A-Z][a-z]+-[A-Z]")  # a prefix of small letters takes a capital where a text begins
INSIDE = re.compile(r"(?:\+|−|against|with|and|or|from|of|than) ([A-Z][\w-]+)")


class Words(HTMLParser):
    """The text that a page shows, by block: pairs of the block's element and its text."""

    def __init__(self):
        super().__init__()
        self.hidden, self.blocks = [], [("body", "")]

    def handle_starttag(self, tag, attrs):
        if tag in UNSEEN:
            self.hidden.append(tag)
        elif tag in BLOCKS:
            self.blocks.append((tag, ""))

    def handle_endtag(self, tag):
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()
        elif tag in BLOCKS:
            self.blocks.append(("body", ""))

    def handle_data(self, data):
        if not self.hidden:
            tag, text = self.blocks[-1]
            self.blocks[-1] = tag, text + data


def blocks_of(text):
    parser = Words()
    parser.feed(text)
    return [(tag, " ".join(words.split())) for tag, words in parser.blocks if words.strip()]


@functools.cache
def pages():
    return {path.name: blocks_of(path.read_text(encoding="utf-8")) for path in sorted(REPORT.rglob("*.html"))}


@functools.cache
def data():
    return evidence.load(ROOT / "data")


def own_words(text):
    """Return a text without what it quotes and without the names of studies."""
    for label in data().studies["label"]:
        text = text.replace(label, "")
    return QUOTED.sub("", text)


def identifiers():
    """Return every identifier of the data that is written with underscores."""
    found = set()
    for frame in data().tables.values():
        for name in frame.columns:
            if IDS.search(name):
                found |= {part for one in frame[name].astype(str) for part in SNAKE.findall(one)}
    return found


def test_words_are_read_by_block_and_code_is_passed_over():
    text = "<p>One <b>two</b></p><pre>a_b</pre><td>3 <code>c_d</code></td>"
    assert blocks_of(text) == [("p", "One two"), ("td", "3")]


@pytest.mark.slow
def test_no_page_shows_an_identifier_of_the_data():
    known = identifiers()
    assert len(known) > 100
    wrong = {
        (name, token)
        for name, blocks in pages().items()
        for _, text in blocks
        for token in SNAKE.findall(text)
        if token in known
    }
    assert not wrong


@pytest.mark.slow
def test_no_page_shows_the_key_of_a_row_of_facts():
    wrong = {
        (name, text)
        for name, blocks in pages().items()
        for _, text in blocks
        if re.search(r"\.csv, \w+, rows? \d", text)
    }
    assert not wrong


def test_a_drug_that_no_text_names_is_spelled_as_its_parts_are():
    arms, protocols = (
        pd.DataFrame({"label": ["Drug + ATG"]}),
        pd.DataFrame({"item": [""], "value": ["p-XY, 24 h"]}),
    )
    said = SimpleNamespace(arms=arms, protocols=protocols, claims=pd.DataFrame({"paraphrase": [""]}))
    names = ["h-atg", "p-xy", "p-zz", "drug/atg"]
    assert [spelled(said, name) for name in names] == ["h-ATG", "p-XY", "p-zz", "drug or atg"]


def test_the_page_of_one_study_spells_a_drug_as_all_studies_do():
    names = {name for row in data().arms["components"] for name in row.split("+") if name}
    alone = {row.study_id: data().only({row.study_id}) for row in data().studies.itertuples()}
    for study, own in alone.items():
        used = {name for row in own.arms["components"] for name in row.split("+") if name}
        assert {name: spelled(own, name) for name in used} == {
            name: spelled(data(), name) for name in used
        }, study
    assert any(spelled(data(), name) != name for name in names)


@pytest.mark.slow
def test_drugs_have_one_spelling():
    drugs = {drug for row in data().arms["components"] for drug in re.split(r"[+/]", row) if drug}
    right = {spelled(data(), drug) for drug in drugs}
    own = {word.casefold(): word for word in right if not word.islower()}
    wrong = {
        (name, word)
        for name, blocks in pages().items()
        for _, text in blocks
        for word in re.findall(r"[\w-]+", text)
        if own.get(word.casefold(), word)
        not in (word, f"{word[:1].lower()}{word[1:]}" if CAPITAL.match(word) else word)
    }
    assert own, "some drugs have capitals of their own"
    assert not wrong


@pytest.mark.slow
def test_drugs_have_small_letters_inside_a_cell():
    drugs = {
        drug.capitalize() for row in data().arms["components"] for drug in re.split(r"[+/]", row) if drug
    }
    wrong = {
        (name, text)
        for name, blocks in pages().items()
        for tag, text in blocks
        if tag in ("td", "th") and drugs & set(INSIDE.findall(own_words(text))) and name not in AUDIT
    }
    assert not wrong


@pytest.mark.slow
def test_every_cell_begins_with_a_capital_or_a_number():
    wrong = {
        (name, text)
        for name, blocks in pages().items()
        for tag, text in blocks
        if tag in ("td", "th") and SMALL_WORD.match(text)
    }
    assert not wrong


@pytest.mark.slow
def test_no_two_pages_have_the_same_title():
    titles = [next(text for tag, text in blocks if tag == "h1") for blocks in pages().values()]
    assert len({re.sub(r"^\d+ ", "", title).casefold() for title in titles}) == len(titles)
