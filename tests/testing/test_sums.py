"""Long sums in float32: right implementations pass, however they sum, and a factor of 1 + 1e-5 does not."""

import functools
import operator

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing
from tests.shapes import slow_except

_SINGLE = np.float32


def one_by_one(terms):
    """Return the sum over the last axis, each term added to the sum of those before it."""
    return functools.reduce(operator.add, np.moveaxis(terms, -1, 0))


def pairwise(terms):
    return np.ascontiguousarray(terms).sum(axis=-1)


def layer(total):
    """Return the gradients of one linear or relu layer, with sums as given."""

    def gradients(x, y, w, b):
        (weights,), (biases,) = w, b
        z = total(x[:, np.newaxis] * weights) + biases
        a = np.maximum(z, _SINGLE(0.0))
        delta = (a - y) * (z > 0)
        result = {
            "loss": total(((a - y) ** 2).ravel()) / 2,
            "w": [total(delta.T[:, np.newaxis] * x.T)],
            "b": [total(delta.T)],
            "x": total(delta[:, np.newaxis] * weights.T),
        }
        assert all(np.asarray(each).dtype == _SINGLE for each in (result["loss"], *result["w"], result["x"]))
        return result

    return gradients


def by_matrices(x, y, w, b):
    z = x @ w[0].T + b[0]
    a = np.maximum(z, _SINGLE(0.0))
    delta = (a - y) * (z > 0)
    return {"loss": ((a - y) ** 2).sum() / 2, "w": [delta.T @ x], "b": [delta.sum(axis=0)], "x": delta @ w[0]}


_DATA = {
    "random": lambda n, rng: rng.uniform(0.1, 1.0, n),
    "equal": lambda n, rng: np.full(n, 0.1),
    "equal, off": lambda n, rng: np.full(n, rng.uniform(0.1, 1.0)),
    "steps": lambda n, rng: np.arange(n) + 0.516,
    "tiny": lambda n, rng: np.where(np.arange(n) == 0, 1.0, 5.9e-8),
    "signs": lambda n, rng: rng.normal(size=n),
    "two": lambda n, rng: rng.choice([0.1, 0.7], n),
}
_IMPLEMENTATIONS = {"one by one": layer(one_by_one), "pairwise": layer(pairwise), "matrices": by_matrices}


def check(gradients, x, w, y):
    testing.assert_network_gradients_at(
        gradients, x, np.full((len(x), 1), y), [[w]], [[0.25]], activation="relu", dtype="float32"
    )


@pytest.mark.sampled(7)
@pytest.mark.parametrize("number", slow_except({200}, [7, 30, 200, 1000]))
@pytest.mark.parametrize("data", _DATA)
@pytest.mark.parametrize("implementation", _IMPLEMENTATIONS)
def test_right_implementations_pass_however_they_sum(implementation, data, number):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        check(_IMPLEMENTATIONS[implementation], [_DATA[data](number, rng)], np.ones(number), -1.0)
        check(_IMPLEMENTATIONS[implementation], [_DATA[data](number, rng)], rng.uniform(0.1, 1.0, number), -1.0)
        check(_IMPLEMENTATIONS[implementation], _DATA[data](number, rng)[:, np.newaxis], [0.5], -1.0)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("factor", slow_except({1 + 1e-5}, [1 + 1e-5, 1 - 1e-5, 1 + 1e-4]))
@pytest.mark.parametrize("kind", ["w", "b", "x"])
@pytest.mark.parametrize("activation", ["identity", "relu", "leaky_relu"])
def test_a_small_factor_is_found_where_200_inputs_are_summed(activation, kind, factor):
    rng = np.random.default_rng(1)
    x, w = rng.uniform(0.1, 1.0, (2, 200))

    def gradients(x, y, w, b):
        right = getattr(gt.Network((200, 1), activation).backprop(x, y, w, b), kind)
        return {kind: factor * right if kind == "x" else [factor * each for each in right]}

    for y in (-1.0, 0.5):
        with pytest.raises(AssertionError, match=f"∂C/∂{kind}"):
            testing.assert_network_gradients_at(
                gradients, [x], [[y]], [[w]], [[0.25]], activation=activation, dtype="float32"
            )
    sample = {"y": rng.uniform(-2.0, -1.0, 200), "w": [0.5], "b": [0.25], "activation": activation}

    def of_chain(x, y, w, b):
        return {kind: factor * getattr(gt.Chain(1, activation).backprop(x, y, w, b), kind)}

    with pytest.raises(AssertionError, match=f"∂C/∂{kind}"):
        testing.assert_gradients_at(of_chain, x, **sample, dtype="float32")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["w", "b", "x"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "silu", "erf", "softplus"])
def test_a_factor_of_2e_5_is_found_after_a_curved_activation_too(activation, kind):
    """What an activation may be rounded by, 16 units in the last place of σ', is half as much."""
    rng = np.random.default_rng(1)
    x, w = rng.uniform(0.1, 1.0, (2, 200))

    def gradients(x, y, w, b):
        right = getattr(gt.Network((w[0].shape[1], 1), activation).backprop(x, y, w, b), kind)
        return {kind: (1 + 2e-5) * right if kind == "x" else [(1 + 2e-5) * each for each in right]}

    for inputs, weights in (([x], [w / 100]), (x[:, np.newaxis], [[0.5]])):
        with pytest.raises(AssertionError, match=f"∂C/∂{kind}"):
            testing.assert_network_gradients_at(
                gradients, inputs, [[-1.0]] * len(inputs), [weights], [[0.25]], activation=activation, dtype="float32"
            )
