import json

from evidence.build.links import link, link_notebooks

WISH = '<span class="see" title="sec-study-tests-a"></span>'


def notebook(*sources):
    cells = [{"cell_type": "markdown", "source": source} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4})


def test_a_wish_becomes_a_reference_where_the_section_is():
    text = notebook(f"Table 1{WISH}")
    assert "Table 1 (@sec-study-tests-a)" in link(text, {"sec-study-tests-a"})
    assert json.loads(link(text, set()))["cells"][0]["source"] == "Table 1"


def test_links_are_made_among_the_notebooks_of_a_book(tmp_path):
    one, other = tmp_path / "one.ipynb", tmp_path / "other.ipynb"
    one.write_text(notebook(f"Table 1{WISH}"), encoding="utf-8")
    other.write_text(notebook("## Tests {#sec-study-tests-a}"), encoding="utf-8")
    before = other.read_text(encoding="utf-8")
    link_notebooks([one, other])
    assert "(@sec-study-tests-a)" in one.read_text(encoding="utf-8")
    assert other.read_text(encoding="utf-8") == before
