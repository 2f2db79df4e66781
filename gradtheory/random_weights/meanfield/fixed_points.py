"""The variances that a layer keeps: the fixed points of the variance map."""

import math
from dataclasses import dataclass, replace

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import (
    one_of,
    read_nonnegative,
    read_nonnegative_float,
    read_positive,
    read_positive_float,
)
from gradtheory.random_weights.gaussian.second_moments import METHODS
from gradtheory.random_weights.meanfield.certified import prove
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import moments_at
from gradtheory.random_weights.meanfield.variance_growth import Crossing, VarianceMap
from gradtheory.typing import ActivationLike, NumberLike

ROUNDING = 1e-12  # of χ where σ is two half-lines: √2 in float64 is critical for relu
_EPSILON = 2.0**-52
_DECADES = 18  # of variances on either side of 1, and more where σ_b or a bounded range asks for them
_MOST_DECADES = 290


@dataclass(frozen=True)
class FixedPoint(ShownAsTable):
    """A variance that a layer keeps.

    Attributes
    ----------
    q : Estimate
        The variance; 1.0 where every q is one.
    chi : Estimate
        χ₁ there: the factor of the gradient's mean square per layer; inf where its expectation diverges.
    chi_parallel : Estimate
        χ_∥ there: the factor of a deviation of q per layer.
    is_stable : bool
        Whether variances on both sides are drawn to it, |χ_∥| < 1, or every q is a fixed point.

    """

    q: Estimate
    chi: Estimate
    chi_parallel: Estimate
    is_stable: bool


def fixed_points(
    activation: ActivationLike, sigma_w: NumberLike, sigma_b: NumberLike = 0.0, *, method: str = "auto"
) -> tuple[FixedPoint, ...]:
    r"""Return the fixed points of the variance map, in increasing order; none where variances grow without bound.

    They are found in float64 among q = 0 and q from 1e-18 to 1e18 (from σ_b² and up to the bound of a bounded
    activation, where these are beyond), as far as float64 holds their moments. Two of them that are nearer to each
    other than their errors are one, which is not stable: there the variance map touches the diagonal, apart from
    rounding.

    Certified ones are proven, and proven to be all: among all q > 0 where σ is bounded or σ_w·sup|σ'| < 0.999, else up
    to 1e6; and from 1e-6 where q = 0 is one.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : number
        The standard deviations of weights (times √fan_in) and biases.
    method : {"auto", "certified"}
        "certified" proves each q, for exact σ_w and σ_b, and how many there are, in ball arithmetic; slopes stay
        numeric.

    Returns
    -------
    tuple of FixedPoint
        Each with its slopes, their errors, and whether it is stable.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, σ_w is not positive, or σ_b is negative.
    Undecided
        If a proof is asked for and does not succeed: at or beside a place where the variance map touches the diagonal,
        or where σ jumps or has an unbounded slope.

    Examples
    --------
    >>> fixed_points("erf", "6/5", "1/10", method="certified")[0].q  # there is no other
    0.4783060434955205 ± 9.6e-12 (certified)
    >>> [(round(point.q, 6), point.is_stable) for point in fixed_points("tanh", 1.5)]
    [(0.0, False), (0.793354, True)]
    >>> [(round(point.q, 6), point.is_stable) for point in fixed_points("gelu", 1.8, 0.05)]  # two fates
    [(0.014928, True), (0.136293, False)]
    >>> fixed_points("relu", 2, 0.1)
    ()

    """
    record = as_activation(activation)
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    if one_of(method, "method", METHODS) == "certified":
        places = fixed_points(record, sigma_w, sigma_b)
        positive = [float(point.q) for point in places if point.q > 0.0]
        proven = iter(prove(record, read_positive(sigma_w, "sigma_w"), read_nonnegative(sigma_b, "sigma_b"), positive))
        return tuple(replace(point, q=next(proven)) if point.q > 0.0 else point for point in places)
    origin = Origin.of(record)
    slope = weight**2 * origin.mean_square_slope
    if origin.is_homogeneous:
        return _of_lines(slope, bias)
    layers = variance_map_of(record, weight, bias)
    points = []
    if origin.is_zero and not bias:
        chi = _estimate(slope)
        points.append(FixedPoint(Estimate(0.0, 0.0, Guarantee.EXACT), chi, chi, is_stable=layers.shrinks_near_0()))
    crossings = layers.crossings()
    if crossings:
        points.extend(_with_slopes(record, weight, crossings))
    return tuple(points)


def variance_map_of(record: Activation, sigma_w: float, sigma_b: float) -> VarianceMap:
    """Return the variance map over all variances among which it may have fixed points."""
    least = -_DECADES if not sigma_b else min(-_DECADES, math.floor(2.0 * math.log10(sigma_b)) - 1)
    greatest = max(abs(float(record.range.inf)), abs(float(record.range.sup)))
    bound = math.hypot(sigma_b, sigma_w * greatest) if math.isfinite(greatest) else sigma_b
    most = _DECADES if not bound else max(_DECADES, math.ceil(2.0 * math.log10(bound)) + 1)
    return VarianceMap(record, sigma_w, sigma_b, max(least, -_MOST_DECADES), min(most, _MOST_DECADES))


def _of_lines(slope: float, bias: float) -> tuple[FixedPoint, ...]:
    """Return the fixed points where σ is two half-lines: q = χ·q + σ_b²."""
    chi = _estimate(slope)
    if abs(slope - 1.0) <= ROUNDING:
        return () if bias else (FixedPoint(Estimate(1.0, 0.0), chi, chi, is_stable=True),)
    if not bias:
        return (FixedPoint(Estimate(0.0, 0.0, Guarantee.EXACT), chi, chi, is_stable=slope < 1.0),)
    if slope > 1.0:
        return ()
    q = bias**2 / (1.0 - slope)
    return (FixedPoint(Estimate(q, q * (chi.error / (1.0 - slope) + 4.0 * _EPSILON)), chi, chi, is_stable=True),)


def _estimate(slope: float) -> Estimate:
    """Return σ_w² times a mean square of two slopes, each rounded."""
    return Estimate(slope, 8.0 * _EPSILON * slope)


def _with_slopes(record: Activation, sigma_w: float, crossings: list[Crossing]) -> list[FixedPoint]:
    """Return the fixed points with χ₁ and χ_∥, whose errors are those of the quadrature and of q together."""
    places = np.array([each.log_q for each in crossings])
    reach = np.array([each.error for each in crossings])
    q = np.exp(places)
    at = moments_at(record, np.concatenate([q, q * np.exp(-reach), q * np.exp(reach)]))
    points = []
    for each, variance, own, below, above in zip(crossings, q, *np.split(np.arange(3 * len(q)), 3), strict=True):
        slopes: list[Estimate] = []
        for values, errors in ((at.slope, at.slope_error), (at.growth, at.growth_error)):
            if math.isnan(values[own]):
                slopes.append(Estimate(math.inf, math.inf))
                continue
            spread = np.nanmax(np.abs(values[[below, above]] - values[own]), initial=0.0)
            error = errors[own] + spread + 4.0 * _EPSILON * abs(values[own])
            slopes.append(Estimate(sigma_w**2 * values[own], sigma_w**2 * error))
        is_stable = each.direction < 0 and slopes[1] > -1.0
        size = float(variance) * (math.expm1(min(each.error, 700.0)) + 2.0 * _EPSILON)
        points.append(FixedPoint(Estimate(float(variance), size), slopes[0], slopes[1], is_stable=bool(is_stable)))
    return points
