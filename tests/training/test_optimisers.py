"""Optimisers: against their published recursions written out, on quadratics, and what they refuse."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers import adam, adamw, gradient_descent, heavy_ball, nesterov, rmsprop

_MAKERS = (gradient_descent, heavy_ball, nesterov, rmsprop, adam, adamw)
_RATES = st.floats(1e-3, 1.0)
_BETAS = st.floats(0.0, 0.99)
_DECAYS = st.sampled_from([0.0, 0.01, 0.3])


def by_hand(name, gradients, start, eta, beta, beta2, epsilon, decay):
    """Return where one number ends, each optimiser in closed sums over the history instead of running means."""
    w, history = start, []
    for t, gradient in enumerate(gradients, 1):
        if name == "adamw":
            w *= 1 - eta * decay
            history.append(gradient)
        else:
            history.append(gradient + decay * w)
        ages = np.arange(t - 1, -1, -1)
        past = np.array(history)
        velocity = float(np.sum(beta**ages * past))
        square = float((1 - beta2) * np.sum(beta2**ages * past**2))
        if name in ("gradient_descent", "heavy_ball"):
            w -= eta * velocity
        elif name == "nesterov":
            w -= eta * (past[-1] + beta * velocity)
        elif name == "rmsprop":
            w -= eta * past[-1] / (math.sqrt(square) + epsilon)
        else:
            mean = (1 - beta) * velocity / (1 - beta**t)
            w -= eta * mean / (math.sqrt(square / (1 - beta2**t)) + epsilon)
    return w


@given(
    eta=_RATES, beta=_BETAS, beta2=st.floats(0.5, 0.999), decay=_DECAYS, gradients=st.lists(st.floats(-3, 3), min_size=1, max_size=30),
    which=st.integers(0, 5),
)  # fmt: skip
def test_steps_are_the_published_ones(eta, beta, beta2, decay, gradients, which):
    maker = _MAKERS[which]
    name, options = maker.__name__, {"weight_decay": decay}
    if name in ("heavy_ball", "nesterov", "adam", "adamw"):
        options["beta"] = beta
    else:
        beta = 0.0
    if name in ("rmsprop", "adam", "adamw"):
        options |= {"beta2": beta2, "epsilon": 1e-3}
    optimiser = maker(eta, **options)
    state = optimiser.start([np.array([0.7]), np.array([[-0.7]])])
    for gradient in gradients:
        state = optimiser.step(state, [[gradient], [[-gradient]]])
    expected = by_hand(name, gradients, 0.7, eta, beta, beta2, 1e-3, decay)
    assert state.steps == len(gradients)
    assert state.parameters[0][0] == pytest.approx(expected, rel=1e-10, abs=1e-10)
    assert state.parameters[1][0, 0] == -state.parameters[0][0]


def test_a_step_changes_nothing_it_was_given():
    start, gradient = np.ones(3), np.full(3, 2.0)
    for maker in _MAKERS:
        first = maker(0.1).start([start])
        second = maker(0.1).step(first, [gradient])
        assert np.all(start == 1)
        assert np.all(gradient == 2)
        assert np.all(first.parameters[0] == 1)
        assert np.all(second.parameters[0] < 1)
        assert maker(0.1).step(first, [gradient]).parameters[0] is not second.parameters[0]


def test_a_schedule_changes_one_step():
    optimiser = heavy_ball(0.1, 0.5)
    state = optimiser.start([[1.0]])
    assert optimiser.step(state, [[1.0]], eta=0.3).parameters[0][0] == pytest.approx(0.7)
    with pytest.raises(InvalidArgument, match="eta = 0"):
        optimiser.step(state, [[1.0]], eta=0)


def test_numbers_that_are_not_finite_pass_through_without_warnings():
    for maker in _MAKERS:
        state = maker(0.1).start([[1.0, 1.0]])
        state = maker(0.1).step(state, [[math.inf, math.nan]])
        assert not np.isfinite(state.parameters[0]).any()


_BAD = {
    "eta": (0, -0.1, math.nan, math.inf, "fast", None),
    "beta": (1, -0.1, 1.5, math.nan, [0.9]),
    "beta2": (1.0, -1),
    "epsilon": (0,),
    "weight_decay": (-1, math.nan),
}
_REFUSED = [
    (maker, argument, value)
    for maker in _MAKERS
    for argument, values in _BAD.items()
    if argument in inspect.signature(maker).parameters
    for value in values
]


@pytest.mark.parametrize(("maker", "argument", "value"), _REFUSED)
def test_bad_hyperparameters_are_named(maker, argument, value):
    with pytest.raises(InvalidArgument, match=f"^{argument} = "):
        maker(**{"eta": 0.1, argument: value})


def test_shapes_must_fit():
    optimiser = adam()
    state = optimiser.start([[1.0, 2.0]])
    with pytest.raises(InvalidArgument, match="shapes of gradients"):
        optimiser.step(state, [[1.0]])
    with pytest.raises(InvalidArgument, match="gradients = "):
        optimiser.step(state, [["a", "b"]])
    with pytest.raises(InvalidArgument, match="parameters = "):
        optimiser.start([["a"]])


def test_they_print_their_numbers():
    assert repr(adamw()) == "adamw(eta=0.001, beta=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)"
    assert repr(gradient_descent(0.5)) == "gradient_descent(eta=0.5, beta=0, weight_decay=0)"
