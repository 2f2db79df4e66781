"""At an exact minimum of a network's loss: with 0.97 of the largest stable step it is come back to, with 1.03 left."""

from dataclasses import replace

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import optimisers
from gradtheory.networks.variants import normalised, with_shortcuts
from gradtheory.training.network_problem import NetworkProblem

_HELD = 1.0 - 1e-9  # β₂, with which the mean of squares, and so the preconditioner, hardly changes
_OPTIMISERS = {
    "gradient descent": optimisers.gradient_descent(1.0),
    "with decay": optimisers.gradient_descent(1.0, weight_decay=0.3),
    "heavy ball": optimisers.heavy_ball(1.0, 0.8),
    "dampened": optimisers.heavy_ball(1.0, 0.8, dampening=0.5, weight_decay=0.2),
    "nesterov": optimisers.nesterov(1.0, 0.7, weight_decay=0.1),
    "rmsprop": optimisers.rmsprop(1.0, _HELD, weight_decay=0.2),
    "centred rmsprop": optimisers.rmsprop(1.0, _HELD, centred=True),
    "adam": optimisers.adam(1.0, 0.9, _HELD),
    "adam with decay": optimisers.adam(1.0, 0.6, _HELD, weight_decay=0.3, epsilon=0.5),
    "amsgrad": optimisers.adam(1.0, 0.8, _HELD, amsgrad=True),
    "adamw": optimisers.adamw(1.0, 0.8, _HELD, weight_decay=0.3),
    "amsgrad with decoupled decay": optimisers.adamw(1.0, 0.8, _HELD, weight_decay=0.2, amsgrad=True),
    "fully decoupled": optimisers.adamw(1.0, 0.8, _HELD, weight_decay=0.3, fully_decoupled=True),
}


def network_of(which, rng):
    """Return a network; those whose weights are 0 have a minimum with weight decay, too."""
    w = [rng.normal(size=(4, 4)) / 2.0, rng.normal(size=(4, 4)) / 2.0, rng.normal(size=(2, 4))]
    b = [rng.normal(size=4), rng.normal(size=4), np.zeros(2)]
    match which:
        case "linear":
            return gt.Network((4, 2), "identity", "mse", w=[np.zeros((2, 4))], b=[np.zeros(2)])
        case "tanh":
            return gt.Network((4, 4, 4, 2), ["tanh", "tanh", "identity"], "mse", w=w, b=b)
        case "norms":
            return normalised(gt.Network((4, 4, 4, 2), ["gelu", "gelu", "identity"], "mse_sum", w=w, b=b))
    return with_shortcuts(gt.Network((4, 4, 4, 2), ["silu", "sigmoid", "identity"], "squared", w=w, b=b))


def held(optimiser, parameters, rng):
    """Return a state long after the start, with squares that differ from entry to entry."""
    state = replace(optimiser.start(parameters), steps=10**10)
    if not optimiser.rule.is_adaptive:
        return state
    second = tuple(rng.uniform(0.3, 2.0, each.shape) ** 2 for each in parameters)
    third = tuple((3.0 if optimiser.is_amsgrad else 0.0) * each for each in second) if optimiser.has_third else ()
    return replace(state, second=second, third=third)


_CASES = [
    pytest.param(called, which, marks=[] if which == "linear" and "adamw" in called else pytest.mark.slow)
    for called, optimiser in _OPTIMISERS.items()
    for which in ("linear", "tanh", "norms", "shortcuts")
    if which == "linear" or not optimiser.weight_decay  # with it the others are at no minimum
]


@pytest.mark.parametrize(("called", "which"), _CASES)
def test_a_minimum_is_left_beyond_the_largest_stable_step(called, which):
    rng = np.random.default_rng(len(called))
    optimiser, network, x = _OPTIMISERS[called], network_of(which, rng), rng.normal(size=(12, 4))
    y = network.forward(x)
    problem = NetworkProblem(network, *network.read_data(x, y))
    state = held(optimiser, problem.start, rng)
    limit = gt.largest_stable_step(network, x, y, optimiser=optimiser, state=state)
    root = np.sqrt(np.concatenate([np.ravel(each) for each in optimiser.preconditioners(state)]))
    matrix = gt.curvature.hessian(network, x, y) / np.outer(root, root)
    coupled = 0.0 if optimiser.rule.is_decoupled else optimiser.weight_decay
    sharpest = np.linalg.eigh(matrix + np.diag(coupled / root**2))[1][:, -1]
    start = np.concatenate([each.ravel() for each in problem.start])
    for share, comes_back in ((0.97, True), (1.03, False)):
        mover = replace(optimiser, eta=share * limit)
        now = replace(state, parameters=shaped(start + 1e-8 * sharpest / root, problem.start))
        for _ in range(800):
            now = mover.step(now, problem.evaluate(now.parameters, slice(None)).gradients)
            moved = np.concatenate([each.ravel() for each in now.parameters]) - start
            if (size := abs(float(sharpest @ (root * moved)))) > 1e-5:
                break
        assert (size < 1e-9) is comes_back
        assert (size > 1e-5) is not comes_back


def shaped(vector, like):
    ends = np.cumsum([each.size for each in like])
    return tuple(part.reshape(each.shape) for part, each in zip(np.split(vector, ends[:-1]), like, strict=True))
