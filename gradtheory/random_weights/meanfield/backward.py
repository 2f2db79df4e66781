"""Gradients of wide networks, layer by layer, and the singular values of the whole Jacobian."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT, limited
from gradtheory.arithmetic.estimates import Estimates, estimated
from gradtheory.arithmetic.inputs import (
    broadcast,
    read_depth,
    read_nonnegative_array,
    read_positive_array,
    read_positive_float,
)
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.floats import FLOAT_TYPES, read_float_type
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import GRID, Moments, many_moments_at, moment_table, moments_at
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_FIRST_LAYERS, _STEPS, _SLOWEST = 300, 20_001, 1e-15
_EPSILON = 2.0**-52
_ROUNDING = 8.0 * _EPSILON  # of a layer: a square, a product and a sum
_NUDGE = 1e-5
_SMALLEST = 1e-200  # variances below are 0


@lazily
def gradients(
    activation: ActivationLike,
    depth: int,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0.0,
    *,
    q: NumberLike | ArrayLike | None = None,
    effort: float = EFFORT,
) -> Estimates:
    r"""Return the mean square of the gradient ∂C/∂z_l in every layer of a wide network.

    q_1 is the variance of the first pre-activations, and q_{l+1} comes from the variance map; E[σ'(√q_L z)²] in the
    last layer, where ∂C/∂a is drawn from N(0, 1), and times χ₁(q_l) in every layer before.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth : int
        The number of layers L.
    sigma_w, sigma_b : number or array_like
        As for `fixed_points`.
    q : number or array_like, optional
        The variance q_1 of the first pre-activations; σ_w² + σ_b², that of inputs of mean square 1, by default.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimates of shape (…, L)
        Of the common shape of the arguments, with the layers as the last axis; errors follow the variance from layer to
        layer, and grow where a fixed point is unstable.

    Raises
    ------
    InvalidArgument
        If one network is asked for and its variance leaves the range of float64, or the slope has no second moment;
        in arrays nan stands there.

    References
    ----------
    Schoenholz et al. (2017), equation 13.

    Examples
    --------
    >>> gradients("relu", 3, sigma_w=2**0.5).round(6)
    array([0.5, 0.5, 0.5])
    >>> below, above = gradients("gelu", 60, 1.8, 0.05, q=[0.1, 0.2])  # of the unstable fixed point 0.136
    >>> bool(below[0] < 0.1 * below[-1]), bool(above[0] > 10.0 * above[-1])
    (True, True)

    """
    record, many = as_activation(activation), read_depth(depth)
    weight, bias = broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"), sigma_b=read_nonnegative_array(sigma_b, "sigma_b")
    )
    with np.errstate(over="ignore"):
        start = weight**2 + bias**2 if q is None else read_positive_array(q, "q")
    weight, bias, start = broadcast(sigma_w=weight, sigma_b=bias, q=start)
    shape, (weight, bias, variance) = weight.shape, (each.reshape(-1) for each in (weight, bias, start))
    at_0, moments_of = Origin.of(record).mean_square_slope, moments_at if variance.size == 1 else many_moments_at
    slopes, off = np.empty((many, variance.size)), np.zeros((many, variance.size))
    away = np.zeros(variance.size)  # the error of log q
    for layer in range(many):
        usual = (variance >= _SMALLEST) & np.isfinite(variance)
        slopes[layer] = np.where(variance < _SMALLEST, at_0, np.nan)
        q = variance[usual]
        with np.errstate(over="ignore"):
            both = moments_of(record, np.concatenate([q, q * (1.0 + _NUDGE)]))
        moments, beside = (Moments(*(each[part] for each in both)) for part in (slice(len(q)), slice(len(q), None)))
        if not shape and not (np.isfinite(variance).all() and np.isfinite(moments.value).all()):
            raise InvalidArgument(
                "depth", depth, f"the variance leaves float64 in layer {layer + 1}; take fewer layers"
            )
        if not shape and not np.isfinite(moments.slope).all():
            raise InvalidArgument("activation", record.name, f"has no finite E[σ'²] in layer {layer + 1}")
        slopes[layer, usual] = moments.slope
        variance = np.where(np.isnan(slopes[layer]), np.nan, 0.0)
        with np.errstate(all="ignore"):
            square = weight[usual] ** 2
            variance[usual] = square * moments.value + bias[usual] ** 2
            steep = np.abs(np.log(beside.slope / moments.slope)) / _NUDGE
            off[layer, usual] = moments.slope_error / moments.slope + steep * away[usual] + _ROUNDING
            moved = np.abs(moments.growth) * q * away[usual] + moments.value_error
            away[usual] = square * moved / variance[usual] + _ROUNDING
    with np.errstate(over="ignore", invalid="ignore"):
        factors = np.concatenate([slopes[-1:], weight**2 * slopes[-2::-1]])
        result, error = (np.cumprod(factors, axis=0)[::-1], np.expm1(np.cumsum(off[::-1], axis=0))[::-1])
        return Estimates(result.T, np.where(result == 0.0, 0.0, np.abs(result) * error).T).reshape(*shape, many)


@limited
def lasting_depth(activation: ActivationLike, sigma_w: NumberLike, dtype: str = "float32") -> int | float:
    r"""Return after how many layers a gradient's root mean square leaves a float type, where χ₁ → 1 or 0, unbiased.

    For inputs of mean square 1; inf if it never does on the way to q = 1e12 or 1e-12. The first layers are taken one by
    one; then the variance changes so little in each that layers are ∫ dt/h + log(h)/2, with h the excess log(V(q)/q)
    over t = log q, and the logarithm of the gradient's mean square is the integral of log χ₁ over them, less half of
    what log χ₁ changes by.

    Examples
    --------
    >>> lasting_depth("elu", 2**0.5)  # a power of the number of layers
    48057

    """
    record, weight = as_activation(activation), read_positive_float(sigma_w, "sigma_w")
    floats = read_float_type(dtype, FLOAT_TYPES)
    least, most = (2.0 * float(sympy.log(sympy.Rational(end)).n(20)) for end in (floats.underflow, floats.overflow))
    q, total = weight**2, 0.0
    for layer in range(_FIRST_LAYERS):
        at = moments_at(record, np.array([q]))
        total += math.log(weight**2 * at.slope[0]) if at.slope[0] > 0.0 else -math.inf
        if not least < total < most:
            return layer + 1
        q = float(weight**2 * at.value[0])
    nodes, table = np.log(GRID), moment_table(record)
    with np.errstate(all="ignore"):
        excess, grows = np.log(weight**2 * table.value) - nodes, np.log(weight**2 * table.slope)
    side = 1.0 if math.log(q) < nodes[-1] and np.interp(math.log(q), nodes, excess) > 0.0 else -1.0
    ahead = np.linspace(math.log(q), side * nodes[-1], _STEPS)
    slow = CubicSpline(nodes, np.log(np.maximum(side * excess, _SLOWEST)))
    rate, log_chi = side * np.exp(-slow(ahead)), CubicSpline(nodes, grows)(ahead)
    layers = cumulative_trapezoid(rate + slow(ahead, 1) / 2.0, ahead, initial=0)
    logs = total + cumulative_trapezoid(log_chi, layers, initial=0) - (log_chi - log_chi[0]) / 2.0
    left = np.flatnonzero((logs <= least) | (logs >= most))
    if not left.size:
        return math.inf
    place, end = int(left[0]), least if logs[left[0]] <= least else most
    share = (end - logs[place - 1]) / (logs[place] - logs[place - 1])
    return _FIRST_LAYERS + math.ceil(float(layers[place - 1] + share * (layers[place] - layers[place - 1])))


@dataclass(frozen=True)
class JacobianMoments(ShownAsTable):
    """The squared singular values of the Jacobian from the first pre-activations to the last, averaged.

    Attributes
    ----------
    mean : Estimate or Estimates
        χ₁^L.
    variance : Estimate or Estimates
        Their spread; with it grow the largest ones, while the mean stays.

    """

    mean: Any
    variance: Any


@lazily
def jacobian_moments(
    activation: ActivationLike,
    depth: int,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    *,
    weights: str = "gaussian",
    effort: float = EFFORT,
) -> JacobianMoments:
    r"""Return mean and variance of the squared singular values of a wide network's input-output Jacobian.

    χ₁^L and χ₁^(2L)·L·(μ₂/μ₁² - 1 - s₁), where μ_k = E[σ'(√q z)^(2k)], and s₁ is -1 for Gaussian weights and 0 for
    orthogonal ones.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth : int
        The number of layers L.
    q : number or array_like
        The variance of the pre-activations, the same in every layer: a fixed point.
    sigma_w : number or array_like
        The standard deviation of the weights, times √fan_in.
    weights : {"gaussian", "orthogonal"}
        How each layer's weights are drawn.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    JacobianMoments
        The mean and the variance, with errors; arrays for arrays.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, or another argument breaks a rule.

    References
    ----------
    Pennington, Schoenholz & Ganguli, "Resurrecting the sigmoid in deep learning through dynamical isometry" (2017),
    equations 17 and 22, and "The emergence of spectral universality in deep networks" (2018).

    Examples
    --------
    >>> round(jacobian_moments("identity", 10, q=1, sigma_w=1).variance, 10)
    10.0
    >>> abs(jacobian_moments("identity", 10, q=1, sigma_w=1, weights="orthogonal").variance) < 1e-13
    True

    """
    many = read_depth(depth)
    free = -1.0 if one_of(weights, "weights", ("gaussian", "orthogonal")) == "gaussian" else 0.0
    variance, weight = broadcast(q=read_positive_array(q, "q"), sigma_w=read_positive_array(sigma_w, "sigma_w"))
    first, second = (moment(activation, variance, of=kind) for kind in ("slope", "fourth"))
    slope, fourth = np.asarray(first), np.asarray(second)
    with np.errstate(over="ignore", invalid="ignore"):
        chi = weight**2 * slope
        mean, spread = chi**many, fourth / slope**2 - 1.0 - free
        off, ratio_error = first.error / slope, second.error / slope**2 + 2.0 * fourth * first.error / slope**3
        rounding = 8.0 * _EPSILON
        mean_error = mean * (many * (off + rounding))
        square = mean * mean * many
        error = square * (2.0 * many * (off + rounding) * np.abs(spread) + ratio_error + rounding * (1.0 + fourth))
    parts = mean, mean_error, square * spread, error
    mean, mean_error, spread, error = (np.where(slope != 0.0, each, 0.0) for each in parts)  # no gradient passes a step
    return JacobianMoments(estimated(mean, mean_error), estimated(spread, error))
