"""Step size and momentum: learning rates that stay inside the stability region while the curvature changes."""

from gradtheory.arithmetic.inputs import Array, read_count, read_float, read_positive_float, read_samples
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.either import read_either
from gradtheory.networks.parameters import slots
from gradtheory.training.engine import Schedule
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser
from gradtheory.training.stability import largest_stable_step
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


@with_other_names
def stable_schedule(
    network: Chain | Network, x: ArrayLike, y: ArrayLike, optimiser: Optimiser, *, safety: float = 0.9
) -> Schedule:
    """Return a schedule that takes the optimiser's learning rate, or less where that would be unstable.

    At each step η is at most `safety` times the limit of the stability region for the largest eigenvalue of the
    Hessian there, which is computed from Hessian-vector products. That keeps the step stable on the quadratic that
    touches the loss. On a plateau, where the curvature is small, the step may be so long that the quadratic no longer
    describes the loss where it ends; clip the gradient as well.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth, or a network without gains or biases of norms.
    x, y : array_like
        Inputs and targets, all that the curvature is to be measured on.
    optimiser : Optimiser
        `gradient_descent`, `heavy_ball` or `nesterov`.
    safety : float
        Above 0, at most 1.

    Raises
    ------
    InvalidArgument
        If `safety` is out of range, the optimiser is adaptive, or the network has such norms; by the schedule, if
        second derivatives overflow.

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
    if read_optimiser(optimiser).rule.is_adaptive:
        raise InvalidArgument("optimiser", optimiser, "must be gradient_descent, heavy_ball or nesterov")
    if isinstance(network := read_either(network), Network):
        if any(slot.name in ("gain", "bias") for slot in slots(network.nodes)):
            raise InvalidArgument("network", network, "must have no gains or biases of norms: a schedule sees w and b")
        network.read_data(x, y)
    else:
        read_samples(x, y)
    share = read_float(safety, "safety")
    if not 0.0 < share <= 1.0:
        raise InvalidArgument("safety", safety, "must lie in (0, 1], such as 0.9")

    def schedule(step: int, w: Array, b: Array) -> float:
        return min(optimiser.eta, share * largest_stable_step(network, x, y, w, b, optimiser=optimiser))

    return schedule
