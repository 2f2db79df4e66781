"""Architectures: published rates, the mean-field functions for plain layers, simulation, and gradients by differences."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.architectures import architecture
from gradtheory.random_weights.gaussian.places import jumps

_HE = 2**0.5
_PRE_NORM = [blocks.residual([blocks.rms_norm(), blocks.dense("relu", _HE)])]
_POST_NORM = [blocks.residual([blocks.dense("relu", _HE)]), blocks.layer_norm()]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("made", "kind", "rate"),
    [
        ([blocks.dense("relu", _HE)], "none", 1),  # He et al. (2015)
        ([blocks.dense("relu", 2)], "exponential", 2),
        ([blocks.dense("relu"), blocks.batch_norm()], "exponential", math.pi / (math.pi - 1)),  # Yang et al. (2019)
        ([blocks.dense("relu", 3, 1), blocks.batch_norm()], "exponential", math.pi / (math.pi - 1)),
        ([blocks.dense(), blocks.batch_norm()], "none", 1),  # their (B - 2)/(B - 3) for large B
        ([blocks.residual([blocks.dense("relu", _HE)])], "exponential", 2),  # Yang & Schoenholz (2017), relu
        ([blocks.residual([blocks.dense("tanh")])], "stretched exponential", 0.5),  # and tanh: exp(√L)
        pytest.param(
            [blocks.residual([blocks.dense("relu", _HE)], lambda depth: 1 / depth**0.5)],
            "none",
            math.e,
            marks=pytest.mark.slow,
        ),
        pytest.param(  # Hanin & Rolnick (2018)
            [blocks.residual([blocks.dense("relu", _HE)], lambda depth: 1 / depth)], "none", 1, marks=pytest.mark.slow
        ),
        (_PRE_NORM, "power law", 1),  # Xiong et al. (2020): the first layers' gradients grow with depth, slowly
        (_POST_NORM, "none", 1),
        ([blocks.residual([blocks.batch_norm(), blocks.dense("relu", _HE)])], "power law", math.pi / (math.pi - 1)),
        pytest.param([blocks.dense("tanh")], "power law", -1, marks=pytest.mark.slow),  # on the edge of chaos
        ([blocks.dropout("relu", 0.5)], "none", 1),  # σ_w² = 2·keep
    ],
    ids=str,
)
def test_published_rates(made, kind, rate):
    growth = architecture(made).growth
    assert growth.kind == kind
    assert growth.rate == pytest.approx(rate, abs=growth.rate.error + 1e-12)
    assert growth.rate.error < 0.05
    assert kind in repr(growth)


_LINEAR = blocks.dense("identity", 3)
_BLOCK = [blocks.residual([blocks.layer_norm(), blocks.attention(8)]), _PRE_NORM[0]]


@pytest.mark.parametrize(
    ("made", "power"),
    [
        (_PRE_NORM, 1),
        ([*_PRE_NORM, blocks.residual([blocks.rms_norm(), blocks.dense("relu", 5)], 0.1)], 1),
        ([blocks.residual([_LINEAR, blocks.layer_norm(), blocks.dense("relu", 0.5)], 0.3)], 1),
        ([blocks.residual([blocks.batch_norm(), blocks.dense("relu", _HE)])], math.pi / (math.pi - 1)),
        ([blocks.residual([blocks.rms_norm(), blocks.dense("erf", 7)])], 2 / math.sqrt(5) / math.asin(2 / 3)),
        pytest.param(_BLOCK, 1, marks=pytest.mark.slow),  # where all tokens are alike, though only for L → ∞
    ],
    ids=str,
)
def test_residual_connections_around_a_norm_have_a_power_law(made, power):
    """In closed form: with E[σ'²]/E[σ²] of a unit Gaussian, 1 for relu, (4/π)/√5 over (2/π)·asin(2/3) for erf."""
    growth = architecture(made).growth
    assert growth.kind == "power law"
    assert growth.rate == pytest.approx(power, abs=growth.rate.error)
    assert growth.rate.error < 1e-4


@pytest.mark.slow
def test_tokens_rest_beside_each_other_where_equal_ones_are_repelled():
    """They come to rest at a correlation of 0.956: at 1, where they do not, the exponent would be 1.068."""
    branches = [[blocks.layer_norm(), blocks.attention(8, sigma_v=0.16)], [blocks.rms_norm(), blocks.dense("gelu")]]
    made = architecture([blocks.residual(each) for each in branches])
    for start, side in ((0.9, 1), (0.95, 1), (0.96, -1), (0.99, -1)):
        late = made.propagate(400, correlation=start).correlation[[200, 400]]
        assert side * (late[1] - late[0]) > 0.0
    assert 1.0475 < made.growth.rate < 1.0632  # the exponents at 0.95 and 0.99


@pytest.mark.slow
def test_a_norm_behind_tanh_is_no_power_law():
    """It saturates as the stream grows, so that its slope falls as 1/√q only."""
    made = [blocks.residual([blocks.dense("tanh", 3), blocks.rms_norm(), blocks.dense("tanh")])]
    assert architecture(made).growth.kind == "stretched exponential"


@pytest.mark.sampled(3)
@pytest.mark.only(lambda record: record.period is None and not jumps(record))
def test_batch_norm_explodes_unless_the_activation_is_linear(shape):
    """E[σ'²] ≥ Var[σ] for Gaussians (Poincaré), whatever the weights."""
    growth = architecture([blocks.dense(shape, 1.3, 0.2), blocks.batch_norm()]).growth
    rate = growth.rate if growth.kind == "exponential" else 1.0
    assert rate >= 1.0 - 1e-12
    assert (rate < 1.0 + 1e-9) == (shape == "identity")


@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b", "depth"),
    [
        ("relu", 1.0, 1.0, 4),  # whose χ is the same in all layers
        *(pytest.param(*case, 40, marks=pytest.mark.slow) for case in (("tanh", 1.5, 0.1), ("erf", 0.8, 0.5))),
    ],
)
def test_plain_layers_are_those_of_mean_field(which, sigma_w, sigma_b, depth):
    plain = architecture([blocks.dense(which, sigma_w, sigma_b)])
    scales = gt.meanfield.depth_scales(which, sigma_w, sigma_b)
    assert plain.depth_scale == pytest.approx(float(scales.xi_c), rel=1e-8)
    flow = plain.propagate(depth, sigma_w**2 + sigma_b**2, correlation=0.5)
    chi = gt.meanfield.chi(which, flow.variance[-1], sigma_w)
    assert flow.gradient[-2] == pytest.approx(chi, rel=1e-9)
    q = float(flow.variance[0])
    after = gt.meanfield.variance_map(which, q, sigma_w, sigma_b)
    assert flow.variance[1] == pytest.approx(after, rel=1e-12)
    c = (after * gt.meanfield.correlation_map(which, 0.5, q, sigma_w, sigma_b)) / after
    assert flow.correlation[1] == pytest.approx(c, rel=1e-10)


def test_a_pair_of_fixed_points_beside_each_other_is_not_passed_over():
    """The stable one and the unstable one are 0.2 apart in log q; the variance comes from below."""
    shape = gt.activation(gt.expression("3*gelu(z/3)"))
    made, scales = architecture([blocks.dense(shape, 1.4807, 0.8739)]), gt.meanfield.depth_scales(shape, 1.4807, 0.8739)
    assert made.depth_scale == pytest.approx(float(scales.xi_c), rel=1e-8)
    assert made.propagate(2000).variance[-1] == pytest.approx(float(scales.q), rel=1e-7)
    halves = [blocks.dense(shape, 1.4807 / 2, 0.8739 / 2), blocks.dense("identity", 2)]
    assert architecture(halves).depth_scale == pytest.approx(float(scales.xi_c), rel=1e-8)


def test_a_variance_that_goes_back_and_forth_settles_nowhere():
    """q' = 15q³ and then 400q/(1 + 4q)^(3/2), whose product has a logarithmic slope of -3/2 far out."""
    z = sympy.Symbol("z", real=True)
    made = architecture([blocks.dense(z**3), blocks.dense(z * sympy.exp(-(z**2)), 20)])
    assert len(set(made.propagate(50).variance[-2:].round(6))) == 2
    with pytest.raises(Undecided, match="goes back and forth"):
        made.depth_scale  # noqa: B018  # a property
    with pytest.raises(Undecided, match=r"below 1 at all of \d+ values of .*, the others undecided"):
        made.critical()
    with pytest.raises(Undecided, match="goes back and forth"):
        made.critical(least=20, most=30)


def test_pre_norm_is_the_product_of_its_factors():
    flow = architecture(_PRE_NORM).propagate(10)
    assert flow.variance == pytest.approx(np.arange(1, 12))  # each block adds σ_w²/2 = 1
    assert flow.gradient[0] == pytest.approx(np.prod(1 + 1 / np.arange(1, 11)))
    assert flow.gradient[-1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("input_size", [0.3, 1.0])
def test_the_edge_of_recurrent_layers_is_that_of_chen_et_al(input_size):
    edge = architecture([blocks.recurrent("tanh", input_size=input_size)]).critical("sigma_w")
    assert edge == pytest.approx(gt.meanfield.edge_of_chaos("tanh", input_size).sigma_w, rel=1e-8)


@pytest.mark.slow
def test_dropout_has_no_edge_of_chaos():
    for sigma_w in (0.5, 1.0, 1.5, 3.0):
        scale = architecture([blocks.dropout("tanh", 0.9, sigma_w, 0.1)]).depth_scale
        assert 0 < scale < 10  # Schoenholz et al. (2017): finite for every σ_w
    assert architecture([blocks.dense("tanh", 1.0, 1e-9)]).depth_scale > 1e3


@pytest.mark.slow
def test_what_cannot_be_made_critical_says_so():
    with pytest.raises(Undecided, match="above 1 at all of 24 values of sigma_w"):
        architecture([blocks.dense("relu"), blocks.batch_norm()]).critical()
    with pytest.raises(Undecided, match="above 1 at all of 24 values of scale"):
        architecture([blocks.residual([blocks.dense("relu", _HE)])]).critical("scale")
    assert architecture([blocks.dropout("relu", 0.8)]).critical() == pytest.approx((2 * 0.8) ** 0.5, rel=1e-9)


@pytest.mark.parametrize(
    ("made", "sigma_w"),
    [
        pytest.param([blocks.dense("gelu")], 1.53353, marks=pytest.mark.slow),  # χ₁ is 0.588 below and 1.176 above
        ([blocks.dense("silu", 1, 0.3)], 1.59931),  # a stable and an unstable fixed point meet
        pytest.param([blocks.dense("mish", 1, 0.3)], 1.42114, marks=pytest.mark.slow),
    ],
)
def test_a_factor_that_jumps_over_1_is_critical_nowhere(made, sigma_w):
    with pytest.raises(Undecided, match=f"jumps over 1 at sigma_w = {sigma_w}"):
        architecture(made).critical(least=1, most=2)
    below, above = (architecture([replace(made[0], sigma_w=sigma_w + side)]).growth.rate for side in (-0.01, 0.01))
    assert below < 0.98
    assert above > 1.02


def test_what_is_kept_is_a_probability():
    """The factor is 4/(2·keep), at least 2."""
    with pytest.raises(Undecided, match=r"above 1 at all of 24 values of keep from 0\.01 to 1$"):
        architecture([blocks.dropout("relu", 0.5, 2)]).critical("keep")
    assert architecture([blocks.dropout("relu", 0.5, 1.2)]).critical("keep") == pytest.approx(0.72, rel=1e-9)


def test_layers_that_pass_nothing_say_so():
    """No part of a small variance is above the threshold of hardshrink."""
    dead = architecture([blocks.dense("hardshrink")])
    with pytest.raises(Undecided, match="below 1 at all of 24 values"):
        dead.critical(most=1)
    with pytest.raises(Undecided, match="falls to 0 within a few layers"):
        dead.depth_scale  # noqa: B018  # a property
    assert architecture([blocks.dense("softshrink", 1, 0.01)]).depth_scale == 0.0
    with pytest.raises(Undecided, match="the gradient falls to 0 in layer 5"):
        architecture([blocks.dense("softshrink", 1, 0.01)]).growth  # noqa: B018  # a property
    with pytest.raises(Undecided, match="the gradient falls to 0 in layer 1"):
        architecture([blocks.dense(gt.expression("sign(z)"), 1, 0.3)]).growth  # noqa: B018  # a property
    for fading in (dead, architecture([blocks.dense("relu", 0.01)])):
        with pytest.raises(Undecided, match=r"leaves float64 within \d+ layers: take scales that change"):
            fading.growth  # noqa: B018  # a property


@pytest.mark.slow
def test_a_flat_crossing_has_an_honest_error():
    """The tanh is critical at 1, above which χ₁ - 1 is of second order."""
    flat = architecture([blocks.dense("tanh")]).critical()
    assert abs(flat - 1) <= flat.error < 1e-5


_SIMULATED = {
    "tanh": ([blocks.dense("tanh", 1.5, 0.1)], 0.5),
    "pre-norm": ([blocks.residual([blocks.layer_norm(), blocks.dense("gelu", 1.5)])], 0.3),
    "residual": ([blocks.residual([blocks.dense("relu", _HE)])], 0.5),
    "post-norm": ([blocks.residual([blocks.dense("gelu", 1.5)], 0.5), blocks.rms_norm()], 0.3),
    "dropout": ([blocks.dropout("tanh", 0.8, 1.2, 0.1)], 0.5),
    "recurrent": ([blocks.recurrent("tanh", 1.2, 0.1, input_size=0.3)], 0.5),
    "batch norm": ([blocks.dense("relu"), blocks.batch_norm()], 0.0),
    "residual batch norm": ([blocks.residual([blocks.batch_norm(), blocks.dense("relu", _HE)])], 0.0),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", _SIMULATED)
def test_simulated_networks_agree(which):
    """Up to terms of order 1/width, and 1/batch for batch norm."""
    made, c = _SIMULATED[which]
    theory = architecture(made).propagate(5, correlation=c)
    sample = architecture(made).simulate(5, 256, networks=16, inputs=256, correlation=c, seed=1)
    for measured, limit in (
        (sample.variance, theory.variance[1:]),
        (sample.correlation, theory.correlation[1:]),
        (sample.gradient, theory.gradient[:-1]),
    ):
        apart = np.abs(measured.mean - limit)
        assert np.all(apart <= 4.5 * measured.standard_error + 0.03 * np.abs(limit) + 1e-9), apart


_DRAWN = [blocks.dense("tanh", 1.5, 0.1), blocks.layer_norm(), blocks.rms_norm(), blocks.batch_norm()]


@pytest.mark.parametrize("block", [*_DRAWN, blocks.residual([*_DRAWN, blocks.dense("gelu")], 0.5)], ids=str)
def test_gradients_of_drawn_blocks_are_difference_quotients(block):
    z, direction, delta = np.random.default_rng(0).standard_normal((3, 12, 8))
    layer, h = block.draw(np.random.default_rng(1), 12, 5), 1e-6
    quotient = np.sum(delta * (layer(z + h * direction)[0] - layer(z - h * direction)[0])) / (2 * h)
    assert np.sum(layer(z)[1](delta) * direction) == pytest.approx(quotient, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: architecture([]), "blocks = "),
        (lambda: architecture([1]), "must be a sequence of blocks of gradtheory.blocks"),
        (lambda: blocks.residual([blocks.dense(), blocks.rms_norm()]), "must end with a block that has weights"),
        (lambda: blocks.residual([blocks.dense()], -1), "scale = -1"),
        (lambda: blocks.dropout("tanh", 1.5), "keep = 1.5: must be a probability"),
        (lambda: blocks.dense("tanh", -1), "sigma_w = -1"),
        (lambda: architecture([blocks.dense("relu", 9)]).propagate(2000), "depth = 2000: must be at most"),
        (lambda: architecture(_PRE_NORM).propagate(3, correlation=2), "correlation = 2: must lie between -1 and 1"),
        (lambda: architecture([blocks.dense("tanh")]).critical(least=1e-320), "must exceed least = 9.99989e-321"),
        (lambda: architecture([blocks.dense("tanh")]).critical(least=3, most=2), "most = 2: must exceed least = 3"),
        (lambda: architecture([blocks.dropout("tanh")]).critical("keep", least=2), "must exceed least = 2"),
        (
            lambda: architecture([blocks.rms_norm()]).critical(),
            "parameter = 'sigma_w': must belong to one of the blocks",
        ),
        (lambda: architecture([blocks.dense(), blocks.batch_norm()]).propagate(2, correlation=1), "correlation = 1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_blocks_print_as_they_are_made():
    made = architecture(
        [blocks.residual([blocks.layer_norm(), blocks.dense("gelu", 1.5)], 0.5), blocks.dropout("relu", 0.5)]
    )
    assert repr(made) == (
        "architecture([residual([layer_norm(), dense('gelu', sigma_w=1.5)], 0.5), dropout('relu', keep=0.5, sigma_w=1)])"
    )
