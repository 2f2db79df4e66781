"""Step size and momentum: learning rates that stay inside the stability region while the curvature changes."""

from typing import Any

from gradtheory.arithmetic.inputs import Array, read_count, read_float, read_positive_float
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimiser import Optimiser
from gradtheory.training.stability import largest_stable_step
from gradtheory.training.train import Schedule

_MOST_STEPS = 10_000_000


def warm_up(eta: float, steps: int) -> Schedule:
    """Return a schedule that rises in equal steps to a learning rate, and then keeps it.

    Where training starts on a sharp slope, small steps come first: the curvature along them falls until η is inside
    the stability region. It helps where `gradtheory.curvature.sharpness` falls early on, and only there;
    `stable_schedule` measures instead of hoping.

    Parameters
    ----------
    eta : float
        The learning rate at the end.
    steps : int
        How many steps the rise takes.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD" (2017), section 2.2; J. Gilmer et al., "A loss curvature
    perspective on training instability in deep learning" (2021), section 4.

    Examples
    --------
    >>> schedule = warm_up(1.0, 4)
    >>> [schedule(step, None, None) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]

    """
    top, rise = read_positive_float(eta, "eta"), read_count(steps, "steps", _MOST_STEPS)

    def schedule(step: int, w: Array, b: Array) -> float:
        return top * min(1.0, (step + 1) / rise)

    return schedule


def stable_schedule(chain: Chain, x: Any, y: Any, optimiser: Optimiser, *, safety: float = 0.9) -> Schedule:
    """Return a schedule that takes the optimiser's learning rate, or less where that would be unstable.

    At each step η is at most `safety` times the limit of the stability region for the largest eigenvalue of the
    Hessian there, found from Hessian-vector products. That keeps the step stable on the quadratic that touches the
    loss; on a plateau, where the curvature is small, it may be long enough to leave the neighbourhood of which the
    quadratic speaks, so clip the gradient as well.

    Parameters
    ----------
    chain, x, y
        What is trained, and on what.
    optimiser : Optimiser
        `gradient_descent`, `heavy_ball` or `nesterov`.
    safety : float
        Above 0, at most 1.

    References
    ----------
    Y. LeCun, P. Simard & B. Pearlmutter, "Automatic learning rate maximization by on-line estimation of the Hessian's
    eigenvectors" (1993).

    Examples
    --------
    >>> from gradtheory.training.optimisers import gradient_descent
    >>> schedule = stable_schedule(Chain(depth=1, activation="identity"), [2.0], [0.0], gradient_descent(1.0))
    >>> round(schedule(0, [1.0], [0.0]), 6)
    0.36

    """
    share = read_float(safety, "safety")
    if not 0.0 < share <= 1.0:
        raise InvalidArgument("safety", safety, "must lie in (0, 1], such as 0.9")

    def schedule(step: int, w: Array, b: Array) -> float:
        return min(optimiser.eta, share * largest_stable_step(chain, x, y, w, b, optimiser=optimiser))

    return schedule
