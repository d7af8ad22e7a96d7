"""Numerals and number words of a text, and the numbers that they state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

CONTEXT = 32  # characters either side of a token: some four words

# Words that state a number. Words that only compare or order (each, any, several, few, last, other, either)
# state none and are left out. "all" has no number of its own, but says that a count is the whole.
_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PARTS = {"half": 2, "quarter": 4} | {word: n for n, word in enumerate(_ORDINALS, 1) if n > 2}
_ROMAN = {
    "I": 1,
    "II": 2,
    "III": 3,
    "IV": 4,
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
}  # a lone V or X is a letter
_CARDINALS = {
    **{word: n for n, word in enumerate(_UNITS + _TEENS, 1)},
    **dict(zip(_TENS, range(20, 100, 10), strict=True)),
}
WORDS: dict[str, Decimal | None] = {
    "all": None,
    **{word: Decimal(n) for word, n in _CARDINALS.items()},
    **{word: Decimal(n) for n, word in enumerate(_ORDINALS, 1)},
    **{f"{word}fold": Decimal(n) for n, word in enumerate((*_UNITS, "ten"), 1)},
    **dict.fromkeys(("no", "none", "neither", "zero"), Decimal(0)),
    **dict.fromkeys(("once", "single"), Decimal(1)),
    **dict.fromkeys(("twice", "both", "double", "dual"), Decimal(2)),
    **dict.fromkeys(("thrice", "triple"), Decimal(3)),
    "half": Decimal("0.5"),
    "hundred": Decimal(100),
    "thousand": Decimal(1000),
}
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(sorted(words, key=len, reverse=True))})"


_BELOW_100 = rf"(?:{_any(_TENS)}[\s-]+{_any(_UNITS)}|{_any(_CARDINALS)})"
_HUNDREDS = rf"{_any(_UNITS)}[\s-]+hundred(?:[\s-]+(?:and[\s-]+)?{_BELOW_100})?"
_FRACTION = rf"{_any(_UNITS)}-{_any(_PARTS)}s?"
_WORD = rf"(?<![^\W_])(?i:{_HUNDREDS}|{_FRACTION}|{_BELOW_100}|{_any(WORDS)})(?![^\W_])"
_NUMERAL = (
    r"(?:(?<![\w%)\]])[-−])?"  # a sign, unless the hyphen joins two things
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:\^\{{?\d+\}}?|[{_SUPERSCRIPTS}]+)?%?"
)
TOKEN = re.compile(rf"{_NUMERAL}|[{_SUPERSCRIPTS}]+|{_WORD}|(?<!\w){_any(_ROMAN)}(?!\w)")


@dataclass(frozen=True, slots=True)
class Token:
    """A numeral or number word: its line (from 1), position in it (from 0), text, and words around it."""

    line: int
    position: int
    text: str
    context: str


def tokens(text: str) -> tuple[Token, ...]:
    """Return every numeral and number word of a text in order.

    Sign, thousands commas, decimals, power and percent sign belong to their numeral; a range is two tokens.

    >>> [token.text for token in tokens("No event in 1,024 of both arms (0.5%-12%), 30 × 10⁹/L, phase III")]
    ['No', '1,024', 'both', '0.5%', '12%', '30', '10⁹', 'III']
    """
    return tuple(_tokens(text, [0, *(match.end() for match in re.finditer("\n", text))]))


def _tokens(text: str, starts: Sequence[int]) -> Iterator[Token]:
    line = 0
    for match in TOKEN.finditer(text):
        while line + 1 < len(starts) and starts[line + 1] <= match.start():
            line += 1
        printed = " ".join(match.group().split())
        yield Token(line + 1, match.start() - starts[line], printed, _context(text, *match.span()))


def _context(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    if start > CONTEXT:
        before = re.sub(r"^\S*\s?", "", before)
    if end + CONTEXT < len(text):
        after = re.sub(r"\s?\S*$", "", after)
    return " ".join((before + text[start:end] + after).split())


@cache
def value(token: str) -> Decimal | None:
    """Return the number that a token states; None for ``all``.

    >>> [str(value(token)) for token in ("15,000", "43.8%", "one hundred eighty", "one-tenth", "10^9", "IV")]
    ['15000', '43.8', '180', '0.1', '1000000000', '4']
    """
    if token in _ROMAN:
        return Decimal(_ROMAN[token])
    return _word_value(token.lower()) if token[0].isalpha() else _numeral_value(token)


def _word_value(token: str) -> Decimal | None:
    if token in WORDS:
        return WORDS[token]
    words = re.split(r"[\s-]+", token)
    if (part := words[-1].removesuffix("s")) in _PARTS:
        return Decimal(_CARDINALS[words[0]]) / _PARTS[part]
    total = 0
    for word in words:
        total = total * 100 if word == "hundred" else total + _CARDINALS.get(word, 0)
    return Decimal(total)


def _numeral_value(token: str) -> Decimal:
    plain = re.sub(r"[{},%]", "", token).replace("−", "-")
    base = plain.partition("^")[0].rstrip(_SUPERSCRIPTS)
    power = plain[len(base) :].lstrip("^").translate(str.maketrans(_SUPERSCRIPTS, "0123456789"))
    return Decimal(base) ** int(power or 1) if base else Decimal(power)
