"""Upper bounds of spectral norms: never below the exact ones, and near them."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from gradtheory.errors import InvalidArgument
from gradtheory.networks.bounds import spectral
from gradtheory.networks.bounds.spectral import spectral_bound, spectral_bounds


def exact_square(u, v):
    """Return ‖u·vᵀ‖² exactly."""
    return sum(Fraction(float(each)) ** 2 for each in u) * sum(Fraction(float(each)) ** 2 for each in v)


def largest_eigenvalue(matrix):
    """Return a ball around ‖W‖²."""
    flint.ctx.prec = 200
    w = flint.arb_mat([[flint.arb(float(each)) for each in row] for row in matrix])
    values = flint.acb_mat(w.transpose() * w).eig(nonstop=True)
    flint.ctx.prec = 53
    return max((value.real for value in values), key=lambda ball: float(ball.mid()))


def rank_one(seed, m=6, n=4):
    rng = np.random.default_rng(seed)
    u, v = rng.integers(-1000, 1000, m).astype(float), rng.integers(-1000, 1000, n).astype(float)
    return u, v, np.outer(u, v)


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_is_never_below_the_exact_norm_of_rank_one(seed):
    u, v, w = rank_one(seed)
    for matrix in (w, w.T, w[None][0] * 2.0**900, w * 2.0**-900):
        scale = Fraction(np.max(np.abs(matrix))) / Fraction(np.max(np.abs(w)))
        bound = Fraction(spectral_bound(matrix)) / scale
        assert bound**2 >= exact_square(u, v)
        assert float(bound) <= float(exact_square(u, v)) ** 0.5 * (1 + 1e-12)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (5, 5), (3, 20), (64, 64), (300, 40)])
def test_the_bound_is_near_the_norm(size):
    w = np.random.default_rng(0).normal(size=size)
    assert 0 <= spectral_bound(w) / np.linalg.norm(w, 2) - 1 < 1e-11


@pytest.mark.slow
def test_a_thousand_neurons_with_little_slack():
    w = np.random.default_rng(0).normal(size=(1024, 1024))
    assert -1e-13 < spectral_bound(w) / np.linalg.norm(w, 2) - 1 < 1e-8


def test_no_norm_below_the_largest_is_accepted(monkeypatch):
    """The float below ‖W‖² is refused: by the terms for rounding errors alone."""

    def accepted():
        times = 0
        for seed in range(60):
            w = np.abs(np.random.default_rng(seed).normal(size=(200, 3)))
            gram, exact = w.T @ w, largest_eigenvalue(w)
            square = np.nextafter(float(exact.mid()), 0.0)
            assert square < exact
            of_product = spectral.gamma(202.0) * float(np.sum(w**2))
            times += spectral._is_positive_definite(square, gram, of_product)
        return times

    assert accepted() == 0
    monkeypatch.setattr(spectral, "gamma", lambda roundings: 0.0)
    monkeypatch.setattr(spectral, "UNIT", 0.0)
    assert accepted() > 0  # the cases are hard enough: without those terms it errs


def test_entries_of_all_sizes():
    assert spectral_bound(np.zeros((3, 2))) == 0.0
    assert spectral_bound(np.zeros((0, 2))) == 0.0
    tiny = np.array([[5e-324, 0.0], [0.0, 1e-310]])
    assert 1e-310 <= spectral_bound(tiny) <= 2e-310
    mixed = np.array([[1e300, 1e-300], [1e-320, 1e300]])
    assert 1e300 <= spectral_bound(mixed) <= 1.0000001e300
    assert spectral_bound(np.full((4, 4), 1e308)) == np.inf
    for bad in ([[np.nan]], [[np.inf]], [1.0, 2.0], "banana", [[1j]]):
        with pytest.raises(InvalidArgument):
            spectral_bound(bad)


@pytest.mark.parametrize("size", [(1, 3), (3, 1), (2, 2), (5, 3), (3, 9)])
def test_bounds_of_many_small_matrices(size):
    rng = np.random.default_rng(1)
    stack = rng.normal(size=(200, *size)) * np.exp(rng.normal(size=(200, 1, 1)) * 50)
    norms = np.linalg.norm(stack, 2, axis=(1, 2))
    ratios = spectral_bounds(stack) / norms - 1
    assert ratios.min() > -1e-15
    assert ratios.max() < 1e-11
    assert spectral_bounds(np.full((1, *size), np.inf)) == np.inf


@pytest.mark.parametrize("seed", range(10))
def test_bounds_of_small_matrices_are_never_below_the_exact_norm(seed):
    u, v, w = rank_one(seed, 3, 2)
    assert Fraction(float(spectral_bounds(w))) ** 2 >= exact_square(u, v)
