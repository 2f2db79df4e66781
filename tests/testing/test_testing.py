"""The oracle: right implementations pass, wrong ones do not, rounding is told from a wrong formula, misuse is named."""

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import erf

import gradtheory as gt
from gradtheory import testing
from gradtheory.random_weights.floats import FLOAT_TYPES
from gradtheory.testing import strategies
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


def test_an_activation_of_ones_own(cases):
    z = sympy.Symbol("z", real=True)
    own = z / (1 + z**2) + z / 10
    testing.assert_gradients(chain_gradients(own), activation=own, depth=3, cases=cases)
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


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("which", _PLAIN)
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


@pytest.mark.slow
def test_only_what_is_returned_is_compared(cases):
    for kind in ("loss", "w", "b", "x"):
        testing.assert_gradients(
            chain_gradients("tanh", change=lambda f, kind=kind: {kind: f[kind]}), "tanh", cases=cases // 4
        )


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
