"""Many layers: how fast variances and correlations settle, and how fast gradients grow or fade there."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import enclose, precision
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.second_moments import BITS, proven_moment
from gradtheory.random_weights.meanfield.correlation import settled_correlation
from gradtheory.random_weights.meanfield.correlation_arrays import settled_correlations
from gradtheory.random_weights.meanfield.fixed_points import (
    FixedPoint,
    Points,
    found_points,
    read_scales,
    variance_map_of,
)
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike


@dataclass(frozen=True)
class DepthScales(ShownAsTable):
    """The depth scales of a wide network: in how many layers a deviation changes by a factor of e.

    inf where nothing changes exponentially, or so slowly that float64 does not tell the factor from 1. For arrays of
    scales every attribute is an array of their shape, with its errors; nan where there is no stable fixed point.

    Attributes
    ----------
    point : FixedPoint
        The stable fixed point of the variance map.
    c : Estimate or Estimates
        The stable fixed point of the correlation map: 1 in the ordered phase, and where every correlation is kept; less
        in the chaotic phase, and where σ jumps.
    xi_q : Estimate or Estimates
        -1/log|χ_∥|: layers in which a deviation of the variance falls by e.
    xi_c : Estimate or Estimates
        -1/log of the correlation map's slope at c: layers in which a deviation of the correlation falls by e. inf where
        q = 0 and σ has a slope at 0: a smooth σ keeps correlations there, and those of relu tend to 1 as 9π²/(2l²).
    xi_gradient : Estimate or Estimates
        1/log χ₁: layers in which the gradient's mean square grows by e; negative where it falls.
    reason : str
        Of arrays: at how many pairs of scales there is nan, and why at the first of them. Empty where there is none,
        and of Dask arrays.

    """

    point: FixedPoint
    c: Any
    xi_q: Any
    xi_c: Any
    xi_gradient: Any
    reason: str = ""

    @property
    def q(self) -> Any:
        """The variance at that fixed point, `point.q`."""
        return self.point.q

    def __repr__(self) -> str:
        if np.ndim(self.c):
            return f"DepthScales of shape {np.shape(self.c)}"
        scales = f"xi_q={self.xi_q.brief}, xi_c={self.xi_c.brief}, xi_gradient={self.xi_gradient.brief}"
        return f"DepthScales(q={self.point.q.brief}, c={self.c.brief}, {scales})"


@lazily
def depth_scales(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0.0,
    *,
    effort: float = EFFORT,
) -> DepthScales:
    r"""Return the depth scales at the smallest stable fixed point.

    What two inputs do is interpolated between panels in the variance and the correlation, to 1e-12 or so, which the
    errors include: ten thousand pairs of scales take seconds. Beside the edge of chaos, at χ₁ = 1 ± d, ξ_c and ξ_∇ are
    known to 1e-10 or some 1e-13/d of their size, as far as float64 knows χ₁. ξ_∇ = 1/log χ₁ has the sign of growth, so
    that it is negative in the ordered phase, where gradients vanish; that of Schoenholz et al. is -1/log χ₁.

    Parameters
    ----------
    activation, sigma_w, sigma_b, effort
        As for `fixed_points`.

    Raises
    ------
    InvalidArgument
        If one pair of scales is given, and there is no stable fixed point, or a scale is above 1e140; in arrays nan
        stands there, and `reason` says why.
    Undecided
        If χ₁ is infinite there, because the slope is at some place; or if q = 0 there and σ, without a slope at 0, is
        like no power of z up to the 32nd.

    References
    ----------
    Schoenholz et al. (2017), equations 7 and 9, and section 4.

    Examples
    --------
    >>> scales = depth_scales("tanh", 2.5, 0.3)  # chaotic
    >>> round(scales.c, 6), round(scales.xi_gradient, 6)
    (0.122104, 2.170486)
    >>> many = depth_scales("relu", [1.0, 1.2, 2.0], 0.1)  # the last has no fixed point
    >>> many.xi_gradient.round(4)
    array([-1.4427, -3.0441,     nan])

    """
    record = as_activation(activation)
    weights, biases = read_scales(record, sigma_w, sigma_b)
    points = found_points(record, weights.reshape(-1), biases.reshape(-1)).first_stable(weights.size)
    if weights.ndim:
        return _of_many(record, points, weights, biases)
    point, weight, bias = points.at(0), float(weights), float(biases)
    if not point.is_stable:
        raise InvalidArgument("sigma_w", sigma_w, _why_none(record, weight, bias))
    if math.isinf(point.chi) and record.infinite_slopes:
        place = record.infinite_slopes[0]
        raise Undecided(f"depth scales of {record.name} are not decided: its slope is infinite at {place}, so is χ₁")
    scales = _of_many(record, points, weights, biases)
    return DepthScales(point, *(each[()] for each in (scales.c, scales.xi_q, scales.xi_c, scales.xi_gradient)))


def _at_point(record: Activation, point: FixedPoint, weight: float, bias: float) -> DepthScales:
    chi = _sharpened(record, point, bias)
    try:
        c, slope = settled_correlation(record, point.q, chi, weight, bias)
    except InvalidArgument as error:
        raise InvalidArgument("sigma_w", weight, f"makes q = {float(point.q):.6g}: {error}") from None
    fades = _scale(chi)
    grows = fades if math.isinf(fades) else Estimate(0.0 - float(fades), fades.error)
    return DepthScales(point, c, _scale(point.chi_parallel), _scale(slope), grows)


def _of_many(record: Activation, points: Points, weights: Array, biases: Array) -> DepthScales:
    """Return the depth scales of every pair of scales; those beside χ₁ = 1 are asked for one by one."""
    shape, weight, bias = weights.shape, weights.reshape(-1), biases.reshape(-1)
    c, slope = settled_correlations(record, points, weight, bias)
    xi_q = _scales(points.chi_parallel, points.chi_parallel_error)
    xi_c, xi_gradient = _scales(*slope), _scales(points.chi, points.chi_error)
    kept = (*c, *xi_c, *xi_gradient)
    unclear = np.isnan(c[0]) | (np.abs(points.chi - 1.0) <= points.chi_error)
    homogeneous = Origin.of(record).is_homogeneous
    for which in map(int, np.flatnonzero(unclear & ~np.isnan(points.q) & (not homogeneous))):
        one = _at_point(record, points.at(which), float(weight[which]), float(bias[which]))
        numbers = (each for number in (one.c, one.xi_c, one.xi_gradient) for each in (float(number), number.error))
        for array, number in zip(kept, numbers, strict=True):
            array[which] = number
        xi_gradient[0][which] *= -1.0
    with np.errstate(invalid="ignore"):
        grows = np.where(np.isinf(xi_gradient[0]), xi_gradient[0], 0.0 - xi_gradient[0]), xi_gradient[1]
    at, by_q, by_c, by_gradient = (Estimates(*pair).reshape(shape) for pair in (c, xi_q, xi_c, grows))
    reason = _why_nan(record, np.isnan(points.q), weight, bias)
    return DepthScales(points.shaped(shape), at, by_q, by_c, by_gradient, reason)


def _why_nan(record: Activation, lost: np.ndarray, weight: Array, bias: Array) -> str:
    """Return why the first pair of scales without a stable fixed point has none, in the words that refuse it alone."""
    which = np.flatnonzero(lost)
    if not len(which):
        return ""
    first = float(weight[which[0]]), float(bias[which[0]])
    try:
        read_scales(record, *first)
        why = f"sigma_w = {first[0]:g}: {_why_none(record, *first)}"
    except InvalidArgument as error:
        why = str(error)
    return f"nan at {len(which)} of {len(lost)} pairs of scales, first where {why}"


def _scales(factor: Array, error: Array) -> tuple[Array, Array]:
    """Return -1/log|factor| of each and its error, as `_scale` does."""
    size = np.abs(factor)
    with np.errstate(all="ignore"):
        layers = -1.0 / np.log(size)
        off = layers**2 * error / (size - error) + 4.0 * 2.0**-52 * np.abs(layers)
        least = np.where((error > 0.0) & (error < 0.5), -1.0 / np.log(size + error), 0.0)
    told, some = np.abs(size - 1.0) > error, size > error
    layers = np.where(told, np.where(some, layers, 0.0), np.inf)
    off = np.where(told, np.where(some, off, least), np.inf)
    lost = np.isnan(size)
    return np.where(lost, np.nan, layers), np.where(lost, np.nan, off)


def _sharpened(record: Activation, point: FixedPoint, sigma_b: float) -> Estimate:
    """Return χ₁, in balls where float64 does not tell it from 1.

    At a fixed point it is (q - σ_b²)·E[σ'²]/E[σ²], which near q = 0 hardly depends on q, so that its own error is
    small.
    """
    chi: Estimate = point.chi
    if abs(chi - 1.0) > chi.error or point.q <= sigma_b**2 or Origin.of(record).is_homogeneous:
        return chi
    q, excesses = float(point.q), []
    try:
        for place in (q, q - point.q.error, q + point.q.error):
            value, slope = (proven_moment(record, place, kind) for kind in ("value", "slope"))
            kept = sympy.Rational(place) - sympy.Rational(sigma_b) ** 2
            with precision(BITS):
                excesses.append(slope / value * enclose(kept, BITS) - 1)
    except (InvalidArgument, Undecided):
        return chi
    middle, *others = (float(each.mid()) for each in excesses)
    return Estimate(1.0 + middle, 2.0 * max(abs(each - middle) for each in others) + 2.0**-52)


def _scale(factor: Estimate) -> Estimate:
    """Return -1/log|factor|; inf where the factor is not told from 1, 0 where it is not told from 0."""
    size, error = abs(float(factor)), factor.error
    if abs(size - 1.0) <= error:
        return Estimate(math.inf, math.inf)
    if size <= error:
        return Estimate(0.0, -1.0 / math.log(size + error) if 0.0 < error < 0.5 else 0.0)
    layers = -1.0 / math.log(size)
    return Estimate(layers, layers**2 * error / (size - error) + 4.0 * 2.0**-52 * abs(layers))


def _why_none(record: Activation, sigma_w: float, sigma_b: float) -> str:
    start = f"{record.name} has no stable fixed point for sigma_b = {sigma_b:g}, "
    if variance_map_of(record, np.array([sigma_w]), np.array([sigma_b])).grows_far_out()[0]:
        return f"{start}the variance grows; take a smaller sigma_w"
    return f"{start}the variance does not settle; take another sigma_w"
