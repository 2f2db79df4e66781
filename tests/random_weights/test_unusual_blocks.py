"""Blocks with unusual scales and activations: what they do is said, or refused with one line."""

import math

import pytest
import sympy

from gradtheory import architecture, blocks
from gradtheory.errors import Undecided

_Z = sympy.Symbol("z", real=True)


def test_a_residual_connection_of_scale_0_is_the_identity():
    """Bachlechner et al. (2020): α begins at 0."""
    rezero = architecture([blocks.residual([blocks.dense("relu")], 0)])
    flow = rezero.propagate(5, 2.0)
    assert set(flow.variance) == {2.0}
    assert set(flow.gradient) == {1.0}
    assert (rezero.growth.kind, rezero.growth.rate) == ("none", 1.0)
    assert rezero.depth_scale == math.inf
    assert architecture([blocks.residual([blocks.dense("relu")], lambda depth: 0)]).propagate(2).gradient[0] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "slope"),
    [
        ("quadratic", 2 / 3),  # c' = (1 + 2c²)/3 settles at 1/2
        (_Z**3, 3 / 5),  # c' = (9c + 6c³)/15 settles at 0
    ],
)
@pytest.mark.parametrize("sigma_w", [0.1, 3.0])
def test_correlations_of_powers_settle_however_the_variance_goes(which, slope, sigma_w):
    scale = architecture([blocks.dense(which, sigma_w)]).depth_scale
    assert scale == pytest.approx(-1 / math.log(slope), rel=1e-6)


def test_inputs_that_settle_too_near_each_other_are_not_decided():
    with pytest.raises(Undecided, match="closer to each other than 1e-9"):
        architecture([blocks.dense("threshold", 1.0, 0.1)]).depth_scale  # noqa: B018  # a property
