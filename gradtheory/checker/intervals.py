"""Interval arithmetic with infinite ends, rounded outward: mpmath's low-level numbers and nothing else.

Every operation takes its precision from its operands, so nothing here is shared between threads. Sums, products and
quotients are rounded outward by mpmath; values of functions are taken at the ends of monotone pieces and moved outward
by about 2**-bits of themselves, after being computed with more bits than that.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from mpmath import libmp

from gradtheory.errors import Undecided

Real: TypeAlias = Any  # mpmath's raw numbers, (sign, mantissa, exponent, bits)

ZERO, ONE, OO, MINUS_OO = libmp.fzero, libmp.fone, libmp.finf, libmp.fninf
TWO, _MINUS_ONE = libmp.ftwo, libmp.mpf_neg(ONE)
_SPARE = 12  # bits that functions are computed with beyond those that are kept
_KEY = functools.cmp_to_key(libmp.mpf_cmp)


def _acosh(x: Real, bits: int, way: str) -> Real:
    """Return 2·asinh(√((x - 1)/2)), which loses no digits near 1, as mpmath's own does."""
    bits += 10
    half = libmp.mpf_shift(libmp.mpf_sub(x, ONE), -1)  # exact
    return libmp.mpf_shift(libmp.mpf_asinh(libmp.mpf_sqrt(half, bits), bits, way), 1)


def _minus_erfc(x: Real, bits: int, way: str) -> Real:
    return libmp.mpf_neg(libmp.mpf_erfc(x, bits, way))


# Increasing functions: how to compute one, its limits at both ends of its domain, and log2 of the |z| up to which it
# is computed; beyond that it is only bounded, by monotonicity, so that no e^(e^(e^9)) is ever written out.
_INCREASING: dict[str, tuple[Callable[..., Real], Real, Real, int]] = {
    "exp": (libmp.mpf_exp, ZERO, OO, 60),
    "sinh": (libmp.mpf_sinh, MINUS_OO, OO, 60),
    "cosh": (libmp.mpf_cosh, ONE, OO, 60),  # of |z|
    "tanh": (libmp.mpf_tanh, _MINUS_ONE, ONE, 30),
    "erf": (libmp.mpf_erf, _MINUS_ONE, ONE, 15),
    "minus_erfc": (_minus_erfc, libmp.mpf_neg(TWO), ZERO, 15),
    "asinh": (libmp.mpf_asinh, MINUS_OO, OO, 10**6),
    "atan": (libmp.mpf_atan, MINUS_OO, OO, 10**6),
    "log": (libmp.mpf_log, MINUS_OO, OO, 10**12),
    "acosh": (_acosh, ZERO, OO, 10**6),
    "atanh": (libmp.mpf_atanh, MINUS_OO, OO, 1),
}
_ODD = frozenset({"sinh", "tanh", "erf", "asinh", "atan", "atanh"})
_NEVER_ZERO = frozenset({"exp", "cosh", "minus_erfc"})
_DOMAINS = {"log": (ZERO, OO), "acosh": (ONE, OO), "atanh": (_MINUS_ONE, ONE)}
_FAR_FOR_WAVES = libmp.mpf_shift(ONE, 60)


class Undefined(Undecided):
    """The interval is not proven to lie where the function is defined."""


def less(x: Real, y: Real) -> bool:
    """Whether x < y."""
    return bool(libmp.mpf_lt(x, y))


def real(value: Fraction, bits: int, way: str) -> Real:
    """Return a rational number rounded down ("f") or up ("c")."""
    return libmp.from_rational(value.numerator, value.denominator, bits, way)


def _times(x: Real, y: Real) -> Real:
    """Return the exact product."""
    return ZERO if ZERO in (x, y) else libmp.mpf_mul(x, y)  # 0·oo bounds products of 0 and finite numbers


def _moved(x: Real, bits: int, way: str) -> Real:
    """Return x, computed with spare bits, moved down ("f") or up ("c") by more than its error."""
    if x in (ZERO, OO, MINUS_OO):
        return x
    step = libmp.mpf_shift(libmp.mpf_abs(x), -bits)
    return libmp.mpf_sub(x, step, bits, "f") if way == "f" else libmp.mpf_add(x, step, bits, "c")


@dataclass(frozen=True)
class Interval:
    """The numbers from `lower` to `upper`, without 0 if `nonzero`.

    An end of 0 with `nonzero` is open: that is how e^z is known to be positive up to z = -oo.

    Examples
    --------
    >>> root = Interval.around(Fraction(2), 100).power(Fraction(1, 2))
    >>> root.sign, (root.power(Fraction(2)) + root.like(Fraction(-2))).sign is None
    (1, True)
    >>> Interval(MINUS_OO, ONE, 100).apply("exp").sign
    1

    """

    lower: Real
    upper: Real
    bits: int
    nonzero: bool = False

    def __post_init__(self) -> None:
        if libmp.fnan in (self.lower, self.upper):  # such as oo - oo: nothing is known of that end
            object.__setattr__(self, "lower", MINUS_OO if self.lower == libmp.fnan else self.lower)
            object.__setattr__(self, "upper", OO if self.upper == libmp.fnan else self.upper)

    @classmethod
    @functools.lru_cache(maxsize=4096)  # the same few coefficients, again and again
    def around(cls, value: Fraction, bits: int) -> "Interval":
        """Return the narrowest interval around a rational number."""
        return cls(real(value, bits, "f"), real(value, bits, "c"), bits)

    def like(self, value: Fraction) -> "Interval":
        """Return a number as an interval of the same precision."""
        return Interval.around(value, self.bits)

    def pi(self) -> "Interval":
        """Return an interval around π."""
        return Interval(libmp.mpf_pi(self.bits, "f"), libmp.mpf_pi(self.bits, "c"), self.bits)

    @property
    def sign(self) -> int | None:
        """The sign of every number in the interval; None where they may differ."""
        low, high = libmp.mpf_sign(self.lower), libmp.mpf_sign(self.upper)
        if low > 0 or (low == 0 < high and self.nonzero):
            return 1
        if high < 0 or (high == 0 > low and self.nonzero):
            return -1
        return 0 if low == high == 0 else None

    @property
    def size(self) -> "Interval":
        """The absolute values."""
        if not less(self.lower, ZERO):
            return self
        mirrored = -self
        if not less(ZERO, self.upper):
            return mirrored
        return Interval(ZERO, max(self.upper, mirrored.upper, key=_KEY), self.bits, self.nonzero)

    def __neg__(self) -> "Interval":
        return Interval(libmp.mpf_neg(self.upper), libmp.mpf_neg(self.lower), self.bits, self.nonzero)

    def __add__(self, other: "Interval") -> "Interval":
        lower = libmp.mpf_add(self.lower, other.lower, self.bits, "f")
        upper = libmp.mpf_add(self.upper, other.upper, self.bits, "c")
        up = not less(self.lower, ZERO) and not less(other.lower, ZERO)
        down = not less(ZERO, self.upper) and not less(ZERO, other.upper)
        return Interval(lower, upper, self.bits, (up or down) and bool(self.sign or other.sign))

    def __mul__(self, other: "Interval") -> "Interval":
        products = [_times(x, y) for x in (self.lower, self.upper) for y in (other.lower, other.upper)]
        lower = libmp.mpf_pos(min(products, key=_KEY), self.bits, "f")
        upper = libmp.mpf_pos(max(products, key=_KEY), self.bits, "c")
        return Interval(lower, upper, self.bits, bool(self.sign and other.sign))

    def power(self, exponent: Fraction) -> "Interval":
        """Return the interval to a rational power; the base of a fractional power must not be negative."""
        top, bottom = exponent.numerator, exponent.denominator
        if top < 0:
            return self.power(-exponent)._reciprocal()
        if bottom > 2:
            return (self.apply("log") * self.like(exponent)).apply("exp")
        base = self._root() if bottom == 2 else self.size if top % 2 == 0 else self
        if top == 1:
            return base
        lower, upper = (libmp.mpf_pow_int(end, top, self.bits + _SPARE, "n") for end in (base.lower, base.upper))
        return Interval(_moved(lower, self.bits, "f"), _moved(upper, self.bits, "c"), self.bits, bool(base.sign))

    def _root(self) -> "Interval":
        if self.sign != 1:  # at 0 a root is not analytic, and √(z²) is not one formula on both sides
            raise Undefined("the root of a number that may not be positive")
        lower, upper = libmp.mpf_sqrt(self.lower, self.bits, "f"), libmp.mpf_sqrt(self.upper, self.bits, "c")
        return Interval(lower, upper, self.bits, self.nonzero)

    def _reciprocal(self) -> "Interval":
        if not self.sign:
            raise Undefined("a division by a number that may be 0")
        if self.sign < 0:
            return -(-self)._reciprocal()
        lower = libmp.mpf_div(ONE, self.upper, self.bits, "f")
        upper = OO if self.lower == ZERO else libmp.mpf_div(ONE, self.lower, self.bits, "c")
        return Interval(lower, upper, self.bits, nonzero=True)

    def apply(self, name: str) -> "Interval":  # noqa: PLR0911  # one a function
        """Return the values of a function on the interval."""
        match name:
            case "cosh":
                return self.size._increasing("cosh")
            case "sech":
                return self.apply("cosh")._reciprocal()
            case "coth":
                return self.apply("tanh")._reciprocal()
            case "erfc":
                return -self._increasing("minus_erfc")
            case "sin" | "cos":
                return self._wave(name)
            case "tan":
                return self.apply("sin") * self.apply("cos")._reciprocal()
        return self._increasing(name)

    def _increasing(self, name: str) -> "Interval":
        function, first, last, far = _INCREASING[name]
        if name in _DOMAINS:
            low, high = _DOMAINS[name]
            touches = name == "atanh" and (self.lower == low or self.upper == high)
            if less(self.lower, low) or less(high, self.upper) or touches or (name == "log" and self.sign != 1):
                raise Undefined(f"{name} of a number that may lie outside its domain")
        right = libmp.mpf_shift(ONE, far)
        left = libmp.mpf_neg(right)
        lower, upper = first, last
        if not less(self.lower, left):
            start = min(self.lower, right, key=_KEY)
            lower = max(first, _moved(function(start, self.bits + _SPARE, "n"), self.bits, "f"), key=_KEY)
        if not less(right, self.upper):
            stop = max(self.upper, left, key=_KEY)
            upper = min(last, _moved(function(stop, self.bits + _SPARE, "n"), self.bits, "c"), key=_KEY)
        return Interval(lower, upper, self.bits, name in _NEVER_ZERO or (name in _ODD and self.nonzero))

    def _wave(self, name: str) -> "Interval":
        """Return sin or cos: the hull of the values at the ends and of those at the turning points between."""
        whole = Interval(_MINUS_ONE, ONE, self.bits)
        if less(_FAR_FOR_WAVES, self.size.upper):
            return whole
        count = self * self.pi()._reciprocal() + self.like(Fraction(-1, 2) if name == "sin" else Fraction(0))
        first, last = libmp.to_int(libmp.mpf_ceil(count.lower)), libmp.to_int(libmp.mpf_floor(count.upper))
        if last > first:
            return whole
        function = libmp.mpf_sin if name == "sin" else libmp.mpf_cos
        values = [function(end, self.bits + _SPARE, "n") for end in (self.lower, self.upper)]
        turn = [] if last < first else [_MINUS_ONE if first % 2 else ONE]
        lower = min(*(_moved(value, self.bits, "f") for value in values), *turn, key=_KEY)
        upper = max(*(_moved(value, self.bits, "c") for value in values), *turn, key=_KEY)
        return Interval(max(lower, _MINUS_ONE, key=_KEY), min(upper, ONE, key=_KEY), self.bits)
