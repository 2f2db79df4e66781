"""Largest singular values: of diag(σ'(z))·W, and of matrices that are known by their products alone."""

import math
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, svds

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.blocks import norms
from gradtheory.audits.layers import NAN

_LOOKED_AT = 4  # samples whose largest singular values are computed
_DENSE_LIMIT = 64  # widths up to which all singular values cost less than Lanczos' method
_ALL_LIMIT = 256  # widths up to which all singular values are kept for a picture
_FEW = 8  # rows or columns up to which a matrix is made of its products
_ROUNDING, _ROUNDING_OF_FLOAT32 = 2.0**-48, 2.0**-20  # of products, relative
_BASIS, _TOLERANCE, _RESTARTS = 6, 0.1, 50  # of products of a module: the residual is 5 % of the value at most


def largest_of_factor(w: Array, slopes: Array, by_z: Array) -> tuple[float, float]:
    """Return the greatest of diag(σ')·W over the samples with the greatest gradients, and its error."""
    if not np.isfinite(slopes).all() or not np.isfinite(w).all():
        return NAN, NAN
    order = np.argsort(-np.nan_to_num(norms(by_z, 1)))[:_LOOKED_AT]
    best, error = 0.0, 0.0
    for slope in slopes[order]:
        factor = slope[:, None] * w
        if min(factor.shape) <= _DENSE_LIMIT or not factor.any():
            value, residual = _of_all(factor)
        else:
            try:
                value, residual = _lanczos(factor, maxiter=_RESTARTS)
            except ArpackError:  # where many are the same, as of orthogonal weights
                value, residual = _of_all(factor)
        if value > best:
            best, error = value, residual
    return best, error


def all_of_factor(w: Array, slopes: Array, by_z: Array) -> Array | None:
    """Return all of diag(σ')·W at the sample with the largest gradient, where that costs little."""
    sample = int(np.argmax(np.nan_to_num(norms(by_z, 1))))
    factor = slopes[sample][:, None] * w
    if max(w.shape) > _ALL_LIMIT or not np.isfinite(factor).all():
        return None
    values = np.asarray(np.linalg.svd(factor, compute_uv=False))
    return np.where(values > max(w.shape) * 2.0**-52 * values[0], values, 0.0)  # those below are 0 up to rounding


def largest_of_products(matrix: LinearOperator) -> tuple[float, float]:
    """Return the largest singular value of a matrix known by its products, and its error; nan if none is found.

    The products may be those of float32, and are checked against each other: (A·u)·v = u·(Aᵀv).
    """
    random = np.random.default_rng(0)
    v, u = (random.standard_normal(length) for length in matrix.shape)
    pushed, pulled = matrix.matvec(u), matrix.rmatvec(v)
    sides = float(pushed @ v), float(u @ pulled)
    sizes = math.hypot(*pushed) * math.hypot(*v), math.hypot(*u) * math.hypot(*pulled)
    if not abs(sides[0] - sides[1]) <= 1e-2 * max(abs(sides[0]), 1e-2 * min(sizes)):
        return NAN, NAN
    if not any(sizes):
        return 0.0, 0.0
    if min(matrix.shape) <= _FEW:
        few = np.eye(min(matrix.shape))
        rows = [matrix.rmatvec(unit) if matrix.shape[0] == len(few) else matrix.matvec(unit) for unit in few]
        return float(np.linalg.norm(rows, 2)), _ROUNDING_OF_FLOAT32 * float(np.linalg.norm(rows))
    try:
        return _lanczos(matrix, ncv=_BASIS, tol=_TOLERANCE, maxiter=_RESTARTS)
    except ArpackError:
        return NAN, NAN


def _of_all(matrix: Array) -> tuple[float, float]:
    """Return the largest of all singular values, and its rounding."""
    return float(np.linalg.norm(matrix, 2)), 2.0**-50 * float(np.linalg.norm(matrix))


def _lanczos(matrix: Array | LinearOperator, **how: Any) -> tuple[float, float]:
    """Return the largest singular value, and √((‖A·v - s·u‖² + ‖Aᵀu - s·v‖²)/2), within which of it one lies."""
    u, s, v = svds(matrix, k=1, random_state=0, **how)
    missed = matrix @ v[0] - s[0] * u[:, 0], matrix.T @ u[:, 0] - s[0] * v[0]
    return float(s[0]), math.hypot(*missed[0], *missed[1]) / math.sqrt(2.0) + _ROUNDING * float(s[0])
