"""Chains of random neurons: against plain simulation, a transfer operator of another kind, closed forms, identities."""

import contextlib
import functools
import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, erfcx, ndtr

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.stationary import FINE, Panels
from tests.shapes import SHAPES, slow_except

LOG_NORMAL = -(np.euler_gamma + math.log(2)) / 2  # E log|N(0, 1)|
_SMALLEST = 1e-300
_X = sympy.Symbol("x", real=True)


def log_slope_of_gelu(z):
    """log|Φ + zφ|; on the left as φ·(z + Mills's ratio), which does not underflow."""
    left, right = np.minimum(z, 0), np.maximum(z, 0)
    mills = math.sqrt(math.pi / 2) * erfcx(-left / math.sqrt(2))
    density = np.exp(-(right**2) / 2) / math.sqrt(2 * math.pi)
    on_the_left = -(left**2) / 2 - math.log(2 * math.pi) / 2 + np.log(np.abs(left + mills))
    return np.where(z < 0, on_the_left, np.log(ndtr(right) + right * density))


def squareplus(z):
    return np.where(z < 0, 2 / (np.hypot(z, 2) + np.abs(z)), (z + np.hypot(z, 2)) / 2)


# σ and log|σ'|, as in textbooks.
_TEXTBOOK = {
    "sigmoid": (
        lambda z: np.exp(-np.logaddexp(0, -z)),
        lambda z: -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z))),
    ),
    "tanh": (
        np.tanh,
        lambda z: math.log(4) - 2 * np.abs(z) - 2 * np.log1p(np.exp(-2 * np.abs(z))),
    ),
    "arctan": (np.arctan, lambda z: -np.log1p(z * z)),
    "erf": (erf, lambda z: math.log(2 / math.sqrt(math.pi)) - z * z),
    "gaussian": (lambda z: np.exp(-z * z), lambda z: np.log(2 * np.abs(z)) - z * z),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: -2 * np.log1p(np.abs(z))),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 0, math.log(0.01))),
    "gelu": (lambda z: z * ndtr(z), log_slope_of_gelu),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: -np.logaddexp(0, -z)),
    "squareplus": (squareplus, lambda z: np.log(squareplus(z) / np.hypot(z, 2))),
    "sine": (np.sin, lambda z: np.log(np.abs(np.cos(z)))),
    "cosine": (np.cos, lambda z: np.log(np.abs(np.sin(z)))),
}
_THRESHOLDS = (0.1, 0.5, 1.0)


@functools.cache
def simulated(which, sigma_w, sigma_b, *, chains=4000, layers=1000, burn_in=100):
    """Return the mean of each independent chain: log|σ'w|, (σ'w)², and whether |σ'w| exceeds each threshold."""
    rng = np.random.default_rng([20240612, round(100 * sigma_w), round(100 * sigma_b)])
    value, log_slope = _TEXTBOOK[which]
    z, sums = rng.standard_normal(chains), np.zeros((2 + len(_THRESHOLDS), chains))
    for layer in range(burn_in + layers):
        w = sigma_w * rng.standard_normal(chains)
        z = w * value(z) + (sigma_b * rng.standard_normal(chains) if sigma_b else 0.0)
        if layer >= burn_in:
            logs = log_slope(z) + np.log(np.abs(w))
            sums[0] += logs
            sums[1] += np.exp(2 * logs)
            sums[2:] += logs > np.log(_THRESHOLDS)[:, None]
    return sums / layers


@functools.cache
def solved(which, sigma_w, sigma_b, *, low=-36.0, high=3.6, step=0.05, even=0.0):
    """Return the nodes z, the stationary law's weights there, and the matrix of the transition.

    The density of the next z is N(0, σ_w²σ(z)² + σ_b²). In u = log|z| the trapezoidal rule converges geometrically for
    it, on both sides of 0; for periodic σ in z, with steps `even`. (The package works with the law of s, in Chebyshev
    polynomials, and with adaptive rules.)
    """
    value, _ = _TEXTBOOK[which]
    u = np.arange(low, high, step)
    z = np.concatenate([-np.exp(u)[::-1], np.exp(u)])
    width = step * np.abs(z)
    if even:
        z = even * (np.arange(-12 * (sigma_w + sigma_b) / even, 12 * (sigma_w + sigma_b) / even) + 0.3)
        width = np.full(len(z), even)
    scale = np.hypot(sigma_w * value(z), sigma_b)
    with np.errstate(over="ignore", under="ignore"):
        transition = np.exp(-np.square(z / scale[:, None]) / 2) * (width / scale[:, None])
    transition /= math.sqrt(2 * math.pi)
    equations = transition.T - np.eye(len(z))
    equations[0] = 1.0  # one of them follows from the others
    return z, np.linalg.solve(equations, np.eye(len(z))[0]), scale, transition


def of_density(which, sigma_w, sigma_b, **grid):
    """Return λ, ½·log E[(σ'w)²], and half the log of the spectral radius with that factor in the kernel."""
    z, law, scale, transition = solved(which, sigma_w, sigma_b, **grid)
    log_slope = _TEXTBOOK[which][1](z)
    # w given z and a is N(σ_w²·a·z/s², σ_w²·σ_b²/s²): it knows of the z that it made
    own = np.square(sigma_b / scale)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        squares = np.minimum(np.square(z / scale[:, None]), 1 / _SMALLEST)
        tilted = transition * sigma_w**2 * (own + (1 - own) * squares) * np.exp(2 * log_slope)
    vector = np.ones(len(z))
    for _ in range(300):
        after = tilted @ vector
        radius = after.max()
        vector = after / radius
    value = math.log(sigma_w) + LOG_NORMAL + law @ log_slope
    return value, math.log(law @ tilted.sum(axis=1)) / 2, math.log(radius) / 2


def mean_and_error(samples):
    return samples.mean(), samples.std(ddof=1) / math.sqrt(len(samples))


# Long chains where z stays near 0 for hundreds of layers. gelu: log|σ'| ~ -z²/2 and P(|z| > x) ~ x^-3.2.
_LONG = {"chains": 1000, "layers": 16_000, "burn_in": 2000}
_SIMULATED = {
    **{(which, 1, 1): {} for which in ("sigmoid", "tanh", "gaussian", "leaky_relu")},
    **{("softsign", 3, 0.1): {}, ("gelu", 1, 0.5): {}, ("squareplus", 2, 0.1): {"chains": 8000}},
    **{("sine", 3, 0.1): {}, ("cosine", 4, 1): {}, ("sigmoid", 4, 0): {}, ("tanh", 2.2, 0): _LONG},
}


@pytest.mark.parametrize("ends", [(-3.0, 7.0), (0.0, 75.0), (12.0, 75.0)])
def test_functions_of_log_s_are_interpolated_on_short_and_long_panels(ends):
    panels, between = Panels(ends, FINE, 1.0), np.linspace(*ends, 1001)
    assert np.abs(panels.interpolated(np.sin(panels.log_s), between) - np.sin(between)).max() < 1e-13
    assert panels.count == {-3.0: 12, 0.0: 47, 12.0: 35}[ends[0]]


@pytest.mark.slow
@pytest.mark.parametrize("case", _SIMULATED, ids=str)
def test_simulated_chains_agree(case):
    which, sigma_w, sigma_b = case
    exponent = gt.lyapunov_exponent(*case)
    means = simulated(*case, **_SIMULATED[case])
    value, error = mean_and_error(means[0])
    assert abs(value - exponent.value) < 3 * error + exponent.error
    assert error < 0.02
    square, error = mean_and_error(means[1])
    assert abs(square - math.exp(2 * exponent.mean_square)) < 3 * error
    for threshold, above in zip(_THRESHOLDS, means[2:], strict=True):
        probability, error = mean_and_error(above)
        ours = gt.factor_probability(which, sigma_w, threshold=threshold, sigma_b=sigma_b)
        assert abs(probability - ours) < 3 * error + ours.error, threshold


_DENSITIES = {
    **{(which, 1, 1): {} for which in ("sigmoid", "tanh", "arctan", "erf", "gaussian")},
    **{("softsign", 3, 0.1): {"high": 4.6}, ("sigmoid", 4, 1): {}, ("sigmoid", 4, 0): {}, ("erf", 0.3, 2): {}},
    ("erf", 1, 20): {"high": 5.6},  # σ' is often less than any float64
    **{("softplus", 0.3, 0.1): {"high": 6.0}, ("tanh", 3, 0): {"low": -60.0, "step": 0.08}},
}


_QUICK = {("sigmoid", 1, 1), ("softsign", 3, 0.1), ("sigmoid", 4, 0)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [case if case in _QUICK else pytest.param(case, marks=pytest.mark.slow) for case in _DENSITIES], ids=str
)
def test_the_density_of_z_gives_the_same(case):
    exponent = gt.lyapunov_exponent(*case)
    value, mean_square, rate = of_density(*case, **_DENSITIES[case])
    assert abs(value - exponent.value) < exponent.error + 1e-10 * max(1, abs(exponent.value))
    assert abs(mean_square - exponent.mean_square) < 1e-10
    assert abs(rate - exponent.mean_square_rate) < 1e-10 or math.isnan(exponent.mean_square_rate)
    assert exponent.error < 1e-9
    assert exponent.growth == math.exp(exponent.value)
    assert exponent.gap == exponent.mean_square - exponent.value > 0


@pytest.mark.parametrize(
    "case", [pytest.param(("tanh", 3, 0), marks=pytest.mark.slow), ("softplus", 0.5, 0.1), ("relu", 1, 1)]
)
def test_there_is_no_one_rate_where_z_has_no_bounds_away_from_zero_and_infinity(case):
    """From z = 1e-26 a chain of tanh with σ_w = 3 climbs for 40 layers, each factor σ_w²; from z = 1 it does not."""
    assert math.isnan(gt.lyapunov_exponent(*case).mean_square_rate)


@pytest.mark.slow
@pytest.mark.parametrize("case", [("squareplus", 2, 0.1, 32.0), ("softplus", 1, 1, 16.0)], ids=str)
def test_heavy_tails_are_followed(case):
    """P(|z| > x) ~ x^-α: with α = 1.2, 36 e-folds of probability take 30 of |z|."""
    *case, high = case
    exponent = gt.lyapunov_exponent(*case)
    value, mean_square, _ = of_density(*case, high=high, step=0.08)
    assert abs(value - exponent.value) < 3e-7
    assert abs(mean_square - exponent.mean_square) < 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("case", [("sine", 3, 1), ("cosine", 2, 1)], ids=str)
def test_squares_of_periodic_slopes_agree_with_the_density_of_z(case):
    exponent = gt.lyapunov_exponent(*case)
    value, mean_square, rate = of_density(*case, even=0.04)
    assert abs(value - exponent.value) < 0.03  # log|cos| is infinite between the nodes
    assert abs(mean_square - exponent.mean_square) < 1e-10
    assert abs(rate - exponent.mean_square_rate) < 1e-10


# Without biases the signs of z are fair coins and the factors of piecewise lines independent.
@pytest.mark.parametrize("sigma_w", [0.2, 1, 1.8, 1.9, 4, 30])
@pytest.mark.parametrize("slopes", [(1, 1), (0.01, 1), (0, 1), (0.25, 3)], ids=str)
def test_lines_without_biases_have_closed_forms(slopes, sigma_w):
    named = {(1, 1): "identity", (0.01, 1): "leaky_relu", (0, 1): "relu"}
    own = sympy.Piecewise((_X / 4, _X < 0), (3 * _X, True))
    exponent = gt.lyapunov_exponent(named.get(slopes, own), sigma_w, 0)
    mean_square = math.log(sigma_w**2 * (slopes[0] ** 2 + slopes[1] ** 2) / 2) / 2
    if slopes[0]:
        value = math.log(sigma_w) - (np.euler_gamma + math.log(2)) / 2 + math.log(slopes[0] * slopes[1]) / 2
        assert abs(exponent.value - value) <= exponent.error + 1e-15
        assert exponent.error < 1e-11
    else:
        assert (exponent.value, exponent.error, exponent.growth) == (-math.inf, 0.0, 0.0)
    assert abs(exponent.mean_square - mean_square) < 1e-12
    assert abs(exponent.mean_square_rate - mean_square) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("sigma_w", [0.5, 1, 4])
def test_biases_do_not_change_lines(sigma_w):
    for line, other in (("identity", 1), ("leaky_relu", 0.01)):
        exponent = gt.lyapunov_exponent(line, sigma_w, 2)
        value = math.log(sigma_w) + LOG_NORMAL + math.log(other) / 2
        assert abs(exponent.value - value) <= exponent.error + 1e-15
        assert abs(exponent.mean_square - math.log(sigma_w**2 * (1 + other**2) / 2) / 2) < 1e-11


@pytest.mark.slow
def test_what_escapes_through_periods_sees_their_mean():
    """σ = z + sin²z: σ' = 1 + sin 2z with mean log -log 2 and mean square 3/2."""
    exponent = gt.lyapunov_exponent("snake", 4, 1)
    assert abs(exponent.value - (math.log(4) + LOG_NORMAL - math.log(2))) < exponent.error + 1e-9
    assert abs(exponent.mean_square - math.log(16 * 1.5) / 2) < 1e-9


@pytest.mark.parametrize(
    "which", slow_except({"gaussian", "identity", "quadratic", "sigmoid", "snake", "sparse_plus"}, SHAPES)
)
def test_every_form_has_an_exponent_or_a_reason(which):
    if which in {"exponential", "quadratic", "snake"}:
        with pytest.raises(InvalidArgument, match=r"^sigma_w = .*periods" if which == "snake" else r"^activation = "):
            gt.lyapunov_exponent(which, 1, 1)
        return
    exponent = gt.lyapunov_exponent(which, 1, 1)
    slopes = gt.activation(which).slope(np.linspace(-50, 50, 20_001))
    flat = (slopes[1:-1] == 0) & (slopes[2:] == 0) & (slopes[:-2] == 0)
    if exponent.value == -math.inf:
        assert flat.any()
        assert exponent.error == 0.0
    else:
        assert math.isfinite(exponent.value)
        assert 0.0 < exponent.error < 1e-6
        assert exponent.value <= exponent.mean_square  # Jensen
        assert exponent.gap > 0.0
    assert exponent.mean_square <= math.log(float(gt.activation(which).steepest_slope)) + 1e-12


@given(
    which=st.sampled_from(["sigmoid", "tanh", "softsign", "gaussian", "cloglog", "isru", "lecun_tanh", "sine"]),
    sigma_w=st.floats(0.05, 8),
    sigma_b=st.floats(0.02, 8),
)
def test_almost_every_chain_grows_slower_than_the_mean(which, sigma_w, sigma_b):
    exponent = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    assert exponent.value < min(exponent.mean_square, exponent.mean_square_rate)
    # the mean of log σ' = z - exp(z) is carried by rare great z: the stated error grows with σ_w
    relative = 1e-2 if which == "cloglog" and sigma_w > 4 else 1e-6
    assert exponent.error < relative * max(1, abs(exponent.value))


@pytest.mark.slow
@given(
    which=st.sampled_from(["tanh", "arctan", "softsign", "erf", "isru", "gudermannian"]),
    sigma_w=st.floats(0.05, 1.6) | st.floats(2.4, 30),
)
def test_odd_concave_ones_never_explode_without_biases(which, sigma_w):
    """|σ'(z)| ≤ |σ(z)/z|, and the product of |w·σ(z)/z| is that of |next z / z|: it telescopes."""
    exponent = gt.lyapunov_exponent(which, sigma_w, 0)
    assert exponent.value <= exponent.error
    steepest = math.log(float(gt.activation(which).steepest_slope))
    assert exponent.value <= math.log(sigma_w) + LOG_NORMAL + steepest + exponent.error
    if math.log(sigma_w) + LOG_NORMAL + steepest < 0:  # z falls to 0, where the slope is the steepest
        assert abs(exponent.value - (math.log(sigma_w) + LOG_NORMAL + steepest)) < 1e-14


def same(one, other):
    for field in ("value", "mean_square", "mean_square_rate"):
        ours, theirs = getattr(one, field), getattr(other, field)
        assert math.isnan(ours) == math.isnan(theirs)
        assert not abs(ours - theirs) >= one.error + other.error + 1e-9 * max(1, abs(ours)), field


@pytest.mark.slow
@given(
    formula=st.sampled_from([sympy.atan(_X), _X / sympy.sqrt(1 + _X**2), sympy.atan(_X) + 1]),
    a=st.sampled_from([sympy.Rational(1, 3), sympy.Integer(2), sympy.Integer(-5)]),
    c=st.sampled_from([sympy.Rational(1, 2), sympy.Integer(3), sympy.Integer(-1)]),
    sigma_w=st.floats(0.5, 3),
    sigma_b=st.floats(0.1, 3),
)
def test_scales_of_values_and_of_arguments_are_scales_of_weights(formula, a, c, sigma_w, sigma_b):
    """a·σ with σ_w/|a| makes the same z; σ(cz) makes c·z of σ with |c|·σ_w and |c|·σ_b, and the c of its slope is w's."""
    one = gt.lyapunov_exponent(formula, sigma_w, sigma_b)
    same(gt.lyapunov_exponent(a * formula, sigma_w / float(abs(a)), sigma_b), one)
    stretch = float(abs(c))
    stretched = gt.lyapunov_exponent(formula.subs(_X, c * _X), sigma_w / stretch, sigma_b / stretch)
    same(stretched, one)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("formula", "named", "sigma_w", "sigma_b"),
    [
        *((sympy.atan(_X), "arctan", 2, 0.5), (_X / sympy.sqrt(1 + _X**2), "isru", 3, 1)),
        (sympy.exp(-(_X**2)), "gaussian", 1, 1),
        (sympy.sin(_X), "sine", 3, 1),
        (sympy.tanh(_X), "tanh", 2, 3),
    ],
)
def test_own_formulas_agree_with_the_catalogue(formula, named, sigma_w, sigma_b):
    same(gt.lyapunov_exponent(formula, sigma_w, sigma_b), gt.lyapunov_exponent(named, sigma_w, sigma_b))


@pytest.mark.slow
@pytest.mark.parametrize(("sigma_w", "sigma_b", "threshold"), [(0.2, 3, 0.1), (1, 0.1, 1)])
def test_mirrored_ones_agree(sigma_w, sigma_b, threshold):
    """log_sigmoid(z) = -softplus(-z), and z is as likely as -z."""
    same(*(gt.lyapunov_exponent(which, sigma_w, sigma_b) for which in ("softplus", "log_sigmoid")))
    one, other = (
        gt.factor_probability(which, sigma_w, threshold=threshold, sigma_b=sigma_b)
        for which in ("softplus", "log_sigmoid")
    )
    assert abs(one - other) <= one.error + other.error + 1e-12


@pytest.mark.slow
def test_lecun_tanh_is_tanh_at_other_scales():
    same(gt.lyapunov_exponent("lecun_tanh", 1, 1), gt.lyapunov_exponent("tanh", 1.7159 * 2 / 3, 2 / 3))
    same(gt.lyapunov_exponent("lecun_tanh", 3, 0), gt.lyapunov_exponent("tanh", 3 * 1.7159 * 2 / 3, 0))


@pytest.mark.slow
def test_a_tiny_value_at_0_is_where_small_chains_go():
    """tanh + 1e-12 takes z to e^-27 and back again: as simulated, with 4,000 chains of 6,000 layers."""
    shape = gt.activation(gt.expression("tanh(z) + 1/10**12"))
    rng, z, total = np.random.default_rng(0), np.ones(4000), 0.0
    for layer in range(6000):
        weight = 1.88 * rng.standard_normal(4000)
        if layer >= 1500:
            total += float(np.mean(np.log(np.abs(weight)) - 2.0 * np.log(np.cosh(z))))
        z = weight * (np.tanh(z) + 1e-12)
    assert gt.lyapunov_exponent(shape, 1.88, 0).value == pytest.approx(total / 4500, abs=1e-3)


@pytest.mark.slow
def test_flat_pieces_are_met_again_and_again():
    for which in ("relu", "hard_tanh", "relu6", "hard_sigmoid", "sparse_sigmoid", "softshrink", "hard_swish"):
        assert gt.lyapunov_exponent(which, 1, 0.3).value == -math.inf
    assert gt.lyapunov_exponent("hard_tanh", 3, 0).value == -math.inf
    falling = gt.lyapunov_exponent("hard_tanh", 1, 0)  # z falls to 0, where σ' = 1, if it meets no flat piece before
    assert math.isnan(falling.value)
    assert abs(falling.surviving_value - LOG_NORMAL) < 1e-15
    # gelu's log|σ'| ~ -z²/2, and P(|z| > x) ~ x^-α with (σ_w)^α·E|ξ|^α = 2: its mean is -oo as soon as α ≤ 2
    assert gt.lyapunov_exponent("gelu", 1.42, 0.5).value == -math.inf


@pytest.mark.parametrize("which", ["hard_sigmoid", "sparse_sigmoid"])
def test_flat_pieces_are_met_again_without_biases(which):
    """After a flat piece at 0 comes z = 0, then σ(0) = 1/2, then any z."""
    assert gt.lyapunov_exponent(which, 1, 0).value == -math.inf


_REFUSED = {
    "sigma_w": [
        *(
            functools.partial(gt.lyapunov_exponent, "sigmoid", bad)
            for bad in (0, -1, -0.0, math.nan, math.inf, np.array([1, -1]), [0.0], "wide", "", None, True, 1j, object())
        ),
        *(
            functools.partial(gt.factor_probability, "sigmoid", bad)
            for bad in (0, -1, math.nan, [1.0, 0.0], "wide", None)
        ),
        *(
            functools.partial(gt.factor_probability, "sigmoid", bad, z=0)
            for bad in (0, -1, math.nan, [1.0, 0.0], "wide")
        ),
        lambda: gt.lyapunov_exponent("snake", 1, 1),
        lambda: gt.lyapunov_exponent("hardshrink", 4, 0),
        lambda: gt.lyapunov_exponent("tanh", 1.9, 0),
        lambda: gt.factor_probability("tanh", 1.9, sigma_b=0),
    ],
    "sigma_b": [
        *(
            functools.partial(gt.lyapunov_exponent, "sigmoid", 1, bad)
            for bad in (-1, -1e-300, math.nan, math.inf, np.array([-1.0]), "none", None, False)
        ),
        *(functools.partial(gt.factor_probability, "tanh", sigma_b=bad) for bad in (-1, math.nan, "none", [0, -1])),
        lambda: gt.lyapunov_exponent("gelu", 4, 0),
        lambda: gt.factor_probability("tanh", 1, sigma_b=0),
        lambda: gt.factor_probability("identity", 4, sigma_b=1),
    ],
    "threshold": [
        *(functools.partial(gt.factor_probability, "sigmoid", threshold=bad) for bad in (0, -1, math.nan, "x", [1, 0])),
        *(
            functools.partial(gt.factor_probability, "sigmoid", z=0, threshold=bad)
            for bad in (0, -1, math.nan, "x", [1, 0], True)
        ),
    ],
    "z": [
        functools.partial(gt.factor_probability, "sigmoid", z=bad)
        for bad in (math.nan, math.inf, "x", [0], True, sympy.Symbol("z"))
    ],
    "activation": [
        lambda: gt.lyapunov_exponent("exponential"),
        lambda: gt.lyapunov_exponent("quadratic", 1, 0),
        lambda: gt.factor_probability("exponential"),
        *(functools.partial(gt.largest_lyapunov_exponent, each) for each in ("relu", "gelu", "softplus", "snake")),
        lambda: gt.lyapunov_exponent("sigmoidal"),
    ],
}


@pytest.mark.parametrize(
    ("argument", "call"), [(argument, call) for argument, calls in _REFUSED.items() for call in calls]
)
def test_bad_input_is_refused_in_one_line(argument, call):
    with pytest.raises(InvalidArgument) as refusal:
        call()
    message = str(refusal.value)
    assert refusal.value.name == argument
    assert message.startswith(f"{argument} = ")
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize("sigma_w", [1e-300, 1e300])
def test_extreme_weights_are_answered_or_refused(sigma_w):
    with contextlib.suppress(InvalidArgument):
        exponent = gt.lyapunov_exponent("sigmoid", sigma_w)
        assert exponent.value <= exponent.mean_square


@pytest.mark.parametrize(
    ("known_as", "own", "sigma_w"),
    [
        ("softplus", "log(1 + exp(z))", 1),
        ("sigmoid", "exp(z)/(1 + exp(z))", 20),
        pytest.param("mish", "z*tanh(log(1 + exp(z)))", 1, marks=pytest.mark.slow),
        pytest.param("gelu", "z*(1 + erf(z/sqrt(2)))/2", 1, marks=pytest.mark.slow),
    ],
)
def test_an_own_expression_has_the_exponent_of_the_one_with_a_name(known_as, own, sigma_w):
    known, same = (gt.lyapunov_exponent(each, sigma_w, 1) for each in (known_as, gt.expression(own)))
    assert same.reason == known.reason
    assert abs(same.value - known.value) <= known.error + same.error < 1e-10


@pytest.mark.slow
def test_a_value_that_leaves_float64_on_the_way_is_no_escape():
    """log(cosh(z)) is |z| - log 2 far out: its chains settle at σ_w = 1.5, where cosh(z) alone overflows now and then."""
    chains, layers, skipped = 20_000, 300, 100
    rng = np.random.default_rng(7)
    z, logs, exploded = np.ones(chains), np.zeros(chains), 0.0
    for layer in range(layers):
        w, b = 1.5 * rng.standard_normal(chains), rng.standard_normal(chains)
        before, z = z, w * (np.logaddexp(z, -z) - math.log(2)) + b
        if layer >= skipped:
            logs += np.log(np.abs(w * np.tanh(before)))
            exploded += np.mean(np.abs(w * np.tanh(z)) > 1) / (layers - skipped)
    own = sympy.log(sympy.cosh(_X))
    assert gt.lyapunov_exponent(own, 1.5, 1).value == pytest.approx(logs.mean() / (layers - skipped), abs=0.004)
    assert float(gt.factor_probability(own, 1.5, 1)) == pytest.approx(exploded, abs=0.002)


@pytest.mark.parametrize(
    "own", [_X**3 / (1 + _X**2), sympy.sqrt(1 + _X**2) - 1, sympy.Piecewise((_X**3 / (1 + _X**2), _X < 0), (_X, True))]
)
def test_a_slope_of_0_at_0_alone_is_never_met(own):
    exponent = gt.lyapunov_exponent(own, 1.5, 0)
    assert exponent.value == -math.inf
    assert exponent.reason.startswith("value is -inf: z falls to 0, where the slope is 0, faster than exponentially")
    assert exponent.survival == 1
    flat = gt.lyapunov_exponent("hardshrink", 1.5, 0)
    assert "with positive probability" in flat.reason
