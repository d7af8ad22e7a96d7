"""The verdict on a disease follows the intervals and the certainty of its answers."""

from types import SimpleNamespace

import pytest

from evidence.display.verdicts import bottom_line, studies_words, verdict_words
from evidence.wording import Verdict

MORE, WORSE, UNSURE = (
    Verdict("more", "treatment"),
    Verdict("more", "comparator"),
    Verdict("uncertain", "neither"),
)


def made(verdict, level, title="Adults: cure at 6 months", allocation="randomised", label="Trial A"):
    finding = SimpleNamespace(studies=(SimpleNamespace(label=label),))
    one = SimpleNamespace(
        verdict=verdict, difference=object(), title=title, allocation=allocation, finding=finding
    )
    return one, SimpleNamespace(level=level)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(MORE, 4)], "Helps"),
        ([(MORE, 4), (MORE, 3)], "Probably helps"),
        ([(MORE, 2)], "May help"),
        ([(MORE, 1)], "Not yet settled"),
        ([(UNSURE, 4)], "Not yet settled"),
        ([(MORE, 3), (UNSURE, 3)], "Probably helps in part"),
        ([(WORSE, 3)], "Probably does worse"),
        ([(MORE, 4), (WORSE, 3)], "Better in one respect, worse in another"),
        ([], "Nothing was compared"),
    ],
)
def test_a_verdict_is_no_surer_than_the_least_certain_answer_that_it_tells(answers, expected):
    assert verdict_words([made(*one) for one in answers]) == expected


def test_what_is_not_clear_is_never_among_what_was_more_or_less_frequent():
    other = made(UNSURE, 3, "Adults: death at 6 months")
    line = bottom_line([made(MORE, 3), other])
    assert line.startswith("Probably helps in part: more patients with cure; not settled for death. Below: ")


def test_studies_are_named_by_how_their_patients_came_to_treatments():
    some = [made(MORE, 3), made(MORE, 3, allocation="not randomised", label="Cohort B"),
            made(MORE, 3, allocation="not randomised", label="Cohort C")]  # fmt: skip
    told = studies_words([one for one, _ in some])
    assert told == "a randomised trial (Trial A) and 2 studies that were not randomised (Cohort B; Cohort C)"
