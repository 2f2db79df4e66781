"""Guarantees, attacked by differential evolution: the objective is by how much a bound is exceeded, and 0 is kept."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import differential_evolution
from scipy.stats import norm, uniform

import gradtheory as gt
from gradtheory.random_weights.initialisation import glorot, standard_normal
from gradtheory.training.optimisers import adam, adamw, gradient_descent, heavy_ball, nesterov
from gradtheory.training.remedies import (
    adam_step_bound,
    adaptive_clip,
    clip_by_global_norm,
    clip_by_norm,
    initial_factor_guarantee,
    soft_threshold,
    stable_schedule,
    weight_decay_guarantee,
)
from gradtheory.training.stability import largest_stable_step

pytestmark = pytest.mark.slow


def greatest(objective, bounds, seed, rounds=40):
    """Return the greatest value that differential evolution finds."""
    found_at = differential_evolution(
        lambda place: -objective(place), bounds, maxiter=rounds, popsize=10, seed=seed, polish=False, tol=0.0
    )
    return -found_at.fun


def norm_squared(array):
    return sum(Fraction(float(entry)) ** 2 for entry in np.ravel(array))


def excess(is_at, bound_squared):
    """Return how far a squared norm exceeds a squared bound, as a share, exactly."""
    if bound_squared == 0:
        return math.inf if is_at else 0.0
    return float(min(is_at / bound_squared - 1, Fraction(10**6)))


def numbers_of(place):
    """Return floats of any size and sign, from pairs of a logarithm to base 2 and a mantissa."""
    logs, mantissas = np.reshape(place, (2, -1))
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.ldexp(mantissas, np.round(logs).astype(int)))


def sizes(low, high, count):
    return [(low, high)] * count + [(1.0, 2.0)] * count


_RANGES = [(-1074, -1000), (-560, -500), (-3, 3), (-40, 1), (480, 530), (960, 1023)]


@pytest.mark.parametrize(("low", "high"), _RANGES)
@pytest.mark.parametrize("seed", range(3))
def test_no_gradient_is_longer_than_its_clip(low, high, seed):
    def objective(place):
        *gradient, limit = numbers_of(place)
        one = clip_by_norm(gradient, limit)
        several = clip_by_global_norm([gradient[:1], [gradient[1:]], []], limit).gradients
        squares = norm_squared(one), sum(map(norm_squared, several))
        return max(excess(each, Fraction(limit) ** 2) for each in squares)

    assert greatest(objective, sizes(low, high, 4), seed) <= 0.0


@pytest.mark.parametrize(("low", "high"), _RANGES)
@pytest.mark.parametrize("seed", range(3))
def test_no_unit_is_longer_than_its_share(low, high, seed):
    def objective(place):
        *entries, ratio, epsilon = numbers_of(place)
        ratio = math.ldexp(math.frexp(ratio)[0], int(math.log2(ratio)) % 40 - 30)
        gradient, weights = np.reshape(entries, (2, 2, 2))
        clipped = adaptive_clip(gradient, weights, ratio, epsilon=epsilon)
        shares = [
            (norm_squared(unit), Fraction(ratio) ** 2 * max(norm_squared(own), Fraction(epsilon) ** 2))
            for unit, own in zip(clipped, weights, strict=True)
        ]
        return max(excess(*each) for each in shares)

    assert greatest(objective, sizes(low, high, 10), seed, rounds=30) <= 0.0


@pytest.mark.parametrize("make", [adam, adamw])
@pytest.mark.parametrize("seed", range(2))
def test_no_gradients_make_a_step_of_adam_longer_than_its_bound(make, seed):
    """η is 1, so that steps are those of the bound; gradients of any size and sign, and the two means' factors."""
    steps = 12

    def objective(place):
        beta2 = 1.0 - 10.0 ** place[0]
        beta = math.sqrt(beta2) * place[1]
        optimiser = make(1.0, beta, beta2, epsilon=1e-100)
        bound = adam_step_bound(optimiser)
        state, longest = optimiser.start([np.zeros(1)]), 0.0
        for log_size, sign in np.reshape(place[2:], (2, steps)).T:
            after = optimiser.step(state, [np.array([math.copysign(10.0**log_size, sign)])])
            move = abs(float(after.parameters[0][0] - state.parameters[0][0]))
            longest = max(longest, move - optimiser.weight_decay * abs(float(state.parameters[0][0])))
            state = after
        return longest / bound - 1.0

    ranges = [(-4.0, -0.05), (0.0, 0.999), *[(-90.0, 3.0)] * steps, *[(-1.0, 1.0)] * steps]
    assert greatest(objective, ranges, seed, rounds=25) <= 0.0


_SLOPED = [name for name in gt.activation_names() if gt.activation(name).steepest_slope.is_finite]


@pytest.mark.parametrize("activation_name", _SLOPED)
def test_no_input_or_weight_makes_a_factor_greater_than_promised(activation_name):
    drawn = initial_factor_guarantee(gt.Chain(1, activation_name), glorot(1, shape="uniform"))
    critical, largest = float(gt.critical_weight(activation_name)), float(drawn.largest_factor)
    slope = gt.activation(activation_name).slope
    # a slope in float64 is right to a few units in its last place, a bound to one
    assert greatest(lambda z: abs(float(slope(z[0] ** 3))) * critical - 1.0, [(-8.0, 8.0)], 0) <= 4e-15
    widest = float(glorot(1, shape="uniform").bound)
    at = lambda z: abs(float(slope(z[0] ** 3)) * widest * z[1]) / max(largest, 1e-300) - 1.0  # noqa: E731
    assert greatest(at, [(-8.0, 8.0), (-1.0, 1.0)], 0) <= 4e-15


def hessian(numbers, x, y):
    """Return the Hessian of ½·mean (tanh(w₂·tanh(w₁x + b₁) + b₂) - y)², from second derivatives by hand."""
    w1, w2, b1, b2 = numbers
    total = np.zeros((4, 4))
    for x_k, y_k in zip(x, y, strict=True):
        a1 = math.tanh(w1 * x_k + b1)
        a2 = math.tanh(w2 * a1 + b2)
        s1, s2 = 1 - a1 * a1, 1 - a2 * a2
        t1, t2 = -2 * a1 * s1, -2 * a2 * s2
        inner = np.array([x_k, 0.0, 1.0, 0.0])  # dz₁
        outer = w2 * s1 * inner + np.array([0.0, a1, 0.0, 1.0])  # dz₂
        second = w2 * t1 * np.outer(inner, inner)
        second[1, :] += s1 * inner
        second[:, 1] += s1 * inner
        bend = t2 * np.outer(outer, outer) + s2 * second
        total += (np.outer(s2 * outer, s2 * outer) + (a2 - y_k) * bend) / len(x)
    return total


@pytest.mark.parametrize("make", [gradient_descent, lambda eta: heavy_ball(eta, 0.7), lambda eta: nesterov(eta, 0.6)])
def test_no_point_makes_a_stable_step_unstable(make):
    optimiser = make(1e9)
    beta, looks_ahead = optimiser.beta, optimiser.rule.name == "nesterov"
    chain = gt.Chain(2, "tanh")

    def objective(place):
        numbers, x, y = place[:4], place[4:6], place[6:]
        step = largest_stable_step(chain, x, y, numbers[:2], numbers[2:], optimiser=optimiser)
        planned = stable_schedule(chain, x, y, optimiser, safety=1.0)(0, numbers[:2], numbers[2:])
        curvature = float(np.linalg.eigvalsh(hessian(numbers, x, y))[-1])
        if not math.isfinite(step):
            return curvature / max(1.0, abs(place).max()) - 1e-9 if curvature > 1e-9 else 0.0
        eta = max(float(step), float(planned)) - step.error
        rule = _radius(beta, eta * curvature, looks_ahead)
        return rule - 1.0 - 1e-9

    assert greatest(objective, [(-3.0, 3.0)] * 8, 0, rounds=15) <= 0.0


def _radius(beta, product, looks_ahead):
    """Return the spectral radius of the iteration on a quadratic, of (w, w before)."""
    if looks_ahead:
        rows = [[(1 + beta) * (1 - product), -beta * (1 - product)], [1.0, 0.0]]
    else:
        rows = [[1 + beta - product, -beta], [1.0, 0.0]]
    return float(np.abs(np.linalg.eigvals(np.array(rows))).max())


def test_no_weights_are_left_larger_by_a_soft_threshold():
    def objective(place):
        *weights, amount = numbers_of(place)
        left = soft_threshold(weights, amount)
        return max(
            excess(abs(Fraction(float(new))), max(abs(Fraction(float(old))), Fraction(5e-324)))
            for new, old in zip(left, weights, strict=True)
        )

    for (low, high), seed in itertools.product(_RANGES, range(2)):
        assert greatest(objective, sizes(low, high, 4), seed, rounds=10) <= 0.0


_DECAYED = [
    ("l2", gradient_descent(1.0)),
    ("l2", heavy_ball(1.0, 0.5)),
    ("l2", nesterov(1.0, 0.5)),
    ("l1", gradient_descent(1.0)),
    ("decoupled", adamw(0.1, 0.5, 0.9, epsilon=1e-30)),
]


@pytest.mark.parametrize(("kind", "optimiser"), _DECAYED, ids=repr)
@pytest.mark.parametrize("depth", [1, 2])
def test_no_start_and_no_biases_lift_a_weight_above_its_bound(kind, optimiser, depth):
    """The biases, which may move in any way, are the attacker's in each step, and so are start and η."""
    chain, steps = gt.Chain(depth, "tanh"), 5
    x, y = [2.0], [-1.0]  # of several samples the greatest gradients are not taken at once
    bound = weight_decay_guarantee(chain, x, y, kind=kind, optimiser=optimiser)
    decay = math.nextafter(bound.weight_decay, math.inf)
    largest = min(bound.largest_step(decay), 20.0)
    looks_ahead = optimiser.rule.name == "nesterov"

    def objective(place):
        eta = largest * place[0]
        w, velocity, worst = bound.critical_weights * place[1 : 1 + depth], np.zeros(depth), 0.0
        if kind == "decoupled":
            rule = adamw(eta, optimiser.beta, optimiser.beta2, weight_decay=decay, epsilon=1e-30)
            state = rule.start([w])
        for step in np.reshape(place[1 + depth :], (steps, depth)):
            ahead = w - optimiser.beta * velocity if looks_ahead else w
            gradient = chain.backprop(x, y, ahead, step).w
            if kind == "l1":
                w = soft_threshold(w - eta * gradient, eta * decay)
            elif kind == "decoupled":
                state = rule.step(state, [gradient])
                w = state.parameters[0]
            else:
                velocity = optimiser.beta * velocity + eta * (gradient + decay * ahead)
                w = w - velocity
            worst = max(worst, float(np.max(np.abs(w) / bound.critical_weights)))
        return worst - 1.0

    ranges = [(0.01, 1.0), *[(-1.0, 1.0)] * depth, *[(-8.0, 8.0)] * depth * steps]
    assert greatest(objective, ranges, 0, rounds=60) <= 0.0


_LAWS = [
    (lambda gain: standard_normal(1), lambda gain: norm()),
    (lambda gain: glorot(1, gain=gain), lambda gain: norm(scale=gain)),
    (lambda gain: glorot(1, shape="uniform", gain=gain), lambda gain: uniform(-(3**0.5) * gain, 2 * 3**0.5 * gain)),
]


@pytest.mark.parametrize(("make", "law"), _LAWS)
@pytest.mark.parametrize("names", [("sigmoid",), ("tanh", "gelu"), ("gaussian", "softsign", "tanh")])
def test_no_scale_makes_the_probability_of_a_quiet_start_wrong(make, law, names):
    """The attacker's input and biases make each factor |w|·sup|σ'|, found here again from the slopes alone."""
    chain = gt.Chain(len(names), list(names))
    slopes = [gt.activation(name).slope for name in names]
    steepest = [greatest(lambda z, slope=slope: abs(float(slope(z[0]))), [(-8.0, 8.0)], 0) for slope in slopes]

    def objective(place):
        gain, threshold = (float(np.exp(each)) for each in place)
        promised = float(initial_factor_guarantee(chain, make(gain), threshold=threshold).probability)
        each = [law(gain).cdf(threshold / slope) - law(gain).cdf(-threshold / slope) for slope in steepest]
        return abs(promised - math.prod(each))

    assert greatest(objective, [(-2.0, 3.0)] * 2, 0, rounds=8) <= 1e-8


@pytest.mark.parametrize("drawn", ["normal", "uniform"])
@pytest.mark.parametrize("widths", [(1, 2), (3, 3), (2, 12)])
def test_no_threshold_promises_more_than_the_draws_keep(drawn, widths):
    """Of a layer the probability is a lower bound: it may exceed the share of 4000 draws by their error alone."""
    scheme, network = glorot(*widths, shape=drawn), gt.Network(widths, "tanh")
    norms = np.sort([np.linalg.norm(scheme.sample(seed), 2) for seed in range(4000)])

    def objective(place):
        promised = float(initial_factor_guarantee(network, [scheme], threshold=float(place[0])).probability)
        return promised - np.searchsorted(norms, place[0]) / len(norms)

    assert greatest(objective, [(0.1, 6.0)], 0, rounds=10) <= 1.6 / math.sqrt(len(norms))
