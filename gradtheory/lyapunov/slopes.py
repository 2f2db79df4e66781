"""What a slope does at 0, far out and where float64 has no number for it."""

import bisect
import functools
import math

import numpy as np
import sympy
from numpy.polynomial import chebyshev

from gradtheory.activations import Activation
from gradtheory.activations.branch import Z
from gradtheory.activations.pieces import piece_at
from gradtheory.enclosure import enclose
from gradtheory.inputs import Array

_FAR = 1e100
_TINY = 1e-290
_BITS = 64
_NODES = 24


def log_slope(record: Activation, z: Array, slope: Array) -> Array:
    """Return log|σ'(z)|, also where σ' is too small for float64.

    There it is a smooth function of log|z|, interpolated on panels of length 1 from numbers of ball arithmetic.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(slope))
    tiny = np.flatnonzero((np.abs(slope) < _TINY) & (z != 0.0))
    if tiny.size:
        log_z, side = np.log(np.abs(z[tiny])), np.sign(z[tiny])
        panel = np.floor(log_z)
        for key in {(float(each), float(sign)) for each, sign in zip(panel, side, strict=True)}:
            here = (panel == key[0]) & (side == key[1])
            with np.errstate(over="ignore"):
                logs[tiny[here]] = -np.exp(chebyshev.chebval(2.0 * (log_z[here] - key[0]) - 1.0, _far_logs(record, *key)))
    return np.asarray(logs)


@functools.lru_cache(maxsize=1024)
def _far_logs(record: Activation, panel: float, side: float) -> Array:
    """Return Chebyshev coefficients of log(-log|σ'|) over log|z| in [panel, panel + 1]."""
    nodes = chebyshev.chebpts1(_NODES)
    places = side * np.exp(panel + (nodes + 1.0) / 2.0)
    logs = [_log_of_tiny(record, float(place)) for place in places]
    return np.asarray(chebyshev.chebfit(nodes, np.log(-np.array(logs)), _NODES - 1))


def _log_of_tiny(record: Activation, z: float) -> float:
    branch = record.monotone_branches[bisect.bisect_left(_ends(record), z)]
    formula = piece_at(record.profile.function, Z, branch.inside)
    with_place = {Z: enclose(sympy.Rational(z), _BITS)}
    ball = abs(enclose(formula, _BITS, with_place))
    return float(enclose(sympy.log(Z), _BITS, {Z: ball}).mid()) if ball > 0 else -math.inf


@functools.lru_cache(maxsize=128)
def _ends(record: Activation) -> tuple[float, ...]:
    return tuple(float(branch.right) for branch in record.monotone_branches[:-1])


@functools.lru_cache(maxsize=128)
def is_flat_somewhere(record: Activation) -> bool:
    """Return whether σ' is 0 on an interval."""
    return any(branch.is_flat and branch.steepest == 0 for branch in record.monotone_branches)


def growth_at_zero(record: Activation) -> tuple[float, float] | None:
    """Return |σ'(0-)| and |σ'(0+)| where σ(0) = 0, so that z = 0 repeats itself without biases; else None."""
    if record.value(0.0) != 0.0:
        return None
    left, right = np.abs(record.slope(np.array([-1e-300, 1e-300])))
    return float(left), float(right)


def far_growth(record: Activation) -> tuple[float, float]:
    """Return the limits of |σ(z)/z| at -oo and oo."""
    left, right = np.abs(record.value(np.array([-_FAR, _FAR]))) / _FAR
    return tuple(0.0 if each < 1e-12 else float(each) for each in (left, right))  # type: ignore[return-value]  # two


@functools.lru_cache(maxsize=128)
def tail_power(record: Activation) -> float:
    """Return the power p with which -log|σ'(z)| grows as |z|^p far out: 0 for logarithms and less."""
    places = np.array([-4e3, -1e3, 1e3, 4e3])
    logs = -log_slope(record, places, record.slope(places))
    powers = [
        math.log(outer / inner) / math.log(4.0) if inner > 50.0 and math.isfinite(outer) else 0.0
        for outer, inner in ((logs[0], logs[1]), (logs[3], logs[2]))
    ]
    return float(max(0.0, *(round(2.0 * power) / 2.0 for power in powers)))
