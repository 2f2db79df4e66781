r"""The correlation that two inputs settle at.

The correlation map is a power series in c with terms that are not negative (Mehler's formula), so that it is convex on
[0, 1] and |c'(c)| <= c'(|c|): every correlation between -1 and 1 tends to the one fixed point below 1, which is there
if the slope at 1 exceeds 1, and else to 1.
"""

import math

import numpy as np
from scipy.optimize import brentq

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import Undecided
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.gaussian.places import jumps
from gradtheory.random_weights.meanfield.maps import correlation_map, correlation_slope
from gradtheory.random_weights.meanfield.origin import Origin, leading_power

_HERE = 1e-3  # from c = 1: nearer, differences of correlations are lost in rounding
_NEAREST = 1e-14
_DISTANCES = tuple(10.0**power for power in range(-8, 1))
_EPSILON = 2.0**-52
_CLEAR = 0.1
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_STEPS, _STEP_WEIGHTS = (_NODES + 1.0) / 2.0, _WEIGHTS / 2.0


def settled_correlation(
    record: Activation, q: float, chi: Estimate, sigma_w: float, sigma_b: float
) -> tuple[Estimate, Estimate]:
    """Return the stable fixed point of the correlation map at a fixed point q, and the map's slope there."""
    if q == 0.0:
        return settled_at_nothing(record)
    if chi <= 1.0 + chi.error and not jumps(record):
        settled = chi < 1.0 - chi.error or Origin.of(record).is_homogeneous
        return Estimate(1.0, 0.0 if settled else _farthest_from_1(record, q, sigma_w, sigma_b)), chi
    return _below_1(record, q, chi, sigma_w, sigma_b)


def beside_a_jump(chi: Array) -> tuple[Array, Array, Array, Array]:
    """Return c, its error, the slope there and its error, where jumps are so rare that c is 1 to rounding.

    Next to 1 the map loses a share σ_w²·(E[σ'²] + k/√(1 - c)) of 1 - c: where that is 1, its slope is (1 + χ₁)/2.
    """
    return np.ones_like(chi), np.full_like(chi, _EPSILON), (1.0 + chi) / 2.0, np.abs(1.0 - chi) / 2.0


def _farthest_from_1(record: Activation, q: float, sigma_w: float, sigma_b: float) -> float:
    """Return how far below 1 the fixed point may lie where it is not known on which side of 1 the slope at 1 is.

    The map is convex, so that the fixed point is above each correlation that the map raises.
    """
    for distance in _DISTANCES:
        raised = correlation_map(record, 1.0 - distance, q, sigma_w, sigma_b)
        if raised - (1.0 - distance) > raised.error + _EPSILON:
            return distance
    return 1.0


def settled_at_nothing(record: Activation) -> tuple[Estimate, Estimate]:
    """Return both where the variance falls to 0: of the power of z that σ is like there."""
    if Origin.of(record).mean_square_slope > 0.0:
        return Estimate(1.0, 0.0), Estimate(1.0, 0.0)  # a line keeps every correlation
    power = leading_power(record)
    if power is None:  # ever fewer inputs pass, and not together
        return Estimate(0.0, 0.0), Estimate(0.0, 0.0)
    like = as_activation(power)
    scale = 1.0 / math.sqrt(moment(like, 1.0, of="value"))  # it keeps the variance
    return _below_1(like, 1.0, correlation_slope(like, 1.0, 1.0, scale), scale, 0.0)


def _below_1(record: Activation, q: float, chi: float, sigma_w: float, sigma_b: float) -> tuple[Estimate, Estimate]:
    """Return both where the slope at c = 1 exceeds 1; `chi` is that slope apart from jumps."""
    at_0 = correlation_map(record, 0.0, q, sigma_w, sigma_b)
    if at_0 <= at_0.error:
        slope_at_0 = correlation_slope(record, 0.0, q, sigma_w)
        if sigma_b == 0.0:  # E[σ] = 0
            return Estimate(0.0, 0.0), slope_at_0
        falls = 1.0 - slope_at_0 - slope_at_0.error
        if falls > _CLEAR:  # c rises from 0 by at_0, and by ever less
            return Estimate(0.0, 4.0 * at_0.error / falls), slope_at_0

    def excess(c: float) -> float:
        return correlation_map(record, c, q, sigma_w, sigma_b) - c

    def lost(log_away: float) -> float:
        """Return log((s - m)/(s - 1)), s the slope at 1 and m its mean from c = 1 - δ: 0 at the fixed point.

        It is nearly linear in log δ.
        """
        places = 1.0 - math.exp(log_away) * _STEPS**2  # the slope may be a function of √(1 - c)
        slopes = [float(correlation_slope(record, float(place), q, sigma_w)) for place in places]
        mean = float(2.0 * (_STEP_WEIGHTS * _STEPS) @ slopes)
        return math.log(max(chi - mean, _EPSILON) / (chi - 1.0))

    if jumps(record) and chi < 1.0 and excess(1.0 - _EPSILON) >= 0.0:
        c, c_error, slope, slope_error = (float(each) for each in beside_a_jump(np.array(float(chi))))
        return Estimate(c, c_error), Estimate(slope, slope_error)
    beside_1 = correlation_map(record, 1.0 - _HERE, q, sigma_w, sigma_b)
    if jumps(record) or (beside_1 - (1.0 - _HERE) < -beside_1.error and at_0 > at_0.error):
        try:
            c = float(brentq(excess, 0.0, 1.0 - _EPSILON if jumps(record) else 1.0 - _HERE))
        except ValueError:  # no change of sign
            raise Undecided("where two inputs settle is not told from a correlation of 0 or 1") from None
        slope, error, to_root = correlation_slope(record, c, q, sigma_w), at_0.error, 4e-12
    else:
        ends = math.log(_NEAREST), 0.0
        c = 1.0 - math.exp(brentq(lost, *ends, xtol=1e-10)) if lost(ends[0]) < 0.0 < lost(ends[1]) else 0.0
        slope, error, to_root = correlation_slope(record, c, q, sigma_w), 1e-14 * (1.0 - c), 1e-10 * (1.0 - c)
    within = min(1.0, error / max(abs(1.0 - slope), 1e-300) + to_root)
    step = max(min(within, c), 1e-4 * (1.0 - c))
    steep = abs(slope - correlation_slope(record, c - step, q, sigma_w)) / step
    return Estimate(c, within), Estimate(float(slope), slope.error + 2.0 * steep * within)
