from evidence.build.gaps import without_gaps


def markdown(source):
    return {"cell_type": "markdown", "source": source}


def shown(label, csv, kind="table"):
    outputs = [{"metadata": {"evidence": {"kind": kind, "csv": csv}}}]
    return {"cell_type": "code", "source": f"#| label: {label}\nshow(x)", "outputs": outputs}


HEAD = markdown("# A study {#sec-study-a}\n\nText.")
RESULTS, TESTS = (
    markdown("## Results {#sec-results-a}\n\nText."),
    markdown("## Tests it prints {#sec-tests-a}"),
)


def test_a_section_of_empty_tables_becomes_a_line_at_the_end():
    full, empty = shown("tbl-results", "a,b\n1,2\n"), shown("tbl-tests", "")
    kept = without_gaps([HEAD, TESTS, empty, RESULTS, full])
    assert kept[:-1] == [HEAD, RESULTS, full]
    assert kept[-1]["source"] == "*No section on:* tests it prints."


def test_an_empty_table_beside_a_full_one_goes_alone():
    full, empty = shown("tbl-a", "a\n1\n"), shown("tbl-b", "")
    assert without_gaps([HEAD, RESULTS, full, empty]) == [HEAD, RESULTS, full]


def test_figures_prose_and_cells_without_outputs_stay():
    cells = [
        HEAD,
        RESULTS,
        shown("fig-a", "", kind="figure"),
        shown("x", "", kind="prose"),
        {**shown("y", ""), "outputs": []},
    ]
    assert without_gaps(cells) == cells
