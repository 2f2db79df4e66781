"""Clipping by value, by norm and by unit: bounds hold for all floats."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.training import train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import (
    adaptive_clip,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
)

_arrays = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8).map(np.array)


# clipping


@given(gradient=_arrays, limit=st.floats(1e-3, 1e3))
def test_clipping_by_value(gradient, limit):
    clipped = clip_by_value(gradient, limit)
    assert np.abs(clipped).max() <= limit
    small = np.abs(gradient) <= limit
    np.testing.assert_array_equal(clipped[small], gradient[small])
    if np.linalg.norm(gradient) > 1e-100:
        cosine = clipped @ gradient / np.linalg.norm(clipped) / np.linalg.norm(gradient)
        assert cosine > 1 / math.sqrt(len(gradient)) - 1e-12


def test_the_direction_left_by_value_is_as_bad_as_stated():
    for size in (2, 10):
        gradient = np.ones(size)
        gradient[0] = 1e9
        clipped = clip_by_value(gradient, 1.0)
        cosine = clipped @ gradient / np.linalg.norm(clipped) / np.linalg.norm(gradient)
        assert cosine == pytest.approx(1 / math.sqrt(size), rel=1e-6)


@given(first=_arrays, second=_arrays, limit=st.floats(0, 1e3))
def test_clipping_by_norm_keeps_the_direction(first, second, limit):
    norm = math.hypot(*first, *second)
    clipped = clip_by_global_norm([first, second], limit)
    assert clipped.norm == pytest.approx(norm, rel=1e-12)
    assert math.hypot(*clipped.gradients[0], *clipped.gradients[1]) <= limit * (1 + 1e-12)
    factor = min(1.0, limit / (norm + 1e-6))
    np.testing.assert_allclose(clipped.gradients[1], factor * second, rtol=1e-12, atol=2.0**-1074)  # rounded down
    np.testing.assert_array_equal(clip_by_norm(first, limit), clip_by_global_norm([first], limit).gradients[0])


def test_norms_whose_squares_overflow_are_clipped():
    clipped = clip_by_global_norm([[3e200, 4e200]], 1.0)
    assert clipped.norm == pytest.approx(5e200)
    np.testing.assert_allclose(clipped.gradients[0], [0.6, 0.8])
    assert clip_by_global_norm([], 1.0) == ([], 0.0)
    np.testing.assert_allclose(adaptive_clip([[3e200, 4e200]], [[3.0, 4.0]], 0.1), [[0.3, 0.4]])


def test_norms_that_overflow_or_underflow_are_clipped():
    clipped = clip_by_global_norm([np.full(100, 1e308)], 1.0)
    assert clipped.norm == math.inf
    np.testing.assert_allclose(clipped.gradients[0], 0.1, rtol=1e-13)
    np.testing.assert_allclose(clip_by_norm(np.full(4, -1.7e308), 1e308), -5e307, rtol=1e-13)
    np.testing.assert_allclose(adaptive_clip([[3e160, 4e160]], [[3.0, 4.0]]), [[0.03, 0.04]], rtol=1e-13)
    np.testing.assert_allclose(adaptive_clip(np.full((1, 100), 1e308), np.full((1, 100), 1.0)), 0.01, rtol=1e-13)
    tiny = adaptive_clip([[3e-165, 4e-165]], [[3e-170, 4e-170]], epsilon=1e-200)
    np.testing.assert_allclose(tiny, [[3e-172, 4e-172]], rtol=1e-13)
    assert clip_by_norm(np.zeros(3), 0.0).tolist() == [0.0] * 3


def test_tiny_entries_beside_huge_ones_are_scaled_too():
    clipped = clip_by_global_norm([[1e306], [1e-150]], 1e300)
    np.testing.assert_allclose(clipped.gradients[1], 1e-156, rtol=1e-12, atol=0.0)
    np.testing.assert_allclose(adaptive_clip([1e300, 1e-20], [1e200, 0.0]), [1e198, 1e-122], rtol=1e-12, atol=0.0)


def test_a_unit_of_adaptive_clipping_is_that_of_the_reference():
    """A vector is one unit in `unitwise_norm` of NFNets, optax and timm; a matrix has one for each output."""
    gradient, weights = np.array([5.0, 0.001]), np.array([2.0, 1.0])
    whole = gradient * 0.01 * math.sqrt(5) / math.hypot(5, 0.001)
    np.testing.assert_allclose(adaptive_clip(gradient, weights), whole, rtol=1e-13)
    np.testing.assert_allclose(adaptive_clip(gradient, weights, axis=()), [0.02, 0.001], rtol=1e-13)
    np.testing.assert_allclose(adaptive_clip(5.0, 2.0), 0.02, rtol=1e-13)
    matrix = np.array([[3.0, 4.0], [6.0, 8.0]])
    np.testing.assert_allclose(np.linalg.norm(adaptive_clip(100 * matrix, matrix), axis=1), [0.05, 0.1], rtol=1e-13)
    by_column = adaptive_clip(100 * matrix, matrix, axis=0)
    np.testing.assert_allclose(by_column, adaptive_clip(100 * matrix.T, matrix.T).T, rtol=1e-13)


def norm_squared(array):
    return sum(Fraction(float(each)) ** 2 for each in np.ravel(array))


@given(seed=st.integers(0, 2**32), power=st.integers(-140, 140), count=st.integers(1, 40))
def test_rounding_never_lifts_a_norm_above_its_bound(seed, power, count):
    rng = np.random.default_rng(seed)
    gradient, weights = rng.normal(size=(2, count)) * 10.0**power
    limit = np.linalg.norm(gradient) * rng.choice([1.0, 1 - 2**-53, 0.3, 1e-3])
    assert norm_squared(clip_by_norm(gradient, limit)) <= Fraction(float(limit)) ** 2
    clipped = adaptive_clip(gradient, weights, 0.25, epsilon=1e-300)
    assert norm_squared(clipped) <= Fraction(1, 16) * norm_squared(weights)
    kept = adaptive_clip(gradient, gradient, 1.0 + 1e-9, epsilon=1e-300)
    np.testing.assert_array_equal(kept, gradient)


@pytest.mark.parametrize("limit", [5e-324, 1e-322, 1e-313, 3e-310, 1e-308])
@pytest.mark.parametrize("power", [-323, -312, -150, 0, 300])
def test_bounds_hold_among_the_least_floats(power, limit):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        gradient = rng.normal(size=rng.integers(1, 6)) * 10.0**power
        assert norm_squared(clip_by_norm(gradient, limit)) <= Fraction(limit) ** 2
        clipped = adaptive_clip(gradient, np.zeros_like(gradient), 0.3, epsilon=limit)
        assert norm_squared(clipped) <= (Fraction(0.3) * Fraction(limit)) ** 2
    assert clip_by_norm([1.0, 1e-310], 1e300).tolist() == [1.0, 1e-310]


@given(seed=st.integers(0, 2**32), limit=st.floats(0.01, 1))
def test_steps_and_travel_are_bounded(seed, limit):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(4, "tanh")
    x, y = rng.normal(size=(2, 5))
    w, b = rng.normal(0, 3, (2, 4))
    run = train(
        chain, x, y, w, b, optimiser=gradient_descent(0.3), steps=30,
        clip=lambda gradients: clip_by_global_norm(gradients, limit).gradients,
    )  # fmt: skip
    moves = np.diff(np.hstack([run.w, run.b]), axis=0)
    lengths = np.linalg.norm(moves, axis=1)
    assert np.all(lengths <= 0.3 * limit * (1 + 1e-9))
    assert np.linalg.norm(moves.sum(axis=0)) <= 0.3 * limit * run.steps * (1 + 1e-9)
    assert lengths.max() > 0.9 * 0.3 * min(limit, run.gradient_norm[:-1].max())


def test_without_clipping_a_chain_overflows_and_with_it_does_not():
    arguments = gt.Chain(6, "identity"), [1.0], [0.0], [2.0] * 6, [0.0] * 6
    assert train(*arguments, optimiser=gradient_descent(0.1), steps=300).has_diverged
    clip = lambda gradients: clip_by_global_norm(gradients, 0.1).gradients  # noqa: E731
    kept = train(*arguments, optimiser=gradient_descent(0.1), steps=300, clip=clip)
    assert not kept.has_diverged
    assert kept.loss[-1] < 1e-3 * kept.loss[0]


@given(seed=st.integers(0, 2**32), ratio=st.floats(0.001, 0.5))
def test_adaptive_clipping_bounds_every_unit(seed, ratio):
    rng = np.random.default_rng(seed)
    weights, gradient = rng.normal(size=(2, 3, 4)) * 10.0 ** rng.integers(-5, 3, (2, 3, 1))
    clipped = adaptive_clip(gradient, weights, ratio)
    for unit, before, after in zip(weights, gradient, clipped, strict=True):
        most = ratio * max(np.linalg.norm(unit), 1e-3)
        assert np.linalg.norm(after) <= most * (1 + 1e-12)
        if np.linalg.norm(before) > most:
            np.testing.assert_allclose(after / np.linalg.norm(after), before / np.linalg.norm(before), rtol=1e-12)
            assert np.linalg.norm(after) > 0.99 * most
        else:
            np.testing.assert_array_equal(after, before)


def test_adaptive_clipping_bounds_the_growth_of_weights():
    w = np.array([2.0, 0.0])
    for _ in range(20):
        w = w - 0.5 * adaptive_clip(np.array([-1e9, -1e9]), w, 0.1, axis=())
    assert np.all(w <= 1.05**20 * np.array([2.0, 1e-3]))
    assert w[0] == pytest.approx(1.05**20 * 2.0, rel=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_shows(bad):
    assert np.isnan(clip_by_norm([1.0, bad], 1.0)).any()
    assert math.isnan(clip_by_global_norm([[bad]], 1.0).norm) == math.isnan(bad)
    value = clip_by_value([bad, 0.5], 1.0)
    assert math.isnan(value[0]) if math.isnan(bad) else value[0] == 1.0
