"""Functions of balls that hold where plain formulas lose all digits: no ball holds exp(1e300)."""

from typing import Any, TypeAlias

import flint
import sympy
from mpmath.libmp import from_man_exp

Ball: TypeAlias = Any  # flint.arb, which publishes no types

_FAR = 1_000  # from where log(1 + exp(x)) is computed as x + log(1 + exp(-x))


def logistic(x: Ball) -> Ball:
    """Return 1/(1 + exp(-x))."""
    if x < 0:
        power = x.exp()
        return power / (1 + power)
    return 1 / (1 + (-x).exp())


def softplus(x: Ball) -> Ball:
    """Return log(1 + exp(x))."""
    return x + (-x).exp().log1p() if x > _FAR else x.exp().log1p()


def whole_power(base: Ball, exponent: int) -> Ball:
    """Return a power."""
    if exponent > 0 and base.mid().is_zero() and not base.is_zero():  # python-flint's own power is nan there
        size = base.abs_upper() ** exponent
        return size.union(-size if exponent % 2 else flint.arb(0))
    return base**exponent


def as_float(point: Ball, bits: int) -> sympy.Float:
    """Return the midpoint of a ball as a Float of so many bits, however small or large."""
    mantissa, exponent = (int(part) for part in point.mid().man_exp())
    return sympy.Float._new(from_man_exp(mantissa, exponent, bits, "n"), bits)
