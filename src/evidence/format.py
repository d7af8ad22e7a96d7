"""How numbers are written: the only place where a number is rounded for reading."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from evidence.parameters import rounding

# A first word that may take a capital: small letters throughout, of two or more where a hyphen follows.
SMALL_WORD = re.compile(r"[a-zà-ÿ]{2,}(?![\w-])|[a-zà-ÿ]{2,}-(?![\dA-Z])|a (?=[a-z])")
MINUS = "−"
NOT_ESTIMABLE = "not estimable"
INFINITY = "∞"
GUARD = 12  # significant digits kept before rounding, so that 0.285 * 100 rounds as 28.5
RATIO_STEPS = ((10.0, 2), (100.0, 1), (1000.0, 0))  # a ratio of 12 is not known to a hundredth


def missing(value: Any) -> bool:
    """Return whether a value is empty: None, NaN, NA or empty text."""
    return value is None or value == "" if isinstance(value, str | None) else bool(pd.isna(value))


def sentence(text: str) -> str:
    """Return text with a capital at its start, unless its first word has capitals of its own.

    >>> sentence("small dose"), sentence("rhEPO dose"), sentence("x-EPO"), sentence("non-severe")
    ('Small dose', 'rhEPO dose', 'x-EPO', 'Non-severe')
    """
    return text[:1].upper() + text[1:] if SMALL_WORD.match(text) else text


def in_sentence(label: str) -> str:
    """Return an outcome's label as it stands inside a sentence; capitals that belong to it stay.

    >>> in_sentence("Complete response"), in_sentence("PNH clone present")
    ('complete response', 'PNH clone present')
    >>> in_sentence("CsA alone"), in_sentence("A drug")
    ('CsA alone', 'a drug')
    """
    word = re.match(r"[^\W\d_]*", label)
    rest = word[0][1:] if word else ""
    plain = label[1:2].islower() or label[1:2] == " "
    return label[:1].lower() + label[1:] if plain and not any(map(str.isupper, rest)) else label


def number(value: Any, digits: int) -> str:
    """Return a number with a fixed count of decimals, halves rounded away from zero, and a true minus sign.

    >>> number(-2.125, 2), number(float("inf"), 1), number(None, 1)
    ('−2.13', '∞', '')
    """
    if missing(value):
        return ""
    if math.isinf(value):
        return (MINUS if value < 0 else "") + INFINITY
    rounded = Decimal(f"{float(value):.{GUARD}g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded).replace("-", MINUS)


def general(value: Any) -> str:
    """Return a number as briefly as it can be written.

    >>> general(6.0), general(-0.25), general(float("nan"))
    ('6', '−0.25', '')
    """
    return "" if missing(value) else f"{float(value):.10g}".replace("-", MINUS)


def signed(value: Any, digits: int) -> str:
    """Return a number that always shows its sign, except zero.

    >>> signed(16.72, 1), signed(-0.01, 1)
    ('+16.7', '0.0')
    """
    text = number(value, digits)
    return text if not text or text.startswith(MINUS) or not text.strip("0.") else f"+{text}"


def level(confidence_level: float) -> str:
    """Return a confidence level as a percentage.

    >>> level(0.95), level(0.999)
    ('95%', '99.9%')
    """
    return f"{confidence_level * 100:.6g}%"


def interval(low: str, high: str) -> str:
    """Return two written limits joined by ``to``; a dash would read as a minus sign."""
    return f"{low} to {high}"


def percent(proportion: Any, digits: int | None = None) -> str:
    """Return a proportion as a percentage, with the decimals in force where none are asked for.

    >>> percent(7 / 32), percent(float("nan"))
    ('21.9%', '')
    """
    return "" if missing(proportion) else f"{number(proportion * 100, _decimals(digits))}%"


def _decimals(digits: int | None) -> int:
    return rounding() if digits is None else digits


def risk(estimate: Any, low: Any, high: Any, digits: int | None = None) -> str:
    """Return a proportion with its interval.

    >>> risk(7 / 32, 0.1102, 0.3875)
    '21.9% (11.0 to 38.8)'
    """
    if missing(estimate):
        return NOT_ESTIMABLE
    if missing(low) or missing(high):
        return percent(estimate, digits)
    limits = interval(*(number(limit * 100, _decimals(digits)) for limit in (low, high)))
    return f"{percent(estimate, digits)} ({limits})"


def count(events: Any, n: Any) -> str:
    """Return events over patients; what is not known is left out.

    >>> count(7, 32), count(7, None), count(None, None)
    ('7/32', '7', '')
    """
    if missing(events):
        return ""
    return f"{int(events)}" if missing(n) else f"{int(events)}/{int(n)}"


def span(value: Any, unit: Any) -> str:
    """Return a number of units of time as it is read aloud; a text is shown as it is.

    >>> span(1.0, "month"), span(2.5, "week"), span("1", "day"), span("42", "day")
    ('1 month', '2.5 weeks', '1 day', '42 days')
    """
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"{shown} {unit}{'' if shown == '1' else 's'}"


def x_of_n(events: Any, n: Any) -> str:
    """Return events and patients in words, for a sentence.

    >>> x_of_n(7, 32)
    '7 of 32'
    """
    return count(events, n).replace("/", " of ")


def ratio_number(value: Any) -> str:
    """Return one ratio with the decimals that its size deserves.

    >>> [ratio_number(x) for x in (0.139, 4.2, 12.34, 310.2, 2e6)]
    ['0.14', '4.20', '12.3', '310', 'over 10000']
    """
    if missing(value):
        return ""
    if math.isinf(value) or value < 1000:
        return number(value, next((digits for top, digits in RATIO_STEPS if value < top), 0))
    return number(value, 0) if value <= 10000 else "over 10000"


def ratio(estimate: Any, low: Any, high: Any) -> str:
    """Return a ratio with its interval.

    >>> ratio(4.2, 1.4309, 12.328), ratio(float("nan"), 0.1, 2.0)
    ('4.20 (1.43 to 12.3)', 'not estimable')
    """
    if missing(estimate):
        return NOT_ESTIMABLE
    if missing(low) or missing(high):
        return ratio_number(estimate)
    return f"{ratio_number(estimate)} ({interval(ratio_number(low), ratio_number(high))})"


def difference(estimate: Any, low: Any, high: Any, digits: int | None = None) -> str:
    """Return a difference of proportions in percentage points, signed, with its interval.

    >>> difference(0.1667, 0.0412, 0.337), difference(-0.05, -0.1, 0.02)
    ('+16.7 (+4.1 to +33.7)', '−5.0 (−10.0 to +2.0)')
    """
    if missing(estimate):
        return NOT_ESTIMABLE
    points = [signed(value * 100, _decimals(digits)) for value in (estimate, low, high) if not missing(value)]
    return f"{points[0]} ({interval(points[1], points[2])})" if len(points) > 2 else points[0]


def effect(measure: str, estimate: Any, low: Any, high: Any) -> str:
    """Return an effect as its measure is written: a difference in percentage points, a ratio as a ratio."""
    return difference(estimate, low, high) if measure == "RD" else ratio(estimate, low, high)


def mean_difference(estimate: Any, low: Any, high: Any, digits: int = 2) -> str:
    """Return a difference of means with its interval, signed.

    >>> mean_difference(-2.558, -4.546, -0.57)
    '−2.56 (−4.55 to −0.57)'
    """
    if missing(estimate):
        return NOT_ESTIMABLE
    shown = signed(estimate, digits)
    if missing(low) or missing(high):
        return shown
    return f"{shown} ({interval(signed(low, digits), signed(high, digits))})"


def p_value(p: Any) -> str:
    """Return a P value with three decimals.

    >>> p_value(0.00049), p_value(0.0412), p_value(0.9999), p_value(None)
    ('<0.001', '0.041', '>0.999', '')
    """
    if missing(p):
        return ""
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.999 else number(p, 3)


def p_words(p: Any) -> str:
    """Return a P value as a sentence has it.

    >>> p_words(0.0001), p_words(0.25)
    ('P < 0.001', 'P = 0.250')
    """
    text = p_value(p)
    return f"P {text[0]} {text[1:]}" if text[:1] in ("<", ">") else f"P = {text}"


def printed_percent(text: str) -> str:
    """Return a percentage as the paper prints it, with its sign.

    >>> printed_percent("68.7"), printed_percent("")
    ('68.7%', '')
    """
    return f"{text}%" if text else ""


def printed(text: Any) -> str:
    """Return a printed figure unchanged but for a true minus sign.

    >>> printed("-0.212"), printed("")
    ('−0.212', '')
    """
    return "" if missing(text) else str(text).replace("-", MINUS)
