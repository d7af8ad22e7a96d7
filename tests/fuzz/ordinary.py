"""An ordinary call or more of each public statistic; in each of its places anything else is then tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from values import EVIL

from evidence.stats import compare

Call = tuple[list[Any], dict[str, Any]]

Y, V = [0.1, 0.3, -0.2, 0.5], [0.1, 0.2, 0.3, 0.05]
STRATA = [[[5, 15], [3, 17]], [[6, 14], [2, 18]], [[7, 3], [1, 9]]]
STUDIES = [[5, 20, 3, 20], [6, 20, 4, 20], [1, 20, 3, 20]]
ARMS = [["s", "s"], ["a", "b"], [3, 5], [20, 20]]
GROUPS = [1.0, 1.0, 10, 2.0, 1.0, 10]
PAIRS = [("s1", "b", "a"), ("s2", "c", "b"), ("s3", "c", "a"), ("s4", "b", "a")]
EFFECTS = pd.DataFrame(
    [(*names, y, v) for names, y, v in zip(PAIRS, Y, V, strict=True)],
    columns=["study", "treatment1", "treatment0", "y", "v"],
)
COUNTS = pd.DataFrame(
    [(*names, 5, 20, 3, 20) for names in PAIRS],
    columns=["study", "treatment1", "treatment0", "e1", "n1", "e0", "n0"],
)
LEVEL = {"level": 0.95}
POOLING = {"tau2": "REML", "ci": "HKSJ", **LEVEL}
SPLIT = {"measure": "OR", "tau2": "DL", **LEVEL}
NETWORK = {"measure": "OR", "reference": "a", "tau2": "REML", "better": "larger", "seed": 1, **LEVEL}
WAYS = [("RR", "katz"), ("OR", "woolf"), ("OR-exact", "conditional"), ("RD", "newcombe"), ("RD", "miettinen-nurminen"), ("RD", "wald")]  # fmt: skip
INTERVALS = ("wilson", "clopper-pearson", "agresti-coull", "jeffreys")

ORDINARY: dict[str, list[Call]] = {
    "absolute_effect": [([[0.5, 0.25, 1.0], [0.2, 0.1, 0.3]], {"measure": "OR", "correlation": 0.2})],
    "anova_from_summary": [([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [10, 10, 10]], {})],
    "arm_contrasts": [(ARMS, {"measure": "OR"})],
    "breslow_day": [([STRATA], {})],
    "bucher": [([[-0.5, 0.3], [-0.1, 0.4]], LEVEL)],
    "chi_square": [([STRATA[0]], {"correction": "n-1"})],
    "chi_square_p": [([3.0, 1.0], {})],
    "cochran_armitage": [([[1, 2, 3], [10, 10, 10]], {"scores": [0.0, 1.0, 2.0]})],
    "cochran_mantel_haenszel": [([STRATA], {"correction": "none"})],
    "compare": [([5, 20, 3, 20], {"measure": one, "method": other, **LEVEL}) for one, other in WAYS],
    "conditional_logistic": [(ARMS, {"reference": "a", **LEVEL})],
    "cumulative": [([Y, V, [1, 2, 3, 4]], POOLING)],
    "e_value": [([0.8, 0.7, 0.9], {})],
    "egger": [([Y, V], {"conditions": "ignore"})],
    "f_p": [([3.0, 2.0, 10.0], {})],
    "fisher_exact": [([STRATA[0]], {})],
    "fisher_freeman_halton": [([[[1, 2, 3], [3, 2, 1]]], {"work": 2000, "draws": 100, "seed": 1})],
    "fragility": [([5, 20, 15, 20], {"alpha": 0.05})],
    "heterogeneity": [([Y, V], {})],
    "holm": [([[0.1, 0.2, 0.3]], {})],
    "leave_one_out": [([Y, V], POOLING)],
    "likelihood_ratio": [([STRATA[0]], {})],
    "mantel_haenszel": [([STRATA], {"measure": one, **LEVEL}) for one in ("OR", "RD")],
    "mean_difference": [(GROUPS, {"method": "welch", **LEVEL})],
    "network": [([EFFECTS], {"ci": "HKSJ", **NETWORK}), ([COUNTS], NETWORK)],
    "node_split": [([EFFECTS, "b", "a"], SPLIT)],
    "node_splits": [([EFFECTS], SPLIT)],
    "number_needed": [([compare(5, 20, 3, 20, measure="RD")], {"better": "higher"})],
    "peto": [([STRATA], {"conditions": "ignore", **LEVEL})],
    "pool": [([Y, V], {"prediction": "t k-2", **POOLING})],
    "pool_comparisons": [([STUDIES], {"measure": one, "method": None, **POOLING}) for one in ("RR", "RD")],
    "pool_many": [([[Y, Y], [V, V]], POOLING)],
    "pool_proportions": [
        *(([[1, 2, 3], [10, 12, 14]], {"method": one, **POOLING}) for one in ("logit", "GLMM")),
        ([[0, 0], [10, 12]], LEVEL),
    ],
    "proportion": [([5, 20], {"method": one, **LEVEL}) for one in INTERVALS],
    "sd_from_interval": [([1.0, 2.0, 20], LEVEL)],
    "sd_from_se": [([1.0, 20], {})],
    "se_from_sd": [([1.0, 20], {})],
    "t_from_summary": [(GROUPS, {"method": "welch"})],
    "t_p": [([1.0, 10.0], {})],
    "tarone": [([STRATA], {})],
}


def disturbed(call: Call, depth: int) -> Iterator[Call]:
    """Yield a call with anything else in each of its arguments, and as deep inside them."""
    positional, named = call
    for evil in EVIL:
        for place, value in enumerate(positional):
            for other in _other(value, evil, depth):
                yield [*positional[:place], other, *positional[place + 1 :]], named
        for name in named:
            yield positional, {**named, name: evil}


def _other(value: Any, evil: Any, depth: int) -> Iterator[Any]:
    yield evil
    if depth and isinstance(value, list):
        for place, one in enumerate(value):
            yield from (
                [*value[:place], other, *value[place + 1 :]] for other in _other(one, evil, depth - 1)
            )
    if depth and isinstance(value, pd.DataFrame):
        for name in value:
            yield value.assign(**{str(name): pd.Series([evil, *value[name][1:]], dtype=object)})
