"""Numbers with many decimals, such as the scale of selu, as their first digits: fractions of 60 digits help nobody."""

from decimal import Context, Decimal
from typing import Any

import sympy

from gradtheory.arithmetic.brief import with_power

_MOST_DENOMINATOR = 10**6  # of a decimal number that is written as a fraction
_LONGEST = 10**15  # numerator or denominator of another one
_DIGITS = 12


class Digits(sympy.Symbol):  # type: ignore[misc]  # SymPy's classes are untyped
    """A positive number that prints as its digits, with an ellipsis where more follow."""

    def _latex(self, _: Any) -> str:
        return with_power(self.name.replace("…", r"\ldots"))

    def _sympystr(self, _: Any) -> str:
        return str(self.name)


def is_long(number: sympy.Expr) -> bool:
    """Return whether a number is a fraction too long to be written as one.

    Examples
    --------
    >>> is_long(sympy.Rational("1.0507009873554804934")), is_long(sympy.Rational(1, 3)), is_long(sympy.Rational("0.01"))
    (True, False, False)

    """
    if not number.is_Rational or number.is_Integer:
        return False
    is_decimal = 10 ** number.q.bit_length() % number.q == 0
    return bool(number.q > _MOST_DENOMINATOR if is_decimal else max(abs(number.p), number.q) > _LONGEST)


def digits(number: sympy.Rational) -> Digits:
    """Return the digits of the size of a number.

    Examples
    --------
    >>> digits(sympy.Rational("-1.0507009873554804934")), digits(sympy.Rational("1.0507009"))
    (1.05070098735…, 1.0507009)
    >>> digits(sympy.Rational(1 + 10**40, 10**40))
    1.00000000000…

    """
    exact = Context(prec=4 * len(str(number.q)) + len(str(number.p))).divide(Decimal(abs(int(number.p))), int(number.q))
    shown = Context(prec=_DIGITS, rounding="ROUND_DOWN").plus(exact)
    return Digits(f"{shown:f}" + ("" if shown == exact else "…"), positive=True)
