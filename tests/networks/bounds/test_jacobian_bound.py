"""Certified bounds of Jacobians on boxes: never below a sampled norm, and local."""

from fractions import Fraction

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Elementwise, LayerNorm, Node, Scale, Sum
from gradtheory.networks.bounds import deviations
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.bounds.jacobian import _on_box, jacobian_bound_on
from gradtheory.networks.bounds.leading import leading_bound
from tests.networks.bounds.balls import branches, mlp, residual
from tests.networks.bounds.test_enclosures import sampled

_KINDS = ("tanh", "sigmoid", "relu", "gelu", "elu", "softplus", "hard_swish", "snake", "arctan", "selu")


def networks():
    """Return twenty networks of all widths and kinds."""
    made = []
    for seed, kind in enumerate(_KINDS):
        shapes = ((2, 16, 16, 1), (3, 8, 8, 2), (10, 30, 5), (1, 4, 4, 1), (6, 6, 6, 6, 6))
        made.append(mlp(shapes[seed % 5], kind, seed, gain=1.5))
        made.append(residual(seed, kind, is_centred=bool(seed % 2)))
    return made


def norms(network, x):
    return np.linalg.norm(network.jacobian(x), 2, axis=(1, 2))


def check(network, number, half):
    centre = np.random.default_rng(3).normal(size=network.n_inputs)
    bound = network.jacobian_bound((centre - half, centre + half))
    largest = max(norms(network, sampled(network, centre, half, number=part, seed=part)).max() for part in (number,))
    assert float(bound) >= largest
    return float(bound) / largest


@pytest.mark.parametrize("place", range(20))
@pytest.mark.sampled(3)
def test_no_sampled_norm_is_above_the_bound(place):
    check(networks()[place], 300, (1.0, 0.1, 0.01)[place % 3])


@pytest.mark.slow
@pytest.mark.parametrize("place", range(20))
def test_none_of_many_sampled_norms_is_above_the_bound(place):
    for half in (1.0, 0.1, 0.01):
        check(networks()[place], 100_000, half)


@pytest.mark.slow
@pytest.mark.parametrize(("half", "most"), [(1e-4, 1.2), (1e-6, 1.001)])
def test_a_deep_network_is_bounded_locally(half, most):
    """The product of the norms of twenty layers of gelu says 10¹¹; the bound on a small box is near the norm itself."""
    network = mlp((64,) * 21, "gelu", 3, gain=2.2, last="gelu")
    centre = np.random.default_rng(0).normal(size=64)
    box = centre - half, centre + half
    enclosure = enclose_network(network.nodes, *(corner[None] for corner in box))
    assert float(network.jacobian_bound()) > 1e12
    assert deviations.product_bound(network.nodes, enclosure) > 1e10
    bound, largest = network.jacobian_bound(box), norms(network, sampled(network, centre, half, number=20)).max()
    assert bound.method == "deviations"
    assert 1 <= float(bound) / largest < most


def test_bisection_finds_the_supremum():
    for network in (mlp((2, 16, 16, 1), "tanh", 0, gain=2), mlp((1, 5, 5, 3), "gelu", 1, gain=2)):
        assert check(network, 20_000, 0.5) < 1.01


@pytest.mark.slow
def test_a_few_boxes_of_ten_inputs_are_tighter_than_one():
    network, centre = mlp((10, 50, 50, 5), "tanh", 1), np.full(10, 0.1)
    box = centre - 0.1, centre + 0.1
    one, few = (jacobian_bound_on(network.nodes, 10, box, most_boxes=most) for most in (1, 4))
    assert few.method == "bisection"
    assert norms(network, sampled(network, centre, 0.1, number=4000)).max() <= few.bound < 0.97 * one.bound


def test_each_method_alone_is_above_the_norm():
    network = mlp((4, 6, 6, 3), "tanh", 0, gain=2)
    centre = np.full(4, 0.2)
    for half in (1.0, 0.1, 1e-3, 0.0):
        enclosure = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None])
        largest = norms(network, sampled(network, centre, half)).max() * (1 - 1e-12)
        assert deviations.product_bound(network.nodes, enclosure) >= largest
        assert deviations.deviations(network.nodes, enclosure).bound >= largest
        assert deviations.entry_bound(enclosure.jacobian) >= largest
        linear = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None], symbols=4).jacobian
        assert deviations.mean_value_bound(linear) >= largest
        if half == 1e-3:
            assert deviations.mean_value_bound(linear) < 1.01 * largest


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (4, 1), (3, 2), (5, 5)])
def test_norms_near_a_matrix_are_right_to_second_order(size):
    rng = np.random.default_rng(0)
    centre, linear, signs = rng.normal(size=size), rng.normal(size=(3, *size)), rng.choice([-1.0, 1.0], (2000, 3))
    for scale in (1.0, 0.1, 1e-3, 0.0):
        near = centre + np.einsum("bk,kij->bij", signs, scale * linear)
        largest = np.linalg.norm(near, 2, axis=(1, 2)).max()
        bound = leading_bound(centre, scale * linear, 0.0)
        assert largest * (1 - 1e-15) <= bound <= largest * (1 + 100 * scale**2 + 1e-11)
        assert leading_bound(centre, scale * linear, 0.5) >= bound + 0.49


def test_deviations_left_out_are_noticed(monkeypatch):
    network = mlp((4, 6, 6, 3), "tanh", 0, gain=2)
    monkeypatch.setattr(deviations, "_of_deviation", lambda *_: 0.0)
    centre = np.full(4, 0.2)
    enclosure = enclose_network(network.nodes, (centre - 1)[None], (centre + 1)[None])
    assert deviations.deviations(network.nodes, enclosure).bound < norms(network, sampled(network, centre, 1.0)).max()


def test_one_neuron_a_layer_is_the_product_of_its_factors():
    network = gt.Network((1, 1, 1), "sigmoid", w=[[[5.0]], [[3.0]]], b=[[0.5], [-1.0]])
    bound = network.jacobian_bound(([-2.0], [2.0]))
    factors = gt.Chain(2).backprop([0.0], [0.0], [5.0, 3.0], [0.5, -1.0])
    assert factors is not None
    x = np.linspace(-2, 2, 100_001)[:, None]
    assert 1 <= float(bound) / norms(network, x).max() < 1.002


def test_overflow_is_bounded_by_infinity():
    network = mlp((2, 4, 4), "exponential", 0, gain=1e200)
    assert float(network.jacobian_bound(([-1, -1], [1, 1]))) == np.inf


@pytest.mark.parametrize(
    "box", [None, 3, "box", ([0], [1]), ([0, 0], [1, np.nan]), ([1, 1], [0, 0]), ([0, 0],), ([-1e308] * 2, [1e308] * 2)]
)
def test_what_is_no_box_is_refused(box):
    with pytest.raises(InvalidArgument) as refusal:
        mlp((2, 3, 1), "tanh", 0).layer_bounds(box)
    assert "\n" not in str(refusal.value)


def test_a_network_without_weights_is_refused():
    for call in (gt.Network((1, 1)).jacobian_bound, gt.Network((1, 1)).layer_bounds):
        with pytest.raises(InvalidArgument, match="carries no weights"):
            call(([0], [1]))
    with pytest.raises(InvalidArgument, match="left out"):
        mlp((1, 1), "tanh", 0).jacobian_bound(([0], [1]), w=[[[1.0]]])


def test_layers_are_bounded_on_the_box():
    network = mlp((4, 6, 6, 3), "tanh", 0, gain=2)
    centre = np.full(4, 0.2)
    layers = network.layer_bounds((centre - 0.1, centre + 0.1))
    assert [layer.name for layer in layers] == ["layer1", "layer2", "layer3"]
    x = sampled(network, centre, 0.1)
    for layer, w, b, record in zip(layers, network.w, network.b, network.layer_activations, strict=True):
        z = x @ w.T + b
        x, slope = record.value_and_slope(z)
        assert (layer.pre_activations[0] <= z + 1e-12).all()
        assert (z <= layer.pre_activations[1] + 1e-12).all()
        assert (layer.slopes[0] <= slope + 1e-12).all()
        assert (slope <= layer.slopes[1] + 1e-12).all()
        largest = np.linalg.norm(slope[:, :, None] * w, 2, axis=(1, 2)).max()
        assert largest <= layer.factor <= layer.norm * layer.slopes[1].max() * (1 + 1e-12)
        assert layer.factor <= 1.5 * largest
    assert len(repr(layers).splitlines()) == 4


@pytest.mark.parametrize(("activation", "most"), [("tanh", 2.0), ("sigmoid", 1.5)])
def test_layers_of_many_inputs_are_bounded_without_multiplying_what_was_lost(activation, most):
    """The units' own symbols hold what tanh bends by second-order remainders: without them the bound was 7 times the norm."""
    network = mlp((16, 64, 64, 64, 10), activation, 1, gain=1.0)
    assert check(network, 2_000, 0.05) < most


@pytest.mark.parametrize("ulp", [0, 5, 1000])
def test_beside_a_corner_that_is_no_float_the_bound_holds(ulp):
    record, z = gt.activation("hard_sigmoid", slope="0.3"), -1.666666666666666
    w, b = 1e20, -17763.568394002506
    sigmoid = Elementwise(gt.activation("sigmoid"))
    nodes = [Node("a", Elementwise(record), (-1,)), Node("d", Dense(np.array([[w]]), np.array([b])), (0,))]
    network = gt.Network.from_nodes([*nodes, Node("s", sigmoid, (1,))], 1)
    bound = network.jacobian_bound(([z], [z + ulp * np.spacing(z) * -1.0]))
    before = Fraction(w) * (Fraction(3, 10) * Fraction(z) + Fraction(1, 2)) + Fraction(b)
    assert float(bound) >= 0.3 * w * sigmoid.activation.slope(float(before)) > 1e18


@pytest.mark.parametrize(
    "between",
    [Scale(np.array([2.0, 2.0, 2.0])), LayerNorm(None, None, 1e-5), LayerNorm(None, None, 1e-5, is_centred=False)],
)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_what_stands_between_a_layer_and_its_activation_counts(between, activation):
    rng = np.random.default_rng(0)
    nodes = [
        Node("d", Dense(rng.normal(size=(3, 3)), np.zeros(3)), (-1,)),
        Node("n", between, (0,)),
        Node("a", Elementwise(gt.activation(activation)), (1,)),
    ]
    network = gt.Network.from_nodes(nodes, 3)
    box = np.full(3, 0.9), np.full(3, 1.1)
    with np.errstate(all="ignore"):
        most = max(np.linalg.norm(each, 2) for each in network.jacobian(rng.uniform(*box, size=(200, 3))))
    assert float(network.jacobian_bound(box)) >= most > 0.1


def test_products_that_no_float_holds_on_the_way():
    w = [[[1e-200]], [[1e-200]], [[1e300]], [[1e150]]]
    for matrices in (w, w[::-1]):
        network = gt.Network((1,) * 5, "identity", "mse", w=matrices, b=[[0.0]] * 4)
        assert float(network.jacobian_bound()) == pytest.approx(1e50, rel=1e-12)
    small = gt.Network((1, 1, 1), [Z / 10**200, "identity"], w=[[[1e-200]], [[1e300]]], b=[[0.0]] * 2)
    assert float(small.jacobian_bound()) == pytest.approx(1e-100, rel=1e-12)
    assert float(gt.Network((1, 1), "identity", w=[[[0.0]]], b=[[0.0]]).jacobian_bound()) == 0.0


def test_a_layer_that_several_take_has_no_activation_of_its_own():
    tanh, softplus = (Elementwise(gt.activation(name)) for name in ("tanh", "softplus"))
    nodes = [Node("d", Dense(np.array([[3.0]]), np.array([10.0])), (-1,)), Node("t", tanh, (0,))]
    network = gt.Network.from_nodes([*nodes, Node("s", softplus, (0,)), Node("+", Sum(), (1, 2))], 1)
    (bound,) = network.layer_bounds(([-0.1], [0.1]))
    assert bound.activation is None
    assert bound.factor >= 3.0
    run = gt.train(network, [[0.1]], [[1.0]], optimiser=gt.optimisers.adam(), steps=1)
    assert run.factors[0, 0] == pytest.approx(3.0)


def test_a_factor_that_overflows_is_infinite():
    network = gt.Network((1, 1), "quadratic", w=[[[1e150]]], b=[[0.0]])
    (bound,) = network.layer_bounds(([0.0], [1e10]))
    assert bound.slopes[1] < np.inf
    assert bound.factor == np.inf
    assert network.jacobian_bound(([0.0], [1e10])).bound == np.inf


@pytest.mark.parametrize("pair", [("hard_tanh", "leaky_relu"), ("leaky_relu", "hard_tanh"), ("relu", "softshrink")])
def test_two_activations_of_one_layer_are_bounded_together(pair):
    rng = np.random.default_rng(0)
    for seed in range(25):
        network = branches(seed, (*pair, "tanh"))
        centre, half = rng.normal(0, 3, 2), rng.uniform(0.5, 2.0)
        x = centre + half * rng.uniform(-1, 1, (300, 2))
        norms = np.linalg.norm(network.jacobian(x), 2, axis=(1, 2))
        box = centre - half, centre + half
        for bound in (*_on_box(network.nodes, *box).values(), jacobian_bound_on(network.nodes, 2, box, 64).bound):
            assert norms.max() <= bound * (1 + 1e-9) + 1e-11, seed
