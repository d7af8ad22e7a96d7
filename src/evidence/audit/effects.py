"""Effects and their intervals: from the data, against themselves, against P."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from scipy import special

from evidence.audit.distribution import error_df
from evidence.audit.finding import Finding
from evidence.audit.material import Count, Material, Test
from evidence.audit.pairwise import Group, after_anova, gives_interval, groups_of
from evidence.audit.printed import is_adjusted, p_between, p_is
from evidence.audit.recompute import MEASURES, Recomputed
from evidence.audit.reported import Reported
from evidence.audit.tests_from_data import may_be_adjusted
from evidence.stats import mean_difference, proportion
from evidence.stats.proportion import ProportionMethod

METHODS: tuple[ProportionMethod, ...] = ("clopper-pearson", "wilson", "agresti-coull", "jeffreys")
FIGURES = {"effect", "low", "high"}
NOT_CRUDE = "an adjusted or stratified analysis, not stated, may explain it"
RATIO_WORDS = ("ratio", "or", "rr", "hr", "relative risk")
OTHER_TEST = 1.5  # how many times larger or smaller P may be by another test of the same model
LARGEST_DF = 1e6  # a t interval on a million degrees of freedom is a normal one


def is_ratio(test: Test) -> bool:
    """Return whether an effect is a ratio, for which 1 means no difference."""
    label = test.effect_label.lower()
    return MEASURES.get(label, "RD") != "RD" or any(word in label.split() for word in RATIO_WORDS)


def shown_effect(test: Test) -> str:
    """Return an effect with its interval as printed."""
    interval = f" ({test.low} to {test.high})" if test.low and test.high else ""
    return f"{test.effect_label} {test.effect}{interval}".strip()


def effect_recomputes(m: Material) -> Iterator[Finding]:
    """Compute every printed effect again, with its interval, and look at its direction."""
    for test in m.tests:
        if test.effect and len(test.arm_ids) == 2:
            yield _recomputed(test, m)


def _recomputed(test: Test, m: Material) -> Finding:
    again, ids = m.again(test), (test.row_id, *m.again(test).row_ids)
    if is_adjusted(test) or math.isnan(again.effect):
        missing = "The figures it was made from are not printed."
        why = "It is adjusted for other variables." if is_adjusted(test) else missing
        return Finding((test.row_id,), shown_effect(test), "", "not_checkable", why)
    shown = f"{again.effect:.3f} ({again.low:.3f} to {again.high:.3f})"
    differs = FIGURES & set(again.differs)
    if not differs:
        return Finding(ids, shown_effect(test), shown, "consistent", "The printed figures give it.")
    if "other way round" in again.reason:
        return _inverted(test, m, ids, shown)
    if is_ratio(test) and may_be_adjusted(test, m):
        why = f"The counts give {shown}; {NOT_CRUDE}."
        return Finding(ids, shown_effect(test), shown, "not_checkable", why)
    return _different(test, m, ids, differs)


def _different(test: Test, m: Material, ids: tuple[str, ...], differs: set[str]) -> Finding:
    again, method = m.again(test), "" if "effect" in differs else _other_interval(test, m)
    if method:
        return Finding(ids, shown_effect(test), method, "consistent", f"{method} gives the interval.")
    shown = f"{again.effect:.3f} ({again.low:.3f} to {again.high:.3f})"
    why = _difference(test, again, differs)
    return Finding(ids, shown_effect(test), shown, "inconsistent", why, "number")


def _other_interval(test: Test, m: Material) -> str:
    """Return which interval of a difference of means other than Student's is the printed one."""
    groups = {group.arm: group for group in groups_of(test, m)} if is_of_means(test, m) else {}
    if not (test.low and test.high and set(test.arm_ids) <= set(groups)):
        return ""
    one, none = (groups[arm] for arm in test.arm_ids)
    if gives_interval(test, _welch(one, none, _level(test))):
        return "Welch's method"
    made = after_anova(test, tuple(groups.values()))
    return next((comparison.method for comparison in made if gives_interval(test, comparison.half)), "")


def _welch(one: Group, none: Group, level: float) -> tuple[float, float]:
    """Return half the width of Welch's interval with the spreads at either end of their rounding."""
    half = []
    for s1, s0 in zip(one.spread.bounds, none.spread.bounds, strict=True):
        first = (one.mean.value, max(s1, 1e-12), one.n)
        second = (none.mean.value, max(s0, 1e-12), none.n)
        made = mean_difference(*first, *second, level=level, method="welch")
        half.append((made.high - made.low) / 2)
    return half[0], half[1]


def _inverted(test: Test, m: Material, ids: tuple[str, ...], shown: str) -> Finding:
    arms = test.arm_ids
    why = (
        f"{m.names(test.study_id, arms)} gives {shown}; what is printed is the inverse, "
        f"{m.names_inside(test.study_id, arms[::-1])}: read as labelled, the arms change places."
    )
    return Finding(ids, shown_effect(test), shown, "inconsistent", why, "number")


def _difference(test: Test, again: Recomputed, differs: set[str]) -> str:
    words = {"effect": "estimate", "low": "lower limit", "high": "upper limit"}
    values = {"effect": again.effect, "low": again.low, "high": again.high}
    texts = {"effect": test.effect, "low": test.low, "high": test.high}
    said = ", ".join(f"{words[one]} {texts[one]} is {values[one]:.3f}" for one in words if one in differs)
    where = " with all patients of the arms" if test.effect_label.lower() not in MEASURES else ""
    return f"Recomputed from the printed figures{where}: {said}."


def rate_interval_recomputes(m: Material) -> Iterator[Finding]:
    """Compute the interval printed with a rate again by each usual method."""
    for row in m.counts:
        if row.low and row.high and row.events is not None and row.n and row.interval_level:
            yield _rate_interval(row, row.events, row.n, _level(row))


def _rate_interval(row: Count, events: int, n: int, level: float) -> Finding:
    made = [proportion(events, n, level=level, method=method) for method in METHODS]
    half = float(special.ndtri((1 + level) / 2)) * math.sqrt(events * (n - events) / n**3)
    tried = [(one.method, one.low, one.high) for one in made] + [
        ("wald", events / n - half, events / n + half)
    ]
    tried = [(name.title(), low, high) for name, low, high in tried]
    ids, reported = (row.row_id,), f"{events}/{n}, {row.low} to {row.high}"
    fits = [name for name, *ends in tried if _gives(row, ends)]
    shown = f"{100 * tried[0][1]:.1f} to {100 * tried[0][2]:.1f} ({tried[0][0]})"
    if fits:
        return Finding(ids, reported, fits[0], "consistent", f"It is the {fits[0]} interval.")
    near = next((name for name, *ends in tried if _gives(row, ends, slack=1)), "")
    if near:
        why = f"It is the {near} interval rounded twice or cut off: {shown}."
        return Finding(ids, reported, shown, "rounding", why, "cosmetic")
    why = f"No usual method gives {row.low} to {row.high} for {events} of {n}, but {shown}."
    return Finding(ids, reported, shown, "inconsistent", why, "number")


def _gives(row: Count, ends: Sequence[float], *, slack: int = 0) -> bool:
    """Return whether an interval is printed so, give or take ``slack`` half units of its last digit."""
    pairs = [
        (Reported(text), 100 * min(max(end, 0.0), 1.0))
        for text, end in zip((row.low, row.high), ends, strict=True)
    ]
    return all(
        figure.allows(end - slack * figure.half_unit, end + slack * figure.half_unit) for figure, end in pairs
    )


def interval_holds_estimate(m: Material) -> Iterator[Finding]:
    """Ask whether the estimate lies in the middle of its interval, on the scale where it should."""
    for test in m.tests:
        if test.effect and test.low and test.high:
            yield _centred(test, of_means=is_of_means(test, m))


def is_of_means(test: Test, m: Material) -> bool:
    """Return whether an effect is a difference of means, whose interval is symmetric and rests on t."""
    continuous = m.outcomes[test.outcome_id].type in ("continuous", "time_to_event")
    return not is_ratio(test) and (continuous or "mean" in test.effect_label.lower())


def _centred(test: Test, *, of_means: bool) -> Finding:
    effect, low, high = (Reported(text) for text in (test.effect, test.low, test.high))
    ids, ratio = (test.row_id,), is_ratio(test)
    if not low.value <= effect.value <= high.value:
        why = f"{test.effect} lies outside its own interval {test.low} to {test.high}."
        return Finding(ids, shown_effect(test), "", "inconsistent", why, "number")
    middle = _middle(low, high, ratio=ratio)
    shown = f"middle {sum(middle) / 2:.3f}"
    if effect.allows(*middle):
        scale = "on the log scale " if ratio else ""
        return Finding(
            ids, shown_effect(test), shown, "consistent", f"The interval is symmetric {scale}about it."
        )
    if not of_means:
        scale = "on the log scale" if ratio else "about the difference"
        why = f"The interval is not symmetric {scale}; a method for which it need not be is not stated."
        return Finding(ids, shown_effect(test), shown, "not_checkable", why)
    why = f"The middle of the interval is {sum(middle) / 2:.3f}, not {test.effect}."
    return Finding(ids, shown_effect(test), shown, "inconsistent", why, "number")


def _middle(low: Reported, high: Reported, *, ratio: bool) -> tuple[float, float]:
    ends = list(zip(low.bounds, high.bounds, strict=True))
    if ratio:
        low_, high_ = (math.sqrt(max(a, 0.0) * max(b, 0.0)) for a, b in ends)
        return low_, high_
    return sum(ends[0]) / 2, sum(ends[1]) / 2


def p_fits_interval(m: Material) -> Iterator[Finding]:
    """Compare P with the P that estimate and interval imply.

    For a difference of means with a symmetric interval P must follow from t with as many degrees of freedom
    as the arms can give; for a ratio only a contradiction of significance counts, because P and interval may
    come from different approximations. For an adjusted ratio both come from one model, and P further
    from the implied one than other tests of a model give is pointed out.
    """
    for test in m.tests:
        if test.effect and test.low and test.high and test.exact_p:
            if is_ratio(test):
                yield _ratio_p(test, m)
            elif is_of_means(test, m) and not is_adjusted(test):
                yield _difference_p(test, m)


def _ratio_p(test: Test, m: Material) -> Finding:
    low, high, p = Reported(test.low), Reported(test.high), Reported(test.p).value
    level, ids = _level(test), (test.row_id,)
    reported = f"{shown_effect(test)}, P = {test.p}"
    if min(low.value, high.value) <= 0:
        return Finding(ids, reported, "", "not_checkable", "A limit of the ratio is 0 or below.")
    half = math.log(high.value / low.value) / 2 / float(special.ndtri((1 + level) / 2))
    implied = (
        float(2 * special.ndtr(-abs(math.log(Reported(test.effect).value)) / half)) if half else math.nan
    )
    shown = p_is(implied)
    excludes = low.bounds[0] > 1 or high.bounds[1] < 1
    includes = low.bounds[1] < 1 < high.bounds[0]
    contradicts = (excludes and p > 2 * (1 - level)) or (includes and p < (1 - level) / 2)
    if contradicts:
        why = f"The interval implies {shown}, on the other side of {1 - level:.2g} from the printed {test.p}."
        return Finding(ids, reported, shown, "inconsistent", why, "conclusion")
    if is_adjusted(test) and not _of_one_model(test):
        return _of_another_model(test, shown, m)
    return Finding(ids, reported, shown, "consistent", "Interval and P lead to the same conclusion.")


def _of_one_model(test: Test) -> bool:
    """Return whether P is as far from the one that the interval implies as tests of one model may be."""
    level = float(special.ndtri((1 + _level(test)) / 2))
    effect, low, high = (Reported(text).bounds for text in (test.effect, test.low, test.high))
    ends = []
    for size, width in (
        (max(abs(math.log(end)) for end in effect), math.log(high[0] / low[1])),
        (min(abs(math.log(end)) for end in effect), math.log(high[1] / low[0])),
    ):
        ends.append(float(2 * special.ndtr(-size / max(width / 2 / level, 1e-12))))
    return Reported(test.p).allows(ends[0] / OTHER_TEST, min(1.0, ends[1] * OTHER_TEST))


def _of_another_model(test: Test, shown: str, m: Material) -> Finding:
    again, reported = m.again(test), f"{shown_effect(test)}, P = {test.p}"
    why = f"The interval of the adjusted effect implies {shown}, not {test.p}"
    crude = next((one for one in again.candidates if Reported(test.p).allows(*one.p_range)), None)
    if crude is None:
        why = f"{why}: they may come from different tests or models."
        return Finding((test.row_id,), reported, shown, "not_checkable", why, "number")
    why = f"{why}: {crude.method} of the counts, not adjusted, gives the printed P"
    rows = (test.row_id, *again.row_ids)
    if test.source_id in m.transcribed:
        why = f"{why}. The document was not read: that the two belong together is the transcript's."
        return Finding(rows, reported, shown, "not_checkable", why, "number")
    return Finding(rows, reported, shown, "inconsistent", f"{why}.", "number")


def _level(test: Test | Count) -> float:
    level = test.interval_level or 0.95
    return level / 100 if level > 1 else level


def _difference_p(test: Test, m: Material) -> Finding:
    ids, reported = (test.row_id,), f"{shown_effect(test)}, P = {test.p}"
    spans = _implied(test, m)
    if not spans:
        return Finding(ids, reported, "", "not_checkable", "The sizes of the arms are not printed.")
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    shown = p_is((low + high) / 2)
    if Reported(test.p).allows(low, high):
        return Finding(ids, reported, shown, "consistent", "Estimate and interval imply the printed P.")
    flips = (high < m.alpha) if Reported(test.p).value >= m.alpha else (low >= m.alpha)
    implied = p_between(low, high)
    why = f"Estimate and interval imply {implied}, not {test.p}: they come from different analyses."
    return Finding(ids, reported, shown, "inconsistent", why, "conclusion" if flips else "number")


def _implied(test: Test, m: Material) -> list[tuple[float, float]]:
    """Return the P values implied on the fewest and the most degrees of freedom the arms can give."""
    sizes = [m.arms[test.study_id, arm].n for arm in test.arm_ids]
    if None in sizes or not error_df(test, m):
        return []
    fewest = max(min(size for size in sizes if size is not None) - 1, 1)
    everybody = sum(
        arm.n or 0 for arm in m.arms.values() if arm.study_id == test.study_id and not arm.combines
    )
    most = max(everybody, sum(size or 0 for size in sizes))
    return [_t_span(test, df) for df in (fewest, most, LARGEST_DF)]


def _t_span(test: Test, df: float) -> tuple[float, float]:
    effect, low, high = (Reported(text) for text in (test.effect, test.low, test.high))
    slack = low.half_unit + high.half_unit
    half = (high.value - low.value) / 2
    critical = float(special.stdtrit(df, (1 + _level(test)) / 2))
    ends = []
    for size, wide in (
        (abs(effect.value) + effect.half_unit, -slack / 2),
        (abs(effect.value) - effect.half_unit, slack / 2),
    ):
        t = max(size, 0.0) / max(half + wide, 1e-12) * critical
        ends.append(float(2 * special.stdtr(df, -t)))
    return min(ends), max(ends)
