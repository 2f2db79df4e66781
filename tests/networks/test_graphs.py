"""Networks as graphs: residual sums, norms and losses, against central differences; what does not fit is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Elementwise, LayerNorm, Network, Node, Scale, Sum
from gradtheory.networks.passes import derivative_along, forward

_LOSSES = ("mse", "mse_sum", "softmax_cross_entropy", "binary_cross_entropy_with_logits", "squared")


def residual_network(rng, loss, *, is_centred=True):
    """Norm, two dense layers, and a scaled residual sum, twice; then a dense layer."""
    nodes, width = [], 4
    for block in range(2):
        start = len(nodes) - 1
        norm = LayerNorm(rng.normal(1, 0.2, width), rng.normal(0, 0.2, width), 1e-5, is_centred)
        nodes.append(Node(f"norm{block}", norm, (start,)))
        nodes.append(Node(f"in{block}", Dense(rng.normal(size=(5, width)), rng.normal(size=5)), (len(nodes) - 1,)))
        nodes.append(Node(f"act{block}", Elementwise(gt.activation("gelu")), (len(nodes) - 1,)))
        nodes.append(Node(f"out{block}", Dense(rng.normal(size=(width, 5))), (len(nodes) - 1,)))
        nodes.append(Node(f"scale{block}", Scale(np.asarray(0.5)), (len(nodes) - 1,)))
        nodes.append(Node(f"sum{block}", Sum(), (len(nodes) - 1, start)))
    nodes.append(Node("head", Dense(rng.normal(size=(3, width)), rng.normal(size=3)), (len(nodes) - 1,)))
    return Network.from_nodes(nodes, width, loss)


def moved(network, w, b, step):
    """Return the network with weights and biases moved along a direction."""
    nodes, moves = [], iter(zip(w, b, strict=True))
    for node in network.nodes:
        operation = node.operation
        if isinstance(operation, Dense):
            by_w, by_b = next(moves)
            bias = 0.0 if operation.b is None else operation.b
            operation = Dense(operation.w + step * by_w, bias + step * by_b)
        nodes.append(Node(node.name, operation, node.sources))
    return Network.from_nodes(nodes, network.n_inputs, network.loss)


def problem(seed, loss, **more):
    rng = np.random.default_rng(seed)
    network = residual_network(rng, loss, **more)
    x, y = rng.normal(size=(3, 4)), rng.random((3, 3))
    w, b = ([rng.normal(size=np.shape(each)) for each in arrays] for arrays in (network.w, network.b))
    return rng, network, x, y, w, b


@given(seed=st.integers(0, 2**32), loss=st.sampled_from(_LOSSES), is_centred=st.booleans())
def test_gradients_and_hessian_products_are_central_differences(seed, loss, is_centred):
    rng, network, x, y, w, b = problem(seed, loss, is_centred=is_centred)
    gradients, step = network.backprop(x, y), 1e-5
    ahead, behind = (moved(network, w, b, sign * step).backprop(x, y) for sign in (1, -1))
    along = sum(np.vdot(g, v) for gs, vs in ((gradients.w, w), (gradients.b, b)) for g, v in zip(gs, vs, strict=True))
    assert (ahead.loss - behind.loss) / (2 * step) == pytest.approx(along, rel=1e-6, abs=1e-6)
    products = network.hvp(x, y, w, b)
    for product, plus, minus in zip(
        (*products[0], *products[1]), (*ahead.w, *ahead.b), (*behind.w, *behind.b), strict=True
    ):
        assert product == pytest.approx((plus - minus) / (2 * step), rel=1e-5, abs=1e-5 * (1 + np.abs(product).max()))
    move = rng.normal(size=x.shape)
    losses = [network.backprop(x + sign * step * move, y).loss for sign in (1, -1)]
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(np.vdot(gradients.x, move), rel=1e-6, abs=1e-6)


def test_the_gradient_of_norms_is_a_central_difference():
    _, network, x, y, _, _ = problem(1, "mse")
    for place, (by_gain, by_bias) in zip((0, 6), network.backprop(x, y).norms, strict=True):
        norm = network.nodes[place].operation
        for gradient, part in ((by_gain, "gain"), (by_bias, "bias")):
            for entry in range(4):
                losses = []
                for sign in (1, -1):
                    arrays = {"gain": norm.gain.copy(), "bias": norm.bias.copy()}
                    arrays[part][entry] += sign * 1e-6
                    nodes = list(network.nodes)
                    nodes[place] = Node(nodes[place].name, LayerNorm(**arrays, epsilon=1e-5), nodes[place].sources)
                    losses.append(Network.from_nodes(nodes, 4).backprop(x, y).loss)
                assert gradient[entry] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5, abs=1e-7)


@given(seed=st.integers(0, 2**32))
def test_products_with_the_jacobian_agree_with_the_jacobian(seed):
    rng, network, x, *_ = problem(seed, "mse")
    jacobian = network.jacobian(x)
    assert jacobian.shape == (3, 3, 4)
    v, u = rng.normal(size=(3, 4)), rng.normal(size=(3, 3))
    np.testing.assert_allclose(network.jvp(x, v), np.einsum("noi,ni->no", jacobian, v), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(network.vjp(x, u), np.einsum("noi,no->ni", jacobian, u), rtol=1e-10, atol=1e-12)


def test_hessian_products_of_width_1_are_those_of_the_chain():
    rng = np.random.default_rng(5)
    chain = gt.Chain(4, ["tanh", "gelu", "softplus", "sigmoid"], "cross_entropy")
    w, b = rng.normal(size=(2, 4))
    x, y = rng.normal(size=3), rng.random(3)
    hessian = gt.curvature.hessian(chain, x, y, w, b)
    matrices, vectors = [[[each]] for each in w], [[each] for each in b]
    network = gt.Network((1,) * 5, chain.layer_activations, "cross_entropy", w=matrices, b=vectors)
    for place in range(8):
        unit = np.eye(8)[place]
        by_w, by_b = network.hvp(x[:, None], y[:, None], unit[:4].reshape(4, 1, 1), unit[4:].reshape(4, 1))
        assert np.concatenate([*map(np.ravel, (*by_w, *by_b))]) == pytest.approx(hessian[:, place], rel=1e-9, abs=1e-12)


def test_classes_are_rows_with_a_single_1():
    _, network, x, *_ = problem(2, "softmax_cross_entropy")
    by_class, by_row = network.backprop(x, [2, 0, 1]), network.backprop(x, np.eye(3)[[2, 0, 1]])
    assert by_class.loss == by_row.loss
    logits = network.forward(x)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert by_class.loss == pytest.approx(-np.log(shares[[0, 1, 2], [2, 0, 1]]).mean())


_DENSE = Dense(np.ones((2, 2)))


def test_lists_and_names_do_for_arrays_and_records():
    named = Node("a", Dense([[5, 1]], [1]), (-1,)), Node("t", Elementwise("tanh"), (0,)), Node("s", Scale(2), (1,))
    arrays = Dense(np.array([[5.0, 1.0]]), np.array([1.0])), Elementwise(gt.activation("tanh")), Scale(np.asarray(2.0))
    same = [Node(node.name, operation, node.sources) for node, operation in zip(named, arrays, strict=True)]
    box = [-1.0, -1.0], [1.0, 1.0]
    bounds = [float(Network.from_nodes(nodes, 2).jacobian_bound(box)) for nodes in (named, same)]
    assert bounds[0] == bounds[1]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], r"nodes = \[\]: must be a sequence of Node"),
        ([Node("a", _DENSE, (0,))], r"sources of 'a' = \(0,\): must be places before 0"),
        ([Node("a", _DENSE, (-1,)), Node("a", Sum(), (0, -1))], "nodes = 'a': is the name of two nodes"),
        ([Node("a", Dense(np.ones((2, 3))), (-1,))], r"w.shape of 'a' = \(2, 3\): must be \(n, 2\)"),
        ([Node("a", _DENSE, (-1, -1))], r"sources of 'a' = \[2, 2\]: must be one, or for a sum several"),
        ([Node("a", Dense(np.ones((3, 2))), (-1,)), Node("s", Sum(), (0, -1))], "sources of 's'"),
        ([Node("a", _DENSE, (-1,)), Node("s", Scale(np.ones(3)), (0,))], r"factor.shape of 's' = \(3,\)"),
        ([Node("a", _DENSE, (-1,)), Node("n", LayerNorm(np.ones(3), None, 0.0), (0,))], r"gain.shape of 'n'"),
        ([Node("s", Scale(np.asarray(2.0)), (-1,))], "must have a dense layer"),
        ([Node("a", Dense([["x", "y"]]), (-1,))], r"w of 'a' = .*must be an array of real numbers"),
        ([Node("a", _DENSE, (-1,)), Node("n", LayerNorm(None, "x", 0.0), (0,))], "bias of 'n' = 'x': must be an array"),
        ([Node("a", _DENSE, (-1,)), Node("n", LayerNorm(None, None, -1.0), (0,))], "epsilon of 'n' = -1"),
        ([Node("a", _DENSE, (-1,)), Node("t", Elementwise("tnh"), (0,))], "activation = 'tnh'.*tanh"),
        ([Node("a", _DENSE, (-1,)), Node("t", np.tanh, (0,))], "operation of 't' = .*must be Dense"),
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_refused(nodes, message):
    with pytest.raises(InvalidArgument, match=message):
        Network.from_nodes(nodes, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gt.Network((2, 1)).nodes, "w = None: is needed"),
        (lambda: gt.Network((2, 1), w=[np.ones((1, 2))]), "b = None: must be given too"),
        (lambda: gt.Network((2, 1)).backprop([[1, 2]], [[1]], w=[np.ones((1, 2))]), "b = None: must be given too"),
        (lambda: gt.Network((2, 1), w=[np.ones((1, 3))], b=[[0]]), r"w\[0\].shape = \(1, 3\): must be \(1, 2\)"),
        (lambda: gt.Network((2, 1), loss="hinge"), "loss = 'hinge': must be one of"),
        (lambda: gt.Network((2, 1), "tanh", "cross_entropy"), "loss = 'cross_entropy': needs an output strictly"),
        (lambda: problem(1, "mse")[1].jvp(np.ones((2, 4)), np.ones((2, 3))), r"v.shape = \(2, 3\): must be \(2, 4\)"),
        (
            lambda: problem(1, "mse")[1].backprop(np.ones((2, 4)), [0, 1]),
            r"y.shape = \(2,\): must be \(2, 3\).*softmax_cross_entropy",
        ),
        (
            lambda: problem(1, "softmax_cross_entropy")[1].backprop(np.ones((2, 4)), [0, 3]),
            "must be classes from 0 to 2",
        ),
        (lambda: residual_network(np.random.default_rng(1), "mse").jacobian_bound(), "must be dense layers in a row"),
        (lambda: problem(1, "mse")[1].forward([[1, 2, 3, 4]], w=[], b=[]), "must be left out"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_targets_of_one_output_may_be_a_vector():
    network = gt.Network((2, 1), "identity", "mse", w=[[[1.0, 2.0]]], b=[[0.0]])
    assert network.backprop([[1, 1], [0, 1]], [3, 1]).loss == network.backprop([[1, 1], [0, 1]], [[3], [1]]).loss == 0.5
    assert repr(network.backprop([[1, 1]], [3])).split()[:2] == ["loss", "0"]


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "binary_cross_entropy_with_logits"])
def test_hessian_products_of_means(loss):
    _, network, x, y, w, b = problem(7, loss)
    ahead, behind = (moved(network, w, b, sign * 1e-5).backprop(x, y) for sign in (1, -1))
    for product, plus, minus in zip(network.hvp(x, y, w, b)[0], ahead.w, behind.w, strict=True):
        assert product == pytest.approx((plus - minus) / 2e-5, rel=1e-5, abs=1e-6)


def test_bounds_of_layers_are_a_sequence():
    network = gt.Network((2, 300, 1), "tanh", w=[np.ones((300, 2)), np.ones((1, 300))], b=[np.zeros(300), np.zeros(1)])
    bounds = network.layer_bounds(([-1.0, -1.0], [1.0, 1.0]))
    assert len(bounds) == 2
    assert bounds[0] is bounds.layers[0]
    assert bounds.guarantee is gt.Guarantee.CERTIFIED


@pytest.mark.parametrize("seed", range(4))
def test_the_derivative_along_a_direction_lets_go_of_nothing_that_is_taken_later(seed):
    rng = np.random.default_rng(seed)
    nodes = [Node("n0", Dense(rng.normal(size=(3, 3))), (-1,))]
    for k in range(1, 12):
        first, second = rng.integers(-1, k, 2)
        nodes.append(Node(f"n{k}", Sum(), (int(first), int(second), k - 1)))
    x, v = rng.normal(size=(2, 5, 3))
    np.testing.assert_array_equal(derivative_along(nodes, x, v), forward(nodes, x).along(v)[-1])
