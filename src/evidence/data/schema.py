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
LEAST = {"at_most": 2, "any_of": 1, "needs": 2}  # fields that a rule names
TYPES = ("string", "integer", "number", "boolean")
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
        schema = Schema(resources, _names(package.get("uniqueOverTables", ())))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, re.error) as error:
        mend = "give resources with name, path and schema.fields"
        raise DataError((Fault(file, 0, "", f"{type(error).__name__} {error}", mend),)) from error
    lacking = tuple(_lacking(schema, file))
    told = {fault.column for fault in lacking}
    if faults := (*lacking, *(one for one in _misdeclared(schema, file) if one.column not in told)):
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
    except (RecursionError, ValueError) as error:  # nested, or with a number of digits, beyond all sense
        raise DataError((Fault(file, 0, "", "", f"{type(error).__name__}; mend the JSON"),)) from error
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


def _misdeclared(schema: Schema, file: str) -> Iterable[Fault]:
    """Yield tables and columns declared twice, and rules and references that name what is not declared."""
    declared = {item.name: {column.name for column in item.columns} for item in schema.resources}
    for kind in ("name", "path"):
        values = [getattr(item, kind) for item in schema.resources]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield Fault(file, 0, value, "", f"two tables have this {kind}; give each its own")
    for item in schema.resources:
        own = declared[item.name]
        named = {(item.name, name) for rule in item.rules for name in rule.columns}
        named |= {(item.name, name) for name in item.key}
        named |= {(item.name, name) for one in item.references for name in one.columns}
        named |= {(one.table, name) for one in item.references for name in one.keys}
        for table, name in sorted(named):
            if name not in (own if table == item.name else declared.get(table, set())):
                yield Fault(file, 0, f"{table}.{name}", "", f"{item.name} names it; declare it")
        if len(own) < len(item.columns):
            yield Fault(file, 0, item.name, "", "a column is declared twice; remove one")


def _resource(item: Mapping[str, Any]) -> Resource:
    schema = item["schema"]
    references = [*schema.get("foreignKeys", ()), *schema.get("listKeys", ())]
    return Resource(
        name=_name(item["name"]),
        path=_file_name(item["path"]),
        columns=tuple(_column(field) for field in schema["fields"]),
        key=_names(schema.get("primaryKey", ())),
        references=tuple(_reference(reference, item["name"]) for reference in references),
        rules=tuple(_rule(rule) for rule in schema.get("rules", ())),
    )


def _name(value: Any) -> str:
    """Return a name as it was given; refuse what is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} stands where a name belongs")
    return value


def _names(given: Any) -> tuple[str, ...]:
    """Return one name, or several, as a tuple."""
    return tuple(map(_name, [given] if isinstance(given, str) else given))


def _file_name(path: str) -> str:
    """Return the name of a table's file, which stands beside the declaration."""
    if Path(path).name != path or "\0" in path:
        raise ValueError(f"path {path!r} is no plain file name")
    return path


def _rule(item: Mapping[str, Any]) -> Rule:
    if item["rule"] not in RULES:
        raise KeyError(f"rule {item['rule']}, known are {', '.join(RULES)}")
    if len(item["fields"]) < LEAST[item["rule"]] - ("limit" in item):
        raise ValueError(f"rule {item['rule']} names too few fields")
    limit = item.get("limit")
    return Rule(item["rule"], _names(item["fields"]), None if limit is None else float(limit))


def _reference(item: Mapping[str, Any], table: str) -> Reference:
    target = item["reference"]
    fields, keys = _names(item["fields"]), _names(target["fields"])
    return Reference(fields, _name(target.get("resource") or table), keys, _name(item.get("separator", "")))


def _column(field: Mapping[str, Any]) -> Column:
    limits = field.get("constraints", {})
    _refuse_field(field, limits)
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


def _refuse_field(field: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
    """Refuse what a field may not hold, so that no value of a table is judged by it."""
    kinds: dict[str, tuple[Any, type | tuple[type, ...]]] = {
        "name": (field["name"], str),
        "default": (field.get("default", ""), str),
        "minimum": (limits.get("minimum", 0), (int, float)),
        "maximum": (limits.get("maximum", 0), (int, float)),
        "required": (limits.get("required", False), bool),
        "unique": (limits.get("unique", False), bool),
        "description": (field.get("description", ""), str),
    }
    wrong = [name for name, (value, kind) in kinds.items() if not isinstance(value, kind)]
    texts = [*limits.get("enum", ()), *field.get("trueValues", ("",)), *field.get("falseValues", ("",))]
    if wrong or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"field {field['name']}: {', '.join(wrong) or 'a value'} is of the wrong type")
    if field.get("type", "string") not in TYPES:
        raise ValueError(f"field {field['name']}: the types are {', '.join(TYPES)}")


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
    if column.percent_above_one and not _is_fraction(float(value), column.minimum or 0.0):
        return "give a fraction below 1, such as 0.95, or the same in percent"
    return ""


def _is_fraction(value: float, least: float) -> bool:
    """Return whether a number, read as percent where it is above 1, is a fraction in range."""
    return least <= (value / 100 if value > 1 else value) < 1


VALUE_CHECKS = (_wrong_type, _not_allowed, _wrong_form, _out_of_range)
