"""Where a curved activation has become straight, and where terms cancel: small faults are found there too."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing


@pytest.mark.parametrize("activation", ["silu", "gelu", "softplus"])
@pytest.mark.parametrize("factor", [1 - 2e-5, 1 + 2e-5])
def test_a_factor_of_2e_5_is_found_where_the_slope_is_1(activation, factor):
    rng = np.random.default_rng(1)
    x, w = rng.uniform(0.1, 1.0, (2, 200))  # z is about 60

    def gradients(x, y, w, b):
        return {"b": [factor * each for each in gt.Network((200, 1), activation).backprop(x, y, w, b).b]}

    case = {"x": [x], "y": [[-1.0]], "w": [[w]], "b": [[0.25]], "activation": activation, "dtype": "float32"}
    with pytest.raises(AssertionError, match="∂C/∂b"):
        testing.assert_network_gradients_at(gradients, **case)
    factor = 1.0
    testing.assert_network_gradients_at(gradients, **case)


def test_a_factor_of_1e_5_is_found_after_erf_where_the_sum_is_the_greatest_error():
    rng = np.random.default_rng(1)
    x, w = rng.uniform(0.1, 1.0, (2, 200))

    def gradients(x, y, w, b):
        return {"w": [(1 + 1e-5) * each for each in gt.Network((200, 1), "erf").backprop(x, y, w, b).w]}

    with pytest.raises(AssertionError, match="∂C/∂w"):
        testing.assert_network_gradients_at(
            gradients, [x], [[-1.0]], [[w / 100]], [[0.25]], activation="erf", dtype="float32"
        )


def test_a_preactivation_of_more_digits_than_python_writes_has_its_formula():
    """`exp(-212**2)` as a dyadic fraction has more than 4,300 digits, and no other test has asked relu there before."""
    chain = gt.Chain(2, ["gaussian", "relu"])
    reference = gt.testing.reference_gradients(chain, x=[212.0], y=[0.0], w=[1.0, 1.0], b=[0.0, 0.0])
    assert float(reference.loss) == 0.0
