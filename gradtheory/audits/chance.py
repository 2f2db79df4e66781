"""What chance does to healthy networks, so that an audit blames one in a hundred of them at most.

A healthy network has random weights that are independent between neurons and keep the mean square of gradients, so
that gain² is 1 on average and, about, χ²_ν/ν: the spread of log(gain) follows from the widths. Its mean lies below 0 by
the square of the spread, which over many narrow layers is more than the spread itself. Each of the rules has its share
of the significance, and each layer its share of that of a rule (Bonferroni).
"""

import math

import numpy as np
from scipy.special import ndtri, polygamma
from scipy.stats import binom

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array

_FLAT = 0.01  # of the steepest slope: below, a unit is saturated
_FAR = 1e3  # from 0, where a flat side is flat
SIGNIFICANCE = 0.01  # of false alarms among healthy networks
_OF_A_RULE = SIGNIFICANCE / 4.0  # growth over a stretch, one layer's gain, its weights, its saturated units


def spread_of_gain(kurtosis: float, n_out: int, n_in: int) -> float:
    """Return the standard deviation of log(gain) over random weights, for one direction of the gradient.

    gain² is Σ g_i²σ'_i²/n_out times χ²/n_in: a sum with relative variance (3κ - 1)/n_out, as κ is the kurtosis of σ',
    is about χ² with ν = 2n_out/(3κ - 1) degrees of freedom (Satterthwaite 1946), and Var[log χ²_ν] = ψ'(ν/2). A batch
    averages over directions, so that its gains spread no more. Where the gradient passes at all, one unit at least
    lets it pass, so that ν >= 1.
    """
    freedom = max(1.0, 2.0 * n_out / max(3.0 * kurtosis - 1.0, 2.0))
    return 0.5 * math.sqrt(_variance_of_log(freedom) + _variance_of_log(n_in))


def spread_of_scale(number: int) -> float:
    """Return the standard deviation of log σ_w, read off so many normal weights."""
    return 0.5 * math.sqrt(_variance_of_log(number))


def _variance_of_log(freedom: float) -> float:
    """Return that of the logarithm of a χ² variable."""
    return float(polygamma(1, freedom / 2.0))


def most_over_a_stretch(variance: float, parts: int = 1) -> float:
    """Return what the sums of log(gain) over any stretch of one of so many parts with this variance stay below.

    The range of a Brownian motion exceeds r standard deviations with probability 8·(1 - Φ(r)) at most (Feller 1951).
    """
    return -float(ndtri(_OF_A_RULE / (8.0 * parts))) * math.sqrt(variance)


def most_of_one(number: int, spread: float) -> float:
    """Return what the greatest of so many deviations with this spread stays below."""
    return -float(ndtri(_OF_A_RULE / (2.0 * number))) * spread


def most_saturated(number: int, units: int) -> float:
    """Return the share of units on a flat side of σ for a whole batch that the worst of so many layers stays below.

    Deep in a network all samples look alike, so that a unit is on one side of 0 or the other for all of them, with
    equal probability, as rows of random weights are as likely as their negatives.
    """
    return max(0.5, float(binom.isf(_OF_A_RULE / number, units, 0.5)) / units)


def may_all_be_off(number: int, units: int) -> bool:
    """Return whether chance may put all units of one of so many layers on a flat side of σ for a whole batch."""
    return number * 0.5**units > _OF_A_RULE


def is_flat(slopes: Array, record: Activation) -> Array:
    """Return where slopes are below 1 % of the steepest: nowhere if they have no bound, as those of z²."""
    steepest = float(record.steepest_slope)
    return np.asarray(np.abs(slopes) < (_FLAT * steepest if math.isfinite(steepest) else 0.0))


def has_one_flat_side(record: Activation) -> bool:
    """Return whether σ is flat on one side alone, as relu."""
    return bool(np.sum(is_flat(record.slope(np.array([-_FAR, _FAR])), record)) == 1)
