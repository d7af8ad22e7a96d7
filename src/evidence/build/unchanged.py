"""What the last build of a scenario was made from, and whether building again would change anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evidence.build import inputs
from evidence.build.files import digest_of
from evidence.project import resolve
from evidence.reads import Fingerprints, unlisted
from evidence.scenarios import Scenario

State = dict[str, Any]


def read_state(root: Path, name: str) -> State:
    """Return what the last finished build of a scenario left; nothing where there is none."""
    try:
        found = json.loads(state_file(root, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def state_file(root: Path, name: str) -> Path:
    """Return where the state of a scenario is kept, apart from what a failed build removes."""
    return root / "_build" / ".state" / f"{name}.json"


def made_from(root: Path, scenario: Scenario, renderer: str, formats: Sequence[str]) -> str:
    """Return one hash over everything that a report is asked to be and made from."""
    named = [scenario.name, scenario.title, scenario.reason, scenario.parameters.values()]
    asked = [*named, renderer, sorted(formats)]
    files = inputs.project_files(root, resolve(scenario.parameters.data_dir))
    surroundings = [inputs.environment(root), inputs.printer(renderer), inputs.commit(root)]
    return inputs.total([asked, files, inputs.engine(), surroundings])


def is_unchanged(
    root: Path, scenario: Scenario, *, renderer: str, formats: Sequence[str], state: State
) -> bool:
    """Return whether everything that a finished report was made from, and all that it is, is as it was."""
    if not state or state.get("made_from") != made_from(root, scenario, renderer, formats):
        return False
    prints = Fingerprints(root)
    same = all(prints.of(read) == before for read, before in unlisted(state["extra"]).items())
    return same and state["report"] == digest_of(root / "_report" / scenario.name)
