"""Gradients of PyTorch and JAX, written as their users write them, against `gradtheory.testing`."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing
from tests.peers.named import named

_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
jax = pytest.importorskip("jax", reason=_REASON)
jax.config.update("jax_enable_x64", True)
functional = torch.nn.functional

_CASES = {"torch": 12, "jax": 4}  # besides the fixed ones; JAX compiles each operation for each shape


def squared(a, z, y):
    return 0.5 * ((a - y) ** 2).sum()


def chain(sigma, x, w, b):
    """Return a_L and z_L, for arrays of either library."""
    a = x
    for weight, bias in zip(w, b, strict=True):
        z = weight * a + bias
        a = sigma(z)
    return a, z


def of_torch(sigma, loss_of=squared):
    def gradients(x, y, w, b):
        x, w, b = (torch.tensor(each, requires_grad=True) for each in (x, w, b))
        loss = loss_of(*chain(sigma, x, w, b), torch.tensor(y))
        loss.backward()
        return {"loss": loss, "w": w.grad, "b": b.grad, "x": x.grad}

    return gradients


def of_jax(sigma, loss_of=squared):
    def total(x, w, b, y):
        return loss_of(*chain(sigma, x, w, b), y)

    def gradients(x, y, w, b):
        arguments = map(jax.numpy.asarray, (x, w, b, y))
        loss, (by_x, by_w, by_b) = jax.value_and_grad(total, argnums=(0, 1, 2))(*arguments)
        return {"loss": loss, "w": by_w, "b": by_b, "x": by_x}

    return gradients


def wide_of_torch(sigma):
    def gradients(x, y, w, b):
        x, w, b = (torch.tensor(x), [*map(torch.tensor, w)], [*map(torch.tensor, b)])
        for tensor in (x, *w, *b):
            tensor.requires_grad_()
        a = x
        for weight, bias in zip(w, b, strict=True):
            a = sigma(functional.linear(a, weight, bias))
        loss = squared(a, None, torch.tensor(y))
        loss.backward()
        return {"loss": loss, "w": [each.grad for each in w], "b": [each.grad for each in b], "x": x.grad}

    return gradients


def wide_of_jax(sigma):
    def total(x, w, b, y):
        a = x
        for weight, bias in zip(w, b, strict=True):
            a = sigma(a @ weight.T + bias)
        return squared(a, None, y)

    def gradients(x, y, w, b):
        loss, (by_x, by_w, by_b) = jax.value_and_grad(total, argnums=(0, 1, 2))(x, w, b, y)
        return {"loss": loss, "w": by_w, "b": by_b, "x": by_x}

    return gradients


_LIBRARIES = {"torch": of_torch, "jax": of_jax}
_WIDE = {"torch": wide_of_torch, "jax": wide_of_jax}


class Discrepancy(NamedTuple):
    """Why a client does not pass, one neuron (z = x + b) that shows it, and with what it passes."""

    reason: str
    x: float
    b: float
    instead: Callable | None = None  # None: any slope between the one-sided ones is right on kinks
    message: str = "is wrong"


_DISCREPANCIES = {
    ("softplus", "torch"): Discrepancy(
        "it is z itself for z > 20, where log(1 + exp(-z)) is 2e-9 still",
        x=1.0,
        b=20.0,
        instead=partial(functional.softplus, threshold=40),
    ),
    ("hard_sigmoid", "torch"): Discrepancy(
        "its slope is 1/6 in float32",
        x=1.0,
        b=1.0,
        instead=lambda z: functional.relu6(z + 3) / 6,
        message="float32's",
    ),
    ("hard_tanh", "jax"): Discrepancy("its slope on both kinks is 1", x=1.0, b=0.0),
    ("leaky_relu", "jax"): Discrepancy("its slope on the kink is 1", x=1.0, b=-1.0),
    ("sparse_sigmoid", "jax"): Discrepancy("its slope on both kinks is the mean of both sides, 1/4", x=1.0, b=0.0),
}


def shared(library):
    return [name for name in gt.activation_names() if library in gt.activation(name).peers]


def client(name, library):
    return _LIBRARIES[library](named(gt.activation(name).peers[library]))


@pytest.mark.parametrize(("which", "library"), [(name, each) for each in _LIBRARIES for name in shared(each)])
def test_gradients_in_float64(which, library):
    check = partial(testing.assert_gradients, activation=which, cases=_CASES[library])
    listed = _DISCREPANCIES.get((which, library))
    if listed is None:
        check(client(which, library))
    elif listed.instead is None:
        check(client(which, library), at_kinks="either")
    else:
        check(_LIBRARIES[library](listed.instead))


@pytest.mark.parametrize(("which", "library"), _DISCREPANCIES)
def test_listed_discrepancies_do_occur(which, library):
    listed = _DISCREPANCIES[which, library]
    with pytest.raises(AssertionError, match=listed.message):
        testing.assert_gradients_at(
            client(which, library), x=[listed.x], y=[-1.0], w=[1.0], b=[listed.b], activation=which
        )


@pytest.mark.parametrize("library", _LIBRARIES)
@pytest.mark.parametrize("which", ["sigmoid", "tanh", "gelu", "softplus", "relu", "silu", "elu"])
def test_gradients_in_float32(which, library):
    testing.assert_gradients(client(which, library), activation=which, cases=_CASES[library], dtype="float32")


@pytest.mark.parametrize("library", _WIDE)
@pytest.mark.parametrize("which", ["sigmoid", "tanh", "gelu", "relu", "mish"])
def test_gradients_of_wide_networks(which, library):
    function = named(gt.activation(which).peers[library])
    widths = None if library == "torch" else (2, 3, 2)
    testing.assert_network_gradients(_WIDE[library](function), which, widths, cases=_CASES[library])


@pytest.mark.parametrize("which", ["tanh", "gelu_tanh", "softplus"])
def test_gradients_that_are_compiled(which):
    function = named(gt.activation(which).peers["jax"])
    compiled = jax.jit(of_jax(function))
    testing.assert_gradients(compiled, activation=which, depth=3, cases=_CASES["jax"])


def with_logits_of_torch(a, z, y):
    return functional.binary_cross_entropy_with_logits(z, y, reduction="sum")


def of_torch_after_the_sigmoid(a, z, y):
    return functional.binary_cross_entropy(a, y, reduction="sum")


def by_log_sigmoid(a, z, y):
    return -(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z)).sum()


def by_softplus(a, z, y):
    return (jax.nn.softplus(z) - y * z).sum()


def by_logarithms(a, z, y):
    return -(y * jax.numpy.log(a) + (1 - y) * jax.numpy.log1p(-a)).sum()


_CROSS_ENTROPIES = {
    "torch, from logits": of_torch(torch.sigmoid, with_logits_of_torch),
    "jax, by log_sigmoid": of_jax(jax.nn.sigmoid, by_log_sigmoid),
    "jax, by softplus": of_jax(jax.nn.sigmoid, by_softplus),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("which", _CROSS_ENTROPIES)
def test_cross_entropy_with_sigmoid(which, dtype):
    cases = _CASES[which.partition(",")[0]]
    testing.assert_gradients(_CROSS_ENTROPIES[which], "sigmoid", loss="cross_entropy", cases=cases, dtype=dtype)


# Cross entropy of a = σ(z) in place of z: where it is wrong, what gradient comes out there, and why.
_OF_SATURATED = {
    "torch": (of_torch(torch.sigmoid, of_torch_after_the_sigmoid), 31.0, 0.0344, "a·(1 - a) is at least 1e-12 in it"),
    "jax": (of_jax(jax.nn.sigmoid, by_logarithms), 40.0, np.nan, "σ(z) is rounded to 1, and log(1 - a) is -inf"),
}


@pytest.mark.parametrize("library", _OF_SATURATED)
def test_cross_entropy_of_what_is_saturated(library):
    fn, too_far, gradient, _ = _OF_SATURATED[library]
    for z in (-27.0, 0.0, 27.0):
        testing.assert_gradients_at(fn, [0.0], [0.0], [1.0], [z], loss="cross_entropy")
    with pytest.raises(AssertionError, match="is wrong"):
        testing.assert_gradients_at(fn, [0.0], [0.0], [1.0], [too_far], loss="cross_entropy")
    by_bias = fn(np.zeros(1), np.zeros(1), np.ones(1), np.array([too_far]))["b"]
    np.testing.assert_allclose(np.asarray(by_bias), [gradient], rtol=1e-2)
