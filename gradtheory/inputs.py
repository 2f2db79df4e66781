"""What a caller may pass: numbers are made exact at the door, or refused by name.

Accepted are int, Fraction, Decimal, str ("0.3", "3/10", "1e-20"), SymPy numbers, and float (NumPy scalars too),
which stands for its exact binary value. Text is matched against one pattern and never evaluated.
"""

import math
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import sympy

from gradtheory.errors import InvalidArgument

_LONGEST_NUMBER = 2_000  # digits, in a text or through its exponent: so that results stay quick and printable
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)", re.ASCII)
_EXAMPLES = "such as 7, 0.3, '0.3', '3/10' or sympy.sqrt(2)"


def exact_real(value: Any, name: str) -> sympy.Expr:
    """Return a finite real number as an exact SymPy number.

    Parameters
    ----------
    value : int, Fraction, Decimal, str, SymPy number or float
        A float is taken at its exact binary value: 0.1 becomes 3602879701896397/36028797018963968, '0.1' is 1/10.
    name : str
        The argument's name, for the message.

    Raises
    ------
    InvalidArgument
        If the value is not one finite real number.

    Examples
    --------
    >>> exact_real("0.3", "w"), exact_real(0.5, "w"), exact_real("1e-3", "w")
    (3/10, 1/2, 1/1000)

    """
    if getattr(value, "ndim", None) == 0:  # NumPy scalars and 0-d arrays
        value = value.item()
    match value:
        case bool():
            pass
        case sympy.Basic():
            return _exact_sympy(value, name)
        case Integral():
            return sympy.Integer(int(value))
        case Fraction():
            return sympy.Rational(value.numerator, value.denominator)
        case Decimal():
            return _exact_decimal(value, value, name)
        case Real() if hasattr(value, "as_integer_ratio"):
            if not math.isfinite(value):
                raise InvalidArgument(name, value, f"must be a finite real number, {_EXAMPLES}")
            return sympy.Rational(*value.as_integer_ratio())
        case str():
            return _exact_text(value, name)
    raise InvalidArgument(name, value, f"must be one real number, {_EXAMPLES}")


def exact_positive(value: Any, name: str) -> sympy.Expr:
    """Return a positive number as an exact SymPy number, or refuse it as `exact_real` does."""
    number = exact_real(value, name)
    if number.is_positive is not True:
        raise InvalidArgument(name, value, "must be positive, such as 1")
    return number


def chain_depth(value: Any) -> int | sympy.Symbol:
    """Return the depth of a chain: a positive int, or an integer symbol for a chain of symbolic depth."""
    if isinstance(value, sympy.Symbol):
        if value.is_integer and value.is_positive is not False:
            return value
    elif isinstance(value, Integral | sympy.Integer) and not isinstance(value, bool) and int(value) >= 1:
        return int(value)
    raise InvalidArgument(
        "depth", value, "must be an int of at least 1, or a SymPy symbol such as Symbol('L', integer=True)"
    )


def _exact_sympy(value: sympy.Basic, name: str) -> sympy.Expr:
    if isinstance(value, sympy.Expr) and value.free_symbols:
        raise InvalidArgument(
            name,
            value,
            "must be a number, not a symbol; explosion_formula gives the answer in symbols w, b, c",
        )
    if not (isinstance(value, sympy.Expr) and value.is_number and value.is_extended_real and value.is_finite):
        raise InvalidArgument(name, value, f"must be a finite real number, {_EXAMPLES}")
    return value.xreplace({each: sympy.Rational(each) for each in value.atoms(sympy.Float)})


def _exact_text(text: str, name: str) -> sympy.Expr:
    stripped = text.strip()
    if len(stripped) <= _LONGEST_NUMBER:
        if _DECIMAL.fullmatch(stripped):
            return _exact_decimal(Decimal(stripped), text, name)
        if match := _FRACTION.fullmatch(stripped):
            numerator, denominator = (int(Decimal(part)) for part in match.groups())
            if denominator:
                return sympy.Rational(numerator, denominator)
    raise InvalidArgument(name, text, f"must be one finite real number as text, {_EXAMPLES}")


def _exact_decimal(number: Decimal, original: Any, name: str) -> sympy.Expr:
    if not number.is_finite():
        raise InvalidArgument(name, original, f"must be a finite real number, {_EXAMPLES}")
    if number and abs(number.adjusted()) > _LONGEST_NUMBER:
        raise InvalidArgument(name, original, f"must have at most {_LONGEST_NUMBER} digits before or after the point")
    return sympy.Rational(*number.as_integer_ratio())
