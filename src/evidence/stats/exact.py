"""The exact test of an r x c table, by the network algorithm or, beyond its reach, by simulation.

A table is built column by column. A node is what the rows have left, sorted, because the order of rows does
not matter to what follows; a path to a node has a probability. Where all completions of a path are at most as
likely as the observed table, or none is, the path is settled without being followed (Mehta and Patel, JASA
1983;78:427-434).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from evidence.memo import kept
from evidence.stats._checks import Floats, whole
from evidence.stats.results import TestResult
from evidence.stats.tables import exact_counts, without_empty

Indices = NDArray[np.intp]

SEEDS = 2**32  # numpy takes seeds below it
TIE = 1e-7  # tables within this factor are equally likely: the factor that R's fisher.test uses
MERGE_DECIMALS = 9  # paths whose log probabilities agree so far are one path; well inside TIE


class _TooLargeError(Exception):
    """The exact calculation would take more steps than allowed."""


class _Stage(NamedTuple):
    """The arcs from the nodes before a column to the nodes after it, sorted by origin."""

    origin: Indices
    target: Indices
    log_weight: Floats
    first: Indices
    arcs: Indices


class _Bounds(NamedTuple):
    """For each node: the log probability of its likeliest, its unlikeliest and all its completions."""

    most: Floats
    least: Floats
    total: Floats


class _Paths(NamedTuple):
    """Paths that reach a node with the same probability, and how many they are."""

    node: Indices
    log_weight: Floats
    number: Floats


def fisher_freeman_halton(
    table: ArrayLike, *, work: int = 2_000_000, draws: int = 100_000, seed: int = 1
) -> TestResult:
    """Test independence in an r x c table exactly.

    P is the total probability of all tables, with the same margins, that are no more likely than the one
    observed; on 2 x 2 it is Fisher's.

    Args:
        table: whole counts; all-zero rows and columns are left out.
        work: the largest number of steps of the exact calculation (2,000,000 take about a second).
        draws: tables simulated where the exact calculation would take more.
        seed: seed of the simulation.

    Returns:
        P; where it was simulated, ``p_se`` is its standard error and ``warning`` says so.

    Raises:
        StatisticsError: when the table is not of whole counts.

    Source: Freeman and Halton, Biometrika 1951;38:141-149. The example is the job satisfaction table of
    Agresti, Categorical Data Analysis, 2nd edition, page 57: P = 0.7827 (R, ``?fisher.test``).

    >>> round(fisher_freeman_halton([[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]]).p, 4)
    0.7827
    """
    cells = without_empty(exact_counts(table)).astype(np.intp)
    work, draws, seed = whole(work, "work"), max(whole(draws, "draws"), 1), whole(seed, "seed") % SEEDS
    name = "Fisher-Freeman-Halton exact test"
    if min(cells.shape, default=0) < 2:
        return TestResult(None, None, 1.0, name)
    cells = cells if cells.shape[0] <= cells.shape[1] else cells.T
    asked = (cells.tolist(), work, draws, seed)
    return kept("freeman_halton", lambda: asked, lambda: _tested(cells, work, draws, seed, name))


def _tested(cells: Indices, work: int, draws: int, seed: int, name: str) -> TestResult:
    try:
        return TestResult(None, None, min(_network_p(cells, work), 1.0), name)
    except _TooLargeError:
        return _simulated(cells, draws, seed, name)


def _log_weight(cells: Indices) -> Floats:
    """Return minus the sum of the log factorials over the last axis."""
    logs: Floats = special.gammaln(cells + 1.0)
    return np.asarray(-logs.sum(axis=-1), dtype=np.float64)


def _network_p(cells: Indices, work: int) -> float:
    columns = np.sort(cells.sum(axis=0))[::-1]
    rows = np.sort(cells.sum(axis=1))
    nodes, stages = _network(rows, columns, work)
    bounds = _completions(nodes, stages, columns)
    observed = float(_log_weight(cells).sum()) + TIE
    return _settle(stages, bounds, observed, work)


def _network(rows: Indices, columns: Indices, work: int) -> tuple[list[Indices], list[_Stage]]:
    nodes, stages = [rows[np.newaxis]], []
    for column in columns:
        fills = _fills(int(column), rows, work)
        work -= len(nodes[-1]) * len(fills)
        if work < 0:
            raise _TooLargeError
        following, stage = _stage(nodes[-1], fills)
        nodes.append(following)
        stages.append(stage)
    return nodes, stages


def _fills(column: int, rows: Indices, work: int) -> Indices:
    """Return every way to share a column total among rows with the given totals."""
    partial = np.zeros((1, 0), dtype=np.intp)
    for row in rows[:-1]:
        if len(partial) * (min(column, int(row)) + 1) > work:
            raise _TooLargeError
        here = np.arange(min(column, int(row)) + 1)
        partial = np.column_stack([np.repeat(partial, len(here), axis=0), np.tile(here, len(partial))])
        partial = partial[partial.sum(axis=1) <= column]
    return np.column_stack([partial, column - partial.sum(axis=1)])


def _stage(nodes: Indices, fills: Indices) -> tuple[Indices, _Stage]:
    left = nodes[:, np.newaxis] - fills
    origin, fill = np.nonzero((left >= 0).all(axis=2))
    following, target = np.unique(np.sort(left[origin, fill], axis=1), axis=0, return_inverse=True)
    arcs = np.bincount(origin, minlength=len(nodes))
    first = np.concatenate([[0], np.cumsum(arcs)[:-1]])
    return following, _Stage(origin, target.reshape(-1), _log_weight(fills)[fill], first, arcs)


def _completions(nodes: list[Indices], stages: list[_Stage], columns: Indices) -> list[_Bounds]:
    bounds = [_Bounds(np.zeros(1), np.zeros(1), np.zeros(1))]
    for place in reversed(range(len(stages))):
        stage, after = stages[place], bounds[0]
        most = np.maximum.reduceat(stage.log_weight + after.most[stage.target], stage.first)
        least = np.minimum.reduceat(stage.log_weight + after.least[stage.target], stage.first)
        left = _log_weight(nodes[place]) + special.gammaln(nodes[place].sum(axis=1) + 1.0)
        bounds.insert(0, _Bounds(most, least, left + float(_log_weight(columns[place:]))))
    return bounds


def _settle(stages: list[_Stage], bounds: list[_Bounds], observed: float, work: int) -> float:
    """Return the probability of all tables no likelier than observed, relative to all tables."""
    paths = _Paths(np.zeros(1, dtype=np.intp), np.zeros(1), np.ones(1))
    everything, p = float(bounds[0].total[0]), 0.0
    for stage, bound in zip(stages[:-2], bounds, strict=False):
        counted = paths.log_weight + bound.most[paths.node] <= observed
        log_p = paths.log_weight + bound.total[paths.node] - everything
        p += float((paths.number * np.exp(log_p))[counted].sum())
        follow = ~counted & (paths.log_weight + bound.least[paths.node] <= observed)
        if not follow.any():
            return p
        followed = _Paths(paths.node[follow], paths.log_weight[follow], paths.number[follow])
        paths, steps = _follow(followed, stage, work)
        work -= steps
    return p + _ended(paths, stages[-2], bounds[-2].most, observed, everything)


def _ended(paths: _Paths, stage: _Stage, last: Floats, observed: float, everything: float) -> float:
    """Settle paths with two columns to go: the last follows from the last but one, so arcs are tables."""
    ends, p = stage.log_weight + last[stage.target], 0.0
    starts = np.flatnonzero(np.diff(paths.node, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(paths.node)], strict=True):
        node = paths.node[start]
        arcs = np.sort(ends[stage.first[node] : stage.first[node] + stage.arcs[node]])
        shares = np.concatenate([[0.0], np.cumsum(np.exp(arcs - arcs[-1]))])
        past = paths.log_weight[start:stop]
        reached = shares[np.searchsorted(arcs, observed - past, side="right")]
        p += float((paths.number[start:stop] * np.exp(past + arcs[-1] - everything) * reached).sum())
    return p


def _follow(paths: _Paths, stage: _Stage, work: int) -> tuple[_Paths, int]:
    arcs = stage.arcs[paths.node]
    steps = int(arcs.sum())
    if steps > work:
        raise _TooLargeError
    offset = np.arange(steps) - np.repeat(np.cumsum(arcs) - arcs, arcs)
    arc = np.repeat(stage.first[paths.node], arcs) + offset
    log_weight = np.repeat(paths.log_weight, arcs) + stage.log_weight[arc]
    return _merged(_Paths(stage.target[arc], log_weight, np.repeat(paths.number, arcs))), steps


def _merged(paths: _Paths) -> _Paths:
    rounded = np.round(paths.log_weight, MERGE_DECIMALS)
    order = np.lexsort((rounded, paths.node))
    node, level = paths.node[order], rounded[order]
    new = np.concatenate([[True], (np.diff(node) != 0) | (np.diff(level) != 0)])
    first = np.flatnonzero(new)
    return _Paths(node[first], paths.log_weight[order][first], np.add.reduceat(paths.number[order], first))


def _simulated(cells: Indices, draws: int, seed: int, name: str) -> TestResult:
    from scipy import stats

    tables = stats.random_table(cells.sum(axis=1), cells.sum(axis=0)).rvs(size=draws, random_state=seed)
    weights = _log_weight(np.asarray(tables, dtype=np.intp).reshape(draws, -1))
    extreme = int((weights <= float(_log_weight(cells).sum()) + TIE).sum())
    p = (extreme + 1) / (draws + 1)
    se = (p * (1 - p) / draws) ** 0.5
    warning = f"P is simulated from {draws:,} tables with standard error {se:.2g}"
    return TestResult(None, None, p, f"{name}, Monte Carlo", warning, p_se=se)
