"""Gradients that are clipped far out, and functions that change what they are given."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing
from gradtheory.testing.cases import chain_case, fixed_cases, network_case

_NAMES = ("x", "y", "w", "b")


def of_chain(activation, loss="squared"):
    def gradients(x, y, w, b):
        ours = gt.Chain(len(w), activation, loss).backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    return gradients


def of_network(activation, loss="squared"):
    def gradients(x, y, w, b):
        ours = gt.Network((x.shape[1], *map(len, b)), activation, loss).backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    return gradients


def message(call):
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


def clipped(gradients, kinds):
    def clip(value):
        return tuple(map(clip, value)) if isinstance(value, tuple) else np.clip(value, -1e6, 1e6)

    return lambda *given: {kind: clip(each) for kind, each in gradients(*given).items() if kind in kinds}


@pytest.mark.slow
@pytest.mark.parametrize("of", [of_chain, of_network], ids=["one neuron a layer", "a network"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("activation", "kinds"),
    [
        *(("tanh", kinds) for kinds in (("w", "b", "x"), ("w",), ("b",), ("x",))),
        *((activation, ("w", "b", "x")) for activation in ("relu", "sigmoid")),
    ],
    ids=str,
)
def test_clipping_at_a_million_is_found(activation, kinds, dtype, of):
    check = testing.assert_gradients if of is of_chain else testing.assert_network_gradients
    text = message(lambda: check(clipped(of(activation), kinds), activation, dtype=dtype))
    assert "1000000.0 in place of" in text.splitlines()[0]


@pytest.mark.slow
@pytest.mark.parametrize("check", [testing.assert_gradients, testing.assert_network_gradients])
def test_clipping_is_found_with_cross_entropy(check):
    right = (of_chain if check is testing.assert_gradients else of_network)("sigmoid", "cross_entropy")
    assert "1000000.0 in place of" in message(lambda: check(clipped(right, ("w",)), "sigmoid", loss="cross_entropy"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("build", [chain_case, network_case])
def test_huge_gradients_stay_within_the_float_type(build, loss, dtype):
    cases = fixed_cases(lambda source: build(source, "sigmoid", None, loss, dtype), 60)
    greatest = []
    for model, *data in cases:
        ours = model.backprop(*data)
        greatest.append(max(np.abs(each).max() for each in (*ours.w, *ours.b, ours.x)))
    assert max(greatest) > 1e6
    assert max(greatest) < np.finfo(dtype).max / 1e10


@pytest.mark.parametrize("letter", _NAMES)
@pytest.mark.parametrize("wide", [False, True])
def test_an_argument_that_is_changed_is_named(letter, wide):
    right = (of_network if wide else of_chain)("tanh")

    def gradients(*given):
        ours = right(*given)
        argument = given[_NAMES.index(letter)]
        if isinstance(argument, list):
            argument[-1] -= 0.1
        else:
            argument[:1] = math.nan
        return ours

    check = testing.assert_network_gradients if wide else testing.assert_gradients
    text = message(lambda: check(gradients, "tanh", cases=10))
    assert text.splitlines()[0] == (
        f"gradients: it changes its argument {letter} in place, and must leave it as it was: copy it first"
    )
    assert "paste this into a test" in text


@pytest.mark.parametrize("change", [list.pop, list.reverse, lambda w: w.__setitem__(0, w[0].copy() + 1)])
def test_a_list_that_is_changed_is_named(change):
    right = of_network("tanh")

    def gradients(x, y, w, b):
        ours = right(x, y, w, b)
        change(w)
        return ours

    text = message(lambda: testing.assert_network_gradients(gradients, "tanh", widths=(2, 3, 1), cases=5))
    assert "it changes its argument w in place" in text.splitlines()[0]


def test_arguments_may_be_returned():
    linear = {"x": [0.5], "y": [0.0], "w": [1.0], "b": [0.0], "activation": "identity"}  # ∂C/∂x = x
    testing.assert_gradients_at(lambda x, y, w, b: {"x": x}, **linear)
