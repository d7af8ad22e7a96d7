"""Why a notebook runs again, in words."""

import json

import pytest

from evidence.build.explain import differences
from evidence.reads import Read

RECORD = {
    "code": ["a", "b"],
    "parameters": {"alpha": "0.05"},
    "engine": {"stats/pool.py": "1", "stats/means.py": "1"},
    "environment": {"python": "3.11", "numpy": "2.0"},
}


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({}, []),
        ({"code": ["a", "c"]}, ["code cell 2"]),
        ({"code": ["a"]}, ["code: 1 cells instead of 2"]),
        ({"parameters": {"alpha": "0.01"}}, ["parameter alpha 0.05 -> 0.01"]),
        ({"parameters": {}}, ["parameter alpha 0.05 -> absent"]),
        ({"engine": {"stats/pool.py": "2"}}, ["engine stats/means.py, stats/pool.py"]),
        ({"environment": {"python": "3.12"}}, ["environment numpy 2.0 -> absent, python 3.11 -> 3.12"]),
        (
            {"engine": {f"stats/{name}.py": "1" for name in "abcdef"}},
            ["engine stats/a.py, stats/b.py, stats/c.py, stats/d.py and 4 more"],
        ),
    ],
)
def test_each_kind_of_change_is_named(now, words):
    assert differences(RECORD, RECORD | now, ()) == words


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (("rows", "data", "counts", "trial_a"), "data/counts (trial_a)"),
        (("rows", "data", "counts", None), "data/counts (whole table)"),
        (("rows", "data", "arms", ""), "data/arms (rows of no study)"),
        (("counts", "data", "cured", "trial_a", "all"), "data/counts (cured of trial_a)"),
        (("counts", "data", "cured", None, "all"), "data/counts (cured)"),
        (("where", "data", "claims", '{"kind": ["superior"]}'), "data/claims (kind superior)"),
        (("columns", "data", "arms", ("label",)), "columns of data/arms"),
        (
            ("value", "data", "some.module:_doubts_of", "all", json.dumps([["trial_a"], {"how": "all"}])),
            "data: doubts of trial_a all",
        ),
        (("match", "data", "indication", ("SAA",)), "studies by indication"),
        (("file", "notebooks/a.csv"), "file notebooks/a.csv"),
        (("list", "notebooks"), "list notebooks"),
    ],
)
def test_each_kind_of_changed_read_is_named(read: Read, words: str):
    assert differences(RECORD, RECORD, [read]) == [words]


def test_reads_of_one_table_are_told_together_and_many_are_counted():
    changed = [("rows", "data", "counts", name) for name in "abcdef"]
    changed.append(("rows", "data", "arms", "a"))
    assert differences(RECORD, RECORD, changed) == ["data/counts (a, b, c, d and 2 more)", "data/arms (a)"]
