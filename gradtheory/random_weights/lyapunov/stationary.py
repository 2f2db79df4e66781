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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from gradtheory.activations import Activation
from gradtheory.activations.slopes.analysis import parity
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.places import places_and_period
from gradtheory.random_weights.gaussian.quadrature import TOLERANCE, Gaussians, Integrand, fixed_rule, integrate
from gradtheory.random_weights.lyapunov.slopes import is_bounded

_FLOOR = 1e-3  # of expectations: 1e-16 of it is accurate enough
_NODES_AT_ONCE = 48
_FAR_OUT = 8.0  # of log s, above that of the bias and of 1
_KRYLOV = 60  # vectors of Arnoldi's method
_MOST_RESTARTS = 300
_FEW_NODES = 64  # of which all eigenvalues, or least squares, are the quickest


@dataclass(frozen=True)
class Resolution:
    """Panels of log s of this length at most, each with this many nodes, and a coarse or fine quadrature in z.

    Far out, where the bias is a negligible part of z and any function of s is smooth, panels are twice as long.
    """

    length: float
    nodes: int
    coarse: bool


COARSE, FINE = Resolution(0.8, 20, coarse=True), Resolution(0.9, 24, coarse=False)


@dataclass(frozen=True, eq=False)
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
        mean square of the gradient product grows with depth. It is nan if log s has no bounds: the operator is not
        compact then, and its spectrum continuous.

    """

    record: Activation
    sigma_w: float
    sigma_b: float
    scale: Array
    weight: Array
    mean_square_rate: float

    def expected(
        self, integrand: Integrand, floor: float | Sequence[float] = _FLOOR, tolerance: float = TOLERANCE
    ) -> tuple[Array, Array]:
        """Return E[f] for k functions of (z, ξ, owner), z = s·ξ, s = scale[owner], and their quadrature errors."""
        places, period = places_and_period(self.record)
        laws = Gaussians(np.zeros(len(self.scale)), self.scale)
        value, error = integrate(integrand, laws, places, period, floor=floor, tolerance=tolerance)
        return value @ self.weight, error @ np.abs(self.weight)

    def without_rare(self, weight: float) -> "StationaryLaw":
        """Return the law without the nodes of less weight than this."""
        kept = np.abs(self.weight) >= weight
        return replace(self, scale=self.scale[kept], weight=self.weight[kept])


@functools.lru_cache(maxsize=256)
def stationary_law(
    record: Activation, sigma_w: float, sigma_b: float, ends: tuple[float, float], resolution: Resolution
) -> StationaryLaw:
    """Return the stationary law for log s between two ends, beyond which s is taken to be at the end."""
    bounded = is_bounded(record, sigma_b)
    carried = [nothing, squared_factor] if bounded else [nothing]
    panels, (transfer, *tilted) = operators(record, sigma_w, sigma_b, ends, resolution, carried)
    rate = _half_log_radius(tilted[0]) if bounded else math.nan
    return StationaryLaw(record, sigma_w, sigma_b, np.exp(panels.log_s), left_vector(transfer), rate)


class Panels:
    """Panels of log s with Chebyshev nodes on each."""

    def __init__(self, ends: tuple[float, float], resolution: Resolution, sigma_b: float) -> None:
        self.lower, self.upper = ends
        self.nodes = resolution.nodes
        far = _FAR_OUT + math.log(max(1.0, sigma_b))
        edges = (
            _cut(self.lower, min(far, self.upper), resolution.length) if far > self.lower else np.array([self.lower])
        )
        if far < self.upper:
            edges = np.append(edges[:-1], _cut(edges[-1], self.upper, 2.0 * resolution.length))
        self.count, self._between = len(edges) - 1, edges[1:-1]
        self.centre, self.half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        angles = np.pi * (np.arange(self.nodes) + 0.5) / self.nodes
        self.log_s = (self.centre[:, np.newaxis] - self.half[:, np.newaxis] * np.cos(angles)).reshape(-1)
        self.to_values = np.cos(np.outer(np.arange(self.nodes), np.pi - angles)) * (2.0 / self.nodes)
        self.to_values[0] /= 2.0

    def place(self, log_s: Array) -> tuple[np.ndarray, Array]:
        """Return the panel of each log s, and the place within it, from -1 to 1; beyond the ends, that of the end."""
        inside = np.clip(log_s, self.lower, self.upper)
        panel = np.searchsorted(self._between, inside, side="right")
        return panel, (inside - self.centre[panel]) / self.half[panel]

    def interpolated(self, values: Array, log_s: Array) -> Array:
        """Return the function with these values at the nodes, at other log s."""
        coefficients = self.to_values @ values.reshape(self.count, self.nodes).T  # of one degree side by side
        panel, inner = self.place(log_s)
        total, before, current = np.zeros(len(log_s)), np.ones(len(log_s)), inner
        for degree in range(self.nodes):
            total += coefficients[degree].take(panel) * before
            before, current = current, 2.0 * inner * current - before
        return total


def _cut(left: float, right: float, length: float) -> Array:
    """Return the ends of equal panels of this length at most."""
    return np.linspace(left, right, max(1, math.ceil((right - left) / length - 1e-9)) + 1)


Carried: TypeAlias = Callable[[Array, Array], Array]  # of σ'(z) and E[w² | z]


def nothing(slope: Array, mean_square: Array) -> Array:
    """Carry nothing along: 1."""
    return np.ones_like(slope)


def squared_factor(slope: Array, mean_square: Array) -> Array:
    """Carry the mean of (σ'(z)·w)² along."""
    return np.asarray(np.square(slope) * mean_square)


def survival_of_slope(slope: Array, mean_square: Array) -> Array:
    """Carry along whether σ'(z) != 0."""
    return np.asarray((slope != 0.0) * 1.0)


def operators(
    record: Activation,
    sigma_w: float,
    sigma_b: float,
    ends: tuple[float, float],
    resolution: Resolution,
    carried: Sequence[Carried],
) -> tuple[Panels, Array]:
    """Return the panels, and the transfer operators on their nodes, of shape (len(carried), nodes, nodes)."""
    panels = Panels(ends, resolution, sigma_b)
    scale = np.exp(panels.log_s)
    places, period = places_and_period(record)
    places = (*places, *ladders(record, sigma_w, sigma_b))
    halved = _is_mirrored(record)  # the next s is the same from both sides of 0

    def rows(starts: Array) -> Array:
        """Return the rows of the operators from the nodes s in `starts`, of shape (len(carried), starts, nodes)."""
        owner, z, weight = fixed_rule(
            Gaussians(np.zeros(len(starts)), starts), places, period, coarse=resolution.coarse
        )
        if halved:
            right = z > 0.0
            owner, z, weight = owner[right], z[right], 2.0 * weight[right]
        with np.errstate(all="ignore"):
            value, slope = record.value_and_slope(z)
            panel, inner = panels.place(np.log(np.hypot(sigma_w * value, sigma_b)))
        own = np.square(sigma_b / starts)[owner]  # the part of the variance of z that is the bias's
        mean_square = sigma_w**2 * (own + (1.0 - own) * np.square(z / starts[owner]))
        cell, cells = owner * panels.count + panel, len(starts) * panels.count
        runs = np.flatnonzero(np.diff(cell, prepend=-1))  # points of one cell follow each other: summed run by run
        weights = [weight * carry(slope, mean_square) for carry in carried]
        entries = np.empty((len(carried), panels.nodes, cells))
        before, current, twice = np.ones_like(inner), inner, 2.0 * inner
        for degree in range(panels.nodes):  # Chebyshev's polynomials of the place within the panel
            for kind, weight in enumerate(weights):
                entries[kind, degree] = np.bincount(cell[runs], np.add.reduceat(weight * before, runs), cells)
            before, current = current, twice * current - before
        values = entries.transpose(0, 2, 1) @ panels.to_values
        return np.asarray(values.reshape(len(carried), len(starts), len(scale)))

    blocks = np.array_split(scale, math.ceil(len(scale) / _NODES_AT_ONCE))
    return panels, np.concatenate([rows(block) for block in blocks], axis=1)


@functools.lru_cache(maxsize=128)
def _is_mirrored(record: Activation) -> bool:
    """Return whether σ is seen to be even or odd."""
    return parity(record.expr) != 0


def left_vector(transfer: Array) -> Array:
    """Return the weights that the operator keeps, with sum 1."""
    size = len(transfer)
    equations = np.vstack([transfer.T - np.eye(size), np.ones(size)])
    right = np.zeros(size + 1)
    right[-1] = 1.0
    if size <= _FEW_NODES:
        return np.asarray(np.linalg.lstsq(equations, right, rcond=None)[0])
    equations[0] = equations[-1]  # one of the equations follows from the others
    right = np.zeros(size)
    right[0] = 1.0
    return np.asarray(np.linalg.solve(equations[:-1], right))


def _half_log_radius(tilted: Array) -> float:
    """Return ½·log of the spectral radius; -inf for 0."""
    radius, _ = leading(tilted)
    return -math.inf if radius == 0.0 else 0.5 * math.log(radius)


def leading(operator: Array) -> tuple[float, Array]:
    """Return the spectral radius of an operator that keeps positive functions positive, and its eigenfunction.

    Of many nodes by Arnoldi's method: powers of the operator may stand still for long before they converge. The radius
    is nan where that does not converge either, since the spectrum is all but continuous.
    """
    start = np.ones(len(operator))
    if not np.any(operator):
        return 0.0, start
    if len(operator) <= _FEW_NODES:
        values, vectors = np.linalg.eig(operator)
        most = int(np.argmax(np.abs(values)))
        return float(np.abs(values[most])), _upright(vectors[:, most])
    try:
        values, vectors = eigs(
            operator, k=1, which="LM", v0=start, ncv=min(_KRYLOV, len(operator)), maxiter=_MOST_RESTARTS, tol=1e-13
        )
    except ArpackNoConvergence:
        return math.nan, start
    return float(np.abs(values[0])), _upright(vectors[:, 0])


def _upright(vector: np.ndarray) -> Array:
    """Return the real part of an eigenvector, with a sum that is not negative."""
    return np.asarray(np.real(vector) * np.sign(np.real(vector).sum()))


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


def ladders(record: Activation, sigma_w: float, sigma_b: float) -> list[float]:
    """Return points that close in on each zero of σ, as far as the next s still changes there."""
    width = max(sigma_b / sigma_w, math.exp(-40.0))
    steps = 0.5 ** np.arange(1, max(2, math.ceil(math.log2(8.0 / width))))
    where = zeros(record)
    if record.period is not None:
        where = tuple(each for each in where if 0.0 <= each < float(record.period) - 1e-9)
    return [float(place) for zero in where for place in (zero, *(zero + steps), *(zero - steps))]
