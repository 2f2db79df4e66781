"""The largest eigenvalues of a Hessian of which only products are known, each with its error."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.networks.point import Point

LARGEST_MATRIX = 4096  # rows
_EPS = 2.0**-52
_DENSE = 64  # rows up to which the matrix itself is cheaper than Lanczos's method
_SHAKEN, _FACTOR = 3, 4.0  # trials with other roundings, and how many times as far the true one may lie


def largest(at: Point, count: int) -> tuple[tuple[Estimate, ...], Array]:
    """Return the largest eigenvalues of a Hessian, the greatest first, and unit eigenvectors as columns."""
    start = np.random.default_rng(0).standard_normal(at.size)
    _check_finite(at.product(start))
    if at.size <= _DENSE or count + 1 >= at.size:
        values, vectors = _of_matrix(at)
    else:
        try:
            # of one the least is asked for, too, as it tells the norm
            values, vectors = _lanczos(at.product, start, 2, "BE") if count == 1 else _leading(at.product, start, count)
        except ArpackError:  # the Hessian is 0, or so near that the iteration breaks down
            if not at.product(start).any():
                return (Estimate(0.0, 0.0),) * count, np.eye(at.size, count)
            if at.size > LARGEST_MATRIX:
                raise Undecided(f"the eigenvalues of a Hessian of {at.size} rows: Lanczos's method fails") from None
            values, vectors = _of_matrix(at)
    rounding = 4.0 * at.size * _EPS * float(np.abs(values).max())
    others = [at.shaken(seed) for seed in range(_SHAKEN)]
    estimates = []
    for place in range(1, count + 1):
        value, direction = float(values[-place]), vectors[:, -place]
        product = at.product(direction)
        missed = math.hypot(*(product - value * direction))  # whose squares may overflow
        moved = max(math.hypot(*(other.product(direction) - product)) for other in others)
        error = missed + rounding + _FACTOR * moved
        estimates.append(Estimate(0.0 if abs(value) <= error else value, error))
    return tuple(estimates), np.asarray(vectors[:, ::-1][:, :count])


def _of_matrix(at: Point) -> tuple[Array, Array]:
    _check_finite(rows := matrix(at))
    size = 2.0 ** (math.frexp(float(np.abs(rows).max()))[1] - 1)  # by which LAPACK converges at 1e157, too
    values, vectors = np.linalg.eigh(rows / size)
    with np.errstate(over="ignore"):
        _check_finite(values := np.asarray(values * size))
    return values, np.asarray(vectors)


def _check_finite(array: Array) -> None:
    if not np.isfinite(array).all():
        raise InvalidArgument("w", None, "makes second derivatives that overflow; take smaller weights")


def matrix(at: Point) -> Array:
    """Return the Hessian as a matrix."""
    rows = np.stack([at.product(unit) for unit in np.eye(at.size)])
    return np.asarray(0.5 * (rows + rows.T))


def _leading(product: Callable[[Array], Array], start: Array, count: int) -> tuple[Array, Array]:
    """Return the largest eigenvalues, in rising order, and their eigenvectors.

    Lanczos's method with one vector meets one direction of each eigenvalue. So whatever it finds is taken off, and the
    greatest that is left is looked for, until that is below all that are wanted.
    """
    values, vectors = _lanczos(product, start, count, "LA")
    below = 2.0 * float(np.abs(values).max())

    def beside(vector: Array) -> Array:
        shares = vectors.T @ vector
        turned = product(vector - vectors @ shares)
        return np.asarray(turned - vectors @ (vectors.T @ turned) - below * (vectors @ shares))

    while len(values) < len(start) - 1:
        (value,), left = _lanczos(beside, start - vectors @ (vectors.T @ start), 1, "LA")
        if value <= values[-count]:
            break
        vectors, _ = np.linalg.qr(np.column_stack([vectors, left]))
        order = np.argsort(values := np.append(values, value))
        values, vectors = values[order], vectors[:, order]
    return values, vectors


def _lanczos(
    product: Callable[[Array], Array], start: Array, count: int, which: Literal["LA", "BE"]
) -> tuple[Array, Array]:
    values, vectors = eigsh(LinearOperator((start.size, start.size), product), k=count, which=which, v0=start)
    return np.asarray(values), np.asarray(vectors)
