"""The largest step that is stable at a point of a loss, for every optimiser."""

import functools
import math

import numpy as np
import sympy

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.arithmetic.kinds import read_kind
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.curvature import sharpness
from gradtheory.networks.eigenvalues import largest
from gradtheory.networks.parameters import flat
from gradtheory.networks.point import Point, point
from gradtheory.training.optimisers.optimiser import Optimiser, State, read_optimiser
from gradtheory.training.optimisers.update_rule import Rule
from gradtheory.training.stability.iteration import BETA, DECAY, ETA, H
from gradtheory.training.stability.region import StabilityRegion
from gradtheory.typing import ArrayLike

_ROUNDING = 2.0**-48  # of the terms of p(-1), ten at most, none of which cancel
_LONG = 10**9  # steps after which means have settled


@with_other_names
def largest_stable_step(
    network: Chain | Network,
    x: ArrayLike,
    y: ArrayLike,
    w: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    optimiser: Optimiser,
    state: State | None = None,
) -> Estimate:
    """Return the learning rate below which an optimiser is stable on the quadratic that touches the loss at a point.

    It is the limit of `stability_region` at the largest eigenvalue of the Hessian, plus the weight decay. For RMSprop,
    Adam and AdamW it is that of P^(-1/2)·(H + λ)·P^(-1/2), the diagonal P = √ŝ + ε being held fixed. Directions in
    which the loss curves down, as at a saddle, do not count: along these no learning rate is stable.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth L, or a network.
    x, y : array_like
        Inputs and targets: of a chain of one batch shape, of a network as for `Network.backprop`.
    w, b : array_like of shape (L,)
        Weights and biases of a chain: the point; of a network sequences of matrices and vectors, unless it has them.
    optimiser : Optimiser
        Its momentum and weight decay count, its learning rate does not.
    state : State, optional
        Of an adaptive optimiser, whose P it gives: such as the `.state` of a run. Unless given, P is what it becomes
        after many steps with the gradient g of this point: ŝ = g², and for a centred RMSprop 0.

    Returns
    -------
    Estimate
        A float with its `.error`, to which that of the eigenvalue leads; inf where the loss with its decay curves
        up in no direction, beyond that error.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, shapes do not fit, the state is of another network or of no step, or second
        derivatives overflow.

    References
    ----------
    J. Cohen et al., "Adaptive gradient methods at the edge of stability" (2022), equations 2-4.

    Examples
    --------
    >>> from gradtheory.training.optimisers import adam, heavy_ball
    >>> chain = Chain(depth=1, activation="identity")
    >>> step = largest_stable_step(chain, x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0], optimiser=heavy_ball(1.0, 0.5))
    >>> round(step, 6), step.error < 1e-13
    (0.437694, True)
    >>> network = Network((1, 1), "identity", w=[[[1.0]]], b=[[0.0]])
    >>> round(largest_stable_step(network, [[1.0], [2.0]], [[0.0], [0.0]], optimiser=adam()), 4)
    23.3752

    """
    optimiser = read_optimiser(optimiser)
    coupled = 0.0 if optimiser.rule.is_decoupled else optimiser.weight_decay
    if not optimiser.rule.is_adaptive:
        return _with_error(optimiser, sharpness(network, x, y, w, b), coupled)
    preconditioned = functools.partial(_preconditioned, optimiser, coupled, state)
    return _with_error(optimiser, largest(preconditioned(point(network, x, y, w, b)), 1)[0][0], 0.0)


def _preconditioned(optimiser: Optimiser, coupled: float, state: State | None, at: Point) -> Point:
    """Return a point with P^(-1/2)·(H + λ)·P^(-1/2) in place of its Hessian."""
    divisor = _divisor(optimiser, at, coupled, state)
    with np.errstate(all="ignore"):
        root = 1.0 / np.sqrt(divisor)

    def product(vector: Array) -> Array:
        scaled = root * np.ravel(vector)
        return np.asarray(root * (at.product(scaled) + coupled * scaled))

    return at._replace(product=product, shaken=lambda seed: _preconditioned(optimiser, coupled, state, at.shaken(seed)))


def _with_error(optimiser: Optimiser, h: Estimate, decay: float) -> Estimate:
    """Return the limit for the curvature h + decay, which falls as that rises, and how far the error of h moves it."""
    most, limit, least = (_limit(optimiser, h + shift + decay) for shift in (-h.error, 0.0, h.error))
    if math.isinf(limit):
        return Estimate(limit, 0.0 if math.isinf(least) else math.inf)
    return Estimate(limit, max(most - limit, limit - least) + _ROUNDING * limit)


def _divisor(optimiser: Optimiser, at: Point, coupled: float, state: State | None) -> Array:
    """Return √ŝ + ε as one vector."""
    if state is None:
        return _settled_divisor(optimiser, at.gradient + coupled * at.parameters)
    state = read_kind(state, "state", State, "must be the state of an optimiser, such as run.state")
    divisor = flat(optimiser.preconditioners(state))
    if state.steps < 1 or divisor.shape != (at.size,):
        raise InvalidArgument("state", state, f"must have taken a step, and be of these {at.size} parameters")
    return divisor


def _settled_divisor(optimiser: Optimiser, gradient: Array) -> Array:
    """Return √ŝ + ε after many steps with one gradient: |g| + ε, though g² may be beyond float64; ε if s is centred."""
    if not np.isfinite(gradient).all():
        raise InvalidArgument("w", None, "makes a gradient that overflows; take smaller weights")
    return np.asarray((0.0 if optimiser.is_centred else np.abs(gradient)) + np.full_like(gradient, optimiser.epsilon))


def _limit(optimiser: Optimiser, h: float) -> float:
    """Return the learning rate at which p(-1) = start - fall·η is 0 for the curvature h."""
    decay = optimiser.weight_decay if optimiser.rule.is_decoupled else 0.0
    if h + decay <= 0.0 and not optimiser.is_fully_decoupled:  # p(1) <= 0, whatever η is
        return math.inf
    start = fall = 0.0
    for (eta, *powers), number in _at_minus_one(optimiser.rule):
        numbers = zip((optimiser.beta, (1.0 - optimiser.dampening) * h, decay), powers, strict=True)
        term = number * math.prod(value**power for value, power in numbers)
        if eta - powers[-1] * optimiser.is_fully_decoupled:  # such a decay does not grow with η
            fall -= term
        else:
            start += term
    return max(start, 0.0) / fall if fall > 0.0 else math.inf


@functools.cache
def _at_minus_one(rule: Rule) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Return p(-1) as powers of η, β, h and λ with their coefficients; of η only 0 and 1 occur."""
    polynomial = sympy.Poly(StabilityRegion(rule).at_minus_one, ETA, BETA, H, DECAY)
    return tuple((powers, float(number)) for powers, number in polynomial.terms())
