"""The largest Lyapunov exponent, and what is proven of it."""

import itertools
import math

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov import largest_exponent
from tests.random_weights.test_lyapunov import _X, LOG_NORMAL, of_density


@pytest.mark.slow
def test_the_largest_exponent_of_the_sigmoid_is_negative():
    exponent = gt.largest_lyapunov_exponent("sigmoid")
    assert (round(exponent.value, 6), round(exponent.sigma_w, 3), exponent.sigma_b) == (-1.447437, 3.189, 0.0)
    at = gt.lyapunov_exponent("sigmoid", exponent.sigma_w, 0)
    assert abs(at.value - exponent.value) <= at.error
    around = itertools.product((0.98, 1, 1.02), (0, 0.01, 0.1, 1))
    others = [(exponent.sigma_w * ratio, sigma_b) for ratio, sigma_b in around if (ratio, sigma_b) != (1, 0)]
    assert all(gt.lyapunov_exponent("sigmoid", *each).value < exponent.value for each in others)
    assert of_density("sigmoid", 3.189, 0)[0] == pytest.approx(exponent.value, abs=1e-7)


@pytest.mark.slow
def test_the_largest_exponent_of_tanh_is_zero():
    exponent = gt.largest_lyapunov_exponent("tanh")
    assert (exponent.value, exponent.sigma_b) == (0.0, 0.0)
    assert exponent.sigma_w == pytest.approx(math.exp(-LOG_NORMAL), rel=1e-15)
    assert gt.lyapunov_exponent("tanh", exponent.sigma_w * (1 - 1e-12), 0).value == pytest.approx(0, abs=1e-11)


@pytest.mark.slow
def test_periodic_ones_grow_for_ever(monkeypatch):
    monkeypatch.setattr(
        largest_exponent, "_LOG_WEIGHTS", np.array([0.0, 1.0])
    )  # the whole grid takes a minute and a half
    monkeypatch.setattr(largest_exponent, "_BIASES", (0.0, 1.0))
    largest_exponent._search.cache_clear()
    exponent = gt.largest_lyapunov_exponent("sine")
    largest_exponent._search.cache_clear()
    assert (exponent.value, exponent.sigma_w) == (math.inf, math.inf)
    # for large σ_w the phase is uniform: λ → log σ_w + E log|N| + E log|cos| = log σ_w + E log|N| - log 2
    far = gt.lyapunov_exponent("sine", 20, 20)
    assert far.value == pytest.approx(math.log(20) + LOG_NORMAL - math.log(2), abs=1e-6)


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("text", ["Max(0, sin(z))", "Max(sin(z), 1/2)"])
def test_periodic_ones_with_flat_pieces_do_not_grow(text):
    """Where the slope is 0 with positive probability λ is -inf, however large the weights."""
    assert gt.largest_lyapunov_exponent(gt.expression(text)).value == -math.inf


def test_periodic_ones_that_some_chains_never_leave_have_none():
    with pytest.raises(InvalidArgument, match="has no one exponent at"):
        gt.largest_lyapunov_exponent(gt.expression("Max(sin(z), -1/2)"))


def test_the_largest_exponent_of_what_is_flat_everywhere():
    assert gt.largest_lyapunov_exponent("relu6").value == -math.inf


@pytest.mark.parametrize(
    ("which", "at_most"),
    [("sigmoid", 0.0), ("softsign", 0.0), (sympy.tanh(_X) + 3, 0.0), ("gaussian", math.inf), ("sine", math.inf)],
    ids=str,
)
def test_what_is_proven_of_the_largest_exponent(monkeypatch, which, at_most):
    """In class N alone; the search is another matter, and takes long."""
    monkeypatch.setattr(largest_exponent, "_search", lambda record: largest_exponent.LargestExponent(-1.5, 3.0, 0.0))
    exponent = gt.largest_lyapunov_exponent(which)
    assert exponent.at_most == at_most
    assert exponent.guarantee is gt.Guarantee.NUMERIC
    assert ("λ ≤ 0 is proven" in repr(exponent)) == (at_most == 0.0)


def test_what_is_not_decided_is_not_called_proven(monkeypatch):
    def undecided(record):
        raise gt.errors.Undecided("too hard")

    monkeypatch.setattr(largest_exponent, "membership", undecided)
    monkeypatch.setattr(largest_exponent, "_search", lambda record: largest_exponent.LargestExponent(-1.5, 3.0, 0.0))
    assert gt.largest_lyapunov_exponent("sigmoid").at_most == math.inf


@pytest.mark.parametrize(
    ("which", "is_member"), [("sigmoid", True), ("tanh", True), ("softsign", True), ("sine", False)]
)
def test_whatever_the_weights_are_few_inputs_have_a_growing_gradient(which, is_member):
    """Weights chosen so that one input explodes in every layer, as a chain that knows its input: the others do not."""
    record, rng = gt.activation(which), np.random.default_rng(5)
    depth, place = 60, 0.3
    x = np.concatenate([[place], rng.uniform(-2, 2, 2000)])
    a, log_gradient = x.copy(), np.zeros_like(x)
    for _ in range(depth):
        w = 4 / float(record.slope(0.0))
        a, slope = record.value_and_slope(w * (a - a[0]))  # z = 0 at the first input: its factor is 4
        with np.errstate(divide="ignore"):
            log_gradient += np.log(np.abs(slope) * w)
    assert log_gradient[0] == pytest.approx(depth * math.log(4))
    share = (log_gradient[1:] / depth > 0.01).mean()
    assert share < 0.01 if is_member else share > 0.9


@pytest.mark.parametrize("activation", ["hard_tanh", "hard_tanh(lower=-2, upper=3)"])
def test_where_some_chains_die_and_others_never_do_there_is_none(activation):
    with pytest.raises(InvalidArgument, match="has no one exponent at σ_w"):
        gt.largest_lyapunov_exponent(activation)


@pytest.mark.slow
@pytest.mark.parametrize(("times", "within"), [(1e-3, 1.0), (1.0, 1e-3), (1.0, 100.0)])
def test_the_scale_of_an_activation_moves_the_place_alone(times, within):
    exponent = gt.largest_lyapunov_exponent(sympy.Rational(times) / (1 + sympy.exp(-sympy.Rational(within) * Z)))
    usual = gt.largest_lyapunov_exponent("sigmoid")
    assert exponent.value == pytest.approx(usual.value, abs=1e-6)
    assert exponent.sigma_w == pytest.approx(usual.sigma_w / times / within, rel=1e-3)


@pytest.mark.slow
def test_what_floats_cannot_follow_without_biases_is_refused():
    with pytest.raises(InvalidArgument, match="comes closer to 0 than floats can follow"):
        gt.largest_lyapunov_exponent(Z * sympy.exp(-sympy.Abs(Z)))


@pytest.mark.parametrize(
    ("sigma_w", "sigma_b", "expected"), [(20, 1e-12, 0.3475), (40, 1e-20, 0.2713), (40, 1e-6, -0.9951)]
)
def test_exponents_of_tails_that_cancel(sigma_w, sigma_b, expected):
    """Expected: the mean over 1,200 layers of 20,000 simulated chains, within 0.002."""
    exponent = gt.lyapunov_exponent(sympy.tanh(3 * Z) - sympy.tanh(Z), sigma_w, sigma_b)
    assert exponent.value == pytest.approx(expected, abs=0.003)
