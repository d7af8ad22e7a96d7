"""How each public statistic is called, and which numbers of its result may be missing or infinite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from hypothesis import strategies as st
from values import (
    Many,
    any_float,
    arm,
    calls,
    columns,
    count,
    effect,
    evil,
    huge,
    level,
    lists,
    small,
    variance,
)  # fmt: skip

from evidence.errors import EvidenceError
from evidence.stats import compare


@dataclass(frozen=True)
class Target:
    """Arguments of a call; ``nan`` and ``inf`` are fields of the result that say so where nothing else can.

    A ``dear`` target takes a tenth of a second per case, and has a tenth of the cases.
    """

    calls: Many
    nan: frozenset[str] = frozenset()
    inf: frozenset[str] = frozenset()
    dear: bool = False


def target(given: Many, nan: str = "", inf: str = "", *, dear: bool = False) -> Target:
    return Target(given, frozenset(nan.split()), frozenset(inf.split()), dear)


ESTIMATORS = st.sampled_from(["REML", "DL", "PM", "ML", "EB", "SJ", "HE", "FE"])
INTERVALS = st.sampled_from(["HKSJ", "HKSJ-adhoc", "Wald"])
CONDITIONS = st.sampled_from(["enforce", "ignore", "ignore"])
POOLING = {"tau2": ESTIMATORS, "ci": INTERVALS, "level": level}
MEASURES = st.sampled_from(["RR", "OR", "RD"])
HETEROGENEITY = "tau2_low tau2_high pi_low pi_high"


@st.composite
def two_arms(draw: Any) -> list[Any]:
    return [*draw(arm()), *draw(arm())]


@st.composite
def effects(draw: Any) -> Any:
    try:
        return compare(
            *draw(two_arms()), measure=draw(st.sampled_from(["RD", "RD", "RR"])), level=draw(level)
        )
    except EvidenceError:
        return draw(evil)


@st.composite
def tables(draw: Any, most: int = 4) -> list[list[Any]]:
    width = draw(st.integers(2, most))
    cell = st.one_of(st.integers(0, 12), st.integers(0, 12), count)
    return draw(lists(st.lists(cell, min_size=width, max_size=width), least=2, most=most))


fourfold = st.lists(st.lists(count, min_size=2, max_size=2), min_size=2, max_size=2)
strata = lists(fourfold, least=0, most=6)


@st.composite
def rare(draw: Any) -> list[list[Any]]:
    events = st.integers(0, 5)
    n = draw(st.sampled_from([500, 1000, 10**6, 10**12]))
    return [[draw(events), n], [draw(events), n + draw(small)]]


@st.composite
def limits(draw: Any, of: Many) -> list[Any]:
    """An estimate between its limits, most of the time."""
    low, middle, high = sorted(draw(st.lists(of, min_size=3, max_size=3)))
    return draw(st.sampled_from([[middle, low, high], [middle, low, high], [low, middle, high]]))


ratio = st.one_of(st.floats(0.01, 20), st.sampled_from([0.0, 1.0, 1e-300, 1e300, 5e-324]))
risk = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 1e-300, 0.5]))


@st.composite
def arms_of_studies(draw: Any) -> list[list[Any]]:
    one = st.tuples(st.sampled_from("st"), st.sampled_from("abcd"))
    names = draw(st.lists(one, min_size=1, max_size=8, unique=draw(st.sampled_from([True, True, False]))))
    if draw(st.booleans()):
        names = [(study, node) for study in "st" for node in "abc"[: draw(st.integers(2, 3))]]
    made = [draw(arm()) for _ in names]
    return [[s for s, _ in names], [t for _, t in names], [e for e, _ in made], [n for _, n in made]]


@st.composite
def few_arms(draw: Any) -> list[list[Any]]:
    """As above with numbers for which the exact likelihood takes no minutes."""
    study, treatment, *_ = draw(arms_of_studies())
    totals = [draw(st.one_of(st.integers(1, 40), st.integers(1, 40), huge)) for _ in study]
    return [study, treatment, [draw(st.integers(0, min(n, 40))) for n in totals], totals]


TAME, WILD = (st.floats(-3, 3), st.floats(1e-3, 4)), (effect, variance)


def _row(draw: Any, study: str, one: str, none: str, effect: Many, variance: Many) -> dict[str, Any]:
    return {"study": study, "treatment1": one, "treatment0": none, "y": draw(effect), "v": draw(variance)}


@st.composite
def contrasts(draw: Any) -> Any:
    """A frame of contrasts: mostly two-arm studies, some whole triangles, some counts, some nonsense."""
    kind = draw(
        st.sampled_from(["effects", "effects", "effects", "triangle", "triangle", "counts", "nonsense"])
    )
    pair = st.lists(st.sampled_from("abc"), min_size=2, max_size=2, unique=True)
    effect, variance = draw(st.sampled_from([TAME, TAME, WILD]))
    if kind == "nonsense":
        return draw(st.one_of(evil, st.just(pd.DataFrame({"study": ["s"], "treatment1": ["a"]}))))
    if kind == "counts":
        names = [(f"s{place}", *draw(pair)) for place in range(draw(st.integers(1, 6)))]
        return pd.DataFrame(
            [(*row, *draw(two_arms())) for row in names],
            columns=["study", "treatment1", "treatment0", "e1", "n1", "e0", "n0"],
        )
    rows = [
        _row(draw, f"s{place}", *draw(pair), effect, variance) for place in range(draw(st.integers(1, 7)))
    ]
    if kind == "triangle":
        v = draw(st.floats(0.01, 2))
        place = {"a": 0.0, "b": draw(st.floats(-2, 2)), "c": draw(st.floats(-2, 2))}
        rows += [
            {"study": "t", "treatment1": one, "treatment0": none, "y": place[one] - place[none], "v": v}
            for one, none in (("b", "a"), ("c", "a"), ("c", "b"))
        ]
    if draw(st.integers(0, 9)) == 0:
        rows[0] = {**rows[0], draw(st.sampled_from(sorted(rows[0]))): draw(evil)}
    return pd.DataFrame(rows)


NETWORK = {"tau2": st.sampled_from(["REML", "DL", "FE", 0.0, 0.25, 1e300, -1.0]), "level": level}
node = st.sampled_from("aaabbbccx")
with_effects = {"measure": st.sampled_from(["RR", "OR", "RD", "MD"])}


@st.composite
def network_calls(draw: Any, *more: Many, **named: Many) -> tuple[list[Any], dict[str, Any]]:
    given, keywords = draw(calls(contrasts(), *more, **NETWORK, **named))
    return given, {"measure": draw(with_effects["measure"]), **keywords}


@st.composite
def with_reference(draw: Any, strategy: Many) -> tuple[list[Any], dict[str, Any]]:
    given, keywords = draw(strategy)
    return given, {"reference": draw(st.sampled_from("aaab")), **keywords}


@st.composite
def with_measure(draw: Any, strategy: Many) -> tuple[list[Any], dict[str, Any]]:
    given, keywords = draw(strategy)
    return given, {"measure": draw(MEASURES), **keywords}


@st.composite
def sets(draw: Any) -> list[Any]:
    m, k = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    kinds = draw(st.sampled_from([TAME, TAME, WILD]))
    return [[draw(st.lists(one, min_size=k, max_size=k)) for _ in range(m)] for one in kinds]


@st.composite
def groups(draw: Any) -> list[Any]:
    """Mean, spread and patients of two groups."""
    kinds = draw(st.sampled_from([(*TAME, small), (*TAME, count), (effect, variance, count)]))
    return [draw(one) for _ in range(2) for one in kinds]


VARIANCES = st.sampled_from(["student", "welch"])
pair = st.tuples(effect, variance).map(list)
STUDIES = lists(two_arms(), least=0, most=6)
DF = st.one_of(st.floats(0.5, 200), count, any_float)

TARGETS: dict[str, Target] = {
    "absolute_effect": target(calls(limits(ratio), limits(risk), measure=MEASURES, correlation=st.floats(-1.1, 1.1))),
    "anova_from_summary": target(calls(together=columns(effect, variance, count))),
    "arm_contrasts": target(with_measure(calls(together=arms_of_studies(), measure=MEASURES)), nan="y v"),
    "breslow_day": target(calls(strata)),
    "bucher": target(calls(pair, pair, level=level)),
    "chi_square": target(calls(tables(), correction=st.sampled_from(["none", "yates", "n-1"]))),
    "chi_square_p": target(calls(any_float, DF)),
    "cochran_armitage": target(calls(together=lists(arm(), least=1).map(lambda some: [list(one) for one in zip(*some, strict=True)]),
                                          scores=lists(any_float, most=8))),
    "cochran_mantel_haenszel": target(calls(strata, correction=st.sampled_from(["none", "continuity"]))),
    "compare": target(
        calls(together=two_arms(), measure=st.sampled_from(["RR", "OR", "OR-exact", "RD"]), level=level,
                   method=st.sampled_from([None, "katz", "woolf", "conditional", "newcombe", "wald", "miettinen-nurminen"])),
        inf="estimate high",
    ),
    "conditional_logistic": target(
        with_reference(calls(together=few_arms(), level=level)), nan="estimate se low high p", inf="estimate low high", dear=True
    ),
    "cumulative": target(calls(together=columns(effect, variance, any_float), **POOLING), nan=HETEROGENEITY),
    "e_value": target(calls(any_float, any_float, any_float)),
    "egger": target(calls(together=columns(effect, variance, least=1, most=14), conditions=CONDITIONS)),
    "f_p": target(calls(any_float, DF, DF)),
    "fisher_exact": target(calls(fourfold)),
    "fisher_freeman_halton": target(
        calls(tables(), work=st.sampled_from([0, 1, 2000, 20000]), draws=st.sampled_from([100, 1000]), seed=small)
    ),
    "fragility": target(calls(together=two_arms(), alpha=level)),
    "heterogeneity": target(calls(together=columns(effect, variance))),
    "holm": target(calls(lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 5e-324, 1.1]))))),
    "leave_one_out": target(calls(together=columns(effect, variance), **POOLING), nan=HETEROGENEITY),
    "likelihood_ratio": target(calls(tables())),
    "mantel_haenszel": target(calls(strata, measure=MEASURES, level=level)),
    "mean_difference": target(calls(together=groups(), level=level, method=VARIANCES)),
    "network": target(
        with_reference(network_calls(better=st.sampled_from(["larger", "smaller"]), ci=INTERVALS)),
        nan="p tau2_low tau2_high i2 q_p q_within_p q_between_p q_inconsistency_p tau2_within df",
    ),
    "node_split": target(network_calls(node, node)),
    "node_splits": target(network_calls()),
    "number_needed": target(calls(effects(), better=st.sampled_from(["higher", "lower"])), inf="estimate low high"),
    "peto": target(calls(st.one_of(strata, lists(rare(), least=1, most=4)), level=level, conditions=CONDITIONS)),
    "pool": target(
        calls(together=columns(effect, variance), prediction=st.sampled_from(["default", "t k-2"]), **POOLING),
        nan=HETEROGENEITY,
    ),
    "pool_comparisons": target(
        calls(STUDIES, measure=MEASURES, method=st.sampled_from([None, None, "katz", "woolf", "newcombe", "wald"]), **POOLING),
        nan=HETEROGENEITY,
        inf="high pi_high",
    ),
    "pool_many": target(calls(together=sets(), **POOLING), nan=HETEROGENEITY),
    "pool_proportions": target(
        calls(together=lists(arm(), least=1).map(lambda some: [list(one) for one in zip(*some, strict=True)]),
                   method=st.sampled_from(["GLMM", "logit"]), **POOLING),
        nan="tau2 pi_low pi_high", dear=True,
    ),
    "proportion": target(
        calls(together=arm(), level=level, method=st.sampled_from(["wilson", "clopper-pearson", "agresti-coull", "jeffreys"]))
    ),
    "sd_from_interval": target(calls(effect, effect, count, level=level)),
    "sd_from_se": target(calls(variance, count)),
    "se_from_sd": target(calls(variance, count)),
    "t_from_summary": target(calls(together=groups(), method=VARIANCES)),
    "t_p": target(calls(any_float, DF)),
    "tarone": target(calls(strata)),
}  # fmt: skip
