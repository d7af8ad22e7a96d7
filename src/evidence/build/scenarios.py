"""Named parameter sets: ``scenarios/<name>.yml`` with a title, a reason and parameters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evidence.errors import ParameterError
from evidence.parameters import Parameters

DEFAULT = "default"
KEYS = frozenset({"title", "reason", "parameters"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named parameter set and why it exists."""

    name: str
    title: str
    reason: str
    parameters: Parameters


def read_scenario(given: str, root: Path, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Read the scenario ``given`` (a name below ``scenarios/`` or a YAML file); ``overrides`` win over it.

    Raises:
        ParameterError: the scenario is unknown, not a mapping of the known keys, or sets a parameter wrongly.
    """
    path = _find(given, root)
    content = _parse(path)
    values = {**(content.get("parameters") or {}), **(overrides or {})}
    title, reason = str(content.get("title", path.stem)), str(content.get("reason", ""))
    return Scenario(path.stem, title, reason, Parameters.parse(values))


def _find(given: str, root: Path) -> Path:
    named = root / "scenarios" / f"{given}.yml"
    path = named if NAME.fullmatch(given) and named.is_file() else Path(given)
    if not path.is_file():
        raise ParameterError(f"scenario {given!r}: {_nearest(given, root)}")
    if not NAME.fullmatch(path.stem):
        raise ParameterError(
            f"{path}: name the file with letters, digits, - and _ only; it names the report's folder"
        )
    return path


def _nearest(given: str, root: Path) -> str:
    names = sorted(path.stem for path in (root / "scenarios").glob("*.yml"))
    near = difflib.get_close_matches(given, names, n=1)
    return f"did you mean {near[0]}?" if near else f"give a YAML file or one of {', '.join(names)}"


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("parameters") or {}, dict):
        raise ParameterError(f"{path}: give title, reason and parameters, the last as name: value lines")
    if stray := sorted(str(key) for key in set(content) - KEYS):
        raise ParameterError(f"{path}: unknown {', '.join(stray)}; the keys are title, reason, parameters")
    return content
