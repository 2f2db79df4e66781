"""Answers that read as if they were right: extreme scales, chains whose λ is -inf, and two defaults of one name."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.result import FLAT, HEAVY, LyapunovExponent, all_alive, both


def chain_with(share: float, rate: float) -> LyapunovExponent:
    """Return a chain of λ = -inf of which so many gradients are left per layer, which grow at this rate."""
    none, share, rate = gt.Estimate(-1.0, 0.0), gt.Estimate(share, 0.0), gt.Estimate(rate, 0.0)
    survivors = all_alive if share == 1.0 else lambda: both(share, rate)
    return LyapunovExponent(-math.inf, 0.0, none, none, HEAVY if share == 1.0 else FLAT, _survival=survivors)


@pytest.mark.parametrize("arithmetic", ["power", "product", "flush"])
@pytest.mark.parametrize(("share", "rate", "depth"), [(0.5, 1.0, 1), (0.0, math.nan, 1), (0.7, -1.0, 2), (0.9, 1.0, 7)])
def test_half_of_the_gradients_are_0(arithmetic, share, rate, depth):
    assert gt.overflow_depth(chain_with(share, rate), arithmetic=arithmetic) == depth


@pytest.mark.parametrize(("share", "rate"), [(1.0, math.nan), (0.9, -20.0), (0.9, 20.0), (0.9, math.nan)])
def test_minus_infinity_does_not_tell_the_median(share, rate):
    with pytest.raises(InvalidArgument, match="growth = -inf: is λ of this chain, which does not tell when half"):
        gt.overflow_depth(chain_with(share, rate))


def test_half_of_relu_are_0_after_one_layer():
    chain = gt.lyapunov_exponent("relu", 2, 0)
    assert {gt.overflow_depth(chain, dtype) for dtype in ("float16", "float64")} == {1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "sigma_w", "sigma_b"), [("relu6", 2, 0.5), ("hard_tanh", 1, 1), ("hard_tanh", 0.8, 0.8)]
)
def test_half_of_simulated_gradients_are_0_by_the_depth(activation, sigma_w, sigma_b):
    depth = gt.overflow_depth(gt.lyapunov_exponent(activation, sigma_w, sigma_b))
    rng, record, a = np.random.default_rng(1), gt.activation(activation), np.zeros(200_000)
    alive, shares = np.ones(len(a), dtype=bool), []
    for layer in range(20 + depth):
        z = sigma_w * rng.standard_normal(len(a)) * a + sigma_b * rng.standard_normal(len(a))
        a, slope = record.value_and_slope(z)
        if layer >= 20:  # the law of z has settled
            alive &= slope != 0.0
            shares.append(float(alive.mean()))
    assert shares[-1] < 0.51
    assert depth == 1 or shares[-2] > 0.49


@pytest.mark.slow
def test_gelu_loses_few_chains_early():
    chain = gt.lyapunov_exponent("gelu", 2, 0.5)
    with pytest.raises(InvalidArgument, match="does not tell"):
        gt.overflow_depth(chain)


FAR = [(1e300, 0.1, "sigma_w"), (1e155, 0.1, "sigma_w"), (0.5, 1e200, "sigma_b"), (1e200, 1e200, "sigma_b")]


@pytest.mark.parametrize("of", [gt.meanfield.fixed_points, gt.meanfield.depth_scales])
@pytest.mark.parametrize(("sigma_w", "sigma_b", "which"), FAR)
def test_variances_beyond_float64_are_refused(of, sigma_w, sigma_b, which):
    with pytest.raises(InvalidArgument, match=f"{which} = .*: makes variances of tanh leave the range of float64"):
        of("tanh", sigma_w, sigma_b)


def test_the_bound_of_an_activation_counts():
    with pytest.raises(InvalidArgument, match="sigma_w = 1e\\+50: makes variances"):
        gt.meanfield.fixed_points(gt.expression("1e100*tanh(z)"), 1e50, 0.1)


def test_arrays_hold_nan_where_variances_leave_float64():
    (point,) = gt.meanfield.fixed_points("erf", [1e200, 0.5, 2.0], [0.1, 0.1, 1e300])
    assert np.isnan(point.q).tolist() == [True, False, True]
    assert point.q[1] == pytest.approx(float(gt.meanfield.fixed_points("erf", 0.5, 0.1)[0].q))
    assert gt.meanfield.fixed_points("erf", [1e200], 0.1) == ()
    assert np.isnan(gt.meanfield.depth_scales("relu", [0.5, 1e200], 0.1).xi_q).tolist() == [False, True]


TOKENS = gt.architecture([blocks.residual([blocks.layer_norm(), blocks.attention(8)])])


def test_tokens_are_independent_by_default():
    assert TOKENS.propagate(1).correlation[0] == 0.0
    by_default, independent = (TOKENS.simulate(1, 16, networks=2, inputs=16, **c) for c in ({}, {"correlation": 0}))
    assert by_default.correlation.mean == independent.correlation.mean


@pytest.mark.slow
def test_simulated_gradients_of_tokens_are_those_of_theory():
    told, sample = TOKENS.propagate(3), TOKENS.simulate(3, 256, networks=40, inputs=64, seed=3)
    assert sample.gradient.mean == pytest.approx(told.gradient[:-1], rel=0.03)


def test_what_fits_a_simulation_is_told():
    made = gt.architecture([blocks.dense("relu", sigma_w=2**0.5)])
    told, sample = made.propagate(3), made.simulate(3, 16, networks=3, inputs=4)
    with pytest.raises(
        InvalidArgument, match=r"shape \(3,\) of the mean, not \(4,\): of propagate take variance\[1:\]"
    ):
        sample.gradient.deviation(told.gradient)
    with pytest.raises(InvalidArgument, match=r"must have the shape \(3,\) of the mean, not \(2,\)$"):
        sample.gradient.deviation([1.0, 2.0])
    assert sample.gradient.deviation(told.gradient[:-1]).shape == (3,)


@pytest.mark.slow
@pytest.mark.parametrize("sigma_w", [1e8, 1e12])
def test_correlations_at_0_to_rounding_need_no_search(sigma_w):
    scales = gt.meanfield.depth_scales("tanh", sigma_w, 0.1)
    assert abs(scales.c) <= scales.c.error < 1e-10
    assert abs(scales.xi_c - 1 / math.log(math.pi / 2)) <= scales.xi_c.error
