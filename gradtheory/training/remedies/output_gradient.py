"""The greatest gradient of a loss by the last pre-activation, over all inputs, weights and biases."""

import functools
import heapq
import itertools
import math
from collections.abc import Iterator

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.jumps import value_at
from gradtheory.arithmetic.enclosure import Ball, Interval, exactly, plus, precision, times
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import log_odds_derivative
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import largest_value
from gradtheory.training.remedies.rounding import rounded_up

_BITS = 64
_CLOSE = 1e-6  # relative distance of the bound from a value that is attained
_MOST_PIECES = 20_000
_MIDDLE = 8.0
_FEW = 9  # with more targets bounds are interpolated


def largest_output_gradient(chain: Chain, targets: Array) -> float:
    """Return an upper bound of Σ_i sup_z |∂C(σ_L(z), y_i)/∂z|, proven in ball arithmetic; relative excess about 1e-6.

    For more than 9 different targets the supremum, a convex function of the target, is bounded by its chords, and the
    excess is larger.
    """
    last = chain.layer_activations[-1]
    loss = "cross_entropy" if chain.loss == "cross_entropy" else "squared"
    terms = largest_by_target(loss, last, targets)
    return float(np.sum(terms)) * (1.0 + 1e-15 * len(targets))


def largest_by_target(loss: str, last: Activation, targets: Array) -> Array:
    """Return upper bounds of sup_z |∂C(σ(z), y)/∂z| by target, for "cross_entropy" or ½·(σ(z) - y)²."""
    if loss == "cross_entropy":
        slope = log_odds_derivative(last, 1)
        if not slope.is_number:
            rule = "has cross-entropy gradients without a bound; end with sigmoid"
            raise InvalidArgument("activation", last.name, rule)
        return np.asarray(rounded_up(abs(slope)) * np.maximum(np.abs(targets), np.abs(1.0 - targets)) * (1.0 + 1e-15))
    distinct = np.unique(targets)
    places = distinct if len(distinct) <= _FEW else np.linspace(distinct[0], distinct[-1], _FEW)
    suprema = [_largest_error_times_slope(last, float(each)) for each in places]
    return np.asarray(np.interp(targets, places, suprema) * (1.0 + 1e-12))


@functools.lru_cache(maxsize=4096)
def _largest_error_times_slope(record: Activation, target: float) -> float:
    """Return an upper bound of sup_z |σ(z) - y|·|σ'(z)|: the interval of z with the greatest bound is halved again."""
    if record.period is not None:
        return (rounded_up(largest_value(record)) + abs(target)) * rounded_up(record.steepest_slope) * (1.0 + 1e-15)
    cuts = (-math.inf, -_MIDDLE, 0.0, _MIDDLE, math.inf)
    pieces = [(-_bound(record, target, *ends), ends) for ends in itertools.pairwise(cuts)]
    heapq.heapify(pieces)
    attained = _at_ends(record, target)
    for _ in range(_MOST_PIECES):
        bound, (left, right) = pieces[0]
        if -bound <= attained * (1.0 + _CLOSE):
            break
        middle = _middle(left, right)
        value, slope = record.value_and_slope(middle)
        attained = max(attained, abs(value - target) * abs(slope))
        heapq.heapreplace(pieces, (-_bound(record, target, left, middle), (left, middle)))
        heapq.heappush(pieces, (-_bound(record, target, middle, right), (middle, right)))
    return max(-pieces[0][0], *_at_jumps(record, target))


def _at_jumps(record: Activation, target: float) -> Iterator[float]:
    """Yield bounds of |σ(z) - y|·|σ'| at jumps of σ, which may have a value there of its own; 0 first."""
    yield 0.0
    for jump in record.profile.jumps:
        value = value_at(record.expr, jump)
        for branch in record.profile.branches if value is not None else ():
            for end, slope in ((branch.left, branch.slope_left), (branch.right, branch.slope_right)):
                if end == jump:
                    yield rounded_up(abs(value - sympy.Rational(target))) * rounded_up(abs(slope)) * (1.0 + 1e-15)


def _at_ends(record: Activation, target: float) -> float:
    """Return the greatest |σ(z) - y|·|σ'(z)| at the ends of the branches of |σ'|: a jump of σ' may attain it there."""
    attained = 0.0
    for branch in record.profile.branches:
        for end, slope in ((branch.left, branch.slope_left), (branch.right, branch.slope_right)):
            if end.is_finite and slope.is_finite:
                attained = max(attained, abs(record.value(float(end)) - target) * abs(float(slope)))
    return attained


def _middle(left: float, right: float) -> float:
    """Return a point between two others; it need not be exactly in the middle."""
    if right == math.inf:
        return 2.0 * left
    return 2.0 * right if left == -math.inf else (left + right) / 2.0


def _bound(record: Activation, target: float, left: float, right: float) -> float:
    """Return a bound of |σ(z) - y|·|σ'(z)| for z between two points."""
    piece, opposite = Interval(exactly(left), exactly(right)), exactly(-target)
    with precision(_BITS):
        errors = plus(record.over(piece, _BITS), Interval(opposite, opposite))
        return max(map(_up, times(errors, record.profile.over(piece, _BITS))))


def _up(ball: Ball) -> float:
    size = ball.abs_upper()
    return math.nextafter(float(size), math.inf) if size > 0 else 0.0  # more than 0 would be halved for ever
