"""The error of the largest stable step: it holds against many digits, and is infinite where the limit is not known."""

import math

import mpmath
import numpy as np
import pytest

import gradtheory as gt
from gradtheory import curvature, optimisers
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.errors import InvalidArgument
from gradtheory.training.stability import largest_step


def problem(seed, depth):
    rng = np.random.default_rng(seed)
    network = gt.Network(
        (1,) * (depth + 1), "tanh", "mse", w=rng.normal(size=(depth, 1, 1)), b=rng.normal(size=(depth, 1))
    )
    return network, rng.normal(size=(5, 1)), rng.normal(size=(5, 1))


@pytest.mark.parametrize("depth", [3, pytest.param(40, marks=pytest.mark.slow)])  # the matrix, and Lanczos's method
@pytest.mark.parametrize(
    "optimiser", [optimisers.heavy_ball(0.1, 0.5), optimisers.gradient_descent(0.1, weight_decay=0.1)]
)
def test_the_error_holds(depth, optimiser):
    network, x, y = problem(depth, depth)
    limit = gt.largest_stable_step(network, x, y, optimiser=optimiser)
    assert isinstance(limit, Estimate)
    matrix = curvature.hessian(network, x, y)
    eigenvalues = mpmath.eigsy(mpmath.matrix(matrix), eigvals_only=True) if depth == 3 else np.linalg.eigvalsh(matrix)
    exact = 2 * (1 + mpmath.mpf(optimiser.beta)) / (eigenvalues[len(matrix) - 1] + optimiser.weight_decay)
    assert abs(limit - exact) <= limit.error + (0.0 if depth == 3 else 1e-12 * limit)
    assert 0.0 < limit.error < 1e-6 * limit
    assert float(limit) == limit
    assert "±" in repr(limit)


def test_an_error_of_the_eigenvalue_is_carried_through():
    descent = optimisers.gradient_descent(0.1)
    limit = largest_step._with_error(descent, Estimate(4.0, 1.0), 0.0)
    assert float(limit) == 0.5
    assert limit.error == pytest.approx(2 / 3 - 0.5)
    assert largest_step._with_error(descent, Estimate(4.0, 5.0), 0.0).error == math.inf
    assert largest_step._with_error(descent, Estimate(0.0, 1e-9), 0.0).error == math.inf
    assert largest_step._with_error(descent, Estimate(-1.0, 1e-9), 0.0).error == 0.0


@pytest.mark.parametrize("size", [1e70, 1e100, 1e154])
@pytest.mark.parametrize("optimiser", [optimisers.adam(), optimisers.adam(amsgrad=True), optimisers.rmsprop()])
def test_gradients_whose_squares_overflow_precondition_as_others(optimiser, size):
    """One linear neuron with the target 0: h and the preconditioner are both about x²."""
    step = gt.largest_stable_step(gt.Chain(1, "identity"), [size], [0.0], [1.0], [0.0], optimiser=optimiser)
    beta = optimiser.beta
    assert step == pytest.approx(2 * (1 + beta) / (1 - beta), rel=1e-9)


def test_a_gradient_that_overflows_is_refused():
    with pytest.raises(InvalidArgument, match="makes a gradient that overflows"):
        gt.largest_stable_step(gt.Chain(1, "identity"), [1e160], [0.0], [1.0], [0.0], optimiser=optimisers.adam())
