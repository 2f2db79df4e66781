r"""Expectations over many variances at once: functions of log q, interpolated on panels.

E[f(√q z)] is an analytic function of t = log q for |Im t| < π/2, whatever f, kinks and jumps included: q enters by the
width of the Gaussian alone, and there |E[f]| ≤ E[|f|(√(q/cos Im t)·z)]/√cos Im t. So polynomials of degree n - 1 at
Chebyshev nodes on panels of length 1 converge as 6^-n (L. N. Trefethen, "Approximation Theory and Approximation
Practice", 2013, chapter 8), and a hundred thousand variances cost as much as a few hundred.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.quadrature import Integrals

Exact: TypeAlias = Callable[[Array], Integrals]  # of variances (m,), to values and errors (k, m)

NODES = 20
_LENGTHS = (1.0, 0.125)  # of panels in log q, and of those where a function changes faster
_TOLERANCE = 2e-14  # of the least value on a panel: the last coefficients of a panel that has converged
_LEBESGUE = 3.0  # by how much errors at 20 nodes may grow between them
_MOST_AT_ONCE = 1 << 16
_EPSILON = 2.0**-52


def chebyshev_nodes(count: int = NODES) -> Array:
    """Return Chebyshev's nodes in (-1, 1), increasing."""
    return np.asarray(-np.cos(np.pi * (np.arange(count) + 0.5) / count))


def to_coefficients(count: int = NODES) -> Array:
    """Return the matrix that makes coefficients of Chebyshev's polynomials from values at the nodes."""
    matrix = np.polynomial.chebyshev.chebvander(chebyshev_nodes(count), count - 1).T * (2.0 / count)
    matrix[0] /= 2.0
    return np.asarray(matrix)


_TO_COEFFICIENTS = to_coefficients()


class _Panel(NamedTuple):
    coefficients: Array  # of shape (nodes, k)
    error: Array  # of shape (k, 1)


class Interpolated:
    """Functions of the variance, on panels that are made where they are asked for."""

    def __init__(self, exact: Exact, *, at_once: int = 2 * NODES) -> None:
        self._exact, self._at_once = exact, at_once
        self._panels: dict[tuple[int, int], _Panel | None] = {}
        self._asked: Counter[tuple[int, int]] = Counter()

    def at(self, q: Array) -> Integrals:
        """Return values and errors of shape (k, m); no panel is made before many variances on it were asked for."""
        parts = list(self._parts(np.log(q), np.arange(len(q))))
        rest = np.setdiff1d(np.arange(len(q)), np.concatenate([np.empty(0, dtype=int), *(part for part, *_ in parts)]))
        if len(rest) or not parts:
            parts.append((rest, *self._exact(q[rest])))
        value, error = (np.empty((len(parts[-1][1]), len(q))) for _ in range(2))
        for part, values, errors in parts:
            value[:, part], error[:, part] = values, errors
        return Integrals(value, error)

    def _parts(self, log_q: Array, chosen: np.ndarray, level: int = 0) -> Iterator[tuple[np.ndarray, Array, Array]]:
        """Yield which of the chosen lie on one panel, with values and errors; none where no panel has converged."""
        place = log_q[chosen] / _LENGTHS[level]
        panel = np.floor(place).astype(int)
        order = np.argsort(panel, kind="stable")
        numbers, starts = np.unique(panel[order], return_index=True)
        for number, some in zip(map(int, numbers), np.split(order, starts[1:]), strict=False):
            self._asked[level, number] += len(some)
            if self._asked[level, number] < self._at_once:
                continue
            known = self._panel(level, number)
            if known is not None:
                yield (chosen[some], *_interpolated(known, place[some] - number))
            elif level + 1 < len(_LENGTHS):
                yield from self._parts(log_q, chosen[some], level + 1)

    def _panel(self, level: int, number: int) -> _Panel | None:
        key = level, number
        if key not in self._panels:
            nodes = number + (chebyshev_nodes() + 1.0) / 2.0
            self._panels[key] = _panel(*self._exact(np.exp(nodes * _LENGTHS[level])))
        return self._panels[key]


def _panel(value: Array, error: Array) -> _Panel | None:
    """Return what a panel holds; None where the functions diverge, or change too fast."""
    if not np.isfinite(value).all():
        return None
    with np.errstate(over="ignore"):
        coefficients = _TO_COEFFICIENTS @ value.T
    last, least = np.abs(coefficients[-3:]).max(axis=0), np.abs(value).min(axis=1)
    converged = (last <= _TOLERANCE * least) | (value == 0.0).all(axis=1) | (last <= _LEBESGUE * error.max(axis=1))
    if not converged.all():
        return None
    bound = _LEBESGUE * error.max(axis=1) + 2.0 * last + 8.0 * _EPSILON * np.abs(value).max(axis=1)
    return _Panel(coefficients, bound[:, np.newaxis])


def _interpolated(panel: _Panel, place: Array) -> tuple[Array, Array]:
    """Return values and errors at places from 0 to 1 of a panel."""
    blocks = np.array_split(2.0 * place - 1.0, max(1, math.ceil(len(place) / _MOST_AT_ONCE)))
    values = [np.polynomial.chebyshev.chebvander(each, NODES - 1) @ panel.coefficients for each in blocks]
    value = np.concatenate(values).T
    return value, np.broadcast_to(panel.error, value.shape)
