"""How often the audit is silent on sound studies, and how often it finds one error put into them.

Sound studies are simulated in five shapes: a comparison of four arms (baseline classes, a binary outcome with
odds ratios of all pairs, an adverse event, a mean with its analysis of variance and the differences of all pairs,
everybody together); the same with counts printed again in an abstract and claims made of them; one arm over time (three stages, fewer patients each time); two arms of which only
percentages and P values are printed; two arms of which one percentage each is all that is printed. All figures are printed as a document would print them. Then one error is
put into each study, and the audit is asked again.

Run from the root: ``python benchmarks/audit_power.py [studies] > benchmarks/audit_power.txt``; prints a table in
Markdown and writes the same figures to ``benchmarks/audit_power.csv``.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from evidence.audit import audit
from evidence.data import load
from evidence.stats import anova_from_summary, chi_square, compare, fisher_exact, mean_difference, proportion

ROOT = Path(__file__).parents[1]
ARMS = "abcd"
Row = dict[str, str]
Tables = dict[str, list[Row]]
OUTCOMES = (
    ("sex", "baseline", "categorical", "none"), ("stage", "baseline", "ordinal", "none"),
    ("cured", "efficacy", "binary", "higher"), ("fever", "safety", "binary", "lower"),
    ("level", "efficacy", "continuous", "higher"),
)  # fmt: skip
STUDIES = 100
QUIET = 6  # sound studies for each study with an error
CSV = Path(__file__).with_suffix(".csv")
ALARM = ["inconsistent", "rounding"]


class Error(NamedTuple):
    """One kind of error: what it is called, the family that should find it, how it is put in."""

    name: str
    family: str
    put: Callable[[Tables, np.random.Generator], bool]
    shape: Callable[[int, np.random.Generator], Tables]


def p_text(p: float) -> str:
    """Return P as printed."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def percent(events: int, n: int) -> str:
    """Return a percentage to one decimal, halves up."""
    tenths = (2 * 1000 * events + n) // (2 * n)
    return f"{tenths // 10}.{tenths % 10}"


def study(number: int, rng: np.random.Generator) -> Tables:
    """Return the tables of one sound study."""
    sizes = {arm: int(rng.integers(30, 80)) for arm in ARMS}
    name = f"study{number}"
    tables = _empty(name, sizes)
    everybody = {"arm_id": "all", "label": "all", "n": str(sum(sizes.values())), "combines": "|".join(ARMS)}
    tables["arms"].append(_placed(name, "arms", everybody))
    tables["counts"] += list(_counts(name, sizes, rng))
    tables["tests"] += list(_count_tests(name, tables["counts"]))
    _means(name, sizes, rng, tables)
    return _numbered(name, tables)


def claiming(number: int, rng: np.random.Generator) -> Tables:
    """Return the tables of one sound study that prints counts again in its abstract and claims from them."""
    tables, name = study(number, rng), f"study{number}"
    cured = [
        row for row in _where(tables["counts"], outcome_id="cured", subgroup="") if row["arm_id"] != "all"
    ]
    tables["counts"] += [row | {"locator": "Abstract"} for row in cured]
    for test in _where(tables["tests"], effect_label="OR", outcome_id="cured"):
        tables["claims"].append(_claim(name, test))
    for row in cured:
        rate = {
            "kind": "rate",
            "outcome_id": "cured",
            "arms": row["arm_id"],
            "value": row["percent"],
            "unit": "%",
        }
        tables["claims"].append(_placed(name, "claims", rate | {"paraphrase": "A rate in the discussion."}))
    return _numbered(name, tables)


def _claim(name: str, test: Row) -> Row:
    """Return what a sound study says of a comparison: better where P is below 0.05, else no difference."""
    shown = test["p"].startswith("<") or float(test["p"]) < 0.05
    arms = test["arms"] if float(test["effect"]) > 1 else "|".join(test["arms"].split("|")[::-1])
    kind = "superior" if shown else "no_difference"
    return _placed(name, "claims", {"kind": kind, "outcome_id": "cured", "arms": arms, "paraphrase": kind})


def one_arm(number: int, rng: np.random.Generator) -> Tables:
    """Return the tables of one sound study of one arm: a response at three times, by stage."""
    name, n = f"study{number}", int(rng.integers(90, 200))
    tables, stages = _empty(name, {"a": n}), ("I", "II", "III")
    sizes = dict(
        zip(stages, (int(one) for one in rng.multinomial(n - 30, [0.3, 0.2, 0.5]) + 10), strict=True)
    )
    tables["counts"] += [
        _count(name, "a", "stage", size, n, category=one, time="0") for one, size in sizes.items()
    ]
    for week in ("6", "12", "24"):
        left = {one: int(rng.integers(size // 2 + 1, size + 1)) for one, size in sizes.items()}
        events = {one: int(rng.binomial(size, 0.7)) for one, size in left.items()}
        at = {"time": week, "time_unit": "week", "analysis_set": "evaluable"}
        tables["counts"].append(_count(name, "a", "cured", sum(events.values()), sum(left.values()), **at))
        for one, size in left.items():
            tables["counts"].append(
                _count(name, "a", "cured", events[one], size, subgroup="stage", level=one, **at)
            )
    for row in tables["counts"]:
        row["percent"] = whole_percent(int(row["events"]), int(row["n"]))
    return _numbered(name, tables)


def two_arms(number: int, rng: np.random.Generator) -> Tables:
    """Return the tables of one sound study of which percentages and P values are printed, each twice."""
    name, sizes = f"study{number}", {"a": int(rng.integers(25, 60)), "b": int(rng.integers(60, 120))}
    tables = _empty(name, sizes)
    for outcome, month in (("cured", "3"), ("cured", "6"), ("fever", "6")):
        events = {arm: int(rng.integers(3, n - 3)) for arm, n in sizes.items()}
        at = {"time": month, "time_unit": "month"}
        rows = [_count(name, arm, outcome, events[arm], n, **at) for arm, n in sizes.items()]
        made = chi_square(_table(rows), correction="n-1")
        tables["tests"].append(
            _test(name, rows[0], "a|b", made.p, 0.0) | {"statistic": "", "statistic_label": ""}
        )
        bare = [row | {"events": "", "n_basis": "elsewhere"} for row in rows]
        tables["counts"] += [*bare, *(row | {"locator": "Abstract"} for row in bare)]
    return _numbered(name, tables)


def bare(number: int, rng: np.random.Generator) -> Tables:
    """Return the tables of one sound study that prints one percentage of each of two arms, and nothing else."""
    name, sizes = f"study{number}", {"a": int(rng.integers(20, 60)), "b": int(rng.integers(60, 200))}
    tables = _empty(name, sizes)
    for arm, n in sizes.items():
        row = _count(name, arm, "cured", int(rng.integers(3, n - 3)), n, time="6", time_unit="month")
        tables["counts"].append(row | {"events": "", "n_basis": "elsewhere"})
    return _numbered(name, tables)


def _empty(name: str, sizes: dict[str, int]) -> Tables:
    """Return tables with a document, a study and its arms, and nothing else."""
    total = {"label": name, "n": str(sum(sizes.values())), "origin": "seed", "status": "published"}
    arms = [
        {"arm_id": arm, "label": arm, "components": arm, "n": str(n), "role": "active", "node": arm}
        for arm, n in sizes.items()
    ]
    return {
        "sources": [{"source_id": name, "citekey": name, "kind": "article", "tier": "primary"}],
        "studies": [_placed(name, "studies", total)],
        "arms": [_placed(name, "arms", arm) for arm in arms],
        "counts": [],
        "measurements": [],
        "tests": [],
        "claims": [],
    }


def _numbered(name: str, tables: Tables) -> Tables:
    for kind, prefix in (
        ("arms", "a"),
        ("counts", "c"),
        ("measurements", "m"),
        ("tests", "t"),
        ("claims", "l"),
    ):
        for place, row in enumerate(tables[kind]):
            row["row_id"] = f"{name}-{prefix}{place:03d}"
    return tables


def whole_percent(events: int, n: int) -> str:
    """Return a percentage without decimals, halves up."""
    return str((200 * events + n) // (2 * n))


def _placed(study_id: str, kind: str, row: Row) -> Row:
    at = {
        "row_id": f"{study_id}-{kind}",
        "source_id": study_id,
        "locator": f"Table of {kind}",
        "study_id": study_id,
    }
    return at | row


def _counts(name: str, sizes: dict[str, int], rng: np.random.Generator) -> Iterator[Row]:
    """Yield classes, outcomes by arm and together, and the outcome in two subgroups."""
    for outcome, classes in (("sex", ("male", "female")), ("stage", ("I", "II", "III"))):
        for arm, n in sizes.items():
            shares = rng.dirichlet([4.0] * len(classes))
            for one, events in zip(classes, rng.multinomial(n, shares), strict=True):
                yield _count(name, arm, outcome, int(events), n, category=one, time="0")
    for outcome, share in (("cured", rng.uniform(0.3, 0.7)), ("fever", rng.uniform(0.1, 0.3))):
        made = {
            arm: int(rng.binomial(n, np.clip(share + rng.normal(0, 0.15), 0.05, 0.95)))
            for arm, n in sizes.items()
        }
        for arm, events in made.items():
            yield _count(name, arm, outcome, events, sizes[arm])
        yield _count(name, "all", outcome, sum(made.values()), sum(sizes.values()))


def _count(name: str, arm: str, outcome: str, events: int, n: int, **more: str) -> Row:
    row = {"arm_id": arm, "outcome_id": outcome, "analysis_set": "enrolled", "events": str(events)}
    row |= {"n": str(n), "n_basis": "header", "percent": percent(events, n), "basis": "printed"}
    at = {"time": "14", "time_unit": "day"} | more
    return _placed(name, "counts", row | at)


def _count_tests(name: str, counts: list[Row]) -> Iterator[Row]:
    """Yield chi-square over the arms for every outcome, and odds ratios of all pairs for one."""
    for outcome, *_ in OUTCOMES[:4]:
        rows = [row for row in counts if row["outcome_id"] == outcome and row["arm_id"] != "all"]
        table = _table(rows)
        if min(map(sum, zip(*table, strict=True))) == 0:
            continue
        made = chi_square(table)
        yield _test(name, rows[0], "|".join(ARMS), made.p, made.statistic or 0.0)
        for one, none in combinations(range(4), 2) if outcome == "cured" else ():
            yield from _odds(name, rows[0], table, one, none)


def _table(rows: list[Row]) -> list[list[int]]:
    if not rows[0].get("category"):
        return [[int(row["events"]), int(row["n"]) - int(row["events"])] for row in rows]
    return [[int(row["events"]) for row in rows if row["arm_id"] == arm] for arm in ARMS]


def _test(name: str, row: Row, arms: str, p: float, statistic: float, label: str = "χ²") -> Row:
    at = {key: row[key] for key in ("outcome_id", "analysis_set", "time", "time_unit")}
    return _placed(
        name,
        "tests",
        at | {"arms": arms, "p": p_text(p), "statistic": f"{statistic:.3f}", "statistic_label": label},
    )


def _odds(name: str, row: Row, table: list[list[int]], one: int, none: int) -> Iterator[Row]:
    (e1, f1), (e0, f0) = table[one], table[none]
    if 0 in (e1, f1, e0, f0):
        return
    ratio, made = compare(e1, e1 + f1, e0, e0 + f0, measure="OR"), chi_square([[e1, f1], [e0, f0]])
    figures = {"effect": ratio.estimate, "low": ratio.low, "high": ratio.high}
    test = _test(name, row, f"{ARMS[one]}|{ARMS[none]}", made.p, made.statistic or 0.0)
    yield (
        test
        | {"effect_label": "OR", "interval_level": "0.95"}
        | {key: f"{value:.3f}" for key, value in figures.items()}
    )


def _means(name: str, sizes: dict[str, int], rng: np.random.Generator, tables: Tables) -> None:
    """Add means with standard deviations, F, and the t interval of every pair, from patients' values."""
    values = {arm: rng.normal(10 + rng.normal(0, 0.8), rng.uniform(2, 4), n) for arm, n in sizes.items()}
    groups = {arm: (float(one.mean()), float(one.std(ddof=1)), len(one)) for arm, one in values.items()}
    for arm, (mean, sd, n) in groups.items():
        row = {
            "arm_id": arm,
            "outcome_id": "level",
            "analysis_set": "enrolled",
            "time": "14",
            "time_unit": "day",
        }
        row |= {"n": str(n), "statistic": "mean", "value": f"{mean:.2f}", "basis": "printed"}
        row |= {"spread": f"{sd:.2f}", "spread_label": "sd"}
        tables["measurements"].append(_placed(name, "measurements", row))
    row = tables["measurements"][0]
    means, sds, ns = zip(*groups.values(), strict=True)
    f = anova_from_summary(means, sds, ns)
    tables["tests"].append(_test(name, row, "|".join(ARMS), f.p, f.statistic or 0.0, "F"))
    for one, none in combinations(ARMS, 2):
        made = mean_difference(*groups[one], *groups[none])
        figures = {"effect": made.estimate, "low": made.low, "high": made.high}
        test = _test(name, row, f"{one}|{none}", made.p, 0.0) | {"statistic": "", "statistic_label": ""}
        shown = {key: f"{value:.3f}" for key, value in figures.items()}
        tables["tests"].append(test | {"effect_label": "mean difference", "interval_level": "0.95"} | shown)


def _pick(rows: list[Row], rng: np.random.Generator) -> Row | None:
    return rows[int(rng.integers(len(rows)))] if rows else None


def _where(rows: list[Row], **equals: str) -> list[Row]:
    return [row for row in rows if all(row.get(key, "") == value for key, value in equals.items())]


def slip_in_count(tables: Tables, rng: np.random.Generator) -> bool:
    """Change one digit of a count, its percentage left as it was."""
    row = _pick([row for row in tables["counts"] if len(row["events"]) == 2], rng)
    if row is None:
        return False
    last = int(row["events"][1])
    row["events"] = row["events"][0] + str((last + int(rng.integers(1, 10))) % 10)
    return True


def shifted_percent(tables: Tables, rng: np.random.Generator) -> bool:
    """Move a percentage by 0.1 to 5 points, the count left as it was."""
    row = _pick(tables["counts"], rng)
    if row is None:
        return False
    row["percent"] = f"{float(row['percent']) + float(rng.integers(1, 51)) / 10:.1f}"
    return True


def swapped_p(tables: Tables, rng: np.random.Generator) -> bool:
    """Swap the P values of two rows of the table of pairs; undetectable where they are equal."""
    rows = [row for row in tables["tests"] if row.get("effect_label") == "OR"]
    if len(rows) < 2:
        return False
    one, other = (rows[int(place)] for place in rng.choice(len(rows), 2, replace=False))
    one["p"], other["p"] = other["p"], one["p"]
    return one["p"] != other["p"]


def swapped_statistics(tables: Tables, rng: np.random.Generator) -> bool:
    """Swap the statistics of two rows of the table of pairs."""
    rows = [row for row in tables["tests"] if row.get("effect_label") == "OR"]
    if len(rows) < 2:
        return False
    one, other = (rows[int(place)] for place in rng.choice(len(rows), 2, replace=False))
    one["statistic"], other["statistic"] = other["statistic"], one["statistic"]
    return one["statistic"] != other["statistic"]


def errors_as_deviations(tables: Tables, rng: np.random.Generator) -> bool:
    """Print standard errors as standard deviations in the table of means."""
    for row in tables["measurements"]:
        row["spread"] = f"{float(row['spread']) / math.sqrt(int(row['n'])):.2f}"
    return True


def reversed_ratio(tables: Tables, rng: np.random.Generator) -> bool:
    """Print one odds ratio the other way round; undetectable where that reads the same."""
    row = _pick(_where(tables["tests"], effect_label="OR"), rng)
    if row is None:
        return False
    before = row["effect"]
    figures = [1 / float(row[key]) if float(row[key]) else 0.0 for key in ("effect", "high", "low")]
    row["effect"], row["low"], row["high"] = (f"{one:.3f}" for one in figures)
    return row["effect"] != before


def wrong_header(tables: Tables, rng: np.random.Generator) -> bool:
    """Print another number of patients in the header of one arm, everywhere."""
    arm, more = ARMS[int(rng.integers(4))], int(rng.integers(1, 10))
    for kind in ("arms", "counts", "measurements"):
        for row in _where(tables[kind], arm_id=arm):
            row["n"] = str(int(row["n"]) + more)
    return True


def wrong_test_named(tables: Tables, rng: np.random.Generator) -> bool:
    """Name Fisher's exact test where P is Pearson's; undetectable where both are printed alike."""
    row = _pick(_where(tables["tests"], effect_label="OR"), rng)
    if row is None:
        return False
    row["test_label"], row["statistic"], row["statistic_label"] = "Fisher's exact test", "", ""
    cells = {one["arm_id"]: one for one in _where(tables["counts"], outcome_id="cured")}
    table = [
        [int(cells[arm]["events"]), int(cells[arm]["n"]) - int(cells[arm]["events"])]
        for arm in row["arms"].split("|")
    ]
    return p_text(fisher_exact(table).p) != row["p"]


def slip_in_p(tables: Tables, rng: np.random.Generator) -> bool:
    """Change one decimal of a P value."""
    row = _pick([row for row in tables["tests"] if row["p"][0] == "0"], rng)
    if row is None:
        return False
    place, digits = int(rng.integers(2, 5)), list(row["p"])
    digits[place] = str((int(digits[place]) + int(rng.integers(1, 10))) % 10)
    row["p"] = "".join(digits)
    return True


def fewer_patients(tables: Tables, rng: np.random.Generator) -> bool:
    """Compare all pairs of means with half the patients in the headers."""
    groups = {
        row["arm_id"]: (float(row["value"]), float(row["spread"]), int(row["n"]) // 2)
        for row in tables["measurements"]
    }
    for row in _where(tables["tests"], effect_label="mean difference"):
        one, none = row["arms"].split("|")
        made = mean_difference(*groups[one], *groups[none])
        row["low"], row["high"], row["p"] = f"{made.low:.3f}", f"{made.high:.3f}", p_text(made.p)
    return True


def wrong_total(tables: Tables, rng: np.random.Generator) -> bool:
    """Print another total for everybody, with the percentage that belongs to it."""
    row = _pick(_where(tables["counts"], arm_id="all"), rng)
    if row is None:
        return False
    row["events"] = str(int(row["events"]) + int(rng.choice([-2, -1, 1, 2])))
    row["percent"] = percent(int(row["events"]), int(row["n"]))
    return True


def slip_in_mean(tables: Tables, rng: np.random.Generator) -> bool:
    """Change one digit of a mean."""
    row = _pick(tables["measurements"], rng)
    if row is None:
        return False
    row["value"] = (
        f"{float(row['value']) + float(rng.choice([-1, 1])) * float(rng.choice([0.1, 0.3, 0.9, 1, 3])):.2f}"
    )
    return True


def wrong_subgroup(tables: Tables, rng: np.random.Generator) -> bool:
    """Print another count for one level of a subgroup, with the percentage that belongs to it."""
    row = _pick(_where(tables["counts"], subgroup="stage"), rng)
    if row is None:
        return False
    moved = int(row["events"]) + int(rng.choice([-2, -1, 1, 2]))
    row["events"] = str(min(max(moved, 0), int(row["n"])))
    row["percent"] = whole_percent(int(row["events"]), int(row["n"]))
    return int(row["events"]) == moved


def shifted_alone(tables: Tables, rng: np.random.Generator) -> bool:
    """Move one printing of a percentage without a count; the other printing and P are left."""
    row = _pick(tables["counts"], rng)
    if row is None:
        return False
    row["percent"] = f"{float(row['percent']) + float(rng.integers(1, 51)) / 10:.1f}"
    return True


def slip_in_abstract(tables: Tables, rng: np.random.Generator) -> bool:
    """Print another count in the abstract than in the table, with the percentage that belongs to it."""
    row = _pick(_where(tables["counts"], locator="Abstract"), rng)
    if row is None:
        return False
    moved = int(row["events"]) + int(rng.choice([-2, -1, 1, 2]))
    if not 0 <= moved <= int(row["n"]):
        return False
    row["events"], row["percent"] = str(moved), percent(moved, int(row["n"]))
    return True


def claimed_without_test(tables: Tables, rng: np.random.Generator) -> bool:
    """Claim that an arm is better where no test is significant."""
    row = _pick(_where(tables["claims"], kind="no_difference"), rng)
    if row is None:
        return False
    row["kind"] = "superior"
    return True


def claimed_rate(tables: Tables, rng: np.random.Generator) -> bool:
    """Repeat a rate in the discussion with another figure."""
    row = _pick(_where(tables["claims"], kind="rate"), rng)
    if row is None:
        return False
    row["value"] = f"{float(row['value']) + float(rng.choice([-1, 1])) * float(rng.integers(1, 51)) / 10:.1f}"
    return True


def too_many_patients(tables: Tables, rng: np.random.Generator) -> bool:
    """Print a count of more patients than the arm has, with the percentage that belongs to it."""
    row = _pick([row for row in _where(tables["counts"], outcome_id="fever") if row["arm_id"] != "all"], rng)
    if row is None:
        return False
    row["n"] = str(int(row["n"]) + int(rng.integers(1, 10)))
    row["percent"] = percent(int(row["events"]), int(row["n"]))
    return True


def zero_p(tables: Tables, rng: np.random.Generator) -> bool:
    """Print P below 0.001 as 0.000."""
    row = _pick(_where(tables["tests"], p="<0.001"), rng)
    if row is None:
        return False
    row["p"] = "0.000"
    return True


def shifted_unseen(tables: Tables, rng: np.random.Generator) -> bool:
    """Move the only printing of a percentage; detectable where no count of patients gives it."""
    row = _pick(tables["counts"], rng)
    if row is None:
        return False
    row["percent"] = f"{min(float(row['percent']) + float(rng.integers(1, 51)) / 10, 100.0):.1f}"
    n = int(row["n"])
    return all(f"{100 * events / n:.1f}" != row["percent"] for events in range(n + 1))


SHAPES = (study, claiming, one_arm, two_arms, bare)
ERRORS = (
    Error("digit slip in a count", "percentages", slip_in_count, study),
    Error("percentage moved by 0.1 to 5 points", "percentages", shifted_percent, study),
    Error("total of everybody wrong by 1 or 2", "sums", wrong_total, study),
    Error("P values of two rows swapped", "tests from data", swapped_p, study),
    Error("digit slip in a P value", "tests from data", slip_in_p, study),
    Error("another test named than done", "tests from data", wrong_test_named, study),
    Error("statistics of two rows swapped", "P values", swapped_statistics, study),
    Error("odds ratio printed inverse", "effects", reversed_ratio, study),
    Error("digit slip in a mean", "effects", slip_in_mean, study),
    Error("standard errors printed as SD", "spread", errors_as_deviations, study),
    Error("intervals from half the patients", "implied n", fewer_patients, study),
    Error("header n too large by 1 to 9", "sums", wrong_header, study),
    Error("subgroup count wrong by 1 or 2", "sums", wrong_subgroup, one_arm),
    Error("percentage alone moved by 0.1 to 5 points", "percentages", shifted_alone, two_arms),
    Error("only percentage moved by 0.1 to 5 points", "percentages", shifted_unseen, bare),
    Error("row of more patients than the arm has", "denominators", too_many_patients, study),
    Error("better claimed without a significant test", "claims", claimed_without_test, claiming),
    Error("rate in the discussion moved by 0.1 to 5 points", "claims", claimed_rate, claiming),
    Error("count in the abstract wrong by 1 or 2", "across documents", slip_in_abstract, claiming),
    Error("P below 0.001 printed as 0.000", "reporting", zero_p, study),
)


def write(folder: Path, studies: list[Tables]) -> None:
    """Write studies as a data folder."""
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    shutil.copyfile(ROOT / "data" / "datapackage.json", folder / "datapackage.json")
    outcomes = [
        dict(zip(("outcome_id", "domain", "type", "better"), one, strict=True)) | {"label": one[0]}
        for one in OUTCOMES
    ]
    for item in package["resources"]:
        name, fields = item["name"], item["schema"]["fields"]
        rows = outcomes if name == "outcomes" else [row for tables in studies for row in tables.get(name, [])]
        codes = [
            field.get("constraints", {}).get("enum") for field in fields if field["name"] == "indication"
        ]
        rows = (
            [row | {"indication": codes[0][0]} for row in rows]
            if name == "studies" and codes and codes[0]
            else rows
        )
        with (folder / item["path"]).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(
                file,
                [field["name"] for field in fields],
                restval="",
                lineterminator="\n",
                extrasaction="ignore",
            )
            writer.writeheader()
            writer.writerows(rows)


def audited(studies: list[Tables]) -> tuple[pd.DataFrame, float]:
    """Return what the audit finds in studies, and the seconds of processor time it takes."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), studies)
        data = load(name)
    start = time.process_time()
    return audit(data), time.process_time() - start


def detected(error: Error, studies: int, seed: int) -> dict[str, Any]:
    """Put one error into each of many sound studies; return the share found and the share that can be."""
    rng = np.random.default_rng(seed)
    made = [error.shape(number, rng) for number in range(studies)]
    possible = [error.put(tables, rng) for tables in made]
    found, _ = audited(made)
    odd = found[found["verdict"].isin(ALARM)]
    hit = set(odd["study_id"])
    family = set(odd.loc[odd["family"] == error.family, "study_id"])
    named = [f"study{number}" for number, able in enumerate(possible) if able]
    share = proportion(len(hit.intersection(named)), max(len(named), 1))
    return {
        "error": error.name, "family": error.family, "studies": studies,
        "detectable": round(len(named) / studies, 4), "detected": round(share.estimate, 4),
        "low": round(share.low, 4), "high": round(share.high, 4),
        "own": round(len(family.intersection(named)) / max(len(named), 1), 4),
    }  # fmt: skip


def quiet(studies: int, seed: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the false alarms per check on sound studies, and the alarms."""
    rng = np.random.default_rng(seed)
    found, _ = audited([SHAPES[number % len(SHAPES)](number, rng) for number in range(studies)])
    odd = found[found["verdict"].isin(ALARM)]
    share = proportion(len(odd), len(found), method="clopper-pearson")
    return {
        "error": "none", "family": "", "studies": studies, "detected": round(share.estimate, 7),
        "low": round(share.low, 7), "high": round(share.high, 7), "checks": len(found), "alarms": len(odd),
    }, odd  # fmt: skip


def _line(made: dict[str, Any]) -> str:
    interval = f"{made['detected']:.0%} ({made['low']:.0%} to {made['high']:.0%})"
    cells = (made["error"], made["family"], f"{made['detectable']:.0%}", interval, f"{made['own']:.0%}")
    return f"| {' | '.join(cells)} |"


def main(studies: int) -> None:
    """Print quietness and power as Markdown, and write them as CSV."""
    told, odd = quiet(QUIET * studies, seed=1)
    made = [detected(error, studies, seed=100 + place) for place, error in enumerate(ERRORS)]
    per_1000 = [1000 * told[name] for name in ("detected", "low", "high")]
    lines = [
        f"{told['alarms']} false alarms in {told['checks']} checks of {told['studies']} sound studies: "
        f"{per_1000[0]:.2f} per 1,000 ({per_1000[1]:.2f} to {per_1000[2]:.2f}).",
        "",
        "| error | family | detectable | detected of these (95% interval) | by its own family |",
        "| --- | --- | --- | --- | --- |",
        *map(_line, made),
        *(f"{row.check} {row.row_id}: {row.why}" for row in odd.itertuples()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    columns = [
        "error",
        "family",
        "studies",
        "detectable",
        "detected",
        "low",
        "high",
        "own",
        "checks",
        "alarms",
    ]
    pd.DataFrame([told, *made], columns=columns).convert_dtypes().to_csv(
        CSV, index=False, lineterminator="\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES)
