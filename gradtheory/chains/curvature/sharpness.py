"""The greatest curvature of a chain's loss at a point."""

import math

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature.numeric import hessian, products
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike

_EPS = 2.0**-52
_DENSE = 64  # rows up to which the matrix itself is cheaper than Lanczos's method


def sharpest_direction(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> tuple[Estimate, Array]:
    """Return the largest eigenvalue of the Hessian and a unit eigenvector of it; the arguments are `hessian`'s."""
    product = products(chain, x, y, w, b)
    size = 2 * chain.depth
    start = np.random.default_rng(0).standard_normal(size)
    if not np.isfinite(product(start)).all():
        raise InvalidArgument("w", w, "makes second derivatives that overflow; take smaller weights")
    if size <= _DENSE:
        values, vectors = np.linalg.eigh(hessian(chain, x, y, w, b))
    else:
        try:
            values, vectors = eigsh(LinearOperator((size, size), product), k=2, which="BE", v0=start)
        except ArpackError:  # the Hessian is 0, or so near that the iteration breaks down
            values, vectors = np.linalg.eigh(hessian(chain, x, y, w, b))
    value, direction = float(values[-1]), np.asarray(vectors[:, -1])
    missed = math.hypot(*(product(direction) - value * direction))  # whose squares may overflow
    error = missed + 4.0 * size * _EPS * float(np.abs(values).max())
    return Estimate(0.0 if abs(value) <= error else value, error), direction
