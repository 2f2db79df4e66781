"""Ranges of σ, σ' and σ'' over intervals: they hold every sampled value, in ball arithmetic, and are tight."""

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Activation, Z
from gradtheory.networks.bounds.activation_range import range_of
from tests.networks.bounds.balls import value_and_slope

_z = sympy.Symbol("z", real=True)
_OWN = (_z * sympy.tanh(sympy.log(1 + sympy.exp(_z))), sympy.Max(_z, 0) ** 2 * sympy.tanh(_z))


def intervals(seed, number):
    """Return intervals of all widths, some of them with an end at 0 or at a kink."""
    rng = np.random.default_rng(seed)
    centre, half = rng.normal(size=number) * 4, np.exp(rng.uniform(-20, 2, size=number))
    lower, upper = centre - half, centre + half
    lower[:4], upper[4:8] = (0.0, 3.0, -3.0, 1.0), (0.0, 3.0, -3.0, 1.0)
    return np.minimum(lower, upper), np.maximum(lower, upper)


def samples(lower, upper, number):
    share = np.random.default_rng(1).uniform(size=(len(lower), number))
    return np.clip(lower[:, None] + (upper - lower)[:, None] * share, lower[:, None], upper[:, None])


@pytest.mark.sampled(6)
def test_ranges_hold_what_kernels_compute(shape):
    ranges, record = range_of(gt.activation(shape)), gt.activation(shape)
    lower, upper = intervals(0, 300)
    points = samples(lower, upper, 20)
    computed = (*record.value_and_slope(points), record.bend(points))
    for least, numbers in zip((*ranges.over(lower, upper), ranges.formulas.bends(lower, upper)), computed, strict=True):
        room = 1e-12 * (1 + np.abs(numbers))  # that of σ'' in float64
        room = room if numbers is computed[2] else 0.0
        assert (least.lower[:, None] <= numbers + room).all()
        assert (numbers - room <= least.upper[:, None]).all()


@pytest.mark.parametrize("written", [*gt.activation_names(), "snake(3)", "elu(2)", "swish(5)", *_OWN], ids=str)
@pytest.mark.sampled(6)
def test_ranges_of_points_hold_balls(written):
    """At single floats, the ranges rest on the stated errors of the kernels alone: they hold the true numbers."""
    record = gt.activation(written)
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(size=25) * 3, rng.normal(size=10) * 30, [0.0, -0.0, 1.0, -3.0, 6.0]])
    ranges = range_of(record).over(points, points)
    for row, point in enumerate(points):
        for ball, bound in zip(value_and_slope(record, point), ranges, strict=True):
            assert not ball < bound.lower[row]
            assert not ball > bound.upper[row]


def test_ranges_of_slopes_are_tight(name):
    record = gt.activation(name)
    lower, upper = intervals(3, 200)
    wide = upper - lower > 1e-3
    points = samples(lower[wide], upper[wide], 2000)
    slopes = range_of(record).slopes(lower[wide], upper[wide])
    sampled = record.slope(points)
    missed = (slopes.upper - slopes.lower) - (sampled.max(axis=1) - sampled.min(axis=1))
    kinked = np.any([(lower[wide] <= float(k)) & (float(k) <= upper[wide]) for k in record.kinks] or [False], axis=0)
    if record.period is None:
        assert (missed[~np.broadcast_to(kinked, missed.shape)] <= 0.1 * np.ptp(sampled) + 1e-9).all()


def test_kinks_have_both_slopes():
    slopes = range_of(gt.activation("relu")).slopes(np.array([0.0, -1.0, 1e-300]), np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(slopes.lower, [0.0, 0.0, 1.0], atol=1e-13)
    np.testing.assert_allclose(slopes.upper, [1.0, 1.0, 1.0], atol=1e-13)


def test_infinite_intervals_have_the_whole_range():
    lower, upper = np.array([-np.inf]), np.array([np.inf])
    values, slopes = range_of(gt.activation("tanh")).over(lower, upper)
    assert (values.lower[0], values.upper[0]) == (-1.0, 1.0)
    assert slopes.lower[0] <= 0.0
    assert 1.0 <= slopes.upper[0] <= 1.0 + 1e-12
    assert np.isinf(range_of(gt.activation("relu")).values(lower, upper).upper[0])


def test_a_kernel_that_is_not_the_catalogues_is_not_believed():
    """A record with a kernel of its own, which errs, is evaluated in balls."""

    def wrong(z, value, slope):
        value[...], slope[...] = 7.0, 7.0

    tanh = gt.activation("tanh")
    record = Activation("tanh", r"\tanh", sympy.tanh(Z), tanh.range, wrong, "none", branches=tanh.branches)
    values, slopes = range_of(record).over(np.array([0.5]), np.array([0.5]))
    np.testing.assert_allclose([values.lower, slopes.upper], [[np.tanh(0.5)], [np.cosh(0.5) ** -2]], rtol=1e-12)


@pytest.mark.sampled(6)
def test_what_a_line_leaves_over_is_enclosed(shape):
    """σ(z) - s·z and σ'(z) - s·z hold what is sampled, with rounding that near cancels left out."""
    record, ranges = gt.activation(shape), range_of(gt.activation(shape))
    lower, upper = (side[None] for side in intervals(5, 200))
    points = samples(lower[0], upper[0], 200)
    for factor in (0.0, 0.5, -3.0):
        line = factor * points
        enclosed = [ranges.excess(lower, upper, np.full_like(lower, factor))]
        enclosed += [
            ranges.excess_of_slope(lower, upper, np.full_like(lower, factor), in_pieces=cut) for cut in (False, True)
        ]
        value, slope = record.value_and_slope(points)
        for bounds, numbers in zip(enclosed, (value, slope, slope), strict=True):
            room = 1e-14 * (np.abs(numbers) + np.abs(line))
            assert (bounds.lower[0][:, None] <= numbers - line + room).all()
            assert (numbers - line - room <= bounds.upper[0][:, None]).all()


@pytest.mark.parametrize("smooth", ["tanh", "sigmoid", "gelu", "softplus"])
def test_what_a_secant_leaves_over_is_tight(smooth):
    record, ranges = gt.activation(smooth), range_of(gt.activation(smooth))
    lower, upper = np.array([[-1.0, 0.2, -0.5, 1.0]]), np.array([[0.5, 1.0, 0.4, 4.0]])
    points = samples(lower[0], upper[0], 4_000)
    for bounds_of, of in (
        (ranges.excess, lambda z: record.value_and_slope(z)[0]),
        (lambda *all: ranges.excess_of_slope(*all, in_pieces=True), record.slope),
    ):
        secant = (of(upper) - of(lower)) / (upper - lower)
        bounds, left = bounds_of(lower, upper, secant), of(points) - secant[0][:, None] * points
        assert ((bounds.upper - bounds.lower)[0] < 1.4 * np.ptp(left, axis=1) + 1e-6).all()


@pytest.mark.parametrize("size", [1, 1e-3, 1e-10, 1e-30])
def test_a_jump_is_one_however_small(size):
    """The next layer may multiply it by any number."""
    step = (sympy.tanh(Z) + sympy.Heaviside(Z)) * sympy.Rational(size)
    network = gt.Network((1, 1, 1), [step, "sigmoid"], w=[[[1.0]], [[10.0 / size]]], b=[[0.0], [0.0]])
    for box in (([-0.1], [1.0]), ([-0.01], [0.5]), ([-1e-3], [1e-3])):
        x = np.linspace(box[0][0], box[1][0], 2001)[:, np.newaxis]
        assert float(network.jacobian_bound(box)) >= np.abs(network.jacobian(x)).max()
    assert not range_of(gt.activation(step)).is_continuous(np.array([-1.0]), np.array([1.0]))[0]
    assert range_of(gt.activation(step)).is_continuous(np.array([0.5]), np.array([1.0]))[0]
