"""Step size and momentum: learning rates that stay inside the stability region while the curvature changes."""

from gradtheory.arithmetic.inputs import Array, read_count, read_float, read_positive_float, read_samples
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser
from gradtheory.training.stability import largest_stable_step
from gradtheory.training.train import Schedule
from gradtheory.typing import ArrayLike

_MOST_STEPS = 10_000_000


def warm_up(eta: float, steps: int) -> Schedule:
    """Return a schedule that rises in equal steps to a learning rate, and then keeps it.

    Where the loss curves strongly at the start, small steps come first, until the curvature has fallen so far that η is
    stable. That helps only if `gradtheory.curvature.sharpness` falls early in training; `stable_schedule` measures it
    at every step.

    Parameters
    ----------
    eta : float
        The learning rate at the end.
    steps : int
        How many steps the rise takes.

    Raises
    ------
    InvalidArgument
        If one of the two is not positive.

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


def stable_schedule(chain: Chain, x: ArrayLike, y: ArrayLike, optimiser: Optimiser, *, safety: float = 0.9) -> Schedule:
    """Return a schedule that takes the optimiser's learning rate, or less where that would be unstable.

    At each step η is at most `safety` times the limit of the stability region for the largest eigenvalue of the
    Hessian there, which is computed from Hessian-vector products. That keeps the step stable on the quadratic that
    touches the loss. On a plateau, where the curvature is small, the step may be so long that the quadratic no longer
    describes the loss where it ends; clip the gradient as well.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth.
    x, y : array_like
        Inputs and targets, of one batch shape.
    optimiser : Optimiser
        `gradient_descent`, `heavy_ball` or `nesterov`.
    safety : float
        Above 0, at most 1.

    Raises
    ------
    InvalidArgument
        If `safety` is out of range; by the schedule, if the optimiser is adaptive or second derivatives overflow.

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
    read_optimiser(optimiser)
    read_concrete_chain(chain)
    read_samples(x, y)
    share = read_float(safety, "safety")
    if not 0.0 < share <= 1.0:
        raise InvalidArgument("safety", safety, "must lie in (0, 1], such as 0.9")

    def schedule(step: int, w: Array, b: Array) -> float:
        return min(optimiser.eta, share * largest_stable_step(chain, x, y, w, b, optimiser=optimiser))

    return schedule
