from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.data.ledger import (
    REASONS,
    Entry,
    account,
    as_csv,
    carries,
    check_ledger,
    read_ledger,
    read_texts,
    rebuild,
)
from evidence.data.numerals import tokens, value
from evidence.errors import DataError

from ..conftest import write_tables

ROOT = Path(__file__).parents[2]
SEEDS = ROOT.parent / "shared" / "seeds"

TEXT = """\
Of 1,024 patients, 21.9% (224) responded at week 6 [3].
No patient died; both arms gained 30–50 ×10⁹/L (P < 0.001).
"""
ROWS = {
    "doc-c001": {
        "row_id": "doc-c001",
        "source_id": "doc",
        "events": "224",
        "n": "1024",
        "percent": "21.9",
        "time": "6",
    },
    "doc-c002": {"row_id": "doc-c002", "source_id": "doc", "events": "0", "n": "1024"},
    "doc-m001": {"row_id": "doc-m001", "source_id": "doc", "low": "30", "high": "50"},
    "doc-t001": {"row_id": "doc-t001", "source_id": "doc", "p": "<0.001"},
    "far-c001": {"row_id": "far-c001", "source_id": "far", "events": "224"},
}
CARRIED = {
    "1,024": "doc-c001|doc-c002",
    "21.9%": "doc-c001",
    "224": "doc-c001",
    "6": "doc-c001",
    "3": "citation_mark",
    "No": "doc-c002",
    "both": "determiner",
    "30": "doc-m001",
    "50": "doc-m001",
    "10⁹": "unit_power",
    "0.001": "doc-t001",
}


def decided(entry: Entry) -> Entry:
    decision = CARRIED[entry.token]
    return replace(entry, reason=decision) if decision in REASONS else replace(entry, row_id=decision)


LEDGER = [decided(entry) for entry in rebuild({"doc": TEXT}, [])]


def faults(ledger: list[Entry], text: str = TEXT) -> list[str]:
    return [str(fault) for fault in account({"doc": text}, ledger, ROWS)]


def texts_of(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no none neither zero", ["no", "none", "neither", "zero"]),
        ("both, all; once and twice a twofold dose", ["both", "all", "once", "twice", "twofold"]),
        ("first-line in one-tenth", ["first", "one-tenth"]),
        ("over fourteen days, one hundred and ten", ["fourteen", "one hundred and ten"]),
        ("aged 13–69, 5-10 mg, 7.8%-18.0%", ["13", "69", "5", "10", "7.8%", "18.0%"]),
        ("-0.212 (-2.326,1.902)", ["-0.212", "-2.326", "1.902"]),
        ("15,000 units; 1,000/mm³", ["15,000", "1,000", "³"]),
        ("2.5×10¹¹, $50 \\times 10^9/L$, 100 × 109/L", ["2.5", "10¹¹", "50", "10^9", "100", "109"]),
        ("phase III, stage IV, NCT00112233, PI3K", ["III", "IV", "00112233", "3"]),
        ("another overall nonetheless Ivy", []),
    ],
)
def test_numerals_and_number_words_are_listed_in_order(text: str, expected: list[str]):
    assert texts_of(text) == expected


def test_a_token_tells_its_line_position_and_words_around():
    found = {token.text: token for token in tokens(TEXT)}
    assert (found["both"].line, found["both"].position) == (2, 17)
    assert found["224"].context == "Of 1,024 patients, 21.9% (224) responded at week 6 [3]. No"


@given(st.integers(0, 10**9), st.integers(0, 10**4))
def test_a_written_number_is_read_as_one_token_of_its_value(whole: int, part: int):
    for written in (f"{whole:,}.{part}", f"{whole}.{part}"):
        (token,) = tokens(f"value {written} mg")
        assert token.text == written
        assert value(token.text) == value(f"{whole}.{part}")


@given(st.text(max_size=200))
def test_no_digit_of_any_text_stands_outside_a_token(text: str):
    lines = text.split("\n")
    spans = {
        (token.line, place)
        for token in tokens(text)
        for place in range(token.position, token.position + len(token.text))
    }
    for number, line in enumerate(lines, 1):
        for place, character in enumerate(line):
            assert not character.isdecimal() or (number, place) in spans


def test_a_row_carries_a_number_in_digits_or_words_but_not_in_its_place():
    assert carries({"paraphrase": "Two trials"}, "2")
    assert carries({"events": "0"}, "No")
    assert carries({"interval_level": "0.95"}, "95%")
    assert carries({"kind": "no_difference"}, "no")
    assert not carries({"locator": "Table 2", "cites": "2", "row_id": "doc-c002", "arm_id": "dose_2"}, "2")


def test_all_is_carried_by_a_count_that_is_its_whole_denominator():
    assert carries({"events": "4", "n": "4"}, "All")
    assert not carries({"events": "3", "n": "4"}, "All")


def test_a_complete_ledger_has_no_fault():
    assert faults(LEDGER) == []


@given(st.integers(0, len(LEDGER) - 1))
def test_removing_any_entry_is_reported(place: int):
    gone = LEDGER[place]
    assert any(
        gone.token in fault and "not in ledger.csv" in fault
        for fault in faults(LEDGER[:place] + LEDGER[place + 1 :])
    )


@given(st.integers(0, len(LEDGER) - 1), st.sampled_from(["77", "none", "0.5%"]))
def test_changing_any_token_of_the_text_is_reported(place: int, other: str):
    token = tokens(TEXT)[place]
    lines = TEXT.split("\n")
    line = lines[token.line - 1]
    lines[token.line - 1] = line[: token.position] + other + line[token.position + len(token.text) :]
    assert faults(LEDGER, "\n".join(lines))


@given(st.integers(0, len(TEXT) - 1), st.sampled_from([" 77 ", " none "]))
def test_adding_a_number_anywhere_in_the_text_is_reported(place: int, number: str):
    assert faults(LEDGER, TEXT[:place] + number + TEXT[place:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_id": ""}, "either the row that carries it or a reason"),
        ({"reason": "determiner"}, "either the row that carries it or a reason"),
        ({"row_id": "", "reason": "citation"}, "no such reason"),
        ({"row_id": "doc-c009"}, "no table has this row"),
        ({"row_id": "far-c001"}, "read from another document"),
        ({"row_id": "doc-m001"}, "does not carry '224'"),
        ({"row_id": "doc-c001|doc-m001"}, "does not carry '224'"),
        ({"line": 2}, "doc has '1'"),
        ({"context": "other words"}, "read it again"),
        ({"token": "225"}, "doc has '224'"),
        ({"order": 9}, "number the entries"),
    ],
)
def test_a_wrong_entry_is_reported_with_its_mend(change: dict[str, str], message: str):
    wrong = [replace(entry, **change) if entry.token == "224" else entry for entry in LEDGER]
    assert any(message in fault for fault in faults(wrong))


def test_an_entry_that_its_document_does_not_have_is_to_be_removed():
    found = faults(LEDGER, TEXT.replace("224", "many"))
    assert [fault for fault in found if "remove it" in fault] == [
        "ledger.csv:4 token 224: not in doc (Of 1,024 patients, 21.9% (224) responded at week 6 [3]. No); remove it"
    ]


def test_a_folder_without_a_ledger_and_one_with_faults_are_told_apart(tmp_path: Path):
    folder = tmp_path / "data"
    write_tables(folder)
    package = folder / "datapackage.json"
    declared = json.loads(package.read_text(encoding="utf-8"))
    (folder / "arms.csv").write_text("no\ncolumns\n")
    with pytest.raises(DataError, match=r"arms\.csv"):
        read_ledger(folder)
    declared["resources"] = [one for one in declared["resources"] if one["name"] != "ledger"]
    package.write_text(json.dumps(declared), encoding="utf-8")
    with pytest.raises(DataError, match=r"datapackage.json ledger: declare this table"):
        read_ledger(folder)


def test_an_entry_of_a_document_without_text_is_reported():
    assert (
        "no text of this document"
        in faults([*LEDGER, replace(LEDGER[0], source_id="far", row_id="far-c001")])[-1]
    )


def test_rebuilding_keeps_what_still_stands_and_leaves_the_rest_open():
    changed = rebuild({"doc": TEXT.replace("224", "225").replace("Of", "At once, of")}, LEDGER)
    assert {entry.token for entry in changed if not (entry.row_id or entry.reason)} == {"once", "225"}
    assert list(rebuild({"doc": TEXT}, LEDGER)) == LEDGER


def test_a_ledger_written_as_csv_reads_back_the_same():
    assert [tuple(row.values()) for row in csv.DictReader(io.StringIO(as_csv(LEDGER)))] == [
        tuple(str(getattr(entry, name)) for name in Entry.__annotations__) for entry in LEDGER
    ]


def test_each_document_needs_exactly_one_text(tmp_path: Path):
    (tmp_path / "000_a.txt").write_text("one", encoding="utf-8")
    assert read_texts(tmp_path, {"doc": "000"}) == {"doc": "one"}
    (tmp_path / "000_b.txt").touch()
    for files in ({"doc": "000"}, {"doc": "001"}):
        with pytest.raises(DataError, match="give one file"):
            read_texts(tmp_path, files)
    with pytest.raises(DataError, match="no such folder"):
        read_texts(tmp_path / "nowhere", {})


def test_every_row_of_the_ledger_exists_and_carries_its_token():
    ledger = read_ledger(ROOT / "data")
    assert ledger.entries
    own = {entry.source_id for entry in ledger.entries}
    assert own == set(ledger.files) == set(ledger.digests)
    unread = [fault for fault in account({}, ledger.entries, ledger.rows) if fault.column != "source_id"]
    assert unread == []


def test_every_figure_of_the_five_documents_is_accounted_for():
    if not SEEDS.is_dir():
        pytest.skip("the documents' texts are not here: no folder ../shared/seeds")
    ledger = read_ledger(ROOT / "data")
    texts = read_texts(SEEDS, ledger.files)
    assert len(texts) == 5
    assert check_ledger(ledger, texts) == ()


def test_every_figure_of_a_result_is_reached_from_the_ledger():
    """The ledger read backwards: no figure stands in a row of a document that the document does not print."""
    ledger = read_ledger(ROOT / "data")
    reached: dict[str, set[object]] = {}
    for entry in ledger.entries:
        for row_id in filter(None, entry.row_id.split("|")):
            reached.setdefault(row_id, set()).add(value(entry.token))
    columns = ("percent", "spread", "low", "high", "statistic", "p", "effect", "threshold")
    strange = [
        (row_id, column, row[column])
        for row_id, row in ledger.rows.items()
        if row.get("source_id") in ledger.files
        for column in columns
        for token in tokens(row.get(column, ""))
        if value(token.text) not in reached.get(row_id, set())
    ]
    assert strange == []
