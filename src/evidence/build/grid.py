"""A grid of scenarios: every combination of some parameters' values, or a list of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from evidence.errors import ParameterError
from evidence.parameters import Parameters
from evidence.scenarios import DEFAULT, NAME, Scenario, read_plain, read_scenario

KEYS = ("title", "reason", "base", "parameters", "grid", "list")
# A grid with more scenarios than this is a slip of the pen, not a question.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Scenarios that differ in some parameters only."""

    name: str
    title: str
    scenarios: tuple[Scenario, ...]

    @property
    def varied(self) -> tuple[str, ...]:
        """Return the parameters in which the scenarios differ, in order of declaration."""
        values = [scenario.parameters.values() for scenario in self.scenarios]
        return tuple(name for name in values[0] if len({str(one[name]) for one in values}) > 1)


def read_grid(path: Path, root: Path) -> Grid:
    """Read a grid file: ``grid`` (values by parameter, all combined) or ``list`` (parameters per scenario).

    ``base`` names the scenario that all start from (default: default) and ``parameters`` what they share.

    Raises:
        ParameterError: lists every fault of the file: keys, names, values.
    """
    content = _parse(path)
    if not isinstance(content.get("parameters") or {}, dict):
        raise ParameterError(f"{path}: give parameters as name: value lines")
    base = read_scenario(str(content.get("base") or DEFAULT), root).parameters.changed()
    shared = {**base, **(content.get("parameters") or {})}
    points = _points(path, content)
    width = len(str(len(points)))
    made, faults = [], []
    for number, point in enumerate(points, 1):
        name = f"{path.stem}-{number:0{width}d}"
        reason = ", ".join(f"{key} {value}" for key, value in point.items())
        try:
            made.append(Scenario(name, reason, "", Parameters.parse({**shared, **point})))
        except ParameterError as error:
            faults.append(str(error))
    if faults:
        raise ParameterError("\n".join(dict.fromkeys(faults)))
    return Grid(path.stem, str(content.get("title") or path.stem), tuple(made))


def _parse(path: Path) -> Mapping[str, Any]:
    content = read_plain(path)
    if not isinstance(content, dict) or ("grid" in content) == ("list" in content):
        raise ParameterError(f"{path}: give grid (values by parameter) or list (parameters per scenario)")
    if stray := sorted(str(key) for key in set(content) - set(KEYS)):
        raise ParameterError(f"{path}: unknown {', '.join(stray)}; the keys are {', '.join(KEYS)}")
    if not NAME.fullmatch(path.stem):
        raise ParameterError(f"{path}: name the file with letters, digits, - and _ only")
    return content


def _points(path: Path, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "list" in content:
        points = content["list"]
        if not isinstance(points, list) or not points or not all(isinstance(one, dict) for one in points):
            raise ParameterError(f"{path}: list holds one set of name: value per scenario")
        return points
    axes = content["grid"]
    if (
        not isinstance(axes, dict)
        or not axes
        or not all(isinstance(one, list) and one for one in axes.values())
    ):
        raise ParameterError(
            f"{path}: grid holds a list of values per parameter, such as alpha: [0.01, 0.05]"
        )
    size = math.prod(len(values) for values in axes.values())
    if size > MOST:
        raise ParameterError(f"{path}: {size} scenarios; at most {MOST} at a time")
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
