"""The edge of chaos: where the gradient's mean square neither grows nor fades with depth, for each σ_b."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT, limited
from gradtheory.arithmetic.estimates import Estimates, estimated
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_nonnegative_array, read_positive_array
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import (
    GRID,
    Moments,
    moment_table,
    moments_at,
    sign_changes,
    solve_between,
)
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_EPSILON = 2.0**-52
_NUDGE = 1e-5
_CELL = 0.26  # of q: the length of a cell of `GRID`


@dataclass(frozen=True)
class EdgeOfChaos(ShownAsTable):
    """A point of the edge of chaos for each σ_b asked for: numbers, or arrays of the shape of `sigma_b`.

    Attributes
    ----------
    sigma_b : float or ndarray; of `edge_at` an Estimate or Estimates
    sigma_w : Estimate or Estimates
        Where χ₁ = 1 at the fixed point q; nan where there is no such point.
    q : Estimate or Estimates; of `edge_at` what was given
        The fixed point of the variance map; nan where there is none.
    stable : bool or ndarray
        Whether variances nearby are drawn to q (χ_∥ <= 1).
    reason : str
        Why there is none, where there is none; empty otherwise.

    """

    sigma_b: Any
    sigma_w: Any
    q: Any
    stable: Any
    reason: str

    def __bool__(self) -> bool:
        return not self.reason

    def __repr__(self) -> str:
        if np.ndim(self.q):
            return f"EdgeOfChaos of shape {np.shape(self.q)}"
        if self.reason:
            return f"EdgeOfChaos: {self.reason}"
        return f"EdgeOfChaos(sigma_b={self.sigma_b:g}, sigma_w={self.sigma_w:g}, q={self.q:g}, stable={self.stable})"


@lazily
def edge_of_chaos(
    activation: ActivationLike, sigma_b: NumberLike | ArrayLike = 0, *, effort: float = EFFORT
) -> EdgeOfChaos:
    r"""Return the weight scale σ_w at which χ₁ = 1 at the fixed point of the variance map.

    χ₁ = 1 gives σ_w² = 1/E[σ'(√q z)²], and the fixed point σ_b² = q - E[σ²]/E[σ'²], which is solved for q in float64
    to its last few bits. Of several solutions the smallest stable one is taken; if none is stable, the smallest. For
    σ_b = 0 and σ(0) = 0 that is q = 0; where every q is one (relu), q = 1 is given.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_b : float or array_like
        The biases' standard deviation, not negative.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    EdgeOfChaos

    Raises
    ------
    InvalidArgument
        If σ_b is negative or not finite.

    References
    ----------
    Schoenholz et al. (2017), section 3; Hayou, Doucet & Rousseau, "On the impact of the activation function on deep
    neural networks training" (2019), definition 2 and algorithm 1.

    Examples
    --------
    >>> edge_of_chaos("tanh", 0).sigma_w
    1.0 ± 4.5e-16 (numeric)
    >>> edge = edge_of_chaos("tanh", [0.05, 0.3])
    >>> edge.sigma_w.round(6), edge.q.round(6)
    (array([1.122539, 1.395584]), array([0.153692, 0.763475]))
    >>> edge_of_chaos("relu", 0.1).reason
    "relu has χ₁ = 1 at a fixed point only for σ_b = 0: no q solves σ_b² = q - E[σ²]/E[σ'²]"

    """
    record = as_activation(activation)
    biases = read_nonnegative_array(sigma_b, "sigma_b")
    flat = biases.reshape(-1)
    grid = moment_table(record)
    with np.errstate(over="ignore"):
        wanted = np.square(flat)
    candidates = sign_changes(_bias_square(GRID, grid) - wanted[:, np.newaxis])
    stable_there = grid.growth[1:] <= grid.slope[1:]
    best = np.where(candidates & stable_there, 0, np.where(candidates, 1, 2)).argmin(axis=1)
    origin = Origin.of(record)
    some = candidates[np.arange(len(flat)), best] & (not origin.is_homogeneous)  # whose σ_b² is 0 apart from rounding
    q = np.full(len(flat), np.nan)
    if some.any():
        cells = best[some]
        q[some] = solve_between(record, _residual, GRID[cells], GRID[cells + 1], wanted[some])
    at_origin = (flat == 0.0) & origin.is_fixed
    q[at_origin] = 1.0 if origin.is_homogeneous else 0.0
    sigma_w, stable = origin.extended(record, q)
    off = errors_at(record, q)
    q_error = np.where(some, np.minimum(off.noise * off.q_by_noise, _CELL * q) + 4.0 * _EPSILON * q, 0.0 * q)
    at_weight = _shaped(sigma_w, weight_error(sigma_w, off, q_error), biases.shape)
    shaped: list[Any] = [each.reshape(biases.shape) for each in (flat, stable)]
    at_bias, is_stable = (each if each.ndim else each.item() for each in shaped)
    reason = _reason(record, flat[np.isnan(q)], origin)
    return EdgeOfChaos(at_bias, at_weight, _shaped(q, q_error, biases.shape), is_stable, reason)


@limited
def edge_at(activation: ActivationLike, q: ArrayLike) -> EdgeOfChaos:
    """Return the point of the edge of chaos whose fixed point is q, for each q > 0; nan where σ_b² would be negative.

    Every point of the edge is one of these: σ_b² = q - E[σ²]/E[σ'²] may have several q for one σ_b.

    Examples
    --------
    >>> curve = edge_at("gelu", [0.1, 1.0, 10.0])
    >>> curve.sigma_b.round(4), curve.stable
    (array([0.0632, 0.2592, 0.5687]), array([False, False,  True]))

    """
    record, places = as_activation(activation), read_positive_array(q, "q")
    sigma_w, stable = Origin.of(record).extended(record, places.reshape(-1))
    with np.errstate(invalid="ignore"):
        bias = np.sqrt(_bias_square(places.reshape(-1), moments_at(record, places.reshape(-1))))
    off = errors_at(record, places.reshape(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        at_bias = _shaped(bias, off.noise / bias + 2.0 * _EPSILON * bias, places.shape)
    at_weight = _shaped(sigma_w, weight_error(sigma_w, off, 0.0), places.shape)
    reason = _reason(record, bias[np.isnan(bias)], Origin.of(record))
    return EdgeOfChaos(at_bias, at_weight, places, stable.reshape(places.shape), reason)


def _shaped(values: Array, errors: Array, shape: tuple[int, ...]) -> Estimate | Estimates:
    return estimated(values.reshape(shape), errors.reshape(shape))


class _Errors(NamedTuple):
    """The error of q - E[σ²]/E[σ'²], by how much q moves with that, the share that E[σ'²] is off, and moves with q."""

    noise: Array
    q_by_noise: Array
    share: Array
    share_by_q: Array


def errors_at(record: Activation, q: Array) -> _Errors:
    """Return what is off at variances q: of σ_b² on the edge, of what solves for it, and of σ_w."""
    result = _Errors(*np.zeros((4, len(q))))
    inner = np.flatnonzero(q > 0.0)
    if len(inner):
        at = q[inner]
        here, beside = moments_at(record, at), moments_at(record, at * (1.0 + _NUDGE))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio, steep = here.value / here.slope, np.log(beside.slope / here.slope) / (_NUDGE * at)
            result.noise[inner] = (here.value_error + ratio * here.slope_error) / here.slope + 4 * _EPSILON * (
                at + ratio
            )
            result.q_by_noise[inner] = 1.0 / np.abs(1.0 - here.growth / here.slope + ratio * steep)
            result.share[inner], result.share_by_q[inner] = here.slope_error / here.slope, np.abs(steep)
    return result


def weight_error(sigma_w: Array, at: _Errors, q_error: Array | float) -> Array:
    """Return the error of σ_w = 1/√E[σ'²]."""
    return np.asarray(sigma_w * ((at.share + at.share_by_q * q_error) / 2.0 + 2.0 * _EPSILON))


def _bias_square(q: Array, moments: Moments) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(q - moments.value / moments.slope)


def _residual(q: Array, moments: Moments, wanted: Array) -> Array:
    return np.asarray(_bias_square(q.reshape(-1), moments).reshape(q.shape) - wanted)


def _reason(record: Activation, missing: Array, origin: Origin) -> str:
    if not missing.size:
        return ""
    if origin.is_homogeneous:
        return f"{record.name} has χ₁ = 1 at a fixed point only for σ_b = 0: no q solves σ_b² = q - E[σ²]/E[σ'²]"
    return (
        f"{record.name} has none at σ_b = {missing[0]:g}: no q from 1e-12 to 1e12 with σ_w in float64 solves "
        "σ_b² = q - E[σ²]/E[σ'²]"
    )
