"""Steady gradients: the variance of a centred RMSprop falls to rounding, and is never negative."""

import numpy as np
import pytest

from gradtheory.training.optimisers import rmsprop
from gradtheory.training.optimisers.optimiser import State


@pytest.mark.parametrize("gradient", [0.1, -1 / 3, 7.7])
def test_the_variance_of_a_centred_rmsprop_is_not_negative(gradient):
    optimiser = rmsprop(1e-3, 0.99, epsilon=1e-3, centred=True)
    mean = np.nextafter(np.array([gradient]), np.copysign(np.inf, gradient))  # more than the root of the mean square
    before = State((np.ones(1),), (np.zeros(1),), (np.array([gradient**2]),), 5000, (mean,))
    after = optimiser.step(before, [[gradient]])
    np.testing.assert_allclose(optimiser.preconditioners(after)[0], 1e-3, rtol=1e-4)
    np.testing.assert_allclose(after.parameters[0], 1.0 - gradient, rtol=1e-4)
