from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from evidence.parameters import Parameters

FOLDER = Path(__file__).parent / "data"
NUMBERS = {"time", "from_time", "dose_value", "interval_level", "threshold"}


@dataclass(frozen=True)
class Invented:
    """Three invented studies: two arms with subgroups, one arm over time, four arms."""

    sources: pd.DataFrame
    studies: pd.DataFrame
    arms: pd.DataFrame
    outcomes: pd.DataFrame
    counts: pd.DataFrame
    measurements: pd.DataFrame
    tests: pd.DataFrame
    claims: pd.DataFrame
    definitions: pd.DataFrame
    protocols: pd.DataFrame
    risk_of_bias: pd.DataFrame

    def select(self, table: str, **equals: str | list[str]) -> pd.DataFrame:
        frame: pd.DataFrame = getattr(self, table)
        for name, value in equals.items():
            frame = frame[frame[name].isin([value] if isinstance(value, str) else list(value))]
        return frame


def read(name: str) -> pd.DataFrame:
    frame = pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)
    for column in frame:
        if column in NUMBERS:
            frame[column] = pd.to_numeric(frame[column]).astype("float64")
        elif column in ("events", "n"):
            frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    return frame.assign(counted=True) if name == "counts" else frame


@pytest.fixture(scope="session")
def data() -> Invented:
    return Invented(**{name: read(name) for name in Invented.__dataclass_fields__})


@pytest.fixture(scope="session")
def empty(data: Invented) -> Invented:
    return Invented(**{name: getattr(data, name).iloc[0:0] for name in Invented.__dataclass_fields__})


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()
