"""Sources and quotations: references listed once and soundly, quoted figures as their study prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from evidence.audit.across import agreement, same_count, shown_count
from evidence.audit.finding import Finding
from evidence.audit.material import Count, Material, grouped, rows_of

YEAR_IN_DOI = re.compile(r"(?<!\d)(?:19[5-9]|20[0-4])\d(?!\d)")
MOST_YEARS_APART = 1  # a paper appears online in one year and in print in the next
POOLED = re.compile(r"\bmeta-?\s?analy|\bpooled\b|\bpooling\b|\bsystematic(?:ally)? review", re.IGNORECASE)
POOLING = ("meta_analysis", "network_meta_analysis")


def documents_are_listed_once(m: Material) -> Iterator[Finding]:
    """Find two documents with one DOI, or with one title."""
    sources = m.data.sources
    ids = sources["source_id"].tolist()
    for name, column in (("DOI", sources["doi"]), ("title", sources["title"].map(_plain_title))):
        pairs = zip(ids, column.tolist(), strict=True)
        for key, same in grouped((pair for pair in pairs if pair[1]), lambda pair: pair[1]).items():
            rows = tuple(one[0] for one in same)
            if len(same) > 1:
                why = f"{' and '.join(rows)} have one {name}: one document is listed twice, or mislabelled."
                yield Finding(rows, key, "", "inconsistent", why, "cosmetic", key)
            elif name == "DOI":
                yield Finding(rows, key, "", "consistent", "No other document has this DOI.", about=key)


def _plain_title(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", str(title).lower()).strip()


def references_are_plausible(m: Material) -> Iterator[Finding]:
    """Compare the year that a DOI names with the year of the document."""
    sources = m.data.sources
    columns = (sources[name].map(str).tolist() for name in ("source_id", "doi", "year"))
    for source, doi, year in zip(*columns, strict=True):
        named = [int(found) for found in YEAR_IN_DOI.findall(doi.partition("/")[2])]
        if named and year.isdigit():
            yield _plausible(source, doi, named, int(year))


def _plausible(source: str, doi: str, named: list[int], year: int) -> Finding:
    reported, shown = f"{doi}, {year}", ", ".join(map(str, named))
    if min(abs(one - year) for one in named) > MOST_YEARS_APART:
        why = f"The DOI names {shown}, the reference {year}: one of them may be another document's."
        return Finding((source,), reported, shown, "not_checkable", why, "cosmetic")
    return Finding((source,), reported, shown, "consistent", "The DOI fits the year.")


def quoted_figures_match_their_study(m: Material) -> Iterator[Finding]:
    """Compare what a document quotes from a study with what the study itself prints of the same result."""
    rows = {row.row_id: row for row in rows_of(Count, m.data.counts)}
    quoted = set(m.data.counts.loc[m.data.counts["cites"] != "", "row_id"])
    for row_id in sorted(quoted & set(rows)):
        row = rows[row_id]
        first = rows.get(row.same_as)
        if first is not None and first.row_id not in quoted:
            yield agreement(row, first) if same_count(row, first) else _misquoted(row, first)


def _misquoted(row: Count, first: Count) -> Finding:
    why = f"{row.locator} quotes {shown_count(row)}; the study itself prints {shown_count(first)}."
    ids = (row.row_id, first.row_id)
    return Finding(ids, shown_count(row), shown_count(first), "inconsistent", why, "number")


def one_reference_one_study(m: Material) -> Iterator[Finding]:
    """Find reference numbers under which a document quotes figures of several studies.

    A paper may compare itself with another, so such a number is a question and not a fault.
    """
    frames = [m.data.counts, m.data.measurements, m.data.tests]
    names = ["source_id", "cites", "study_id", "row_id"]
    quoted = pd.concat([frame.loc[frame["cites"] != "", names] for frame in frames])
    rows = list(zip(*(quoted[name].tolist() for name in names), strict=True))
    for (_, cites), same in grouped(rows, lambda row: (row[0], row[1])).items():
        yield _reference(cites, tuple(row[3] for row in same), sorted({row[2] for row in same}), m)


def _reference(cites: str, rows: tuple[str, ...], studies: list[str], m: Material) -> Finding:
    reported = f"reference {cites.replace('|', ', ')}"
    if len(studies) == 1:
        return Finding(rows, reported, studies[0], "consistent", "It stands for one study.", about=cites)
    names = ", ".join(m.study(study) for study in studies)
    why = (
        f"Figures of {len(studies)} studies ({names}) are quoted under {reported}: at least one of them is "
        "quoted at second hand, or the number is wrong."
    )
    return Finding(rows, reported, names, "not_checkable", why, "number", cites)


def pooling_is_shown(m: Material) -> Iterator[Finding]:
    """Ask of every document that calls itself a meta-analysis or speaks of pooling what it pooled."""
    claims = [claim for claim in m.claims if not claim.cites and POOLED.search(claim.paraphrase)]
    by_source = grouped(claims, lambda claim: claim.source_id)
    for source, same in by_source.items():
        yield _pooling(tuple(claim.row_id for claim in same), source, m)


def _pooling(rows: tuple[str, ...], source: str, m: Material) -> Finding:
    studies = m.data.studies
    pooled = set(studies.loc[studies["design"].isin(POOLING), "study_id"])
    effects = [
        test for test in m.data.tests.itertuples() if test.source_id == source and test.study_id in pooled
    ]
    if effects:
        shown, are = (
            ("1 pooled result", "is") if len(effects) == 1 else (f"{len(effects)} pooled results", "are")
        )
        why = f"{shown} {are} printed with it."
        return Finding(rows, "called a meta-analysis, or pooled", shown, "consistent", why)
    why = (
        "It is called a meta-analysis or pooled, but no pooled estimate, weight or measure of heterogeneity "
        "is printed: rates of different studies stand side by side."
    )
    return Finding(
        rows, "called a meta-analysis, or pooled", "no pooled result", "inconsistent", why, "conclusion"
    )
