"""The committed declaration of the tables against the design, and bad declarations against their messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import PACKAGE, Folder, faults_in, fields_of, tables

READ = "row_id source_id locator cites "
DESIGN = {
    "sources": "source_id citekey title kind tier year doi",
    "studies": READ + "study_id label indication population design randomised n comparator registry_id "
    "parent_study_id period country follow_up funding status origin",
    "arms": READ + "study_id arm_id label components dose_value dose_unit dose_schedule n role node combines",
    "outcomes": "outcome_id label domain type better unit parent_id partition definition",
    "counts": READ
    + "study_id arm_id outcome_id category subgroup level analysis_set time time_unit time_label "
    "events n n_basis percent low high interval_level basis",
    "measurements": READ + "study_id arm_id outcome_id subgroup level analysis_set time time_unit time_label "
    "from_time n statistic value spread spread_label low high interval_label interval_level unit basis",
    "tests": READ
    + "study_id outcome_id category subgroup level analysis_set time time_unit time_label from_time "
    "arms test_label statistic_label statistic df p effect_label effect low high interval_level adjusted",
    "claims": READ
    + "study_id kind outcome_id arms subgroup level time time_unit value low high unit paraphrase",
    "questions": "question_id title indication population treatment treatment_dose comparator comparator_dose "
    "outcome_id analysis_set time_low time_high time_unit designs measure important_per_1000 control_risk order",
    "definitions": READ + "outcome_id group join criterion operator threshold unit",
    "protocols": READ + "study_id section item value unit",
    "risk_of_bias": READ + "study_id outcome_id tool domain judgement reason reviewer",
    "certainty": "question_id domain levels reason reviewer",
    "pathway_nodes": READ + "diagram node_id label kind",
    "pathway_edges": READ + "diagram from_id to_id label",
}


@pytest.mark.parametrize("table", DESIGN)
def test_declaration_has_the_designs_columns_in_order_and_no_default_for_them(table: str):
    fixed = [one["name"] for one in fields_of(table) if "default" not in one]
    assert fixed == DESIGN[table].split()


def test_declaration_has_every_table_of_the_design():
    assert set(tables()) >= set(DESIGN)


@pytest.mark.parametrize("table", tables())
def test_every_declared_column_says_its_type_and_meaning(table: str):
    for one in fields_of(table):
        assert one["type"] in {"string", "integer", "number", "boolean"}
        assert len(one["description"]) >= 3, one["name"]


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    package = json.loads(PACKAGE.read_text(encoding="utf-8"))
    change(package)
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    return folder


def test_missing_declaration_is_one_fault(folder: Folder):
    (folder.write() / "datapackage.json").unlink()
    assert str(faults_in(folder.path)[0]).startswith("data/datapackage.json: cannot be read")


def test_declaration_that_is_not_json_names_its_line(folder: Folder):
    (folder.write() / "datapackage.json").write_text('{\n "name": }', encoding="utf-8")
    assert str(faults_in(folder.path)[0]).startswith("data/datapackage.json:2: ")


def test_declaration_that_is_not_utf8_names_the_byte(folder: Folder):
    (folder.write() / "datapackage.json").write_bytes(b'{"name": "\xff"}')
    assert faults_in(folder.path)[0].value == "byte 10"


@pytest.mark.parametrize(
    "change",
    [
        lambda package: package.pop("resources"),
        lambda package: package["resources"][0].pop("schema"),
        lambda package: package["resources"][4]["schema"]["rules"][0].update(rule="unheard_of"),
        lambda package: package["resources"][0]["schema"]["fields"][0]["constraints"].update(pattern="("),
    ],
)
def test_malformed_declaration_says_what_to_give(folder: Folder, change: Callable[[dict[str, Any]], object]):
    (fault,) = faults_in(edit(folder.write(), change))
    assert fault.file == "data/datapackage.json"
    assert fault.mend == "give resources with name, path and schema.fields"


def test_declaration_that_is_no_object_is_refused(folder: Folder):
    (folder.write() / "datapackage.json").write_text("[]", encoding="utf-8")
    assert "object" in faults_in(folder.path)[0].mend


def test_declaration_must_have_the_tables_and_columns_that_the_engine_reads(folder: Folder):
    def change(package: dict[str, Any]) -> None:
        package["resources"] = [one for one in package["resources"] if one["name"] != "certainty"]
        counts = next(one for one in package["resources"] if one["name"] == "counts")
        counts["schema"]["fields"] = [one for one in counts["schema"]["fields"] if one["name"] != "events"]

    found = {(fault.column, fault.mend) for fault in faults_in(edit(folder.write(), change))}
    assert found == {("certainty", "declare this table"), ("counts.events", "declare this column")}


def test_a_table_declared_beyond_the_fixed_ones_is_loaded_as_extra(folder: Folder):
    field = {"name": "token", "type": "string", "description": "A token"}
    tokens = {"name": "tokens", "path": "tokens.csv", "schema": {"fields": [field]}}
    folder.write()
    (folder.path / "tokens.csv").write_text("token\nseven\n", encoding="utf-8")
    edit(folder.path, lambda package: package["resources"].append(tokens))
    from evidence.data import load

    dataset = load(folder.path)
    assert dataset.extra["tokens"]["token"].tolist() == ["seven"]
    assert dataset.select("tokens", token="seven").shape == (1, 1)
    assert dataset.without(["alpha"]).extra["tokens"].shape == (1, 1)


def first_field(package: dict[str, Any]) -> dict[str, Any]:
    return package["resources"][0]["schema"]["fields"][0]


@pytest.mark.parametrize(
    "change",
    [
        lambda package: package["resources"][0].update(path="../sources.csv"),
        lambda package: package["resources"][0].update(name=7),
        lambda package: package["resources"][4]["schema"]["rules"][0].update(fields=[]),
        lambda package: first_field(package).update(type="colour"),
        lambda package: first_field(package).update(description=7),
        lambda package: first_field(package)["constraints"].update(enum=["yes", 1]),
        lambda package: first_field(package)["constraints"].update(required="yes"),
    ],
)
def test_a_declaration_of_the_wrong_kind_says_what_to_give(
    folder: Folder, change: Callable[[dict[str, Any]], object]
):
    (fault,) = faults_in(edit(folder.write(), change))
    assert fault.mend == "give resources with name, path and schema.fields"


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        (lambda package: package["resources"].append(package["resources"][0]), "two tables have this name; give each its own"),
        (lambda package: package["resources"].append(package["resources"][0]), "two tables have this path; give each its own"),
        (lambda package: package["resources"][0]["schema"]["fields"].append(first_field(package)), "a column is declared twice; remove one"),
        (lambda package: package["resources"][0]["schema"].update(primaryKey="nothing"), "sources names it; declare it"),
    ],
)  # fmt: skip
def test_what_is_declared_twice_or_named_undeclared_is_a_fault(
    folder: Folder, change: Callable[[dict[str, Any]], object], mend: str
):
    assert mend in {fault.mend for fault in faults_in(edit(folder.write(), change))}


def test_a_truth_value_is_one_of_the_declared_words(folder: Folder):
    field = {
        "name": "known",
        "type": "boolean",
        "description": "Known",
        "trueValues": ["yes"],
        "falseValues": ["no"],
    }
    folder.write()
    (folder.path / "facts.csv").write_text("known\nyes\nno\nmaybe\n", encoding="utf-8")
    facts = {"name": "facts", "path": "facts.csv", "schema": {"fields": [field]}}
    edit(folder.path, lambda package: package["resources"].append(facts))
    (fault,) = faults_in(folder.path)
    assert (fault.line, fault.value, fault.mend) == (4, "maybe", "write yes or no")
