"""The declared shape of the tables, read from the folder's ``datapackage.json``."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.errors import DataError, Fault

PACKAGE = "datapackage.json"
WHOLE = re.compile(r"[+-]?[0-9]{1,15}")  # 15 digits fit a 64-bit integer and a float without loss
RULES = ("at_most", "any_of", "needs")
DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")

# The columns that the derived figures are made of; a package without them cannot be analysed.
MOMENT = ("analysis_set", "time", "time_unit", "time_label")
PLACE = ("row_id", "source_id", "locator")
RESULT = (*PLACE, "study_id", "outcome_id", "subgroup", "level", *MOMENT)
NEEDED: dict[str, tuple[str, ...]] = {
    "sources": ("source_id", "citekey", "title", "tier"),
    "studies": (*PLACE, "study_id", "label", "origin"),
    "arms": (*PLACE, "study_id", "arm_id", "label", "n"),
    "outcomes": ("outcome_id", "label", "domain", "type"),
    "counts": (*RESULT, "arm_id", "category", "events", "n", "n_basis", "percent", "basis"),
    "measurements": (*RESULT, "arm_id", "category", "from_time", "statistic", "value", "basis"),
    "tests": (*RESULT, "category", "from_time", "arms", "statistic", "p", "effect", "adjusted"),
    "claims": PLACE,
    "questions": ("question_id",),
    "definitions": PLACE,
    "protocols": PLACE,
    "risk_of_bias": PLACE,
    "certainty": ("question_id",),
    "pathway_nodes": PLACE,
    "pathway_edges": PLACE,
}


@dataclass(frozen=True, slots=True)
class Column:
    """What is declared of one column; ``default`` is None where the file must have the column."""

    name: str
    type: str
    description: str
    required: bool
    unique: bool
    enum: tuple[str, ...]
    pattern: re.Pattern[str] | None
    minimum: float | None
    maximum: float | None
    default: str | None
    true: tuple[str, ...]
    false: tuple[str, ...]
    percent_above_one: bool

    @property
    def numeric(self) -> bool:
        """Return whether the column holds numbers."""
        return self.type in {"integer", "number"}

    def mend(self, value: str) -> str:
        """Return how to mend a value of this column; empty where the value is right."""
        if not value:
            return "give a value" if self.required else ""
        if value != value.strip():
            return "remove the blanks around it"
        return next((mend for check in VALUE_CHECKS if (mend := check(self, value))), "")


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns whose values must stand in another table; the last may hold a list."""

    columns: tuple[str, ...]
    table: str
    keys: tuple[str, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule between the columns of one row."""

    name: str
    columns: tuple[str, ...]
    limit: float | None


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared table."""

    name: str
    path: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """All declared tables, and the columns unique over all of them."""

    resources: tuple[Resource, ...]
    unique: tuple[str, ...]


def read_schema(folder: Path) -> Schema:
    """Read the declared tables from ``datapackage.json`` in ``folder``.

    Raises:
        DataError: the file is missing, is not JSON, is no Data Package, or lacks what the engine reads.
    """
    file = f"{folder.name}/{PACKAGE}"
    package = _parse(folder / PACKAGE, file)
    try:
        resources = tuple(_resource(item) for item in package["resources"])
        schema = Schema(resources, tuple(package.get("uniqueOverTables", ())))
    except (KeyError, TypeError, AttributeError, re.error) as error:
        mend = "give resources with name, path and schema.fields"
        raise DataError((Fault(file, 0, "", f"{type(error).__name__} {error}", mend),)) from error
    if faults := tuple(_lacking(schema, file)):
        raise DataError(faults)
    return schema


def nearest(value: str, known: Iterable[str]) -> str:
    """Return a hint at the known value nearest to ``value``; empty where none is near.

    >>> nearest("printd", ["printed", "derived"])
    "; did you mean 'printed'?"
    """
    near = difflib.get_close_matches(value, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _parse(path: Path, file: str) -> dict[str, Any]:
    try:
        package = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        mend = "put the declaration of the tables there"
        raise DataError((Fault(file, 0, "", "", f"cannot be read; {mend}"),)) from error
    except UnicodeDecodeError as error:
        raise DataError((Fault(file, 0, "", f"byte {error.start}", "save the file as UTF-8"),)) from error
    except json.JSONDecodeError as error:
        raise DataError((Fault(file, error.lineno, "", "", f"{error.msg}; mend the JSON"),)) from error
    if not isinstance(package, dict):
        raise DataError((Fault(file, 1, "", "", "make it one object with resources"),))
    return package


def _lacking(schema: Schema, file: str) -> Iterable[Fault]:
    declared = {item.name: {column.name for column in item.columns} for item in schema.resources}
    for table, columns in NEEDED.items():
        if table not in declared:
            yield Fault(file, 0, table, "", "declare this table")
            continue
        for column in columns:
            if column not in declared[table]:
                yield Fault(file, 0, f"{table}.{column}", "", "declare this column")


def _resource(item: Mapping[str, Any]) -> Resource:
    schema = item["schema"]
    key = schema.get("primaryKey", ())
    references = [*schema.get("foreignKeys", ()), *schema.get("listKeys", ())]
    return Resource(
        name=item["name"],
        path=Path(item["path"]).name,
        columns=tuple(_column(field) for field in schema["fields"]),
        key=(key,) if isinstance(key, str) else tuple(key),
        references=tuple(_reference(reference, item["name"]) for reference in references),
        rules=tuple(_rule(rule) for rule in schema.get("rules", ())),
    )


def _rule(item: Mapping[str, Any]) -> Rule:
    if item["rule"] not in RULES:
        raise KeyError(f"rule {item['rule']}, known are {', '.join(RULES)}")
    return Rule(item["rule"], tuple(item["fields"]), item.get("limit"))


def _reference(item: Mapping[str, Any], table: str) -> Reference:
    target = item["reference"]
    fields, keys = (
        (value,) if isinstance(value, str) else tuple(value) for value in (item["fields"], target["fields"])
    )
    return Reference(fields, target.get("resource") or table, keys, item.get("separator", ""))


def _column(field: Mapping[str, Any]) -> Column:
    limits = field.get("constraints", {})
    return Column(
        name=field["name"],
        type=field.get("type", "string"),
        description=field.get("description", ""),
        required=limits.get("required", False),
        unique=limits.get("unique", False),
        enum=tuple(limits.get("enum", ())),
        pattern=re.compile(limits["pattern"]) if "pattern" in limits else None,
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
        default=field.get("default"),
        true=tuple(field.get("trueValues", ("true",))),
        false=tuple(field.get("falseValues", ("false",))),
        percent_above_one=field.get("percentAboveOne", False),
    )


def _wrong_type(column: Column, value: str) -> str:
    if column.type == "integer" and not WHOLE.fullmatch(value):
        return "write a whole number, digits only, or leave it empty"
    if column.type == "number" and not DECIMAL.fullmatch(value):
        return "write a number with a decimal point and no unit, or leave it empty"
    if column.type == "boolean" and value not in (*column.true, *column.false):
        return f"write {column.true[0]} or {column.false[0]}"
    return ""


def _not_allowed(column: Column, value: str) -> str:
    if not column.enum or value in column.enum:
        return ""
    return f"allowed are {', '.join(column.enum)}{nearest(value, column.enum)}"


def _wrong_form(column: Column, value: str) -> str:
    if column.pattern is None or column.pattern.fullmatch(value):
        return ""
    return f"write it in the form {column.pattern.pattern} ({column.description})"


def _out_of_range(column: Column, value: str) -> str:
    if not column.numeric:
        return ""
    if column.minimum is not None and float(value) < column.minimum:
        return f"must be at least {column.minimum:g}"
    if column.maximum is not None and float(value) > column.maximum:
        return f"must be at most {column.maximum:g}"
    return ""


VALUE_CHECKS = (_wrong_type, _not_allowed, _wrong_form, _out_of_range)
