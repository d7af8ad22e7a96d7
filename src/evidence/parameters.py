"""The one typed definition of every parameter that can reach a notebook."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from evidence.errors import ParameterError

ProportionMethod = Literal["wilson", "clopper-pearson", "agresti-coull", "jeffreys"]
EffectMeasure = Literal["RR", "OR", "RD"]
DifferenceMethod = Literal["newcombe", "miettinen-nurminen", "wald"]
MissingData = Literal["observed", "failure", "success"]
PoolingMethod = Literal["REML", "DL", "PM", "ML", "EB", "SJ", "HE", "FE"]
IntervalMethod = Literal["HKSJ-adhoc", "HKSJ", "Wald"]
Theme = Literal["light", "print", "contrast"]


def _parameter(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    shape: str = "",
    allowed: str = "",
) -> Any:
    """Declare a parameter.

    A range of whole numbers is closed; of other numbers its ends are excluded, but for a default that stands
    at one. Text has a ``shape``, a pattern of all of it, with ``allowed`` saying the same in words.
    """
    named = {"meaning": meaning, "low": low, "high": high, "shape": shape, "allowed": allowed}
    return field(default=default, metadata=named)


# What is in force in this process, as its notebook asked for it, like the decimal context.
_decimals = [1]
_theme: list[Theme] = ["light"]


def rounding() -> int:
    """Return the decimals that percentages are written with."""
    return _decimals[0]


def set_rounding(decimals: int) -> None:
    """Write percentages with so many decimals from now on."""
    _decimals[0] = decimals


def theme() -> Theme:
    """Return the look that figures are drawn in."""
    return _theme[0]


def set_theme(name: Theme) -> None:
    """Draw figures in this look from now on."""
    _theme[0] = name


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every parameter: name, type, default, choices or range, meaning.

    >>> Parameters(confidence_level=0.9).confidence_level
    0.9
    """

    confidence_level: float = _parameter(
        0.95, "Level of every interval that the report computes", low=0.5, high=1.0
    )
    proportion_method: ProportionMethod = _parameter("wilson", "Interval of a single proportion")
    effect_measure: EffectMeasure = _parameter(
        "RR", "Effect shown first: risk ratio, odds ratio or risk difference"
    )
    difference_method: DifferenceMethod = _parameter("newcombe", "Interval of a risk difference")
    pooling_method: PoolingMethod = _parameter(
        "REML", "Estimator of the variance between studies; FE pools without any"
    )
    interval_method: IntervalMethod = _parameter(
        "HKSJ-adhoc", "Interval of a pooled effect: Hartung-Knapp-Sidik-Jonkman, never narrowed; plain; Wald"
    )
    missing_data: MissingData = _parameter(
        "observed", "Patients without a value: left out, counted as failures, or counted as successes"
    )
    include_external: bool = _parameter(
        True, "Use figures from primary publications beyond the documents read in full"
    )
    include_derived: bool = _parameter(
        True, "Use counts that are not printed but follow from printed figures"
    )
    primary_only: bool = _parameter(
        False, "Use results from primary sources alone: no review, registry or company document"
    )
    excluded_studies: str = _parameter(
        "", "Studies to leave out of everything: their ids, separated by commas or blanks"
    )
    subgroups: str = _parameter(
        "", "Subgroups to show: their outcome ids, separated by commas or blanks; empty shows all"
    )
    outcome_threshold: str = _parameter(
        "",
        "Responses to show: those counted at this threshold, and those defined in another way; empty shows "
        "each study at its own thresholds",
        shape=r"(\d+(\.\d+)?)?",
        allowed="empty, or a number such as 50",
    )
    reference_treatment: str = _parameter(
        "",
        "Treatment that networks are set against where they hold it, as the league table names it; empty "
        "takes the comparator of the trials",
    )
    rounding: int = _parameter(1, "Decimals of the percentages that the report computes", low=0, high=3)
    alpha: float = _parameter(0.05, "P value below which a result is called significant", low=0.0, high=0.5)
    noninferiority_margin: float = _parameter(
        0.0,
        "Loss, in percentage points, that still counts as not inferior; 0 takes the margin that a document "
        "prints, and none where it prints none",
        low=0.0,
        high=50.0,
    )
    theme: Theme = _parameter(
        "light", "Look of the figures: colours, greys for print without colour, or the strongest contrast"
    )
    study_id: str = _parameter("", "The study that a study page shows; other notebooks do not read it")
    data_dir: str = _parameter("data", "Folder of the tidy tables, absolute or below the project's root")

    def __post_init__(self) -> None:
        """Refuse values of a wrong type, outside the choices or outside the range."""
        faults = [fault for spec in PARAMETERS for fault in spec.faults(getattr(self, spec.name))]
        if faults:
            raise ParameterError("\n".join(faults))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Parameters:
        """Pick the declared parameters out of a notebook's variables (``globals()``).

        Its ``rounding`` and ``theme`` are in force from then on: numbers are written and figures drawn in
        many places, and all alike.
        """
        found = cls(**{spec.name: values[spec.name] for spec in PARAMETERS if spec.name in values})
        set_rounding(found.rounding)
        set_theme(found.theme)
        return found

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Parameters:
        """Build parameters from names and values given by a person; text is read as the declared type.

        Raises:
            ParameterError: lists every unknown name (with the nearest one) and every wrong value.
        """
        known = {spec.name: spec for spec in PARAMETERS}
        faults = [_unknown(name, known) for name in values if name not in known]
        read = {name: known[name].read(value) for name, value in values.items() if name in known}
        faults += [fault for name, value in read.items() for fault in known[name].faults(value)]
        if faults:
            raise ParameterError("\n".join(faults))
        return cls(**read)

    def values(self) -> dict[str, Any]:
        """Return the values by name, in order of declaration."""
        return {spec.name: getattr(self, spec.name) for spec in PARAMETERS}

    def changed(self) -> dict[str, Any]:
        """Return only the values that differ from the defaults."""
        defaults = {spec.name: spec.default for spec in PARAMETERS}
        return {name: value for name, value in self.values().items() if value != defaults[name]}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is declared of one parameter."""

    name: str
    type: type
    default: Any
    choices: tuple[str, ...]
    low: float | None
    high: float | None
    meaning: str
    shape: str = ""
    described: str = ""

    @property
    def allowed(self) -> str:
        """Return the choices, the range or the shape in words."""
        if self.choices or self.described:
            return self.described or " | ".join(self.choices)
        if self.low is not None and self.type is int:
            return f"whole number from {self.low:g} to {self.high:g}"
        if self.low is not None:
            least = "" if self.default == self.low else "more than "
            return f"{least}{self.low:g}{' or more' if not least else ''}, less than {self.high:g}"
        return {str: "text", bool: "true or false"}.get(self.type, self.type.__name__)

    def read(self, value: Any) -> Any:
        """Return text as the declared type where it can be read so, anything else unchanged."""
        if self.type is bool and isinstance(value, str):
            return {"true": True, "false": False}.get(value.lower(), value)
        if isinstance(value, bool):
            return value
        try:
            if self.shape and isinstance(value, (int, float)):
                return f"{value:g}"
            return self.type(value) if self.type in (float, int) and isinstance(value, (str, int)) else value
        except (ValueError, OverflowError):  # no number, or one beyond all bounds
            return value

    def faults(self, value: Any) -> list[str]:
        """Return what is wrong with a value: nothing, or one message that says what is allowed."""
        kinds = (float, int) if self.type is float else self.type
        right = isinstance(value, kinds) and isinstance(value, bool) == (self.type is bool)
        inside = self.low is None or (right and self._in_range(value))
        chosen = not self.choices or (right and value in self.choices)
        shaped = not self.shape or (right and re.fullmatch(self.shape, value) is not None)
        plain = not isinstance(value, str) or value.isprintable()
        fine = right and inside and chosen and shaped and plain
        return [] if fine else [f"{self.name} {_shown(value)}: give {self.allowed}{self._nearest(value)}"]

    def _in_range(self, value: float) -> bool:
        low, high = self.low or 0.0, float("inf") if self.high is None else self.high
        return low <= value <= high if self.type is int else low < value < high or value == self.default

    def _nearest(self, value: Any) -> str:
        """Return the choice that was probably meant."""
        near = difflib.get_close_matches(value, self.choices, n=1) if isinstance(value, str) else ()
        return f"; did you mean {near[0]}?" if near else ""


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return type(value).__name__


def ids(text: str) -> tuple[str, ...]:
    """Return the ids in the text of a parameter, separated by commas or blanks.

    >>> ids("trial_a, trial_b")
    ('trial_a', 'trial_b')
    """
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the parameters are {', '.join(known)}"
    return f"unknown parameter {name!r}: {hint}"


def _declared() -> tuple[Parameter, ...]:
    hints = get_type_hints(Parameters)
    return tuple(_one(item.name, hints[item.name], item) for item in fields(Parameters))


def _one(name: str, hint: Any, item: Any) -> Parameter:
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    meta = item.metadata
    kind = str if choices else hint
    words = (meta["meaning"], meta["shape"], meta["allowed"])
    return Parameter(name, kind, item.default, choices, meta["low"], meta["high"], *words)


PARAMETERS: tuple[Parameter, ...] = _declared()
