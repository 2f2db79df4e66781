"""The law of one factor |σ'(z)·w| in a random chain."""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erfc

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.quadrature import Gaussians
from tests import oracle
from tests.random_weights.test_lyapunov import _TEXTBOOK, solved

_PLACES = ("0", "1/3", "-2", "17/2", "-30")


@given(
    which=st.sampled_from(["sigmoid", "tanh", "gelu", "silu", "softplus", "arctan", "selu", "mish", "sine"]),
    z=st.sampled_from(_PLACES[1:]),
    sigma_w=st.fractions("1/10", 50, max_denominator=50),
    threshold=st.fractions("1/10", 10, max_denominator=50),
)
def test_factors_at_fixed_z_exceed_as_often_as_erfc_says(which, z, sigma_w, threshold):
    probability = gt.factor_probability(which, sigma_w, z=z, threshold=threshold)
    assert probability.guarantee is gt.Guarantee.CERTIFIED
    with mpmath.workdps(30):
        ratio = mpmath.mpf(threshold.numerator) / threshold.denominator * sigma_w.denominator / sigma_w.numerator
        slope = abs(oracle.slope(which, sympy.Rational(z)))
        # erfc(1000) is 1e-434297, and mpmath's fails for arguments of many digits
        is_tiny = not slope or ratio / slope > 1500
        truth = mpmath.mpf(0) if is_tiny else mpmath.erfc(ratio / slope / mpmath.sqrt(2))
        assert (
            abs(truth - mpmath.mpf(float(probability)))
            <= probability.error + abs(truth) * mpmath.mpf(10) ** -25 + mpmath.mpf(2) ** -1075
        )
        assert probability.error <= 2.0**-51 * truth + mpmath.mpf(2) ** -1074


def test_a_slope_that_cancels_far_out_gives_a_probability_of_0_and_no_nan():
    probability = gt.factor_probability("gelu", "1/10", z=-30, threshold="1/10")
    assert (float(probability), probability.error) == (0.0, 2.0**-1074)


def test_a_place_beyond_all_floats_is_undecided_in_one_line():
    for which in ("tanh", "sigmoid", "gelu"):
        with pytest.raises(Undecided, match="is not told from 0"):
            gt.factor_probability(which, z=sympy.exp(sympy.exp(sympy.exp(9))))
    assert gt.factor_probability("identity", z=sympy.exp(1000)) == gt.factor_probability("identity", z=0)


def test_known_factors_at_fixed_z():
    assert float(gt.factor_probability("sigmoid", z=0)) == pytest.approx(math.erfc(4 / math.sqrt(2)), rel=1e-14)
    assert float(gt.factor_probability("identity", 2, z=-7, threshold=2)) == pytest.approx(
        0.31731050786291415, rel=1e-15
    )
    assert gt.factor_probability("sigmoid", z=0) == gt.factor_probability("sigmoid", z=0, sigma_b=1e9)
    for flat in (gt.factor_probability("relu", z=-1), gt.factor_probability("hard_tanh", 9, z="3/2", threshold="1e-9")):
        assert (float(flat), flat.error, flat.guarantee) == (0.0, 0.0, gt.Guarantee.EXACT)


@pytest.mark.parametrize(
    ("which", "kink"), [("relu", 0), ("hard_tanh", -1), ("hard_tanh", 1.0), ("relu6", 6), ("hard_sigmoid", "-3")]
)
def test_kinks_have_no_factor(which, kink):
    with pytest.raises(InvalidArgument, match=r"^z = .*is a kink of .*take a z beside it$"):
        gt.factor_probability(which, z=kink)
    assert gt.factor_probability(which, z=sympy.Rational(kink) + sympy.Rational(1, 10**9)).error < 1e-15


@pytest.mark.sampled(1)
@pytest.mark.parametrize("threshold", [0.05, 1, 4])
@pytest.mark.parametrize("case", [("sigmoid", 4, 1), ("tanh", 1, 1), ("arctan", 2, 0.5), ("softsign", 3, 0.1)], ids=str)
def test_factors_in_the_chain_exceed_as_the_density_of_z_says(case, threshold):
    which, sigma_w, sigma_b = case
    z, law, scale, transition = solved(*case, high=4.6)
    # w given z and a, as in of_density
    centre = sigma_w * np.sqrt(1 - np.square(sigma_b / scale))[:, None] * np.abs(z) / scale[:, None]
    width = math.sqrt(2) * sigma_w * (sigma_b / scale)[:, None]
    with np.errstate(over="ignore"):
        needed = threshold * np.exp(-_TEXTBOOK[which][1](z))
    above = (erfc((needed - centre) / width) + erfc((needed + centre) / width)) / 2
    probability = gt.factor_probability(which, sigma_w, threshold=threshold, sigma_b=sigma_b)
    assert abs(law @ (transition * above).sum(axis=1) - probability) <= probability.error + 1e-7
    assert probability.guarantee is gt.Guarantee.NUMERIC
    assert probability.error < 1e-6


@pytest.mark.slow
def test_factors_without_biases_have_an_honest_error():
    """Without biases w = z/a: what exceeds is a union of intervals of w for each a, found here on a fine grid."""
    _, law, scale, _ = solved("sigmoid", 4, 0)
    w = (np.arange(-40_000, 40_000) + 0.5) / 1000
    weights = np.exp(-np.square(w / 4) / 2) / 4 / math.sqrt(2 * math.pi) / 1000
    heavy = law > 1e-9
    log_slope = _TEXTBOOK["sigmoid"][1]
    for threshold in (0.2, 1, 2):
        above = [weights @ (log_slope(w * a) + np.log(np.abs(w)) > math.log(threshold)) for a in scale[heavy] / 4]
        probability = gt.factor_probability("sigmoid", 4, threshold=threshold, sigma_b=0)
        assert abs(law[heavy] @ above - probability) <= probability.error + 1e-5
        assert probability.error < 3e-3


@pytest.mark.slow
def test_lines_have_factors_of_the_weight_alone():
    for sigma_b in (0.5, 2):
        probability = gt.factor_probability("relu", 1, sigma_b=sigma_b)
        assert abs(probability - math.erfc(1 / math.sqrt(2)) / 2) <= probability.error + 1e-15
        probability = gt.factor_probability("leaky_relu", "3/2", threshold=0.01, sigma_b=sigma_b)
        either = (math.erfc(0.01 / 1.5 / math.sqrt(2)) + math.erfc(1 / 1.5 / math.sqrt(2))) / 2
        assert abs(probability - either) <= probability.error + 1e-12


def test_the_law_of_z_is_a_law():
    """The nodes carry a probability, and E[s²] solves its own equation s² = σ_w²·E[σ²] + σ_b²."""
    from gradtheory.random_weights.lyapunov.extent import law_of

    for law in law_of(gt.activation("tanh"), 1.5, 0.5):
        assert law.weight.sum() == pytest.approx(1, abs=1e-12)
        squares, _ = law.expected(lambda z, xi, owner: np.square(np.tanh(z))[None])
        assert law.weight @ law.scale**2 == pytest.approx(1.5**2 * squares[0] + 0.25, abs=1e-12)
        assert Gaussians(np.zeros(1), law.scale[:1]).scale.min() >= 0.5


def test_arrays_are_what_each_number_alone_is():
    weights, levels = np.array([0.5, 2.0]), np.array([[0.5], [1.5]])
    many = gt.factor_probability("tanh", weights, 0.3, threshold=levels)
    for place in np.ndindex(2, 2):
        one = gt.factor_probability("tanh", weights[place[1]], 0.3, threshold=levels[place[0], 0])
        assert (many[place], many.error[place]) == (one, one.error)
    assert gt.factor_probability("tanh", weights, z=0.3)[1] == gt.factor_probability("tanh", 2.0, z=0.3)
    assert np.isnan(gt.factor_probability("relu", [1.0, 2.0], [0.0, 0.5])).tolist() == [True, False]


def test_jumps_elsewhere_leave_the_probability_as_it_is_however_they_are_written():
    steps = ("tanh(z) + sign(z)/2", "Piecewise((tanh(z) - 1/2, z < 0), (tanh(z) + 1/2, True))")
    first, second = (gt.factor_probability(gt.expression(each), 9, z=1) for each in steps)
    assert first == second == gt.factor_probability("tanh", 9, z=1)
