"""Published constants of deep networks, as architectures say them: Fixup, DeepNorm, the curse of depth, Pascanu."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks

_HE = 2**0.5


@pytest.mark.parametrize("inside", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_fixup_keeps_gradients_bounded(inside):
    """Zhang et al. (2019): L^(-1/(2m - 2)) on all but the last of m weights in a branch, so L^(-1/2) on the branch.

    The last one is 0 at the start, and is He's here: the gradient then grows by (1 + 1/L)^L, less than e.
    """
    depth = 64
    each = _HE * depth ** (-1 / (2 * inside - 2))
    branch = [blocks.dense("relu", each) for _ in range(inside - 1)] + [blocks.dense("relu", _HE)]
    flow = gt.architecture([blocks.residual(branch)]).propagate(depth)
    assert flow.gradient[0] == pytest.approx((1 + 1 / depth) ** depth)
    assert flow.variance[-1] == pytest.approx((1 + 1 / depth) ** depth)
    assert gt.architecture([blocks.residual(branch)]).propagate(4 * depth).gradient[0] > 50  # that is for 64 layers


@pytest.mark.parametrize("layers", [6, 18, 100])
def test_deepnorm_bounds_what_all_branches_add(layers):
    """Wang et al. (2022), figure 2: α = (2M)^(1/4) and β = (8M)^(-1/4) for a decoder of M layers."""
    alpha, beta, sublayers = (2 * layers) ** 0.25, (8 * layers) ** -0.25, 2 * layers
    assert (beta / alpha) ** 2 * sublayers == pytest.approx(0.5)
    branch = [blocks.dense("relu", _HE * beta)]
    made = gt.architecture([blocks.residual(branch, 1 / alpha), blocks.layer_norm()])  # LN(αx + f(x)) is LN(x + f(x)/α)
    flow = made.propagate(sublayers)
    assert flow.gradient[0] == pytest.approx(1)  # what a branch adds, the norm takes away
    plain = gt.architecture([blocks.residual([blocks.dense("relu", _HE)]), blocks.layer_norm()])
    kept = [1 / (1 + share) for share in ((beta / alpha) ** 2, 1.0)]  # of a gradient along the stream, in each sublayer
    assert kept[0] ** sublayers > math.exp(-0.5) - 1e-12 > kept[1] ** sublayers
    assert plain.propagate(1).variance[1] == pytest.approx(1)


def test_deep_pre_norm_layers_do_less_and_less():
    """The curse of depth (Sun et al. 2025): the variance of the stream grows with l, and layer l changes it by 1/l."""
    pre_norm = gt.architecture([blocks.residual([blocks.layer_norm(), blocks.dense("relu", _HE)])])
    flow = pre_norm.propagate(64)
    layer = np.arange(1, 65)
    assert flow.variance[1:] == pytest.approx(1 + layer)
    assert flow.gradient[:-1] / flow.gradient[1:] - 1 == pytest.approx(1 / layer)
    scaled = gt.architecture(
        [blocks.residual([blocks.layer_norm(), blocks.dense("relu", _HE)], lambda depth: depth**-0.5)]
    )
    assert scaled.propagate(64).variance[-1] == pytest.approx(2)  # scaled branches: it stays bounded


def test_gradients_through_time_vanish_below_pascanus_condition():
    """Pascanu et al. (2013): they vanish if the greatest singular value of W is below 1/γ, γ = sup|σ'|.

    That of a Gaussian matrix is 2σ_w, so that the condition asks for σ_w < 1/(2γ): half of what is needed on average.
    """
    rng = np.random.default_rng(0)
    largest = np.linalg.svd(rng.normal(0, 0.7 / 200**0.5, (200, 200)), compute_uv=False)[0]
    assert largest == pytest.approx(2 * 0.7, rel=0.07)
    for name, limit in (("tanh", 1), ("sigmoid", 4)):
        assert gt.critical_weight(name) == limit
        surely = 0.5 * limit
        for size in (surely, 0.99 * limit):
            flow = gt.architecture([blocks.recurrent(name, size, 0.1)]).propagate(12)
            assert np.all(flow.gradient[:-1] <= (size / limit) ** 2 * flow.gradient[1:] * (1 + 1e-12))
