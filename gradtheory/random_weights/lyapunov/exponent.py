"""How fast the gradient product of a random chain grows: typically, and in mean square."""

import math
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import (
    Array,
    broadcast,
    read_nonnegative_array,
    read_nonnegative_float,
    read_positive_array,
    read_positive_float,
)
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.extent import has_heavy_tail, law_of, left_out
from gradtheory.random_weights.lyapunov.fate import LOG_NORMAL
from gradtheory.random_weights.lyapunov.means import means_in_law
from gradtheory.random_weights.lyapunov.result import (
    FLAT,
    HEAVY,
    LOST,
    SPREAD,
    LyapunovExponent,
    all_alive,
    both,
    known,
)
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere
from gradtheory.random_weights.lyapunov.survival import survival
from gradtheory.random_weights.lyapunov.unsettled import NONE, half_log, without_law
from gradtheory.random_weights.lyapunov.variance import log_variance
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_EPSILON = 4e-16
_THREADS = 2
_MOST = 1e100
_WIDEST = 1e50
_SHOWN = 4


@lazily
def lyapunov_exponent(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike = 1.0,
    sigma_b: NumberLike | ArrayLike = 1.0,
    *,
    effort: float = EFFORT,
) -> LyapunovExponent:
    r"""Return the Lyapunov exponent of a chain of single neurons with independent Gaussian weights and biases.

    z = w·a + b with w ~ N(0, σ_w²), b ~ N(0, σ_b²) and a = σ(z) of the layer before. The stationary law of the chain
    comes from its transfer operator (see `gradtheory.random_weights.lyapunov.stationary`).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : number or array_like
        Standard deviations; σ_w positive, σ_b not negative. Chains of arrays are solved on two threads.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    LyapunovExponent
        Of arrays, one whose attributes are arrays: nan where a pair would be refused, and `reason` says why.

    Raises
    ------
    InvalidArgument
        If a standard deviation is out of range, σ' is unbounded, or two different limits are possible.

    References
    ----------
    S. Meyn & R. Tweedie, "Markov Chains and Stochastic Stability" (2009), theorem 17.0.1: the law of large numbers.

    Examples
    --------
    >>> chain = lyapunov_exponent("sigmoid", sigma_w=1, sigma_b=1)
    >>> round(chain.value, 12), chain.error < 1e-12
    (-2.307584790925, True)
    >>> relu = lyapunov_exponent("relu", sigma_w=2, sigma_b=0)  # half of the neurons are off
    >>> relu.value, float(relu.survival), round(relu.surviving_value, 6)
    (-inf, 0.5, 0.057966)
    >>> round(lyapunov_exponent("identity", sigma_b=0).variance, 12)  # π²/8
    1.233700550136
    >>> lyapunov_exponent("identity", [1.0, 2.0], 0).value.round(6)
    array([-0.635181,  0.057966])

    """
    record = as_activation(activation)
    weights, biases = broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"), sigma_b=read_nonnegative_array(sigma_b, "sigma_b")
    )
    if weights.ndim:
        return _of_many(record, weights, biases)
    weight, bias = standard_deviations(sigma_w, sigma_b)
    without = without_law(record, weight, bias)
    if without is not None:
        return without
    is_flat, is_heavy = is_flat_somewhere(record), has_heavy_tail(record, weight)
    has_mean = not (is_flat or is_heavy)
    (coarse, _), (fine, error) = (means_in_law(law, logs=has_mean) for law in law_of(record, weight, bias))
    with np.errstate(invalid="ignore"):
        apart = 4.0 * np.abs(fine - coarse)
    half = half_log(float(fine[1]), float(error[1] + apart[1]))
    rate = Estimate(fine[2], apart[2] + _EPSILON * max(1.0, abs(float(fine[2]))))
    reasons = [FLAT] * is_flat + [HEAVY] * (is_heavy and not is_flat) + [LOST] * math.isnan(half)
    reasons += [SPREAD] * math.isnan(rate)
    reason = "; ".join(reasons)
    if not has_mean:
        later = partial(survival, record, weight, bias) if is_flat else all_alive
        return LyapunovExponent(-math.inf, 0.0, half, rate, reason, _survival=later)
    value = math.log(weight) + LOG_NORMAL + float(fine[0])
    spread = 4.0 * abs(float(fine[0] - coarse[0])) + float(error[0]) + left_out(record, weight, bias)
    spread += _EPSILON * max(1.0, abs(value))
    if value < -_MOST:
        raise InvalidArgument(
            "sigma_w", sigma_w, f"makes E log|σ'| of {record.name} exceed float64; take a smaller one"
        )
    half = Estimate(value, half.error + spread) if half < value else half  # by Jensen's inequality
    return LyapunovExponent(value, spread, half, rate, reason, partial(log_variance, record, weight, bias))


def _of_many(record: Activation, weights: Array, biases: Array) -> LyapunovExponent:
    """Return the exponents of every pair of scales, whose spread and survivors are found when they are asked for."""

    def one(pair: tuple[float, float]) -> LyapunovExponent:
        try:
            return lyapunov_exponent(record, *pair)
        except InvalidArgument as error:
            none, never = partial(known, NONE), partial(both, NONE, NONE)
            return LyapunovExponent(math.nan, math.nan, NONE, NONE, str(error), none, never)

    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        pairs = zip(weights.ravel().tolist(), biases.ravel().tolist(), strict=True)
        later = [threads.submit(copy_context().run, one, pair) for pair in pairs]  # within the caller's effort
        chains = [each.result() for each in later]

    def of_all(numbers: Iterable[Estimate]) -> Estimates:
        parts = list(numbers)
        return Estimates(list(map(float, parts)), [part.error for part in parts]).reshape(weights.shape)

    values = of_all(Estimate(chain.value, chain.error) for chain in chains)
    return LyapunovExponent(
        values,
        values.error,
        of_all(chain.mean_square for chain in chains),
        of_all(chain.mean_square_rate for chain in chains),
        _reasons([chain.reason for chain in chains if chain.reason]),
        lambda: of_all(chain.variance for chain in chains),
        lambda: (of_all(chain.survival for chain in chains), of_all(chain.surviving_value for chain in chains)),
    )


def _reasons(reasons: list[str]) -> str:
    """Return the reasons of many chains, each once; of many different ones the first."""
    different = list(dict.fromkeys(reasons))
    more = [f"and {len(different) - _SHOWN} more"] if len(different) > _SHOWN else []
    return "; ".join(different[:_SHOWN] + more)


def standard_deviations(sigma_w: NumberLike, sigma_b: NumberLike) -> tuple[float, float]:
    """Return both standard deviations, or refuse those whose squares leave float64."""
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    for number, name in ((weight, "sigma_w"), (bias, "sigma_b")):
        if number > _WIDEST or 0.0 < number < 1.0 / _WIDEST:
            raise InvalidArgument(name, number, f"must lie between {1 / _WIDEST:g} and {_WIDEST:g}, such as 1")
    return weight, bias


def require_stationary_law(record: Activation, sigma_w: float, sigma_b: float) -> None:
    """Raise InvalidArgument where z has no stationary law: where it falls to 0 or escapes."""
    if without_law(record, sigma_w, sigma_b) is not None:
        raise InvalidArgument(
            "sigma_b", sigma_b, f"makes chains of {record.name} with sigma_w = {sigma_w} fall to 0 or escape; give z"
        )
