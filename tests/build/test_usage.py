from evidence.build.usage import notebooks_by_parameter


def test_notebooks_are_listed_by_the_parameters_that_they_declare(project):
    found = notebooks_by_parameter(project)
    assert found["confidence_level"] == ["index.ipynb", "notebooks/study.ipynb"]
    assert found["study_id"] == ["notebooks/study.ipynb"]
    for number, broken in enumerate(("{", "[]", "[" * 100_000)):
        (project / "notebooks" / f"broken_{number}.ipynb").write_text(broken)
    assert notebooks_by_parameter(project) == found
