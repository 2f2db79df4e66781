"""How far σ moves: both numbers against a fine grid, and against values that are known."""

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.explosion import largest_value, total_variation

_GRID = np.concatenate([np.linspace(-30, 30, 600_001), np.geomspace(30, 1e8, 2_000), -np.geomspace(30, 1e8, 2_000)])


def test_no_value_is_larger_and_one_comes_close(shape):
    with np.errstate(over="ignore"):
        seen = np.abs(gt.activation(shape).value(np.sort(_GRID))).max()
    largest = largest_value(gt.activation(shape))
    if largest.is_infinite:
        assert seen > 10
    else:
        assert seen <= float(largest) * (1 + 1e-15)
        assert seen > float(largest) * (1 - 1e-6)


def test_the_variation_is_the_way_that_the_values_go(shape):
    record = gt.activation(shape)
    with np.errstate(over="ignore", invalid="ignore"):
        values = record.value(np.sort(_GRID))
        steps = np.abs(np.diff(values))
    jumps = steps > 0.01  # from one point of the grid to the next, where none is steep: only a jump is as large
    between = steps[~jumps].sum() if np.all(np.abs(values) < 10) else np.inf
    variation = total_variation(record)
    if variation.is_infinite:
        assert between > 10
    else:
        assert between == pytest.approx(float(variation), rel=1e-3)


@pytest.mark.parametrize(
    ("own", "largest"),
    [
        ("z/(1 + z**2)", 0.5),
        ("-3/(1 + exp(z))", 3),
        ("sin(z) + sin(2*z)/3", 1.161664978),  # σ turns at other places than σ'
        ("sin(z)/2 - 3/4", 1.25),
        ("sin(z) + z", sympy.oo),
        ("z - z*tanh(z)**2", 0.4477432046943),
    ],
)
def test_values_of_ones_own_activation(own, largest):
    assert float(largest_value(gt.activation(gt.expression(own)))) == pytest.approx(float(largest), rel=1e-9)
