import csv
import re
from pathlib import Path

from evidence.display import accuracy_prose, accuracy_table, representation
from evidence.display.labels import lower_first

PATH = str(Path(__file__).parents[2] / "benchmarks" / "accuracy.csv")


def rows():
    with open(PATH, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_comparison_is_a_line_with_its_program_and_numbers():
    table = accuracy_table(PATH)
    assert [line[0].text for line in table.rows] == [row["what"] for row in rows()]
    for line, row in zip(table.rows, rows(), strict=True):
        assert line[2].text.endswith(f"{row['oracle']} {row['version']}")
        assert line[3].text.replace(",", "") == row["cases"]
    assert representation(table)[0]["text/plain"]


def test_the_sentence_names_the_total_and_the_farthest():
    text = accuracy_prose(PATH).text
    assert text.startswith(f"{sum(int(row['cases']) for row in rows()):,} numbers in {len(rows())} groups")
    worst = max(rows(), key=lambda row: float(row["largest"]))
    assert f"*{lower_first(worst['what'])}*" in text
    assert re.search(r"by \d\.\d × 10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+ of", text)


def test_without_a_benchmark_the_page_says_so():
    assert len(accuracy_table("no/such.csv").columns) == 1
    assert "No comparison" in accuracy_prose("no/such.csv").text
