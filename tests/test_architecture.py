import ast
import csv
import re
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "evidence"
ROOT = SRC.parents[1]
# Lower layers know nothing of the higher ones; a module may import its own layer and those before it.
LAYERS = [
    "errors",
    "project",
    "parameters",
    "format",
    "scenarios",
    "reads",
    "memo",
    "data",
    "stats",
    "audit",
    "results",
    "wording",
    "questions",
    "synthesis",
    "display",
]
LAYERS += ["render", "build", "cli", "__main__"]
PURE = ["stats", "audit", "results", "format", "wording", "questions", "synthesis"]
NO_FILES_OR_PLOTS = {"pathlib", "os", "shutil", "matplotlib", "seaborn", "subprocess", "open"}


def layer(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


MODULES = sorted(path for path in SRC.rglob("*.py") if path != SRC / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_imports_flow_one_way(path: Path):
    own = LAYERS.index(layer(path))
    for name in imports(path):
        if name.startswith("evidence."):
            assert LAYERS.index(name.split(".")[1]) <= own, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_pure_layers_touch_no_file_and_no_plot(path: Path):
    if layer(path) in PURE:
        assert not {name.split(".")[0] for name in imports(path)} & NO_FILES_OR_PLOTS


def forbidden_words() -> set[str]:
    """Words of this report's subject: names of studies, drugs and diseases out of the data itself."""
    words: set[str] = set()
    with (ROOT / "data" / "arms.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words |= set(re.split(r"[+|]", row["components"]))
    with (ROOT / "data" / "studies.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            # a name such as "race" is also a word; one with an underscore can only be a name
            words |= {name for name in (row["study_id"], row["indication"]) if "_" in name or name.isupper()}
    neutral = {"placebo", "control", "all"}
    return {word for word in words - neutral if len(word) > 2} | {
        "hetrombopag",
        "eltrombopag",
        "thrombocytopenia",
        "platelet",
    }


def test_the_engine_names_no_drug_disease_or_study():
    words = forbidden_words()
    assert len(words) > 8
    pattern = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, sorted(words)))})(?![a-z])", re.IGNORECASE)
    sources = [
        path for path in SRC.rglob("*") if path.suffix in {".py", ".lua", ".html", ".css", ".typ", ".js"}
    ]
    for path in sources:
        found = pattern.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found.group(0) if found else ''}"


def test_repository_text_names_no_machine_path():
    texts = [*SRC.rglob("*.py"), *ROOT.glob("*.md"), *ROOT.glob("notebooks/*.ipynb"), ROOT / "Makefile"]
    for path in texts:
        assert not re.search(r"(?<![\w.])/(home|root|tmp|Users)/\w", path.read_text(encoding="utf-8")), path
