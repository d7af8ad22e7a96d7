"""Every construct of the sources reaches both formats of the built-in renderer."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pypdf
import pytest

from evidence.errors import RenderError
from evidence.render import Rendered, render


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rendered]:
    from invented_book import write_book

    folder = tmp_path_factory.mktemp("made")
    book = write_book(folder / "book")
    return folder / "out", render(book, folder / "out", renderer="builtin")


@pytest.fixture(scope="module", name="pages")
def _pages(made: tuple[Path, Rendered]) -> dict[str, str]:
    out = made[0]
    return {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in out.rglob("*.html")}


@pytest.fixture(scope="module", name="paper")
def _paper(made: tuple[Path, Rendered]) -> str:
    reader = pypdf.PdfReader(made[0] / "report.pdf")
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\xa0", " ").split())


def words(page: str) -> str:
    body = page.partition("<article")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\xa0", " ").split())


def test_renderer_names_itself_and_leaves_nothing_but_the_report(made: tuple[Path, Rendered]) -> None:
    out, rendered = made
    assert rendered.renderer == "builtin"
    assert rendered.version.startswith("Pandoc 3")
    assert rendered.notes == ()
    assert sorted(rendered.files) == sorted(path for path in out.rglob("*") if path.is_file())
    assert {path.name for path in out.iterdir()} == {
        "assets",
        "data",
        "figures",
        "index.html",
        "notebooks",
        "report.pdf",
        "tables",
    }


def test_each_chapter_has_the_page_that_quarto_would_give_it(pages: dict[str, str]) -> None:
    names = ("apples", "appendix", "notes", "pears")
    assert set(pages) == {"index.html", *(f"notebooks/{name}.html" for name in names)}


@pytest.mark.parametrize("text", [
    "Chapter 3", "Chapter 2", "Appendix A", "Equation 1.1", "Figure 1.1", "Table 1.1", "Table 2.1", "Figure 2.1",
    "How current", "Grower and Picker 2021, p. 3", "Picker (2022)", "The Orchard Trials & Others",
])  # fmt: skip
def test_references_and_citations_of_the_index_are_in_both_formats(
    pages: dict[str, str], paper: str, text: str
) -> None:
    index = words(pages["index.html"]).replace("Picker ( 2022 )", "Picker (2022)")
    assert text in index
    assert text in paper


@pytest.mark.parametrize(("page", "text"), [
    ("apples", "Red Queen bore most."), ("apples", "Share of trees with fruit, by variety and season."),
    ("apples", "† Derived. Interval: Wilson."), ("apples", "12 (38.7%)"), ("apples", "7 (21.9%) †"),
    ("apples", "≥ July"), ("apples", "A & B <cross>"), ("apples", "Yield rose to 38.7%."),
    ("apples", "note on bars."), ("apples", "hello <b>"), ("apples", "```4```"),
    ("apples", "with 12 of 31 trees."), ("apples", "by spring."), ("apples", "In spring 2026 the trees"),
    ("apples", "{{< var not.replaced >}} in code"), ("apples", "A footnote with"),
    ("pears", "A plain note."), ("pears", "A folded"), ("pears", "Hidden at first."),
    ("pears", "A warning by heading"), ("pears", "Mind the ladder."), ("pears", "Caution"),
    ("pears", "The plan of the orchard."), ("pears", "Eleven columns that a phone cannot hold."),
    ("pears", "50.10 (10.10 to 20.10)".replace("50.10", "5.1").replace("10.10 to 20.10", "10.1 to 20.1")),
    ("pears", "Tree number 89"), ("pears", "One pixel."), ("pears", "A quotation."), ("pears", "Its definition."),
    ("notes", "Plain Markdown chapter"), ("appendix", "level"),
])  # fmt: skip
def test_content_is_in_both_formats(pages: dict[str, str], paper: str, page: str, text: str) -> None:
    assert text in words(pages[f"notebooks/{page}.html"])
    assert text in paper


@pytest.mark.parametrize("text", [
    "Figure 1.1", "Figure 2.1", "Figure 2.2", "Table 1.1", "Table 2.1", "Table 2.2", "Table A.1"
])  # fmt: skip
def test_every_figure_and_table_is_numbered_alike(pages: dict[str, str], paper: str, text: str) -> None:
    labels = " ".join(re.findall(r'class="float-label">([^<]+)<', " ".join(pages.values())))
    assert text in html.unescape(labels).replace("\xa0", " ")
    assert text in paper


def test_links_of_references_lead_across_pages(pages: dict[str, str]) -> None:
    index = pages["index.html"]
    assert 'href="notebooks/apples.html#fig-yield"' in index
    assert 'href="notebooks/pears.html#soil"' in index
    assert 'href="apples.html#tbl-yield"' not in pages["notebooks/apples.html"]
    assert 'href="#tbl-yield" class="xref">1.1</a>' in pages["notebooks/apples.html"]
    assert ">Fig.&nbsp;1.1</a>" in pages["notebooks/apples.html"].replace("\xa0", "&nbsp;")
    assert 'href="../data/harvest.csv"' in pages["notebooks/pears.html"]


def test_every_internal_link_resolves(made: tuple[Path, Rendered], pages: dict[str, str]) -> None:
    out = made[0]
    for name, page in pages.items():
        for target in re.findall(r'(?:href|src)="([^"]+)"', page):
            path, _, anchor = html.unescape(target).partition("#")
            if not re.match(r"\w+:", path):
                file = (out / name).parent / path if path else out / name
                assert file.is_file(), f"{name}: {target}"
                assert not anchor or f'id="{anchor}"' in file.read_text(encoding="utf-8"), f"{name}: {target}"


def test_nothing_is_asked_of_the_network(made: tuple[Path, Rendered], pages: dict[str, str]) -> None:
    for name, page in pages.items():
        assert not re.search(r'(?:src|<link[^>]*href)="https?:', page), name
    for style in made[0].rglob("*.css"):
        assert "http" not in style.read_text(encoding="utf-8")
    for name in ("book.js", "search-index.js"):
        assert "fetch(" not in (made[0] / "assets" / name).read_text(encoding="utf-8")


def test_alt_text_stands_on_every_image(pages: dict[str, str]) -> None:
    images = re.findall(r"<img[^>]*>", " ".join(pages.values()))
    assert len(images) == 3
    alts = {html.unescape(found) for image in images for found in re.findall(r'alt="([^"]*)"', image)}
    assert alts == {'Bars of yield: "Red Queen" 38.7% & Old Golden 21.9%', "Plan with six beds", "A dot"}


def test_paper_is_tagged_for_accessibility_with_alt_text(made: tuple[Path, Rendered]) -> None:
    reader = pypdf.PdfReader(made[0] / "report.pdf")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.xmp_metadata is not None
    assert b"pdfuaid" in (made[0] / "report.pdf").read_bytes()
    assert [str(item["/Title"]) for item in reader.outline if isinstance(item, dict)][
        1
    ] == "1 Apples, the first line"


def test_table_headers_say_what_they_head(pages: dict[str, str]) -> None:
    page = pages["notebooks/apples.html"]
    assert page.count('scope="col"') == 4
    assert page.count('scope="row"') == 3
    assert page.count('scope="rowgroup"') == 2
    assert 'title="orchard-c001 · Table 2"' in page


def test_a_group_heading_spans_its_table_and_heads_a_body_of_its_own(pages: dict[str, str]) -> None:
    page = " ".join(pages["notebooks/apples.html"].split())
    assert page.count("<tbody>") == 2
    assert len(re.findall(r'<th colspan="4"[^>]*scope="rowgroup"[^>]*>\s*(?:Early|Late)\s*</th>', page)) == 2
    assert "never [P25, P75]" in words(page)


def test_code_is_folded_in_html_and_absent_on_paper(pages: dict[str, str], paper: str) -> None:
    page = pages["notebooks/apples.html"]
    assert page.count('<details class="code"><summary>Code</summary>') == 4
    assert "confidence_level" in page
    for hidden in ("secret_setup", "show(prose)", "#|"):
        assert hidden not in page
    for code in ("confidence_level", "plot(tree)", "secret_setup"):
        assert code not in paper


def test_raw_blocks_reach_their_own_format_alone(pages: dict[str, str], paper: str) -> None:
    page = pages["notebooks/pears.html"]
    assert '<div class="only-html">Interactive part</div>' in page
    assert "Seen in HTML alone." in page
    assert "Only on paper" not in page
    assert "Only on paper" in paper
    assert "Interactive part" not in paper
    assert "Seen in HTML alone." not in paper


def test_math_is_mathml(pages: dict[str, str]) -> None:
    page = pages["notebooks/apples.html"]
    assert page.count("<math") == 3
    assert 'id="eq-rate"' in page
    assert "(1.1)" in words(page)


def test_literature_is_listed_where_it_is_cited(pages: dict[str, str], paper: str) -> None:
    assert "Ripening in the dark" in pages["index.html"]
    assert "Ripening in the dark" not in pages["notebooks/notes.html"]
    assert "Yield of old trees" in pages["notebooks/notes.html"]
    assert 'id="refs"' not in pages["notebooks/pears.html"]
    assert paper.count("Yield of old trees") == 1
    assert "Never cited" not in paper


def test_navigation_names_parts_and_neighbours(pages: dict[str, str]) -> None:
    page = pages["notebooks/pears.html"]
    assert [part.strip() for part in re.findall(r"<summary>(.*?)</summary>", page)][:3] == [
        "Apples", "Pears", "Appendices"
    ]  # fmt: skip
    assert 'rel="prev" href="apples.html"' in page
    assert 'rel="next" href="notes.html"' in page
    assert 'aria-current="page"' in page
    assert '<html lang="en-GB"' in page
    assert 'href="../report.pdf"' in page


def test_bytes_are_the_same_in_two_folders(tmp_path: Path, made: tuple[Path, Rendered]) -> None:
    from invented_book import write_book

    again = render(write_book(tmp_path / "elsewhere" / "b"), tmp_path / "second", renderer="builtin")
    assert again.files
    for path in again.files:
        assert path.read_bytes() == (made[0] / path.relative_to(tmp_path / "second")).read_bytes(), path.name


@pytest.mark.parametrize("wanted", ["html", "pdf"])
def test_one_format_alone(tmp_path: Path, book: Path, wanted: str) -> None:
    rendered = render(book, tmp_path / "out", formats=(wanted,), renderer="builtin")  # type: ignore[arg-type]
    pdfs = [path.name for path in rendered.files if path.suffix == ".pdf"]
    assert pdfs == (["report.pdf"] if wanted == "pdf" else [])
    assert (tmp_path / "out" / "index.html").exists() == (wanted == "html")
    if wanted == "html":
        assert "report.pdf" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_faulty_book_leaves_the_former_report_as_it_was(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "out"
    before = {path: path.read_bytes() for path in render(book, out, renderer="builtin").files}
    notes = book / "notebooks" / "notes.md"
    notes.write_text(notes.read_text() + "\nSee @fig-nowhere.\n")
    with pytest.raises(RenderError, match="@fig-nowhere"):
        render(book, out, renderer="builtin")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book", "out"]


def test_other_files_of_the_output_folder_stay(tmp_path: Path, book: Path) -> None:
    (tmp_path / "out" / "tables").mkdir(parents=True)
    (tmp_path / "out" / "tables" / "a.csv").write_text("kept")
    render(book, tmp_path / "out", formats=("html",), renderer="builtin")
    assert (tmp_path / "out" / "tables" / "a.csv").read_text() == "kept"
    shutil.rmtree(tmp_path / "out")


def test_every_link_has_words(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        for text in re.findall(r"<a (?![^>]*aria-hidden)[^>]*>(.*?)</a>", page, re.DOTALL):
            assert re.sub(r"<[^>]+>", "", text).strip(), name
        assert 'href=""' not in page


def test_every_header_cell_has_words(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        for text in re.findall(r"<th[ >].*?</th>", page, re.DOTALL):
            assert re.sub(r"<[^>]+>", "", text).strip(), name


def test_data_and_drawing_stand_beside_what_they_made(
    made: tuple[Path, Rendered], pages: dict[str, str]
) -> None:
    page = pages["notebooks/apples.html"]
    assert 'href="../tables/tbl-yield.csv" download aria-label="CSV: the data of Table 1.1"' in page
    assert 'href="../figures/fig-yield.csv" download aria-label="CSV: the data of Figure 1.1"' in page
    assert 'href="apples_files/fig-yield.svg" download' in page
    assert (made[0] / "tables" / "tbl-yield.csv").read_text() == "variety,trees\nred_queen,31\n"


def test_what_the_project_includes_after_the_body_ends_every_page(pages: dict[str, str]) -> None:
    script = (Path(__file__).parents[2] / "assets" / "reader.html").read_text(encoding="utf-8")
    for name, page in pages.items():
        assert script.strip() in page, name
        assert "<!-- The $end$ -->\n</body>" in page, name


def test_a_missing_inclusion_is_named(tmp_path: Path, book: Path) -> None:
    settings = book / "_quarto.yml"
    settings.write_text(settings.read_text().replace("assets/reader.html", "assets/none.html"))
    with pytest.raises(RenderError, match=r"include-after-body.*none\.html"):
        render(book, tmp_path / "out", renderer="builtin")


def test_every_page_and_the_paper_say_how_to_cite(pages: dict[str, str], paper: str) -> None:
    cited = (
        "A. Grower (1 May 2026). The Orchard Trials & Others: An invented book in which every construct "
        "occurs. Version 0.1, data 1a2b3c."
    )
    assert f"Cite this report: {cited}" in paper
    for name, page in pages.items():
        assert f"Cite this report {cited}" in words(page), name


def test_a_part_of_many_chapters_lists_no_sections_in_the_contents(tmp_path: Path, book: Path) -> None:
    many = [f"notebooks/n{number}.md" for number in range(9)]
    for number, name in enumerate(many):
        (book / name).write_text(f"# Tree {number}\n\n## Bark {number}\n\nRough.\n", encoding="utf-8")
    settings = book / "_quarto.yml"
    settings.write_text(
        settings.read_text().replace(
            "  appendices:", f"    - part: Many\n      chapters: [{', '.join(many)}]\n  appendices:"
        )
    )
    render(book, tmp_path / "out", formats=("pdf",), renderer="builtin")
    reader = pypdf.PdfReader(tmp_path / "out" / "report.pdf")
    contents = reader.pages[1].extract_text()
    assert "Tree 3" in contents
    assert "Ripening" in contents
    assert "Bark 3" not in contents
    assert "Bark 3" in str(reader.outline)
