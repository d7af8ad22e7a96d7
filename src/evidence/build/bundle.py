"""All that a report is made from, in one archive beside it: unpacked, one command makes the report again."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from evidence.build import inputs
from evidence.build.commit import VARIABLES, variables
from evidence.build.files import write_whole
from evidence.build.notebooks import bare
from evidence.errors import EvidenceError
from evidence.reads import Read
from evidence.scenarios import Scenario, read_scenario

PLACE = "downloads/reproduce.zip"
# The folder that the archive unpacks into.
FOLDER = "report-source"
# What `make report` passes on, so that the unpacked project builds this report and no other.
SETTINGS = "reproduce.mk"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
PLAIN_FILE = 0o644 << 16
HOW = """\
# How this report is made again

    make report

makes it in `_report/{name}` from the notebooks, tables and programs in this folder. Python 3.11 or later,
make and a package index are all it takes. With the environment ready,

    evidence verify FOLDER

makes it in a temporary folder and compares every file with those of the report in `FOLDER`.
"""


def write_bundle(
    root: Path,
    scenario: Scenario,
    data: Path,
    reads: Iterable[Read],
    *,
    how: tuple[str, Sequence[str]],
    report: Path,
) -> Path:
    """Write the archive of one report, which has the same bytes wherever and whenever it is made.

    Args:
        root: the project.
        scenario: what the report was asked to be.
        data: the folder of its tables; one outside the project is called ``data`` in the archive.
        reads: what its notebooks read; files of the project among it are taken along.
        how: the renderer, and the formats that were asked for.
        report: the folder of the report.
    """
    files = sources(root, data, reads)
    files[f"scenarios/{scenario.name}.yml"] = _scenario(root, scenario)
    files[SETTINGS] = _settings(scenario, *how, moved=not data.is_relative_to(root))
    if content := variables(root):
        files[VARIABLES] = content
    files["REPRODUCE.md"] = HOW.format(name=scenario.name).encode()
    target = report / PLACE
    write_whole(target, archive(files))
    return target


def sources(root: Path, data: Path, reads: Iterable[Read]) -> dict[str, bytes]:
    """Return the files that a report of a project is made from, by their names in the archive."""
    named = [root / name for name in inputs.SINGLE if (root / name).is_file()]
    inside = [path for folder in inputs.FOLDERS for path in inputs.below(root / folder)]
    found = {_name(path, root): path for path in (*named, *inside, *_read(root, reads))}
    place = _name(data, root) if data.is_relative_to(root) else "data"
    found |= {f"{place}/{_name(path, data)}": path for path in inputs.below(data)}
    found |= {f"src/evidence/{_name(path, inputs.PACKAGE)}": path for path in inputs.below(inputs.PACKAGE)}
    return {name: _content(path) for name, path in found.items()}


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of named contents; nothing but them decides its bytes.

    It is not compressed: compressed bytes differ between versions of the compressing library.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", EPOCH)
            entry.external_attr, entry.create_system = PLAIN_FILE, 3
            archive.writestr(entry, files[name])
    return whole.getvalue()


def _content(path: Path) -> bytes:
    if path.suffix == ".ipynb":
        return bare(path.read_text(encoding="utf-8")).encode()
    return path.read_bytes()


def _read(root: Path, reads: Iterable[Read]) -> list[Path]:
    """Return the files of the project that notebooks read, and those in folders that they listed."""
    found: list[Path] = []
    for read in reads:
        path = Path(os.path.normpath(root / str(read[1])))
        if not path.is_relative_to(root) or path == root:
            continue
        if read[0] == "file" and path.is_file():
            found.append(path)
        elif read[0] == "list" and path.is_dir():
            found += [item for item in path.iterdir() if item.is_file() and not item.name.startswith(".")]
    return found


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _scenario(root: Path, scenario: Scenario) -> bytes:
    """Return the scenario's own file where it says all that was asked for, else one that does."""
    own = root / "scenarios" / f"{scenario.name}.yml"
    try:
        if own.is_file() and read_scenario(scenario.name, root) == scenario:
            return own.read_bytes()
    except EvidenceError:
        pass
    changed = scenario.parameters.changed()
    content = {"title": scenario.title, "reason": scenario.reason, "parameters": changed}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()


def _settings(scenario: Scenario, renderer: str, formats: Sequence[str], *, moved: bool) -> bytes:
    data = " -p data_dir data" if moved else ""
    asked = f"--scenario {scenario.name} --renderer {renderer} --to {' '.join(formats)}{data}"
    return f"# The report that this folder came with; make report builds it.\nREPORT = {asked}\n".encode()
