"""Critical points and settled factors say their errors, and keep them."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.meanfield import critical_initialisation, fixed_points, settled_chi


def test_the_critical_point_of_gelu_is_right_to_its_error():
    critical = critical_initialisation("gelu")
    q = (3 + math.sqrt(17)) / 2  # Roberts, Yaida & Hanin (2022), section 5.3.4
    assert abs(critical.q - q) <= critical.q.error < 1e-11
    for number, published in ((critical.sigma_w, 1.98305826), (critical.sigma_b, 0.17292239)):
        assert abs(number**2 - published) < 1e-8
        assert 0.0 < number.error < 1e-11
    proven = gt.meanfield.chi("gelu", critical.q, 1, method="certified")
    assert abs(critical.sigma_w - proven**-0.5) <= critical.sigma_w.error + 1e-12


@pytest.mark.parametrize(("which", "sigma_w"), [("tanh", 1.0), ("relu", 2**0.5), ("identity", 1.0)])
def test_those_at_the_origin_are_right_to_rounding(which, sigma_w):
    critical = critical_initialisation(which)
    assert abs(critical.sigma_w - sigma_w) <= critical.sigma_w.error < 1e-15
    assert (critical.sigma_b, critical.sigma_b.error) == (0.0, 0.0)


@pytest.mark.parametrize(("which", "start"), [("tanh", None), ("gelu", 0.1), ("gelu", 0.13)])
def test_the_settled_factor_is_right_to_its_error(which, start):
    weights = np.array([1.6, 1.8])
    settled = settled_chi(which, weights, 0.05, q=start)
    assert isinstance(settled, Estimates)
    for weight, number in zip(weights, settled, strict=True):
        stable = next(point for point in fixed_points(which, weight, 0.05) if point.is_stable)
        assert abs(number - stable.chi) <= number.error < 1e-3


def test_a_pair_of_fixed_points_between_two_tabulated_variances_is_seen():
    stable, _ = fixed_points("mish", 1.42113, 0.3)  # 0.02 apart in log q
    for start in (0.1, stable.q):
        settled = settled_chi("mish", 1.42113, 0.3, q=start)
        assert abs(settled - stable.chi) <= settled.error < 2e-3
    assert settled_chi("mish", 1.42113, 0.3, q=2.0) > 1.009  # beyond both it grows without bound


def test_a_variance_that_passes_a_fixed_point_does_not_settle_there():
    """V(q) = 4/√(1 + 4q) + 3q²/64 + q/(2(1 + 2q)^(3/2)), times σ_w², falls to 4.089 and rises from 7.07."""
    bump = gt.activation(gt.expression("2*exp(-z**2) + z**2/8"))
    q = [0.0]
    for _ in range(9):
        q.append(1.5**2 * (4 / math.sqrt(1 + 4 * q[-1]) + 3 * q[-1] ** 2 / 64 + q[-1] / (2 * (1 + 2 * q[-1]) ** 1.5)))
    assert q[1] == 9.0
    assert q[-1] > 1e6
    assert settled_chi(bump, 1.5, q=0.0) > 1e6
    stable = fixed_points(bump, 1.5)[0]
    settled = settled_chi(bump, 1.5, q=3.0)
    assert abs(settled - stable.chi) <= settled.error < 1e-3


def test_an_end_that_is_never_reached_and_a_doubtful_start_have_their_errors():
    far = settled_chi("gelu", 1.8, 0.05, q=math.inf)
    assert isinstance(far, Estimate)
    assert abs(far - 1.62) <= far.error < 1e-5
    _, unstable = fixed_points("gelu", 1.8, 0.05)
    beside = settled_chi("gelu", 1.8, 0.05, q=np.geomspace(unstable.q * 0.9999, unstable.q * 1.0001, 200))
    assert beside.error.max() > 0.5  # on which side it starts is not told by tables
    assert np.median(beside.error) < 1e-3
    assert settled_chi("tanh", np.empty(0), 0.1).shape == (0,)


@pytest.mark.slow
def test_exponents_at_their_own_scale_are_those_of_the_table():
    """What is read off the table of an activation is what integrals at each scale are."""
    from gradtheory.random_weights.lyapunov import means
    from gradtheory.random_weights.lyapunov.extent import law_of

    law = law_of(gt.activation("gelu"), 1.1, 0.4)[1]
    tabulated, error = means.means_in_law(law, logs=True)
    exact = means.slope_means(law.record, True, np.square(law.scale)).value
    assert abs(tabulated[0] - exact[0] @ law.weight) <= error[0]


@pytest.mark.parametrize("more", [{}, {"q": [1.0, 2.0, 3.0, 4.0]}])
def test_scales_that_do_not_fit_are_refused_in_one_line(more):
    scales = (np.ones(2), np.ones(3)) if not more else (np.ones(3), 1.0)
    with pytest.raises(InvalidArgument, match=r"^shapes of sigma_w, sigma_b.* must broadcast$"):
        settled_chi("tanh", *scales, **more)
