r"""How far a right implementation may be off: rounding errors of one unit each, carried through the network.

Let u be the unit roundoff of the float type. A sum or a product is rounded by at most u times the size of its terms. An
activation is rounded by at most k·u times its natural size, which is the size of the terms in its formula, however that
is written. Each rounding moves the gradient by itself times the derivative of the gradient by the rounded quantity, its
condition number; the bound is the sum of these, with their products. The recursions below are those of the forward and
the backward pass with absolute values everywhere, which is called running error analysis (N. Higham, "Accuracy and
Stability of Numerical Algorithms" (2002), sections 3.1 and 3.3). So a sum that cancels, a saturated layer and an
exploding chain get a wide tolerance, and a wrong formula does not.

Long sums are the exception: that all their roundings go the same way is not seen. Rounding errors that are independent
and as often up as down make the error of n operations λ·√n·u with a probability of at least 1 - 2·exp(-λ²/2) for each
number (N. Higham & T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41 (2019),
A2815-A2835, theorem 2.4). Where the terms are such that they are not as often up as down, that is added.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import Undecided
from gradtheory.random_weights.floats import FloatType
from gradtheory.testing.backward import Problem
from gradtheory.testing.places import kinks

_KERNEL_ULPS = 16.0  # of an activation's natural size
_PER_OPERATION = 2.0
_REACH = 4.0  # |z| within which the natural size of σ and σ' is sought
# |z| up to which slopes of z·(1 + tanh u)/2 and the like, which hold z·u'·(1 - tanh²u), lose digits in proportion to
# z·u': 10 at z = 10 where u is affine, as in silu, and 115 in gelu_tanh, where it is cubic.
_CANCELLING = 10.0
_FAR = 1e6
_FASTER = 100.0  # times _FAR, beyond which σ grows faster than z
_UNKNOWN = 0.5  # share of a slope
_LAMBDA = 5.0  # of Higham & Mary; errors of sums are 0.3·√n·u, of random numbers
_FEW = 6  # terms, of which the sum of the roundings is the smaller bound
_BINADES = 8  # of partial sums, in which terms are rounded


class Tolerances(NamedTuple):
    """Bounds of errors, in the shapes of `Problem`; those of loss, w and b are of sums over the batch."""

    loss: float
    w: list[Array]
    b: list[Array]
    x: Array


@dataclass(frozen=True)
class _Layer:
    """What a forward pass leaves, and the bounds of the errors in it; arrays of shape (batch, n)."""

    z: Array
    a: Array
    slope: Array
    a_error: Array
    slope_error: Array


class _Sizes(NamedTuple):
    """The natural sizes of an activation.

    Attributes
    ----------
    value, slope : float
        The size of the terms in the formulas of σ and σ' near 0. For σ it is 0 if σ is piecewise linear: then no
        formula adds anything that is rounded.
    is_unbounded : bool
        Whether σ is curved and grows like z or faster: its formula then holds a term or a factor z.
    is_fast : bool
        Whether it grows faster than z.
    power : int
        Of |z|, in proportion to which slopes lose digits: 1 where every argument is affine.

    """

    value: float
    slope: float
    is_unbounded: bool
    is_fast: bool
    power: int


def tolerances(problem: Problem, dtype: FloatType, *, either_at_kinks: bool = False) -> Tolerances:
    """Return how far loss and gradients may be off in a float type.

    Parameters
    ----------
    problem : Problem
        Whose numbers are exact in that type.
    dtype : FloatType
        The float type that is computed in.
    either_at_kinks : bool
        Whether any slope between the one-sided ones is right on a kink that is hit exactly.

    Raises
    ------
    Undecided
        If errors grow so much that the slope of a layer is unknown: the analysis holds for small errors only. Likewise
        if a number may overflow in the float type.

    """
    unit, least = dtype.eps / 2.0, dtype.smallest_normal
    with np.errstate(all="ignore"):  # an inf or nan is a tolerance that says nothing, and is treated so
        layers = _forward(problem, unit, least, either_at_kinks=either_at_kinks)
        _refuse_overflow(dtype, *(np.abs(layer.z) ** 3 for layer in layers), *(layer.a for layer in layers))
        last = layers[-1]
        loss, delta, delta_error = _at_output(problem, last, unit, least)
        _refuse_overflow(dtype, loss / unit)  # which exceeds the terms of its sum
        by_w, by_b = [], []
        entering = [(problem.x, np.zeros_like(problem.x)), *((layer.a, layer.a_error) for layer in layers)]
        for layer in range(len(layers) - 1, -1, -1):
            a, a_error = entering[layer]
            _refuse_overflow(dtype, np.abs(delta).T @ np.abs(a), np.abs(delta) @ np.abs(problem.w[layer]))
            products = delta_error.T @ (np.abs(a) + a_error) + np.abs(delta).T @ a_error
            by_w.append(products + _sum_error(delta.T[:, np.newaxis] * a.T, unit) + least)
            by_b.append(delta_error.sum(axis=0) + _sum_error(delta.T, unit) + least)
            weights = problem.w[layer]
            by_a = delta @ weights
            error = delta_error @ np.abs(weights) + _sum_error(delta[:, np.newaxis] * weights.T, unit) + least
            if layer:
                below = layers[layer - 1]
                delta = by_a * below.slope
                delta_error = np.abs(below.slope) * error + (np.abs(by_a) + error) * below.slope_error + least
                delta_error += unit * _PER_OPERATION * np.abs(delta)
        return Tolerances(loss, by_w[::-1], by_b[::-1], error)


def _forward(problem: Problem, unit: float, least: float, *, either_at_kinks: bool) -> list[_Layer]:
    layers: list[_Layer] = []
    a, a_error = problem.x, np.zeros_like(problem.x)
    for record, weights, biases in zip(problem.activations, problem.w, problem.b, strict=True):
        z = a @ weights.T + biases
        terms = np.concatenate([a[:, np.newaxis] * weights, np.tile(biases[:, np.newaxis], (len(a), 1, 1))], axis=2)
        z_error = a_error @ np.abs(weights).T + _sum_error(terms, unit, others=0) + least
        if not either_at_kinks and _is_on_grid(weights, unit).all() and _is_on_grid(biases, unit).all():
            is_exact = (_is_on_grid(a, unit) & (a_error == 0.0)).all(axis=1)
            z_error[is_exact] = 0.0  # every product and sum is exact, in any order
        value, slope = record.value_and_slope(z)
        sizes, kernel = _natural_sizes(record), _KERNEL_ULPS * unit
        of_value, of_slope = np.maximum(np.abs(value), sizes.value), np.maximum(np.abs(slope), sizes.slope)
        if sizes.is_unbounded:  # such formulas multiply or add z
            longer = 1.0 + np.abs(z)
            of_value = of_value * longer if sizes.is_fast else np.maximum(of_value, sizes.value * longer)
            of_slope *= (1.0 + np.minimum(np.abs(z), _CANCELLING)) ** sizes.power
        bend_error = np.abs(record.bend(z)) * z_error
        if np.any(bend_error > _UNKNOWN * np.maximum(np.abs(slope), sizes.slope)):
            raise Undecided(f"rounding errors grow so much that σ' of layer {len(layers) + 1} is unknown")
        a_error = np.abs(slope) * z_error + kernel * of_value
        slope_error = bend_error + kernel * of_slope
        for kink, value_jump, slope_jump in _jumps(record):
            near = np.abs(z - kink) <= z_error
            if not either_at_kinks:
                near &= z_error > 0.0
            a_error = a_error + near * (value_jump + slope_jump * z_error)
            slope_error = slope_error + near * slope_jump
        layers.append(_Layer(z, value, slope, a_error, slope_error))
        a = value
    return layers


def _refuse_overflow(dtype: FloatType, *sizes: Array | float) -> None:
    """Refuse finite numbers beyond a float type; cubes are those of pre-activations in formulas such as gelu_tanh's."""
    if any(np.any(np.isfinite(each) & (np.abs(each) > dtype.max)) for each in sizes):
        raise Undecided(f"a right implementation may overflow {dtype.name}: take smaller numbers")


def _at_output(problem: Problem, last: _Layer, unit: float, least: float) -> tuple[float, Array, Array]:
    """Return the bound for the loss, δ_L, and the bounds for δ_L."""
    a, y = last.a, problem.y
    if problem.loss.needs_unit_interval:  # computed through ∂C/∂a, where loss and activation are not fused
        by_a = (a - y) / (a * (1.0 - a))
        bend = np.abs(y) / a**2 + np.abs(1.0 - y) / (1.0 - a) ** 2
        cost = np.abs(y * np.log(a)) + np.abs((1.0 - y) * np.log1p(-a))
    else:
        by_a, bend = a - y, np.ones_like(a)
        cost = 0.5 * by_a**2
    by_a_error = bend * last.a_error + _PER_OPERATION * unit * (bend * (np.abs(a) + np.abs(y)) + np.abs(by_a)) + least
    a_error = last.a_error + _PER_OPERATION * unit * (np.abs(a) + np.abs(y))  # with the rounding of a - y or 1 - a
    loss = np.sum(np.abs(by_a) * a_error + bend * a_error**2)
    summing = _sum_error(cost.ravel(), unit, others=4) + least
    delta = by_a * last.slope
    delta_error = by_a_error * np.abs(last.slope) + np.abs(by_a) * last.slope_error + by_a_error * last.slope_error
    if problem.loss.needs_unit_interval:  # or fused, from a - y
        delta_error = np.fmax(delta_error, np.abs(last.slope / (a * (1.0 - a))) * a_error)
    return float(loss + summing), delta, delta_error + _PER_OPERATION * unit * np.abs(delta) + least


def _sum_error(terms: Array, unit: float, others: int = 1) -> Array:
    """Return how far sums of terms over the last axis may be off, in any order, with some other operations on each.

    In whatever order, a partial sum lies between the sum of all negative terms and that of all positive ones. It is
    rounded by half a unit in its last place at most.
    """
    number, size = terms.shape[-1], np.abs(terms).sum(axis=-1)
    worst = (number + others) * _PER_OPERATION * unit * size
    if number <= _FEW:
        return np.asarray(worst)
    partial = np.fmax(*(np.fmax(side, 0.0).sum(axis=-1) for side in (terms, -terms))) + worst
    likely = (others + 1) * _PER_OPERATION * unit * size + _LAMBDA * np.sqrt(number) * _last_place(partial, unit) / 2.0
    return np.asarray(np.fmin(worst, likely + _one_sided(terms, size, unit)))


def _last_place(size: Array, unit: float) -> Array:
    return np.asarray(2.0 * unit * 2.0 ** np.floor(np.log2(size)))


def _one_sided(terms: Array, size: Array, unit: float) -> Array:
    """Return how far roundings that go the same way move a sum.

    A partial sum is a multiple of its last place. So the rounding of the next one depends only on what the term has
    beyond that place, which many terms may have in common: equal ones, n + 0.1, or all that are too small to matter.
    """
    places = _last_place(size, unit)[..., np.newaxis]
    beyond = [terms - place * np.rint(terms / place) for place in (places / 2.0**each for each in range(_BINADES))]
    return np.asarray(sum(np.abs(each.sum(axis=-1)) for each in beyond))


@functools.lru_cache(maxsize=256)
def _natural_sizes(record: Activation) -> _Sizes:
    places = np.linspace(-_REACH, _REACH, 801)
    value, slope = record.value_and_slope(places)
    far_out = np.abs(record.value([-_FAR, _FAR])).max()
    natural = 0.0 if not record.bend(places).any() else float(min(1.0, np.abs(value).max()))
    is_unbounded = bool(natural and far_out > 0.01 * _FAR)
    has_powers = any(part.has(Z) and part.exp != -1 for part in record.expr.atoms(sympy.Pow))
    power = 2 if has_powers else 1
    return _Sizes(natural, float(np.abs(slope).max()), is_unbounded, bool(far_out > _FASTER * _FAR), power)


@functools.lru_cache(maxsize=256)
def _jumps(record: Activation) -> tuple[tuple[float, float, float], ...]:
    """Return the kinks, with how far σ and σ' jump there."""
    jumps = []
    for kink in kinks(record):
        value, slope = record.value_and_slope(np.array([np.nextafter(kink, -np.inf), np.nextafter(kink, np.inf)]))
        jumps.append((kink, float(abs(np.diff(value)[0])), float(abs(np.diff(slope)[0]))))
    return tuple(jumps)


def _is_on_grid(array: Array, unit: float) -> NDArray[np.bool_]:
    """Return which numbers are so few bits long that their products and sums of a few are exact."""
    scale = 2.0 ** (-np.log2(unit) // 5)  # 2**10 in float64, 16 in float32
    return np.asarray((np.abs(array) <= scale) & (array * scale == np.rint(array * scale)))
