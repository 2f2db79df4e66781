"""What stands behind a number: every result says whether it is exact, certified or numeric."""

import math
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

import sympy

from gradtheory.arithmetic.brief import shown_error
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.arithmetic.kinds import read_kind
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.errors import Undecided

_DIGITS = 10
_OF_FLOAT = 17  # digits that tell its numbers apart
_GUARD_DIGITS = 15, 60, 240
_BITS_PER_DIGIT = math.log2(10)
_OF_SIX_DIGITS = 1e-5  # an error within it leaves five of them


_Rounded = TypeVar("_Rounded", Decimal, float)


class Guarantee(Enum):
    """How far a number can be trusted; the value is the word that is shown."""

    EXACT = "exact"  # a closed form
    CERTIFIED = "certified"  # an equation and an isolating interval proven in ball arithmetic
    NUMERIC = "numeric"  # float64, with a stated error


def guarantee(*results: Any) -> Guarantee:
    """Return the guarantee behind results, the weakest of them.

    Of SymPy results it is certified as soon as one rests on a `ProvenNumber`; numeric where one holds a Float: `.n()`
    keeps digits alone, and nothing that stands behind them. Of an `Estimate`, `Estimates`, and whatever has one, it is
    their own `.guarantee`.

    Examples
    --------
    >>> import gradtheory as gt
    >>> guarantee(gt.widest_explosion("sigmoid").width), guarantee(gt.explosion_width("sigmoid", w=7))
    (<Guarantee.CERTIFIED: 'certified'>, <Guarantee.EXACT: 'exact'>)
    >>> guarantee(gt.meanfield.chi("tanh", 1, sigma_w=1))
    <Guarantee.NUMERIC: 'numeric'>

    """
    order = list(Guarantee)
    return max(map(_guarantee_of, results), key=order.index, default=Guarantee.EXACT)


def _guarantee_of(result: Any) -> Guarantee:
    if not isinstance(result, sympy.Basic) and isinstance(own := getattr(result, "guarantee", None), Guarantee):
        return own
    rule = "must be in SymPy, as gradtheory.explosion_set returns it, or have a guarantee, as gradtheory.Estimate"
    held = read_kind(result, "results", sympy.Basic, rule)
    if held.has(sympy.Float, sympy.nan, sympy.zoo):
        return Guarantee.NUMERIC
    return Guarantee.CERTIFIED if held.atoms(ProvenNumber) else Guarantee.EXACT


def decimal(number: sympy.Expr, digits: int = _DIGITS) -> str:
    """Return a number rounded once, to the nearest one of so many digits.

    Examples
    --------
    >>> decimal(sympy.pi, 5), decimal(sympy.oo), decimal(sympy.Integer(4))
    ('3.1416', 'oo', '4')
    >>> decimal(1 - sympy.tanh(200) ** 2, 5)  # SymPy works with 100 digits at most, of which none is right
    '7.6607E-174'

    """
    if number.is_infinite or number.is_Integer:
        return str(number)
    context = Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX)
    if number.is_Rational:
        return str(context.divide(Decimal(int(number.p)), Decimal(int(number.q))).normalize(context))
    return str(_rounded_by(context.create_decimal, number, digits))


def nearest_float(number: sympy.Expr) -> float:
    """Return the float64 nearest to a number.

    Examples
    --------
    >>> nearest_float(sympy.pi), nearest_float(sympy.Integer(10) ** 400), nearest_float(-sympy.oo)
    (3.141592653589793, inf, -inf)

    """
    if number.is_infinite:
        return float(number)
    if not number.is_Rational:
        return _rounded_by(float, number, _OF_FLOAT)
    try:
        return int(number.p) / int(number.q)  # to nearest
    except OverflowError:
        return math.inf if number.p > 0 else -math.inf


def _rounded_by(rounding: Callable[[Decimal], _Rounded], number: sympy.Expr, digits: int) -> _Rounded:
    """Return a number rounded from more and more digits, until all that they may stand for is rounded alike."""
    for more in _GUARD_DIGITS:
        near = Decimal(str(_with_digits(number, digits + more)))
        context = Context(prec=digits + more + 1, Emin=MIN_EMIN, Emax=MAX_EMAX)
        within = Decimal((0, (2,), near.adjusted() - digits - more + 1))
        if rounding(context.subtract(near, within)) == rounding(context.add(near, within)):
            break
    return rounding(near)


def _with_digits(number: sympy.Expr, digits: int) -> sympy.Float:
    """Return a number with so many digits, proven where they can be; of what is not told from 0, SymPy's."""
    if number.is_Rational:
        return number.n(digits)
    try:
        return rounded(number, math.ceil(digits * _BITS_PER_DIGIT)).n(digits)
    except Undecided:
        return number.n(digits)


class Estimate(float):
    """A float64 with a bound of its absolute error; in arithmetic it is a float like any other.

    Parameters
    ----------
    value : float
    error : float
        How far the true number may be: proven if the guarantee is exact or certified, else estimated by comparing
        two rules and counting rounding errors.
    guarantee : Guarantee

    Examples
    --------
    >>> half = Estimate(0.5, 1e-16)
    >>> half, half.error, 2 * half
    (0.5 ± 1e-16 (numeric), 1e-16, 1.0)

    """

    error: float
    guarantee: Guarantee

    def __new__(cls, value: float, error: float, guarantee: Guarantee = Guarantee.NUMERIC) -> "Estimate":
        """Return the float with its error."""
        self = super().__new__(cls, value)
        self.error, self.guarantee = float(error), guarantee
        return self

    def __repr__(self) -> str:
        digits = repr(float(self))
        return f"{digits} ± {self.error_of(digits)} ({self.guarantee.value})"

    __str__ = __repr__

    @property
    def brief(self) -> str:
        """Six digits, with the error where these are not all right.

        Examples
        --------
        >>> Estimate(1.234567891, 1e-9).brief, Estimate(1.234567891, 0.25).brief
        ('1.23457', '1.23457 ± 0.26')

        """
        digits = f"{float(self):g}"
        is_right = self.error <= _OF_SIX_DIGITS * abs(self) and math.isfinite(self.error)
        return digits if is_right else f"{digits} ± {self.error_of(digits)}"

    def __reduce__(self) -> tuple[type, tuple[float, float, Guarantee]]:
        return type(self), (float(self), self.error, self.guarantee)

    def error_of(self, digits: str) -> str:
        """Return two digits, not less than the error and what these digits leave out of the number together."""
        value = float(self)
        if not math.isfinite(value + self.error):
            return str(self.error)
        return shown_error(Fraction(self.error) + abs(Fraction(digits) - Fraction(value)))
