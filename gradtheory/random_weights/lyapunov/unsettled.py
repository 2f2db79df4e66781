"""The exponents of chains whose law does not settle: their z dies out at 0, rests there, or escapes."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.fate import LOG_NORMAL, Fate
from gradtheory.random_weights.lyapunov.means import slope_means
from gradtheory.random_weights.lyapunov.result import (
    FADING,
    FLAT,
    LINGERS,
    SPLIT,
    SPREAD,
    LyapunovExponent,
    both,
    known,
)
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere, log_slope
from gradtheory.random_weights.lyapunov.stationary import StationaryLaw
from gradtheory.random_weights.lyapunov.survival import survival

_EPSILON = 4e-16
_FAR = 1e12
_OF_NORMAL = math.pi**2 / 8.0  # the variance of log|N(0, 1)|
NONE = Estimate(math.nan, math.nan)


def half_log(mean_square: float, error: float = 0.0) -> Estimate:
    """Return half of the logarithm of a mean square, nan where it is not told from 0."""
    if mean_square == error == 0.0:
        return Estimate(-math.inf, 0.0)
    if mean_square <= max(error, 0.0):  # not told from 0
        return NONE
    half = 0.5 * math.log(mean_square)
    return Estimate(half, -0.5 * math.log1p(-error / mean_square) + _EPSILON * max(1.0, abs(half)))


def _joined(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))


def _refused(argument: str, rule: str) -> Callable[[Fate], LyapunovExponent]:
    """Return the answer that refuses a chain: one line on an argument, with the chain's numbers in it."""

    def refuse(fate: Fate) -> LyapunovExponent:
        name = fate.record.name
        values = {"activation": name, "sigma_w": fate.sigma_w, "sigma_b": fate.sigma_b}
        raise InvalidArgument(argument, values[argument], rule.format(name=name, sigma_w=fate.sigma_w))

    return refuse


def _at_zero(fate: Fate) -> LyapunovExponent:
    """Return the exponents where z tends to 0: each factor is one of the slopes there, in the end."""
    near = fate.near or (1.0, 1.0)
    independent, is_flat = _independent(fate.sigma_w, np.array(near)), is_flat_somewhere(fate.record)
    if min(near) == 0.0 and is_flat and not fate.is_two_half_lines:  # who is left may be far out
        independent = replace(independent, _survival=partial(survival, fate.record, fate.sigma_w, 0.0))
    half, is_known = independent.mean_square, fate.mean_square_dies_out()
    rate, spread = (half, []) if is_known else (NONE, [SPREAD])
    if min(near) == 0.0 and not is_flat:  # as at z³: never 0, but ever faster
        return LyapunovExponent(-math.inf, 0.0, half, rate, _joined(FADING, *spread))
    if min(near) > 0.0 and is_flat:  # some chains meet the flat pieces of hard_tanh on their way
        left = Estimate(1.0, 0.0), independent.surviving_value
        reason = _joined(SPLIT, *spread)
        return LyapunovExponent(math.nan, math.nan, half, rate, reason, _survival=partial(both, *left))
    return replace(independent, mean_square_rate=rate, reason=_joined(independent.reason, *spread))


def _at_rest(fate: Fate) -> LyapunovExponent:
    """Return the exponents of a chain that meets a flat piece, and stays at z = 0 from there on."""
    slope = float(np.abs(fate.record.slope(np.zeros(1)))[0])
    half = half_log(fate.sigma_w**2 * slope**2)
    reason = _joined(FLAT, SPREAD)  # the mean square of the product is that of the chains that have not come there
    return LyapunovExponent(
        -math.inf, 0.0, half, NONE, reason, _survival=partial(survival, fate.record, fate.sigma_w, 0.0)
    )


def _far_out(fate: Fate) -> LyapunovExponent:
    """Return the exponents where |z| tends to infinity: expectations at one great scale of z."""
    record, sigma_w = fate.record, fate.sigma_w
    if record.period is None:
        independent = _independent(sigma_w, np.abs(record.slope(np.array([-_FAR, _FAR]))), from_limit=1.0 / _FAR)
        if not fate.mean_square_escapes():
            independent = replace(independent, mean_square_rate=NONE, reason=SPREAD)
        if not is_flat_somewhere(record):
            return replace(independent, reason=_joined(LINGERS, independent.reason)) if fate.lingers() else independent
        left = Estimate(1.0, 0.0), independent.surviving_value
        return LyapunovExponent(
            *(math.nan, math.nan, independent.mean_square, independent.mean_square_rate),
            _joined(SPLIT, independent.reason),
            _survival=partial(both, *left),
        )
    law = StationaryLaw(record, sigma_w, 0.0, np.array([50.0 * float(record.period)]), np.ones(1), 0.0)
    ((mean_log,), _, (square,)), ((error,), _, (square_error,)) = slope_means(record, True, np.square(law.scale))

    def squares(z: Array, xi: Array, owner: np.ndarray) -> Array:
        return np.asarray(np.square(log_slope(record, z, record.slope(z)) - float(mean_log))[np.newaxis])

    (spread,), (spread_error,) = law.expected(squares, floor=1.0)
    half = half_log(sigma_w**2 * float(square), sigma_w**2 * float(square_error))
    variance = Estimate(_OF_NORMAL + float(spread), float(spread_error) + 1e-15)
    value = math.log(sigma_w) + LOG_NORMAL + float(mean_log)
    return LyapunovExponent(value, float(error), half, half, "", partial(known, variance))


# What becomes of chains without a stationary law, and the answer; the first case that holds counts.
_CASES: tuple[tuple[Callable[[Fate], bool], Callable[[Fate], LyapunovExponent]], ...] = (
    (
        Fate.has_unbounded_slope,
        _refused("activation", "has an unbounded slope: log|σ'| has no mean in its chain; take a bounded slope"),
    ),
    (
        Fate.depends_on_the_draw,
        _refused(
            "sigma_w",
            "makes chains of {name} either die out or diverge, depending on the draw, so that no single exponent "
            "exists; take another",
        ),
    ),
    (Fate.dies_out, _at_zero),
    (Fate.comes_to_rest, _at_rest),
    (
        Fate.sinks,
        _refused(
            "sigma_b",
            "must be positive for {name} with sigma_w = {sigma_w}: without biases z comes closer to 0 than floats can "
            "follow",
        ),
    ),
    (Fate.escapes, _far_out),
)


def without_law(record: Activation, sigma_w: float, sigma_b: float) -> LyapunovExponent | None:
    """Return the exponents where z has no stationary law, or none but 0; None where it has one."""
    fate = Fate(record, sigma_w, sigma_b)
    return next((answer(fate) for holds, answer in _CASES if holds(fate)), None)


def _independent(sigma_w: float, slopes: Array, from_limit: float = 0.0) -> LyapunovExponent:
    """Return the exponents of independent factors σ_w·|ξ|·slope, both slopes equally likely."""
    square = sigma_w**2 * float(np.mean(slopes**2))
    half = half_log(square, 2.0 * from_limit * square)
    alive = slopes[slopes > 0.0]
    if not alive.size:
        return LyapunovExponent(-math.inf, 0.0, half, half, FLAT, _survival=partial(both, Estimate(0.0, 0.0), NONE))
    value = math.log(sigma_w) + LOG_NORMAL + float(np.mean(np.log(alive)))
    error = _EPSILON * max(1.0, abs(value)) + from_limit
    if alive.size < slopes.size:
        left = Estimate(0.5, 0.0, Guarantee.EXACT), Estimate(value, error)
        return LyapunovExponent(-math.inf, 0.0, half, half, FLAT, _survival=partial(both, *left))
    variance = _OF_NORMAL + float(np.var(np.log(alive)))
    exactly = Estimate(variance, 4e-16 * variance + from_limit, Guarantee.NUMERIC if from_limit else Guarantee.EXACT)
    return LyapunovExponent(value, error, half, half, "", partial(known, exactly))
