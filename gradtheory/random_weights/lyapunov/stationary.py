r"""The stationary law of a chain of single neurons with random weights, by its transfer operator.

With w ~ N(0, σ_w²) and b ~ N(0, σ_b²) independent in every layer, z = w·a + b is, given the activation a of the layer
before, N(0, s²) with s² = σ_w²·a² + σ_b². So s is a Markov chain of its own: the next one is √(σ_w²·σ(sξ)² + σ_b²),
ξ ~ N(0, 1). Its transfer operator (Kh)(s) = E[h(next s)] makes any bounded h an analytic function of log s (the
Gaussian's width is all that s enters by), kinks or not: polynomials of Chebyshev on short panels of log s converge
geometrically, and the stationary law is the left eigenvector to the eigenvalue 1 (collocation; L. N. Trefethen,
"Approximation Theory and Approximation Practice", 2013, chapters 5 and 8).
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.quadrature import Gaussians, Integrand, fixed_rule, integrate
from gradtheory.random_weights.gaussian.second_moments import places_and_period

_FLOOR = 1e-3  # of expectations: 1e-16 of it is accurate enough
_NODES_AT_ONCE = 48


@dataclass(frozen=True)
class Resolution:
    """Panels of log s of this length at most, each with this many nodes, and a coarse or fine quadrature in z."""

    length: float
    nodes: int
    coarse: bool


COARSE, FINE = Resolution(0.8, 20, coarse=True), Resolution(0.9, 24, coarse=False)


@dataclass(frozen=True)
class StationaryLaw:
    """The law of s, the standard deviation of z given the layer before, as weights on nodes.

    Attributes
    ----------
    record : Activation
    sigma_w, sigma_b : float
    scale : ndarray of shape (n,)
        The nodes s.
    weight : ndarray of shape (n,)
        E[f(s)] is the sum of weight·f(scale), for smooth f; single weights may be negative.
    mean_square_rate : float
        ½·log of the spectral radius of the transfer operator that carries (σ'(z)·w)² along: the rate at which the root
        mean square of the gradient product grows with depth. Without meaning if log s has no bounds: the operator is
        not compact then, and its spectrum continuous.

    """

    record: Activation
    sigma_w: float
    sigma_b: float
    scale: Array
    weight: Array
    mean_square_rate: float

    def expected(self, integrand: Integrand, floor: float | Sequence[float] = _FLOOR) -> tuple[Array, Array]:
        """Return E[f] for k functions of (z, ξ, owner), z = s·ξ, s = scale[owner], and their quadrature errors."""
        places, period = places_and_period(self.record)
        laws = Gaussians(np.zeros(len(self.scale)), self.scale)
        value, error = integrate(integrand, laws, places, period, floor=floor)
        return value @ self.weight, error @ np.abs(self.weight)


@functools.lru_cache(maxsize=256)
def stationary_law(
    record: Activation, sigma_w: float, sigma_b: float, ends: tuple[float, float], resolution: Resolution
) -> StationaryLaw:
    """Return the stationary law for log s between two ends, beyond which s is taken to be at the end."""
    lower, upper = ends
    count = max(1, math.ceil((upper - lower) / resolution.length - 1e-9))
    edges = np.linspace(lower, upper, count + 1)
    angles = np.pi * (np.arange(resolution.nodes) + 0.5) / resolution.nodes
    inside = -np.cos(angles)
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    log_s = (centre[:, np.newaxis] + half[:, np.newaxis] * inside).reshape(-1)
    scale = np.exp(log_s)

    to_values = np.cos(np.outer(np.arange(resolution.nodes), np.pi - angles)) * (2.0 / resolution.nodes)
    to_values[0] /= 2.0
    places, period = places_and_period(record)
    places = (*places, *_ladders(record, sigma_w, sigma_b))

    def rows(starts: Array) -> Array:
        """Return the rows of both operators from the nodes s in `starts`, of shape (2, len(starts), nodes)."""
        owner, z, weight = fixed_rule(
            Gaussians(np.zeros(len(starts)), starts), places, period, coarse=resolution.coarse
        )
        with np.errstate(all="ignore"):
            value, slope = record.value_and_slope(z)
            after = np.clip(np.log(np.hypot(sigma_w * value, sigma_b)), lower, upper)
        panel = np.clip(((after - lower) / (upper - lower) * count).astype(int), 0, count - 1)
        inner = (after - centre[panel]) / half[panel]
        own = np.square(sigma_b / starts)[owner]  # the part of the variance of z that is the bias's
        squared = np.square(sigma_w * slope) * (own + (1.0 - own) * np.square(z / starts[owner]))  # E[w² | z]·σ'²
        cell = owner * count + panel
        entries = np.empty((2, len(starts) * count, resolution.nodes))
        before, current = weight, weight * inner
        for degree in range(resolution.nodes):  # Chebyshev's polynomials of the place within the panel
            entries[0, :, degree] = np.bincount(cell, before, len(starts) * count)
            entries[1, :, degree] = np.bincount(cell, squared * before, len(starts) * count)
            before, current = current, 2.0 * inner * current - before
        return np.asarray((entries @ to_values).reshape(2, len(starts), len(scale)))

    blocks = np.array_split(scale, math.ceil(len(scale) / _NODES_AT_ONCE))
    transfer, tilted = np.concatenate([rows(block) for block in blocks], axis=1)
    return StationaryLaw(record, sigma_w, sigma_b, scale, _left_vector(transfer), _half_log_radius(tilted))


def _left_vector(transfer: Array) -> Array:
    """Return the weights that the operator keeps, with sum 1."""
    size = len(transfer)
    equations = np.vstack([transfer.T - np.eye(size), np.ones(size)])
    right = np.zeros(size + 1)
    right[-1] = 1.0
    if size <= 64:
        return np.asarray(np.linalg.lstsq(equations, right, rcond=None)[0])
    equations[0] = equations[-1]  # one of the equations follows from the others
    right = np.zeros(size)
    right[0] = 1.0
    return np.asarray(np.linalg.solve(equations[:-1], right))


def _half_log_radius(tilted: Array) -> float:
    """Return ½·log of the spectral radius; -inf for 0."""
    vector, radius = np.ones(len(tilted)), 0.0
    for _ in range(2000):
        following = tilted @ vector
        size = float(np.max(np.abs(following)))
        if size == 0.0:
            return -math.inf
        if abs(size - radius) <= 1e-14 * size:
            break
        vector, radius = following / size, size
    return 0.5 * math.log(size)


@functools.lru_cache(maxsize=128)
def zeros(record: Activation) -> tuple[float, ...]:
    """Return 0 if σ(0) = 0, and the places near it where σ changes sign."""
    grid = np.linspace(-16.0, 16.0, 2049) + 1e-3
    values = record.value(grid)
    cells = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    at_zero = record.value(0.0) == 0.0  # perhaps to a high order, where root finders are slow
    beside = [
        float(brentq(lambda z: float(record.value(z)), grid[i], grid[i + 1], xtol=1e-15, maxiter=1000))
        for i in cells
        if not (at_zero and grid[i] < 0.0 < grid[i + 1])
    ]
    return (0.0, *beside) if at_zero else tuple(beside)


def _ladders(record: Activation, sigma_w: float, sigma_b: float) -> list[float]:
    """Return points that close in on each zero of σ, as far as the next s still changes there."""
    width = max(sigma_b / sigma_w, math.exp(-40.0))
    steps = 0.5 ** np.arange(1, max(2, math.ceil(math.log2(8.0 / width))))
    where = zeros(record)
    if record.period is not None:
        where = tuple(each for each in where if 0.0 <= each < float(record.period) - 1e-9)
    return [float(place) for zero in where for place in (zero, *(zero + steps), *(zero - steps))]
