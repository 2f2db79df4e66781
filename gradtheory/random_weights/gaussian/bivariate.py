"""Expectations over two correlated Gaussian pre-activations: a quadrature within a quadrature."""

import math
from collections.abc import Sequence
from typing import overload

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, broadcast, read_positive_array
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.closed_pairs import closed_pair
from gradtheory.random_weights.gaussian.differences import has_products, products
from gradtheory.random_weights.gaussian.places import jumps, places_and_period
from gradtheory.random_weights.gaussian.quadrature import TOLERANCE, Gaussians, integrate
from gradtheory.random_weights.gaussian.second_moments import moments, moments_of, why_infinite
from gradtheory.random_weights.gaussian.together import read_correlations, together
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

__all__ = ["correlated", "of_jumps"]

_EPSILON = 2.0**-52
_LEAST_FLOAT = 2.0**-1074
_MOST_PERIODS = 4  # of the activation in a standard deviation
_TOLERANCE = 10 * TOLERANCE  # the inner integral has an error of its own


@overload
def correlated(activation: ActivationLike, c: float, q: NumberLike, *, of: str) -> Estimate: ...


@overload
def correlated(
    activation: ActivationLike, c: float | ArrayLike, q: NumberLike | ArrayLike, *, of: str
) -> Estimate | Estimates: ...


@lazily
def correlated(
    activation: ActivationLike, c: float | ArrayLike, q: NumberLike | ArrayLike, *, of: str, effort: float = EFFORT
) -> Estimate | Estimates:
    r"""Return E[σ(x₁)σ(x₂)], or E[σ'(x₁)σ'(x₂)], for Gaussians of variance q and correlation c, in float64.

    Given x₁, x₂ is N(c·x₁, (1 - c²)·q): the inner expectation is found for all nodes of the outer at once.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation σ.
    c : number or array_like
        The correlation, from -1 to 1.
    q : number or array_like
        The variance, positive.
    of : {"value", "slope"}
        Whether the product is of values or of slopes.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimate or Estimates
        Numeric, with its error; for arrays an array of their common shape, interpolated if there are many.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, the expectation diverges, or a periodic activation has too many periods in √q.
    Undecided
        For slopes, if the slope is infinite at some place.

    Examples
    --------
    >>> round(correlated("relu", 0.0, 1, of="value"), 12)
    0.159154943092
    >>> correlated("relu", [0.0, 1.0], 1, of="value").round(12)
    array([0.15915494, 0.5       ])

    """
    record = as_activation(activation)
    kind = one_of(of, "of", ("value", "slope"))
    numbers = broadcast(c=read_correlations(c), q=read_positive_array(q, "q"))
    correlation, variance = (each.reshape(-1) for each in numbers)

    def many() -> tuple[Array, Array]:
        if kind == "value":
            (square,), (square_error,) = moments_of(record, variance, "value")
            value, error = products(record, correlation, variance, square)
            return value, error + square_error
        if jumps(record):  # `products` has their point masses in it
            return np.full(len(variance), np.nan), np.full(len(variance), np.inf)
        return products(record, correlation, variance, np.zeros(len(variance)), slopes=True)

    def known() -> bool:
        return has_products(record, correlation, variance)

    return together(numbers, lambda c, q: _of_two(record, c, q, kind), many, known)


def _of_two(record: Activation, c: float, q: float, kind: str) -> Estimate:
    if (closed := closed_pair(record, c, q, kind)) is not None and math.isfinite(closed):
        return closed
    function = record.value if kind == "value" else record.slope
    variance = np.asarray(q)
    places, period = places_and_period(record)
    if period and variance > (_MOST_PERIODS * period) ** 2:
        most = (_MOST_PERIODS * period) ** 2
        raise InvalidArgument("q", q, f"must be at most {most:.4g} for {record.name}: a double integral is slow beyond")
    narrow = float(np.sqrt(variance * (1.0 - c) * (1.0 + c)))
    law = Gaussians.centred(variance.reshape(1))
    typical = float(np.sqrt(moments(record, variance.reshape(1), (kind,)).value[0, 0]))
    if not math.isfinite(typical):
        raise InvalidArgument("q", q, why_infinite(record))
    if kind == "slope" and record.infinite_slopes and narrow:
        place = record.infinite_slopes[0]
        raise Undecided(f"E[σ'(x₁)σ'(x₂)] of {record.name} is not found: its slope is infinite at {place}")
    if typical == 0.0:  # as far as floats reach
        return Estimate(0.0, _LEAST_FLOAT)

    def inner(x: Array) -> Array:
        """Return E[f(x₂) | x₁ = x]."""
        if narrow == 0.0:
            return np.asarray(function(c * x))
        means = Gaussians(c * x, np.full(len(x), narrow))
        expectations = integrate(lambda x, z, owner: function(x)[np.newaxis], means, places, period, floor=typical)
        return np.asarray(expectations.value[0])

    def integrand(x: Array, z: Array, owner: np.ndarray) -> Array:
        return np.asarray((function(x) * inner(x))[np.newaxis])

    outer = (*places, *_steps(places, c, narrow)) if not period else places
    value, error = integrate(integrand, law, outer, period, floor=typical**2, tolerance=_TOLERANCE)
    if not np.isfinite(value + error).all():
        raise InvalidArgument("q", q, why_infinite(record))
    return Estimate(value[0, 0], error[0, 0] + 2 * TOLERANCE * typical**2)


def of_jumps(record: Activation, c: float, q: float) -> Estimate:
    r"""Return what the jumps of σ add to d/dc E[σ(x₁)σ(x₂)]/q: inf at c = ±1, where the integral diverges.

    A jump by J at k is a mass J·δ(x - k) in σ'. With σ' beside the jumps that makes 2·Σ J_k·p(k)·E[σ'(x₂) | x₁ = k],
    and between two of them J_k·J_l·p(k, l), where p are the densities.
    """
    every_jump = jumps(record)
    if not every_jump:
        return Estimate(0.0, 0.0)
    place, size = (np.array(each) for each in zip(*every_jump, strict=True))
    narrow = math.sqrt(q * (1.0 - c) * (1.0 + c))
    if narrow == 0.0:
        return Estimate(math.inf, math.inf)
    mass = size * _density(place, math.sqrt(q))
    places, period = places_and_period(record)
    laws = Gaussians(c * place, np.full(len(place), narrow))
    slopes, errors = integrate(lambda x, z, owner: record.slope(x)[np.newaxis], laws, places, period)
    between = mass @ _density(place - c * place[:, np.newaxis], narrow) @ size
    error = 2.0 * np.abs(mass) @ errors[0] + 64 * _EPSILON * np.abs(mass) @ (np.abs(slopes[0]) + np.sum(np.abs(size)))
    return Estimate(2.0 * mass @ slopes[0] + between, error + 64 * _EPSILON * abs(between))


def _density(x: Array, scale: float) -> Array:
    return np.asarray(np.exp(-np.square(x / scale) / 2.0) / (math.sqrt(2.0 * math.pi) * scale))


def _steps(places: Sequence[float], c: float, narrow: float) -> list[float]:
    """Return where the inner expectation changes fast: where c·x comes as near to a kink as the inner width."""
    if not 0.0 < narrow < 1.0 or abs(c) < 0.5:
        return []
    widths = narrow * 2.0 ** np.arange(math.ceil(-math.log2(narrow)))
    return [(place + side * float(width)) / c for place in places for side in (-1.0, 1.0) for width in widths]
