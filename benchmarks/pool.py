"""Time of pooling against two other programs, in one run on one machine.

Run ``python benchmarks/pool.py`` from the project's environment, which has statsmodels. PyMARE is not among
the project's dependencies: ``pip install pymare==0.0.13`` into the environment, or into a throwaway one
together with this project, adds its rows; without it they say so. Ratios are the other program's time
divided by ours: above 1 we are faster. The programs take short turns, time is the processor's, and the least
of each counts, so that other load on the machine weighs on neither.

What is timed: ours is always the whole result of ``pool``, from checked input to effect with interval and P
value, tau2 with its Q-profile interval, Q, I2, H2, prediction interval, weights and warnings. PyMARE's fit
gives effect and tau2; its summary adds the effect's interval, and on request the Q-profile interval, Q, I2
and H2. statsmodels' ``combine_effects`` gives the effects of both models with standard errors, tau2, Q, I2,
weights and the HKSJ factor; its ``summary_frame`` adds the intervals of effects and studies. Neither gives a
prediction interval.
"""

from __future__ import annotations

import datetime
import importlib
import importlib.metadata
import os
import platform
import time
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from evidence.stats import pool, pool_many

# Thirteen log risk ratios and variances: Colditz and others, JAMA 1994;271:698-702.
STUDIES = """
    -0.8893 0.3256  -1.5854 0.1946  -1.3481 0.4154  -1.4416 0.0200  -0.2175 0.0512  -0.7861 0.0069
    -1.6209 0.2230   0.0120 0.0040  -0.4694 0.0564  -1.3713 0.0730  -0.3394 0.0124   0.4459 0.5325
    -0.0173 0.0714"""
Y, V = np.array(STUDIES.split(), dtype=np.float64).reshape(-1, 2).T.copy()
MANY = 10_000
ROUNDS = 60
SECONDS = 0.02  # of each turn: long against the clock's step and short against other load

Row = tuple[str, float | None, float | None, str]


def least(*calls: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the least time per call of each, in seconds, over rounds in which they take turns."""
    numbers = []
    for call in calls:
        call()
        numbers.append(max(1, int(SECONDS / max(timed(call, 1), 1e-6))))
    turns = [[timed(call, n) for call, n in zip(calls, numbers, strict=True)] for _ in range(rounds)]
    return [min(times) for times in zip(*turns, strict=True)]


def timed(call: Callable[[], object], number: int) -> float:
    """Return the mean processor time of ``number`` calls."""
    start = time.process_time()
    for _ in range(number):
        call()
    return (time.process_time() - start) / number


def installed(name: str) -> ModuleType | None:
    """Return a module, or nothing where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def reml() -> object:
    """Our whole result by REML."""
    return pool(Y, V, tau2="REML", ci="Wald")


def dersimonian_laird() -> object:
    """Our whole result by DerSimonian and Laird."""
    return pool(Y, V, tau2="DL", ci="Wald")


def reml_rows() -> list[Row]:
    """REML against PyMARE: with every interval that both give, with the effect's alone, and its bare fit."""
    tasks = (
        ("REML, k = 13, all intervals", "PyMARE: effect, tau2 by Q-profile, heterogeneity"),
        ("REML, k = 13, interval of the effect", "PyMARE: effect with interval; ours with all"),
        ("REML, k = 13, bare", "PyMARE: fit without intervals; ours with all"),
    )
    peer = installed("pymare.estimators")
    if peer is None:
        return [(name, least(reml)[0], None, "PyMARE is not installed") for name, _ in tasks]
    data = {"y": Y[:, None], "v": V[:, None], "X": np.ones((len(Y), 1))}
    estimator: Any = peer.VarianceBasedLikelihoodEstimator
    dataset: Any = importlib.import_module("pymare").Dataset(Y, V)  # adds the intercept; not timed

    def fit() -> Any:
        return estimator(method="REML").fit(**data)

    def effect() -> object:
        return fit().summary().get_fe_stats()

    def everything() -> object:
        found = estimator(method="REML").fit_dataset(dataset).summary()
        return found.get_fe_stats(), found.get_re_stats(), found.get_heterogeneity_stats()

    ours, *theirs = least(reml, everything, effect, fit)
    return [(name, ours, taken, note) for (name, note), taken in zip(tasks, theirs, strict=True)]


def dl_rows() -> list[Row]:
    """DL against statsmodels: everything ours gives against its table of intervals, and its bare result."""
    names = "DL, k = 13, interval of the effect", "DL, k = 13, bare"
    peer = installed("statsmodels.stats.meta_analysis")
    if peer is None:
        return [(name, least(dersimonian_laird)[0], None, "statsmodels is not installed") for name in names]
    combine: Any = peer.combine_effects

    def bare() -> Any:
        return combine(Y, V, method_re="dl")

    ours, with_interval, without = least(dersimonian_laird, lambda: bare().summary_frame(), bare)
    return [
        (names[0], ours, with_interval, "statsmodels: summary_frame(); ours with all"),
        (names[1], ours, without, "statsmodels: no intervals; ours with all"),
    ]


def many_row() -> Row:
    """Ten thousand data sets of thirteen studies at once."""
    rng = np.random.default_rng(20261121)
    v = rng.choice(V, (MANY, len(V)))
    y = rng.normal(-0.7, np.sqrt(v + 0.3))
    [ours] = least(lambda: pool_many(y, v, tau2="REML", ci="HKSJ"), rounds=ROUNDS // 4)
    return f"REML, {MANY:,} data sets of k = 13 at once", ours, None, "no peer does this; at most 2 s wanted"


def lines(rows: list[Row]) -> list[str]:
    """Return the table, one line per row."""
    out = [f"{'task':<44}{'ours':>12}{'other':>12}{'ratio':>8}  other program"]
    for name, ours, theirs, note in rows:
        shown = [f"{1000 * t:.3f} ms" if t is not None else "-" for t in (ours, theirs)]
        ratio = f"{theirs / ours:.1f}" if ours and theirs else "-"
        out.append(f"{name:<44}{shown[0]:>12}{shown[1]:>12}{ratio:>8}  {note}")
    return out


def heading() -> list[str]:
    """Return date, machine, versions and load."""
    date = os.environ.get("BENCHMARK_DATE", datetime.date.today().isoformat())
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "scipy", "statsmodels", "pymare"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"Date {date}; {os.cpu_count()} cores, one used; {', '.join(versions)}",
        f"Load of the machine over 1, 5 and 15 minutes, at the end: {load}",
        "",
    ]


def keep_to_one_core() -> None:
    """Bind this process to one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main() -> None:
    """Print the table."""
    keep_to_one_core()
    warnings.simplefilter("ignore")
    table = lines([*reml_rows(), *dl_rows(), many_row()])
    print("\n".join([*heading(), *table]))


if __name__ == "__main__":
    main()
