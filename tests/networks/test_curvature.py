"""The curvature of networks: against central differences of gradients, the chain's, and optimisers on the quadratic."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory import curvature, optimisers
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.losses import _binary, _softmax
from gradtheory.networks.parameters import flat, parameters, shaped, with_parameters
from tests.training.test_networks import graph, wide

_ALL = (
    optimisers.gradient_descent(1.0),
    optimisers.gradient_descent(1.0, weight_decay=0.3),
    optimisers.heavy_ball(1.0, 0.7, dampening=0.4),
    optimisers.nesterov(1.0, 0.6),
    optimisers.rmsprop(1.0, weight_decay=0.2),
    optimisers.adam(1.0, weight_decay=0.2),
    optimisers.adam(1.0, amsgrad=True),
    optimisers.adamw(1.0, weight_decay=0.1),
    optimisers.adamw(1.0, weight_decay=0.1, fully_decoupled=True),
)


def problem(seed):
    rng = np.random.default_rng(seed)
    return graph(rng, 3), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))


@given(seed=st.integers(0, 2**32))
def test_the_hessian_is_a_central_difference_of_gradients(seed):
    network, x, y = problem(seed)
    matrix, values = curvature.hessian(network, x, y), parameters(network.nodes)
    vector = np.random.default_rng(seed + 1).normal(size=len(matrix))
    product, step = curvature.hessian_vector_product(network, x, y, v=vector), 1e-6
    gradients = []
    for sign in (1, -1):
        nodes = with_parameters(network.nodes, shaped(flat(values) + sign * step * vector, values))
        by = Network.from_nodes(nodes, 3, "mse").backprop(x, y)
        gradients.append(flat([*by.w, by.b[0], by.b[2], *by.norms[0]]))
    difference = (gradients[0] - gradients[1]) / (2 * step)
    assert product == pytest.approx(difference, rel=1e-4, abs=1e-6 * np.abs(difference).max())
    assert matrix @ vector == pytest.approx(product, rel=1e-9, abs=1e-11 * np.abs(product).max())


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32))
def test_one_neuron_per_layer_curves_as_the_chain(seed):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(4, ["tanh", "gelu", "softplus", "sigmoid"], "cross_entropy")
    w, b, x, y = rng.normal(size=4), rng.normal(size=4), rng.normal(size=6), rng.random(6)
    network, inputs, targets = wide(w, b, chain.layer_activations, "cross_entropy"), x[:, None], y[:, None]
    exact = curvature.hessian(chain, x, y, w, b)
    scale = np.abs(exact).max()
    assert curvature.hessian(network, inputs, targets) == pytest.approx(exact, rel=1e-8, abs=1e-11 * scale)
    assert curvature.sharpness(network, inputs, targets) == pytest.approx(
        curvature.sharpness(chain, x, y, w, b), rel=1e-8, abs=1e-10 * scale
    )
    for optimiser in _ALL:
        ours = gt.largest_stable_step(network, inputs, targets, optimiser=optimiser)
        theirs = gt.largest_stable_step(chain, x, y, w, b, optimiser=optimiser)
        assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.slow
def test_eigenvalues_come_with_errors_that_hold():
    rng = np.random.default_rng(1)
    network = graph(rng, 8)  # 162 parameters: Lanczos's method
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    exact = np.linalg.eigvalsh(curvature.hessian(network, x, y))[::-1]
    for count in (1, 4):
        values = curvature.largest_eigenvalues(network, x, y, count=count)
        assert len(values) == count
        for value, right in zip(values, exact, strict=False):
            assert abs(value - right) <= value.error + 1e-13 * exact[0]
            assert value.error < 1e-8 * exact[0]
    value, direction = curvature.sharpest_direction(network, x, y)
    assert curvature.hessian_vector_product(network, x, y, v=direction) == pytest.approx(value * direction, abs=1e-8)
    everything = curvature.largest_eigenvalues(network, x, y, count=100)
    assert [float(each) for each in everything] == pytest.approx(exact[:100], abs=1e-9 * exact[0])


@pytest.mark.parametrize("optimiser", _ALL, ids=str)
def test_below_the_limit_an_optimiser_is_stable_on_the_quadratic_and_above_not(optimiser):
    """With its preconditioner held, and the Hessian at the point."""
    network, x, y = problem(11)
    matrix, at = curvature.hessian(network, x, y), flat(parameters(network.nodes))
    by = network.backprop(x, y)
    gradient = flat([*by.w, by.b[0], by.b[2], *by.norms[0]])
    coupled = 0.0 if optimiser.rule.is_decoupled else optimiser.weight_decay
    divisor = np.ones_like(at)
    if optimiser.rule.is_adaptive:
        divisor = np.abs(gradient + coupled * at) + optimiser.epsilon
    limit = gt.largest_stable_step(network, x, y, optimiser=optimiser)
    h = np.real(np.linalg.eigvals((matrix + coupled * np.eye(len(at))) / divisor[:, None])).max()
    for share in (0.98, 1.02):
        eta = share * limit
        decay = optimiser.weight_decay / eta if optimiser.is_fully_decoupled else optimiser.weight_decay
        w, v = 1.0, 0.0
        for _ in range(2000):
            g = (1 - optimiser.dampening) * h * w
            w, v = optimiser.rule.step(w, v, g, eta=eta, beta=optimiser.beta, decay=decay)
        assert (abs(w) < 1.0) == (share < 1.0), share


def test_the_state_of_a_run_gives_the_preconditioner():
    network, x, y = problem(12)
    run = gt.train(network, x, y, optimiser=optimisers.adam(1e-3), steps=5)
    optimiser = optimisers.adam(1e-3)
    matrix = curvature.hessian(run.network, x, y)
    root = 1 / np.sqrt(flat(optimiser.preconditioners(run.state)))
    h = np.linalg.eigvalsh(root[:, None] * matrix * root)[-1]
    limit = gt.largest_stable_step(run.network, x, y, optimiser=optimiser, state=run.state)
    assert limit == pytest.approx(2 * 1.9 / (0.1 * h), rel=1e-9)
    ours = optimiser.preconditioners(run.state)[0]
    assert ours == pytest.approx(np.sqrt(run.state.second[0] / (1 - 0.999**5)) + 1e-8, rel=1e-9)
    for bad in (optimiser.start(parameters(network.nodes)), optimiser.start([[1.0]]), "state"):
        with pytest.raises(InvalidArgument, match="state"):
            gt.largest_stable_step(network, x, y, optimiser=optimiser, state=bad)


@pytest.mark.parametrize(("decay", "has_limit"), [(0.1, False), (0.2, True)])
def test_a_decay_that_is_too_weak_for_a_loss_that_curves_down_everywhere_gives_no_limit(decay, has_limit):
    """Its preconditioned Hessian is less than -0.13 in all directions."""
    chain, optimiser = gt.Chain(1, "tanh"), optimisers.adamw(0.1, weight_decay=decay)
    data = {"x": [0.5, 2.0], "y": [-1.0, -1.0], "w": [1.0], "b": [0.0]}
    matrix = curvature.hessian(chain, *data.values())
    by = chain.backprop(*data.values())
    divisor = np.abs([np.sum(by.w), np.sum(by.b)]) + optimiser.epsilon
    h = np.real(np.linalg.eigvals(matrix / divisor[:, None])).max()
    assert (h + decay > 0) == has_limit
    assert math.isfinite(gt.largest_stable_step(chain, **data, optimiser=optimiser)) == has_limit


def test_a_loss_that_curves_up_nowhere_has_no_limit():
    network = Network((1, 1, 1), "relu", w=[[[-1.0]], [[1.0]]], b=[[-1.0], [-1.0]])
    for optimiser in (optimisers.gradient_descent(0.1), optimisers.adam(), optimisers.heavy_ball(0.1, dampening=0.5)):
        assert gt.largest_stable_step(network, [[1.0]], [[0.5]], optimiser=optimiser) == math.inf
    flat_one = Network((40, 40), "relu", w=[-np.eye(40)], b=[-np.ones(40)])  # the Lanczos iteration breaks down
    assert curvature.sharpness(flat_one, np.ones((1, 40)), np.ones((1, 40))) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n, x, y: curvature.hessian_vector_product(n, x, y, v=[1.0]), "v.shape"),
        (lambda n, x, y: curvature.largest_eigenvalues(n, x, y, count=0), "count = 0"),
        (lambda n, x, y: curvature.sharpness(n.carrying([1e300 * w for w in n.w], n.b), x, y), "overflow"),
        (
            lambda n, x, y: curvature.hessian(
                gt.Network((70, 70), w=[np.eye(70)], b=[np.zeros(70)]), [[0.0] * 70], [[0.0] * 70]
            ),
            "4970 parameters",
        ),
        (lambda n, x, y: gt.stability_region(_ALL[2]), "no dampening"),
        (lambda n, x, y: gt.stability_region(_ALL[-1]), "no fully decoupled"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call(*problem(13))


def test_softmax_keeps_its_digits_where_one_class_has_nearly_all():
    output, direction = np.array([[50.0, 0.0, 1.0]]), np.array([[1.0, -2.0, 0.5]])
    loss, gradient, turned = _softmax(output, np.array([[1.0, 0.0, 0.0]]))
    others = np.exp([-50.0, -49.0])
    assert loss == pytest.approx(others.sum(), rel=1e-15)
    np.testing.assert_allclose(gradient, [[-others.sum(), *others]], rtol=1e-15)
    lost = others @ [3.0, 0.5]  # p_j·(d_1 - d_j) of the others
    np.testing.assert_allclose(turned(direction), [[lost, -3.0 * others[0], -0.5 * others[1]]], rtol=1e-15)


@pytest.mark.parametrize("logit", [10.0, 40.0, 700.0])
def test_binary_cross_entropy_keeps_its_digits_where_it_is_nearly_certain(logit):
    _, gradient, turned = _binary(np.array([[logit, -logit]]), np.array([[1.0, 0.0]]))
    left = math.exp(-logit) / (1 + math.exp(-logit))
    np.testing.assert_allclose(gradient, [[-left / 2, left / 2]], rtol=1e-15)
    np.testing.assert_allclose(turned(np.ones((1, 2))), [[left * (1 - left) / 2] * 2], rtol=1e-15)


def _curvature_along(network, x, y, direction):
    """Return the second derivative of Σ (a - y)²/2 along a direction of w and b, of one tanh neuron, to 40 digits."""
    (node, _) = network.nodes
    weight, bias = mpmath.mpf(node.operation.w[0, 0]), mpmath.mpf(node.operation.b[0])
    by_w, by_b = map(mpmath.mpf, direction)
    with mpmath.workdps(60):
        samples = [tuple(map(mpmath.mpf, sample)) for sample in zip(x[:, 0], y[:, 0], strict=True)]

        def loss(t):
            w, b = weight + t * by_w, bias + t * by_b
            return sum((mpmath.tanh(w * xi + b) - yi) ** 2 / 2 for xi, yi in samples)

        return mpmath.diff(loss, 0, 2, h=mpmath.mpf(10) ** -15) / (by_w**2 + by_b**2)


@pytest.mark.parametrize("size", [1e6, 1e10, 1e13, 1e16])
def test_the_error_counts_terms_of_samples_that_cancel(size):
    network = Network((1, 1), "tanh", "squared", w=[[[0.7]]], b=[[-0.2]])
    x, y = np.array([[1.0], [2.0], [1.0], [2.0]]), size * np.array([[1 / 7], [1 / 3], [-1 / 7], [-1 / 3]])
    for value, direction in (
        curvature.sharpest_direction(network, x, y),
        curvature.sharpest_direction(gt.Chain(1, "tanh"), x[:, 0], y[:, 0], [0.7], [-0.2]),
    ):
        assert abs(value - _curvature_along(network, x, y, direction)) <= value.error <= 1e-13 * size
        step = gt.largest_stable_step(network, x, y, optimiser=optimisers.gradient_descent(0.1))
        assert math.isinf(step.error) or step.error * value >= 0.5 * value.error * step


@pytest.mark.parametrize(("seed", "count"), [(0, 4), (3, 7), (5, 12), (26, 12)])
def test_a_repeated_eigenvalue_is_given_as_often_as_it_occurs(seed, count):
    """A linear layer with a mean of squares has each eigenvalue once for every output."""
    rng = np.random.default_rng(seed)
    network = Network((20, 10), "identity", "mse", w=[rng.normal(size=(10, 20))], b=[np.zeros(10)])
    x, y = rng.normal(size=(30, 20)), rng.normal(size=(30, 10))
    exact = np.linalg.eigvalsh(curvature.hessian(network, x, y))[::-1][:count]
    values = curvature.largest_eigenvalues(network, x, y, count=count)
    assert [float(value) for value in values] == pytest.approx(exact, abs=1e-13)


def test_cross_entropy_of_several_outputs_has_a_hessian():
    rng = np.random.default_rng(5)
    network = Network((2, 3), "sigmoid", "cross_entropy", w=[rng.normal(size=(3, 2))], b=[rng.normal(size=3)])
    x, y = rng.normal(size=(4, 2)), rng.random((4, 3))
    by_output = [
        curvature.hessian(
            Network((2, 1), "sigmoid", "cross_entropy", w=[network.nodes[0].operation.w[k : k + 1]], b=[[b]]),
            x,
            y[:, k : k + 1],
        )
        for k, b in enumerate(network.nodes[0].operation.b)
    ]
    trace = sum(np.trace(matrix) for matrix in by_output)
    assert np.trace(curvature.hessian(network, x, y)) == pytest.approx(trace, rel=1e-13)
