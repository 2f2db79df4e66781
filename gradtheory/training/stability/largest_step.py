"""The largest step that is stable at a point of a chain's loss."""

import math

import sympy

from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature.sharpness import sharpness
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser
from gradtheory.training.stability.iteration import BETA, DECAY, H
from gradtheory.training.stability.region import stability_region
from gradtheory.typing import ArrayLike


def largest_stable_step(
    chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, *, optimiser: Optimiser
) -> float:
    """Return the learning rate below which an optimiser is stable on the quadratic that touches the loss at a point.

    It is the limit of `stability_region` at h = `gradtheory.curvature.sharpness`, plus the weight decay.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : array_like
        Inputs and targets, of one batch shape.
    w, b : array_like of shape (L,)
        Weights and biases: the point.
    optimiser : Optimiser
        Its momentum and weight decay count, its learning rate does not. RMSprop, Adam and AdamW are refused: their h is
        preconditioned.

    Returns
    -------
    float
        In float64; inf where the loss with its weight decay curves up in no direction.

    Raises
    ------
    InvalidArgument
        If the optimiser is adaptive, an array is not real and finite, shapes do not fit, or second derivatives
        overflow.

    Examples
    --------
    >>> from gradtheory.training.optimisers import heavy_ball
    >>> chain = Chain(depth=1, activation="identity")
    >>> step = largest_stable_step(chain, x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0], optimiser=heavy_ball(1.0, 0.5))
    >>> round(step, 6)
    0.437694

    """
    if read_optimiser(optimiser).rule.is_adaptive:
        raise InvalidArgument("optimiser", optimiser, "must be gradient_descent, heavy_ball or nesterov")
    h = sharpness(chain, x, y, w, b) + optimiser.weight_decay
    if h <= 0.0:
        return math.inf
    limit = stability_region(optimiser).limit
    return float(limit.subs({BETA: sympy.Float(optimiser.beta), H: sympy.Float(h), DECAY: 0}))
