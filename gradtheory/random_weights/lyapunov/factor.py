"""The law of one factor of the gradient product."""

import contextlib
import math
from typing import Any, overload

import numpy as np
import sympy
from scipy.special import erfc

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import switches
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import MOST_BITS, doubling, enclose, nearest, precision
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import (
    Array,
    broadcast,
    read_nonnegative_array,
    read_positive,
    read_positive_array,
    read_positive_float,
    read_real,
)
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.quadrature import Integrand
from gradtheory.random_weights.lyapunov.exponent import require_stationary_law, standard_deviations
from gradtheory.random_weights.lyapunov.extent import law_of, left_out
from gradtheory.random_weights.lyapunov.stationary import StationaryLaw
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_BITS = 128
_LEAST_BITS = 60  # of the probability: more than float64 holds
_LEAST_FLOAT = 2.0**-1074
_ROUGH, _RARE, _AT_ONCE = 1e-6, 1e-9, 9  # of pictures: thresholds that share their slopes


@overload
def factor_probability(
    activation: ActivationLike,
    sigma_w: NumberLike = 1,
    sigma_b: NumberLike = 1,
    *,
    z: NumberLike | None = None,
    threshold: NumberLike = 1,
) -> Estimate: ...


@overload
def factor_probability(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike = 1,
    sigma_b: NumberLike | ArrayLike = 1,
    *,
    z: NumberLike | None = None,
    threshold: NumberLike | ArrayLike = 1,
) -> Estimate | Estimates: ...


@lazily
def factor_probability(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike = 1,
    sigma_b: NumberLike | ArrayLike = 1,
    *,
    z: NumberLike | None = None,
    threshold: NumberLike | ArrayLike = 1,
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return P(|σ'(z)·w| > c) for a weight w ~ N(0, σ_w²).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w : number or array_like
        The standard deviation of the weight, positive.
    sigma_b : number or array_like
        The standard deviation of the chain's biases, not negative; a fixed z does not depend on it.
    z : number, optional
        A fixed pre-activation: then the probability is erfc(c/(σ_w·|σ'(z)|·√2)), proven. Otherwise z = w·a + b is that
        of a chain of single neurons in its stationary law, with the factor's own weight w in it.
    threshold : number or array_like
        c, positive.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimate or Estimates
        Certified for a fixed z; numeric otherwise. Of arrays, nan where one number alone would be refused.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, z is a kink, or the chain has no stationary law.
    Undecided
        If z is fixed and its slope is not told from 0.

    Examples
    --------
    >>> factor_probability("sigmoid", z=0)  # P(|w| > 4)
    6.334248366623985e-05 ± 7.5e-21 (certified)
    >>> round(factor_probability("sigmoid", sigma_w=4), 12)
    0.067497654059
    >>> factor_probability("sigmoid", [4, 8], threshold=0.5).round(6)
    array([0.241667, 0.307466])

    """
    record = as_activation(activation)
    if z is not None:
        read_real(z, "z")
    if any(map(_is_array, (sigma_w, sigma_b, threshold))):
        return _of_many(record, z, _read_scales(sigma_w, sigma_b, threshold))
    return _of_one(record, sigma_w, sigma_b, z, threshold)


def _is_array(value: object) -> bool:
    return value.ndim > 0 if isinstance(value, np.ndarray) else isinstance(value, list | tuple)


def _read_scales(sigma_w: object, sigma_b: object, threshold: object) -> tuple[Array, ...]:
    """Return the three of them as arrays of their common shape."""
    return broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"),
        sigma_b=read_nonnegative_array(sigma_b, "sigma_b"),
        threshold=read_positive_array(threshold, "threshold"),
    )


def _of_many(record: Activation, z: NumberLike | None, scales: tuple[Array, ...]) -> Estimates:
    value, error = np.full((2, scales[0].size), np.nan)
    for place, (weight, bias, level) in enumerate(zip(*(each.reshape(-1).tolist() for each in scales), strict=True)):
        with contextlib.suppress(InvalidArgument):
            probability = _of_one(record, weight, bias, z, level)
            value[place], error[place] = probability, probability.error
    return Estimates(value, error).reshape(scales[0].shape)


def _of_one(record: Activation, sigma_w: Any, sigma_b: Any, z: Any, threshold: Any) -> Estimate:
    if z is not None:
        return _at_place(
            record, read_positive(sigma_w, "sigma_w"), read_real(z, "z"), read_positive(threshold, "threshold")
        )
    weight, bias = standard_deviations(sigma_w, sigma_b)
    level = read_positive_float(threshold, "threshold")
    require_stationary_law(record, weight, bias)
    (coarse, _), (fine, error) = (_in_law(law, level) for law in law_of(record, weight, bias))
    return Estimate(min(max(fine, 0.0), 1.0), abs(fine - coarse) * 4.0 + error + left_out(record, weight, bias))


def _at_place(record: Activation, sigma_w: sympy.Expr, z: sympy.Expr, threshold: sympy.Expr) -> Estimate:
    if record.is_kink(z):
        raise InvalidArgument("z", z, f"is a kink of {record.name}: take a z beside it")
    smooth = stable(record.slope_expr)
    slope = record.profile.size_at(z) if switches(smooth) else smooth
    if slope == 0:
        return Estimate(0.0, 0.0, Guarantee.EXACT)
    needed = threshold / (sigma_w * sympy.sqrt(2))
    for bits in doubling(MOST_BITS, _BITS):
        with precision(bits):  # in SymPy, the slope at a huge z breaks off
            steepness = abs(enclose(slope, bits, {Z: enclose(z, bits)}))
            ball = (enclose(needed, bits) / steepness).erfc()
        if ball.is_finite() and (ball.rel_accuracy_bits() > _LEAST_BITS or ball.abs_upper() < _LEAST_FLOAT):
            return Estimate(*nearest(ball), Guarantee.CERTIFIED)
    raise Undecided(f"the slope of {record.name} at z = {shorten(z)} is not told from 0 with {MOST_BITS} bits")


def _in_law(law: StationaryLaw, threshold: float) -> tuple[float, float]:
    value, error = law.expected(_exceeds(law, np.array([threshold])))
    return float(value[0]), float(error[0])


def _exceeds(law: StationaryLaw, thresholds: Array) -> Integrand:
    """Return P(|w| > c/|σ'(z)| given z) for each c: given z, w is N(m, v), m = σ_w²·a·z/s², v = σ_w²·σ_b²/s²."""
    width = math.sqrt(2.0) * law.sigma_w * law.sigma_b / law.scale
    of_weight = np.sqrt(np.maximum(1.0 - np.square(law.sigma_b / law.scale), 0.0))  # σ_w·|a|/s

    def integrand(z: Array, xi: Array, owner: np.ndarray) -> Array:
        needed = thresholds[:, np.newaxis] / np.abs(law.record.slope(z))
        mean = law.sigma_w * of_weight[owner] * np.abs(xi)
        if law.sigma_b == 0.0:
            return np.asarray(mean > needed, dtype=float)
        return np.asarray((erfc((needed - mean) / width[owner]) + erfc((needed + mean) / width[owner])) / 2.0)

    return integrand


def rough_probabilities(record: Activation, sigma_w: float, sigma_b: float, thresholds: Array) -> Array:
    """Return P(|σ'(z)·w| > c) for many c at once, as near as a picture shows: to 1e-6, or 1e-3 without biases."""
    require_stationary_law(record, sigma_w, sigma_b)
    law = law_of(record, sigma_w, sigma_b)[0].without_rare(_RARE)
    parts = np.split(thresholds, range(_AT_ONCE, len(thresholds), _AT_ONCE))
    return np.concatenate([law.expected(_exceeds(law, part), floor=1.0, tolerance=_ROUGH)[0] for part in parts])
