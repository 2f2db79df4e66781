"""Representatives of the catalogue: activations of every form, and with all limits, that the package tells apart."""

from collections.abc import Collection, Iterable

import pytest
import sympy

from gradtheory.activations import Activation

SHAPES = (
    "elu",
    "exponential",
    "gaussian",
    "gelu",
    "hard_swish",
    "hardshrink",
    "identity",
    "leaky_relu",
    "log_cosh",
    "log_sigmoid",
    "quadratic",
    "selu",
    "sigmoid",
    "snake",
    "sparse_plus",
)

# Those of class N; `tests/explosion/test_depth.py` proves that they are all.
BOUNDED_IN_CLASS_N = ("sigmoid", "tanh", "lecun_tanh", "erf", "gudermannian", "isru", "arctan", "softsign", "cloglog", "hard_tanh", "hard_sigmoid", "relu6", "sparse_sigmoid")  # fmt: skip
UNBOUNDED_IN_CLASS_N = ("celu", "elu", "exponential", "identity", "isrlu", "log_sigmoid", "relu", "softplus", "sparse_plus", "squareplus")  # fmt: skip


def signature(record: Activation) -> tuple[object, object]:
    """Return what decides which code an activation goes through: its form, and the limits of its slope at ±∞.

    The form is: which of its branches are flat and which have an inverse in closed form, its number of kinks, whether
    it is periodic, and whether its slope is unbounded. Of the limits, signs count, and which are finite.
    """
    profile = record.profile
    branches = tuple((branch.is_flat, branch.inverse is not None) for branch in profile.branches)
    form = branches, len(record.kinks), profile.period is not None, record.steepest_slope is sympy.oo
    ends = profile.branches[0].slope_left, profile.branches[-1].slope_right
    return form, tuple((sympy.sign(limit), limit.is_finite) for limit in ends)


def slow_except(quick: Collection[object], values: Iterable[object]) -> list[object]:
    """Return values for `pytest.mark.parametrize`, of which the quick tier runs only some."""
    return [
        value
        if value in quick
        else pytest.param(*value if isinstance(value, tuple) else (value,), marks=pytest.mark.slow)
        for value in values
    ]
