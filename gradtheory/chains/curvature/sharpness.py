"""The greatest curvature of a chain's loss at a point."""

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature.numeric import hessian, products
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike


def sharpness(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> float:
    """Return the largest eigenvalue of the Hessian, by Lanczos's method on Hessian-vector products.

    Parameters
    ----------
    chain, x, y, w, b
        As for `hessian`.

    Returns
    -------
    float
        Negative where the loss curves down in every direction.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or of another shape, or if the Hessian overflows.

    References
    ----------
    The word: J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (2021).
    The method: R. Lehoucq, D. Sorensen & C. Yang, ARPACK (1998).

    Examples
    --------
    >>> round(sharpness(Chain(depth=1, activation="identity"), x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0]), 6)
    6.854102

    """
    return sharpest_direction(chain, x, y, w, b)[0]


def sharpest_direction(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> tuple[float, Array]:
    """Return the largest eigenvalue of the Hessian and a unit eigenvector of it; the arguments are `sharpness`'s."""
    product = products(chain, x, y, w, b)
    size = 2 * chain.depth
    start = np.random.default_rng(0).standard_normal(size)
    if not np.isfinite(product(start)).all():
        raise InvalidArgument("w", w, "makes second derivatives that overflow; take smaller weights")
    try:
        values, vectors = eigsh(LinearOperator((size, size), product), k=1, which="LA", v0=start)
    except ArpackError:  # the Hessian is 0, or so near that the iteration breaks down
        values, vectors = np.linalg.eigh(hessian(chain, x, y, w, b))
    return float(values[-1]), np.asarray(vectors[:, -1])
