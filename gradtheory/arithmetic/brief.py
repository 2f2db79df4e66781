"""Short texts for the representations of results: long expressions and arrays in a few words."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import dataclasses
import html
import math
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import sympy

from gradtheory.arithmetic.expansion import longest_number
from gradtheory.arithmetic.later import np

_PRACTICALLY, _MANY = Fraction(1, 10**9), 15  # digits of what is a round number but for that share
_LONG_INTEGER = re.compile(r"(?<![\d.…])(\d{6})\d{13,}(\d{6})(?![\d.])")
_DECIMALS = re.compile(r"(\d\.\d{12})\d{4,}")
_WORD_AT_END, _WORD_AT_START = re.compile(r"[\w.…/*-]+$"), re.compile(r"^[\w.…/*-]+")
_SIX = 6  # digits, from which on a reader compares
_LEAST = -4  # power of ten of the least number that is written without one
LATEX_POWER, POWER = r"{} \times 10^{{{}}}", "{} × 10^({})"
_LONG = 14_000  # bits of an integer that Python still writes


def shorten(text: object, most: int = 80) -> str:
    """Return a text on one line; where it is longer than `most` characters, numbers and then its middle are shortened.

    No number or word is cut in two by the latter: what stands beside the ellipsis is whole.

    Examples
    --------
    >>> shorten("exp(z) + exp(2*z) + exp(3*z)", most=15)
    'exp(z) …(3*z)'
    >>> shorten(f"z + {10**40 + 7}/{3**80}", most=40)
    'z + 100000…000007/147808…297601'

    """
    line = " ".join(_written(text).split())
    if len(line) <= most:
        return line
    line = _DECIMALS.sub(r"\1…", _LONG_INTEGER.sub(r"\1…\2", line))
    if len(line) <= most:
        return line
    head = most // 2
    before, after = line[:head], line[len(line) - (most - head - 1) :]
    return f"{_WORD_AT_END.sub('', before) or before}…{_WORD_AT_START.sub('', after) or after}"


def _written(text: object) -> str:
    if not isinstance(text, sympy.Basic):
        return str(text)
    order = None if text.free_symbols else "none"  # to put terms in order it would evaluate them
    return str(sympy.sstr(writable(text), order=order))


def writable(expr: sympy.Basic) -> sympy.Basic:
    """Return an expression in which integers that Python refuses to write, of more than 4,300 digits, are rounded.

    Examples
    --------
    >>> writable(sympy.Rational(3, 2**20_000)), writable(sympy.Rational(3, 4))
    (7.53716e-6021, 3/4)

    """
    long = (each for each in expr.atoms(sympy.Rational) if longest_number(each) > _LONG)
    rounded = {each: each.n(6) for each in long}
    return expr.xreplace(rounded) if rounded else expr


def upward(number: float | Fraction, digits: int = 6) -> str:
    """Return a number with so many digits that is not below it, as an upper bound is to be shown.

    Examples
    --------
    >>> upward(1.12890414518516), downward(1.12890414518516), upward(-0.25), upward(100), upward(math.inf)
    ('1.12891', '1.1289', '-0.25', '100', 'inf')
    >>> upward(2.0000000000000004)  # two, but for rounding
    '2.00000000000001'

    """
    return _rounded(number, digits, ROUND_CEILING)


def downward(number: float | Fraction, digits: int = 6) -> str:
    """Return a number with so many digits that is not above it, as a lower bound is to be shown."""
    return _rounded(number, digits, ROUND_FLOOR)


def _rounded(number: float | Fraction, digits: int, rounding: str) -> str:
    if not math.isfinite(number):
        return str(number)
    whole, nearest = Fraction(number), _quotient(number, digits, ROUND_HALF_EVEN)
    if digits >= _SIX and float(nearest) == number:  # 3.1 is shown as it is written, though float64 has another number
        whole = Fraction(nearest)
    is_round = digits >= _SIX and 0 < abs(whole - Fraction(nearest)) < _PRACTICALLY * abs(whole)
    shown = _quotient(whole, _MANY if is_round else digits, rounding).normalize()
    return f"{shown:f}" if _LEAST <= shown.adjusted() < digits else f"{shown:e}"


def _quotient(number: float | Fraction, digits: int, rounding: str) -> Decimal:
    whole = Fraction(number)
    return Context(prec=digits, rounding=rounding).divide(Decimal(whole.numerator), Decimal(whole.denominator))


def shown_error(error: float | Fraction) -> str:
    """Return two digits of an error, rounded up.

    Examples
    --------
    >>> shown_error(1.441e-3), shown_error(0.25), shown_error(math.inf)
    ('0.0015', '0.25', 'inf')

    """
    return upward(error, 2)


def shape_and_range(array: np.ndarray) -> str:
    """Return the shape of an array and the least and the greatest of its entries.

    Examples
    --------
    >>> shape_and_range(np.array([0.5, -2.0]))
    '(2,) in [-2, 0.5]'

    """
    array = np.asarray(array)
    return f"{array.shape} in [{array.min():g}, {array.max():g}]" if array.size else f"{array.shape}"


def shapes_and_ranges(arrays: Sequence[np.ndarray], most: int = 3) -> str:
    """Return `shape_and_range` of the first arrays, and how many there are if that is more.

    Examples
    --------
    >>> shapes_and_ranges([np.array([1.0])] * 9, most=1)
    '(1,) in [1, 1], … (9 arrays)'

    """
    shown = ", ".join(map(shape_and_range, arrays[:most]))
    return shown if len(arrays) <= most else f"{shown}, … ({len(arrays)} arrays)"


class ShownAsTable:
    """A result that Jupyter shows as a table of its parts."""

    __slots__ = ()

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values: of a dataclass its fields, of another class its public properties."""
        if dataclasses.is_dataclass(self):
            yield from ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self) if field.repr)
            return
        for name in dir(type(self)):
            if not name.startswith("_") and isinstance(getattr(type(self), name), property):
                yield name, getattr(self, name)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{name}</th><td style='text-align: left'>{_in_html(value)}</td></tr>"
            for name, value in self._parts()
            if not name.startswith("_")
        )
        return f"<table><caption style='text-align: left'>{html.escape(type(self).__name__)}</caption>{rows}</table>"


def _in_html(value: object) -> str:
    is_array = isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "fiu"
    return html.escape(shape_and_range(np.asarray(value)) if is_array else shorten(value))


def percent(share: float) -> str:
    """Return a share in words that says 0 % or 100 % only where it is.

    Examples
    --------
    >>> percent(0.0), percent(1 / 1001), percent(0.496), percent(0.999), percent(1.0)
    ('0%', '<1%', '50%', '>99%', '100%')

    """
    text = f"{share:.0%}"
    return "<1%" if text == "0%" and share > 0.0 else ">99%" if text == "100%" and share < 1.0 else text


def with_power(digits: str, power: str = LATEX_POWER) -> str:
    r"""Return the digits of a number with a power of ten in place of an exponent.

    Examples
    --------
    >>> with_power("-4.81e-17"), with_power("3.58153129775168E+15", POWER), with_power("2.5")
    ('-4.81 \\times 10^{-17}', '3.58153129775168 × 10^(15)', '2.5')

    """
    mantissa, _, exponent = digits.replace("E", "e").partition("e")
    return power.format(mantissa, int(exponent)) if exponent else mantissa
