"""The critical initialisation: where neither variances nor gradients nor differences change with depth."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.effort import EFFORT, limited
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.meanfield.edge_of_chaos import errors_at, weight_error
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import (
    GRID,
    Moments,
    moment_table,
    moments_at,
    sign_changes,
    solve_between,
)
from gradtheory.typing import ActivationLike

_NUDGE = 1e-4
_EPSILON = 2.0**-52


@dataclass(frozen=True)
class CriticalInitialisation(ShownAsTable):
    """A weight and bias scale with χ_∥ = χ_⊥ = 1 at a fixed point q of the variance map, or none and why.

    Attributes
    ----------
    sigma_w, sigma_b, q : Estimate or None
        Floats with their errors; None where there is none.
    kind : str
        "scale-invariant" (every q is a fixed point; q = 1 is given), "all of the edge" (every point of the edge of
        chaos; that of q = 1 is given), "q = 0, stable", "q = 0, unstable", "half-stable" (variances above q, or below,
        are drawn to it) or "none".
    reason : str
        Why there is none; empty otherwise.

    """

    sigma_w: Estimate | None
    sigma_b: Estimate | None
    q: Estimate | None
    kind: str
    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


@limited
def critical_initialisation(activation: ActivationLike, *, effort: float = EFFORT) -> CriticalInitialisation:
    r"""Return the critical initialisation of an activation, if it has one.

    χ_∥ = χ_⊥ where d/dq E[σ²] = E[σ'²]; then σ_w² = 1/E[σ'²] makes both 1, and σ_b² = q - E[σ²]/E[σ'²] makes q a
    fixed point, which needs σ_b² >= 0. An activation with σ(0) = 0 and a slope there has one at q = 0, σ_b = 0; it is
    of use if it is stable. Of all of them a scale-invariant or stable one is taken first, then a half-stable one.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    CriticalInitialisation
        In float64, with errors; falsy where there is none.

    References
    ----------
    Roberts, Yaida & Hanin, "The Principles of Deep Learning Theory" (2022), sections 5.2 to 5.3.

    Examples
    --------
    >>> gelu = critical_initialisation("gelu")  # C_W = 1.98305826 and C_b = 0.17292239 in the book
    >>> round(gelu.sigma_w**2, 8), round(gelu.sigma_b**2, 8), gelu.kind
    (1.98305826, 0.17292239, 'half-stable')
    >>> critical_initialisation("tanh").kind
    'q = 0, stable'
    >>> critical_initialisation("sigmoid").reason
    'sigmoid has χ_∥ = χ_⊥ for no q from 1e-12 to 1e12, and σ does not tend to 0 at 0'

    """
    record = as_activation(activation)
    origin = Origin.of(record)
    if origin.is_homogeneous:
        return _at(origin, 1.0, "scale-invariant")
    if origin.is_fixed and origin.is_stable:
        return _at(origin, 0.0, "q = 0, stable")
    grid = moment_table(record)
    if not _is_clear(grid).any():  # σ·σ'' = 0 wherever σ'' is not: every χ_∥ = χ_⊥
        slope, square = (float(each[0]) for each in _edge_at(record, np.ones(1)))
        if square >= 0.0:
            return _inside(record, Estimate(1.0, 0.0), slope, square, "all of the edge")
    needed, places = [], _places(record, grid)
    for q, slope, square in zip(places, *_edge_at(record, places), strict=True):
        if square >= 0.0:
            return _inside(record, _root(record, float(q)), float(slope), float(square), "half-stable")
        needed.append(f"q = {q:.6g} would need σ_b² = {square:.6g}")
    if origin.is_fixed:
        return _at(origin, 0.0, "q = 0, unstable")
    inside = "; ".join(needed) or "for no q from 1e-12 to 1e12"
    at_zero = "0" if np.isfinite(record.slope(0.0)) else "infinite"
    outside = "σ does not tend to 0 at 0" if not origin.is_zero else f"σ' is {at_zero} at 0"
    return CriticalInitialisation(None, None, None, "none", f"{record.name} has χ_∥ = χ_⊥ {inside}, and {outside}")


def _at(origin: Origin, q: float, kind: str) -> CriticalInitialisation:
    size = origin.mean_square_slope**-0.5
    return CriticalInitialisation(Estimate(size, 2.0 * _EPSILON * size), Estimate(0.0, 0.0), Estimate(q, 0.0), kind)


def _places(record: Activation, grid: Moments) -> np.ndarray:
    """Return the q at which χ_∥ = χ_⊥, also two between neighbours of the grid: turning points are nodes, too."""
    clear = np.flatnonzero(_is_clear(grid))
    log_q, known = np.log(GRID[clear]), _difference(grid)[clear]
    side, size = np.sign(known), np.abs(known)
    turns = (side[:-2] == side[1:-1]) & (side[1:-1] == side[2:]) & (size[1:-1] < np.minimum(size[:-2], size[2:]))
    inner = 1 + np.flatnonzero(turns)
    if inner.size:

        def size_at(t: Array, one: Array) -> Array:
            return np.asarray(one * _difference(moments_at(record, np.exp(t.reshape(-1)))).reshape(t.shape))

        near = log_q[inner - 1], log_q[inner], log_q[inner + 1]
        lowest = elementwise.find_minimum(size_at, near, args=(side[inner],))
        order = np.argsort(np.concatenate([log_q, lowest.x]))
        log_q = np.concatenate([log_q, lowest.x])[order]
        known = np.concatenate([known, side[inner] * lowest.f_x])[order]
    cells = np.flatnonzero(sign_changes(known))
    if not cells.size:
        return np.empty(0)
    ends = np.exp(log_q[cells]), np.exp(log_q[cells + 1])
    places = solve_between(record, lambda q, moments: _difference(moments).reshape(q.shape), *ends)
    return places[np.isfinite(places)]


def _root(record: Activation, q: float) -> Estimate:
    """Return where χ_∥ = χ_⊥ with its error: what both are off, by how quickly they part there."""
    here, beside = (moments_at(record, np.array([q * factor])) for factor in (1.0, 1.0 + _NUDGE))
    steep = (_difference(beside) - _difference(here)) / (_NUDGE * q)
    return Estimate(q, float((here.slope_error + here.growth_error)[0] / abs(steep[0])) + 4.0 * _EPSILON * q)


def _inside(record: Activation, q: Estimate, slope: float, square: float, kind: str) -> CriticalInitialisation:
    """Return the point of the edge of chaos at a variance q, from E[σ'²] and σ_b² there."""
    place = np.array([float(q)])
    off, size = errors_at(record, place), np.array([slope**-0.5])
    unsure = float((off.noise + np.abs(place - square) * off.share_by_q * q.error)[0])  # E[σ²]/E[σ'²] = q - σ_b²
    bias = square**0.5
    at_bias = Estimate(bias, unsure / max(bias, unsure**0.5) + _EPSILON * bias)
    return CriticalInitialisation(
        Estimate(float(size[0]), float(weight_error(size, off, q.error)[0])), at_bias, q, kind
    )


def _edge_at(record: Activation, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return E[σ'²] = 1/σ_w² and σ_b² on the edge of chaos at variances q."""
    moments = moments_at(record, q)
    with np.errstate(divide="ignore", invalid="ignore"):  # where the slope is 0
        return moments.slope, q - moments.value / moments.slope


def _difference(moments: Moments) -> np.ndarray:
    return moments.growth - moments.slope


def _is_clear(moments: Moments) -> np.ndarray:
    return np.asarray(np.abs(_difference(moments)) > 4.0 * (moments.slope_error + moments.growth_error))
