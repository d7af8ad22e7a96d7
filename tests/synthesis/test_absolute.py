import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evidence
from evidence.errors import ParameterError, StatisticsError
from evidence.questions import OWN
from evidence.stats import absolute_effect, pool_comparisons, proportion
from evidence.wording import per_1000

from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
RISKS = st.floats(0.01, 0.99)
RATIOS = st.floats(0.05, 20.0)


@given(
    ratio=RATIOS,
    spread=st.floats(1.01, 30),
    risk=RISKS,
    width=st.floats(0, 0.2),
    measure=st.sampled_from(["RR", "OR"]),
)
def test_no_treated_risk_leaves_0_to_1_and_limits_hold_the_estimate(ratio, spread, risk, width, measure):
    control = (risk, max(0.0, risk - width), min(1.0, risk + width))
    made = absolute_effect((ratio, ratio / spread, ratio * spread), control, measure=measure)
    assert 0 <= made.treated_low <= made.treated <= made.treated_high <= 1
    assert made.low <= made.difference <= made.high
    assert per_1000(made.treated_high) <= 1000


@given(ratio=RATIOS, spread=st.floats(1.01, 30), risk=RISKS, correlation=st.floats(-0.99, 0))
def test_the_difference_excludes_none_where_the_ratio_does_and_the_control_risk_is_fixed(
    ratio, spread, risk, correlation
):
    low, high = ratio / spread, ratio * spread
    made = absolute_effect((ratio, low, high), (risk, risk, risk), correlation=correlation)
    if low > 1.001:
        assert made.low > 0
    if high < 0.999:
        assert made.high < 0


def test_a_fixed_control_risk_gives_the_limits_of_the_ratio():
    made = absolute_effect((2.0, 1.2, 3.0), (0.1, 0.1, 0.1))
    assert (made.low, made.high) == pytest.approx((0.02, 0.2), abs=1e-6)
    odds = absolute_effect((2.0, 1.2, 3.0), (0.1, 0.1, 0.1), measure="OR")
    assert odds.treated == pytest.approx(2 / 11)


def test_treated_risks_add_on_the_log_scale_as_mover_does():
    """Zou and Donner, Statistics in Medicine 2008;27:1693-1702, equation for a sum."""
    ratio, control = (2.0, 1.2, 3.0), (0.1, 0.05, 0.15)
    down = math.hypot(math.log(2 / 1.2), math.log(0.1 / 0.05))
    made = absolute_effect(ratio, control)
    assert made.treated_low == pytest.approx(0.2 * math.exp(-down), rel=1e-5)


@pytest.mark.parametrize(
    ("ratio", "control"),
    [
        ((2.0, 3.0, 4.0), (0.1, 0.1, 0.1)),
        ((2.0, 0.0, 4.0), (0.1, 0.1, 0.1)),
        ((2.0, 1.0, 4.0), (0.1, 0.1, 1.2)),
    ],
)
def test_limits_that_hold_no_estimate_are_refused(ratio, control):
    with pytest.raises(StatisticsError):
        absolute_effect(ratio, control)


def covered(draws, *, external, seed=1):
    """Return how often the interval of the difference holds the true one, over seeded draws."""
    chance = np.random.default_rng(seed)
    p0, p1, n, hits = 0.3, 0.45, 80, 0
    for _ in range(draws):
        e1, e0 = chance.binomial(n, p1), chance.binomial(n, p0)
        ratio = pool_comparisons([(int(e1), n, int(e0), n)])
        if external:
            control, correlation = proportion(int(chance.binomial(200, p0)), 200), 0.0
        else:
            control = proportion(int(e0), n)
            rest = (1 - e0 / n) / e0
            correlation = -math.sqrt(rest / (rest + (1 - e1 / n) / e1))
        made = absolute_effect(
            (ratio.estimate, ratio.low, ratio.high),
            (control.estimate, control.low, control.high),
            correlation=correlation,
        )
        hits += made.low <= p1 - p0 <= made.high
    return hits / draws


@pytest.mark.parametrize("external", [True, False])
def test_intervals_at_a_control_risk_cover_as_they_say(external):
    """Monte Carlo error of 600 draws at 95%: 0.9 percentage points; three of them are allowed."""
    assert 0.923 <= covered(600, external=external) <= 0.985


def question(tables, control_risk):
    tables["questions"][0]["control_risk"] = control_risk


def test_a_control_risk_that_the_question_names_is_used_with_one_study(tmp_path):
    tables = emptied()
    study(tables, "t0", (30, 50, 20, 50))
    question(tables, "0.1")
    found = evidence.answer("cured_6m", dataset(tmp_path, tables), P)
    assert found.control.estimate == 0.1
    assert found.treatment.estimate == pytest.approx(0.15)
    assert found.difference.estimate == pytest.approx(0.05)
    assert "100 per 1,000 with placebo" in found.sentence


def test_without_one_the_comparator_arms_give_it(tmp_path):
    found = evidence.answer("cured_6m", of_counts(tmp_path, [(30, 60, 20, 60)] * 3), P)
    assert found.finding.control_source == OWN
    assert found.control.estimate == pytest.approx(1 / 3, abs=1e-6)
    assert found.treatment.estimate == pytest.approx(0.5, abs=1e-6)
    assert found.difference.low < found.difference.estimate < found.difference.high


def test_a_huge_ratio_does_not_make_more_than_all_patients(tmp_path):
    tables = emptied()
    study(tables, "t0", (45, 50, 3, 50))
    question(tables, "0.5")
    found = evidence.answer("cured_6m", dataset(tmp_path, tables), P)
    assert found.treatment.high <= 1
    assert found.difference.high <= 0.5


def test_an_arm_named_as_control_must_have_a_count(tmp_path):
    from evidence.questions import control_risk, question_row, select, studies_of

    data = of_counts(tmp_path, [(30, 50, 20, 50)])
    asked = question_row("cured_6m", data)
    rows = select(asked, data, P)
    named = asked | {"control_risk": "trial_0/placebo"}
    risk = control_risk(studies_of(rows, asked, data), named, rows, data, P, None)
    assert risk.risk.estimate == 0.4
    assert risk.risk.low < 0.4 < risk.risk.high
    with pytest.raises(ParameterError, match="trial_9"):
        control_risk(
            studies_of(rows, asked, data), asked | {"control_risk": "trial_9/placebo"}, rows, data, P, None
        )
