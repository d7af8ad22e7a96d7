"""Numbers that stand in several places of the report say the same: pages, downloads, explorer, figures and engine."""

import functools
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from evidence.wording import difference_text

from . import agreement
from .agreement import differences, ratios, rounds_to, shown, stands_in
from .conftest import ROOT

REPORT = Path(os.environ.get("EVIDENCE_REPORT", ROOT / "docs" / "report"))
CHECKLISTS = {"tbl-limits-prisma", "tbl-limits-swim"}  # written by hand: items and places, no values
PLACES = {"first_screen": 8, "tables_of_answers": 25, "summaries": 25, "explorer": 25, "plain_page": 5}


def test_a_number_is_read_as_it_is_printed():
    assert shown("n = 1,172; P < 0.001") == [("", "1172"), ("<", "0.001")]
    assert shown("−0.212 (−2.326 to 1.902)") == [("", "0.212"), ("", "2.326"), ("", "1.902")]
    assert shown("2.9 × 10⁻¹³ beside 10⁻¹⁰") == [("", "2.9e-13"), ("", "1e-10")]


@pytest.mark.parametrize(
    ("aside", "left"),
    [
        ("Hetrombopag 2.5\N{NO-BREAK SPACE}mg", []),
        ("Platelets of 50 × 10⁹/L", ["50"]),
        ("A et al. J Hematol Oncol 2021;14:37", []),
        ("Table 4, row Day 3 (Section 28.2)", ["3"]),
        ("bleeding (WHO grade 1–4), of WHO grade ≥2 or grade 2 or more", []),
        ("344 per 1,000 (95% CI 204 to 517)", ["344", "204", "517"]),
    ],
)
def test_what_is_no_value_is_left_aside_and_nothing_else(aside, left):
    assert [number for _, number in shown(aside)] == left


def test_a_number_stands_in_a_download_only_where_a_value_rounds_to_it():
    assert stands_in(("", "34.4"), [0.34375])
    assert stands_in(("", "344"), [0.34375])
    assert not stands_in(("", "34.5"), [0.34375])
    assert not stands_in(("", "345"), [0.34375])
    assert stands_in(("<", "0.001"), [0.0000002])
    assert not stands_in(("<", "0.001"), [0.02])
    assert stands_in((">", "0.999"), [1.0])
    assert not stands_in((">", "0.999"), [0.9])
    assert shown("83.9 (0.30 to over 10000)")[-1] == ("≫", "10000")
    assert stands_in(("≫", "10000"), [0.3, 23094.1])
    assert not stands_in(("≫", "10000"), [0.3, 9000.0])


def test_a_difference_is_read_with_its_directions():
    assert differences("198 more per 1,000 (35 more to 380 more)") == [(198, 35, 380)]
    assert differences("188 more (12 fewer to 353 more), direction not clear") == [(188, -12, 353)]
    assert differences("as many (188 fewer to 172 more)") == [(0, -188, 172)]
    assert differences("198 more (35 to 380 more); 60 fewer (90 to 20)") == []
    assert differences("60 fewer (95% CI 20 fewer to 90 fewer); 1 more (2 fewer to 4 more)") == [
        (-60, -90, -20),
        (1, -2, 4),
    ]
    assert ratios("2.36 (1.19 to 4.66)") == [("2.36", "1.19", "4.66")]


def test_a_printed_number_is_the_rounded_value_or_it_is_not():
    assert rounds_to("2.36", 2.357142857)
    assert rounds_to(198, 197.9166667)
    assert rounds_to(-12, -11.5116)
    assert not rounds_to("2.35", 2.357142857)
    assert not rounds_to(199, 197.9166667)
    assert not rounds_to("1", float("nan"))


def test_the_table_of_the_first_page_has_every_number_in_its_download():
    assert agreement.missing_numbers(REPORT, "index.html") == []


@pytest.mark.slow
def test_every_table_has_a_download_and_every_figure_drawing_and_data():
    labels = {
        table["id"]: table for name in agreement.pages(REPORT) for table in agreement.tables(REPORT, name)
    }
    assert len(labels) > 150
    assert {
        label for label, table in labels.items() if not agreement.download_of(REPORT, table)
    } == CHECKLISTS
    figures = agreement.alternatives(REPORT)
    assert len(figures) > 20
    assert [
        label
        for label in figures
        for end in (".svg", ".csv")
        if not (REPORT / "figures" / f"{label}{end}").exists()
    ] == []


@pytest.mark.slow
def test_each_number_in_a_table_stands_in_its_download():
    missing = [one for name in agreement.pages(REPORT) for one in agreement.missing_numbers(REPORT, name)]
    assert [one for one in missing if one[0] not in CHECKLISTS] == []


@pytest.mark.slow
def test_every_place_that_answers_a_question_was_read():
    read = {(place, question) for place, question, _, _ in agreement.printed(REPORT)}
    assert {question for _, question in read} == set(agreement.engine())
    assert Counter(place for place, _ in read) == PLACES


@pytest.mark.slow
def test_each_answer_on_a_page_is_the_engines_to_the_printed_digit():
    assert agreement.wrong_print(REPORT) == []


@pytest.mark.slow
def test_each_answer_in_a_download_or_behind_a_figure_is_the_engines():
    assert len(agreement.own_ratios()) > 10
    assert agreement.wrong_data(REPORT) == []


@pytest.mark.slow
def test_each_difference_told_in_a_sentence_stands_in_the_engine_or_in_a_download():
    assert agreement.wrong_prose(REPORT) == []


@pytest.mark.slow
def test_each_number_of_an_alternative_text_stands_in_the_figures_data():
    assert agreement.untold(REPORT) == []


# ----- A digit changed in one place is found


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a copy of the report's pages, downloads and data of figures."""
    folder = tmp_path_factory.mktemp("report")
    for path in [*REPORT.rglob("*.html"), *REPORT.glob("tables/*.csv"), *REPORT.glob("figures/*.csv")]:
        target = folder / path.relative_to(REPORT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def other(found):
    """Return what was found with the last digit changed."""
    text = found.group(0)
    at = max(place for place, one in enumerate(text) if one.isdigit())
    return f"{text[:at]}{(int(text[at]) + 5) % 10}{text[at + 1 :]}"


CARD = "limits of the first question"
FIRST = r'(?<=class="told">).*?<span class="v"[^>]*>\d+'
SEEDS = {
    "difference on the first screen": ("index.html", FIRST, "wrong_print"),
    "risk on the first screen": ("index.html", r'class="risk"[^>]*><span class="v"[^>]*>\d+', "wrong_print"),
    "ratio in the table of answers": (
        "index.html",
        r"\d+\.\d+(?= \(\d+\.\d+\s+to\s+\d+\.\d+\))",
        "wrong_print",
    ),
    "value in the download of answers": ("tables/tbl-answers.csv", r"(?<=RD,)-?0\.\d\d", "wrong_data"),
    "certainty in the download": ("tables/tbl-findings-certainty.csv", r",very low,1", "wrong_data"),
    "summary of findings": ("notebooks/summary_of_findings.html", r"\d+ more per 1,000 \(\d+", "wrong_print"),
    "download of the summaries": ("tables/tbl-findings-certainty.csv", r"(?<=RR,)\d+\.\d\d", "wrong_data"),
    "chosen analysis": (
        "figures/fig-sensitivity-changing.csv",
        r"0\.\d\d\d(?=\d*,\d+,\w+,True)",
        "wrong_data",
    ),
    "scenarios": ("notebooks/scenarios.html", r"float-tbl.*?\d+ more \(\d+", "wrong_print"),
    "download of the scenarios": ("tables/tbl-scenarios.csv", r",default(?:,[^,]*){2},0\.\d\d", "wrong_data"),
    "sentence of the explorer": (
        "notebooks/explorer.html",
        r"\d+ more per 1,000 \(95% CI \d+",
        "wrong_print",
    ),
    "card of the explorer": ("notebooks/explorer.html", CARD, "wrong_print"),
    "most certain answers": (
        "notebooks/summary_of_findings.html",
        r"tbl-findings-certain.*?\d+ (?:more|fewer) \(\d+",
        "wrong_print",
    ),
    "page for patients": ("notebooks/plain_language.html", r"about <span[^>]*>\d+", "wrong_print"),
    "data of a forest plot": (
        "figures/fig-synthesis-saa-forest.csv",
        r"(?<=,)\d\.\d+,\d\.\d\d",
        "wrong_data",
    ),
    "alternative text": ("notebooks/saa_pilot.html", r'alt="[^"]*?\d+\.\d+ \(\d+\.\d+', "untold"),
    "sentence of a chapter": (
        "notebooks/saa_pilot.html",
        r"In short.*?\d+ more[^(]*\((?:95% CI )?\d+",
        "wrong_prose",
    ),
    "cell of a table": ("notebooks/cit_efficacy.html", r"0\.8[0-9]\d(?= \(Pearson)", "missing"),
    "download of a table": ("tables/tbl-cit-transfusion.csv", r"", "missing"),
}


def missing(report):
    return [
        one for name in ("notebooks/cit_efficacy.html",) for one in agreement.missing_numbers(report, name)
    ]


@functools.cache
def clean(check):
    return {str(one) for one in named(check)(REPORT)}


def named(check):
    return missing if check == "missing" else getattr(agreement, check)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_changed_digit_is_found(copy, seed):
    name, pattern, check = SEEDS[seed]
    path = copy / name
    text = path.read_text(encoding="utf-8")
    changed, times = changed_text(text, pattern)
    assert times == 1
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    try:
        assert {str(one) for one in named(check)(copy)} - clean(check)
    finally:
        path.write_text(text, encoding="utf-8")


def changed_text(text, pattern):
    """Return a text with one digit changed; without a pattern, without its last row."""
    if not pattern:
        return "\n".join(text.splitlines()[:-1]) + "\n", 1
    if pattern == CARD:
        first = next(one for one, _ in agreement.engine().values() if one.difference)
        pattern = f'(?<="){difference_text(first.difference.low, first.difference.high)}(?=")'
    if pattern.startswith(",very low"):
        return re.subn(pattern, ",low,2", text, count=1)
    return re.subn(pattern, other, text, count=1, flags=re.DOTALL)
