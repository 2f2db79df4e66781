"""The variances that a layer keeps: the fixed points of the variance map."""

import math
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import (
    Array,
    broadcast,
    read_nonnegative,
    read_nonnegative_array,
    read_nonnegative_float,
    read_positive,
    read_positive_array,
    read_positive_float,
)
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.second_moments import METHODS
from gradtheory.random_weights.meanfield.certified import prove
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import many_moments_at, moments_at
from gradtheory.random_weights.meanfield.variance_growth import Crossings, VarianceMap
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

ROUNDING = 1e-12  # of χ where σ is two half-lines: √2 in float64 is critical for relu
_EPSILON = 2.0**-52
_DECADES = 18  # of variances on either side of 1, and more where σ_b or a bounded range asks for them
_MOST_DECADES = 290
_WIDEST = 1e140  # of scales, times σ's bound where it exceeds 1: beyond, q comes near the largest float
_RANKS = 4  # fixed points of a Dask array; more need an activation made for it


@dataclass(frozen=True)
class FixedPoint(ShownAsTable):
    """A variance that a layer keeps, or one for each pair of scales; then every attribute is an array of their shape.

    Attributes
    ----------
    q : Estimate or Estimates
        The variance; 1.0 where every q is one, nan where there is none.
    chi : Estimate or Estimates
        χ₁ there: the factor of the gradient's mean square per layer; inf where its expectation diverges.
    chi_parallel : Estimate or Estimates
        χ_∥ there: the factor of a deviation of q per layer.
    is_stable : bool or ndarray
        Whether variances on both sides are drawn to it, |χ_∥| < 1, or every q is a fixed point.

    """

    q: Any
    chi: Any
    chi_parallel: Any
    is_stable: Any

    def __repr__(self) -> str:
        shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self))
        return f"FixedPoint({shown})" if not np.ndim(self.q) else f"FixedPoint(q={self.q!r})"


def _ranked(
    activation: ActivationLike, sigma_w: Array, sigma_b: Array | float = 0.0, **options: Any
) -> tuple[FixedPoint, ...]:
    """Return as many for every chunk, since a Dask array does not know how many there will be."""
    points = fixed_points(activation, sigma_w, sigma_b, **options)
    if len(points) > _RANKS:
        raise Undecided(f"{len(points)} fixed points are more than the {_RANKS} that are kept of Dask arrays")
    shape = np.broadcast_shapes(np.shape(sigma_w), np.shape(sigma_b))
    nothing = Estimates(np.full(shape, math.nan), math.nan)
    none = FixedPoint(nothing, nothing, nothing, np.zeros(shape, dtype=bool))
    return points + (none,) * (_RANKS - len(points))


@partial(lazily, of_chunk=_ranked)
def fixed_points(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0.0,
    *,
    method: str = "auto",
    effort: float = EFFORT,
) -> tuple[FixedPoint, ...]:
    r"""Return the fixed points of the variance map, in increasing order; none where variances grow without bound.

    They are found in float64 among q = 0 and q from 1e-18 to 1e18 (from V(0) and up to the bound of a bounded
    activation, where these are beyond), as far as float64 holds their moments. Two of them that are nearer to each
    other than their errors are one, which is not stable: there the variance map touches the diagonal, apart from
    rounding.

    Over arrays of scales the k-th of the tuple holds the k-th fixed point of every pair, nan where a pair has fewer;
    moments are then interpolated between panels in log q, to 1e-13 or so, which their errors include. Of Dask arrays
    there are always four, most of them nan, since nothing is computed yet; more are refused when it is.

    Certified ones are proven, and proven to be all: among all q > 0 where σ is bounded or σ_w·sup|σ'| < 0.999, else up
    to 1e6; and from 1e-6 where q = 0 is one.

    Parameters
    ----------
    activation, sigma_w, sigma_b, effort
        As for `variance_map`.
    method : {"auto", "certified"}
        "certified" proves each q, for exact numbers σ_w and σ_b, and how many there are, in ball arithmetic; slopes
        stay numeric.

    Returns
    -------
    tuple of FixedPoint
        Each with its slopes, their errors, and whether it is stable.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, σ_w is not positive, or σ_b is negative; above 1e140, where arrays hold nan.
    Undecided
        If a proof is asked for and does not succeed: at or beside a place where the variance map touches the diagonal,
        or where σ jumps or has an unbounded slope.

    Examples
    --------
    >>> fixed_points("erf", "6/5", "1/10", method="certified")[0].q  # there is no other
    0.4783060434955205 ± 9.6e-12 (certified)
    >>> [(round(point.q, 6), point.is_stable) for point in fixed_points("tanh", 1.5)]
    [(0.0, False), (0.793354, True)]
    >>> [(round(point.q, 6), point.is_stable) for point in fixed_points("gelu", 1.8, 0.05)]  # two fates
    [(0.014928, True), (0.136293, False)]
    >>> fixed_points("relu", 2, 0.1)
    ()
    >>> first, second = fixed_points("gelu", [1.2, 1.8], 0.05)
    >>> first.q.round(6), second.q.round(6), first.is_stable
    (array([0.003923, 0.014928]), array([     nan, 0.136293]), array([ True,  True]))

    """
    record = as_activation(activation)
    if one_of(method, "method", METHODS) == "certified":
        scales = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
        places = fixed_points(record, *scales)
        positive = [float(point.q) for point in places if point.q > 0.0]
        proven = iter(prove(record, read_positive(sigma_w, "sigma_w"), read_nonnegative(sigma_b, "sigma_b"), positive))
        return tuple(replace(point, q=next(proven)) if point.q > 0.0 else point for point in places)
    weight, bias = read_scales(record, sigma_w, sigma_b)
    points = found_points(record, weight.reshape(-1), bias.reshape(-1))
    if weight.ndim:
        return tuple(point.shaped(weight.shape) for point in points.by_rank(weight.size))
    return tuple(points.at(which) for which in range(len(points.owner)))


def read_scales(record: Activation, sigma_w: object, sigma_b: object) -> tuple[Array, Array]:
    """Return both scales as arrays of their common shape; one pair is refused where variances leave float64."""
    weight, bias = read_positive_array(sigma_w, "sigma_w"), read_nonnegative_array(sigma_b, "sigma_b")
    weight, bias = broadcast(sigma_w=weight, sigma_b=bias)
    if not weight.ndim and not _holds_variances(record, weight, bias):
        rule = f"makes variances of {record.name} leave the range of float64: take one below {_WIDEST:g}"
        raise InvalidArgument(*(("sigma_b", sigma_b) if bias > _WIDEST else ("sigma_w", sigma_w)), rule)
    return weight, bias


def _holds_variances(record: Activation, sigma_w: Array, sigma_b: Array) -> np.ndarray:
    """Return whether float64 holds all variances up to σ's bound."""
    with np.errstate(over="ignore"):
        return np.maximum(sigma_b, sigma_w * max(1.0, _bound_of(record, 1.0))) <= _WIDEST


def _bound_of(record: Activation, otherwise: float) -> float:
    """Return sup|σ|, or another number where σ is not bounded."""
    bound = max(abs(float(record.range.inf)), abs(float(record.range.sup)))
    return bound if math.isfinite(bound) else otherwise


class Points(NamedTuple):
    """Fixed points of n pairs of scales, in increasing order for each owner, and the errors of their numbers."""

    owner: np.ndarray
    q: Array
    chi: Array
    chi_parallel: Array
    q_error: Array
    chi_error: Array
    chi_parallel_error: Array
    is_stable: np.ndarray

    def at(self, which: int) -> FixedPoint:
        """Return one of them."""
        guarantee = Guarantee.EXACT if self.q[which] == 0.0 else Guarantee.NUMERIC
        return FixedPoint(
            Estimate(self.q[which], self.q_error[which], guarantee),
            Estimate(self.chi[which], self.chi_error[which]),
            Estimate(self.chi_parallel[which], self.chi_parallel_error[which]),
            is_stable=bool(self.is_stable[which]),
        )

    def first_stable(self, count: int) -> "Points":
        """Return the least stable one of each owner, as `chosen` does."""
        stable = np.flatnonzero(self.is_stable)
        owners, first = np.unique(self.owner[stable], return_index=True)
        return self.chosen(owners, stable[first], count)

    def by_rank(self, count: int) -> "list[Points]":
        """Return the first of every owner, then the second, as `chosen` does."""
        starts = np.searchsorted(self.owner, np.arange(count))
        rank = np.arange(len(self.owner)) - starts[self.owner]
        ranks = [np.flatnonzero(rank == each) for each in range(int(rank.max(initial=-1)) + 1)]
        return [self.chosen(self.owner[which], which, count) for which in ranks]

    def chosen(self, owners: np.ndarray, which: np.ndarray, count: int) -> "Points":
        """Return one for each of `count` owners, in order: nan, and not stable, for those that are not named."""
        numbers = []
        for field in self[1:-1]:
            numbers.append(np.full(count, np.nan))
            numbers[-1][owners] = field[which]
        is_stable = np.zeros(count, dtype=bool)
        is_stable[owners] = self.is_stable[which]
        q, chi, parallel, *errors = numbers
        return Points(np.arange(count), q, chi, parallel, errors[0], errors[1], errors[2], is_stable)

    def shaped(self, shape: tuple[int, ...]) -> FixedPoint:
        """Return these, one for each pair of scales, as arrays."""
        q, chi, parallel = (Estimates(*pair).reshape(shape) for pair in zip(self[1:4], self[4:7], strict=True))
        return FixedPoint(q, chi, parallel, self.is_stable.reshape(shape))


def found_points(record: Activation, sigma_w: Array, sigma_b: Array) -> Points:
    """Return the fixed points of scales of shape (n,); moments are found directly for one pair."""
    held = np.flatnonzero(_holds_variances(record, sigma_w, sigma_b))
    points = _held_points(record, sigma_w[held], sigma_b[held])
    return points._replace(owner=held[points.owner])


def _held_points(record: Activation, sigma_w: Array, sigma_b: Array) -> Points:
    origin = Origin.of(record)
    slope = sigma_w**2 * origin.mean_square_slope
    if origin.is_homogeneous:
        return _of_lines(slope, sigma_b)
    layers = variance_map_of(record, sigma_w, sigma_b)
    positive = _with_slopes(layers, layers.crossings())
    rest = np.flatnonzero(sigma_b == 0.0) if origin.is_zero else np.empty(0, dtype=int)
    if not rest.size:
        return positive
    none, chi, error = np.zeros(len(rest)), slope[rest], _rounding(slope[rest])
    stable = layers.shrinks_near_0()[rest]
    both = zip(Points(rest, none, chi, chi, none, error, error, stable), positive, strict=True)
    points = Points(*(np.concatenate(pair) for pair in both))
    order = np.lexsort((points.q, points.owner))
    return Points(*(each[order] for each in points))


def variance_map_of(record: Activation, sigma_w: Array, sigma_b: Array) -> VarianceMap:
    """Return the variance maps over all variances among which they may have fixed points."""
    starts = np.hypot(sigma_b, sigma_w * float(record.value(0.0)))  # of which V(0) is the square
    least = min(-_DECADES, math.floor(2.0 * math.log10(starts[starts > 0.0].min(initial=1.0))) - 1)
    bound = float(np.max(np.hypot(sigma_b, sigma_w * _bound_of(record, 0.0)), initial=0.0))
    most = _DECADES if not bound else max(_DECADES, math.ceil(2.0 * math.log10(bound)) + 1)
    at = many_moments_at if len(sigma_w) > 1 else moments_at
    ends = max(least, -_MOST_DECADES), min(most, _MOST_DECADES)
    return VarianceMap(record, sigma_w, sigma_b, *ends, partial(at, record))


def _of_lines(slope: Array, bias: Array) -> Points:
    """Return the fixed points where σ is two half-lines: q = χ·q + σ_b²."""
    error, none = _rounding(slope), bias == 0.0
    keeps = np.abs(slope - 1.0) <= ROUNDING
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(none, np.where(keeps, 1.0, 0.0), bias**2 / (1.0 - slope))
        q_error = np.where(none, 0.0, q * (error / (1.0 - slope) + 4.0 * _EPSILON))
    there = np.flatnonzero(none | ((slope < 1.0) & ~keeps))
    stable = keeps | (slope < 1.0)
    q, slope, q_error, error = q[there], slope[there], q_error[there], error[there]
    return Points(there, q, slope, slope, q_error, error, error, stable[there])


def _rounding(slope: Array) -> Array:
    """Return the error of σ_w² times a mean square of two slopes, each rounded."""
    return np.asarray(8.0 * _EPSILON * slope)


def _with_slopes(layers: VarianceMap, crossings: Crossings) -> Points:
    """Return the fixed points with χ₁ and χ_∥, whose errors are those of the quadrature and of q together."""
    q, reach = np.exp(crossings.log_q), crossings.error
    weight = layers.sigma_w[crossings.owner] ** 2
    at = layers.moments(np.concatenate([q, q * np.exp(-reach), q * np.exp(reach)]))

    def slope(values: Array, errors: Array) -> tuple[Array, Array]:
        own, below, above = values.reshape(3, -1)
        spread = np.nan_to_num(np.fmax(np.abs(below - own), np.abs(above - own)))
        error = weight * (errors[: len(q)] + spread + 4.0 * _EPSILON * np.abs(own))
        return np.where(np.isnan(own), math.inf, weight * own), np.where(np.isnan(own), math.inf, error)

    (chi, chi_error), (parallel, parallel_error) = slope(at.slope, at.slope_error), slope(at.growth, at.growth_error)
    size = q * (np.expm1(np.minimum(reach, 700.0)) + 2.0 * _EPSILON)
    is_stable = (crossings.direction < 0) & (parallel > -1.0)
    return Points(crossings.owner, q, chi, parallel, size, chi_error, parallel_error, is_stable)
