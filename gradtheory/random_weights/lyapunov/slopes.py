"""Limits of log|σ'(z)| at 0 and ±∞, and its values where σ' underflows in float64."""

import bisect
import functools
import math

import numpy as np
import sympy
from numpy.polynomial import chebyshev

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import Undecided
from gradtheory.random_weights.gaussian.second_moments import tends_to_0

_FAR, _NEAR, _LESS_NEAR = 1e100, 1e-100, 1e10
_OUTSIDE = 1e30
_TINY = 1e-290
_BITS = 512  # z² of the farthest z takes 260 of them before the point
_NODES = 24
_FARTHEST = 2.0**130  # e^90
_AT_ZERO, _CLOSE = -200.0, 1e-60
_SIDE = 1e4  # more than any log|z|
_MOST = 690.0  # of log(-log|σ'|): less than float64's, so that no product with a density of 0 is nan


def log_slope(record: Activation, z: Array, slope: Array) -> Array:
    """Return log|σ'(z)|, also where σ' is too small for float64; -inf where it is 0 on an interval.

    Far out and next to 0 it is then a smooth function of log|z|, interpolated on panels of length 1 from numbers of
    ball arithmetic; at its other zeros -200 stands for the last 1e-16 on either side.
    """
    small = np.abs(slope) < _TINY
    logs = np.where(small, _AT_ZERO, np.log(np.maximum(np.abs(slope), _TINY)))
    if is_flat_somewhere(record):
        flat = small & _is_on_flat_branch(record, z)
        logs[flat], small = -np.inf, small & ~flat
    left, right = _outermost(record)
    tiny = np.flatnonzero(small & ((z <= left) | (z >= right) | (np.abs(z) < _CLOSE)) & (z != 0.0))
    if tiny.size:
        log_z = np.log(np.abs(z[tiny]))
        panel = np.floor(log_z)
        for key in np.unique(panel + _SIDE * (z[tiny] < 0.0)):
            side, start = (-1.0, key - _SIDE) if key > _SIDE / 2 else (1.0, key)
            here = (panel == start) & ((z[tiny] < 0.0) == (side < 0.0))
            series = _far_logs(record, float(start), side)
            logs[tiny[here]] = -np.exp(np.minimum(chebyshev.chebval(2.0 * (log_z[here] - start) - 1.0, series), _MOST))
    return np.asarray(logs)


@functools.lru_cache(maxsize=1024)
def _far_logs(record: Activation, panel: float, side: float) -> Array:
    """Return Chebyshev coefficients of log(-log|σ'|) over log|z| in [panel, panel + 1]."""
    nodes = chebyshev.chebpts1(_NODES)
    places = side * np.exp(panel + (nodes + 1.0) / 2.0)
    return np.asarray(chebyshev.chebfit(nodes, [_twice_log(record, float(each)) for each in places], _NODES - 1))


def _twice_log(record: Activation, z: float) -> float:
    """Return log(-log|σ'(z)|); where ball arithmetic, too, loses the slope, by the power law that it follows before."""
    reach = _reach(record, math.copysign(1.0, z))
    known = _twice_log_in_balls(record, z) if abs(z) <= abs(reach) else math.nan
    if math.isfinite(known):
        return known
    last, before = (_twice_log_in_balls(record, place) for place in (reach, reach / 4.0))
    return last + (last - before) * math.log(z / reach) / math.log(4.0)


@functools.lru_cache(maxsize=128)
def _reach(record: Activation, side: float) -> float:
    """Return a z as far out as ball arithmetic finds the slope, to a factor of 2."""
    z = side * _FARTHEST
    while not math.isfinite(_twice_log_in_balls(record, z)):
        z /= 2.0
        if abs(z) < 1.0:
            raise Undecided(f"the slope of {record.name} far out is not told from 0")
    return z


def _twice_log_in_balls(record: Activation, z: float) -> float:
    branch = record.profile.branches[bisect.bisect_left(_corners(record), z)]
    formula = sympy.log(-_log_formula(formula_near(record.profile.function, Z, branch.inside)))
    ball = enclose(formula, _BITS, {Z: enclose(sympy.Rational(z), _BITS)})
    return float(ball.mid()) if ball.is_finite() else math.nan


@functools.lru_cache(maxsize=128)
def _log_formula(slope: sympy.Expr) -> sympy.Expr:
    """Return log|slope|, factor by factor, so that no factor leaves the range of exponents."""
    if isinstance(slope, sympy.exp):
        return slope.args[0]
    if slope.is_Mul:
        return sympy.Add(*map(_log_formula, slope.args))
    if slope.is_Pow and slope.exp.is_Rational:
        return slope.exp * _log_formula(slope.base)
    return sympy.log(sympy.Abs(slope))


@functools.lru_cache(maxsize=128)
def _corners(record: Activation) -> tuple[float, ...]:
    return tuple(float(branch.right) for branch in record.profile.branches[:-1])


def _is_on_flat_branch(record: Activation, z: Array) -> np.ndarray:
    """Return which places lie on a branch where σ' is 0."""
    branches = record.profile.branches
    if record.period is not None:
        start, period = float(branches[0].left), float(record.period)
        z = start + (z - start) % period
    is_flat = np.array([branch.is_flat and branch.steepest == 0 for branch in branches])
    return np.asarray(is_flat[np.searchsorted(_corners(record), z)])


def _outermost(record: Activation) -> tuple[float, float]:
    """Return beyond which z the slope is monotone for good."""
    if record.period is not None:
        return -math.inf, math.inf
    corners = _corners(record)
    return (corners[0], corners[-1]) if corners else (math.inf, math.inf)


@functools.lru_cache(maxsize=128)
def is_flat_somewhere(record: Activation) -> bool:
    """Return whether σ' is 0 on an interval."""
    return any(branch.is_flat and branch.steepest == 0 for branch in record.profile.branches)


@functools.lru_cache(maxsize=128)
def is_half_flat(record: Activation) -> bool:
    """Return whether σ' is 0 on one side of 0, so that half of the chains at most have a gradient after a layer."""
    return record.period is None and math.inf in flat_around_zero(record)


@functools.lru_cache(maxsize=128)
def has_rest_point(record: Activation) -> bool:
    """Return whether σ is 0 at 0 and on an interval: then a chain without biases comes to rest."""
    return record.value(0.0) == 0.0 and any(
        branch.is_flat and branch.steepest == 0 and record.value(float(branch.inside)) == 0.0
        for branch in record.profile.branches
    )


@functools.lru_cache(maxsize=128)
def is_elastic(record: Activation) -> bool:
    """Return whether |σ'(z)·z| is at most |σ(z)|, as far as points in steps of 2 % tell."""
    z = np.outer([-1.0, 1.0], np.exp(np.arange(-30.0, 30.0, 0.02)))
    value, slope = record.value_and_slope(z)
    return bool((np.abs(z * slope) <= np.abs(value) * (1.0 + 1e-9)).all())


@functools.lru_cache(maxsize=128)
def is_fading(record: Activation) -> bool:
    """Return whether σ falls faster than any power far out, and z may come there from 0 or stay away from it long."""
    falls = bool((np.abs(record.value(np.array([-1e6, 1e6]))) < 1e-60).any())
    return falls and (record.value(0.0) == 0.0 or record.slope(0.0) == 0.0)


def growth_at_zero(record: Activation) -> tuple[float, float] | None:
    """Return |σ'(0-)| and |σ'(0+)| where σ tends to 0 at 0, so that z ≈ 0 repeats itself without biases; else None."""
    if not tends_to_0(record):
        return None
    near, less_near = np.abs(record.slope(np.outer([1.0, _LESS_NEAR], [-_NEAR, _NEAR])))
    falls = (near <= _NEAR) | (near < 0.9 * less_near)  # as that of z², and that of |z|^1.01
    return tuple(np.where(falls, 0.0, near).tolist())  # two


@functools.lru_cache(maxsize=128)
def flat_around_zero(record: Activation) -> tuple[float, float]:
    """Return from which |z| on σ' is other than 0, on the left of 0 and on the right of it."""
    alive = [each for each in record.profile.branches if not (each.is_flat and each.steepest == 0)]
    left = [max(0.0, -float(each.right)) for each in alive if each.left < 0]
    right = [max(0.0, float(each.left)) for each in alive if each.right > 0]
    return min(left, default=math.inf), min(right, default=math.inf)


def far_growth(record: Activation) -> tuple[float, float]:
    """Return the limits of |σ(z)/z| at -oo and oo."""
    left, right = np.abs(record.value(np.array([-_FAR, _FAR]))) / _FAR
    return tuple(0.0 if each < 1e-12 else float(each) for each in (left, right))  # type: ignore[return-value]  # two


@functools.lru_cache(maxsize=128)
def tail_power(record: Activation) -> float:
    """Return the power p with which -log|σ'(z)| grows as |z|^p far out: 0 for logarithms and less, inf where faster.

    That is where scales of σ itself, such as 1/β of softplus, are small.
    """
    places = _OUTSIDE * np.array([-4.0, -1.0, 1.0, 4.0])
    slopes = record.slope(places)
    if (slopes == 0.0).any() and is_flat_somewhere(record):
        return 0.0
    outer, inner = np.abs(log_slope(record, places, slopes))[[[0, 3], [1, 2]]]
    with np.errstate(invalid="ignore"):  # where σ' itself grows without bound
        rises = np.log(np.maximum(outer, 1.0) / np.maximum(inner, 1.0)) / math.log(4.0)
    powers = np.where(inner > 50.0, np.where(np.log(np.maximum(outer, 1.0)) < _MOST, rises, math.inf), 0.0)
    return float(np.max(np.round(2.0 * powers) / 2.0))


def is_bounded(record: Activation, sigma_b: float) -> bool:
    """Return whether log s stays between two bounds, or as good as."""
    return max(far_growth(record)) == 0.0 and (sigma_b > 0.0 or not tends_to_0(record))
