# Above 300 lines: four maps of one layer, half of it docstrings.
"""One wide layer in the mean-field limit: what it does to the variance of pre-activations and to gradients.

With weights N(0, σ_w²/fan_in) and biases N(0, σ_b²), the pre-activations of a layer are Gaussian as its width grows;
one layer maps their variance q and their correlation c, and multiplies the mean square of the gradient by χ
(B. Poole et al., "Exponential expressivity in deep neural networks through transient chaos", 2016; S. Schoenholz et
al., "Deep information propagation", 2017).
"""

import math
from functools import partial
from typing import overload

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import enclose, nearest, precision
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import (
    Array,
    broadcast,
    read_nonnegative,
    read_nonnegative_array,
    read_positive,
    read_positive_array,
)
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import correlated, moment
from gradtheory.random_weights.gaussian.bivariate import of_jumps
from gradtheory.random_weights.gaussian.differences import has_products, products
from gradtheory.random_weights.gaussian.places import jumps
from gradtheory.random_weights.gaussian.second_moments import BITS, METHODS, constant_there, moments_of, proven_moment
from gradtheory.random_weights.gaussian.together import read_correlations, together
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_EPSILON = 2.0**-52
_LEAST = 2.0**-1074  # what may be lost where a product underflows
_BEYOND = "makes, with sigma_b and q, numbers beyond float64; take smaller ones"


@lazily
def variance_map(
    activation: ActivationLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0,
    *,
    method: str = "auto",
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return the variance of the next layer's pre-activations, σ_w²·E[σ(√q z)²] + σ_b² with z ~ N(0, 1).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation σ.
    q : number or array_like
        The variance of this layer's pre-activations, positive.
    sigma_w : number or array_like
        The weights' standard deviation times √fan_in, positive.
    sigma_b : number or array_like
        The biases' standard deviation, not negative.
    method : {"auto", "certified"}
        "certified" proves the digits of the expectation; it takes numbers only.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimate, or ndarray of float
        A float with its error; for arrays an array of their common shape, inf where the result exceeds float64.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or the expectation diverges, or one number exceeds float64.

    References
    ----------
    Poole et al. (2016), equation 3.

    Examples
    --------
    >>> variance = variance_map("tanh", 1, sigma_w=1.5, sigma_b=0.1)
    >>> round(variance, 12), variance.error < 1e-13
    (0.897162603395, True)

    """
    if one_of(method, "method", METHODS) == "certified":
        return _proven(activation, q, "value", sigma_w, sigma_b)
    weight, bias = read_positive_array(sigma_w, "sigma_w"), read_nonnegative_array(sigma_b, "sigma_b")
    second = moment(activation, q, of="value")
    broadcast(q=np.asarray(second), sigma_w=weight, sigma_b=bias)
    return _affine(second, weight, bias)


@lazily
def chi(
    activation: ActivationLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    *,
    method: str = "auto",
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return χ₁ = χ_⊥ = σ_w²·E[σ'(√q z)²]: one layer's factor of the gradient's mean square.

    Where σ is continuous it is also the slope of the correlation map at c = 1: nearby inputs separate where it exceeds
    1. The arguments are those of `variance_map`.

    Returns
    -------
    Estimate or ndarray
        A number with its error, or an array where q or σ_w is one.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, q or σ_w is not positive, or the method is not one of its names.

    References
    ----------
    Schoenholz et al. (2017), equation 5; Roberts, Yaida & Hanin, "The Principles of Deep Learning Theory" (2022),
    equation 5.5.

    Examples
    --------
    >>> round(chi("tanh", 1e-6, sigma_w=1), 12)
    0.999998000007

    """
    if one_of(method, "method", METHODS) == "certified":
        return _proven(activation, q, "slope", sigma_w)
    weight = read_positive_array(sigma_w, "sigma_w")
    second = moment(activation, q, of="slope")
    broadcast(q=np.asarray(second), sigma_w=weight)
    return _affine(second, weight, np.zeros(()))


@lazily
def chi_parallel(
    activation: ActivationLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    *,
    method: str = "auto",
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return χ_∥ = d(variance map)/dq = σ_w²·E[σ(x)·σ'(x)·x]/q: how a deviation of the variance grows.

    The arguments are those of `variance_map`. A fixed point is stable where |χ_∥| < 1.

    References
    ----------
    Roberts, Yaida & Hanin (2022), equation 5.4.

    Examples
    --------
    >>> round(chi_parallel("relu", 5, sigma_w=2**0.5), 12)
    1.0

    """
    if one_of(method, "method", METHODS) == "certified":
        return _proven(activation, q, "growth", sigma_w)
    variance, weight = broadcast(q=read_positive_array(q, "q"), sigma_w=read_positive_array(sigma_w, "sigma_w"))
    scaled = weight / np.sqrt(variance)
    return _affine(moment(activation, q, of="growth"), scaled, np.zeros(()))


def _proven(
    activation: ActivationLike,
    q: NumberLike | ArrayLike,
    of: str,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0,
) -> Estimate:
    """Return σ_w²·moment + σ_b² (for the growth divided by q) of exact numbers, in balls up to the last step."""
    weight, bias = read_positive(sigma_w, "sigma_w"), read_nonnegative(sigma_b, "sigma_b")
    ball = proven_moment(as_activation(activation), q, of)
    factor = weight**2 / (read_positive(q, "q") if of == "growth" else 1)
    with precision(BITS):
        value, error = nearest(ball * enclose(factor, BITS) + enclose(bias**2, BITS))
    if not math.isfinite(value + error):
        raise InvalidArgument("sigma_w", sigma_w, "makes the result exceed float64; take a smaller one")
    return Estimate(value, error, Guarantee.CERTIFIED)


def _affine(second_moment: Estimate | Estimates, weight: Array, bias: Array) -> Estimate | Estimates:
    """Return weight²·moment + bias², with its error; of arrays inf where it exceeds float64."""
    if isinstance(second_moment, Estimate) and weight.ndim == bias.ndim == 0:
        result = _affine_estimate(second_moment, float(weight), float(bias))
        if not math.isfinite(result + result.error):
            name, scale = ("sigma_b", bias) if bias > weight else ("sigma_w", weight)
            raise InvalidArgument(name, float(scale), "makes the result exceed float64; take a smaller one")
        return result
    with np.errstate(over="ignore"):
        value = np.asarray(weight * weight * np.asarray(second_moment) + bias * bias)
        error = weight * weight * second_moment.error + 5 * _EPSILON * np.abs(value) + _LEAST
    return Estimates(value, np.where(np.isfinite(value), error, np.inf))


def _affine_estimate(second_moment: Estimate, weight: float, bias: float) -> Estimate:
    value = weight * weight * float(second_moment) + bias * bias
    error = weight * weight * second_moment.error + 5 * _EPSILON * abs(value)  # the weight may be a quotient and root
    return Estimate(value, error + _LEAST, second_moment.guarantee)


@overload
def correlation_map(
    activation: ActivationLike, c: float, q: NumberLike, sigma_w: NumberLike, sigma_b: NumberLike = 0
) -> Estimate: ...


@overload
def correlation_map(
    activation: ActivationLike,
    c: float | ArrayLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0,
) -> Estimate | Estimates: ...


@lazily
def correlation_map(
    activation: ActivationLike,
    c: float | ArrayLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0,
    *,
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return the correlation of the next layer's pre-activations for two inputs, from their correlation c in this one.

    (σ_w²·E[σ(x₁)σ(x₂)] + σ_b²)/q', where x₁ and x₂ have variance q and correlation c, and q' is the variance map's
    value. It is in float64, with its error.

    Parameters
    ----------
    activation, q, sigma_w, sigma_b, effort
        As for `variance_map`.
    c : number or array_like
        The correlation, from -1 to 1.

    Returns
    -------
    Estimate or Estimates
        The correlation, with its error; for arrays an array of their common shape, interpolated if there are many.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, c is not in [-1, 1], q or σ_w is not positive, or σ_b is negative.

    References
    ----------
    Poole et al. (2016), equation 5.

    Examples
    --------
    >>> round(correlation_map("relu", 0, 1, sigma_w=2**0.5), 12)  # 1/π: the arc-cosine kernel of Cho & Saul
    0.318309886184
    >>> correlation_map("relu", [-1, 0, 1], 1, sigma_w=2**0.5).round(12)
    array([0.        , 0.31830989, 1.        ])

    """
    record = as_activation(activation)
    numbers = broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"),
        sigma_b=read_nonnegative_array(sigma_b, "sigma_b"),
        q=read_positive_array(q, "q"),
        c=read_correlations(c),
    )
    weight, bias, variance, correlation = (each.reshape(-1) for each in numbers)

    def one(weight: float, bias: float, q: float, c: float) -> Estimate:
        after = _affine_estimate(moment(record, q, of="value"), weight, bias)
        if not math.isfinite(after):
            raise InvalidArgument("sigma_w", weight, _BEYOND)
        if after <= after.error:
            raise InvalidArgument("q", q, constant_there(record))
        product = correlated(record, c, q, of="value")
        value = (weight**2 * product + bias**2) / after
        error = (weight**2 * product.error + abs(value) * after.error) / (after - after.error)
        return Estimate(value, error + 6 * _EPSILON * abs(value))

    def many() -> tuple[Array, Array]:
        (value,), (value_error,) = moments_of(record, variance, "value")
        product, error = products(record, correlation, variance, value)
        after = weight**2 * value + bias**2
        off = weight**2 * value_error + 5 * _EPSILON * after
        with np.errstate(all="ignore"):
            result = (weight**2 * product + bias**2) / after
            error = (weight**2 * (error + value_error) + np.abs(result) * off) / (after - off)
        return result, error + 8 * _EPSILON * np.abs(result)

    return together(numbers, one, many, partial(has_products, record, correlation, variance))


@overload
def correlation_slope(activation: ActivationLike, c: float, q: NumberLike, sigma_w: NumberLike) -> Estimate: ...


@overload
def correlation_slope(
    activation: ActivationLike, c: float | ArrayLike, q: NumberLike | ArrayLike, sigma_w: NumberLike | ArrayLike
) -> Estimate | Estimates: ...


@lazily
def correlation_slope(
    activation: ActivationLike,
    c: float | ArrayLike,
    q: NumberLike | ArrayLike,
    sigma_w: NumberLike | ArrayLike,
    *,
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return χ at correlation c, σ_w²·E[σ'(x₁)σ'(x₂)], in which σ' has a point mass where σ jumps.

    At a fixed point q it is the slope of the correlation map. At c = 1 it is χ₁ where σ is continuous, and inf where it
    jumps: the gradient knows nothing of jumps, two inputs do. The arguments are those of `correlation_map`.

    References
    ----------
    Schoenholz et al. (2017), equation 5.

    Examples
    --------
    >>> round(correlation_slope("relu", 0, 1, sigma_w=2**0.5), 12)
    0.5

    """
    record = as_activation(activation)
    numbers = broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"), q=read_positive_array(q, "q"), c=read_correlations(c)
    )
    weight, variance, correlation = (each.reshape(-1) for each in numbers)

    def one(weight: float, q: float, c: float) -> Estimate:
        product = correlated(record, c, q, of="slope")
        masses = of_jumps(record, c, q)
        value = weight * weight * (product + masses)
        if math.isfinite(product + masses) and not math.isfinite(value):
            raise InvalidArgument("sigma_w", weight, _BEYOND)
        return Estimate(value, weight**2 * (product.error + masses.error) + 6 * _EPSILON * abs(value))

    def many() -> tuple[Array, Array]:
        product, error = products(record, correlation, variance, np.zeros(len(variance)), slopes=True)
        known = (np.abs(correlation) < 1.0) | (not jumps(record))
        value = np.where(known, weight**2 * product, np.nan)
        return value, weight**2 * error + 6 * _EPSILON * np.abs(value)

    return together(numbers, one, many, partial(has_products, record, correlation, variance))
