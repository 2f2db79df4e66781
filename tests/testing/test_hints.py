"""What is said of the size of errors."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing
from tests.shapes import slow_except

_SAID = "Errors of this size are float32's"


def message(call):
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


def by_hand(record, slope):
    """Return backpropagation through a chain with a slope of its own."""

    def gradients(x, y, w, b):
        z, entering = [], [x]
        for weight, bias in zip(w, b, strict=True):
            z.append(weight * entering[-1] + bias)
            entering.append(record.value(z[-1]))
        delta, by_w, by_b = entering[-1] - y, np.empty_like(w), np.empty_like(b)
        for layer in reversed(range(len(w))):
            delta = delta * slope(z[layer])
            by_w[layer], by_b[layer] = (delta * entering[layer]).sum(), delta.sum()
            delta = delta * w[layer]
        return {"w": by_w, "b": by_b, "x": delta}

    return gradients


@pytest.mark.parametrize("error", slow_except({1e-4}, [1e-4, -1e-5, 1e-3]))
@pytest.mark.parametrize("activation", slow_except({"tanh", "gelu"}, ["tanh", "gelu", "softplus", "sigmoid"]))
def test_a_wrong_slope_is_not_called_an_error_of_float32(activation, error):
    record = gt.activation(activation)
    gradients = by_hand(record, lambda z: record.slope(z) * (1.0 + error * (0.7 + 0.3 * np.sin(z))))
    assert _SAID not in message(lambda: testing.assert_gradients(gradients, activation))
    far_out = {
        "x": [3.0, 4.0] if activation in ("tanh", "sigmoid") else [12.0, 14.0],
        "y": [-3.0, 1.0],
        "w": [1.0],
        "b": [0.25],
    }  # a wide tolerance
    assert _SAID not in message(lambda: testing.assert_gradients_at(gradients, **far_out, activation=activation))


def test_an_error_smaller_than_those_of_float32_is_not_called_one():
    def gradients(x, y, w, b):
        ours = gt.Chain(len(w), "tanh").backprop(x, y, w, b)
        return {"w": ours.w * (1 + 1e-10), "b": ours.b * (1 + 1e-10)}

    assert _SAID not in message(lambda: testing.assert_gradients(gradients, "tanh"))


@pytest.mark.parametrize("kind", ["loss", "w", "b", "x"])
def test_a_rounding_to_float32_is_called_so(kind):
    def gradients(x, y, w, b):
        ours = getattr(gt.Chain(len(w), "tanh").backprop(x, y, w, b), kind)
        return {kind: np.asarray(ours, np.float32).astype(float)}

    assert _SAID in message(
        lambda: testing.assert_gradients_at(
            gradients, [0.7, 0.3], [0.1, -0.4], [1.25, 0.3], [0.1, -0.2], activation="tanh"
        )
    )
