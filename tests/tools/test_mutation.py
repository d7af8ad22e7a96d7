"""How a change of the source is put into place, which tests try it, and in what order."""

import sys
import types
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))
mutation, trial = (import_module(f"tools.{name}") for name in ("mutation", "trial"))

SOURCE = """\
RATE = 2


class Account:
    def twice(self, amount=1):
        return amount * RATE

    @staticmethod
    def named():
        return "plain"


def add(
    one,
    other=1,
):
    if one:
        total = (
            one
            + other
        )
        return total
    return other
"""


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """Return a module of its own and what changes one of its functions."""
    path = tmp_path / "sums.py"
    path.write_text(SOURCE, encoding="utf-8")
    made = types.ModuleType("sums")
    exec(compile(SOURCE, str(path), "exec"), vars(made))
    monkeypatch.setitem(sys.modules, "sums", made)

    def change(owner, function, after):
        one = trial.Change("x", "sums", owner, function, "", after, str(path), frozenset())
        trial.exchange(one)

    return made, change, path


def test_a_change_is_in_place_wherever_the_function_was_known_before(changed):
    sums, change, _ = changed
    known = sums.add
    change("", "add", "def add(one, other=5):\n    return one - other * RATE\n")
    assert known(1) == -9
    assert known(1, 2) == -3


def test_methods_are_changed_too(changed):
    sums, change, _ = changed
    account = sums.Account()
    change("Account", "twice", "def twice(self, amount=3):\n    return amount + RATE\n")
    change("Account", "named", '@staticmethod\ndef named():\n    return "XXplainXX"\n')
    assert (account.twice(), account.named()) == (5, "XXplainXX")


def test_a_change_is_reached_by_the_lines_of_its_own_statement(changed):
    *_, path = changed
    line = {text.strip(): number for number, text in enumerate(SOURCE.splitlines(), 1)}
    assignment = range(line["total = ("], line["return total"])
    assert mutation.reached_by(path, line["+ other"]) == set(assignment)
    assert mutation.reached_by(path, line["if one:"]) == {line["if one:"]}
    body = range(line["def add("] + 1, line["return other"] + 1)
    assert mutation.reached_by(path, line["other=1,"]) == set(body)


def test_the_tests_that_reach_a_change_come_the_fastest_file_first():
    change = trial.Change("x", "m", "", "f", "", "", "/m.py", frozenset({3, 4}))
    found = {
        "lines": {"/m.py:3": ["a::slow", "a::quick", "b::one"], "/m.py:4": ["b::two", "b::broken"], "/m.py:5": ["c::other"]},
        "seconds": {"a::slow": 2.0, "a::quick": 0.5, "b::one": 0.7, "b::two": 0.6, "b::broken": 9.0, "c::other": 0.1},
        "failed": ["b::broken"],
    }  # fmt: skip
    assert trial.chosen(change, found) == ["b::two", "b::one", "a::quick", "a::slow"]
    assert trial.chosen(trial.Change("x", "m", "", "f", "", "", "/n.py", frozenset({3})), found) == []


def test_the_tests_are_shared_out_by_whole_files_and_what_was_learnt_is_put_together():
    files = {"a": 5, "b": 3, "c": 1, "d": 1}
    items = [types.SimpleNamespace(path=name, number=i) for name, many in files.items() for i in range(many)]
    parts = trial.shares(items, 2)
    assert [{item.path for item in part} for part in parts] == [{"a"}, {"b", "c", "d"}]
    assert trial.shares(items[:2], 4) == [items[:2]]
    learnt = [
        {"lines": {"m:1": [name]}, "seconds": {name: 1.0}, "failed": failed}
        for name, failed in (("a", []), ("b", ["b"]))
    ]
    whole = trial.together(learnt)
    assert (whole["lines"], whole["seconds"], whole["failed"]) == (
        {"m:1": ["a", "b"]},
        {"a": 1.0, "b": 1.0},
        ["b"],
    )
