import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evidence
from evidence.synthesis.explorer import ALL_STUDIES, RANDOMISED, explore, summary_of
from evidence.synthesis.forest import SHARED, forest

from ..conftest import ROOT, TABLES
from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
# Trials of the BCG vaccine (Colditz and others, JAMA 1994;271:698-702): events and patients.
BCG = [(4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220), (62, 13598, 248, 12867), (33, 5069, 47, 5808)]
BCG += [(180, 1541, 372, 1451), (8, 2545, 10, 629), (29, 7499, 45, 7277), (17, 1716, 65, 1665)]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Five studies, two of them not randomised."""
    tables = emptied()
    for place, four in enumerate(BCG[:5]):
        study(tables, f"trial_{place}", four, randomised="no" if place in (1, 4) else "yes")
    return dataset(tmp_path_factory.mktemp("mixed"), tables)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Three studies, one of them not randomised."""
    tables = emptied()
    for place, four in enumerate(BCG[:3]):
        study(tables, f"trial_{place}", four, randomised="no" if place == 1 else "yes")
    return dataset(tmp_path_factory.mktemp("few"), tables)


@cache
def real():
    data = evidence.load(ROOT / "data")
    return data, explore(data, P)


def parameters_of(level, policy, model, base=P):
    pooling, interval = model
    return replace(
        base,
        confidence_level=level,
        missing_data=policy,
        pooling_method=pooling,
        interval_method=interval,
    )


def only(data, studies):
    return replace(data, counts=data.counts[data.counts["study_id"].isin(studies)], _found={})


@pytest.mark.slow
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_view_of_a_question_is_what_the_engine_answers(draw):
    data, exploration = real()
    options = exploration.options
    topic = draw.draw(st.sampled_from([one for one in exploration.topics if len(one.subject.questions) == 1]))
    level, policy = draw.draw(st.sampled_from(options.levels)), draw.draw(st.sampled_from(options.policies))
    model = draw.draw(st.sampled_from(options.models))
    view = exploration.view(topic, level, policy, model, range(len(topic.names)))
    asked = evidence.answer(topic.subject.topic_id, data, parameters_of(level, policy, model))
    assert view.sentence == asked.sentence
    assert view.verdict == asked.verdict
    assert view.groups[0].findings == (asked.finding,)
    assert tuple(found for group in view.groups[1:] for found in group.findings) == asked.apart


@pytest.mark.slow
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_set_of_studies_is_what_the_engine_answers_from_them_alone(mixed, draw):
    exploration = explore(mixed, P)
    options, (topic,) = exploration.options, exploration.topics
    level, model = draw.draw(st.sampled_from(options.levels)), draw.draw(st.sampled_from(options.models))
    some = draw.draw(st.sampled_from(topic.sets))
    view = exploration.view(topic, level, "observed", model, some)
    data = only(mixed, [topic.studies[place].study_id for place in some])
    chosen = parameters_of(level, "observed", model)
    asked = evidence.answer("cured_6m", data, chosen)
    told = asked.sentence
    for note in view.notes:  # what was taken together stands apart from the sentence on the page
        told = told.replace(f" {note}", "")
    assert (view.sentence, view.verdict) == (told, asked.verdict)
    drawn = forest(["cured_6m"], data, chosen).groups
    assert len(drawn) == len(view.groups)
    for group, other in zip(view.groups, drawn, strict=True):
        one = summary_of(group)
        assert (one is None) == (other.summary is None)
        if one:
            assert one.method == other.summary.method
            for name in ("estimate", "low", "high", "wald_low", "pi_low", "pi_high", "tau2", "i2"):
                assert getattr(one, name) == pytest.approx(getattr(other.summary, name), nan_ok=True)


@pytest.mark.slow
def test_randomised_and_other_studies_never_stand_in_one_group(mixed):
    topic = explore(mixed, P).topics[0]
    for view in topic.views:
        for group in view.groups:
            assert {topic.studies[place].allocation for place in group.places} == {group.allocation}


def test_up_to_eight_studies_have_every_set(few):
    topic = explore(few, P).topics[0]
    assert len(set(topic.sets)) == 2**3 - 1
    assert topic.set_names == ()


@pytest.mark.slow
def test_more_than_eight_studies_have_all_all_but_one_and_named_sets(tmp_path):
    topic = explore(of_counts(tmp_path, BCG), P).topics[0]
    assert topic.set_names[0] == ALL_STUDIES
    assert topic.sets[0] == tuple(range(9))
    assert [len(some) for some in topic.sets[1:10]] == [8] * 9
    assert RANDOMISED in topic.set_names
    assert "Printed counts only" in topic.set_names


def test_own_results_stay_the_same_whatever_else_counts(few):
    exploration = explore(few, P)
    (topic,) = exploration.topics
    for place, own in enumerate(topic.own[(0.95, "observed")]):
        made = evidence.stats.compare(*own.study.four, measure="RR", level=0.95)
        assert (own.estimate, own.low, own.high) == pytest.approx((made.estimate, made.low, made.high))
        assert own.study is topic.studies[place]


def test_no_method_matters_to_one_study(tmp_path):
    topic = explore(of_counts(tmp_path, BCG[:1]), P).topics[0]
    assert len(topic.views) == 3, "one per level"
    assert set(topic.places) == {0, 1, 2}


def test_a_policy_that_adds_patients_has_views_of_its_own():
    _, exploration = real()
    changed = [
        topic
        for topic in exploration.topics
        if len({own[0] and own[0].study.four for own in topic.own.values()}) > 1
    ]
    assert changed
    topic, model = changed[0], exploration.options.models[0]
    told = {
        exploration.view(topic, 0.95, policy, model, (0,)).told for policy in exploration.options.policies
    }
    assert len(told) == 3


def joined(tmp_path, other_study):
    """Two questions that differ in the dose of one node alone."""
    tables = emptied()
    study(tables, "first", BCG[0])
    study(
        tables,
        other_study,
        BCG[1],
        node="other",
        **({"parent_study_id": "first"} if other_study == "part" else {}),
    )
    next(arm for arm in tables["arms"] if arm.get("node") == "other")["label"] = "Other"
    second = {**TABLES["questions"][0], "question_id": "other_6m", "treatment": "other", "order": "2"}
    tables["questions"] = [TABLES["questions"][0], second]
    return dataset(tmp_path, tables)


def test_questions_that_differ_in_treatment_are_also_asked_together(tmp_path):
    topics = explore(joined(tmp_path, "second"), P).topics
    assert [one.subject.topic_id for one in topics] == ["cured_6m", "other_6m", "cured_6m+other_6m"]
    view = topics[-1].views[-1]
    assert "side by side" in view.told
    assert "treatments (drug, other)" in view.notes[0]


def test_studies_of_the_same_patients_are_not_asked_together(tmp_path):
    topics = explore(joined(tmp_path, "part"), P).topics
    assert [one.subject.topic_id for one in topics] == ["cured_6m", "other_6m"]


def test_rows_that_share_patients_are_never_taken_together(tmp_path):
    tables = emptied()
    study(tables, "first", BCG[0])
    study(tables, "part", BCG[1], node="other", parent_study_id="first")
    study(tables, "third", BCG[2])
    second = {**TABLES["questions"][0], "question_id": "other_6m", "treatment": "other", "order": "2"}
    tables["questions"] = [TABLES["questions"][0], second]
    exploration = explore(dataset(tmp_path, tables), P)
    topic = exploration.topics[-1]
    ids = [one.study_id for one in topic.studies]
    shared = exploration.view(
        topic, 0.95, "observed", ("REML", "Wald"), sorted(map(ids.index, ["first", "part"]))
    )
    assert shared.notes == (SHARED,)
    assert summary_of(shared.groups[0]) is None
    apart = exploration.view(
        topic, 0.95, "observed", ("REML", "Wald"), sorted(map(ids.index, ["part", "third"]))
    )
    assert summary_of(apart.groups[0]).secondary


def test_the_report_s_own_choices_are_always_offered(tmp_path):
    own = evidence.Parameters(confidence_level=0.8, pooling_method="SJ", interval_method="HKSJ")
    options = explore(of_counts(tmp_path, BCG[:2]), own).options
    assert options.levels == (0.8, 0.9, 0.95, 0.99)
    assert ("SJ", "HKSJ") in options.models


def test_no_question_no_topic(tmp_path):
    assert explore(dataset(tmp_path, emptied()), P).topics == ()


def test_a_study_without_events_has_no_ratio_and_breaks_nothing(tmp_path):
    exploration = explore(of_counts(tmp_path, [(0, 20, 0, 21), *BCG[:2]]), P)
    own = exploration.topics[0].own[(0.95, "observed")][0]
    assert math.isnan(own.estimate)
