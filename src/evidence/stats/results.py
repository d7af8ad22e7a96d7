"""The result that every test returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test of a hypothesis.

    ``statistic`` and ``df`` are None where the test has none (exact tests); ``df_error`` is the denominator's
    degrees of freedom of an F test; ``p_se`` is the Monte Carlo standard error of ``p``, 0 where ``p`` is
    exact or analytic; ``warning`` says when not to rely on the result, and is empty otherwise.
    """

    __test__: ClassVar[bool] = False  # pytest would otherwise collect it by its name

    statistic: float | None
    df: float | None
    p: float
    method: str
    warning: str = ""
    df_error: float | None = None
    p_se: float = 0.0
