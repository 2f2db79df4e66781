"""Remedies: every bound holds on random chains, comes close on some, and the chain explodes without it."""

import itertools
import math
import re

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import largest_value
from gradtheory.random_weights.initialisation import constant, glorot, he, orthogonal, standard_normal
from gradtheory.training import EventKind, train
from gradtheory.training.optimisers import adam, adamw, gradient_descent
from gradtheory.training.remedies import (
    adam_step_bound,
    adaptive_clip,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    compare_activations,
    initial_factor_guarantee,
    soft_threshold,
    stable_schedule,
    warm_up,
    weight_decay_guarantee,
)
from gradtheory.training.remedies.output_gradient import largest_output_gradient

_BOUNDED = ("sigmoid", "tanh", "arctan", "softsign", "erf", "gaussian", "hard_tanh", "relu6")


# weight decay


@st.composite
def problems(draw, names=("sigmoid", "tanh", "softsign")):
    depth = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    chain = gt.Chain(depth, [draw(st.sampled_from(names)) for _ in range(depth)])
    samples = draw(st.integers(1, 5))
    x, y = rng.normal(0, 2, samples), rng.integers(-1, 2, samples).astype(float)  # few targets, whose bounds are kept
    return chain, x, y, rng


@pytest.mark.slow
@given(problem=problems(), threshold=st.sampled_from([1, 2, "1/2"]))
def test_no_weight_leaves_its_critical_weight(problem, threshold):
    chain, x, y, rng = problem
    guarantee = weight_decay_guarantee(chain, x, y, threshold=threshold)
    decay = 1.001 * guarantee.weight_decay
    w = rng.uniform(-1, 1, chain.depth) * guarantee.critical_weights
    b = rng.normal(0, 2, chain.depth)
    eta = rng.uniform(0.1, 1) * guarantee.largest_step(decay)
    run = train(chain, x, y, w, b, optimiser=gradient_descent(eta, weight_decay=decay), steps=60)
    assert np.all(np.abs(run.w) <= guarantee.critical_weights)
    assert run.factors.max() <= float(sympy.Rational(threshold)) + 1e-12
    for weights, biases in zip(run.w, run.b, strict=True):
        assert np.all(np.abs(chain.backprop(x, y, weights, biases).w) <= guarantee.gradient_bounds * (1 + 1e-12))


@pytest.mark.slow
@given(problem=problems())
def test_stationary_points_obey_the_weight_bounds(problem):
    chain, x, y, rng = problem
    guarantee = weight_decay_guarantee(chain, x, y)
    decay = 1.5 * guarantee.weight_decay
    b = rng.normal(0, 1, chain.depth)
    w = rng.uniform(-1, 1, chain.depth) * 3 * guarantee.critical_weights  # from anywhere
    for _ in range(4000):  # biases held: the bounds ask for nothing of them
        gradient = chain.backprop(x, y, w, b).w + decay * w
        w = w - 0.2 / decay * gradient
        if np.abs(gradient).max() < 1e-10 * decay:
            break
    assume(np.abs(gradient).max() < 1e-10 * decay)
    assert np.all(np.abs(w) <= guarantee.weight_bounds(decay) + 1e-9)


def test_the_weight_decay_of_one_layer_is_the_smallest():
    """With the bias where the output's gradient is greatest, |w| is the critical weight at λ* itself."""
    chain, x, y = gt.Chain(1), 1.7, 0.0
    guarantee = weight_decay_guarantee(chain, [x], [y])
    z = math.log(2)  # where (σ - 0)·σ' = 4/27
    w = -guarantee.critical_weights[0]
    gradient = chain.backprop([x], [y], [w], [z - w * x])
    assert gradient.b[0] == pytest.approx(4 / 27, rel=1e-12)
    stationary = -gradient.w[0] / w  # the λ for which this is a stationary point
    assert stationary == pytest.approx(guarantee.weight_decay, rel=1e-5)
    assert stationary <= guarantee.weight_decay


@pytest.mark.slow
def test_without_decay_a_chain_enters_the_explosion_set_and_with_it_never():
    chain, x, y = gt.Chain(2), np.array([-1.0, -0.1, 0.1, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    start = [3.0, 3.0], [0.0, -1.5]
    free = train(chain, x, y, *start, optimiser=gradient_descent(2.0), steps=2000)
    assert EventKind.EXPLOSION in {event.kind for event in free.events}
    guarantee = weight_decay_guarantee(chain, x, y)
    decay = 1.01 * guarantee.weight_decay
    kept = train(chain, x, y, *start, optimiser=gradient_descent(1 / decay, weight_decay=decay), steps=2000)
    assert EventKind.EXPLOSION not in {event.kind for event in kept.events}


@pytest.mark.slow
def test_an_l1_penalty_above_its_bound_ends_at_zero():
    chain, x, y = gt.Chain(2, "tanh"), [-1.0, 1.0], [-0.5, 0.5]
    guarantee = weight_decay_guarantee(chain, x, y, kind="l1")
    assert guarantee.weight_bounds(1.1 * guarantee.weight_decay).tolist() == [0.0, 0.0]
    amount = 0.1 * 1.1 * guarantee.weight_decay
    run = train(
        chain, x, y, [0.9, -0.9], [0.0, 0.0], optimiser=gradient_descent(0.1), steps=300,
        proximal=lambda w: soft_threshold(w, amount),
    )  # fmt: skip
    assert np.all(np.abs(run.w) <= guarantee.critical_weights)
    assert run.w[-1].tolist() == [0.0, 0.0]
    assert guarantee.largest_step(5.0) == math.inf


@given(
    gradients=st.lists(st.floats(-10, 10), min_size=1, max_size=60),
    beta=st.floats(0, 0.95),
    beta2=st.floats(0.91, 0.999),
)
def test_no_step_of_adam_is_longer_than_its_bound(gradients, beta, beta2):
    optimiser = adam(1.0, beta, beta2, epsilon=1e-12)
    bound = adam_step_bound(optimiser)
    state = optimiser.start([[0.0]])
    for gradient in gradients:
        after = optimiser.step(state, [[gradient]])
        assert abs(after.parameters[0][0] - state.parameters[0][0]) <= bound * (1 + 1e-12)
        state = after


def test_adams_bound_is_nearly_reached():
    """The gradients that Cauchy's and Schwarz's inequality asks for, g_i ~ (β/β₂)^(age), scaled in reverse."""
    beta, beta2, steps = 0.5, 0.9, 200
    optimiser = adam(1.0, beta, beta2, epsilon=1e-150)
    state = optimiser.start([[0.0]])
    for age in range(steps - 1, -1, -1):
        before, state = state, optimiser.step(state, [[(beta / beta2) ** age]])
    length = abs(state.parameters[0][0] - before.parameters[0][0])
    assert 0.9 * adam_step_bound(optimiser) < length <= adam_step_bound(optimiser)


@given(seed=st.integers(0, 2**32), beta=st.floats(0, 0.95), decay=st.floats(0.3, 5))
def test_decoupled_decay_bounds_the_weights(seed, beta, decay):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(3)
    optimiser = adamw(rng.uniform(0.05, 1) / decay, beta, 0.95, weight_decay=decay)
    guarantee = weight_decay_guarantee(chain, [], [], kind="decoupled", optimiser=optimiser)
    bound = guarantee.gradient_bounds[0] / decay
    run = train(
        chain,
        rng.normal(size=3),
        rng.uniform(size=3),
        rng.uniform(-1, 1, 3) * bound,
        rng.normal(size=3),
        optimiser=optimiser,
        steps=60,
    )
    assert np.all(np.abs(run.w) <= bound * (1 + 1e-12))
    if decay > guarantee.weight_decay:
        np.testing.assert_allclose(guarantee.weight_bounds(decay), bound, rtol=1e-12)
        assert bound <= guarantee.critical_weights[0]


@pytest.mark.slow
@pytest.mark.parametrize(("which", "target"), [*zip(_BOUNDED, itertools.cycle([-0.4, 0.0, 1.0]))])
def test_the_output_gradient_is_the_greatest(which, target):
    chain, record = gt.Chain(1, which), gt.activation(which)
    bound = largest_output_gradient(chain, np.array([target]))
    z = np.linspace(-20, 20, 400_001)
    value, slope = record.value_and_slope(z)
    sizes = np.abs((value - target) * slope)
    best = z[np.argmax(sizes)]
    finer = minimize_scalar(
        lambda z: -abs(float((record.value(z) - target) * record.slope(z))),
        bounds=(best - 1e-3, best + 1e-3),
        method="bounded",
    )
    attained = max(sizes.max(), -finer.fun)
    assert attained <= bound <= attained * (1 + 2e-4 if which == "softsign" else 1 + 1e-5)
    assert np.abs(value).max() <= float(largest_value(record)) * (1 + 1e-15)


@pytest.mark.slow
def test_many_targets_are_bounded_by_chords():
    targets = np.array([*np.linspace(-1, 1, 9), -0.6, 0.1])  # two lie between the ends of chords
    chain = gt.Chain(1, "tanh")
    apart = sum(largest_output_gradient(chain, np.array([each])) for each in targets)
    together = largest_output_gradient(chain, targets)
    assert apart <= together * (1 + 1e-9)
    assert together < 1.02 * apart


def test_steps_have_no_output_gradient():
    """A bound of 0 that is rounded up is above what is attained, 0: the search for it had no end but its effort."""
    assert largest_output_gradient(gt.Chain(1, gt.expression("sign(z)")), np.array([-1.0, 0.3])) == 0.0


def test_cross_entropy_after_a_sigmoid():
    chain = gt.Chain(1, "sigmoid", loss="cross_entropy")
    assert largest_output_gradient(chain, np.array([0.0, 1.0, 0.25])) == pytest.approx(2.75, rel=1e-12)
    with pytest.raises(InvalidArgument, match="'cloglog': has cross-entropy gradients without a bound"):
        largest_output_gradient(gt.Chain(1, "cloglog", loss="cross_entropy"), np.array([0.0]))


@pytest.mark.slow
def test_a_bound_for_an_activation_of_ones_own():
    z = sympy.Symbol("z", real=True)
    chain = gt.Chain(2, gt.activation(sympy.tanh(z) / 2))
    assert largest_value(chain.layer_activations[0]) == sympy.Rational(1, 2)
    assert weight_decay_guarantee(chain, [1.0], [0.0]).critical_weights.tolist() == [2.0, 2.0]


# the choice of activation


@pytest.mark.slow
def test_activations_are_compared():
    comparison = compare_activations(["relu", "sigmoid", "tanh", "softsign", "exponential"], sigma_w=2.0, sigma_b=0.5)
    assert len(comparison) == 5
    sigmoid = comparison.rows[1]
    assert sigmoid.widest_explosion == pytest.approx(float(gt.widest_explosion("sigmoid").width))
    assert sigmoid.lyapunov == gt.lyapunov_exponent("sigmoid", 2, 0.5).value
    assert sigmoid.explodes == gt.factor_probability("sigmoid", 2, sigma_b=0.5)
    assert sigmoid.vanishes == pytest.approx(1 - gt.factor_probability("sigmoid", 2, sigma_b=0.5, threshold=0.1))
    assert comparison.rows[2].edge_of_chaos == gt.meanfield.edge_of_chaos("tanh", 0.5).sigma_w
    assert comparison.rows[-1].name == "exponential"
    assert math.isnan(comparison.rows[-1].lyapunov)
    assert "0.4477" in str(comparison)
    assert repr(comparison) == "Comparison(5 activations at sigma_w=2, sigma_b=0.5)"
    assert comparison._repr_html_().count("<tr>") == 6


@pytest.mark.slow
def test_no_scale_makes_an_activation_safer():
    """tanh(z)/10 has a critical weight of 10, needs weights ten times as large, and stands where tanh would."""
    z = sympy.Symbol("z", real=True)
    names = ["relu", sympy.tanh(z) / 10, "sigmoid", "identity"]
    comparison = compare_activations(names)
    assert [row.name for row in comparison] == [gt.activation(each).name for each in names]
    assert [row.critical_weight for row in comparison] == [1.0, 10.0, 4.0, 1.0]


# the initialisation


@pytest.mark.slow
@pytest.mark.parametrize(
    "scheme",
    [
        standard_normal(1),
        he(1),
        glorot(1, shape="uniform", gain=5),
        orthogonal(1, gain=3),
        constant(1, value=5),
        constant(1, value=4),
    ],
)
def test_the_probability_that_no_factor_explodes(scheme):
    chain = gt.Chain(3, ["sigmoid", "tanh", "sigmoid"])
    guarantee = initial_factor_guarantee(chain, scheme)
    limits = np.array([4.0, 1.0, 4.0])
    draws = np.concatenate([scheme.sample(seed) for seed in range(3 * 4000)]).reshape(-1, 3)
    share = np.mean(np.all(np.abs(draws) <= limits, axis=1))
    probability = float(guarantee.probability)
    assert abs(share - probability) <= 3 * math.sqrt(probability * (1 - probability) / 4000) + 1e-12
    assert guarantee.largest_factor == (sympy.oo if scheme.shape == "normal" else abs(scheme.bound))


def test_a_constant_weight_at_the_critical_one_does_not_explode():
    guarantee = initial_factor_guarantee(gt.Chain(5), constant(1, value=4))
    assert any("before any training" in each for each in guarantee.conditions)
    assert (guarantee.largest_factor, guarantee.probability) == (1, 1)
    assert initial_factor_guarantee(gt.Chain(5), constant(1, value="4.01")).probability == 0
    assert initial_factor_guarantee(gt.Chain(5, "exponential"), he(1)).probability == 0


# step size


def test_warming_up():
    schedule = warm_up(0.3, 5)
    rates = [schedule(step, None, None) for step in range(8)]
    np.testing.assert_allclose(rates, [0.06, 0.12, 0.18, 0.24, 0.3, 0.3, 0.3, 0.3])


@pytest.mark.slow
def test_a_stable_schedule_stays_inside_the_region_and_without_it_the_loss_jumps():
    chain, x, y = gt.Chain(3, "tanh"), np.linspace(-1, 1, 9), np.linspace(-1, 1, 9) / 2
    start = [1.2, 1.2, 1.2], [0.1, 0.0, 0.0]
    optimiser = gradient_descent(1.0)
    jumps = lambda run: [event for event in run.events if event.kind is EventKind.LOSS_JUMP]  # noqa: E731
    assert jumps(train(chain, x, y, *start, optimiser=optimiser, steps=60))
    schedule = stable_schedule(chain, x, y, optimiser)
    run = train(chain, x, y, *start, optimiser=optimiser, steps=60, schedule=schedule)
    assert not jumps(run)
    region = gt.stability_region("gradient_descent")
    for step, (w, b) in enumerate(zip(run.w[:-1], run.b[:-1], strict=True)):
        h = gt.curvature.sharpness(chain, x, y, w, b)
        assert h <= 0 or region.contains(eta=schedule(step, w, b), h=h)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weight_decay_guarantee(gt.Chain(2, "relu"), [1.0], [0.0]), "'relu': is unbounded"),
        (lambda: weight_decay_guarantee(gt.Chain(2, "exponential"), [1.0], [0.0]), "unbounded slope"),
        (lambda: weight_decay_guarantee(gt.Chain(2), [math.nan], [0.0]), "x = "),
        (lambda: weight_decay_guarantee(gt.Chain(2), [1.0, 2.0], [1.0, 2.0, 3.0]), "shapes of x, y"),
        (lambda: weight_decay_guarantee(gt.Chain(2), [1.0], [0.0], kind="l3"), "kind = 'l3'"),
        (lambda: weight_decay_guarantee(gt.Chain(2), [1.0], [0.0], kind="decoupled"), "optimiser = None"),
        (lambda: weight_decay_guarantee(gt.Chain(2), [1.0], [0.0], threshold=0), "threshold = 0"),
        (
            lambda: weight_decay_guarantee(gt.Chain(2), [1.0], [0.0]).weight_bounds(1e-9),
            "weight_decay = 1e-09: must be above",
        ),
        (lambda: adam_step_bound(adam(beta=0.9, beta2=0.5)), "beta² < beta2"),
        (lambda: soft_threshold([1.0], -1), "amount = -1"),
        (lambda: clip_by_value([1.0], 0), "limit = 0"),
        (lambda: clip_by_value(["a"], 1), "gradient = "),
        (lambda: clip_by_norm([1.0], -1), "max_norm = -1"),
        (lambda: clip_by_global_norm(np.ones(3), 1), "gradients = "),
        (lambda: adaptive_clip([1.0], [1.0, 2.0]), "gradient.shape"),
        (lambda: adaptive_clip([1.0], [1.0], 0), "ratio = 0"),
        (lambda: adaptive_clip([1.0], [1.0], axis=1), "axis = 1: must be axes of an array of 1 dim"),
        (lambda: adaptive_clip([1.0], [1.0], axis="rows"), "axis = 'rows'"),
        (lambda: initial_factor_guarantee(gt.Chain(2), he(3)), "scheme = "),
        (lambda: warm_up(0, 3), "eta = 0"),
        (lambda: warm_up(1, 0), "steps = 0"),
        (lambda: stable_schedule(gt.Chain(1), 1.0, 1.0, gradient_descent(1), safety=2), "safety = 2"),
        (lambda: compare_activations(["nope"]), "activation = 'nope'"),
        (lambda: compare_activations(["relu"], sigma_w=0), "sigma_w = 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_a_comparison_prints_the_same_cells_everywhere():
    rows = gt.compare_activations(["tanh", "relu"])
    text, page = str(rows), rows._repr_html_()
    assert (
        [line.split()[0] for line in text.splitlines()[1:]]
        == [row.name for row in rows]
        == re.findall(r"<tr><td>(\w+)", page)
    )
    assert set(re.findall(r"<td>([^<]+)", page)) <= set(text.split())
    assert repr(rows) == "Comparison(2 activations at sigma_w=1, sigma_b=1)"
