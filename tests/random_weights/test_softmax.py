"""Softmax of Gaussian logits, against sampling, quadrature by mpmath, and an identity between its means."""

import math

import mpmath
import numpy as np
import pytest

from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures import attention
from gradtheory.random_weights.gaussian import softmax


def sampled(n, v, count=4000):
    logits = np.random.default_rng(3).normal(0, math.sqrt(v), (count, n))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    square = (p**2).sum(axis=1)
    return -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1), square, square - 2 * (p**3).sum(axis=1) + square**2


@pytest.mark.parametrize(("n", "v"), [(2, 1.0), (16, 0.01), (64, 9.0), (512, 1.0), (512, 256.0)])
def test_means_are_those_of_samples(n, v):
    moments = softmax(n, v)
    for sample, mean in zip(sampled(n, v), (moments.entropy, moments.participation, moments.jacobian), strict=True):
        assert abs(sample.mean() - mean) <= 4.5 * sample.std() / len(sample) ** 0.5
        assert mean.error < 1e-9


def test_two_logits_are_a_logistic_function_of_their_difference():
    def square(x):
        return (1 + mpmath.tanh(x / 2) ** 2) / 2  # p² + (1 - p)²

    v = mpmath.mpf(3)
    expected = mpmath.quad(lambda u: square(mpmath.sqrt(2 * v) * u) * mpmath.npdf(u), mpmath.linspace(-12, 12, 9))
    assert softmax(2, 3).participation == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(("n", "v"), [(8, 2.0), (1000, 30.0)])
def test_entropy_falls_as_its_derivative_says(n, v):
    """d E[log Z]/dv = (1 - E[Σ p²])/2, and the entropy is E[log Z] - v·(1 - E[Σ p²])."""
    h = 1e-4 * v
    before, here, after = (softmax(n, each) for each in (v - h, v, v + h))
    log_z = [each.entropy + each.variance * (1 - each.participation) for each in (before, after)]
    assert (log_z[1] - log_z[0]) / (2 * h) == pytest.approx((1 - here.participation) / 2, rel=1e-6)


@pytest.mark.slow
def test_limits():
    flat = softmax(10, 0)
    assert (flat.entropy, flat.participation) == pytest.approx((math.log(10), 0.1))
    assert softmax(10, 1e-6).entropy == pytest.approx(math.log(10), abs=1e-6)
    assert softmax(4, 2500).participation > 0.97


def test_logits_of_deviation_16_are_saturated():
    """Without 1/√d, keys of 256 dimensions: 1,024 weights have the entropy of one and a half."""
    saturated = softmax(1024, 16**2)
    assert saturated.is_saturated
    assert saturated.entropy == pytest.approx(0.385, abs=1e-3)
    assert not softmax(1024, 1).is_saturated
    assert "not saturated" in repr(softmax(1024, 1))


@pytest.mark.parametrize(
    "call", [lambda: softmax(1, 1), lambda: softmax(4, -1), lambda: softmax(4, 1e9), lambda: softmax(2.5, 1)]
)
def test_bad_input(call):
    with pytest.raises(InvalidArgument, match=r"^(tokens|variance) = "):
        call()


@pytest.mark.parametrize(
    "variance", [[1, 2.5], [[0.5], [0]], [], np.float32(2), np.array(3), (1, 1), np.asfortranarray(np.eye(2))]
)
def test_an_array_of_variances_gives_what_each_of_them_does(variance):
    moments = softmax(16, variance)
    assert np.shape(moments.entropy) == np.shape(moments.is_saturated) == np.shape(variance)
    for name in ("entropy", "participation", "jacobian"):
        many = getattr(moments, name)
        for place, v in np.ndenumerate(np.asarray(variance, dtype=float)):
            one = getattr(softmax(16, v), name)
            assert (float(many[place] if place else many), (many[place] if place else many).error) == (one, one.error)


def test_a_bad_entry_of_an_array_is_refused():
    with pytest.raises(InvalidArgument, match=r"^variance = .*entry \[1\] is -1"):
        softmax(16, [1, -1])
    with pytest.raises(InvalidArgument, match=r"^variance = .*at most 2500"):
        softmax(16, [1, 3000])


@pytest.mark.slow
def test_means_on_a_square_are_those_at_its_places():
    """Of two rows, as functions of log k and of the logarithm of the distance, which are interpolated between 100."""
    attention._around.cache_clear()
    patches, places = attention._around(8), np.random.default_rng(4).uniform(0, 0.25, (60, 2)) - [0, 0.25]
    for x, y in places:
        known, means = patches.at(x, y), attention._means(8, math.exp(x), -math.tanh(y / 2))
        for some, mean in zip(known or means, means, strict=True):
            assert abs(some - mean) <= some.error + mean.error
            assert some.error < 1e-10
    assert known is not None
    assert len(patches._patches) == 1
