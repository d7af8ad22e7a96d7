"""How sure an answer is: GRADE's four levels, with every step down or up and the reason for it.

Risk of bias, inconsistency and imprecision are computed from the answer and the judgements on its studies;
indirectness, publication bias and whatever raises certainty are a reviewer's rows in ``certainty.csv``, save
that patients of whom nothing was read cost a level of indirectness. Risk of bias is never set by hand.

Sources: GRADE guidelines, J Clin Epidemiol 2011, volume 64: 3, levels, pages 401-406
(doi:10.1016/j.jclinepi.2010.07.015); 4, risk of bias, 407-415 (2010.07.017); 5, publication bias, 1277-1282
(2011.01.011); 6, imprecision, 1283-1293 (2011.01.012); 7, inconsistency, 1294-1302 (2011.03.017); 8,
indirectness, 1303-1310 (2011.04.014; all doi:10.1016/j.jclinepi.); 18, ROBINS-I, 2019, 111: 105-114;
34, imprecision by more than a level, 2022, 150: 216-224 (2022.07.014);
Cochrane Handbook, chapter 14.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.special import ndtri

from evidence.data import Dataset
from evidence.format import number
from evidence.parameters import Parameters
from evidence.questions import Answer, Finding, Study, parts_of, question_row
from evidence.questions.studies import doubtful_words
from evidence.results import records
from evidence.stats import proportion
from evidence.synthesis.bias import SILENT, Light, bias_lights
from evidence.synthesis.reading import RANDOMISATION, caveats, report_read, unstated
from evidence.wording import Allocation, Verdict, difference_text, per_1000

HIGH, LOW, VERY_LOW = 4, 2, 1
WORDS: Mapping[int, str] = {4: "high", 3: "moderate", 2: "low", 1: "very low"}
COMPUTED = "computed"
UNJUDGED = "not judged"
DOMAINS = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
RAISING = ("large_effect", "dose_response", "confounding")
NAMES: Mapping[str, str] = {
    "risk_of_bias": "risk of bias",
    "inconsistency": "inconsistency",
    "indirectness": "indirectness",
    "imprecision": "imprecision",
    "publication_bias": "publication bias",
    "large_effect": "a large effect",
    "dose_response": "a dose-response gradient",
    "confounding": "confounding that works against the effect",
}
# ROBINS-I measures against a perfect trial, so evidence starts high and falls by what the tool finds.
ROBINS: Mapping[str, int] = {"low": 0, "moderate": -1, "no information": -2, "serious": -2, "critical": -3}
# Some concerns raise a doubt but do not lower confidence (Cochrane Handbook, table 14.2.a).
TRIAL: Mapping[str, int] = {"low": 0, "some concerns": 0, "no information": -1, "unclear": -1, "high": -1}
ALONE: Mapping[str, int] = {"low": 0, "some concerns": 0, "moderate": 0}  # a single arm starts low already
NOT_RANDOMISED = -2  # what the lack of randomisation costs at least, where no tool has weighed it
FEW_EVENTS = 300  # rule of thumb for a yes-or-no outcome, guideline 6, after Mueller 2007
FAR_BELOW = 0.5  # of the optimal information size: two levels by guideline 34, "far less" than that size
MUCH, MOST = 50.0, 75.0  # I2 in percent: substantial, considerable (Cochrane Handbook, section 10.10.2)
NONE = "includes no difference"
REACH = "could reach {} at most"  # if what was not read had nothing against the answer; no rating
ALPHA, POWER = 0.05, 0.80  # of the trial that the optimal information size is that of


@dataclass(frozen=True, slots=True)
class Step:
    """One domain: levels up or down (0 where it changes nothing), why, and who judged or ``computed``."""

    domain: str
    levels: int
    reason: str
    basis: str

    @property
    def name(self) -> str:
        """Return the domain in words."""
        return NAMES.get(self.domain, self.domain.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Certainty:
    """The certainty of one answer: where it starts (4 is high), each domain's step, where it ends.

    ``caveats`` are what has to be said with the level wherever it is shown: what was not read, and what the
    events mostly were where fewer of them are no proof of less harm. ``silent`` are the levels lost only
    because a study's own report was not read.
    """

    question_id: str
    start: int
    start_reason: str
    steps: tuple[Step, ...]
    caveats: tuple[str, ...] = ()
    silent: int = 0

    @property
    def level(self) -> int:
        """Return the level: 4 high, 3 moderate, 2 low, 1 very low."""
        return min(HIGH, max(VERY_LOW, self._sum))

    @property
    def at_most(self) -> int:
        """Return the level if nothing that was not read had anything against the answer.

        >>> Certainty("q", 4, "", (Step("risk_of_bias", -2, "", "computed"),), silent=1).at_most
        3
        """
        return min(HIGH, max(VERY_LOW, self._sum + self.silent))

    @property
    def reach(self) -> str:
        """Return in words the level that it could reach; nothing where that is the level it has."""
        return REACH.format(WORDS[self.at_most]) if self.at_most > self.level else ""

    @property
    def _sum(self) -> int:
        return self.start + sum(step.levels for step in self.steps)

    @property
    def word(self) -> str:
        """Return the level in a word."""
        return WORDS[self.level]

    @property
    def signs(self) -> str:
        """Return the level as four circles.

        >>> Certainty("q", 4, "", (Step("imprecision", -1, "", "computed"),)).signs
        '●●●○'
        """
        return "●" * self.level + "○" * (HIGH - self.level)

    @property
    def changes(self) -> tuple[Step, ...]:
        """Return the domains that lowered or raised it."""
        return tuple(step for step in self.steps if step.levels)


def certainty(answer: Answer, data: Dataset, parameters: Parameters) -> Certainty | None:
    """Return how sure an answer is, None where there is no answer.

    A comparison starts high and a single arm low. A comparison without randomisation starts high because
    ROBINS-I weighs what randomisation would have done (GRADE guideline 18); where nobody weighed it, it costs
    two levels. A row of ``certainty.csv`` on imprecision, inconsistency or ``start`` takes the place of what
    is computed; risk of bias follows ``risk_of_bias.csv`` alone.

    Args:
        answer: of ``answer``, under the same parameters.
        data: judgements on studies (``risk_of_bias``) and on answers (``certainty``).
        parameters: those of the answer.
    """
    if answer.verdict.direction == "nothing":
        return None
    outcome = str(question_row(answer.question_id, data)["outcome_id"])
    judged = _judged(answer.question_id, data)
    made = {
        step.domain: step
        for step in (
            bias_step(answer.finding, outcome, data),
            inconsistency_step(answer.finding, parameters),
            imprecision_step(answer.finding, important=answer.important / 1000),
        )
    }
    found = made | {name: step for name, step in judged.items() if name != "risk_of_bias"}
    found |= _indirectness(answer.finding, judged.get("indirectness"))
    steps = [found.get(domain) or Step(domain, 0, "Not judged.", UNJUDGED) for domain in DOMAINS]
    steps += [found[domain] for domain in RAISING if domain in found]
    start, why = _start(answer, judged)
    parts = parts_of(answer, data, parameters)
    silent = _silent(answer.finding, outcome, data, found.get("indirectness"), judged.get("indirectness"))
    sure = Certainty(answer.question_id, start, why, tuple(steps), silent=silent)
    told = (*caveats(answer.finding, data), sure.reach, parts.caveat if parts else "")
    return replace(sure, caveats=tuple(filter(None, told)))


def _silent(finding: Finding, outcome_id: str, data: Dataset, given: Step | None, judged: Step | None) -> int:
    """Return the levels that only silence costs: of judgements on studies whose own report was not read.

    What was not read is taken to be without fault, which is the best that it can be: *no information* as low
    risk, an allocation that is not stated as randomised, unknown patients as those of the question.
    """
    unread = [not report_read(data, study.study_id) for study in finding.studies]
    lights = [bias_lights(data, study.study_id, outcome_id) for study in finding.studies]
    pairs = list(zip(lights, finding.studies, strict=True))
    best = [_faultless(*pair) if one else bias_levels(*pair) for one, pair in zip(unread, pairs, strict=True)]
    patients = [sum(study.four[1::2]) for study in finding.studies]
    bias = _of_half(best, patients) - _of_half([bias_levels(*pair) for pair in pairs], patients)
    known = all(study.population or one for one, study in zip(unread, finding.studies, strict=True))
    return bias + ((judged.levels if judged else 0) - given.levels if given and known else 0)


def _faultless(light: Light | None, study: Study) -> int:
    """Return the levels that a judgement costs when silence costs none; none at all costs what it does."""
    heard = replace(light, judgement="low") if light and light.judgement == SILENT else light
    silent = RANDOMISATION in unstated(study)
    return bias_levels(heard, replace(study, allocation="randomised") if silent else study)


def _indirectness(finding: Finding, judged: Step | None) -> dict[str, Step]:
    """Return the step for indirectness where the patients of a study are unknown; else the reviewer's stands.

    Who was treated is a part of every question. Where nothing that was read says it, it cannot be judged, and
    that costs a level, as *no information* does in a trial's risk of bias; no answer is judged the better for
    what was not read.
    """
    unknown = [study.label for study in finding.studies if not study.population]
    if not unknown:
        return {}
    told = f"Which patients were treated is not in what was read ({'; '.join(unknown)}): cannot be judged."
    reason = " ".join(filter(None, (told, judged.reason if judged else "")))
    return {"indirectness": Step("indirectness", min(-1, judged.levels if judged else 0), reason, COMPUTED)}


def _start(answer: Answer, judged: Mapping[str, Step]) -> tuple[int, str]:
    if "start" in judged:
        return judged["start"].levels, judged["start"].reason
    if answer.control is None:
        return LOW, "No comparison: starts low."
    if answer.allocation == "randomised":
        return HIGH, "Randomised: starts high."
    if answer.allocation == "not randomised":
        return HIGH, "Not randomised: starts high, and the lack counts as risk of bias."
    return HIGH, (
        "Starts high, and what is not stated of randomisation counts as risk of bias: "
        "the level rates what was read, not the trial."
    )


def _judged(question_id: str, data: Dataset) -> dict[str, Step]:
    """Return the reviewers' steps by domain; of several reviewers the one who is least sure counts."""
    found: dict[str, Step] = {}
    for row in records(data.select("certainty", question_id=question_id)):
        step = Step(str(row["domain"]), int(row["levels"]), str(row["reason"]), str(row["reviewer"]))
        if step.domain not in found or step.levels < found[step.domain].levels:
            found[step.domain] = step
    return found


def bias_step(finding: Finding, outcome_id: str, data: Dataset) -> Step:
    """Return the step for risk of bias: that of the studies which hold at least half of the patients.

    Per study, by tool and overall judgement: ROBINS-I moderate -1, no information or serious -2, critical -3;
    RoB 2 no information -1, high -1 (-2 where several domains are), some concerns 0; a trial that is not
    known to be randomised at least -2; a single arm, which starts low, -1 for no information or high, and -2
    where it was not counted whole (``Arm.group``). Not judged counts as no information.
    """
    lights = [bias_lights(data, study.study_id, outcome_id) for study in finding.studies]
    levels = [bias_levels(light, study) for light, study in zip(lights, finding.studies, strict=True)]
    patients = [sum(study.four[1::2]) for study in finding.studies]
    told = [_light_words(light, study) for light, study in zip(lights, finding.studies, strict=True)]
    return Step("risk_of_bias", _of_half(levels, patients), f"{'; '.join(told)}.", COMPUTED)


def bias_levels(light: Light | None, study: Study) -> int:
    """Return the levels that one study's judgement costs."""
    judgement = light.judgement if light else "no information"
    if study.comparator is None:
        return ALONE.get(judgement, -1) - bool(study.treatment.group)
    if light and light.tool == "ROBINS-I":
        return ROBINS.get(judgement, NOT_RANDOMISED)
    several = judgement == "high" and light is not None and len(light.because) > 1
    levels = -2 if several else TRIAL.get(judgement, -1)
    return levels if study.allocation == "randomised" else min(levels, NOT_RANDOMISED)


def _light_words(light: Light | None, study: Study) -> str:
    if light is None:
        return f"{study.label}: not judged"
    alone = study.comparator is None and study.treatment.group
    part = f"; {study.treatment.words}, and who is not counted may have done worse" if alone else ""
    because = f", for {_listed(light.because)}" if light.because else ""
    unknown = RANDOMISATION in unstated(study)
    tail = "; whether patients were randomised is not stated in what was read" if unknown else ""
    return f"{study.label}: {light.judgement} ({light.tool}{because}){tail}{part}"


def _listed(names: Sequence[str]) -> str:
    """Return names in a phrase; more than three are counted."""
    if len(names) > 3:
        return f"{len(names)} domains"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _of_half(levels: Sequence[int], patients: Sequence[int]) -> int:
    """Return the level that studies with at least half of the patients reach or fall below."""
    seen = 0
    for level, n in sorted(zip(levels, patients, strict=True)):
        seen += n
        if 2 * seen >= sum(patients):
            return level
    return 0


def inconsistency_step(finding: Finding, parameters: Parameters) -> Step:
    """Return the step for inconsistency: 0 for one study.

    Of several studies, -1 if any of these holds: I2 of 50% or more; two intervals that do not overlap; three
    or more studies whose prediction interval includes no difference while their confidence interval does not.
    -2 if I2 is 75% or more and two intervals do not overlap.
    """
    if len(finding.studies) < 2:
        return Step("inconsistency", 0, "One study: nothing to agree or disagree with.", COMPUTED)
    i2, apart, wide = _i2(finding), _apart(_intervals(finding, parameters)), _new_study_differs(finding)
    levels = -2 if i2 >= MOST and apart else -1 if i2 >= MUCH or apart or wide else 0
    told = [f"I² {number(i2, 0)}%"] if math.isfinite(i2) else []
    told.append("intervals that do not overlap" if apart else "intervals that overlap")
    told += ["a prediction interval that includes no difference"] if wide else []
    return Step("inconsistency", levels, f"{len(finding.studies)} studies: {', '.join(told)}.", COMPUTED)


def _i2(finding: Finding) -> float:
    pooled = finding.pooled.pooled if finding.pooled else None
    return math.nan if pooled is None else float(pooled.i2)


def _intervals(finding: Finding, parameters: Parameters) -> list[tuple[float, float]]:
    """Return the studies' own intervals: of the difference, or of the rate where nothing is compared."""
    if finding.each:
        return [(one.low, one.high) for one in finding.each]
    level, method = parameters.confidence_level, parameters.proportion_method
    rates = [proportion(*study.treatment.counts, level=level, method=method) for study in finding.studies]
    return [(rate.low, rate.high) for rate in rates]


def _apart(intervals: Sequence[tuple[float, float]]) -> bool:
    return max(low for low, _ in intervals) > min(high for _, high in intervals)


def _new_study_differs(finding: Finding) -> bool:
    pooled = finding.pooled
    if pooled is None or math.isnan(pooled.pi_low):
        return False
    return pooled.pi_low <= 1 <= pooled.pi_high and not pooled.low <= 1 <= pooled.high


def imprecision_step(finding: Finding, *, important: float) -> Step:
    """Return the step for imprecision.

    -2 where the interval of the difference includes differences that matter in both directions, -1 where it
    includes both ones that matter and ones that do not (no difference, where nobody said what matters). Where
    it includes only one kind, -1 for too little information: fewer than 300 events in all, or fewer patients
    than the optimal information size; -2 for fewer than half of that size (guideline 34). Of two studies side
    by side, the more precise one counts. A rate
    without comparison: -1 where its interval is wider than twice the difference that matters. A number of
    patients that other figures contradict is told, and where the interval includes no difference, that too.

    Args:
        finding: what the studies say.
        important: the smallest difference that matters, as a proportion; 0 where none is named.
    """
    step = _imprecision(finding, important)
    told = (step.reason, _none_words(finding, step), doubtful_words(finding.studies))
    return replace(step, reason=" ".join(filter(None, told)))


def _none_words(finding: Finding, step: Step) -> str:
    """Return that an interval includes no difference, where one does and the reason does not say so."""
    shown = finding.each if finding.side_by_side else tuple(filter(None, (finding.difference,)))
    includes = [one for one in shown if one.low <= 0 <= one.high]
    if not includes or NONE in step.reason:
        return ""
    if len(includes) < len(shown):
        return f"The interval of {len(includes)} of {len(shown)} studies {NONE}."
    return f"{'The interval' if len(shown) == 1 else 'Each interval'} {NONE}."


def _imprecision(finding: Finding, important: float) -> Step:
    if finding.difference is None:
        return _wide_rate(finding, important)
    shown = finding.each if finding.side_by_side else (finding.difference,)
    one = max(shown, key=lambda each: interval_levels(each.low, each.high, important))
    levels = interval_levels(one.low, one.high, important)
    if levels:
        return Step("imprecision", levels, _interval_words(one.low, one.high, important, levels), COMPUTED)
    return _information(finding, important)


def interval_levels(low: float, high: float, important: float) -> int:
    """Return the levels that the interval of a difference costs.

    >>> interval_levels(0.03, 0.38, 0.1), interval_levels(-0.15, 0.15, 0.1), interval_levels(0.42, 0.61, 0.1)
    (-1, -2, 0)
    """
    return -len({edge for edge in (-important, important) if low < edge < high})


def _interval_words(low: float, high: float, important: float, levels: int) -> str:
    shown = f"The interval, {difference_text(low, high)} per 1,000,"
    if not important:
        return f"{shown} {NONE}."
    size = per_1000(important)
    if levels < -1:
        return f"{shown} includes {size} more and {size} fewer, which would both matter."
    return f"{shown} includes {size}, the smallest difference that would matter: it may be less or more."


def _information(finding: Finding, important: float) -> Step:
    events = sum(sum(study.four[::2]) for study in finding.studies)
    patients = sum(sum(study.four[1::2]) for study in finding.studies)
    control = finding.control.estimate if finding.control else 0.5
    needed = information_size(control, important)
    short = [f"{events} events, fewer than {FEW_EVENTS}"] if events < FEW_EVENTS else []
    short += [f"{patients:,} patients, fewer than the {needed:,} of a trial"] if patients < needed else []
    if patients < FAR_BELOW * needed:
        return Step("imprecision", -2, f"Very little information: {'; '.join(short)}.", COMPUTED)
    if short:
        return Step("imprecision", -1, f"Little information: {'; '.join(short)}.", COMPUTED)
    told = f"{events:,} events in {patients:,} patients"
    return Step("imprecision", 0, f"The interval leaves no doubt about what matters; {told}.", COMPUTED)


def information_size(control_risk: float, important: float) -> int:
    """Return the patients of a two-armed trial that finds the difference that matters; 0 where none is named.

    Per arm (z(1 - alpha/2) + z(power))^2 (p0 q0 + p1 q1) / (p1 - p0)^2, two-sided alpha 0.05, power 0.80: the
    optimal information size (Pogue and Yusuf, Control Clin Trials 1997, 18: 580-593).

    >>> information_size(0.3, 0.1)
    708
    """
    if important <= 0:
        return 0
    other = control_risk + important if control_risk + important <= 1 else control_risk - important
    spread = control_risk * (1 - control_risk) + other * (1 - other)
    quantiles = float(ndtri(1 - ALPHA / 2) + ndtri(POWER))
    return 2 * math.ceil(quantiles**2 * spread / important**2)


def _wide_rate(finding: Finding, important: float) -> Step:
    rate = finding.treatment
    if rate is None or not important:
        return Step("imprecision", 0, "No difference that matters is named.", COMPUTED)
    width, limit = per_1000(rate.high - rate.low), per_1000(2 * important)
    wide = rate.high - rate.low > 2 * important
    told = f"The interval is {width} per 1,000 wide; twice the difference that matters is {limit}."
    return Step("imprecision", -1 if wide else 0, told, COMPUTED)


def statement(
    verdict: Verdict, level: int, difference: str, *, allocation: Allocation, important: float
) -> str:
    """Return a difference with the few words that a verdict allows at a level of certainty.

    High certainty has no qualifier, moderate "probably", low "perhaps"; at very low certainty what was seen
    may not be due to the treatment (after Santesso 2020, J Clin Epidemiol 119: 126-135). What is uncertain
    stays so at every level, and nothing is ever said to have no effect.

    Args:
        verdict: what the interval allows.
        level: 1 to 4.
        difference: the difference with its interval, in words.
        allocation: how patients came to their treatments.
        important: the smallest difference that would matter, per 1,000.

    >>> statement(Verdict("more", "treatment"), 3, "9 more (2 to 20)", allocation="randomised", important=100)
    'probably 9 more (2 to 20)'
    >>> unsure = Verdict("uncertain", "neither")
    >>> statement(unsure, 4, "1 more (−9 to 2)", allocation="randomised", important=5)
    '1 more (−9 to 2), direction not clear'
    """
    if verdict.direction in ("more", "fewer") and level > VERY_LOW:
        return {4: "", 3: "probably ", 2: "perhaps "}[level] + difference
    if verdict.direction in ("more", "fewer"):
        doubt = "but this may not hold" if allocation == "randomised" else "perhaps not due to the drug"
        return f"{difference}, {doubt}"
    sure = {4: "", 3: "probably ", 2: "perhaps "}.get(level)
    if verdict.direction == "small" and sure is not None:
        return f"{difference}, {sure}less than {important:g}"
    return f"{difference}, direction not clear" if difference else "nothing was compared"
