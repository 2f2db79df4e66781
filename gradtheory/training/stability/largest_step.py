"""The largest step that is stable at a point of a chain's loss."""

from typing import Any

import numpy as np
import sympy

from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature.sharpness import sharpness
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers import Optimiser
from gradtheory.training.stability.iteration import BETA, DECAY, H
from gradtheory.training.stability.region import stability_region


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
    >>> from gradtheory.training.optimisers import heavy_ball
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
