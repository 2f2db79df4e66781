"""Many layers: the fixed points of the variance map, how fast they are reached, and what gradients do there."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.meanfield.maps import correlation_map, correlation_slope
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import (
    GRID,
    Moments,
    moment_table,
    moments_at,
    sign_changes,
    solve_between,
)
from gradtheory.typing import ActivationLike, NumberLike

_ROUNDING = 1e-12  # of χ: √2 in float64 is critical for relu
_HERE = 1e-6  # from c = 1


@dataclass(frozen=True)
class FixedPoint:
    """A variance that a layer keeps.

    Attributes
    ----------
    q : float
        The variance; 1.0 where every q is one.
    chi : float
        χ₁ there: the factor of the gradient's mean square per layer.
    chi_parallel : float
        χ_∥ there: the factor of a deviation of q per layer.
    is_stable : bool
        |χ_∥| < 1, or every q is a fixed point.

    """

    q: float
    chi: float
    chi_parallel: float
    is_stable: bool


def fixed_points(activation: ActivationLike, sigma_w: NumberLike, sigma_b: NumberLike = 0.0) -> tuple[FixedPoint, ...]:
    r"""Return the fixed points of the variance map, in increasing order; none where variances grow without bound.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : number
        The standard deviations of weights (times √fan_in) and biases.

    Returns
    -------
    tuple of FixedPoint
        Each with its slopes, and whether it is stable.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, σ_w is not positive, or σ_b is negative.

    Examples
    --------
    >>> [(round(point.q, 6), point.is_stable) for point in fixed_points("tanh", 1.5)]
    [(0.0, False), (0.793354, True)]
    >>> fixed_points("relu", 2, 0.1)
    ()

    """
    record = as_activation(activation)
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    origin = Origin.of(record)
    slope = weight**2 * origin.mean_square_slope
    if origin.is_homogeneous:
        if abs(slope - 1.0) <= _ROUNDING:
            return () if bias else (FixedPoint(1.0, slope, slope, is_stable=True),)
        of_line = FixedPoint(bias**2 / (1.0 - slope) if bias else 0.0, slope, slope, is_stable=slope < 1.0)
        return (of_line,) if slope < 1.0 or not bias else ()
    points = []
    if origin.is_zero and not bias:
        is_stable = origin.is_stable if abs(slope - 1.0) <= _ROUNDING else slope < 1.0
        points.append(FixedPoint(0.0, slope, slope, is_stable=is_stable))

    def residual(q: np.ndarray, moments: Moments) -> np.ndarray:
        return np.asarray(weight**2 * moments.value + bias**2 - q.reshape(-1)).reshape(q.shape)

    grid = moment_table(record)
    excess = residual(GRID, grid)
    cells = np.flatnonzero(sign_changes(np.where(np.abs(excess) > _ROUNDING * GRID, excess, np.nan)))
    if cells.size:
        places = solve_between(record, residual, GRID[cells], GRID[cells + 1])
        moments = moments_at(record, places)
        for q, chi, parallel in zip(places, weight**2 * moments.slope, weight**2 * moments.growth, strict=True):
            points.append(FixedPoint(float(q), float(chi), float(parallel), is_stable=bool(abs(parallel) < 1.0)))
    return tuple(points)


@dataclass(frozen=True)
class DepthScales:
    """The depth scales of a wide network: in how many layers a deviation changes by a factor of e; inf at criticality.

    Attributes
    ----------
    point : FixedPoint
        The stable fixed point of the variance map.
    c : float
        The stable fixed point of the correlation map: 1 in the ordered phase, less in the chaotic one.
    xi_q : float
        -1/log|χ_∥|: layers in which a deviation of the variance falls by e.
    xi_c : float
        -1/log of the correlation map's slope at c: layers in which a deviation of the correlation falls by e.
    xi_gradient : float
        1/log χ₁: layers in which the gradient's mean square grows by e; negative where it falls.

    """

    point: FixedPoint
    c: float
    xi_q: float
    xi_c: float
    xi_gradient: float

    def __repr__(self) -> str:
        scales = f"xi_q={self.xi_q:g}, xi_c={self.xi_c:g}, xi_gradient={self.xi_gradient:g}"
        return f"DepthScales(q={self.point.q:g}, c={self.c:g}, {scales})"


def depth_scales(activation: ActivationLike, sigma_w: NumberLike, sigma_b: NumberLike = 0.0) -> DepthScales:
    r"""Return the depth scales at the smallest stable fixed point.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `fixed_points`.

    Raises
    ------
    InvalidArgument
        If there is no stable fixed point.

    References
    ----------
    Schoenholz et al. (2017), equations 7 and 9, and section 4.

    Examples
    --------
    >>> scales = depth_scales("tanh", 2.5, 0.3)  # chaotic
    >>> round(scales.c, 6), round(scales.xi_gradient, 6)
    (0.122104, 2.170486)

    """
    stable = [point for point in fixed_points(activation, sigma_w, sigma_b) if point.is_stable]
    if not stable:
        raise InvalidArgument(
            "sigma_w",
            sigma_w,
            f"{as_activation(activation).name} has no stable fixed point for sigma_b = {sigma_b}, the variance grows; "
            "take a smaller sigma_w",
        )
    point = stable[0]
    c, slope = 1.0, point.chi
    if point.chi > 1.0 + _ROUNDING and point.q > 0.0:

        def excess(c: float) -> float:
            return correlation_map(activation, c, point.q, sigma_w, sigma_b) - c

        left = -1.0 if excess(-1.0) > _ROUNDING else _HERE - 1.0  # without biases, odd activations keep -1 as well
        try:
            c = float(brentq(excess, left, 1.0 - _HERE)) if excess(1.0 - _HERE) < 0.0 < excess(left) else c
        except InvalidArgument as error:
            raise InvalidArgument("sigma_w", sigma_w, f"makes q = {point.q:.6g}: {error}") from None
        slope = float(correlation_slope(activation, c, point.q, sigma_w))
    return DepthScales(point, c, _scale(abs(point.chi_parallel)), _scale(slope), -_scale(point.chi))


def _scale(factor: float) -> float:
    if abs(factor - 1.0) <= _ROUNDING:
        return math.inf
    return -1.0 / math.log(factor) if factor > 0.0 else 0.0
