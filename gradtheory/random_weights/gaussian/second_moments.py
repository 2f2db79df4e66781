"""Second moments of an activation and of its slope under a Gaussian: numeric with an error, or proven."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import Ball, as_rational, bounds, enclose, integral, nearest
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import Array, read_positive, read_positive_array
from gradtheory.errors import InvalidArgument, NoClosedForm, Undecided
from gradtheory.random_weights.gaussian.closed import Q, closed_expectation
from gradtheory.random_weights.gaussian.interpolated import Interpolated
from gradtheory.random_weights.gaussian.places import jumps, places_and_period
from gradtheory.random_weights.gaussian.quadrature import Gaussians, Integrals, integrate
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

__all__ = ["BITS", "KINDS", "METHODS", "closed_form", "constant_there", "moment", "moments", "proven_moment"]

BITS = 128
_KNOWN = 1e-3  # of a moment beside an unbounded slope, or it diverges
_MOST_SIMPLIFIED = 200  # operations, where it ends: gelu has 166
_PROVEN_TAIL = sympy.Integer(16)  # standard deviations: beyond lies 1e-57 of the Gaussian

# What is integrated, as a function of σ(x), σ'(x) and x.
_INTEGRANDS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "value": lambda value, slope, x: value * value,
    "slope": lambda value, slope, x: slope * slope,
    "growth": lambda value, slope, x: value * slope * x,
    "fourth": lambda value, slope, x: (slope * slope) * (slope * slope),
}
KINDS = tuple(_INTEGRANDS)
METHODS = ("auto", "certified")

_LEAST_VARIANCE = 1e-305  # below, squares of z lose digits


def moments(record: Activation, variances: Array, kinds: Sequence[str]) -> Integrals:
    """Return the moments of these kinds, of shape (kinds, variances), in float64; inf where they diverge.

    See `moment` for the kinds.
    """
    has_jumps = "growth" in kinds and bool(jumps(record))

    def integrand(x: Array, z: Array, _: np.ndarray) -> Array:
        value, slope = record.value_and_slope(x)
        terms = [_INTEGRANDS[kind](value, slope, x) for kind in kinds]
        if has_jumps:  # q·d/dq E[σ²], by the derivative of the Gaussian: σ' does not know of the jumps
            terms[kinds.index("growth")] = value * value * (z * z - 1.0) / 2.0
        return np.stack(terms)

    known = integrate(integrand, Gaussians.centred(variances), *places_and_period(record))
    if record.infinite_slopes:  # a divergent integral leaves an error that halving panels does not mend
        lost = ~(known.error <= _KNOWN * np.abs(known.value))
        known.value[lost], known.error[lost] = np.inf, np.inf
    return known


@functools.lru_cache(maxsize=128)
def _interpolated(record: Activation, kind: str) -> Interpolated:
    return Interpolated(lambda q: moments(record, q, (kind,)))


def moments_of(record: Activation, variances: Array, kind: str) -> Integrals:
    """Return the moments of one kind, interpolated where many variances are near each other."""
    return _interpolated(record, kind).at(variances)


@overload
def moment(activation: ActivationLike, q: NumberLike, *, of: str = "value", method: str = "auto") -> Estimate: ...


@overload
def moment(
    activation: ActivationLike, q: ArrayLike, *, of: str = "value", method: str = "auto"
) -> Estimate | Estimates: ...


@lazily
def moment(
    activation: ActivationLike,
    q: NumberLike | ArrayLike,
    *,
    of: str = "value",
    method: str = "auto",
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return a Gaussian moment of an activation, for x ~ N(0, q).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    q : number, or array_like of floats
        The variance of x, positive.
    of : {"value", "slope", "growth", "fourth"}
        E[σ(x)²], E[σ'(x)²], q·d/dq E[σ(x)²] (which is E[σ(x)·σ'(x)·x] where σ is continuous) or E[σ'(x)⁴].
    method : {"auto", "certified"}
        "auto" integrates in float64. "certified" proves the digits of one number in ball arithmetic: from the closed
        form where there is one, else by Arb's integration.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimate or Estimates
        A float with its error; for an array of q an array of the same shape with errors, each to 1e-12 of the mean size
        of the integrand; of many variances near each other most are interpolated.

    Raises
    ------
    InvalidArgument
        If q is not positive, or the expectation diverges or exceeds float64.
    Undecided
        If a proof is asked for and none is known: σ jumps or has an unbounded slope, and there is no closed form.

    Examples
    --------
    >>> import gradtheory as gt
    >>> square = gt.gaussian.moment("relu", 3)
    >>> round(square, 12), square.error < 1e-14
    (1.5, True)
    >>> gt.gaussian.moment("tanh", 100, of="slope", method="certified")
    0.05310678774811583 ± 8.2e-18 (certified)

    """
    record = as_activation(activation)
    kind = one_of(of, "of", KINDS)
    if one_of(method, "method", METHODS) == "certified":
        return Estimate(*nearest(proven_moment(record, q, kind)), Guarantee.CERTIFIED)
    variances = read_positive_array(q, "q")
    value, error = moments_of(record, variances.reshape(-1), kind)
    tiny = variances.reshape(-1) < _LEAST_VARIANCE
    if (tiny & ((value[0] <= error[0]) | ~np.isfinite(value[0]) | (kind == "growth"))).any():
        rule = f"is so small that squares of {record.name} leave float64; take one from {_LEAST_VARIANCE:g} on"
        raise InvalidArgument("q", q, rule)
    if not np.isfinite(value).all():
        raise InvalidArgument("q", q, why_infinite(record))
    if variances.ndim == 0:
        return Estimate(value[0, 0], error[0, 0])
    return Estimates(value[0], error[0]).reshape(variances.shape)


def why_infinite(record: Activation) -> str:
    """Return why the moments of an activation are infinite, for an error message."""
    if record.infinite_slopes:
        place = record.infinite_slopes[0]
        why = f"diverge, or are not told from that: its slope is infinite at {place}"
        return f"the Gaussian moments of {record.name} {why}"
    return f"the Gaussian moments of {record.name} diverge there or exceed float64: it grows too fast; take a smaller q"


def constant_there(record: Activation) -> str:
    """Return why a moment may be 0, for an error message."""
    return f"must be larger: {record.name} is as good as constant there"


def closed_form(activation: ActivationLike, *, of: str = "value") -> sympy.Expr:
    r"""Return a Gaussian moment in closed form, in the positive symbol q.

    Parameters
    ----------
    activation, of
        As for `moment`.

    Raises
    ------
    NoClosedForm
        If none is known: it is for pieces of polynomials, exponentials, sines, Gaussians and erf.

    Examples
    --------
    >>> closed_form("relu"), closed_form("sine"), closed_form("erf", of="slope")
    (q/2, 1/2 - exp(-2*q)/2, 4/(pi*sqrt(4*q + 1)))

    """
    record = as_activation(activation)
    if one_of(of, "of", KINDS) == "growth":
        growth = Q * closed_form(record).diff(Q)
        return sympy.simplify(growth) if growth.count_ops() <= _MOST_SIMPLIFIED else growth
    return closed_expectation(_expression(record, of))


def _expression(record: Activation, kind: str) -> sympy.Expr:
    return _INTEGRANDS[kind](record.expr, record.slope_expr, Z)


def tends_to_0(record: Activation) -> bool:
    """Return whether σ(z) → 0 = σ(0) as z → 0: sign(z) jumps there."""
    return bool(record.value(0.0) == 0.0) and all(place != 0.0 for place, _ in jumps(record))


def proven_moment(record: Activation, q: NumberLike | ArrayLike, kind: str) -> Ball:
    """Return a ball that holds a moment at one exact q; the errors are those of `moment`."""
    variance = read_positive(q, "q")
    ball = _prove(record, variance, kind)
    if not (ball.is_finite() and math.isfinite(float(ball.abs_upper()))):
        raise InvalidArgument("q", q, why_infinite(record))
    return ball


def _prove(record: Activation, q: sympy.Expr, kind: str) -> Ball:
    try:
        return enclose(closed_form(record, of=kind).subs(Q, q), BITS)
    except NoClosedForm:
        pass
    if record.steepest_slope.is_infinite or jumps(record):
        raise Undecided(f"{record.name} jumps or has an unbounded slope, and no closed form: its tail is not proven")
    end = _PROVEN_TAIL * (math.isqrt(int(sympy.ceiling(q))) + 1)
    density = sympy.exp(-(Z**2) / (2 * q)) / sympy.sqrt(2 * sympy.pi * q)
    integrand = _expression(record, kind)
    total = _tail(record, q, kind, end)
    corners = (-end, *breaks(integrand, Z, -end, end), end)
    for left, right in pairwise(corners):
        smooth = stable(formula_near(integrand, Z, inner_point(left, right)))
        total = total + integral(smooth * density, Z, left, right, BITS)
    return total


def _tail(record: Activation, q: sympy.Expr, kind: str, end: sympy.Expr) -> Ball:
    """Return a ball around 0 that holds the integral beyond ±end, since |σ(x)| <= |σ(0)| + sup|σ'|·|x|."""
    x = sympy.Symbol("x", positive=True)
    sizes = abs(record.expr.subs(Z, 0)), record.steepest_slope
    start, steepest = (as_rational(bounds(each, each, BITS).upper) for each in sizes)
    bound = sympy.Poly(_INTEGRANDS[kind](start + steepest * x, steepest, x), x)
    # exp(-x²/2q) <= exp(-end²/4q)·exp(-x²/4q), and E|x|^k <= √E[x^2k] under the wider Gaussian
    terms = [
        sympy.Abs(coefficient) * sympy.sqrt((2 * q) ** k * sympy.factorial2(2 * k - 1))
        for (k,), coefficient in bound.terms()
    ]
    ball = enclose(sympy.sqrt(2) * sympy.exp(-(end**2) / (4 * q)) * sympy.Add(*terms), BITS)
    return ball.union(-ball)
