r"""H = sup (q - p)·√(σ'(p)σ'(q)) of a log-concave slope: log((q - p)·√(σ'(p)σ'(q))) is concave in (p, q)."""

import math
from typing import NamedTuple

import numpy as np
import sympy
from scipy.optimize import minimize

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.switches import exact_zeros
from gradtheory.arithmetic.enclosure import is_infinite, order
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.class_n import SmoothPart

_P, _Q = sympy.symbols("p q", real=True)
_PLACES = np.geomspace(1e-6, 1e6, 400)  # at which a maximum is begun to be looked for


class Supremum(NamedTuple):
    """H, the pair at which it is attained or which approaches it, and why."""

    value: sympy.Expr
    pair: tuple[sympy.Expr, sympy.Expr] | None
    reason: str


def log_concave_supremum(record: Activation, part: SmoothPart) -> Supremum:
    """Return H of an activation whose slope is log-concave, and one formula where it is not 0.

    Raises
    ------
    Undecided
        If no pair is proven to be the best.

    """
    return _at_an_end(part) or _by_newton(record, part)


def _at_an_end(part: SmoothPart) -> Supremum | None:
    """Return H where it is approached at an end of the support: if the best pair with that end is none to leave."""
    for end, side in ((part.left, 1), (part.right, -1)):
        slope, rate = (formula.subs(Z, end) for formula in (part.slope, part.log_slope))
        if is_infinite(end) or not (slope.is_finite and rate.is_finite) or order(slope, sympy.S.Zero) == 0:
            continue
        gap = side * (Z - end)
        zeros = exact_zeros(2 + side * gap * part.log_slope, Z, part.left, part.right)
        place = next(iter(zeros), part.right if side > 0 else part.left)  # the other end, if it rises up to it
        if order(side * gap.subs(Z, place) * rate, sympy.Integer(2)) <= 0:
            value = gap.subs(Z, place) * sympy.sqrt(abs(slope * part.slope.subs(Z, place)))
            pair = (end, place) if side > 0 else (place, end)
            return Supremum(value, pair, f"σ' is log-concave, and H is approached at the end of its support, z = {end}")
    return None


def _by_newton(record: Activation, part: SmoothPart) -> Supremum:
    """Return H where it is attained within: at the only stationary pair."""
    start = _near_maximum(record)
    slope_at_p, slope_at_q = (part.log_slope.xreplace({Z: unknown}) for unknown in (_P, _Q))
    system = (slope_at_p * (_Q - _P) - 2, slope_at_q * (_Q - _P) + 2)
    squares = (part.slope.xreplace({Z: unknown}) for unknown in (_P, _Q))
    size = (_Q - _P) * sympy.sqrt(abs(sympy.Mul(*squares)))
    try:
        value, p, q = (PairRoot(system, (_P, _Q), start, each) for each in (size, _P, _Q))
        is_within = order(part.left, p) < 0 < order(part.right, q)  # the formula goes on beyond the part
    except InvalidArgument:
        is_within = False
    if not is_within:
        raise Undecided(f"H of {record.name} is not decided: no stationary pair near {start} is proven")
    return Supremum(value, (p, q), "σ' is log-concave")


def _near_maximum(record: Activation) -> tuple[float, float]:
    """Return p and q near those of H, by float64."""
    z = np.concatenate([-_PLACES[::-1], [0.0], _PLACES])
    roots = np.sqrt(np.abs(record.slope(z)))
    sizes = (z[None, :] - z[:, None]) * roots[:, None] * roots[None, :]
    row, column = np.unravel_index(np.argmax(sizes), sizes.shape)

    def negative(pair: np.ndarray) -> float:
        return -float(pair[1] - pair[0]) * math.sqrt(abs(float(record.slope(pair[0]) * record.slope(pair[1]))))

    near = minimize(negative, np.array([z[row], z[column]]), method="Nelder-Mead", tol=1e-10)
    return float(near.x[0]), float(near.x[1])
