r"""The correlation that inputs settle at beside the edge of chaos, where it is nearly 1, without cancellation.

The slope of the correlation map at c = 1 - δ is χ₁ - W(δ), with W = σ_w²·E[(σ'(x₁) - σ'(x₂))²]/2, which has no digits
to lose as δ → 0. Its mean from c to 1 is 1 at the fixed point: χ₁ - 1 = A(δ), with A the mean of W over (0, δ), and the
slope there is 1 - (W - A). As A rises, d log A/d log δ = (W - A)/A, Newton's method in logarithms finds δ.
"""

from typing import NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.differences import interpolation

_HALVES, _POINTS = 8, 10  # W is a function of √δ; what Gauss's rule leaves out is below 1e-14 of A
_STEPS = 8
_NEAR = 1e-14
_NUDGE = 1e-4
_BEYOND = 1.1  # more than a relative error of 1e-3 grows beyond its linear part
_EPSILON = 2.0**-52
_LEAST = 1e-300


class Place(NamedTuple):
    """1 - c at the fixed point, what the slope there is less than 1, and the errors of both; nan where not known."""

    away: Array
    lost: Array
    away_error: Array
    lost_error: Array


def beside_1(
    record: Activation, q: Array, q_error: Array, excess: Array, excess_error: Array, weight: Array, away: Array
) -> Place:
    """Return the fixed points near c = 1 of a continuous σ, from χ₁ - 1 > 0, σ_w² and guesses of 1 - c."""
    log_q = np.log(q)
    log_away = np.log(np.maximum(away, _LEAST))
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            at = _Apart.of(record, log_q, weight, log_away)
            step = np.log(excess / at.mean) * at.mean / at.lost
            log_away = np.minimum(log_away + np.clip(step, -4.0, 4.0), 0.0)
            if not (np.abs(step) > _NEAR).any():
                break
        at = _Apart.of(record, log_q, weight, log_away)
        further, wider = (
            _Apart.of(record, log_q, weight, log_away + _NUDGE),
            _Apart.of(record, log_q + _NUDGE, weight, log_away),
        )
        by_q = (np.abs(np.log(wider.mean / at.mean)) + np.abs(np.log(wider.lost / at.lost))) / _NUDGE * q_error / q
        rest = np.abs(np.log(excess / at.mean))  # that Newton's steps have left
        gap = excess_error / excess + at.error + by_q + rest + 8.0 * _EPSILON
        reach = gap * at.mean / at.lost
        steep = np.abs(np.log(further.lost / at.lost)) / _NUDGE
        share = at.error * (at.last + at.mean) / at.lost + by_q + _BEYOND * steep * reach + 8.0 * _EPSILON
        away = np.exp(log_away)
        return Place(away, at.lost, away * _BEYOND * reach, at.lost * share)


class _Apart(NamedTuple):
    """W at δ, its mean over (0, δ), and the greatest relative error of W there."""

    last: Array
    mean: Array
    error: Array

    @classmethod
    def of(cls, record: Activation, log_q: Array, weight: Array, log_away: Array) -> "_Apart":
        """Return them by Gauss's rule on halves of √δ, those of the nodes in one axis after that of the points."""
        log_share, share = _NODES
        places = (log_away[:, np.newaxis] + np.append(log_share, 0.0)).reshape(-1)
        delta = np.exp(places)
        scale = np.repeat(log_q, len(share) + 1)
        known = interpolation(record, of="slope").at(
            scale + np.log1p(-delta / 2.0), (places - np.log(2.0 - delta)) / 2.0
        )
        shape = len(log_q), len(share) + 1
        height = (np.exp(scale) * delta * known.value).reshape(shape) * weight[:, np.newaxis]
        error = (known.error / known.value).reshape(shape).max(axis=1)
        return cls(height[:, -1], height[:, :-1] @ share, error)

    @property
    def lost(self) -> Array:
        """W - A."""
        return self.last - self.mean


def _nodes() -> tuple[Array, Array]:
    """Return log(δ'/δ) and the weights of the mean over (0, δ), by √(δ'/δ) on halves of (0, 1)."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    ends = np.append(0.0, 2.0 ** -np.arange(_HALVES, -1.0, -1.0))
    middle, half = (ends[1:] + ends[:-1]) / 2.0, (ends[1:] - ends[:-1]) / 2.0
    root = (middle[:, np.newaxis] + half[:, np.newaxis] * points).reshape(-1)
    return 2.0 * np.log(root), 2.0 * root * (half[:, np.newaxis] * weights).reshape(-1)


_NODES = _nodes()
