"""Means, medians and their tests, as printed and as far as they can be recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.audit.implied_n import Implied
from evidence.display.labels import (
    arm_labels,
    ci,
    interval_words,
    joined,
    lower_first,
    moment,
    outcome_labels,
    pretty,
    sourced,
    study_label,
    unit,
)
from evidence.display.markdown import escape, told_small
from evidence.display.measured import measured, measurements, statistic_words
from evidence.display.model import Cell, Column, Prose, Table, legend_of, together
from evidence.display.tables.implied import LSD, as_lsd, implied_words, marked, with_implied
from evidence.display.tables.pairwise import printed_effect
from evidence.display.tables.parts import (
    NEEDS_PATIENTS,
    NO_COUNTS,
    TEST_NOTE,
    Body,
    build,
    find_test,
    tested,
    with_tests,
)
from evidence.display.traced import traced
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Tables, days, rates, records, separate_arms, study_arms
from evidence.stats import mean_difference

NO_TIME = "Not stated"
ALONE = "A printed P that stands alone cannot be recomputed: it needs patient data or what is not printed."
RESULT = ["outcome_id", "time", "time_unit", "time_label", "from_time", "statistic"]
SPREAD_NOTE = "The figure after ± is shown as printed and named as the paper names it."
STUDENT_NOTE = (
    "Differences: Student's t from the printed means and spreads, the spreads read as the paper names "
    "them, all patients of an arm taken as analysed."
)


def measurement_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str] | None = None
) -> Table:
    """Return means or medians by arm and time as printed, with the tests over all arms and within arms."""
    arms = study_arms(data, study_id)
    names = [str(arm) for arm in arms["arm_id"]]
    data, implied = with_implied(data, study_id)
    frame = _chosen(data, study_id, outcome_ids)
    frame = frame[frame["arm_id"].isin(names)]
    body: Body = []
    groups: list[tuple[int, str]] = []
    for _, group in frame.groupby(["outcome_id", "statistic"], sort=False):
        groups.append((len(body), _group_title(records(group)[0])))
        body += _time_rows(data, group, names, implied)
    what = joined([lower_first(pretty(label)) for label in dict.fromkeys(frame["outcome_label"])])
    if len(groups) == len(body) and all(row[0].text == NO_TIME for row in body):
        body, groups = [(Cell(title), *body[place][1:]) for place, title in groups], []
    return build(
        data,
        _measured_columns([str(label) for label in arms["label"]], body, timed=bool(groups)),
        body if len(names) > 1 else [row[:-1] for row in body],
        caption=f"{study_label(data, study_id)}: {what or 'measurements'} by arm, as printed. "
        f"{_ends(data, frame)}".strip(),
        note=_measured_note(body, implied_words(data, frame, implied)),
        frame=_tidy(data, frame),
        groups=groups,
    )


def _measured_columns(labels: Sequence[str], body: Body, *, timed: bool) -> list[Column]:
    """Return the columns: time or result, the arms, and the tests where there are several arms."""
    first = Column("Time", width=1.2) if timed else Column("Result", width=2.4)
    again = any(_tests_of(body, again=True))
    test = Column("P, printed; recomputed", width=1.3) if again else Column("P, printed", "right", 0.8)
    return [first, *(Column(label, "right", 1.3) for label in labels), *([test] if len(labels) > 1 else [])]


def _tests_of(body: Body, *, again: bool) -> list[str]:
    """Return what the last cells say that have a recomputed P, or those that have none."""
    return [row[-1].text for row in body if row[-1].text and ("; " in row[-1].text) == again]


def _measured_note(body: Body, implied: str) -> str:
    spread = SPREAD_NOTE if any("±" in cell.text for row in body for cell in row) else ""
    again, alone = (any(_tests_of(body, again=one)) for one in (True, False))
    return " ".join(filter(None, (spread, TEST_NOTE * again, ALONE * alone, implied)))


def _tidy(data: Tables, frame: pd.DataFrame) -> pd.DataFrame:
    """Return measurements with the tests between the arms of their result, and within their own arm."""
    arms = frame.groupby(RESULT, sort=False, dropna=False)["arm_id"].transform(
        lambda ids: "|".join(ids.unique())
    )
    joint = with_tests(data, frame.assign(between=arms), lambda row: str(row["between"]).split("|"))
    return with_tests(data, joint, lambda row: [str(row["arm_id"])], prefix="within_")


def _chosen(data: Tables, study_id: str, outcome_ids: Sequence[str] | None) -> pd.DataFrame:
    frame = measurements(data, study_id)
    if outcome_ids is None:
        return frame
    return frame[frame["outcome_id"].isin(list(outcome_ids))]


def _group_title(row: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (pretty(row["outcome_label"]), unit(row["unit"]), statistic_words(row))))


def _time_rows(data: Tables, frame: pd.DataFrame, arms: Sequence[str], implied: Implied) -> Body:
    body: Body = []
    for _, group in frame.groupby(RESULT, sort=False, dropna=False):
        rows = {row["arm_id"]: row for row in records(group)}
        first = next(iter(rows.values()))
        cells = [_cell(rows.get(arm)) for arm in arms]
        found = tested(data, find_test(data, first, list(rows)))
        again = marked(found.recomputed, implied) if found else Cell("")
        test = _both(found.printed, again) if found else Cell("")
        body.append((Cell(moment(first) or NO_TIME), *cells, test))
        body += _within_row(data, first, arms)
    return body


def _both(printed: Cell, again: Cell) -> Cell:
    """Return a printed P and, where one could be made, the recomputed one in one cell."""
    made = "" if again.text in (NEEDS_PATIENTS, NO_COUNTS) else again.text
    text = "; ".join(filter(None, (printed.text, made)))
    return Cell(text, tuple(dict.fromkeys(printed.rows + again.rows)), together(printed.mark, again.mark))


def _ends(data: Tables, frame: pd.DataFrame) -> str:
    """Return the lowest and the highest printed value of the last time; nothing for several outcomes."""
    if frame["outcome_id"].nunique() != 1 or frame["statistic"].nunique() != 1:
        return ""
    rows = records(frame)
    last = max(days(row["time"], row["time_unit"]) for row in rows)
    shown = [row for row in rows if days(row["time"], row["time_unit"]) == last and row["value"]]
    labels = arm_labels(data, str(rows[0]["study_id"]))
    if len(shown) < 2:
        return ""
    low, high = (find(shown, key=lambda row: float(row["value"])) for find in (min, max))
    ends = [f"{fmt.printed(row['value'])} with {lower_first(labels[row['arm_id']])}" for row in (high, low)]
    when = lower_first(moment(shown[0]))
    return f"{f'At {when}, from' if when else 'From'} {ends[1]} to {ends[0]}."


def _cell(row: Mapping[str, Any] | None) -> Cell:
    return (
        sourced(measured(row), row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", "")))
        if row
        else Cell("")
    )


def _within_row(data: Tables, row: Mapping[str, Any], arms: Sequence[str]) -> Body:
    """Return the printed P values of the tests within arms, if there are any."""
    found = [find_test(data, row, [arm]) for arm in arms]
    if not any(found):
        return []
    cells = [
        sourced(fmt.printed(test["p"]), test["row_id"], origin=str(test.get("origin", "")))
        if test
        else Cell("")
        for test in found
    ]
    return [(Cell("P within arm, printed"), *cells, Cell(""))]


def mean_difference_frame(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> pd.DataFrame:
    """Return the difference of means of every pair of arms that both have a mean and a spread."""
    frame = _chosen(data, study_id, outcome_ids)
    order = [str(arm) for arm in separate_arms(data, study_id)["arm_id"]]
    usable = frame[(frame["statistic"] == "mean") & frame["spread"].ne("") & frame["arm_id"].isin(order)]
    rows = [
        _difference(data, one, none, parameters)
        for _, group in usable.groupby(RESULT, sort=False, dropna=False)
        for one, none in _turned(data, combinations(records(group), 2))
    ]
    return pd.DataFrame(rows, columns=MEAN_COLUMNS)


# fmt: off
MEAN_COLUMNS = [
    "row_id", "study_id", "outcome_id", "outcome_label", "subgroup", "level", "time", "time_unit",
    "time_label", "arm1", "arm1_label", "arm0", "arm0_label", "estimate", "low", "high", "p", "method",
    "unit",
]
# fmt: on


def _turned(data: Tables, pairs: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each pair the way its difference is printed."""
    made = []
    for one, none in pairs:
        reverse = find_test(data, one, [none["arm_id"], one["arm_id"]], ordered=True)
        made.append((none, one) if reverse and reverse["effect"] else (one, none))
    return made


def _difference(
    data: Tables, one: Mapping[str, Any], none: Mapping[str, Any], parameters: Parameters
) -> dict[str, Any]:
    labels = arm_labels(data, str(one["study_id"]))
    setting = {name: one[name] for name in MEAN_COLUMNS if name in one and name != "row_id"}
    arms = {f"arm{place}": row["arm_id"] for place, row in (("1", one), ("0", none))}
    arms |= {f"{name}_label": labels[arm] for name, arm in arms.items()}
    made = {"row_id": f"{one['row_id']}|{none['row_id']}", **arms}
    try:
        found = mean_difference(*_summary(one), *_summary(none), level=parameters.confidence_level)
    except (StatisticsError, ValueError) as error:
        return setting | made | {"method": str(error)}
    return (
        setting | made | {name: getattr(found, name) for name in ("estimate", "low", "high", "p", "method")}
    )


def _summary(row: Mapping[str, Any]) -> tuple[float, float, int]:
    from evidence.stats import sd_from_se

    spread, n = float(row["spread"]), int(row["n"])
    return float(row["value"]), sd_from_se(spread, n) if row["spread_label"] == "se" else spread, n


def mean_difference_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> Table:
    """Return differences of means between all pairs of arms: printed beside recomputed.

    Where the printed figures fit other patients than the headers' and only those, these are taken.
    """
    data, implied = with_implied(data, study_id)
    frame = mean_difference_frame(data, parameters, study_id=study_id, outcome_ids=outcome_ids)
    body: Body = []
    groups: list[tuple[int, str]] = []
    for _, group in frame.groupby(["outcome_id", "time", "time_label"], sort=False, dropna=False):
        rows = records(group)
        groups.append((len(body), _difference_title(rows[0])))
        body += [_difference_row(data, row, implied) for row in rows]
    names = joined([lower_first(outcome_labels(data).get(one, one)) for one in outcome_ids])
    inferred = any(set(str(ids).split("|")) & set(implied.sizes) for ids in frame["row_id"])
    return build(
        data,
        [
            Column("Comparison", width=1.6),
            Column("Difference, printed", "right", 1.9),
            Column(f"Difference, recomputed ({ci(parameters)})", "right", 1.8),
            Column("P, printed", "right", 0.8),
            Column("P, recomputed", "right", 1.3),
        ],
        body,
        caption=f"{study_label(data, study_id)}: differences of means, {names}, printed and recomputed, with "
        f"{interval_words(parameters)}s{', the patients inferred from the printed figures' * inferred}.",
        note=" ".join(_difference_notes(data, _chosen(data, study_id, outcome_ids), implied)),
        frame=_with_lsd(with_tests(data, frame, lambda row: (row["arm1"], row["arm0"])), implied),
        groups=groups,
    )


def _difference_notes(data: Tables, frame: pd.DataFrame, implied: Implied) -> list[str]:
    words = implied_words(data, frame, implied)
    if not words:
        return [STUDENT_NOTE, TEST_NOTE]
    lsd = "LSD: least significant difference, with the spread of all groups." if implied.p else ""
    return [STUDENT_NOTE.partition(", all patients")[0] + ".", words, TEST_NOTE, *([lsd] if lsd else [])]


def _with_lsd(frame: pd.DataFrame, implied: Implied) -> pd.DataFrame:
    """Return the tidy values with the P of least significant differences where that is the printed one's."""
    if not implied.p or "test_row_id" not in frame:
        return frame
    lsd = frame["test_row_id"].isin(list(implied.p))
    made = frame.copy()
    made.loc[lsd, "recomputed_p"] = frame.loc[lsd, "test_row_id"].map(dict(implied.p))
    made.loc[lsd, ["recomputed_method", "recomputed_agrees", "recomputed_reason"]] = [LSD, "yes", ""]
    return made


def _difference_title(row: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (pretty(row["outcome_label"]), unit(row["unit"]), moment(row))))


def _difference_row(data: Tables, row: Mapping[str, Any], implied: Implied) -> tuple[Cell, ...]:
    found = as_lsd(tested(data, find_test(data, row, (row["arm1"], row["arm0"]))), implied)
    effect = find_test(data, row, (row["arm1"], row["arm0"]), ordered=True)
    origin = str(effect.get("origin", "")) if effect else ""
    printed = sourced(printed_effect(effect), effect["row_id"], origin=origin) if effect else Cell("")
    wrong = set(found.again.differs) & {"effect", "low", "high"} if found else set()
    mark = "differs" if wrong else ""
    made = sourced(fmt.mean_difference(row["estimate"], row["low"], row["high"]), row["row_id"], mark=mark)
    made = replace(made, mark=together(made.mark, "assumed" if set(made.rows) & set(implied.sizes) else ""))
    tests = (
        (found.printed, marked(found.recomputed, implied))
        if found
        else (Cell(""), Cell(fmt.p_value(row["p"])))
    )
    return Cell(f"{row['arm1_label']} − {lower_first(str(row['arm0_label']))}"), printed, made, *tests


def median_times_prose(
    data: Tables, parameters: Parameters, *, study_id: str, counted_as: Mapping[str, str]
) -> Prose:
    """Return whether median times to an event can be those of all patients, by the shares with the event.

    Half of a group have the event by its median time. Where fewer than half are counted at a later time, the
    median is not that of the whole group, unless the event was lost again.

    Args:
        data: the tidy tables.
        parameters: how the shares are counted.
        study_id: the study.
        counted_as: the outcome that counts patients with the event, by the outcome that is the time to it.
    """
    frame = _chosen(data, study_id, list(counted_as))
    shares = rates(data, parameters, study_id=study_id, outcome_ids=list(counted_as.values()), subgroup="")
    told = []
    for row in records(frame[frame["statistic"] == "median"]):
        counted = shares["events"].notna() & shares["arm_id"].eq(row["arm_id"])
        same = counted & shares["outcome_id"].eq(counted_as[str(row["outcome_id"])])
        told.append(_median_words(data, row, records(shares[same])))
    return Prose("\n".join(f"- {one}" for one in told) or "No median time is printed.")


def _median_words(data: Tables, row: Mapping[str, Any], shares: Sequence[Mapping[str, Any]]) -> str:
    """Return in Markdown whose median a time can be, with the meaning of the signs at its numbers."""
    arm = lower_first(arm_labels(data, str(row["study_id"])).get(str(row["arm_id"]), str(row["arm_id"])))
    median = days(float(row["value"]), str(row["unit"]))
    known = {"basis": str(row["basis"]), "origin": str(row.get("origin", ""))}
    shown = sourced(f"{row['value']} {unit(row['unit'])}", row["row_id"], **known)
    what = f"{escape(pretty(row['outcome_label']))}, {escape(arm)}: median {_told_of(shown, data)}."
    dated = [one for one in shares if not fmt.missing(one["time"])]
    later = [one for one in dated if days(one["time"], one["time_unit"]) >= median]
    if not later:
        return f"{what} No share is printed for that time or a later one, so whose median it is stays open."
    few = next((one for one in later if one["estimate"] < 0.5), None)
    if few is None:
        return f"{what} At least half are counted later, so it can be that of all patients."
    known = {"basis": str(few["basis"]), "origin": str(few.get("origin", ""))}
    count = sourced(fmt.x_of_n(few["events"], few["n"]), few["row_id"], **known)
    signs = told_small(legend_of([shown.mark, count.mark]))
    reached = escape(lower_first(pretty(few["outcome_label"])))
    return (
        f"{what} At {escape(lower_first(moment(few)))}, later than that, {_told_of(count, data)} "
        f"({escape(fmt.percent(few['estimate']))}) were counted with {reached}: fewer than half.{signs}"
    )


def _told_of(cell: Cell, data: Tables) -> str:
    """Return a value in prose with its signs and its data rows."""
    return traced(cell.shown, cell.rows, data)
