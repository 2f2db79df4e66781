"""A sequence of activations, one a layer, wherever the oracle takes one."""

import numpy as np
import pytest
import sympy
from hypothesis import given

import gradtheory as gt
from gradtheory import testing
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.testing import strategies
from gradtheory.testing.cases import fixed_cases, network_case


def of_chain(activations, **factors):
    def gradients(x, y, w, b):
        assert len(w) == len(activations)
        ours = gt.Chain(len(w), activations).backprop(x, y, w, b)
        return {kind: getattr(ours, kind) * factors.get(kind, 1) for kind in ("loss", "w", "b", "x")}

    return gradients


def of_network(activations):
    def gradients(x, y, w, b):
        assert len(w) == len(activations)
        ours = gt.Network((x.shape[1], *map(len, b)), activations).backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    return gradients


@pytest.mark.slow
@pytest.mark.parametrize(
    "activations",
    [["relu", "identity"], ("tanh", "sigmoid", "relu"), ["gelu"], [gt.activation("tanh"), sympy.atan(Z)]],
)
def test_as_many_layers_as_activations(activations, cases):
    testing.assert_gradients(of_chain(activations), activation=activations, cases=cases)
    testing.assert_network_gradients(of_network(activations), activation=activations, cases=cases)
    testing.assert_gradients(of_chain(activations), activation=activations, depth=len(activations), cases=3)
    widths = [2] * (len(activations) + 1)
    testing.assert_network_gradients(of_network(activations), activation=activations, widths=widths, cases=3)


def test_the_message_names_every_layer_and_its_test_fails_alike():
    gradients = of_chain(["relu", "identity"], w=1.5)
    with pytest.raises(AssertionError) as caught:
        testing.assert_gradients(gradients, activation=["relu", "identity"])
    text = str(caught.value)
    assert "smallest failing case: depth 2, relu, identity, squared loss, batch 1" in text
    names = {"gradients": gradients}
    exec("\n".join(line[4:] for line in text.partition("paste this into a test:")[2].splitlines()), names)
    with pytest.raises(AssertionError) as again:
        names["test_the_smallest_failing_case"]()
    assert str(again.value) == text


@pytest.mark.slow
def test_only_the_last_layer_needs_values_between_0_and_1(cases):
    def gradients(x, y, w, b):
        ours = gt.Chain(2, ["relu", "sigmoid"], "cross_entropy").backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w}

    testing.assert_gradients(gradients, ["relu", "sigmoid"], loss="cross_entropy", cases=cases)


@given(
    chain=strategies.chains(["relu", "identity"]),
    network=strategies.networks(["relu", "tanh", "identity"]),
    fixed=strategies.networks(("relu", "identity"), widths=(2, 3, 1)),
)
def test_strategies_draw_as_many_layers(chain, network, fixed):
    assert [record.name for record in chain.chain.layer_activations] == ["relu", "identity"]
    assert chain.w.shape == (2,)
    assert [record.name for record in network.network.layer_activations] == ["relu", "tanh", "identity"]
    assert len(network.w) == 3
    assert fixed.network.widths == (2, 3, 1)


def test_without_a_sequence_networks_have_1_to_3_layers():
    assert {case.network.depth for case in fixed_cases(lambda source: network_case(source, "relu"), 20)} == {1, 2, 3}


_PAIR = ["relu", "identity"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda fn: testing.assert_gradients(fn, _PAIR, depth=3), "activation = .*a sequence of 3, one per layer"),
        (lambda fn: testing.assert_gradients(fn, []), "activation = .*must be one activation, or a sequence of one a"),
        (lambda fn: testing.assert_gradients(fn, ["relu", "nope"]), "nope"),
        (lambda fn: testing.assert_gradients(fn, _PAIR, loss="cross_entropy"), "needs an output"),
        (
            lambda fn: testing.assert_network_gradients(fn, _PAIR, widths=(2, 1)),
            "activation = .*a sequence of 1, one per layer",
        ),
        (lambda fn: testing.assert_network_gradients(fn, ()), "activation = "),
        (
            lambda fn: testing.assert_gradients_at(fn, [1.0], [0.0], [1.0], [0.0], _PAIR),
            "activation = .*a sequence of 1, one per layer",
        ),
        (lambda fn: strategies.chains(_PAIR, depth=3).example(), "a sequence of 3, one per layer"),
        (lambda fn: strategies.networks([]), "activation = "),
    ],
)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_what_does_not_fit_is_refused_on_one_line(call, said):
    with pytest.raises(InvalidArgument, match=said) as caught:
        call(lambda x, y, w, b: {"loss": np.nan})
    assert "\n" not in str(caught.value)


def test_wide_networks_are_tried_on_fixed_cases():
    """hypothesis does not choose so many numbers."""
    widths = (30, 40, 20)
    right = of_network(["tanh", "tanh"])
    testing.assert_network_gradients(right, activation="tanh", widths=np.array(widths), cases=3)

    def wrong(x, y, w, b):
        ours = right(x, y, w, b)
        return {**ours, "w": [1.01 * each for each in ours["w"]]}

    with pytest.raises(AssertionError, match=r"failing case: widths \(30, 40, 20\), tanh"):
        testing.assert_network_gradients(wrong, activation="tanh", widths=widths, cases=3)
