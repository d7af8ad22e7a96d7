from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
Cell = dict[str, Any]


def svg(width: int = 504, height: int = 220, colour: str = "#0b5563") -> str:
    bars = "".join(
        f'<rect x="{40 + 70 * n}" y="{height - 30 - h}" width="44" height="{h}" fill="{colour}"/>'
        for n, h in enumerate((60, 110, 90, 150, 130, 40))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}"><rect width="{width}" height="{height}" fill="#fff"/>{bars}'
        f'<path d="M30 {height - 30} H{width - 20}" stroke="#16191d"/></svg>'
    )


def markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def raw(text: str) -> Cell:
    return {"cell_type": "raw", "metadata": {}, "source": text}


def code(text: str, *outputs: dict[str, Any], **metadata: str) -> Cell:
    names = {name.replace("_", "-"): value for name, value in metadata.items()}
    return {
        "cell_type": "code", "execution_count": 1, "metadata": names, "source": text, "outputs": list(outputs)
    }  # fmt: skip


def shown(csv: str = "", **data: str) -> dict[str, Any]:
    kinds = {"markdown": "text/markdown", "plain": "text/plain", "svg": "image/svg+xml", "png": "image/png"}
    bundle = {kinds[name]: value for name, value in data.items()}
    metadata = {"evidence": {"csv": csv}} if csv else {}
    return {"output_type": "display_data", "metadata": metadata, "data": bundle}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def write_notebook(path: Path, *cells: Cell) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


SETTINGS = """\
project: {type: book, resources: [data/harvest.csv]}
lang: en-GB
book:
  title: "The Orchard Trials & Others"
  subtitle: "An invented book in which every construct occurs"
  author: "A. Grower"
  date: "1 May 2026"
  output-file: report
  chapters:
    - index.ipynb
    - part: "Apples"
      chapters: [notebooks/apples.ipynb]
    - part: "Pears"
      chapters: [notebooks/pears.ipynb, notebooks/notes.md]
  appendices: [notebooks/appendix.ipynb]
report: {version: "Version 0.1, data 1a2b3c"}
bibliography: references.bib
csl: author-date.csl
format:
  html: {css: assets/report.css, include-after-body: [assets/reader.html, {text: '<!-- The $end$ -->'}]}
  typst: {mainfont: "IBM Plex Sans", font-paths: [assets/fonts]}
"""

BIBLIOGRAPHY = """\
@article{grower2021, author = {Grower, Ann and Picker, Bo}, title = {Yield of old trees},
  journal = {Journal of Invented Orchards}, year = {2021}, volume = {4}, pages = {1--9}, doi = {10.0000/none}}
@article{picker2022, author = {Picker, Bo}, title = {Ripening in the dark},
  journal = {Journal of Invented Orchards}, year = {2022}}
@article{unused2020, author = {Nobody, N.}, title = {Never cited}, journal = {Nowhere}, year = {2020}}
"""

YIELD = """\
| Variety | Trees | Yield (%) | Ripe |
|:--------|------:|----------:|:-----|
| Early | | | |
| Red Queen | [31]{.v title="orchard-c001 · Table 2"} | [12 (38.7%)]{.v title="orchard-c002 · Table 2"} | June |
| Old *Golden* | [32]{.v title="orchard-c003 · Table 2"} | [7 (21.9%) †]{.v title="orchard-c004 · Text"} | ≥ July |
| Late | | | |
| A & B \\<cross\\> | 8 | 1 (12.5%) | never \\[P25, P75\\] |

: Red Queen bore most. Share of trees with fruit, by variety and season. [† Derived. Interval: Wilson.]{.note}
"""

_LONG = "a rather long description of what was seen in this part of the orchard"
WIDE = (
    "| " + " | ".join(f"Measure {n} of the season" for n in range(11)) + " |\n"
    + "|" + ":----|" * 2 + "----:|" * 9 + "\n"
    + "".join(
        f"| Plot {row} | {_LONG} | " + " | ".join(f"{row * n}.{n} (10.{n} to 20.{n})" for n in range(9)) + " |\n"
        for row in range(6)
    )
    + "\n: Wide table. Eleven columns that a phone cannot hold.\n"
)  # fmt: skip

LONG = (
    "| Tree | Height | Fruit |\n|:--|--:|--:|\n"
    + "".join(f"| Tree number {n} | {n / 10:.1f} | {n * 3} |\n" for n in range(90))
    + "\n: Every tree. A table longer than a page. {#tbl-trees}\n"
)


def write_book(root: Path) -> Path:
    shutil.copytree(ROOT / "assets", root / "assets")
    (root / "_quarto.yml").write_text(SETTINGS, encoding="utf-8")
    (root / "_variables.yml").write_text("season: {name: spring, year: 2026}\n", encoding="utf-8")
    shutil.copyfile(HERE / "author-date.csl", root / "author-date.csl")
    (root / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    (root / "data").mkdir()
    (root / "data" / "harvest.csv").write_text("tree,fruit\n1,3\n", encoding="utf-8")
    (root / "notebooks").mkdir()
    (root / "notebooks" / "plan.svg").write_text(svg(300, 160, "#8a4b00"), encoding="utf-8")
    (root / "notebooks" / "_shared.md").write_text(
        "This sentence is *included* by {{< var season.name >}}.\n"
    )
    _index(root)
    _apples(root)
    _pears(root)
    _rest(root)
    return root


def _index(root: Path) -> None:
    write_notebook(
        root / "index.ipynb",
        markdown("# What the orchards say {.unnumbered}\n\nThe answer is in @fig-yield and [@tbl-yield; @tbl-wide]."),
        markdown(
            "Old trees bear fruit [@grower2021, p. 3], as @picker2022 doubted. See @sec-methods, @sec-pears, @sec-current, "
            "@sec-appendix and @eq-rate; also [the pears](notebooks/pears.ipynb) and "
            "[their soil](notebooks/pears.ipynb#soil).\n\n"
            "::: {.callout-important title=\"Three things\"}\n1. One.\n2. Two, with @fig-plan.\n:::\n"
        ),
        markdown("## How current {#sec-current}\n\nBook: {{< meta book.title >}}."),
    )  # fmt: skip


def _apples(root: Path) -> None:
    write_notebook(
        root / "notebooks" / "apples.ipynb",
        raw('---\ntitle: "Apples, the *first* line"\n---\n'),
        code("confidence_level = 0.95"),
        markdown(
            "In {{< var season.name >}} {{< var season.year >}} the trees[^why] were counted.\n\n"
            "[^why]: A footnote with **bold** and $x < y$.\n\n{{< include _shared.md >}}\n\n"
            "```\n{{< var not.replaced >}} in code\n```"
        ),
        code(
            '#| label: tbl-yield\nshow(table("a & b"))',
            shown(csv="variety,trees\nred_queen,31\n", markdown=YIELD, plain="Table"),
        ),
        markdown("## Ripening\n\nAs [-@tbl-yield] and [Fig. @fig-yield] show. ### Not a heading"),
        code(
            "#| label: fig-yield\nfor tree in orchard:  # a comment\n    plot(tree)",
            shown(csv="year,trees\n2026,12\n", svg=svg(), plain="<Figure>"),
            fig_cap='Yield rose to 38.7%. Bars by year. ["Quoted" note on bars.]{.note}',
            fig_alt='Bars of yield: "Red Queen" 38.7% & Old Golden 21.9%',
        ),
        code("print('hello <b>')\n2 + 2", stream("hello <b>\n"), shown(plain="```4```")),
        code(
            "#| echo: false\nshow(prose)", shown(markdown="Computed *prose* with 12 of 31 trees.", plain="x")
        ),
        code("#| include: false\nsecret_setup()"),
        markdown(
            "### Deeper\n\n$$\n\\hat p = \\frac{e}{n}\n$$ {#eq-rate}\n\nand inline $\\tau^2 \\ge 0$ too."
        ),
    )


def _pears(root: Path) -> None:
    callouts = "\n\n".join(
        f'::: {{.callout-{kind}{extra}}}\n{body}\n:::'
        for kind, extra, body in (
            ("note", "", "A plain note."),
            ("tip", ' collapse="true" title="A folded *tip*"', "Hidden at first."),
            ("warning", "", "## A warning by heading\n\nMind the ladder."),
            ("caution", "", "- one\n- two"),
        )
    )  # fmt: skip
    write_notebook(
        root / "notebooks" / "pears.ipynb",
        markdown("# Pears {#sec-pears}\n\nSoil matters; see [above](#soil), @tbl-trees, and [data](../data/harvest.csv)."),
        markdown(f"## Soil {{#soil}}\n\n{callouts}"),
        markdown('![The plan of the orchard. Paths are not shown.](plan.svg){#fig-plan fig-alt="Plan with six beds" width=60%}'),
        code("#| label: tbl-wide\nshow(wide)", shown(markdown=WIDE)),
        markdown(LONG),
        code(
            "#| label: fig-pixel\n#| fig-cap: One pixel.\n#| fig-alt: A dot\nshow(png)",
            shown(png=base64.b64encode(PIXEL).decode()),
        ),
        markdown(
            "```{=html}\n<div class=\"only-html\">Interactive part</div>\n```\n\n"
            "```{=typst}\n#emph[Only on paper]\n```\n\n"
            "::: {.content-visible when-format=\"html\"}\nSeen in HTML alone.\n:::\n\n"
            "> A quotation.\n\nTerm\n: Its definition.\n\n- list\n    - nested\n\n1. first\n2. second\n\n"
            "A [span]{.mark-x title=\"a title\"} and `code` and ~~struck~~ and x^2^ and H~2~O."
        ),
    )  # fmt: skip


def _rest(root: Path) -> None:
    text = "# Methods {#sec-methods}\n\n## Counting\n\nPlain Markdown chapter, citing @grower2021 again.\n"
    (root / "notebooks" / "notes.md").write_text(text, encoding="utf-8")
    write_notebook(
        root / "notebooks" / "appendix.ipynb",
        markdown("# Parameters {#sec-appendix}\n\nSee @tbl-parameters."),
        markdown("| | Value |\n|:--|--:|\n| level | 0.95 |\n\n: Parameters. {#tbl-parameters}"),
    )
