"""The oracle: right implementations pass, wrong ones do not, rounding is told from a wrong formula, misuse is named."""

import functools
import math
import sys
import unittest

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import erf

import gradtheory as gt
from gradtheory import testing
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.floats import FLOAT_TYPES
from gradtheory.testing import shrinking, strategies
from gradtheory.testing.reference import as_problem, prove_gradients
from gradtheory.testing.tolerance import tolerances
from tests.shapes import slow_except

_DOUBLE, _SINGLE = FLOAT_TYPES["float64"], FLOAT_TYPES["float32"]


def chain_gradients(activation, loss="squared", change=lambda gradients: gradients):
    """Return our own backprop as a user's function, with what it returns changed."""

    def gradients(x, y, w, b):
        ours = gt.Chain(len(w), activation, loss).backprop(x, y, w, b)
        return change({"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x})

    return gradients


def message(call):
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


@pytest.mark.quick_for("hardshrink", "sigmoid")
def test_our_own_chain_passes_for_every_activation(shape, cases):
    testing.assert_gradients(chain_gradients(shape), activation=shape, cases=cases)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["sigmoid", "cloglog"])
def test_our_own_chain_passes_for_cross_entropy(which):
    testing.assert_gradients(chain_gradients(which, "cross_entropy"), activation=which, loss="cross_entropy")


@pytest.mark.slow
@pytest.mark.parametrize("which", slow_except({"relu"}, ["relu", "tanh", "gelu", "hard_swish", "softplus"]))
def test_our_own_network_passes(which):
    def gradients(x, y, w, b):
        ours = gt.Network((x.shape[1], *map(len, b)), which).backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    testing.assert_network_gradients(gradients, activation=which)


def test_an_activation_of_ones_own():
    z = sympy.Symbol("z", real=True)
    own = z / (1 + z**2) + z / 10
    testing.assert_gradients(chain_gradients(own), activation=own, depth=3)
    assert "activation=gradtheory.expression('z/10 + z/(z**2 + 1)')" in message(
        lambda: testing.assert_gradients(chain_gradients(own, change=lambda f: {"w": -f["w"]}), activation=own)
    )


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def normal(z):
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


_PLAIN = {  # as they stand in textbooks, with whatever cancels in them
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "gelu": (lambda z: z * (1 + erf(z / 2**0.5)) / 2, lambda z: (1 + erf(z / 2**0.5)) / 2 + z * normal(z)),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    "elu": (lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1), lambda z: np.exp(np.minimum(z, 0))),
    "softplus": (lambda z: np.logaddexp(0, z), sigmoid),
    "log_sigmoid": (lambda z: -np.logaddexp(0, -z), lambda z: 1 - sigmoid(z)),
    "log_cosh": (lambda z: np.logaddexp(z, -z) - np.log(2), np.tanh),
    "squareplus": (lambda z: (z + np.sqrt(z * z + 4)) / 2, lambda z: (1 + z / np.sqrt(z * z + 4)) / 2),
    "tanhshrink": (lambda z: z - np.tanh(z), lambda z: np.tanh(z) ** 2),
    "hard_swish": (lambda z: z * np.clip(z / 6 + 0.5, 0, 1), lambda z: np.where(abs(z) < 3, z / 3 + 0.5, z > 0)),
    "snake": (lambda z: z + np.sin(z) ** 2, lambda z: 1 + np.sin(2 * z)),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("which", slow_except({"relu", "softplus", "snake"}, _PLAIN))
def test_plain_formulas_pass(which, dtype, cases):
    value, slope = _PLAIN[which]

    def gradients(x, y, w, b):
        entering, slopes = [x], []
        for weight, bias in zip(w, b, strict=True):
            z = weight * entering[-1] + bias
            entering.append(np.asarray(value(z), z.dtype))
            slopes.append(np.asarray(slope(z), z.dtype))
        delta, by_w, by_b = (entering[-1] - y) * slopes[-1], np.empty_like(w), np.empty_like(b)
        for layer in range(len(w) - 1, -1, -1):
            by_w[layer], by_b[layer] = (delta * entering[layer]).sum(), delta.sum()
            delta = delta * w[layer] * (slopes[layer - 1] if layer else 1)
        return {"loss": (0.5 * (entering[-1] - y) ** 2).sum(), "w": by_w, "b": by_b, "x": delta}

    testing.assert_gradients(gradients, which, cases=2 * cases, dtype=dtype)


@pytest.mark.parametrize("dtype", [_DOUBLE, _SINGLE])
@given(data=st.data())
def test_rounding_stays_within_the_tolerance(dtype, data):
    chain, x, y, w, b = data.draw(
        strategies.chains(strategies.activations(["tanh", "relu", "gelu", "softplus"]), dtype=dtype)
    )

    def plain(x, y, w, b):
        """Compute in the type of the arguments; only σ and σ' are rounded from float64."""
        entering, slopes = [x], []
        for record, weight, bias in zip(chain.layer_activations, w, b, strict=True):
            z = weight * entering[-1] + bias
            value, slope = record.value_and_slope(z.astype(float))
            entering.append(value.astype(x.dtype))
            slopes.append(slope.astype(x.dtype))
        delta = (entering[-1] - y) * slopes[-1]
        by_w, by_b = np.empty_like(w), np.empty_like(b)
        for layer in range(len(w) - 1, -1, -1):
            by_w[layer], by_b[layer] = (delta * entering[layer]).sum(), delta.sum()
            delta = delta * w[layer] * (slopes[layer - 1] if layer else 1)
        return {"loss": (0.5 * (entering[-1] - y) ** 2).sum(), "w": by_w, "b": by_b, "x": delta}

    testing.assert_gradients_at(plain, x, y, w, b, chain.layer_activations, dtype=dtype.name)


@given(case=strategies.chains(strategies.activations(["tanh", "gelu", "arctan", "softsign"])))
def test_the_tolerance_says_something(case):
    problem = as_problem(*case)
    allowed, exact = tolerances(problem, _DOUBLE), prove_gradients(problem, 20)
    scale = max(float(abs(row[0].middle)) for matrix in exact.w for row in matrix)
    assume(scale > 1e-3)  # not saturated
    assert max(float(each.max()) for each in allowed.w) < 1e-10 * max(1.0, scale, *np.abs(case.w)) ** 2


def test_the_tolerance_is_a_few_units_where_nothing_cancels():
    problem = as_problem(gt.Chain(2, "tanh"), [0.5], [0.0], [1.0, 1.0], [0.5, 0.25])
    allowed, exact = tolerances(problem, _DOUBLE), prove_gradients(problem, 20)
    ratio = allowed.w[0][0, 0] / abs(float(exact.w[0][0][0]))
    assert 10 * 2.0**-53 < ratio < 1000 * 2.0**-53


def test_the_tolerance_grows_with_the_condition_number():
    def relative(target):
        problem = as_problem(gt.Chain(1, "identity"), [1.0], [target], [1.0], [0.0])
        return tolerances(problem, _DOUBLE).b[0][0] / abs(1.0 - target)

    assert relative(1.0 + 2.0**-30) > 2.0**25 * relative(3.0)  # a - y cancels


@pytest.mark.parametrize("factor", [1 + 1e-9, 1 - 1e-11, -1.0, 0.0, 2.0])
@pytest.mark.parametrize("kind", ["loss", "w", "b", "x"])
def test_a_factor_is_found_in_whatever_is_returned(kind, factor):
    text = message(
        lambda: testing.assert_gradients(chain_gradients("tanh", change=lambda f: {kind: factor * f[kind]}), "tanh")
    )
    assert "smallest failing case: depth 1" in text
    assert {"loss": "the loss", "w": "∂C/∂w", "b": "∂C/∂b", "x": "∂C/∂x"}[kind] in text.splitlines()[0]


def test_only_what_is_returned_is_compared():
    for kind in ("loss", "w", "b", "x"):
        testing.assert_gradients(chain_gradients("tanh", change=lambda f, kind=kind: {kind: f[kind]}), "tanh", cases=5)


def test_the_layer_is_named_from_the_loss_back():
    def change(gradients):
        wrong = gradients["b"].copy()
        wrong[:-1] *= 1.5  # δ of the last layer is right
        return {"b": wrong, "loss": gradients["loss"]}

    text = message(lambda: testing.assert_gradients(chain_gradients("tanh", change=change), "tanh", depth=3))
    assert "smallest failing case: depth 3" in text
    assert "Layer 2 is where it goes wrong: δ = ∂C/∂b of layer 2 is made from δ of layer 3, which is right" in text
    assert "Every wrong number is 1.5 times the exact one." in text
    of_weights = message(
        lambda: testing.assert_gradients(
            chain_gradients("tanh", change=lambda f: {"b": f["b"], "w": 3 * f["w"]}), "tanh"
        )
    )
    assert "∂C/∂w is δ times a of the layer before; δ is right there, so look at a." in of_weights


def test_a_mean_over_the_batch_is_recognised():
    def mean(x, y, w, b):
        gradients = gt.Chain(len(w), "tanh").backprop(x, y, w, b)
        return {"w": gradients.w / len(x)}

    text = message(lambda: testing.assert_gradients(mean, "tanh"))
    assert "batch 2" in text
    assert "as the mean over the batch of 2 is of the sum" in text


@pytest.mark.parametrize("kind", ["w", "b"])
def test_layers_in_reversed_order_are_recognised(kind):
    def change(gradients):
        return {kind: gradients[kind][::-1]}

    text = message(lambda: testing.assert_gradients(chain_gradients("tanh", change=change), "tanh"))
    assert "depth 2" in text
    assert f"∂C/∂{kind} is right in reversed order" in text


def test_float32_is_not_suspected_of_what_is_explained():
    gradients = chain_gradients("sigmoid", change=lambda gradients: {"b": gradients["b"][::-1]})
    data = {"x": [2.0], "y": [-1.5], "w": [0.0, 0.625], "b": [3.0, -30.0]}  # saturated: both biases hardly matter
    text = message(lambda: testing.assert_gradients_at(gradients, **data))
    assert "∂C/∂b is right in reversed order" in text
    assert "float32" not in text


@pytest.mark.slow
def test_float32_is_recognised():
    def single(x, y, w, b):
        return chain_gradients("tanh")(*(each.astype(np.float32).astype(float) for each in (x, y, w, b)))

    assert "Errors of this size are float32's" in message(lambda: testing.assert_gradients(single, "tanh"))
    testing.assert_gradients(single, "tanh", dtype="float32")
    testing.assert_gradients(single, "tanh", dtype=np.float32)


def test_the_pasted_test_fails_in_the_same_way():
    gradients = chain_gradients("relu", change=lambda f: {"w": f["w"] + 1e-3})
    text = message(lambda: testing.assert_gradients(gradients, "relu"))
    assert pasted(text, gradients).splitlines()[:6] == text.splitlines()[:6]


def pasted(text, gradients):
    """Return the message of the test that a message holds."""
    names = {"gradients": gradients}
    exec("\n".join(line[4:] for line in text.partition("paste this into a test:")[2].splitlines()), names)
    return message(names["test_the_smallest_failing_case"])


@pytest.mark.parametrize(
    ("activation", "more"),
    [
        (sympy.Symbol("z", real=True) ** 3, {}),
        ("elu(alpha=2)", {"dtype": "float32"}),
        ("relu", {"at_kinks": "either"}),
        ("sigmoid", {"loss": "cross_entropy"}),
    ],
)
def test_what_is_pasted_runs_with_the_same_options(activation, more):
    gradients = chain_gradients(activation, more.get("loss", "squared"), lambda f: {"b": f["b"] * 2 + 1})
    text = message(lambda: testing.assert_gradients(gradients, activation, **more))
    assert pasted(text, gradients) == text
    assert all(f"{name}={value!r}" in text for name, value in more.items())


def test_the_same_message_at_every_run():
    def call():
        testing.assert_gradients(chain_gradients("gelu", change=lambda f: {"x": f["x"] * (1 + 1e-8)}), "gelu")

    assert message(call) == message(call)


def wrong_kink(taken):
    def gradients(x, y, w, b):
        z = w[0] * x + b[0]
        slope = np.where(z == 0, taken, z > 0)
        return {"b": [np.sum((np.maximum(z, 0) - y) * slope)]}

    return gradients


@pytest.mark.slow
@pytest.mark.parametrize(
    ("taken", "convention", "either"),
    [(0.0, True, True), (0.5, False, True), (1.0, False, True)],
)
def test_kinks_follow_the_convention_or_either_side(taken, convention, either):
    for at_kinks, passes in (("one-sided", convention), ("either", either)):
        if passes:
            testing.assert_gradients(wrong_kink(taken), "relu", depth=1, at_kinks=at_kinks)
        else:
            text = message(lambda kind=at_kinks: testing.assert_gradients(wrong_kink(taken), "relu", 1, at_kinks=kind))
            assert "depth 1" in text
    assert "wrong" in message(lambda: testing.assert_gradients(wrong_kink(2.0), "relu", 1, at_kinks="either"))


def test_nan_is_never_right():
    def saturated(x, y, w, b):
        with np.errstate(all="ignore"):
            z = w[0] * x + b[0]
            a = np.exp(z) / (1 + np.exp(z))
            return {"b": [np.sum((a - y) * a * (1 - a))]}

    text = message(lambda: testing.assert_gradients(saturated, depth=1))
    assert "not finite where the exact number is" in text
    assert "800.0" in text


@pytest.mark.parametrize("error", [ZeroDivisionError("by nought"), RuntimeWarning("overflow"), KeyError("w")])
def test_what_an_implementation_raises_is_a_failure_of_it(error):
    def gradients(x, y, w, b):
        if len(w) > 2:
            raise error
        return chain_gradients("tanh")(x, y, w, b)

    with pytest.raises(AssertionError) as caught:
        testing.assert_gradients(gradients, "tanh")
    assert type(error).__name__ in str(caught.value)
    assert "depth 3" in str(caught.value)
    assert caught.value.__cause__ is error


class OnlyDLPack:
    """What another library's array looks like that NumPy cannot convert by itself."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __len__(self):
        return len(self.array)


class WithGradient:
    """A tensor that converts only when it is detached."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self.array


def of_tensors(array):
    return [WithGradient(each) for each in array] if np.ndim(array) else WithGradient(array)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "wrap", [OnlyDLPack, WithGradient, of_tensors, lambda each: np.asarray(each).tolist(), np.asarray]
)
def test_whatever_converts_is_compared(wrap):
    def change(gradients):
        return {kind: wrap(each) for kind, each in gradients.items()}

    testing.assert_gradients(chain_gradients("tanh", change=change), "tanh", cases=10)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda f: f["w"], "not a mapping with any of 'loss', 'w', 'b', 'x'"),
        (lambda f: {}, "not a mapping with any of"),
        (lambda f: {"w": f["w"], "dw": f["w"]}, "it returned 'dw', and only"),
        (lambda f: {"w": f["w"][None]}, r"its 'w' has the shape (1, 1), and must have (1,)"),
        (lambda f: {"loss": np.array([f["loss"]])}, "its 'loss' has the shape (1,), and must have ()"),
        (lambda f: {"x": ["a"]}, "its 'x' does not convert to a NumPy array of real numbers"),
        (lambda f: {"x": ["0.5"]}, "its 'x' does not convert to a NumPy array of real numbers: its type is <U3"),
        (
            lambda f: {"w": f["w"] + 1j},
            "its 'w' does not convert to a NumPy array of real numbers: its type is complex128",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(returned, said):
    text = message(lambda: testing.assert_gradients(chain_gradients("tanh", change=returned), "tanh"))
    assert said in text.splitlines()[0]
    assert "smallest failing case: depth 1" in text


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda f: {"w": f.w[0]}, "its 'w' must be 2 arrays"),
        (lambda f: {"w": [each.T for each in f.w]}, "its 'w' has the shape (2, 3), and must have (3, 2)"),
        (lambda f: {"b": 3.0}, "its 'b' must be 2 arrays, one for each layer"),
    ],
)
def test_what_cannot_be_compared_of_a_network_is_said(returned, said):
    def gradients(x, y, w, b):
        return returned(gt.Network((2, 3, 1), "tanh").backprop(x, y, w, b))

    text = message(lambda: testing.assert_network_gradients(gradients, "tanh", widths=(2, 3, 1)))
    assert said in text.splitlines()[0]


def test_a_wrong_network_is_shown_and_pasted():
    def gradients(x, y, w, b):
        ours = gt.Network((x.shape[1], *map(len, b)), "tanh").backprop(x, y, w, b)
        return {"w": [each + (each.shape[0] > 1) for each in ours.w]}

    text = message(lambda: testing.assert_network_gradients(gradients, "tanh"))
    assert "smallest failing case: widths (1, 2)" in text
    assert "∂C/∂w" in pasted(text, gradients)


def test_without_hypothesis_the_cases_are_a_fixed_list(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradtheory.testing.shrinking", None)  # as if its import of hypothesis failed
    testing.assert_gradients(chain_gradients("relu"), "relu")
    for change in (lambda f: {"w": -f["w"]}, lambda f: {"loss": f["loss"] * (1 + 1e-10)}):
        text = message(lambda change=change: testing.assert_gradients(chain_gradients("relu", change=change), "relu"))
        assert "failing case (with hypothesis it is made smaller): depth 1" in text
    assert "batch" in message(lambda: testing.assert_gradients(wrong_kink(1.0), "relu", depth=1))


def test_what_hypothesis_misses_is_found_in_the_fixed_list_and_shrunk(monkeypatch):
    smallest = shrinking.smallest
    monkeypatch.setattr(shrinking, "smallest", lambda *given: smallest(*given) if len(given) == 5 else None)

    def gradients(x, y, w, b):
        ours = chain_gradients("tanh")(x, y, w, b)
        return {"loss": math.nan if 800.0 in b else ours["loss"]}

    text = message(lambda: testing.assert_gradients(gradients, "tanh", cases=24))
    assert "smallest failing case: depth 1, tanh, squared loss, batch 1" in text
    assert "b = [800.0]" in text


def test_what_is_proven_nowhere_is_said_and_does_not_pass(monkeypatch):
    def undecided(*_):
        raise Undecided("it is not")

    monkeypatch.setattr("gradtheory.testing.verdict.prove_gradients", undecided)
    with pytest.raises(Undecided, match="nothing was checked"):
        testing.assert_gradients(chain_gradients("tanh"), "tanh", cases=5)
    with pytest.raises(Undecided, match="it is not"):
        testing.assert_gradients_at(chain_gradients("tanh"), [1.0], [0.0], [1.0], [0.0], "tanh")


def test_a_case_that_is_not_proven_is_undecided():
    kink = {"x": [1.0], "y": [0.0], "w": [-1.0, 3.0], "b": [0.0, -1.0], "activation": ["hard_sigmoid", "relu"]}
    with pytest.raises(Undecided, match="kink"):
        testing.assert_gradients_at(lambda x, y, w, b: {"loss": 0.0}, **kink)


def test_an_activation_that_is_large_everywhere_ends():
    z = sympy.Symbol("z", real=True)
    own = sympy.tanh(z) + 10**7
    with pytest.raises(AssertionError):
        testing.assert_gradients(chain_gradients(own, change=lambda f: {"w": -f["w"]}), own, cases=5)


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
