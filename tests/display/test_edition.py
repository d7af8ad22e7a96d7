import hashlib
import platform
from importlib.metadata import version

import evidence
from evidence.display import edition_data_table, edition_programs_table, effects_in_short

from ..synthesis.invented import dataset, emptied, of_counts


def at(data):
    return evidence.Parameters(data_dir=str(data.path))


def test_every_table_of_the_data_stands_with_its_rows_and_its_hash(tmp_path):
    table = edition_data_table(at(of_counts(tmp_path, ((45, 50, 10, 50),))))
    assert sorted(table.data["file"]) == sorted(path.name for path in tmp_path.rglob("*.csv"))
    counts = table.data.set_index("file").loc["counts.csv"]
    path = next(tmp_path.rglob("counts.csv"))
    assert counts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert counts["rows"] == len(path.read_text(encoding="utf-8").splitlines()) - 1


def test_rows_are_counted_where_a_field_holds_a_line_break(tmp_path):
    data = of_counts(tmp_path, ((45, 50, 10, 50),))
    (data.path / "extra.csv").write_text('a,b\n1,"two\nlines"\n', encoding="utf-8")
    shown = edition_data_table(at(data)).data.set_index("file")["rows"]
    assert shown["extra.csv"] == 1


def test_programs_are_those_installed():
    shown = {row[0].text: row[1].text for row in edition_programs_table().rows}
    assert shown["Python"] == platform.python_version()
    assert shown["pandas"] == version("pandas")
    assert "pytest" not in shown


def test_comparisons_are_counted_in_short(tmp_path):
    clear = of_counts(tmp_path / "clear", ((45, 50, 10, 50), (20, 50, 19, 50)))
    outcome = str(clear.counts["outcome_id"].iloc[0])
    text = effects_in_short(clear, evidence.Parameters(), outcome_ids=[outcome]).text
    assert "1 event was compared 2 times within 2 studies." in text
    assert "leaves out" not in text
    single = of_counts(tmp_path / "single", ((45, 50, 10, 50),))
    said = effects_in_short(single, evidence.Parameters(), outcome_ids=[outcome]).text
    assert said.endswith("1 event was compared once within 1 study.")
    nothing = dataset(tmp_path / "empty", emptied())
    assert "hold no result" in effects_in_short(nothing, evidence.Parameters(), outcome_ids=[outcome]).text
