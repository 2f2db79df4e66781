"""The greatest curvature of a chain's loss at a point, and so the largest step that is stable there."""

from typing import Any

import numpy as np
import sympy
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from gradtheory.chain import Chain
from gradtheory.curvature.numeric import hessian, products
from gradtheory.errors import InvalidArgument
from gradtheory.inputs import Array
from gradtheory.optimisers import Optimiser
from gradtheory.stability import stability_region
from gradtheory.stability.iteration import BETA, DECAY, H


def sharpness(chain: Chain, x: Any, y: Any, w: Any, b: Any) -> float:
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
        If an argument is, or the Hessian is not finite.

    References
    ----------
    J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (2021), who call it
    so; R. Lehoucq, D. Sorensen & C. Yang, ARPACK (1998).

    Examples
    --------
    >>> round(sharpness(Chain(depth=1, activation="identity"), x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0]), 6)
    6.854102

    """
    return sharpest_direction(chain, x, y, w, b)[0]


def sharpest_direction(chain: Chain, x: Any, y: Any, w: Any, b: Any) -> tuple[float, Array]:
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


def largest_stable_step(chain: Chain, x: Any, y: Any, w: Any, b: Any, *, optimiser: Optimiser) -> float:
    """Return the learning rate below which an optimiser is stable on the quadratic that touches the loss at a point.

    The limit of `stability_region` at h = `sharpness`; inf where no direction curves up.

    Parameters
    ----------
    chain, x, y, w, b
        As for `hessian`.
    optimiser : Optimiser
        Its momentum and weight decay count; that of RMSprop or Adam is refused, since their h is preconditioned.

    Examples
    --------
    >>> from gradtheory.optimisers import heavy_ball
    >>> chain = Chain(depth=1, activation="identity")
    >>> step = largest_stable_step(chain, x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0], optimiser=heavy_ball(1.0, 0.5))
    >>> round(step, 6)
    0.437694

    """
    if not np.isnan(optimiser.beta2):
        raise InvalidArgument("optimiser", optimiser, "must be gradient_descent, heavy_ball or nesterov")
    h = sharpness(chain, x, y, w, b) + optimiser.weight_decay
    if h <= 0.0:
        return float("inf")
    limit = stability_region(optimiser.name).limit
    return float(limit.subs({BETA: sympy.Float(optimiser.beta), H: sympy.Float(h), DECAY: 0}))
