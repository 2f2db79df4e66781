"""What is said of the size of errors that are found in bfloat16."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.testing import assert_gradients


def _too_large_by(share, activation):
    def gradients(x, y, w, b):
        result = gt.Chain(len(w), activation).backprop(*(each.astype(float) for each in (x, y, w, b)))
        return {"w": (1 + share) * np.asarray(result.w)}

    return gradients


@pytest.mark.parametrize("activation", ["relu", pytest.param("tanh", marks=pytest.mark.slow)])
def test_a_quarter_is_found(activation):
    with pytest.raises(AssertionError, match="∂C/∂w of layer 1 is wrong"):
        assert_gradients(_too_large_by(0.25, activation), activation, cases=60, dtype="bfloat16")


@pytest.mark.slow
def test_a_tenth_is_not():
    assert_gradients(_too_large_by(0.1, "tanh"), "tanh", cases=60, dtype="bfloat16")
