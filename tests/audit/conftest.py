import importlib.util
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[1] / "display" / "conftest.py"
SPEC = importlib.util.spec_from_file_location("invented_data", PLACE)
assert SPEC is not None
assert SPEC.loader is not None
INVENTED = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(INVENTED)


@pytest.fixture(scope="session")
def data():
    return INVENTED.Invented(**{name: INVENTED.read(name) for name in INVENTED.Invented.__dataclass_fields__})
