"""Which single choices change what may be said in answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from evidence.parameters import IntervalMethod, MissingData, Parameters, PoolingMethod
from evidence.stats import Proportion
from evidence.synthesis.explorer import Exploration, Topic, View

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One view of a topic and what was chosen for it; ``left_out`` has the places of studies not taken."""

    level: float
    policy: MissingData
    pooling: PoolingMethod
    interval: IntervalMethod
    left_out: tuple[int, ...]
    view: View


@dataclass(frozen=True, slots=True)
class Flips:
    """The choices that change a topic's verdict: each by itself, or ``together`` if only several do.

    What is only described has no verdict that could change: there they move the rate out of its own interval,
    and ``moved`` is true.
    """

    levels: tuple[float, ...]
    policies: tuple[MissingData, ...]
    methods: tuple[tuple[PoolingMethod, IntervalMethod], ...]
    sets: tuple[tuple[int, ...], ...]
    together: bool
    moved: bool = False

    def __bool__(self) -> bool:
        """Return whether any choice changes the verdict."""
        return self.together or bool(self.levels or self.policies or self.methods or self.sets)


def flips_of(exploration: Exploration, topic: Topic, parameters: Parameters) -> Flips:
    """Return the choices of the explorer that lead to another direction, or rate, than the report's own view.

    Args:
        exploration: all views.
        topic: whose.
        parameters: those of the report; they are the own view, with every study that counts.
    """
    views = list(chosen_views(exploration, topic))
    own = next((one for one in views if not _departures(one, parameters)), None)
    if own is None:
        return Flips((), (), (), (), together=False)
    described = own.view.verdict.direction == "described"
    differs = _moves if described else _turns
    other = [one for one in views if differs(one.view, own.view)]
    alone = [one for one in other if len(_departures(one, parameters)) == 1]
    return Flips(
        _unique(one.level for one in alone if one.level != parameters.confidence_level),
        _unique(one.policy for one in alone if one.policy != parameters.missing_data),
        _unique((one.pooling, one.interval) for one in alone if "method" in _departures(one, parameters)),
        _unique(one.left_out for one in alone if one.left_out),
        together=bool(other) and not alone,
        moved=described,
    )


def _turns(view: View, own: View) -> bool:
    return view.verdict.direction != own.verdict.direction


def _moves(view: View, own: View) -> bool:
    """Return whether a rate of a view lies outside the interval that it has in the report's own view."""
    before, after = _rates(own), _rates(view)
    return any(
        not before[rows].low <= rate.estimate <= before[rows].high
        for rows, rate in after.items()
        if rows in before
    )


def _rates(view: View) -> dict[tuple[int, ...], Proportion]:
    """Return the rate of every finding of a view, by the places of its studies and its own."""
    return {
        (*group.places, place): finding.treatment
        for group in view.groups
        for place, finding in enumerate(group.findings)
        if finding.treatment
    }


def chosen_views(exploration: Exploration, topic: Topic) -> Iterator[Chosen]:
    """Yield every view that choices lead to, in the order of the options, less those that leave nothing."""
    options, everyone = exploration.options, tuple(range(len(topic.names)))
    for level in options.levels:
        for policy in options.policies:
            for model in options.models:
                for some in topic.sets:
                    view = exploration.view(topic, level, policy, model, some)
                    left_out = tuple(place for place in everyone if place not in some)
                    if view is not None:
                        yield Chosen(level, policy, *model, left_out, view)


def _departures(one: Chosen, parameters: Parameters) -> set[str]:
    """Return in what a view departs from the parameters of the report."""
    own = (parameters.pooling_method, parameters.interval_method)
    departs = {
        "level": one.level != parameters.confidence_level,
        "policy": one.policy != parameters.missing_data,
        "method": (one.pooling, one.interval) != own,
        "set": bool(one.left_out),
    }
    return {name for name, differs in departs.items() if differs}


def _unique(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))
