"""How far the calculations are from a second implementation, on every pinned case.

The second implementation is R with the packages that the files in ``tests/reference`` name in their first line; its
results lie there, and R is not run. ``COMPARISONS`` is the whole list: the tests hold each to its tolerance, and
running this file writes what they find to ``benchmarks/accuracy.csv``, which the report shows.

Run from the root: ``python benchmarks/accuracy.py``
"""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from evidence import stats
from evidence.stats.binomial_normal import fit

REFERENCE = Path(__file__).parents[1] / "tests" / "reference"
CSV = Path(__file__).with_suffix(".csv")
CLOSED_POOLING = {"FE", "DL", "SJ", "HE"}
POOLED = ("estimate", "se", "low", "high", "p", "tau2", "i2", "h2", "q", "q_p", "pi_low", "pi_high")
NETWORK_TAU2 = {"FE": "FE", "DL": "DL", "REML": "REML", "assumed": 0.0625}
TAIL = 1e-300  # a P value is compared relative to itself however small it is


@dataclass(frozen=True, slots=True)
class Pair:
    """One number of ours beside the same number of the other program."""

    case: str
    ours: float
    theirs: float
    floor: float

    @property
    def deviation(self) -> float:
        """Relative deviation, absolute below ``floor``; both infinite or both NaN is none."""
        if self.ours == self.theirs or (math.isnan(self.ours) and math.isnan(self.theirs)):
            return 0.0
        gap = abs(self.ours - self.theirs) / max(abs(self.theirs), self.floor)
        return math.inf if math.isnan(gap) else gap


@dataclass(frozen=True, slots=True)
class Comparison:
    """One calculation, the program that it is held against, and how far the two may be apart."""

    what: str
    function: str
    oracle: str
    file: str
    tolerance: float
    pairs: Callable[[], Iterable[Pair]]
    fewest: int

    @property
    def version(self) -> str:
        """Version of the oracle as the pinned file states it."""
        said = re.search(rf"\b{self.oracle}(?: version)? (\d[\d.]*)", versions(self.file))
        if said is None:
            raise LookupError(f"{self.file} does not say which {self.oracle} made it")
        return said.group(1)


@cache
def versions(name: str) -> str:
    """Return the line of a pinned file that names the programs it was made with."""
    if name.endswith(".json"):
        return str(tree(name)["versions"])
    return (REFERENCE / name).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")


@cache
def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a pinned table."""
    with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def tree(name: str) -> dict[str, Any]:
    """Return a pinned tree of results."""
    found: dict[str, Any] = json.loads((REFERENCE / name).read_text(encoding="utf-8"))
    return found


def number(text: str) -> float:
    """Return a pinned number; an empty field is NaN."""
    return float(text) if text else math.nan


def proportions() -> Iterator[Pair]:
    """Yield both limits of every pinned proportion."""
    for row in rows("proportions.csv"):
        ours = stats.proportion(
            int(row["events"]), int(row["n"]), level=float(row["level"]), method=row["method"]
        )
        for side in ("low", "high"):
            yield Pair(f"{row} {side}", getattr(ours, side), float(row[side]), 1e-6)


def effects(oracle: str) -> Iterator[Pair]:
    """Yield the effects of 2 x 2 tables that the named program computed, with limits and P values."""
    own = {"katz", "woolf"}
    for row in rows("two_by_two.csv"):
        if (row["method"] in own) == (oracle == "metafor"):
            counts = [int(row[name]) for name in ("e1", "n1", "e0", "n0")]
            ours = stats.compare(
                *counts, measure=row["measure"], method=row["method"], level=float(row["level"])
            )
            for name in ("estimate", "low", "high", "p"):
                yield Pair(f"{row} {name}", getattr(ours, name), float(row[name]), 1e-4)


def two_by_two_tests() -> Iterator[Pair]:
    """Yield chi-square statistics, their P values and Fisher's exact P of 2 x 2 tables."""
    for row in rows("two_by_two_tests.csv"):
        table = [[int(row["a"]), int(row["b"])], [int(row["c"]), int(row["d"])]]
        for correction, name in (("none", "pearson"), ("yates", "yates"), ("n-1", "n1")):
            ours = stats.chi_square(table, correction=correction)
            yield Pair(f"{row} {name}", ours.statistic, float(row[name]), 1e-9)
            yield Pair(f"{row} {name} p", ours.p, float(row[f"{name}_p"]), TAIL)
        yield Pair(f"{row} fisher", stats.fisher_exact(table).p, float(row["fisher_p"]), TAIL)


def larger_tables() -> Iterator[Pair]:
    """Yield the tests of tables of any size."""
    for name, row in tree("tables.json")["tests"].items():
        pearson, ratio = stats.chi_square(row["table"]), stats.likelihood_ratio(row["table"])
        yield Pair(f"{name} pearson", pearson.statistic, row["pearson"], 1e-9)
        yield Pair(f"{name} pearson p", pearson.p, row["pearson_p"], 1e-9)
        yield Pair(f"{name} g", ratio.statistic, row["g"], 1e-9)
        yield Pair(f"{name} g p", ratio.p, row["g_p"], 1e-9)
        yield Pair(f"{name} exact", stats.fisher_freeman_halton(row["table"]).p, row["exact_p"], 1e-12)


def trends() -> Iterator[Pair]:
    """Yield the Cochran-Armitage test of every pinned trend."""
    for name, row in tree("tables.json")["trends"].items():
        ours = stats.cochran_armitage(row["x"], row["n"], scores=row["s"])
        yield Pair(f"{name} statistic", ours.statistic, row["statistic"], TAIL)
        yield Pair(f"{name} p", ours.p, row["p"], TAIL)


def strata() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pinned set of 2 x 2 tables."""
    yield from tree("tables.json")["strata"].items()


def common_effects() -> Iterator[Pair]:
    """Yield Mantel-Haenszel and Peto effects with limits, standard errors and P values."""
    for name, row in strata():
        made = {
            measure: stats.mantel_haenszel(row["tables"], measure=measure) for measure in row["effects"]
        } | {"peto": stats.peto(row["tables"], conditions="ignore")}
        for measure, theirs in (row["effects"] | {"peto": row["peto"]}).items():
            for part in ("estimate", "low", "high", "se", "p"):
                yield Pair(f"{name} {measure} {part}", getattr(made[measure], part), theirs[part], 1e-9)


def homogeneity() -> Iterator[Pair]:
    """Yield the Breslow-Day and Tarone tests."""
    for name, row in strata():
        theirs = row["effects"]["OR"]
        for test, part in ((stats.breslow_day, "bd"), (stats.tarone, "ta")):
            ours = test(row["tables"])
            yield Pair(f"{name} {part}", ours.statistic, theirs[part], 1e-9)
            yield Pair(f"{name} {part} p", ours.p, theirs[f"{part}_p"], 1e-9)


def stratified_tests() -> Iterator[Pair]:
    """Yield the Cochran-Mantel-Haenszel test with and without continuity correction."""
    for name, row in strata():
        for correction, key in (("none", "plain"), ("continuity", "continuity")):
            ours = stats.cochran_mantel_haenszel(row["tables"], correction=correction)
            yield Pair(f"{name} {key}", ours.statistic, row[key]["statistic"], 1e-9)
            yield Pair(f"{name} {key} p", ours.p, row[key]["p"], TAIL)


def analysis_of_variance() -> Iterator[Pair]:
    """Yield F from means, SDs and sizes against two functions of R."""
    for name, row in tree("means.json")["sets"].items():
        ours = stats.anova_from_summary(row["mean"], row["sd"], row["n"])
        yield Pair(f"{name} oneway.test", ours.statistic, row["f"], TAIL)
        yield Pair(f"{name} aov", ours.statistic, row["f_aov"], TAIL)
        yield Pair(f"{name} p", ours.p, row["p"], TAIL)


def two_means() -> Iterator[Pair]:
    """Yield Student's and Welch's test and interval of two means at two levels."""
    for name, row in tree("means.json")["sets"].items():
        (m1, m0), (s1, s0), (n1, n0) = (row[part][:2] for part in ("mean", "sd", "n"))
        for method in ("student", "welch"):
            ours, theirs = stats.t_from_summary(m1, s1, n1, m0, s0, n0, method=method), row[method]
            for value, part in ((ours.statistic, "t"), (ours.df, "df"), (ours.p, "p")):
                yield Pair(f"{name} {method} {part}", value, theirs[part], TAIL)
            for level, end in ((0.95, ""), (0.9, "90")):
                made = stats.mean_difference(m1, s1, n1, m0, s0, n0, method=method, level=level)
                yield Pair(f"{name} {method} low{end}", made.low, theirs[f"low{end}"], TAIL)
                yield Pair(f"{name} {method} high{end}", made.high, theirs[f"high{end}"], TAIL)


def holm_adjustment() -> Iterator[Pair]:
    """Yield every adjusted P value."""
    for row in tree("means.json")["holm"]:
        for ours, theirs in zip(stats.holm(row["p"]), row["adjusted"], strict=True):
            yield Pair(f"{row['p']}", float(ours), theirs, TAIL)


@cache
def pool_data() -> dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Return effects and variances by data set."""
    sets = defaultdict(list)
    for row in rows("pool_data.csv"):
        sets[row["set"]].append((float(row["y"]), float(row["v"])))
    return {name: (np.array(pairs).T[0], np.array(pairs).T[1]) for name, pairs in sets.items()}


def both_ways(y: Any, v: Any, **options: Any) -> tuple[stats.Pooled, stats.Pooled]:
    """Pool one data set by itself, in plain floats, and as one of many, by arrays."""
    return stats.pool(y, v, **options), stats.pool_many(np.array([y]), np.array([v]), **options).one(0)


def pooling(*, closed: bool) -> Iterator[Pair]:
    """Yield all that pooling returns, by estimators in closed form or by those that iterate."""
    for row in rows("pool.csv"):
        if (row["method"] in CLOSED_POOLING) == closed:
            case = f"{row['set']} {row['method']} {row['ci']}"
            for ours in both_ways(*pool_data()[row["set"]], tau2=row["method"], ci=row["ci"]):
                for part in POOLED:
                    yield Pair(f"{case} {part}", getattr(ours, part), number(row[part]), 1e-8)
                yield Pair(f"{case} weight", ours.weights[0], float(row["weight_1"]), 1e-8)


def tau2_limits() -> Iterator[Pair]:
    """Yield the Q-profile limits of tau2."""
    for row in rows("pool.csv"):
        for ours in both_ways(*pool_data()[row["set"]], tau2=row["method"], ci=row["ci"]):
            for part in ("tau2_low", "tau2_high"):
                case = f"{row['set']} {row['method']} {row['ci']} {part}"
                yield Pair(case, getattr(ours, part), number(row[part]), 1e-8)


@cache
def influence_data() -> dict[str, list[dict[str, float]]]:
    """Return the pinned influence of each study by data set."""
    sets = defaultdict(list)
    for row in rows("influence.csv"):
        sets[row["set"]].append({name: float(value) for name, value in row.items() if name != "set"})
    return dict(sets)


def influence() -> Iterator[Pair]:
    """Yield the summary without each study, and after each study in order."""
    for name, pinned in influence_data().items():
        y, v = pool_data()[name]
        for ours, row in zip(stats.leave_one_out(y, v), pinned, strict=True):
            for part in ("estimate", "se", "tau2"):
                yield Pair(f"{name} without {part}", getattr(ours, part), row[f"out_{part}"], 1e-2)
        order = [row["order"] for row in pinned]
        for ours, row in zip(stats.cumulative(y, v, order), pinned, strict=True):
            for part in ("estimate", "se"):
                yield Pair(f"{name} up to {part}", getattr(ours, part), row[f"cumulative_{part}"], 1e-2)


def small_studies() -> Iterator[Pair]:
    """Yield Egger's test."""
    for name, pinned in influence_data().items():
        ours = stats.egger(*pool_data()[name])
        values = (ours.slope, ours.slope_se, ours.limit, ours.statistic, ours.p)
        for value, part in zip(values, ("slope", "se", "limit", "t", "p"), strict=True):
            yield Pair(f"{name} {part}", value, pinned[0][f"egger_{part}"], TAIL)


@cache
def glmm_data() -> dict[str, tuple[list[int], list[int]]]:
    """Return events and patients by data set."""
    sets: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for row in rows("glmm_data.csv"):
        sets[row["set"]][0].append(int(row["x"]))
        sets[row["set"]][1].append(int(row["n"]))
    return dict(sets)


def binomial_normal() -> Iterator[Pair]:
    """Yield centre, standard error and tau2 of the binomial-normal model."""
    for row in rows("glmm.csv"):
        ours = fit(*(np.array(column, dtype=float) for column in glmm_data()[row["set"]]))
        for value, name in ((ours.mean, "mean"), (ours.se, "se"), (ours.sd**2, "tau2")):
            yield Pair(f"{row['set']} {name}", value, float(row[name]), 1.0)  # near logit 0: absolute


def pooled_logits() -> Iterator[Pair]:
    """Yield proportions pooled as logits."""
    for row in rows("glmm.csv"):
        ours = stats.pool_proportions(*glmm_data()[row["set"]], method="logit")
        for part, name in (("estimate", "mean"), ("low", "low"), ("high", "high")):
            theirs = float(special.expit(float(row[f"logit_{name}"])))
            yield Pair(f"{row['set']} {part}", getattr(ours, part), theirs, 1e-8)
        yield Pair(f"{row['set']} tau2", ours.tau2, float(row["logit_tau2"]), 1e-2)


@cache
def network_data() -> dict[str, pd.DataFrame]:
    """Return contrasts by network."""
    sets = defaultdict(list)
    for row in rows("network_data.csv"):
        values = row["study"], row["treatment1"], row["treatment0"], float(row["y"]), float(row["v"])
        sets[row["set"]].append(values)
    columns = ["study", "treatment1", "treatment0", "y", "v"]
    return {name: pd.DataFrame(found, columns=columns) for name, found in sets.items()}


@cache
def summaries() -> dict[str, dict[str, str]]:
    """Return the pinned summary of each network."""
    return {row["set"]: row for row in rows("network_summary.csv")}


@cache
def fitted(name: str, method: str) -> stats.Network:
    """Return our result for a pinned network."""
    about = summaries()[name]
    return stats.network(
        network_data()[name],
        measure=about["measure"],
        reference=about["reference"],
        tau2=NETWORK_TAU2[method],
    )


def network_effects(*, closed: bool) -> Iterator[Pair]:
    """Yield every pairwise effect, with tau2 in closed form or by REML."""
    for row in rows("network.csv"):
        if (row["method"] != "REML") == closed:
            ours = fitted(row["set"], row["method"])
            at = ours.treatments.index(row["treatment1"]), ours.treatments.index(row["treatment0"])
            for part in ("estimate", "se"):
                yield Pair(f"{row} {part}", float(getattr(ours, part)[at]), float(row[part]), 1e-3)


def network_heterogeneity() -> Iterator[Pair]:
    """Yield Q and its parts, and tau2."""
    for name, row in summaries().items():
        ours = fitted(name, "REML")
        for part in ("q", "q_within", "tau2_within", "q_inconsistency"):
            yield Pair(f"{name} {part}", getattr(ours, part), float(row[part]), 1e-6)
        yield Pair(f"{name} tau2 DL", fitted(name, "DL").tau2, float(row["tau2_dl"]), 1e-6)
        yield Pair(f"{name} tau2 REML", ours.tau2, float(row["tau2_reml"]), 1e-6)


def network_splits() -> Iterator[Pair]:
    """Yield direct and indirect effects and their difference."""
    for row in rows("network_split.csv"):
        ours = stats.node_split(
            network_data()[row["set"]],
            row["treatment1"],
            row["treatment0"],
            measure=summaries()[row["set"]]["measure"],
            tau2=row["method"],
        )
        yield Pair(f"{row} tau2", ours.tau2, float(row["tau2"]), 1e-6)
        for part in ("direct", "indirect", "difference"):
            contrast = getattr(ours, part)
            yield Pair(f"{row} {part}", contrast.estimate, float(row[part]), 1e-3)
            yield Pair(f"{row} {part} se", contrast.se, float(row[f"{part}_se"]), 1e-3)


def conditional() -> Iterator[Pair]:
    """Yield the log odds ratios and standard errors of sparse networks."""
    data = defaultdict(list)
    for row in rows("conditional_data.csv"):
        data[row["set"]].append((row["study"], row["treatment"], int(row["events"]), int(row["n"])))
    references = {row["set"]: row["treatment0"] for row in rows("conditional.csv")}
    made = {
        name: stats.conditional_logistic(*zip(*data[name], strict=True), reference=reference)
        for name, reference in references.items()
    }
    for row in rows("conditional.csv"):
        ours = made[row["set"]]
        at = ours.treatments.index(row["treatment1"]), 0
        yield Pair(f"{row} estimate", math.log(ours.estimate[at]), float(row["estimate"]), 1e-3)
        yield Pair(f"{row} se", float(ours.se[at]), float(row["se"]), 1e-3)


# A tolerance of 1e-10 is for closed forms, 1e-9 where the pinned file has 15 digits or the other program's own
# matrix inverses lose one, 1e-7 for what both programs find by iteration.
COMPARISONS = (
    Comparison("Proportion, four intervals", "proportion", "R", "proportions.csv", 1e-10, proportions, 3480),
    Comparison("Risk and odds ratio", "compare", "metafor", "two_by_two.csv", 1e-10, lambda: effects("metafor"), 860),
    Comparison("Risk difference, exact odds ratio", "compare", "R", "two_by_two.csv", 1e-10, lambda: effects("R"), 1850),
    Comparison("Chi-square and Fisher's test, 2 x 2", "chi_square, fisher_exact", "R", "two_by_two_tests.csv", 1e-10, two_by_two_tests, 182),
    Comparison("Tests of larger tables", "chi_square, likelihood_ratio, fisher_freeman_halton", "R", "tables.json", 1e-9, larger_tables, 60),
    Comparison("Test for trend", "cochran_armitage", "R", "tables.json", 1e-10, trends, 8),
    Comparison("Mantel-Haenszel and Peto effects", "mantel_haenszel, peto", "metafor", "tables.json", 1e-10, common_effects, 100),
    Comparison("Homogeneity of odds ratios", "breslow_day, tarone", "metafor", "tables.json", 1e-9, homogeneity, 20),
    Comparison("Stratified test", "cochran_mantel_haenszel", "R", "tables.json", 1e-9, stratified_tests, 20),
    Comparison("Analysis of variance", "anova_from_summary", "R", "means.json", 1e-9, analysis_of_variance, 18),
    Comparison("Two means", "t_from_summary, mean_difference", "R", "means.json", 1e-10, two_means, 84),
    Comparison("Adjusted P values", "holm", "R", "means.json", 1e-10, holm_adjustment, 10),
    Comparison("Pooling, closed forms", "pool, pool_many", "metafor", "pool.csv", 1e-10, lambda: pooling(closed=True), 7176),
    Comparison("Pooling, by iteration", "pool, pool_many", "metafor", "pool.csv", 1e-7, lambda: pooling(closed=False), 7176),
    Comparison("Limits of tau2", "pool, pool_many", "metafor", "pool.csv", 1e-7, tau2_limits, 2208),
    Comparison("One study left out, one study added", "leave_one_out, cumulative", "metafor", "influence.csv", 1e-7, influence, 450),
    Comparison("Small-study effects", "egger", "metafor", "influence.csv", 1e-9, small_studies, 20),
    Comparison("Pooled proportion, binomial-normal model", "pool_proportions", "R", "glmm.csv", 1e-7, binomial_normal, 45),
    Comparison("Pooled proportion, logits", "pool_proportions", "metafor", "glmm.csv", 1e-7, pooled_logits, 60),
    Comparison("Network, closed forms", "network", "metafor", "network.csv", 1e-9, lambda: network_effects(closed=True), 750),
    Comparison("Network, by iteration", "network", "metafor", "network.csv", 1e-7, lambda: network_effects(closed=False), 250),
    Comparison("Heterogeneity and inconsistency of a network", "network", "metafor", "network_summary.csv", 1e-7, network_heterogeneity, 54),
    Comparison("Direct against indirect", "node_split", "metafor", "network_split.csv", 1e-7, network_splits, 470),
    Comparison("Sparse network, exact likelihood", "conditional_logistic", "survival", "conditional.csv", 1e-6, conditional, 18),
)  # fmt: skip


def result(comparison: Comparison, pairs: list[Pair]) -> dict[str, str]:
    """Return what one comparison found, as a row of ``accuracy.csv``."""
    return {
        "what": comparison.what,
        "function": comparison.function,
        "oracle": comparison.oracle,
        "version": comparison.version,
        "cases": str(len(pairs)),
        "largest": f"{max(pair.deviation for pair in pairs):.1e}",
        "tolerance": f"{comparison.tolerance:.0e}",
        "file": f"tests/reference/{comparison.file}",
    }


def main() -> int:
    """Write the file and print it."""
    found = [result(one, list(one.pairs())) for one in COMPARISONS]
    with CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    for row in found:
        print(f"{row['what']:<48}{row['oracle']} {row['version']:<8}{row['cases']:>6} {row['largest']:>9}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
