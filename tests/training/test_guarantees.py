"""Guarantees, attacked: by gradients that an adversary chooses, by a search over problems, and by tiny numbers."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.training import train
from gradtheory.training.optimisers import adam, adamw, gradient_descent, heavy_ball, nesterov, rmsprop
from gradtheory.training.remedies import adam_step_bound, weight_decay_guarantee
from gradtheory.training.remedies.adam_step_bound import least_epsilon

_PROVEN = {
    "gradient_descent": lambda eta, _beta, decay: gradient_descent(eta, weight_decay=decay),
    "heavy_ball": lambda eta, beta, decay: heavy_ball(eta, beta, weight_decay=decay),
    "nesterov": lambda eta, beta, decay: nesterov(eta, beta, weight_decay=decay),
}


def worst_weight(optimiser, bound, start, steps=400):
    """Return the greatest |w| that gradients within ±bound can reach: each of them has the sign of its later effect."""
    state = optimiser.start([[0.0, start]])
    response, rest = [], []
    for step in range(steps):
        state = optimiser.step(state, [[1.0 if step == 0 else 0.0, 0.0]])
        response.append(state.parameters[0][0])
        rest.append(state.parameters[0][1])
    return max(abs(r) + bound * s for r, s in zip(rest, np.cumsum(np.abs(response)), strict=True))


@pytest.mark.parametrize("which", _PROVEN)
@given(beta=st.floats(0.0, 0.9), share=st.floats(0.01, 1.0), decay=st.floats(0.05, 20.0))
def test_no_gradients_within_their_bound_take_a_weight_out_of_its_own(which, beta, share, decay):
    """The worst gradients of all, not those of some problem."""
    make = _PROVEN[which]
    bound = weight_decay_guarantee(gt.Chain(1), [1.0], [0.0], optimiser=make(1.0, beta, decay))
    eta = share * bound.largest_step(decay)
    assert worst_weight(make(eta, beta, decay), decay * 4.0, 4.0) <= 4.0 * (1 + 1e-9)


@pytest.mark.parametrize("which", ["heavy_ball", "nesterov"])
@pytest.mark.parametrize("beta", [0.3, 0.9])
def test_a_step_beyond_the_condition_does(which, beta):
    make, decay = _PROVEN[which], 0.5
    bound = weight_decay_guarantee(gt.Chain(1), [1.0], [0.0], optimiser=make(1.0, beta, decay))
    eta = 1.5 * bound.largest_step(decay)
    assert worst_weight(make(eta, beta, decay), decay * 4.0, 4.0) > 4.0 * (1 + 1e-6)


def violation(parameters, which, rng):
    """Return how far a run leaves the guarantee, as a share of the bound: the objective of a search."""
    depth = 3
    numbers = np.clip(parameters, -1.0, 1.0)
    chain = gt.Chain(depth, ["tanh", "tanh", "sigmoid"])
    x, y = 3.0 * numbers[:3], np.round(np.abs(numbers[3:6]))  # few targets, whose bounds are kept
    beta = abs(numbers[6]) * 0.95
    guarantee = weight_decay_guarantee(chain, x, y, optimiser=_PROVEN[which](1.0, beta, 1.0))
    decay = guarantee.weight_decay * (1.0 + 1e-9)
    eta = (1.0 - 0.9 * abs(numbers[7])) * guarantee.largest_step(decay)
    w, b = guarantee.critical_weights * numbers[8:11], 8.0 * numbers[11:14]
    run = train(chain, x, y, w, b, optimiser=_PROVEN[which](eta, beta, decay), steps=30)
    return float(np.max(np.abs(run.w) / guarantee.critical_weights))


def search(objective, size, rng, tries):
    best, place = -math.inf, rng.uniform(-1, 1, size)
    for attempt in range(tries):
        width = 0.5 if attempt % 4 else 2.0
        other = place + width * rng.normal(size=size) if attempt else place
        value = objective(other)
        if value > best:
            best, place = value, np.clip(other, -1, 1)
    return best


@pytest.mark.parametrize("which", _PROVEN)
@pytest.mark.parametrize("tries", [8, pytest.param(80, marks=pytest.mark.slow)])
def test_a_search_finds_no_run_that_leaves_the_guarantee(which, tries):
    rng = np.random.default_rng(tries)
    assert 0.5 < search(lambda numbers: violation(numbers, which, rng), 14, rng, tries) <= 1.0


def test_conditions_are_stated_and_nothing_is_promised_of_other_optimisers():
    chain, x, y = gt.Chain(2), [-1.0, 1.0], [0.0, 1.0]
    plain = weight_decay_guarantee(chain, x, y)
    text = str(plain)
    for condition in plain.conditions:
        assert condition in text
    assert any("gradient descent, with η·λ ≤ 1" in each for each in plain.conditions)
    assert any("biases" in each for each in plain.conditions)
    assert any("at the start" in each for each in plain.conditions)
    ball = weight_decay_guarantee(chain, x, y, optimiser=heavy_ball(0.1, 0.25))
    assert ball.largest_product == pytest.approx(0.25)
    assert "η·λ ≤ 0.25" in ball.conditions[0]
    assert ball.largest_step(0.5) == pytest.approx(0.5)
    step = weight_decay_guarantee(chain, x, y, kind="decoupled", optimiser=adamw(0.1))
    assert any("4.4" in each and "e-159" in each for each in step.conditions)
    for kind, optimiser in (
        ("l2", rmsprop(0.1)), ("l2", adam()), ("l2", adamw()), ("l1", heavy_ball(0.1)), ("l1", adam()),
        ("decoupled", adam()), ("decoupled", gradient_descent(0.1)), ("l2", "adam"), ("decoupled", "adamw"),
    ):  # fmt: skip
        with pytest.raises(InvalidArgument, match="optimiser = "):
            weight_decay_guarantee(chain, x, y, kind=kind, optimiser=optimiser)


def test_why_rmsprop_is_refused():
    """With a decay above λ* its weights leave their critical weights."""
    chain, x, y = gt.Chain(3), np.linspace(-1, 1, 20), np.repeat([0.0, 1.0], 10)
    decay = 1.01 * weight_decay_guarantee(chain, x, y).weight_decay
    run = train(
        chain, x, y, [3.9] * 3, [0.0, -2.0, -2.0], optimiser=rmsprop(1.0, weight_decay=decay), steps=100
    )  # fmt: skip
    assert np.abs(run.w).max() > 4.0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("beta2", [0.5, 0.9, 0.999])
def test_a_step_of_adam_keeps_its_bound_where_squares_underflow(seed, beta2):
    rng = np.random.default_rng(seed)
    beta = 0.99 * math.sqrt(beta2) * rng.uniform(0.2, 1)
    optimiser = adam(1.0, beta, beta2, epsilon=1e-150)
    optimiser = adam(1.0, beta, beta2, epsilon=least_epsilon(optimiser))
    bound = adam_step_bound(optimiser)
    state = optimiser.start([np.zeros(64)])
    longest = 0.0
    for step in range(60):
        size = 10.0 ** rng.uniform(-170, -150, 64) if step % 3 else np.full(64, 2.0**-537.5)
        gradient = size * rng.choice([1.0, 1.0, 1.0, -1.0], 64)
        after = optimiser.step(state, [gradient])
        longest = max(longest, float(np.abs(after.parameters[0] - state.parameters[0]).max()))
        state = after
    assert longest <= bound


def test_an_epsilon_below_which_squares_underflow_is_refused():
    optimiser = adamw(1e-3, epsilon=1e-200, weight_decay=1.84)
    state = optimiser.start([[0.1]])
    for _ in range(10):
        state = optimiser.step(state, [[1e-170]])
    assert abs(state.parameters[0][0]) > 1e20  # the bound would be about 4
    for call in (
        lambda: adam_step_bound(optimiser),
        lambda: weight_decay_guarantee(gt.Chain(130), [1.0], [0.0], kind="decoupled", optimiser=optimiser),
    ):
        with pytest.raises(InvalidArgument, match=r"must have epsilon of at least 4\.\d+e-159"):
            call()
    for other in (gradient_descent(0.1), rmsprop(), None):
        with pytest.raises(InvalidArgument, match="optimiser = "):
            adam_step_bound(other)


@pytest.mark.parametrize("which", ["sigmoid", "tanh", "gaussian", "softsign", "arctan", "erf"])
@pytest.mark.parametrize("threshold", ["1/3", 1, "7/10"])
def test_bounds_are_rounded_to_the_safe_side(which, threshold):
    guarantee = weight_decay_guarantee(
        gt.Chain(2, which), [], [], kind="decoupled", optimiser=adamw(), threshold=threshold
    )
    exact = gt.critical_weight(which, threshold=threshold)
    for weight in guarantee.critical_weights:
        assert 0 <= (exact - sympy.Rational(float(weight))).n(40) <= 2.0**-51 * weight


def test_through_a_flat_layer_no_gradient_passes():
    step = sympy.Heaviside(sympy.Symbol("z", real=True))
    bound = weight_decay_guarantee(gt.Chain(3, ["tanh", step, "tanh"]), [1.0, 2.0], [0.0, 1.0])
    assert bound.critical_weights.tolist() == [1.0, math.inf, 1.0]
    assert bound.gradient_bounds[:2].tolist() == [0.0, 0.0]
    assert weight_decay_guarantee(gt.Chain(2, ["tanh", step]), [1.0], [0.0]).weight_decay == 0.0


def test_gradients_beyond_float64_are_refused():
    with pytest.raises(InvalidArgument, match="may exceed float64"):
        weight_decay_guarantee(gt.Chain(2, "tanh"), [1e200], [1e200])


def test_a_value_that_the_last_activation_takes_at_one_place_alone_counts():
    chain = gt.Chain(1, gt.expression("Piecewise((5, (z >= 0) & (z <= 0)), (tanh(z), True))"))
    assert chain.backprop([1.0], [0.0], [0.0], [0.0]).w == [5.0]
    assert weight_decay_guarantee(chain, [1.0], [0.0]).weight_decay >= 5.0
