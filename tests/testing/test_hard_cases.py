"""The cases that are tried: large gradients, batches, kinks, chaos; and bad arguments."""

import functools
import math
import unittest

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory import testing
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.testing.places import kinks
from tests.shapes import slow_except
from tests.testing.test_hints import by_hand
from tests.testing.test_testing import chain_gradients, message


def clipped(gradients):
    return {kind: np.clip(each, -5.0, 5.0) for kind, each in gradients.items() if kind != "loss"}


def clipped_by_norm(gradients):
    return {"w": gradients["w"] * min(1.0, 10.0 / max(np.linalg.norm(gradients["w"]), 1e-300))}


@pytest.mark.slow
@pytest.mark.parametrize("change", slow_except([clipped], [clipped, clipped_by_norm]))
@pytest.mark.parametrize("activation", slow_except({"tanh"}, ["sigmoid", "tanh", "relu", "gelu"]))
def test_gradients_are_large_enough_to_see_them_clipped(activation, change):
    message(lambda: testing.assert_gradients(chain_gradients(activation, change=change), activation))


@pytest.mark.slow
def test_batches_are_large_enough_to_see_samples_lost():
    def gradients(x, y, w, b):
        ours = chain_gradients("tanh")(x[:8], y[:8], w, b)
        return {"w": ours["w"], "loss": ours["loss"]}

    assert "batch 17" in message(lambda: testing.assert_gradients(gradients, "tanh"))


def relu_gradients(is_open):
    def gradients(x, y, w, b):
        a, z = [x], []
        for weight, bias in zip(w, b, strict=True):
            z.append(weight * a[-1] + bias)
            a.append(np.maximum(z[-1], 0.0))
        delta, by_b = a[-1] - y, np.empty(len(w))
        for layer in reversed(range(len(w))):
            delta = delta * is_open(z[layer], layer)
            by_b[layer] = delta.sum()
            delta = delta * w[layer]
        return {"b": by_b}

    return gradients


def test_a_kink_behind_a_dead_neuron_is_hit_exactly():
    dead = {"x": [1.0], "y": [-1.0], "w": [-1.0, 1.0, 1.0], "b": [0.0, 0.0, 1.0], "activation": "relu"}
    testing.assert_gradients_at(relu_gradients(lambda z, layer: z > 0), **dead)
    wrong = relu_gradients(lambda z, layer: z >= 0 if layer else z > 0)
    assert "∂C/∂b of layer 2 is wrong: 2.0 in place of 0.0" in message(
        lambda: testing.assert_gradients_at(wrong, **dead)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "depth"), slow_except([("exponential", 25)], [("quadratic", 30), ("exponential", 25)])
)
def test_where_rounding_may_lead_to_any_number_nothing_is_said(activation, depth):
    value = {"quadratic": np.square, "exponential": np.exp}[activation]

    def loss(x, y, w, b):
        a = x
        for weight, bias in zip(w, b, strict=True):
            a = value(weight * a + bias)
        return {"loss": np.sum((a - y) ** 2) / 2}

    testing.assert_gradients(loss, activation, depth, dtype="float32")


def test_a_chaotic_chain_is_undecided():
    chaotic = {"x": [1.5], "y": [0.0], "w": [1.0] * 70, "b": [-2.0] * 70, "activation": "quadratic"}  # z² - 2
    testing.assert_gradients_at(chain_gradients("quadratic"), **{**chaotic, "w": [1.0] * 9, "b": [-2.0] * 9})
    with pytest.raises(Undecided, match="rounding errors grow so much that σ' of layer 49"):
        testing.assert_gradients_at(chain_gradients("quadratic"), **chaotic)


def test_what_was_not_returned_is_not_said_to_be_right():
    def without_bias(x, y, w, b):
        return chain_gradients("tanh")(x, y, w, 0.0 * b)

    def only(*kinds):
        return lambda x, y, w, b: {kind: without_bias(x, y, w, b)[kind] for kind in kinds}

    assert "Only ∂C/∂x is known: return the loss" in message(lambda: testing.assert_gradients(only("x"), "tanh"))
    assert "Or the forward pass is wrong: return the loss too" in message(
        lambda: testing.assert_gradients(only("w", "b"), "tanh")
    )


def test_one_layer_is_not_called_reversed():
    def rows_swapped(x, y, w, b):
        gradients = gt.Network((x.shape[1], *map(len, b)), "tanh").backprop(x, y, w, b)
        return {"w": [each[::-1] for each in gradients.w]}

    text = message(lambda: testing.assert_network_gradients(rows_swapped, "tanh", widths=(1, 2)))
    assert "reversed" not in text


def test_a_callable_without_a_name_is_pasted_as_fn():
    wrong = functools.partial(lambda factor, *arguments: {"w": factor * chain_gradients("tanh")(*arguments)["w"]}, 1.5)
    assert "            fn,\n" in message(lambda: testing.assert_gradients(wrong, "tanh"))


@pytest.mark.slow
@pytest.mark.parametrize("own", [sympy.tanh(Z / sympy.E), Z * sympy.Heaviside(Z), sympy.sign(Z) * sympy.tanh(Z) ** 2])
def test_expressions_with_e_and_with_steps_are_checked(own):
    testing.assert_gradients(chain_gradients(own), own, cases=10)


def test_an_implementation_that_is_not_the_same_twice_is_refused_too():
    calls = []

    def gradients(x, y, w, b):
        calls.append(None)
        ours = chain_gradients("tanh")(x, y, w, b)
        return {"w": ours["w"] * (1 + 1e-3 * (len(calls) % 7 == 3))}

    text = message(lambda: testing.assert_gradients(gradients, "tanh"))
    assert "gradients: it returns other numbers when it is called again with the same arguments" in text


@given(scale=st.floats(2, 3))
def test_it_works_inside_other_property_tests(scale):
    def change(gradients):
        return {"w": gradients["w"] * scale}

    assert "wrong" in message(
        lambda: testing.assert_gradients(chain_gradients("tanh", change=change), "tanh", cases=10)
    )


class UnderUnittest(unittest.TestCase):
    def test_it_is_a_plain_assertion(self):
        with self.assertRaises(AssertionError):  # noqa: PT027  # what is tested
            testing.assert_gradients(chain_gradients("tanh", change=lambda f: {"b": -f["b"]}), "tanh")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda fn: testing.assert_gradients(3), "fn = 3"),
        (lambda fn: testing.assert_gradients(fn, "nope"), "nope"),
        (lambda fn: testing.assert_gradients(fn, depth=0), "depth = 0"),
        (lambda fn: testing.assert_gradients(fn, "tanh", loss="cross_entropy"), "needs an output"),
        (lambda fn: testing.assert_gradients(fn, cases=0), "cases = 0"),
        (lambda fn: testing.assert_gradients(fn, dtype="float8_e5m2"), "dtype = 'float8_e5m2'"),
        (lambda fn: testing.assert_gradients(fn, dtype=3), "dtype = 3"),
        (lambda fn: testing.assert_gradients(fn, at_kinks="left"), "at_kinks = 'left'"),
        (lambda fn: testing.assert_gradients_at(fn, [1.0], [0.0], [1.0], [0.0], dtype="nope"), "dtype = 'nope'"),
        (lambda fn: testing.assert_gradients_at(fn, ["a"], [0.0], [1.0], [0.0]), "x = "),
        (lambda fn: testing.assert_network_gradients_at(fn, 1.0, [[0.0]], [[[1.0]]], [[0.0]]), "widths = "),
        (lambda fn: testing.assert_network_gradients(fn, widths=(2,)), "widths = "),
        (lambda fn: testing.assert_gradients_at(fn, [1.0], [0.0], [1.0, 1.0], [0.0]), "b.shape"),
        (lambda fn: testing.assert_gradients_at(fn, [math.inf], [0.0], [1.0], [0.0]), "x = "),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call(chain_gradients("tanh"))


@pytest.mark.parametrize(
    "which", slow_except({"relu6", "hard_tanh"}, [each for each in gt.activation_names() if kinks(gt.activation(each))])
)
def test_fixed_cases_meet_every_kink_where_its_slope_matters(which):
    """A slope that is wrong on one kink alone is found without the cases of hypothesis."""
    record = gt.activation(which)
    for kink in kinks(record):
        wrong = by_hand(record, lambda z, kink=kink: np.where(z == kink, record.slope(z) + 1.0, record.slope(z)))
        message(lambda wrong=wrong: testing.assert_gradients(wrong, which, cases=1))
