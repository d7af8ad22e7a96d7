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
from evidence.project import find_root

DEFAULT, FOLDER = "default", "scenarios"
KEYS = frozenset({"title", "reason", "parameters"})
LONGEST, DEEPEST = 100_000, 10  # bytes and levels: a scenario has about 200 and 3, a large grid 10,000 and 4
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named parameter set and why it exists."""

    name: str
    title: str
    reason: str
    parameters: Parameters


def read_scenarios(root: Path | None = None) -> tuple[Scenario, ...]:
    """Read every scenario of a project, the default one first and the others by name.

    Args:
        root: the project's folder; by default the nearest one at or above where we are.

    Raises:
        ParameterError: as ``read_scenario``, of the first file that has a fault.
    """
    place = root or find_root()
    names = sorted(path.stem for path in (place / FOLDER).glob("*.yml"))
    return tuple(read_scenario(name, place) for name in sorted(names, key=lambda name: name != DEFAULT))


def read_scenario(given: str, root: Path, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Read the scenario ``given`` (a name below ``scenarios/`` or a YAML file); ``overrides`` win over it.

    Raises:
        ParameterError: the scenario is unknown, not a mapping of the known keys, or sets a parameter wrongly.
    """
    path = _find(given, root)
    content = _parse(path)
    values = {**(content.get("parameters") or {}), **(overrides or {})}
    title, reason = (_sentence(path, content, name) for name in ("title", "reason"))
    title = title or path.stem
    return Scenario(path.stem, title, reason, Parameters.parse(values))


def _find(given: str, root: Path) -> Path:
    named = root / FOLDER / f"{given}.yml"
    path = named if NAME.fullmatch(given) and named.is_file() else Path(given)
    if not _is_file(path):
        raise ParameterError(f"scenario {given!r}: {_nearest(given, root)}")
    if not NAME.fullmatch(path.stem) or path.stem.upper() in RESERVED:
        raise ParameterError(
            f"{path}: name the file with letters, digits, - and _ only; it names the report's folder"
        )
    return path


def _sentence(path: Path, content: Mapping[str, Any], name: str) -> str:
    """Return a text on one line; refuse characters that cannot be seen."""
    text = " ".join(str(content.get(name) or "").split())
    if not text.isprintable():
        raise ParameterError(f"{path}: {name} holds a character that cannot be seen; remove it")
    return text


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a character that no file has
        return False


def _nearest(given: str, root: Path) -> str:
    names = sorted(path.stem for path in (root / FOLDER).glob("*.yml"))
    near = difflib.get_close_matches(given, names, n=1)
    return f"did you mean {near[0]}?" if near else f"give a YAML file or one of {', '.join(names)}"


class _Plain(yaml.SafeLoader):
    """Reads values, lists and mappings: no tag, no anchor, nothing deep, no name twice."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return a value, list or mapping; refuse anchors, aliases and what is nested too deep."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.YAMLError(f"anchors and aliases are not read{event.start_mark}; write the value out")
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.YAMLError(f"nested more than {DEEPEST} deep{event.start_mark}")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; refuse a name that is no text or stands twice."""
        names = [key.value for key, _ in node.value]
        for name in names:
            if not isinstance(name, str) or names.count(name) > 1:
                raise yaml.YAMLError(f"{name!r} stands twice or is no name{node.start_mark}; give it once")
        return super().construct_mapping(node, deep)


def read_plain(path: Path) -> Any:
    """Return what a YAML file holds: plain values, lists and mappings of at most ``LONGEST`` bytes.

    Raises:
        ParameterError: the file cannot be read, or holds anything that plain settings have no need of.
    """
    try:
        content = path.read_bytes()
        if len(content) > LONGEST:
            raise ParameterError(f"{path}: {len(content)} bytes; settings have at most {LONGEST}")
        return yaml.load(content.decode("utf-8"), Loader=_Plain)  # noqa: S506 - a safe loader that reads less
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); give a YAML file") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: not readable as YAML: {error}") from error


def _parse(path: Path) -> dict[str, Any]:
    content = read_plain(path)
    if not isinstance(content, dict) or not isinstance(content.get("parameters") or {}, dict):
        raise ParameterError(f"{path}: give title, reason and parameters, the last as name: value lines")
    if stray := sorted(str(key) for key in set(content) - KEYS):
        raise ParameterError(f"{path}: unknown {', '.join(stray)}; the keys are title, reason, parameters")
    return content
