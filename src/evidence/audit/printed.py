"""Tests in words as printed, and what tells one test from another."""

from __future__ import annotations

from collections.abc import Hashable

from evidence.audit.material import Test, moment, part


def p_text(p: float) -> str:
    """Return a P value as a document would print it.

    >>> p_text(0.0004), p_text(0.05049)
    ('<0.001', '0.050')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def p_is(p: float) -> str:
    """Return what P is, as a sentence has it.

    >>> p_is(0.0004), p_is(0.05049)
    ('P < 0.001', 'P = 0.050')
    """
    return "P < 0.001" if p < 0.001 else f"P = {p_text(p)}"


def p_between(low: float, high: float) -> str:
    """Return between what limits P lies; limits that are written alike are one P value.

    >>> p_between(0.012, 0.034), p_between(0.0001, 0.034), p_between(0.0001, 0.0002)
    ('P between 0.012 and 0.034', 'P of at most 0.034', 'P < 0.001')
    """
    if p_text(low) == p_text(high):
        return p_is(low)
    return f"P of at most {p_text(high)}" if low < 0.001 else f"P between {p_text(low)} and {p_text(high)}"


def result_of(test: Test) -> Hashable:
    """Return what a test is of: the same for every printing of it, whatever the order of its arms."""
    return (*part(test), test.category, moment(test), test.from_time, frozenset(test.arm_ids), test.adjusted)


def is_adjusted(test: Test) -> bool:
    """Return whether an effect is said to be adjusted."""
    return test.adjusted.lower() not in ("", "no", "false")


def printed(test: Test) -> str:
    """Return the statistic and the P value of a test as printed."""
    p = f"P {test.p}" if test.p[:1] in "<>≤≥" else f"P = {test.p}"
    statistic = f"{test.statistic_label or 'statistic'} = {test.statistic}" if test.statistic else ""
    return ", ".join(one for one in (statistic, p if test.p else "") if one)
