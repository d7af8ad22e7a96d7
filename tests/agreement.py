"""What each place of a built report says of each question, read back from its files and compared with the engine."""

import csv
import functools
import html
import json
import math
import re
from bisect import bisect_left
from decimal import Decimal
from pathlib import Path

from bs4 import BeautifulSoup

import evidence
from evidence.display.answers import DIRECTIONS
from evidence.synthesis.certainty import certainty

from .conftest import ROOT

NUMBER = re.compile(r"([<>≫] ?)?(?<![\w.])[−-]?(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)")
CAPPED = re.compile(r"\bover (?=\d)")  # a limit too large to be of use says only what it is above
POWER = re.compile(r"(?:(\d[\d.]*)\s?[x×]\s?|(?<![\d.]))10\^?((?:[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|(?<=\^)-?\d+)(?!/))")
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
WRITTEN = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")
SCALES = (1, 100, 1000)  # a share stands as a proportion in the download, in percent or per 1,000 on the page
# What a cell says beside its values, and why that is no value of the table.
ASIDE = {
    r"×\s?10⁹/L": "the unit of a count of cells",
    r"(?<=grade )(?:\d[–-]\d|≥\d|\d(?= or more))": "grades in the name of an outcome",
    r"\b(?:Diagram|Network|Intervals) of \d+": "how many parts a drawing has",
    r"\d+(?:\.\d+)?% (?:CI|confidence)": "the level of the intervals, the same everywhere",
    r"(?:Section|Chapter|Table|Figure|Fig\.)\s[\d.]+": "a place in this report or in a document",
    r"\b[Rr]ows?\s\d+": "a place in a document",
    r"\b(?:19|20)\d\d(?:;\s?\d+)?(?:\(\d+\))?(?::\d+)?(?:[–-]\d+)?": "a year, with volume and page in the name of a document",
    r"(?<=Suppl )\d+": "a supplement in the name of a document",
    r"\d+(?:\.\d+)?\s?mg\b": "a dose in the name of a treatment",
    r"per 1,000": "the unit of a risk",
}
CUT = re.compile("|".join(ASIDE))
SIZE = r"\d[\d,]* (?:more|fewer)"  # each size says its direction, save none
LIMITS = re.compile(rf"({SIZE}|0) to ({SIZE}|0)")
DIFFERENCE = re.compile(rf"({SIZE}|as many)(?: per 1,000)? \((?:95% CI )?{LIMITS.pattern}\)", re.IGNORECASE)
RATIO = re.compile(r"(\d[\d,]*(?:\.\d+)?) \((\d[\d,]*(?:\.\d+)?) to (\d[\d,]*(?:\.\d+)?)\)")
SURE = re.compile(r"(very low|low|moderate|high)", re.IGNORECASE)
ENDS = ("estimate", "low", "high")
EXACT = 1e-8  # of a value written with ten digits


# ----- Reading


@functools.cache
def _soup(text):
    return BeautifulSoup(text, "html.parser")


def page(report, name):
    return _soup((report / name).read_text(encoding="utf-8"))


def pages(report):
    return sorted(path.relative_to(report).as_posix() for path in report.rglob("*.html"))


def tables(report, name):
    return page(report, name).select("figure.float-tbl")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def words(element):
    return " ".join(element.get_text(" ").split()) if element else ""


def close(element):
    """Return the text of an element with no space that the page does not show."""
    return " ".join(element.get_text().split()) if element else ""


def plain_title(text):
    return re.sub(r"\W+", " ", text).strip().casefold()


# ----- Each number of a table in its download


def shown(text):
    """Return the numbers of a text as printed: each with what it is a bound of, if anything."""
    plain = CAPPED.sub("≫ ", CUT.sub(" ", " ".join(text.split())))
    found = NUMBER.findall(POWER.sub(_scientific, plain))
    return [((sign.strip()), number.replace(",", "")) for sign, number in found]


def _scientific(power):
    return f"{power[1] or 1}e{power[2].translate(SUPERSCRIPTS)}"


@functools.cache
def _held(text):
    cells = " ".join(" ".join(row) for row in csv.reader(text.splitlines()))
    return sorted(
        {abs(float(one)) for one in WRITTEN.findall(POWER.sub(_scientific, cells.replace(",", "")))}
    )


def held(path):
    """Return every number of a download, sorted."""
    return _held(path.read_text(encoding="utf-8"))


def stands_in(number, values):
    """Return whether one of the values rounds to the number as shown, on one of the scales."""
    sign, text = number
    if sign == "≫":
        return values[-1:] > [float(text)]
    half = _half(text)
    for scale in SCALES:
        low, high = (float(text) - half) / scale, (float(text) + half) / scale
        if scale == 1 and float(text) < 1:  # the bound of a P value, whose number is in the download
            low, high = (0.0 if sign == "<" else low), (1.0 if sign == ">" else high)
        place = bisect_left(values, low)
        if place < len(values) and values[place] <= high:
            return True
    return False


def _half(text):
    """Return half of the last decimal shown, and a little for what ten digits leave out."""
    half = float(Decimal(1).scaleb(Decimal(text).as_tuple().exponent)) / 2
    return half + 1e-9 * max(float(text), half)


def missing_numbers(report, name):
    """Return the numbers in the tables of a page that do not stand in their downloads."""
    found = []
    for table in tables(report, name):
        values = held(download_of(report, table)) if download_of(report, table) else []
        for cell in table.select("tbody td, tbody th"):
            text = cell.get_text(" ")
            found += [(table["id"], *one, text[:60]) for one in shown(text) if not stands_in(one, values)]
    return found


def download_of(report, table):
    """Return the download of a table; the summaries of findings share that of the evidence profile."""
    path = report / "tables" / f"{table['id']}.csv"
    profile = report / "tables" / "tbl-findings-certainty.csv"
    own = re.fullmatch(r"float-\d+", table["id"]) and words(table.select_one("thead th")) == "Finding"
    return path if path.exists() else profile if own else None


# ----- What is printed of a question, as numbers


def differences(text):
    """Return the differences per 1,000 with their limits that a text tells, as signed numbers."""
    return [_signed(found.groups()) for found in DIFFERENCE.finditer(text)]


def _signed(parts):
    estimate, first, last = map(_size, parts)
    return (estimate, *sorted((first, last)))


def _size(text):
    number, _, way = text.replace(",", "").partition(" ")
    return int(number) * (-1 if way == "fewer" else 1) if number.isdigit() else 0


def ratios(text):
    return [tuple(one.replace(",", "") for one in found) for found in RATIO.findall(text)]


def integers(text):
    return [int(one.replace(",", "")) for _, one in NUMBER.findall(text) if "." not in one]


def risks(text):
    """Return the risks per 1,000 of a cell: of one study with limits, of several without."""
    return integers(text.replace(" per 1,000", "").partition(":")[0])


# ----- The engine


@functools.cache
def engine():
    """Return the answer to every question, made anew from the data, and how certain each is."""
    data, parameters = evidence.load(ROOT / "data"), evidence.Parameters()
    made = {}
    for question in data.questions.sort_values("order")["question_id"]:
        one = evidence.answer(str(question), data, parameters)
        made[one.question_id] = (one, certainty(one, data, parameters))
    return made


@functools.cache
def titles():
    return {
        plain_title(one.title.replace("10^9", "10⁹")): question for question, (one, _) in engine().items()
    }


def expected(question):
    """Return what may stand of a question anywhere, unrounded: each field as a list of triples or numbers."""
    one, sure = engine()[question]
    apart = one.finding.side_by_side
    each = one.finding.each if apart else [one.difference] if one.difference else []
    effects = (
        one.finding.pooled.effects if apart and one.finding.pooled else [one.effect] if one.effect else []
    )
    return {
        "treatment": _risk(one, one.treatment, "treatment"),
        "control": _risk(one, one.control, "comparator"),
        "difference": [tuple(1000 * getattr(each, end) for end in ENDS) for each in each],
        "effect": [tuple(getattr(effect, end) for end in ENDS) for effect in effects if effect],
        "certainty": [sure.word] if sure else [],
        "direction": [DIRECTIONS[one.verdict.direction]],
    }


def _risk(one, risk, side):
    if risk is None:
        return []
    if not one.finding.side_by_side:
        return [1000 * getattr(risk, end) for end in ENDS]
    arms = [getattr(study, side) for study in one.finding.studies]
    return [1000 * arm.events / arm.n for arm in arms if arm]


def rounds_to(printed, value):
    """Return whether a value is printed so: at the decimals that are shown, a half to either side."""
    return math.isfinite(value) and abs(float(printed) - value) <= _half(str(printed).lstrip("-"))


def agrees(field, printed, values):
    """Return whether what a place prints is the values, number by number; a place may leave limits out."""
    if field in ("certainty", "direction"):
        return [one.casefold() for one in printed] == [one.casefold() for one in values]
    flat = [number for one in values for number in (one if isinstance(one, tuple) else [one])]
    told = [number for one in printed for number in (one if isinstance(one, tuple) else [one])]
    return 0 < len(told) <= len(flat) and all(map(rounds_to, told, flat))


# ----- The places


def first_screen(report):
    """Yield question, field and what the first screen prints."""
    for whom in page(report, "index.html").select(".answers > ul > li"):
        about = close(whom.find("strong")).rstrip(".")
        for line in whom.select("ul > li"):
            question = _asked_first(about, line)
            sides = [integers(close(one))[:1] for one in line.select(".risk")]
            told = close(line.select_one(".told"))
            yield question, "treatment", sides[0]
            if differences(told):
                yield question, "control", sides[1]
                yield question, "difference", differences(told)
            yield question, "certainty", SURE.findall(close(line.select_one(".sure")))[:1]


def _asked_first(about, line):
    """Return the question of a line of the first screen, which leaves out the arms that stand at its bars."""
    asked = plain_title(f"{about}: {close(line.select_one('.asked'))}")
    bars = [close(one).lower() for one in line.select(".risk")]
    for title, question in titles().items():
        study = engine()[question][0].finding.studies[0]
        arms = [arm.label.lower() for arm in (study.treatment, study.comparator) if arm]
        named = len(arms) == len(bars) and all(arm in bar for arm, bar in zip(arms, bars, strict=True))
        if title == asked or (named and title.startswith(f"{asked} ")):
            return question
    return None


CERTAIN, PART = "tbl-findings-certain", "of these"  # every line is a question, save the kinds of its events
HEADS = {
    "treatment": r"^With(?: treatment)?, per 1,000",
    "control": r"^With(?:out| comparator), per 1,000",
    "difference": r"^Difference",
    "effect": r"^(?:Risk|Odds) ratio",
    "certainty": r"^Certainty",
    "direction": r"^(?:Direction|Conclusion)$",
}


def tables_of_answers(report):
    """Yield what the tables print that have a line for each question, or a heading with lines below."""
    for name in pages(report):
        for table in tables(report, name):
            heads = [words(one) for one in table.select("thead th")]
            places = {field: _place(heads, head) for field, head in HEADS.items()}
            if places["difference"] is None and places["direction"] is None and places["certainty"] is None:
                continue
            yield from _lines(table, places)


def _place(heads, pattern):
    return next((at for at, head in enumerate(heads) if re.search(pattern, head)), None)


def _lines(table, places):
    whom, heading, first = "", None, False
    for line in table.select("tbody tr"):
        cells = [close(one) for one in line.select("td, th")]
        if not any(cells[1:]):
            whom = cells[0]
            heading, first = titles().get(plain_title(whom)), True
            continue
        question = _asked_in(whom, cells[0])
        if question is None and first:
            question, first = heading, False  # the report stands first below the title of a question
        answered = table["id"] == CERTAIN and not cells[0].casefold().startswith(PART)
        if (question is not None or answered) and _answers(cells, places):
            yield from ((question, field, told) for field, told in _answers(cells, places))


def _asked_in(whom, cell):
    """Return the question of a line: its heading names whom it is about, and may name what was compared."""
    about, _, compared = whom.partition(": ")
    asked = [f"{whom}: {cell}", cell, f"{about}: {cell}, {compared}"]
    return next((titles()[one] for one in map(plain_title, asked) if one in titles()), None)


def _answers(cells, places):
    made = []
    for field, at in places.items():
        text = cells[at] if at is not None and at < len(cells) else ""
        told = {
            "treatment": risks, "control": risks, "difference": differences, "effect": ratios,
            "certainty": lambda said: SURE.findall(said)[:1],
            "direction": lambda said: [said.removeprefix("Changed: ")] if said else [],
        }[field](text)  # fmt: skip
        made += [(field, told)] if told else []
    return made


def summaries(report):
    """Yield what the summaries of findings print, a table for each question."""
    for table in tables(report, "notebooks/summary_of_findings.html"):
        if words(table.select_one("thead th")) != "Finding":
            continue
        question = titles().get(plain_title(close(table.select_one("figcaption"))))
        lines = [tuple(close(one) for one in line.select("th, td")) for line in table.select("tbody tr")]
        found = [told for name, told in lines if name.startswith("With ")]
        fields = dict(
            zip(
                ("control", "treatment") if len(found) > 1 else ("treatment",), map(risks, found), strict=True
            )
        )
        for name, told in lines:
            fields |= {"difference": differences(told)} if name.startswith("Difference") else {}
            fields |= {"effect": ratios(told)} if "ratio" in name else {}
            fields |= {"certainty": SURE.findall(told)[:1]} if name == "Certainty" else {}
        yield from ((question, field, told) for field, told in fields.items() if told)


def explorer(report):
    """Yield what the explorer shows of each question before anything is chosen: cards and its sentence."""
    soup = page(report, "notebooks/explorer.html")
    data = json.loads(soup.select_one("#explorer-data").string)
    at = 0
    chosen = [
        ("levels", soup.select_one("input[name=explorer-level][checked]")["value"]),
        ("missing", soup.select_one("input[name=explorer-missing][checked]")["value"]),
        ("pooling", soup.select_one("#explorer-pooling option[selected]")["value"]),
        ("interval", soup.select_one("#explorer-interval option[selected]")["value"]),
    ]
    for name, value in chosen:
        at = at * len(data[name]) + data[name].index(value)
    for topic in data["topics"]:
        if topic["id"] in engine():
            sets = topic["sets"]
            every = 0 if topic["setNames"] else max(range(len(sets)), key=lambda place: len(sets[place]))
            view = topic["views"][topic["places"][at * len(sets) + every]]
            yield from _explored(topic["id"], view, data["texts"])


def _explored(question, view, texts):
    one, _ = engine()[question]
    yield question, "sentence", [" ".join(filter(None, (texts[place] for place in view[0])))]
    first = len(one.finding.studies) if one.finding.side_by_side else 1
    cards = [[[texts[main], texts[limits]] for _, main, limits, _ in card[2]] for card in view[4][:first]]
    for at, field in enumerate(("treatment", "control", "difference", "effect")):
        parts = [card[at] for card in cards if len(card) > at]
        joint = [f"{main} ({limits})" if limits else main for main, limits in parts]
        read = {"difference": differences, "effect": ratios}.get(field, risks)
        told = [number for text in joint for number in read(text)]
        if told:
            yield question, field, told


def plain_page(report):
    """Yield what the page for patients prints, out of 100 people."""
    source = json.loads((ROOT / "notebooks" / "plain_language.ipynb").read_text(encoding="utf-8"))
    asked = re.findall(
        r'plain_prose\([^)]*question_id="(\w+)"', "".join("".join(cell["source"]) for cell in source["cells"])
    )
    told = [close(one) for one in page(report, "notebooks/plain_language.html").select("p")]
    told = [text for text in told if text.startswith("Out of 100 people")]
    for question, text in zip(asked, told, strict=True):
        yield question, "treatment of 100", re.findall(r"about (\d+)", text)[:1]
        yield question, "control of 100", re.findall(r"about (\d+)", text)[1:]
        gap = LIMITS.search(text)
        yield question, "gap of 100", [_size(one) for one in gap.groups()] if gap else []


def printed(report):
    """Yield the name of every place that prints answers, with question, field and what it prints."""
    for place in (first_screen, tables_of_answers, summaries, explorer, plain_page):
        yield from ((place.__name__, *one) for one in place(report))


def _wanted(question, field):
    one, _ = engine()[question]
    if field == "sentence":
        return [one.sentence]
    if not field.endswith("of 100"):
        return expected(question)[field]
    name = field.partition(" ")[0]
    if name != "gap":
        return [value / 10 for value in expected(question)[name][:1]]
    limits = [end / 10 for each in expected(question)["difference"] for end in each[1:]]
    ends = (min(limits), max(limits))
    return list(ends if ends[1] > 0 else ends[::-1])


def wrong_print(report):
    """Return where a page prints of a question what the engine does not give."""
    found = []
    for place, question, field, told in printed(report):
        if question is None:
            found.append((place, "a question that was not asked", field, told))
        elif field == "sentence":
            found += [] if told == _wanted(question, field) else [(place, question, field, told)]
        elif not agrees(field, told, _wanted(question, field)):
            found.append((place, question, field, told, _wanted(question, field)))
    return found


# ----- Downloads and the data of figures


def wrong_data(report):
    """Return the rows of downloads and of figures' data whose values are not the engine's."""
    found = []
    for path in sorted([*report.glob("tables/*.csv"), *report.glob("figures/*.csv")]):
        for row in rows_of(path):
            found += [(path.name, *one) for one in (*_answer_row(row), *_study_row(row))]
    return found


def _answer_row(row):
    """Return what a row on a question says otherwise than the engine; rows of other analyses are passed over."""
    if row.get("question_id") not in engine() or (row.get("scenario") or "default") != "default":
        return []
    one, sure = engine()[row["question_id"]]
    known = {"direction": one.verdict.direction, "certainty": sure.word if sure else ""}
    if row.get("main") == "False":
        return []
    wrong = [
        (row["question_id"], name, row[name])
        for name, value in known.items()
        if row.get(name) not in (None, "", value)
    ]
    values = {
        f"{part}_{end}": getattr(getattr(one, part), end, None)
        for part in ("treatment", "control", "difference", "effect")
        for end in ENDS
    }
    values |= {f"rr_{end}": values[f"effect_{end}"] for end in ENDS}
    values |= {end: values[f"difference_{end}"] for end in ENDS} if row.get("main") == "True" else {}
    return wrong + [
        (row["question_id"], name, row[name], value)
        for name, value in values.items()
        if row.get(name) not in (None, "") and not _same(row[name], value)
    ]


@functools.cache
def own_ratios():
    """Return the ratio of each comparison of one study behind an answer, by the rows it comes from."""
    made = {}
    for one, _ in engine().values():
        for finding in (one.finding, *one.apart):
            effects = finding.pooled.effects if finding.pooled else []
            for study, effect in zip(finding.studies, effects, strict=False):
                if effect and study.comparator:
                    made[f"{study.treatment.rows}|{study.comparator.rows}", effect.measure] = (
                        study.four,
                        effect,
                    )
    return made


def _study_row(row):
    """Return what a study's line in a forest plot says otherwise than the engine."""
    found = own_ratios().get((row.get("row_id"), row.get("measure")))
    if found is None or row.get("kind", "study") != "study" or row.get("low") in (None, ""):
        return []
    four, effect = found
    values = dict(zip(("e1", "n1", "e0", "n0"), four, strict=True)) | {
        end: getattr(effect, end) for end in ENDS
    }
    return [
        (row["row_id"], name, row[name], value)
        for name, value in values.items()
        if not _same(row[name], value)
    ]


def _same(text, value):
    return value is not None and math.isclose(float(text), value, rel_tol=EXACT, abs_tol=EXACT)


# ----- Prose


def wrong_prose(report):
    """Return the differences with intervals told in sentences that neither the engine nor a download gives."""
    known = _known(report)
    found = []
    for name in pages(report):
        for block in page(report, name).select("main p, main li, main blockquote, main figcaption"):
            if block.select("p, li"):
                continue
            told = differences(close(block))
            found += [(name, one, close(block)[:80]) for one in told if one not in known]
    return found


def _known(report):
    made = set()
    for one, _ in engine().values():
        for finding in (one.finding, *one.apart):
            shown = [*finding.each, *([finding.difference] if finding.difference else [])]
            made |= {tuple(_per_1000(getattr(each, end)) for end in ENDS) for each in shown}
    for path in [*report.glob("tables/*.csv"), *report.glob("figures/*.csv")]:
        made |= {triple for row in rows_of(path) for triple in _triples(row)}
    return made


def _triples(row):
    names = [
        ("estimate", "low", "high"),
        *(
            (f"{name}_estimate", f"{name}_low", f"{name}_high")
            for name in ("difference", "own_difference", "adjusted_difference")
        ),
    ]
    for ends in [*names, ("difference", "low_difference", "high_difference"), ("difference", "low", "high")]:
        cells = [row.get(end) for end in ends]
        if all(cells) and all(re.fullmatch(r"-?[\d.]+(?:e-?\d+)?", one) for one in cells):
            yield tuple(_per_1000(float(one)) for one in cells)


def _per_1000(value):
    return (
        int(math.copysign(math.floor(abs(value) * 1000 + 0.5 + 1e-9), value)) if math.isfinite(value) else 0
    )


# ----- Figures


def alternatives(report):
    """Return the alternative texts of every labelled figure."""
    found = {}
    for name in pages(report):
        for figure in page(report, name).select("figure[id^=fig-]"):
            found[figure["id"]] = html.unescape(" ".join(one.get("alt", "") for one in figure.select("img")))
    return found


def untold(report):
    """Return the numbers in the alternative text of figures with values that do not stand in their data."""
    found = []
    for label, alt in alternatives(report).items():
        values = held(Path(report) / "figures" / f"{label}.csv")
        found += [(label, *one) for one in shown(alt) if not stands_in(one, values)]
    return found
