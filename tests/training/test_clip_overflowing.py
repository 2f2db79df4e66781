"""Clipping where the norms of a unit's gradient and of its weights both overflow."""

from fractions import Fraction

import numpy as np
import pytest

from gradtheory.training.remedies import adaptive_clip

GREATEST = np.finfo(float).max


def _square(numbers):
    return sum((Fraction(float(each)) ** 2 for each in np.ravel(numbers)), Fraction(0))


@pytest.mark.parametrize(
    ("gradient", "weights", "ratio", "epsilon"),
    [
        ([GREATEST] * 3, [GREATEST] * 2 + [1.0], 0.8, 1e-3),
        ([1.1e308, 1.2e308, -1.4e308], [0.0, 1.0, 0.5], 0.48, GREATEST),
        ([GREATEST, 1e-308, 0.0], [GREATEST, 5e-324, 0.0], 0.999, 5e-324),
    ],
)
def test_a_unit_keeps_its_bound_beyond_float64(gradient, weights, ratio, epsilon):
    clipped = adaptive_clip(gradient, weights, ratio, epsilon=epsilon)
    bound = Fraction(ratio) ** 2 * max(_square(weights), Fraction(epsilon) ** 2)
    assert Fraction(999, 1000) * bound < _square(clipped) <= bound
    assert (np.sign(clipped) == np.sign(gradient))[:2].all() or clipped[1] == 0.0


def test_a_gradient_within_a_bound_beyond_float64_stays():
    gradient = [GREATEST, GREATEST]
    np.testing.assert_array_equal(adaptive_clip(gradient, [1.0, GREATEST], 2.0), gradient)
