import pytest

from evidence.errors import ParameterError
from evidence.scenarios import read_scenario


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "default.yml").write_text("title: Default\nreason: why\nparameters: {}\n")
    (folder / "strict.yml").write_text("title: Strict\nreason: why\nparameters:\n  alpha: 0.01\n")
    return tmp_path


def test_overrides_win_over_the_scenario_and_the_scenario_over_defaults(root):
    scenario = read_scenario("strict", root, {"confidence_level": "0.9"})
    assert scenario.parameters.changed() == {"alpha": 0.01, "confidence_level": 0.9}
    assert read_scenario("strict", root, {"alpha": "0.1"}).parameters.alpha == 0.1


def test_an_unknown_scenario_is_answered_with_the_nearest(root):
    with pytest.raises(ParameterError, match="did you mean strict"):
        read_scenario("strickt", root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("parameters: [1]\n", "name: value"),
        ("- 1\n", "title, reason and parameters"),
        ("title: x\nparmeters: {}\n", "unknown parmeters"),
        ("parameters: {alpha: 9}\n", "alpha 9"),
        ("a: [\n", "not readable as YAML"),
        ("parameters: !!python/object/apply:os.system ['true']\n", "not readable as YAML"),
    ],
)
def test_a_malformed_scenario_file_is_refused_with_its_mend(root, content, message):
    path = root / "mine.yml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=message):
        read_scenario(str(path), root)


def test_a_scenario_cannot_name_a_folder_outside_the_output(root):
    with pytest.raises(ParameterError, match=r"\.\./x"):
        read_scenario("../x", root)
    (root / "a b.yml").write_text("parameters: {}\n")
    with pytest.raises(ParameterError, match="name the file with letters"):
        read_scenario(str(root / "a b.yml"), root)
