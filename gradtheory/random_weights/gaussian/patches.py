"""Functions of two numbers that are asked for at many places along a curve, interpolated on the squares it crosses."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.interpolated import chebyshev_nodes, to_coefficients

_NODES = 10  # in each direction
_LENGTH = 0.25  # of a side, in logarithms: coefficients fall as 25^-n where functions are analytic for |Im| < π/2
_MANY = 30  # distinct places in the first direction, after which a square is worth its 100 values
_TOLERANCE = 1e-11  # of the least value on a square: the last coefficients of one that has converged
_LEBESGUE = 4.0  # by how much errors at 10 × 10 nodes may grow between them


class Patches:
    """Functions of the logarithms of two numbers, on squares that are made where they are asked for."""

    def __init__(self, exact: Callable[[float, float], Sequence[Estimate]]) -> None:
        self._exact = exact
        self._asked: defaultdict[tuple[int, int], set[float]] = defaultdict(set)
        self._patches: dict[tuple[int, int], tuple[Array, Array] | None] = {}

    def at(self, x: float, y: float) -> list[Estimate] | None:
        """Return the values at a place; None as long as few places with other x near it were asked for."""
        place = x / _LENGTH, y / _LENGTH
        key = math.floor(place[0]), math.floor(place[1])
        if key not in self._patches:
            self._asked[key].add(x)
            if len(self._asked[key]) < _MANY:
                return None
            self._patches[key] = self._patch(key)
            del self._asked[key]
        known = self._patches[key]
        if known is None:
            return None
        rows = [
            np.polynomial.chebyshev.chebvander(2.0 * (at - low) - 1.0, _NODES - 1)[0]
            for at, low in zip(place, key, strict=True)
        ]
        coefficients, error = known
        values = np.einsum("i,kij,j->k", rows[0], coefficients, rows[1])
        return list(map(Estimate, values.tolist(), error.tolist()))

    def _patch(self, key: tuple[int, int]) -> tuple[Array, Array] | None:
        """Return coefficients of shape (k, nodes, nodes), and errors; None where they have not converged."""
        nodes = (chebyshev_nodes(_NODES) + 1.0) / 2.0
        xs, ys = (_LENGTH * (low + nodes) for low in key)
        known = [[self._exact(x, y) for y in ys.tolist()] for x in xs.tolist()]
        values = np.array(known, dtype=float)
        errors = np.array([[[mean.error for mean in means] for means in row] for row in known]).max(axis=(0, 1))
        matrix = to_coefficients(_NODES)
        coefficients = np.einsum("ai,ijk,bj->kab", matrix, values, matrix)
        sizes = np.abs(coefficients)
        last = np.maximum(sizes[:, -1].sum(axis=1), sizes[:, :, -1].sum(axis=1))
        if not (last <= np.maximum(_TOLERANCE * np.abs(values).min(axis=(0, 1)), errors)).all():
            return None
        return coefficients, _LEBESGUE * errors + last
