"""Many short runs of gradient descent at once: remedies are tried on the real loss, with and without them.

A run is the one that `gradtheory.train` makes, except for the order in which samples are added up. Where a run
amplifies rounding, that decides how it ends: so each is made twice, from starts that hardly differ.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.backprop import multiply_zero_wins
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import forward_pass, steepest_slopes
from gradtheory.chains.losses import Multiply
from gradtheory.training.events import SATURATED
from gradtheory.training.norms import norm
from gradtheory.training.remedies.clipping import CLIP_EPSILON

STEPS = 200
_NUDGE = 1e-10
APART = 1e-3  # of a loss, by which a run and its twins may differ


@dataclass(frozen=True)
class Attempt:
    """Where a run starts, and how it goes.

    Attributes
    ----------
    w, b : ndarray of shape (L,)
    eta : float
    max_norm : float
        To which the gradient is clipped.
    decay : float
        λ of the L2 penalty.

    """

    w: Array
    b: Array
    eta: float
    max_norm: float = np.inf
    decay: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt.

    Attributes
    ----------
    loss : ndarray of shape (STEPS + 1,)
        inf from the step on at which something was no longer finite.
    largest_gradient : float
        The greatest norm of the gradient; inf if the run diverged.
    is_saturated : bool
        Whether at the end every slope of some layer is below 1 % of the steepest; by that of the last layer cross
        entropy divides, so that it does not count there.
    total_factor : float
        The greatest |∂a_L/∂x| over the samples at the end.
    twins : ndarray of shape (k, STEPS + 1)
        The losses of runs that start 1e-10 or so away.
    zero : float
        A loss that is as good as 0, up to rounding.

    """

    loss: Array
    largest_gradient: float
    is_saturated: bool
    total_factor: float
    twins: Array
    zero: float

    @property
    def last(self) -> float:
        """The loss at the end."""
        return float(self.loss[-1])

    @property
    def ends(self) -> Array:
        """The losses at the end of this run and its twins."""
        return np.array([self.last, *self.twins[:, -1]])

    @property
    def starts(self) -> bool:
        """Whether the first loss is finite."""
        return bool(np.isfinite(self.loss[0]))

    @property
    def converges(self) -> bool:
        """Whether the run stays finite."""
        return bool(np.isfinite(self.last))

    @property
    def is_steady(self) -> bool:
        """Whether the run ends finite and as its twins do, so that rounding does not decide how."""
        apart = APART * self.last + self.zero + 1e-300
        return self.converges and bool(np.all(np.abs(self.twins[:, -1] - self.last) <= apart))

    @property
    def is_chance(self) -> bool:
        """Whether rounding decides how the run ends, or whether it diverges."""
        return not self.is_steady and bool(np.isfinite(self.ends).any())

    @property
    def lowest(self) -> Array:
        """The lowest loss at each step, of this run and its twins."""
        return np.asarray(np.minimum(self.loss, self.twins.min(axis=0)))

    @property
    def highest(self) -> Array:
        """The highest loss at each step, of this run and its twins."""
        return np.asarray(np.maximum(self.loss, self.twins.max(axis=0)))

    @property
    def falls(self) -> bool:
        """Whether the loss never rises, up to rounding."""
        return bool(np.isfinite(self.last) and np.all(np.diff(self.loss) <= 1e-9 * self.loss[:-1] + 1e-300))


def tried(chain: Chain, x: Array, y: Array, attempts: Sequence[Attempt], zero: float, twins: int = 1) -> list[Outcome]:
    """Return the outcomes of attempts, all run at the same time, each with its twins."""
    if not attempts:
        return []
    near = [_nudged(each, nudge) for nudge, each in itertools.product(_nudges(chain.depth, twins), attempts)]
    number, rows = len(attempts), _run(chain, x, y, [*attempts, *near])
    losses = np.array([loss for loss, *_ in rows[number:]]).reshape(twins, number, -1)
    return [Outcome(*row, losses[:, k], zero) for k, row in enumerate(rows[:number])]


def _nudges(depth: int, number: int) -> list[Array]:
    """Return by how much of themselves weights and biases are moved, of shape (2, L): all up, all down, or at random.

    A run may end elsewhere for one direction of a nudge, and for none of its sizes.
    """
    random = np.random.default_rng(0).choice([-1.0, 1.0], (number, 2, depth))
    return [_NUDGE * (np.full((2, depth), (-1.0) ** k) if k < 2 else random[k]) for k in range(number)]


def _nudged(attempt: Attempt, nudge: Array) -> Attempt:
    w, b = attempt.w, attempt.b
    return replace(attempt, w=w + nudge[0] * np.where(w == 0.0, 1.0, np.abs(w)), b=b + nudge[1] * (1.0 + np.abs(b)))


def _run(chain: Chain, x: Array, y: Array, attempts: Sequence[Attempt]) -> list[tuple[Array, float, bool, float]]:
    """Return losses, greatest gradients, whether a layer is saturated at the end, and total factors there."""
    w, b = (np.stack([getattr(each, name) for each in attempts], axis=1) for name in "wb")  # of shape (L, K)
    eta, most, decay = (np.array([getattr(each, name) for each in attempts]) for name in ("eta", "max_norm", "decay"))
    steepest = steepest_slopes(chain.layer_activations)[:, np.newaxis]
    is_met = np.arange(len(steepest))[:, np.newaxis] < len(steepest) - (chain.loss_record.name == "cross_entropy")
    losses = np.full((STEPS + 1, len(attempts)), np.inf)
    largest, alive, flat = np.zeros(len(attempts)), np.ones(len(attempts), dtype=bool), np.zeros(w.shape, dtype=bool)
    with np.errstate(all="ignore"):
        for step in range(STEPS + 1):
            loss, by_w, by_b, slopes, factor = _gradients(chain, x, y, w, b, np.multiply)
            if np.isnan(loss + by_w.sum(axis=0) + by_b.sum(axis=0))[alive].any():
                loss, by_w, by_b, slopes, factor = _gradients(chain, x, y, w, b, multiply_zero_wins)
            size = np.sqrt(np.sum(by_w**2 + by_b**2, axis=0))
            if not np.isfinite(size[alive]).all():  # squares overflow before norms do
                size = norm(np.concatenate([by_w, by_b]), 0)[0]
            alive &= np.isfinite(loss) & np.isfinite(size)
            losses[step, alive] = loss[alive]
            largest = np.where(alive, np.maximum(largest, size), np.inf)
            flat = (slopes < SATURATED * steepest) & np.isfinite(steepest) & is_met
            if step == STEPS or not alive.any():
                break
            factor = np.minimum(1.0, most / (size + CLIP_EPSILON))
            w = np.where(alive, w - eta * (factor * by_w + decay * w), w)
            b = np.where(alive, b - eta * (factor * by_b + decay * b), b)
    rows = zip(losses.T, largest, np.any(flat, axis=0), factor, strict=True)
    return [(loss, float(size), bool(is_flat), float(total)) for loss, size, is_flat, total in rows]


def _gradients(
    chain: Chain, x: Array, y: Array, w: Array, b: Array, multiply: Multiply
) -> tuple[Array, Array, Array, Array, Array]:
    """Return of K runs losses (K,), gradients by w and b (L, K), the greatest slopes (L, K) and total factors (K,).

    Kernels take rows of numbers: here the samples of all runs, one run after the other. `multiply` is NumPy's, or the
    one in which 0 times inf is 0, as in `Chain.backprop`.
    """
    activations, (depth, runs) = chain.layer_activations, w.shape
    each_w, each_b = (np.repeat(rows, len(x), axis=1) for rows in (w, b))

    def affine(a: Array, weight: Array, bias: Array) -> Array:
        return np.asarray(multiply(weight, a) + bias)

    inputs, z, slopes = forward_pass(activations, affine, np.tile(x, runs), each_w, each_b)
    losses, delta = np.empty((2, runs * len(x)))
    chain.loss_record.kernel(activations[-1], np.tile(y, runs), multiply, z[-1].copy(), losses, delta)
    deltas = np.empty((depth, runs * len(x)))
    deltas[-1] = delta
    for layer in range(depth - 1, 0, -1):
        deltas[layer - 1] = multiply(multiply(slopes[layer - 1], each_w[layer]), deltas[layer])
    by_w, by_b = (rows.reshape(depth, runs, -1).sum(axis=2) for rows in (multiply(deltas, np.array(inputs)), deltas))
    steepest = np.abs(np.array(slopes)).reshape(depth, runs, -1).max(axis=2, initial=0.0)
    total = np.abs(np.prod(np.array(slopes) * each_w, axis=0)).reshape(runs, -1).max(axis=1, initial=0.0)
    return losses.reshape(runs, -1).sum(axis=1), by_w, by_b, steepest, total
