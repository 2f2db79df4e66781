"""Wide networks: against the chain, central differences and ball arithmetic; the bound of the Jacobian."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory import testing
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.networks.losses import NAMES
from gradtheory.testing import strategies

_SMOOTH = ("sigmoid", "tanh", "gelu", "softplus", "sine")


def random_problem(rng, widths, samples=3):
    w = [rng.normal(0, 1, shape) for shape in zip(widths[1:], widths[:-1], strict=True)]
    b = [rng.normal(0, 1, width) for width in widths[1:]]
    return rng.normal(size=(samples, widths[0])), rng.random((samples, widths[-1])), w, b


@given(case=strategies.chains())
def test_width_1_is_the_chain(case):
    chain, x, y, w, b = case
    network = gt.Network((1,) * (chain.depth + 1), chain.layer_activations)
    wide = network.backprop(x[:, None], y[:, None], [[[each]] for each in w], [[each] for each in b])
    one = chain.backprop(x, y, w, b)
    assert wide.loss == pytest.approx(one.loss, rel=1e-13)
    for ours, theirs in ((np.ravel(wide.w), one.w), (np.ravel(wide.b), one.b), (wide.x[:, 0], one.x)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13 * np.abs(theirs).max(initial=1e-300))


@given(
    seed=st.integers(0, 2**32),
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    which=st.sampled_from(_SMOOTH),
    loss=st.sampled_from(["squared", "cross_entropy"]),
)
def test_gradients_are_central_differences(seed, widths, which, loss):
    names = [which] * (len(widths) - 2) + ["sigmoid"]
    network = gt.Network(widths, names, loss)
    x, y, w, b = random_problem(np.random.default_rng(seed), widths)
    analytic, step = network.backprop(x, y, w, b), 1e-6
    for gradients, arrays in ((analytic.w, w), (analytic.b, b), ([analytic.x], [x])):
        for gradient, array in zip(gradients, arrays, strict=True):
            assert gradient.shape == array.shape
            for place in np.ndindex(array.shape):
                number = array[place]
                losses = []
                for array[place] in (number + step, number - step):
                    losses.append(network.backprop(x, y, w, b).loss)
                array[place] = number
                assert gradient[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-5, abs=1e-7)


@given(case=strategies.networks())
def test_the_oracle_agrees(case):
    network = case.network

    def gradients(x, y, w, b):
        ours = network.backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    try:
        testing.assert_network_gradients_at(gradients, *case[1:], activation=network.layer_activations)
    except Undecided:
        reject()  # where a sum cancels exactly, as docs/oracle.md says: the switch at 0 is not decided


@given(case=strategies.networks())
def test_the_jacobian_never_exceeds_its_bound(case):
    network, x, _, w, b = case
    bound = network.jacobian_bound(w=w)
    jacobians = network.jacobian(x, w, b)
    assert jacobians.shape == (len(x), network.widths[-1], network.widths[0])
    assert bound.spectral_norms.shape == bound.steepest_slopes.shape == (network.depth,)
    if math.isfinite(bound.bound):
        assert np.linalg.norm(jacobians, 2, axis=(1, 2)).max() <= bound.bound * (1 + 1e-10) + 1e-300


@given(seed=st.integers(0, 2**32), which=st.sampled_from(_SMOOTH))
def test_backprop_multiplies_by_the_jacobian(seed, which):
    network = gt.Network((3, 4, 2), which)
    x, y, w, b = random_problem(np.random.default_rng(seed), network.widths)
    outputs = x
    for weights, biases in zip(w, b, strict=True):
        outputs = gt.activation(which).value(outputs @ weights.T + biases)
    by_x = np.einsum("nij,ni->nj", network.jacobian(x, w, b), outputs - y)
    np.testing.assert_allclose(network.backprop(x, y, w, b).x, by_x, rtol=1e-9, atol=1e-12)


def test_the_bound_of_the_jacobian_is_attained():
    rng = np.random.default_rng(2)
    (u, _), (v, _) = np.linalg.qr(rng.normal(size=(3, 3))), np.linalg.qr(rng.normal(size=(3, 3)))
    # The second matrix takes the first one's greatest direction, and at z = 0 every slope is greatest.
    w = [u @ np.diag([5.0, 1.0, 0.5]) @ v, np.diag([1.0, 1.0, 7.0])[::-1] @ u.T[::-1]]
    network = gt.Network((3, 3, 3), "tanh")
    norm = np.linalg.norm(network.jacobian(np.zeros((1, 3)), w, np.zeros((2, 3)))[0], 2)
    assert norm == pytest.approx(network.jacobian_bound(w=w).bound, rel=1e-12)
    assert network.jacobian_bound(w=w).bound == pytest.approx(35.0)


@pytest.mark.parametrize("seed", range(40))
def test_rounding_never_takes_the_bound_of_the_jacobian_below_it(seed):
    """The greatest singular value, squared, is at least vᵀWᵀWv/vᵀv for any v, here computed in fractions."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, 2))
    weight = rng.normal(size=shape)
    network = gt.Network(shape[::-1], "identity")
    bound = Fraction(network.jacobian_bound(w=[weight]).bound)
    direction = [Fraction(float(each)) for each in np.linalg.svd(weight)[2][0]]
    image = [sum(Fraction(float(w)) * v for w, v in zip(row, direction, strict=True)) for row in weight]
    assert sum(each**2 for each in image) <= bound**2 * sum(each**2 for each in direction)


@pytest.mark.parametrize("loss", NAMES)
def test_no_samples_have_outputs_and_no_loss(loss):
    """A filter may leave none: a mean over them is no number, and nothing can be learnt or advised of them."""
    network = gt.Network((2, 1), "sigmoid", loss, w=[[[1.0, 2.0]]], b=[[0.0]])
    x, y = np.zeros((0, 2)), np.zeros((0, 1))
    assert network.forward(x).shape == network.jvp(x, x).shape == (0, 1)
    assert network.vjp(x, y).shape == (0, 2)
    assert network.jacobian(x).shape == (0, 1, 2)
    descent = gt.optimisers.gradient_descent(0.1)
    for call in (
        network.backprop,
        lambda x, y: network.hvp(x, y, network.w, network.b),
        lambda x, y: gt.train(network, x, y, optimiser=descent, batch_size=2),
        lambda x, y: gt.advise(network, x, y),
        lambda x, y: gt.curvature.sharpness(network, x, y),
        lambda x, y: gt.curvature.hessian(network, x, y),
        lambda x, y: gt.largest_stable_step(network, x, y, optimiser=descent),
        lambda x, y: gt.remedies.stable_schedule(network, x, y, descent),
    ):
        with pytest.raises(InvalidArgument, match=r"^x.shape = \(0, 2\): must hold at least one sample"):
            call(x, y)


_GOOD = {"x": [[1.0, 2.0]], "y": [[0.0]], "w": [[[1.0, 1.0]]], "b": [[0.0]]}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x": [1.0, 2.0]}, r"x.shape = \(2,\): must be \(batch, 2\)"),
        ({"x": [[1.0]]}, r"x.shape = \(1, 1\)"),
        ({"y": [[0.0, 1.0]]}, r"y.shape = \(1, 2\)"),
        ({"y": [[0.0], [1.0]]}, r"y.shape = \(2, 1\)"),
        ({"w": [[[1.0], [1.0]]]}, r"w\[0\].shape = \(2, 1\)"),
        ({"w": []}, "w = "),
        ({"w": 3.0}, "w = 3.0"),
        ({"b": [[0.0, 1.0]]}, r"b\[0\].shape = \(2,\)"),
        ({"b": [[float("nan")]]}, r"b\[0\] = "),
    ],
)
def test_bad_arrays_are_named(changed, said):
    with pytest.raises(InvalidArgument, match=said):
        gt.Network((2, 1)).backprop(**(_GOOD | changed))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (((2,),), r"widths = \(2,\)"),
        ((("21"),), "widths = '21'"),
        (((2, 0),), "widths = 0"),
        (((2, 1), "nope"), "nope"),
        (((2, 1), ["tanh", "relu"]), "a sequence of 1"),
        (((2, 1), "tanh", "cross_entropy"), "needs an output"),
        (((2, 1), "tanh", "hinge"), "loss = 'hinge'"),
    ],
)
def test_bad_networks_are_named(arguments, said):
    with pytest.raises(InvalidArgument, match=said):
        gt.Network(*arguments)
