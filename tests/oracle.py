"""A second opinion at many digits, from mpmath and from the definition of σ alone.

Nothing here uses the records' branches, kernels or derivatives: the slope is a difference quotient of σ, taken at so
many digits that its error does not matter.
"""

from collections.abc import Callable
from functools import cache

import mpmath
import sympy

import gradtheory as gt
from gradtheory.activations import Z

DIGITS = 50
_WORKING = 400  # σ(z) near its limits cancels: exp(-700) has 304 zeros


@cache
def sigma(name: str) -> Callable[[mpmath.mpf], mpmath.mpf]:
    """Return σ as a function of an mpf."""
    return sympy.lambdify(Z, gt.activation(name).expr, [{"exp": _exp}, "mpmath"])


def _exp(z: mpmath.mpf) -> mpmath.mpf:
    """Return exp(z) for |z| so large that mpmath would take z bits, or z squarings: 0, or by its own remainder."""
    if abs(z) <= 10**7:
        return mpmath.exp(z)
    if z < 0:
        return mpmath.mpf(0)  # it has more zeros than any working precision here
    with mpmath.workprec(mpmath.mp.prec + mpmath.mag(z) + 10):
        doublings = int(z / mpmath.ln2)
        return mpmath.ldexp(mpmath.exp(z - doublings * mpmath.ln2), doublings)


def value(name: str, z: object) -> mpmath.mpf:
    """Return σ(z) to at least 50 digits."""
    with mpmath.workdps(_WORKING):
        return sigma(name)(as_mpf(z))


def slope(name: str, z: object, digits: int = DIGITS) -> mpmath.mpf:
    """Return σ'(z) from a central difference; at a kink it is the mean of the two sides."""
    step_digits = digits + 40
    with mpmath.workdps(_WORKING + 3 * step_digits):
        at, step = as_mpf(z), mpmath.mpf(10) ** -step_digits
        return (sigma(name)(at + step) - sigma(name)(at - step)) / (2 * step)


def as_mpf(number: object) -> mpmath.mpf:
    """Return a SymPy number or a float as an mpf at the working precision."""
    if isinstance(number, mpmath.mpf):
        return number
    if isinstance(number, sympy.Rational):
        return mpmath.mpf(int(number.p)) / int(number.q)
    if isinstance(number, sympy.Expr):
        return mpmath.mpf(str(number.n(mpmath.mp.dps)))
    return mpmath.mpf(float(number))
