"""Blocks with unusual scales and activations: what they do is said, or refused with one line."""

import math

import pytest
import sympy

from gradtheory import architecture, blocks
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.architectures.far_depths import logs_beyond

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


def test_scales_of_the_depth_have_no_factor_per_layer():
    """One layer is critical at (1 + σ_w²/2)·σ_w²/2 = 1, a hundred are at (1 + σ_w²/200)·σ_w²/2 = 1."""
    plain = blocks.dense("relu")
    scaled = architecture([blocks.residual([plain], lambda depth: depth**-0.5), plain])
    with pytest.raises(InvalidArgument, match="have no critical value, as their scales are others at each depth"):
        scaled.critical()
    with pytest.raises(InvalidArgument, match="have no depth scale"):
        scaled.depth_scale  # noqa: B018  # a property
    assert scaled.critical("scale") == pytest.approx(math.sqrt(2), rel=1e-9)  # (1 + α²/2)/2 = 1
    square = 50 * (math.sqrt(1 + 4 / 100) - 1)  # of (1 + s/100)·s = 1, s = σ_w²/2
    of_100 = architecture([blocks.residual([plain], 0.1), plain]).critical()
    assert of_100 == pytest.approx(math.sqrt(2 * square), rel=1e-9)


@pytest.mark.slow
def test_a_scale_of_the_depth_inside_a_norm_is_no_power_law():
    """What tanh is given has a variance near L²/2, so that its slopes, times L², depend on L."""
    inner = blocks.residual([blocks.dense("relu")], lambda depth: depth)
    made = architecture([blocks.residual([blocks.rms_norm(), inner, blocks.dense("tanh")])])
    assert made.growth.kind == "exponential"
    logs = dict(zip(made.growth.depths, made.growth.logs, strict=True))
    assert math.log(made.propagate(64).gradient[0]) == pytest.approx(logs[64], rel=1e-9)


def test_depths_end_where_a_scale_of_the_depth_first_leaves_floats():
    scaled = architecture([blocks.residual([blocks.dense("relu")], lambda depth: 1e15 if depth < 8 else 1e-3)])
    with pytest.raises(Undecided, match="leaves float64 within 4 layers"):
        scaled.growth  # noqa: B018  # a property


_ROOT = _Z / (1 + _Z**2) ** sympy.Rational(1, 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "power"),
    [
        ("arsinh", 1 / 2),  # q ~ L·log²L/4 and χ - 1 ~ √(π/2q), so that log G ~ 2√(2πL)/log L
        (sympy.asinh(_Z) ** 2, 1 / 2),
        (_ROOT, 0),  # q ~ L² and χ - 1 ~ log L/L: log G ~ log²L
        *((name, 1 / 2) for name in ("tanh", "softsign", "arctan", "erf", "sigmoid")),
    ],
)
def test_exponents_that_settle_as_slowly_as_1_over_log_are_within_their_errors(which, power):
    for sigma_w in (0.3, 1.0, 3.0):
        growth = architecture([blocks.residual([blocks.dense(which, sigma_w)])]).growth
        assert growth.kind == "stretched exponential"
        assert abs(growth.rate - power) <= growth.rate.error < 1


@pytest.mark.parametrize(
    ("which", "sigma_w", "scale"),
    [
        ("hard_tanh", 1.0, 0.3),  # s turns at 0.4815 after 1,000 layers
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ("isru", 0.5, 0.5),
                ("sigmoid", 0.5, 0.3),
                ("softsign", 5.0, 2.0),
                ("sparse_sigmoid", 1.0, 1.0),
            )
        ),
    ],
)
def test_exponents_that_turn_are_followed_to_great_depths(which, sigma_w, scale):
    """q ~ L and χ - 1 ~ 1/√q: log G ~ √L."""
    growth = architecture([blocks.residual([blocks.dense(which, sigma_w)], scale)]).growth
    assert abs(growth.rate - 0.5) <= growth.rate.error < 0.01
    assert growth.depths[-1] == 2048


def test_a_continuous_number_of_layers_adds_what_layers_do():
    for made in ([blocks.residual([blocks.dense("tanh")])], [blocks.dense("softsign")]):
        growth = architecture(made).growth
        assert logs_beyond(made, 512)[:2] == pytest.approx(
            [growth.logs[k + 1] - growth.logs[k] for k in (7, 8)], rel=2e-3
        )
    assert logs_beyond([blocks.dense("relu", 2)], 64) == []  # a layer changes too much


def test_where_the_gradient_falls_and_then_rises_there_is_no_law():
    """The variance stays for 200 layers where a stable and an unstable fixed point are about to meet."""
    for which, sigma_w in (("silu", 1.599311), ("mish", 1.4212)):
        made = architecture([blocks.dense(which, sigma_w, 0.3)])
        with pytest.raises(Undecided, match=r"follows no law within [\d,]+ layers: propagate says"):
            made.growth  # noqa: B018  # a property
