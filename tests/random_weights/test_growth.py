"""Growth of random chains against simulation: λ for every activation, the spread of log|gradient|, and who survives."""

import dataclasses
import math
import pickle

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.log_factor import _log_moments
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere, log_slope
from tests.shapes import slow_except

LOG_NORMAL = -(np.euler_gamma + math.log(2)) / 2
X = sympy.Symbol("x", real=True)


def log_gradients(which, sigma_w, sigma_b, layers, chains=4000, burn_in=50, seed=5):
    """Return log|gradient| of each chain over so many layers, after `burn_in`; -inf where it is 0."""
    record, rng = gt.activation(which), np.random.default_rng(seed)
    flat = is_flat_somewhere(record)
    a, total = np.ones(chains), np.zeros(chains)
    for layer in range(-burn_in, layers):
        w = sigma_w * rng.standard_normal(chains)
        z = w * a + sigma_b * rng.standard_normal(chains)
        a, slope = record.value_and_slope(z)
        if layer >= 0:
            with np.errstate(divide="ignore"):
                logs = np.log(np.abs(slope)) if flat else log_slope(record, z, slope)
            total += logs + np.log(np.abs(w))
    return total


# ---- λ over a grid of scales

_SCALES = ((0.3, 0.1), (0.5, 1.0), (1.0, 0.3), (1.5, 1.0), (2.0, 1.0), (2.0, 3.0), (4.0, 0.5))
_QUICK = [("tanh", 1.5, 1.0), ("sigmoid", 2.0, 3.0)]
# log|gradient| of these has a mean that is found, but no variance, or chains that take thousands of layers to escape
_LEFT_OUT = {"exponential", "quadratic", "snake"}
# at these a finite sample says nothing: λ is -inf though σ' is nowhere 0, or the chain escapes at last
_UNTOLD = {("elu", 4.0, 0.5), ("gelu_tanh", 1.5, 1.0), ("rrelu", 4.0, 0.5), ("tanhshrink", 2.0, 3.0)}


def _all_cases():
    """Return one of the scales for every activation, in turn."""
    names = [name for name in gt.activation_names() if name not in _LEFT_OUT]
    chosen = {(name, *_SCALES[i % len(_SCALES)]) for i, name in enumerate(names)}
    return sorted(chosen.union(_QUICK) - _UNTOLD)


@pytest.mark.parametrize(("which", "sigma_w", "sigma_b"), slow_except(_QUICK, _all_cases()))
def test_the_exponent_is_that_of_simulated_chains(which, sigma_w, sigma_b):
    exponent = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    if math.isinf(exponent.value) or math.isnan(exponent.mean_square_rate):
        assert exponent.reason
    layers, chains = 300, 400
    sample = log_gradients(which, sigma_w, sigma_b, layers, chains)
    if math.isnan(exponent.value):  # some chains die, and others escape
        assert is_flat_somewhere(gt.activation(which))
        assert 0 < np.isfinite(sample).mean() < 1
        return
    if exponent.value == -math.inf:
        assert is_flat_somewhere(gt.activation(which))
        assert 0 < exponent.survival <= 1 + exponent.survival.error
        assert exponent.survival < 1 or np.isfinite(sample).any()
        return
    assert not (exponent.value > 0 and gt.activation(which).range.sup is sympy.oo)
    apart = abs(np.mean(sample) / layers - exponent.value) - exponent.error
    in_deviations = apart * math.sqrt(layers * chains)
    # rare large terms carry the mean of some: their sample says too little of its own spread
    assert in_deviations < 4.5 * math.sqrt(np.var(sample, ddof=1) / layers) or (
        in_deviations < 4.5 * math.sqrt(exponent.variance)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b", "expected"),
    [
        ("quick_gelu", 0.5, 1.0, -2.5415),  # -2.541 ± 0.003 by simulation
        ("quick_gelu", 1.5, 1.0, -1.6895),  # -1.688 ± 0.010
        ("silu", 2.0, 3.0, -3.5985),  # -3.47 ± 0.16
    ],
)
def test_far_tails_are_followed_in_logarithms(which, sigma_w, sigma_b, expected):
    exponent = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    assert exponent.value == pytest.approx(expected, abs=1e-4)
    assert exponent.error < 1e-6


_FLAT = (
    ("celu(alpha=20)", 7.0, 1.0),
    ("softplus(beta=1/50)", 2.6, 0.01),
    ("swish(beta=1/1000)", 3.0, 1.0),
    (gt.expression("z/(1 + exp(-z/40))"), 3.0, 1.0),
    (gt.expression("z*exp(-exp(-z/100))"), 3.0, 1.0),
)


@pytest.mark.parametrize("case", [_FLAT[0], *(pytest.param(case, marks=pytest.mark.slow) for case in _FLAT[1:])])
def test_tails_are_as_heavy_where_the_slope_falls_far_out_alone(case):
    """In units of its own scale each is the plain one, whose |z| has no mean."""
    assert gt.lyapunov_exponent(*case).value == -math.inf


@pytest.mark.slow
def test_swish_is_silu_of_a_stretched_argument():
    """σ(z) = silu(βz)/β: βz is the z of silu with the same weights and biases β times as large."""
    swish = gt.activation("swish", beta=sympy.Rational(851, 500))
    ours, theirs = gt.lyapunov_exponent(swish, 1.5, 1), gt.lyapunov_exponent("silu", 1.5, 1.702)
    assert abs(ours.value - theirs.value) <= ours.error + theirs.error + 1e-9


@pytest.mark.parametrize("which", ["quick_gelu", "silu", "lecun_tanh", "sigmoid", "erf"])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_logarithm_of_a_slope_is_finite_however_far_out(which, side):
    record = gt.activation(which)
    z = side * np.exp(np.linspace(1.0, 89.0, 23))
    logs = log_slope(record, z, record.slope(z))
    assert np.isfinite(logs).all()
    if gt.activation(which).slope(side * 50.0) < 1e-9:
        assert (np.diff(logs[z * side > 10]) < 0).all()


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(2.66, 0.05), (5.0, 0.05)])
def test_chains_that_stay_near_0_for_long_have_no_overflow_depth(sigma_w, sigma_b):
    """σ' is z² there: z leaves by a rare draw, and until then the gradient falls."""
    exponent = gt.lyapunov_exponent("tanhshrink", sigma_w, sigma_b)
    assert exponent.value == pytest.approx(math.log(sigma_w) + LOG_NORMAL)
    assert "z may stay near 0 for very long before it escapes" in exponent.reason
    with pytest.raises(InvalidArgument, match="must be of chains that fare alike: simulate; z may stay near 0"):
        gt.overflow_depth(exponent, probability=0.99)
    assert np.mean(log_gradients("tanhshrink", sigma_w, sigma_b, 300, burn_in=0) < -100.0) > 0.3
    assert gt.lyapunov_exponent("identity", sigma_w, sigma_b).reason == ""


@pytest.mark.parametrize(("which", "sigma_w"), [("tanh", 0.6), ("tanh", 1.5), ("softsign", 1.8), ("leaky_relu", 1.2)])
def test_the_mean_square_of_dying_chains_is_known_where_it_dies_out_too(which, sigma_w):
    """Chains that carry the mean square leave 0 if σ_w > 0.694: then it grows by less than σ_w²·σ'(0)² per layer."""
    exponent = gt.lyapunov_exponent(which, sigma_w, 0)
    assert exponent.mean_square == pytest.approx(
        math.log(sigma_w * (math.sqrt((1 + 1e-4) / 2) if "relu" in which else 1))
    )
    is_known = which == "leaky_relu" or math.log(sigma_w) < -1 - LOG_NORMAL
    if is_known:
        assert float(exponent.mean_square_rate) == float(exponent.mean_square)
        return
    assert math.isnan(exponent.mean_square_rate)
    assert "mean_square_rate is nan" in exponent.reason
    logs = log_gradients(which, sigma_w, 0.0, 12, chains=400_000, burn_in=0)
    assert 0.5 * np.log(np.mean(np.exp(2 * logs))) < 0.5 * 12 * exponent.mean_square


def test_chains_that_fall_to_0_may_meet_a_flat_piece_before():
    exponent = gt.lyapunov_exponent("hard_tanh", 1.85, 0)
    assert math.isnan(exponent.value)
    assert exponent.reason.startswith("value is nan: some chains meet a slope of 0")
    alive = np.isfinite(log_gradients("hard_tanh", 1.85, 0.0, 100, burn_in=0)).mean()
    assert 0.0 < alive < 0.5


# ---- where the slope is 0


@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b"), slow_except([("softshrink", 2, 1)], [("softshrink", 2, 1), ("hardshrink", 2, 1)])
)
def test_chains_that_escape_past_a_flat_piece_have_no_typical_growth(which, sigma_w, sigma_b):
    exponent = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    assert np.isnan([exponent.value, exponent.error, exponent.growth]).all()
    assert exponent.reason.startswith("value is nan: some chains meet a slope of 0, and the others never do")
    with pytest.raises(
        InvalidArgument, match=r"^growth = nan: must be of chains that fare alike: simulate; value is nan"
    ):
        gt.overflow_depth(exponent)
    assert exponent.survival == 1  # some escape, and those never meet it again
    assert exponent.surviving_value == pytest.approx(math.log(sigma_w) + LOG_NORMAL, abs=1e-11)
    sample = log_gradients(which, sigma_w, sigma_b, 400, burn_in=0)
    assert 0.7 < np.mean(sample == -np.inf) < 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b"),
    [("hard_tanh", 1.0, 0.3), ("hard_sigmoid", 1.0, 1.0), ("hard_swish", 1.2, 0.5), ("relu6", 0.3, 0.2)],
)
def test_survivors_are_those_of_the_simulation(which, sigma_w, sigma_b):
    exponent = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    assert exponent.value == -math.inf
    early, late = (log_gradients(which, sigma_w, sigma_b, layers, 200_000, burn_in=0) for layers in (6, 12))
    alive = [np.isfinite(each) for each in (early, late)]
    share = (alive[1].mean() / alive[0].mean()) ** (1 / 6)
    assert exponent.survival == pytest.approx(share, abs=8 / math.sqrt(alive[1].sum()))
    growth = (late[alive[1]].mean() - early[alive[0]].mean()) / 6
    assert exponent.surviving_value == pytest.approx(growth, abs=4 * late[alive[1]].std() / math.sqrt(alive[1].sum()))


@pytest.mark.parametrize("sigma_w", slow_except([0.5], [0.5, 1.0, 3.0]))
def test_half_of_relu_is_on(sigma_w):
    for sigma_b in (0.0, 1.0):
        exponent = gt.lyapunov_exponent("relu", sigma_w, sigma_b)
        assert abs(exponent.survival - 0.5) <= exponent.survival.error + 1e-15
        expected = math.log(sigma_w) + LOG_NORMAL
        assert abs(exponent.surviving_value - expected) <= exponent.surviving_value.error + 1e-15


def test_where_nothing_is_flat_all_survive():
    exponent = gt.lyapunov_exponent("tanh")
    assert (exponent.survival, exponent.surviving_value, exponent.reason) == (1, exponent.value, "")
    assert exponent.survival.guarantee is gt.Guarantee.EXACT


@pytest.mark.slow
def test_who_starts_far_out_survives_for_long_but_not_for_ever():
    exponent = gt.lyapunov_exponent("hardshrink", 1.5, 1)
    late, later = (np.isfinite(log_gradients("hardshrink", 1.5, 1, layers, 200_000, burn_in=0)) for layers in (60, 90))
    assert exponent.survival == pytest.approx((later.mean() / late.mean()) ** (1 / 30), abs=0.03)
    assert exponent.survival < 0.98


@pytest.mark.slow
def test_softshrink_survives_only_far_out():
    """The share that stays beyond 1/2 falls as min E|ξ|^θ, 0.7947, more slowly than that of those that come back."""
    exponent = gt.lyapunov_exponent("softshrink", 1, 0.3)
    theta = np.linspace(0, 2, 20_001)
    with np.errstate(all="ignore"):
        moments = 2 ** (theta / 2) * np.vectorize(math.gamma)((theta + 1) / 2) / math.sqrt(math.pi)
    assert exponent.survival == pytest.approx(moments.min(), abs=1e-6)
    assert exponent.surviving_value == 0


# ---- the spread


@pytest.mark.parametrize(
    ("which", "sigma_w", "expected"),
    [
        ("identity", 0.7, math.pi**2 / 8),
        ("leaky_relu", 1.0, math.pi**2 / 8 + (math.log(100) / 2) ** 2),
        (sympy.Piecewise((X / 4, X < 0), (3 * X, True)), 1.0, math.pi**2 / 8 + (math.log(12) / 2) ** 2),
    ],
)
def test_independent_factors_have_an_exact_spread(which, sigma_w, expected):
    variance = gt.lyapunov_exponent(which, sigma_w, 0).variance
    assert variance == pytest.approx(expected, rel=1e-14)
    assert variance.guarantee is gt.Guarantee.EXACT


@pytest.mark.slow
@pytest.mark.parametrize("which", ["identity", "leaky_relu"])
def test_biases_do_not_change_the_spread_of_lines(which):
    without, with_biases = (gt.lyapunov_exponent(which, 1, bias).variance for bias in (0, 1))
    assert abs(with_biases - without) <= with_biases.error + 1e-11


@pytest.mark.slow
def test_the_phase_of_what_escapes_is_uniform():
    """Log(1 + sin 2z) over a period has the mean -log 2 and the variance π²/3."""
    assert gt.lyapunov_exponent("snake", 4, 1).variance == pytest.approx(math.pi**2 / 8 + math.pi**2 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b"),
    slow_except(
        [("sigmoid", 4.0, 1.0)],
        [
            *(("sigmoid", 4.0, 1.0), ("tanh", 1.0, 1.0), ("sine", 3.0, 1.0), ("softplus", 0.5, 0.1)),
            *(("softsign", 3.0, 0.1), ("gaussian", 1.0, 1.0)),
        ],
    ),
)
def test_the_spread_is_that_of_simulated_chains(which, sigma_w, sigma_b):
    layers, chains = 300, 6000
    sample = log_gradients(which, sigma_w, sigma_b, layers, chains)
    variance = gt.lyapunov_exponent(which, sigma_w, sigma_b).variance
    # the kurtosis tends to 3; what the start leaves is of the order of 1/layers
    assert np.var(sample) / layers == pytest.approx(variance, rel=4 * math.sqrt(2 / chains) + 10 / layers)


@pytest.mark.slow
def test_a_heavy_tail_has_no_spread():
    exponent = gt.lyapunov_exponent("gelu", 1, 0.5)  # log|σ'| ~ -z²/2 and P(|z| > x) ~ x^-3.2
    assert math.isfinite(exponent.value)
    assert exponent.variance == math.inf
    assert math.isnan(gt.lyapunov_exponent("relu").variance)


def test_logarithms_of_shifted_normals():
    mean, deviation = np.array([0.0, 0.5, 39.99, 40.01, 7.0]), np.array([1.0, 2.0, 1.0, 1.0, 0.0])
    first, second = _log_moments(mean, deviation)
    assert first[0] == pytest.approx(LOG_NORMAL, abs=1e-10)
    assert second[0] - first[0] ** 2 == pytest.approx(math.pi**2 / 8, abs=1e-8)
    rng = np.random.default_rng(0)
    sample = np.log(np.abs(0.5 + 2 * rng.standard_normal(400_000)))
    assert first[1] == pytest.approx(sample.mean(), abs=5 * sample.std() / 630)
    assert second[1] == pytest.approx(np.mean(sample**2), rel=0.03)
    assert first[3] - first[2] == pytest.approx(0.02 / 40, rel=1e-3)
    assert second[3] - second[2] == pytest.approx(2 * math.log(40) * 0.02 / 40, rel=1e-3)
    assert (first[4], second[4]) == pytest.approx((math.log(7), math.log(7) ** 2))


def test_results_can_be_sent_to_other_processes():
    exponent = gt.lyapunov_exponent("tanh", 1, 1)
    again = pickle.loads(pickle.dumps(exponent))  # our own
    assert (again, again.variance) == (exponent, exponent.variance)


# ---- depths with a probability


@pytest.mark.parametrize("share", [0.5, 0.956, 0.99])
def test_so_many_chains_are_lost_at_that_depth(share):
    depth = gt.overflow_depth(gt.lyapunov_exponent("sigmoid", 4, 1), probability=share)
    sample = log_gradients("sigmoid", 4, 1, depth, 20_000, burn_in=0)
    lost = np.mean(sample <= -150 * math.log(2))
    assert lost == pytest.approx(share, abs=0.06 if share == 0.5 else 0.02)  # the law is skew, as 1/√L


def test_depths_rise_with_the_probability():
    chain = gt.lyapunov_exponent("sigmoid", 4, 1)
    depths = [gt.overflow_depth(chain, probability=share) for share in (0.01, 0.3, 0.5, 0.9, 0.999)]
    assert depths == sorted(depths)
    assert depths[2] == gt.overflow_depth(chain) == gt.overflow_depth(chain.growth) == 63
    assert gt.overflow_depth(chain, "float64", probability=0.5) == gt.overflow_depth(chain, "float64")
    grows = gt.lyapunov_exponent("identity", 4, 0)
    assert gt.overflow_depth(grows, probability=0.5) == gt.overflow_depth(grows)
    assert gt.overflow_depth(grows, probability=0.9) > gt.overflow_depth(grows)


@pytest.mark.parametrize(("share", "depth"), [(0.5, 336), (0.7, 1020)])
def test_chains_are_lost_at_both_ends(share, depth):
    """λ = 0.0067: before the median of the chains overflows, after 1,663 layers, many of them have underflowed."""
    chain = gt.lyapunov_exponent("identity", 1.9, 0)
    assert gt.overflow_depth(chain, "float16", probability=share) == depth
    rng = np.random.default_rng(0)
    logs = sum(np.log(np.abs(1.9 * rng.standard_normal(4_000))) for _ in range(depth))
    lost = np.mean((logs <= -25 * math.log(2)) | (logs >= math.log(65_520)))
    assert lost == pytest.approx(share, abs=0.03)
    assert gt.overflow_depth(chain, "float16") == 1663


def test_chains_without_drift_are_lost_too():
    """N(0, π²L/8) is beyond log 65520 or log 2⁻²⁵ with probability 1/2."""
    chain = dataclasses.replace(gt.lyapunov_exponent("identity", 1.9, 0), value=0.0)
    depth = gt.overflow_depth(chain, "float16", probability=0.5)
    below = [
        0.5 * sum(math.erfc(end / (math.pi / 2 * layers**0.5)) for end in (math.log(65_520), 25 * math.log(2)))
        for layers in (depth - 1, depth)
    ]
    assert below[0] < 0.5 <= below[1]
    assert gt.overflow_depth(chain, "float64", probability=1.0 - 1e-15) > 1e33


def test_independent_factors_in_closed_form():
    """N(λL, π²L/8) is beyond log of the limit with probability p where λL - Φ⁻¹(p)·π·√(L/8) reaches it."""
    chain = gt.lyapunov_exponent("identity", 3, 0)
    rate, limit = math.log(3) + LOG_NORMAL, math.log(2) * 128
    depth = gt.overflow_depth(chain, probability=0.975)
    reached = [rate * each - 1.959964 * math.pi * math.sqrt(each / 8) >= limit for each in (depth - 1, depth)]
    assert reached == [False, True]


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("growth", lambda: gt.overflow_depth(0.5, probability=0.9)),
        ("growth", lambda: gt.overflow_depth(gt.lyapunov_exponent("relu"), probability=0.9)),
        *(
            ("probability", lambda bad=bad: gt.overflow_depth(gt.lyapunov_exponent("tanh"), probability=bad))
            for bad in (0, 1, 1.5, -0.1, math.nan, "most", True)
        ),
        ("arithmetic", lambda: gt.overflow_depth(gt.lyapunov_exponent("tanh"), arithmetic="flush", probability=0.9)),
        ("arithmetic", lambda: gt.overflow_depth(0.5, arithmetic="exact")),
    ],
)
def test_what_makes_no_sense_is_refused(argument, call):
    with pytest.raises(InvalidArgument) as refusal:
        call()
    assert refusal.value.name == argument
    assert "\n" not in str(refusal.value)
