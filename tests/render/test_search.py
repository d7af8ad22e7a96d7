"""What the pages' search can find."""

import json

from evidence.render.search import library, passages, read_synonyms, search_index

PAGE = """
<head><title>2 Apples</title><script>const hidden = 1;</script></head>
<nav><a href="#">Contents</a></nav>
<main><h1 id="sec-apples"><span class="section-number">2</span> Apples</h1>
<article><p>Before <em>all</em> else.</p><details class="code"><summary>Code</summary><pre>secret()</pre></details>
<h2 id="ripening">Ripening</h2><p>By July.</p>
<figure class="float" id="tbl-yield"><figcaption><span class="float-label">Table 2.1</span> <span class="float-title">Yield.</span></figcaption>
<table><tr><th>Red Queen</th><td>68.7%</td><td></td></tr></table><p class="downloads"><a href="x.csv">CSV</a></p></figure>
<p>After the table.<br>Still.</p></article></main>
<footer>Cite this</footer>
"""


def test_headings_and_tables_are_found_with_their_words():
    assert passages(PAGE) == [
        ("sec-apples", "2 Apples", "Before all else."),
        ("ripening", "Ripening", "By July. After the table. Still."),
        ("tbl-yield", "Table 2.1 Yield.", "Red Queen · 68.7%"),
    ]


def test_code_menus_and_controls_are_not_searched():
    said = json.dumps(passages(PAGE))
    assert not [word for word in ("secret", "Contents", "CSV", "Cite", "hidden") if word in said]


def test_signs_are_found_as_they_read_and_a_remark_is_not_found():
    page = '<h1 id="a">R&amp;D</h1><p>5 &lt; 7<!-- <p>hidden</p> --><table><tr><td title="x">A</td></tr></table></p>'
    assert passages(page) == [("a", "R&D", "5 < 7A")]


def test_index_is_a_script_that_names_page_and_chapter():
    script = search_index({"notebooks/apples.html": PAGE})
    name, _, value = script.splitlines()[0].rstrip(";").partition(" = ")
    assert name == "evidencePassages"
    [[address, chapter, found]] = json.loads(value)
    assert (address, chapter) == ("notebooks/apples.html", "2 Apples")
    assert [anchor for anchor, _, _ in found] == ["sec-apples", "ripening", "tbl-yield"]


def test_a_page_without_headings_has_nothing_to_find():
    assert passages("<p>Nothing.</p>") == []


def test_library_is_there_and_carries_its_licence():
    text = library().read_text(encoding="utf-8")
    assert "elasticlunr" in text
    assert "MIT" in text[:300]


def test_synonyms_are_read_by_line_and_stand_in_the_index(tmp_path):
    path = tmp_path / "synonyms.txt"
    path.write_text(
        "# remark\nKidney, renal  # more\n\nalone\nside effect,adverse event,\n", encoding="utf-8"
    )
    groups = read_synonyms(path)
    assert groups == [["kidney", "renal"], ["side effect", "adverse event"]]
    assert read_synonyms(tmp_path / "none.txt") == []
    assert f"evidenceSynonyms = {json.dumps(groups, separators=(',', ':'))};" in search_index({}, groups)
