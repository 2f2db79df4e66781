"""Representatives of the catalogue: an activation of each kind that the package tells apart."""

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
    "quadratic",
    "selu",
    "sigmoid",
    "snake",
    "softplus",
    "sparse_plus",
)


def signature(record: Activation) -> tuple[object, ...]:
    """Return what decides which code an activation goes through.

    These are: which of its branches are flat and which have an inverse in closed form, its number of kinks, whether it
    is periodic, and whether its slope is unbounded.
    """
    profile = record.profile
    branches = tuple((branch.is_flat, branch.inverse is not None) for branch in profile.branches)
    return branches, len(record.kinks), profile.period is not None, record.steepest_slope is sympy.oo


def slow_except(quick: Collection[object], values: Iterable[object]) -> list[object]:
    """Return values for `pytest.mark.parametrize`, of which the quick tier runs only some."""
    return [
        value
        if value in quick
        else pytest.param(*value if isinstance(value, tuple) else (value,), marks=pytest.mark.slow)
        for value in values
    ]
