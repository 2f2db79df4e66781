"""The largest singular value of a matrix that is known by its products alone."""

import math

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

from gradtheory.audits.singular_values import largest_of_factor, largest_of_products


def known_by_products(matrix, transposed=None):
    """Return the products with a matrix, rounded as those of float32 are."""
    transposed = matrix.T if transposed is None else transposed
    rounded = lambda vector: np.float64(np.float32(vector))  # noqa: E731 - as short as its use
    return LinearOperator(
        matrix.shape, matvec=lambda u: rounded(matrix @ u), rmatvec=lambda v: rounded(transposed @ v), dtype=float
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (5, 30), (30, 5), (60, 200), (200, 60)])
def test_it_is_that_of_the_matrix(size):
    matrix = np.random.default_rng(0).normal(size=size)
    value, error = largest_of_products(known_by_products(matrix))
    greatest = np.linalg.norm(matrix, 2)
    assert 0.95 * greatest <= value <= greatest * (1 + 1e-6)
    assert error <= 0.1 * greatest
    assert np.abs(np.linalg.svd(matrix)[1] - value).min() <= error + 1e-6 * greatest


@pytest.mark.parametrize("size", [(3, 7), (50, 70)])
def test_of_nothing_it_is_0(size):
    assert largest_of_products(known_by_products(np.zeros(size))) == (0.0, 0.0)


@pytest.mark.parametrize("times", [0.0, 0.5, -1.0, 1.05])
def test_products_that_are_no_adjoints_give_none(times):
    matrix = np.random.default_rng(1).normal(size=(50, 70))
    assert math.isnan(largest_of_products(known_by_products(matrix, times * matrix.T))[0])


def test_a_search_that_does_not_end_gives_none(monkeypatch):
    monkeypatch.setattr("gradtheory.audits.singular_values._RESTARTS", 1)
    matrix = np.diag(np.linspace(1.0, 1.001, 400))
    value, _ = largest_of_products(known_by_products(matrix))
    assert math.isnan(value) or value == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize("seed", [1, 3])
def test_where_lanczos_does_not_end_all_are_computed(seed):
    rng = np.random.default_rng(seed)
    slopes = 1.0 / np.cosh(1e-3 * rng.normal(size=(2, 1024))) ** 2  # all but the same, as singular values are
    value, error = largest_of_factor(np.eye(1024), slopes, rng.normal(size=(2, 1024)))
    assert value == pytest.approx(slopes.max(), rel=1e-12)
    assert error < 1e-10
