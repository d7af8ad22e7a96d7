import importlib.util
from pathlib import Path

import pytest

from evidence.audit import audit
from evidence.data import load

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


INVENTED = module("invented_data", TESTS / "display" / "conftest.py")
SHARED = module("shared_conftest", TESTS / "conftest.py")

ARMS = [
    {
        "study_id": "trial_a",
        "arm_id": arm,
        "label": arm.title(),
        "components": arm,
        "n": str(n),
        "role": "active",
        "node": arm,
    }
    for arm, n in (("drug", 50), ("placebo", 50))
]
OUTCOMES = [
    {"outcome_id": "cured", "label": "Cured", "domain": "efficacy", "type": "binary", "better": "higher"},
    {"outcome_id": "lasting_cure", "label": "Lasting cure", "domain": "efficacy", "type": "binary", "better": "higher", "parent_id": "cured"},
    {"outcome_id": "fever", "label": "Fever", "domain": "safety", "type": "binary", "better": "lower"},
    {"outcome_id": "sex", "label": "Sex", "domain": "baseline", "type": "categorical", "better": "none"},
    {"outcome_id": "cycles", "label": "Cycles", "domain": "baseline", "type": "categorical", "better": "none"},
    {"outcome_id": "stage", "label": "Stage", "domain": "baseline", "type": "ordinal", "better": "none"},
    {"outcome_id": "level", "label": "Level", "domain": "efficacy", "type": "continuous", "better": "higher", "unit": "g"},
    {"outcome_id": "score", "label": "Score", "domain": "efficacy", "type": "ordinal", "better": "higher"},
    {"outcome_id": "time_to_cured", "label": "Time to cure", "domain": "efficacy", "type": "time_to_event", "better": "lower", "unit": "day"},
]  # fmt: skip
RESULT = {"study_id": "trial_a", "analysis_set": "randomised"}
AT_SIX = {"time": "6", "time_unit": "month"}


class Findings:
    """What an audit of invented tables found; every finding is told in full, whatever the test asks of it."""

    def __init__(self, frame):
        self.frame = frame
        for found in frame.to_dict("records"):
            assert found["reported"].strip(), found
            assert "None" not in found["reported"] + found["recomputed"] + found["why"], found
            assert found["why"].endswith("."), found
            assert not found["why"].isupper(), found
            assert found["verdict"] in ("consistent", "rounding", "inconsistent", "not_checkable"), found
            assert found["consequence"] in ("conclusion", "number", "cosmetic", ""), found

    def of(self, check):
        return self.frame[self.frame["check"] == check].to_dict("records")

    def one(self, check):
        found = self.of(check)
        assert len(found) == 1, found
        return found[0]

    def verdicts(self, check):
        return [found["verdict"] for found in self.of(check)]

    @property
    def alarms(self):
        odd = self.frame[self.frame["verdict"].isin(["inconsistent", "rounding"])]
        return odd[["check", "row_id", "why"]].to_dict("records")


def count(arm="drug", outcome="cured", **more):
    return (
        RESULT
        | AT_SIX
        | {"arm_id": arm, "outcome_id": outcome, "n": "50", "n_basis": "printed", "basis": "printed"}
        | more
    )


def baseline(arm, outcome, category, events, n=50, **more):
    at = {"time": "0", "time_unit": "month", "time_label": "baseline", "category": category}
    return count(arm, outcome, events=str(events), n=str(n), **(at | more))


def measure(arm, mean, spread, outcome="level", **more):
    row = {
        "arm_id": arm,
        "outcome_id": outcome,
        "n": "50",
        "statistic": "mean",
        "value": mean,
        "basis": "printed",
    }
    return RESULT | AT_SIX | row | ({"spread": spread, "spread_label": "sd"} if spread else {}) | more


def comparison(p, arms="drug|placebo", outcome="cured", **more):
    return RESULT | AT_SIX | {"arms": arms, "outcome_id": outcome, "p": p} | more


def claim(kind, outcome="cured", arms="drug|placebo", **more):
    return {
        "study_id": "trial_a",
        "kind": kind,
        "outcome_id": outcome,
        "arms": arms,
        "paraphrase": kind,
    } | more


def arms(**sizes):
    return [
        {"study_id": "trial_a", "arm_id": arm, "label": arm.title(), "components": arm, "n": str(n), "role": "active", "node": arm}
        for arm, n in sizes.items()
    ]  # fmt: skip


@pytest.fixture
def audited(tmp_path):
    made = []

    def run(*, alpha=0.05, margin=0.0, **tables):
        folder = tmp_path / f"data{len(made)}"
        made.append(folder)
        given = SHARED.TABLES | {"arms": ARMS, "outcomes": OUTCOMES, "counts": [], "questions": []} | tables
        given["claims"] = [
            {"row_id": f"doc-l{i:03d}"} | row for i, row in enumerate(given.get("claims", []), 1)
        ]
        study = given["studies"][0] | {
            "n": str(sum(int(arm["n"]) for arm in given["arms"] if not arm.get("combines")))
        }
        SHARED.write_tables(folder, given | {"studies": [study, *given["studies"][1:]]})
        return Findings(audit(load(folder), alpha=alpha, margin=margin))

    return run


@pytest.fixture(scope="session")
def rows():
    """Return the makers of rows, by name."""
    return type("Rows", (), {"count": staticmethod(count), "baseline": staticmethod(baseline), "measure": staticmethod(measure),
                             "test": staticmethod(comparison), "claim": staticmethod(claim), "arms": staticmethod(arms)})  # fmt: skip


@pytest.fixture(scope="session")
def data():
    return INVENTED.Invented(**{name: INVENTED.read(name) for name in INVENTED.Invented.__dataclass_fields__})


@pytest.fixture(scope="session")
def real():
    return load(ROOT / "data")


@pytest.fixture(scope="session")
def found(real):
    return audit(real)
