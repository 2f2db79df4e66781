"""What right implementations may be off by, where the first order of an error analysis says too little."""

import contextlib

import numpy as np
import pytest

from gradtheory import testing


def plain(value, slope):
    """Return backpropagation through a chain, as written without care for rounding."""

    def gradients(x, y, w, b):
        z, a = [], [x]
        for weight, bias in zip(w, b, strict=True):
            z.append(weight * a[-1] + bias)
            a.append(value(z[-1]))
        delta = (a[-1] - y) * slope(z[-1])
        by_w, by_b = np.empty_like(w), np.empty_like(b)
        for layer in range(len(w) - 1, -1, -1):
            by_w[layer], by_b[layer] = np.sum(delta * a[layer]), np.sum(delta)
            delta = delta * w[layer] * (slope(z[layer - 1]) if layer else 1.0)
        return {"loss": 0.5 * np.sum((a[-1] - y) ** 2), "w": by_w, "b": by_b, "x": delta}

    return gradients


def test_two_kinks_in_a_row_may_both_take_the_other_side():
    from_right = plain(lambda z: np.clip((z + 1) / 2, 0, 1), lambda z: 0.5 * ((z >= -1) & (z <= 1)))
    case = {"x": [1.0], "y": [0.0], "w": [1.0, 1.0], "b": [-2.0, 1.0], "activation": "sparse_sigmoid"}
    testing.assert_gradients_at(from_right, **case, at_kinks="either")
    with pytest.raises(AssertionError, match="layer 1 is wrong"):
        testing.assert_gradients_at(from_right, **case)


@pytest.mark.parametrize("slope", [2.0, -1.0])
def test_slopes_beyond_both_sides_are_refused_on_kinks(slope):
    far = plain(lambda z: np.clip((z + 1) / 2, 0, 1), lambda z: np.where(abs(z) == 1, slope, 0.5 * (abs(z) < 1)))
    with pytest.raises(AssertionError, match="is wrong"):
        testing.assert_gradients_at(
            far, [1.0], [0.0], [1.0, 1.0], [-2.0, 1.0], activation="sparse_sigmoid", at_kinks="either"
        )


def test_a_sum_that_cancels_may_end_on_the_other_side_of_a_kink():
    relu = plain(lambda z: np.maximum(z, 0.0), lambda z: 1.0 * (z > 0))
    x, w, b = 1.0409735239361946, 1016.5276355285291, -1058.1783549346605
    assert x * w + b == 0.0  # exactly it is 3.6e-14
    testing.assert_gradients_at(relu, [x], [0.0], [w, 1.0], [b, 0.0], activation="relu")


def rough_gelu_tanh(ulps):
    """Return gelu_tanh by its formula, with a tanh that is off by some units in the last place below 1."""

    def inner(z):
        return np.sqrt(2 / np.pi) * (z + 0.044715 * z**3), np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)

    def rough_tanh(u):
        t = np.tanh(u)
        return t - np.sign(t) * ulps * 2.0**-53

    def slope(z):
        u, by_z = inner(z)
        t = rough_tanh(u)
        return 0.5 * (1 + t) + 0.5 * z * by_z * (1 - t) * (1 + t)

    return plain(lambda z: 0.5 * z * (1 + rough_tanh(inner(z)[0])), slope)


def test_an_error_of_tanh_grows_with_the_cubic_argument_of_gelu_tanh():
    case = {"x": [-7.25], "y": [0.5], "w": [1.0], "b": [0.0], "activation": "gelu_tanh"}
    testing.assert_gradients_at(rough_gelu_tanh(6), **case)  # XLA's tanh is off by 6
    with pytest.raises(AssertionError, match="is wrong"):
        testing.assert_gradients_at(rough_gelu_tanh(100), **case)


def test_a_number_in_place_of_0_is_reported_and_not_a_warning():
    with pytest.raises(AssertionError, match="1e-05 in place of 0"):
        testing.assert_gradients_at(
            lambda x, y, w, b: {"b": np.array([1e-5])}, [0.0], [0.0], [1.0], [0.0], activation="relu"
        )
    with pytest.raises(AssertionError, match="in place of 0"):
        testing.assert_gradients_at(lambda x, y, w, b: {"b": np.ones(1)}, [0.0], [0.0], [1.0], [0.0], activation="relu")


@pytest.mark.parametrize(("loss", "is_right"), [(31.0002, True), (33.0, False), (1e6, False)])
def test_the_loss_of_a_saturated_neuron_is_held_to_what_its_logarithm_loses(loss, is_right):
    """1 - σ(31) is 3.4e-14, of which some units of 1.1e-16 are lost."""
    case = {"x": [1.0], "y": [0.0], "w": [1.0], "b": [30.0], "activation": "sigmoid", "loss": "cross_entropy"}
    refusal = contextlib.nullcontext() if is_right else pytest.raises(AssertionError, match="the loss is wrong")
    with refusal:
        testing.assert_gradients_at(lambda x, y, w, b: {"loss": loss}, **case)
