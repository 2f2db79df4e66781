"""Attention at initialisation: against simulation, sampling, published limits, and gradients by differences."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.architectures.signal import Signal
from gradtheory.random_weights.gaussian.softmax_pairs import softmax_pair

_NORMED = [blocks.rms_norm(), blocks.attention(8, sigma_q=1.3)]


def sampled(n, v, c, count=20_000):
    """Return Σ p·q and tr(J_p·J_q) of pairs of rows."""
    u, e, f = np.random.default_rng(0).normal(size=(3, count, n)) * math.sqrt(v)
    shared, own = math.sqrt(abs(c)), math.sqrt(1 - abs(c))
    p, q = (np.exp(logits) for logits in (shared * u + own * e, math.copysign(shared, c) * u + own * f))
    p, q = (each / each.sum(axis=1, keepdims=True) for each in (p, q))
    overlap = (p * q).sum(axis=1)
    return overlap, overlap - (p * p * q).sum(axis=1) - (p * q * q).sum(axis=1) + overlap**2


@pytest.mark.parametrize(
    ("n", "v", "c"), [(8, 1.0, 0.5), (8, 4.0, -0.1), pytest.param(32, 9.0, 0.7, marks=pytest.mark.slow)]
)
def test_means_over_two_rows_are_those_of_samples(n, v, c):
    for sample, mean in zip(sampled(n, v, c), softmax_pair(n, v, c), strict=True):
        assert abs(sample.mean() - mean) <= 4.5 * sample.std() / len(sample) ** 0.5
        assert mean.error < 1e-9


def test_rows_that_are_independent_or_one():
    n, v = 16, 1.5
    row = gt.gaussian.softmax(n, v)
    apart, one = softmax_pair(n, v, 0.0), softmax_pair(n, v, 1.0)
    assert apart.overlap == pytest.approx(1 / n, rel=1e-11)
    assert apart.jacobians == pytest.approx((1 - row.participation) ** 2 / (n - 1), rel=1e-10)  # tr(E[J]²)
    assert one == pytest.approx((row.participation, row.jacobian), rel=1e-10)
    assert softmax_pair(n, 1e-9, 0.5) == pytest.approx(softmax_pair(n, 0.0, 0.5), rel=1e-6)
    wide, narrow = (softmax_pair(4, 1.0, c) for c in (1.0 - 1e-9, 1.0))  # the two ways of the shared part meet
    assert wide == pytest.approx(narrow, rel=1e-6)


@pytest.mark.parametrize("c", [0.5, -0.9])
def test_the_rules_for_narrow_and_for_wide_logits_meet(c):
    at = 1.0 / abs(c)  # where the part that is shared has variance 1
    narrow, wide = (softmax_pair(8, at * scale, c) for scale in (1.0 - 1e-12, 1.0 + 1e-12))
    for mean, same in zip(narrow, wide, strict=True):
        assert abs(mean - same) <= mean.error + same.error + 1e-11 * mean


@pytest.mark.slow
def test_means_behind_a_norm_are_interpolated_within_their_error():
    block = blocks.attention(12, sigma_k=0.9)
    for q, c in [*((1.0, 0.3 + 0.005 * step) for step in range(60)), (1.0, 0.9), (2.0, 0.4)]:
        step = block.step(Signal(q, q * c), 1)
        v = 0.81 * q * q * (1.0 - c)
        row, pair = gt.gaussian.softmax(12, v), softmax_pair(12, v, c)
        assert step.signal.variance == pytest.approx(q * (c + (1.0 - c) * row.participation), rel=1e-13)
        assert step.signal.covariance == pytest.approx(q * (c + (1.0 - c) * pair.overlap), rel=1e-13)
        assert step.mixing[0] == pytest.approx(11 * (pair.overlap + v * c * pair.jacobians), rel=1e-12)


def test_logits_beyond_the_tables_are_undecided():
    with pytest.raises(Undecided, match=r"logits of attention reach a variance of .*, beyond 2,500: put a norm"):
        gt.architecture([blocks.attention(4, sigma_q=40.0)]).propagate(2, variance=2.0)


_SIMULATED = {
    "pre-norm": ([blocks.residual(_NORMED)], 0.2),
    "plain": ([blocks.attention(8)], 0.3),
    "post-norm": ([blocks.residual([blocks.attention(8, sigma_v=1.2)]), blocks.layer_norm()], 0.5),
    "transformer": (
        [blocks.residual(_NORMED), blocks.residual([blocks.rms_norm(), blocks.dense("relu", 2**0.5)])],
        0.3,
    ),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", _SIMULATED)
def test_simulated_networks_agree(which):
    made, c = _SIMULATED[which]
    theory = gt.architecture(made).propagate(3, correlation=c)
    sample = gt.architecture(made).simulate(3, 256, networks=10, inputs=32, correlation=c, seed=1)
    for measured, limit in (
        (sample.variance, theory.variance[1:]),
        (sample.correlation, theory.correlation[1:]),
        (sample.gradient, theory.gradient[:-1]),
    ):
        apart = np.abs(measured.mean - limit)
        assert np.all(apart <= 4.5 * measured.standard_error + 0.04 * np.abs(limit)), (which, apart)


@pytest.mark.slow
def test_the_second_layer_is_a_limit_of_many_heads():
    """Of its Gram matrices, whose logits are Gaussian: one head stays 9 % off at any width, h heads 9 %/h."""
    n, scale, count, rng = 8, 1.5, 4000, np.random.default_rng(0)
    made = [blocks.rms_norm(), blocks.attention(n, sigma_q=scale)]
    limit = gt.architecture(made).propagate(2).variance[2]
    for heads, off in ((1, 0.0896), (16, 0.0896 / 16)):
        gram = np.broadcast_to(np.eye(n), (count, n, n))
        for _ in range(2):
            root = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
            gram = gram / root[:, :, None] / root[:, None, :]
            factor, total = np.linalg.cholesky(gram), np.zeros_like(gram)
            for _ in range(heads):
                a = np.exp(scale * factor @ rng.standard_normal((count, n, n)) @ np.swapaxes(factor, 1, 2))
                a /= a.sum(axis=2, keepdims=True)
                total += a @ gram @ np.swapaxes(a, 1, 2) / heads
            gram = total
        sample = np.trace(gram, axis1=1, axis2=2) / n
        assert abs(sample.mean() / limit - 1 - off) <= 4.5 * sample.std() / count**0.5 / limit + 0.002
    one, many = (
        gt.architecture([made[0], blocks.attention(n, sigma_q=scale, heads=heads)]).simulate(
            2, 256, networks=20, inputs=64, correlation=0.0
        )
        for heads in (1, 16)
    )
    assert abs(many.variance.mean[1] / limit - 1) < 0.03 < one.variance.mean[1] / limit - 1


@pytest.mark.parametrize("n", [2, 3, 8])
def test_tokens_as_unlike_as_can_be_come_closer(n):
    """The least correlation is -1/(n - 1)."""
    flow = gt.architecture([blocks.residual([blocks.rms_norm(), blocks.attention(n)])]).propagate(3, 1, -1 / (n - 1))
    assert flow.correlation[0] == -1 / (n - 1)
    assert np.all(np.diff(flow.correlation) >= -1e-12)


@pytest.mark.parametrize("scaled", [True, False])
def test_gradients_of_drawn_attention_are_difference_quotients(scaled):
    z, direction, delta = np.random.default_rng(0).standard_normal((3, 12, 8))
    layer, h = (
        blocks.attention(4, head_size=3, scaled=scaled, heads=1 + scaled).draw(np.random.default_rng(1), 12, 5),
        1e-6,
    )
    quotient = np.sum(delta * (layer(z + h * direction)[0] - layer(z - h * direction)[0])) / (2 * h)
    assert np.sum(layer(z)[1](delta) * direction) == pytest.approx(quotient, rel=1e-6)


def test_tokens_mix_within_their_sequence_only():
    z = np.random.default_rng(0).standard_normal((6, 8))  # columns: 4 tokens of 2 sequences, first tokens first
    layer = blocks.attention(4).draw(np.random.default_rng(1), 6, 1)
    moved = z.copy()
    moved[:, 2] += 1.0
    changes = np.abs(layer(moved)[0] - layer(z)[0]).max(axis=0) > 1e-12
    assert changes.tolist() == [True, False] * 4


def test_uniform_attention_is_that_of_noci_et_al():
    """The sum of all products of tokens grows by 1 + α²σ_v² in each layer (Noci et al. 2022, section 3)."""
    n, scale, sigma_v = 16, 0.5, 0.7
    uniform = blocks.attention(n, sigma_q=0, sigma_v=sigma_v)
    flow = gt.architecture([blocks.residual([uniform], scale)]).propagate(10, correlation=0.2)
    total = flow.variance * (1 + (n - 1) * flow.correlation)
    assert total[1:] / total[:-1] == pytest.approx(np.full(10, 1 + (scale * sigma_v) ** 2))
    alone = gt.architecture([uniform]).propagate(1, correlation=0.2)
    assert alone.correlation[1] == pytest.approx(1)
    # DeepScaleLM (Kedia et al. 2024), table 1: attention that is nearly uniform leaves (1 + (n - 1)·r)/n of a variance
    assert alone.variance[1] == pytest.approx(sigma_v**2 * (1 + (n - 1) * 0.2) / n)


def test_weights_have_the_variance_of_deepscalelm():
    """For many tokens n²·Var[A_ij] tends to e^v - 1 (Kedia et al. 2024, table 1: softmax)."""
    n, v = 10**6, 1.0
    participation = gt.gaussian.softmax(n, v).participation
    assert n * n * (participation / n - 1 / n**2) == pytest.approx(math.e - 1, rel=1e-4)


@pytest.mark.slow
def test_pure_attention_loses_rank_doubly_exponentially():
    """1 - c is squared, up to a factor, in each layer (Dong et al. 2021)."""
    pure = gt.architecture([blocks.attention(8)])
    left = 1 - pure.propagate(3).correlation
    assert np.all(left[1:] <= left[:-1] ** 2)
    assert left[3] < 1e-6
    scale = pure.depth_scale
    assert scale <= scale.error + 0.1


def test_a_norm_lets_tokens_settle():
    post = gt.architecture([blocks.residual([blocks.attention(8, sigma_q=0, sigma_v=1.2)]), blocks.layer_norm()])
    scale = post.depth_scale  # 1 - c falls by 1 + σ_v² in each layer
    assert abs(scale - 1 / math.log(1 + 1.44)) <= scale.error + 1e-4
    with pytest.raises(Undecided, match="does not settle"):
        gt.architecture([blocks.residual([blocks.attention(8, sigma_q=0)])]).depth_scale  # noqa: B018  # a property


def test_a_slope_that_is_not_told_from_0_makes_a_small_scale():
    """Behind a norm 1 - c is squared, up to a factor, in each layer."""
    scale = gt.architecture([blocks.rms_norm(), blocks.attention(8)]).depth_scale
    assert scale == 0.0
    assert scale.error < 0.1


@pytest.mark.slow
def test_what_every_layer_does_is_an_eigenvalue():
    """Once tokens are one another the gradient of their sum is what is left: σ_v² a layer."""
    pure = gt.architecture([blocks.attention(8, sigma_q=0, sigma_v=1.5)])
    assert pure.critical("sigma_v", least=0.2, most=5) == pytest.approx(1, rel=1e-6)


@pytest.mark.slow
def test_logits_without_the_square_root_are_saturated():
    without = blocks.attention(1024, head_size=256, scaled=False)
    assert without.softmax().variance == 16**2
    assert without.softmax().is_saturated
    assert without.softmax().entropy == pytest.approx(0.385, abs=1e-3)
    scaled = blocks.attention(1024, head_size=256)
    assert not scaled.softmax().is_saturated
    assert scaled.softmax(2, 0.25).variance == pytest.approx(3)  # κ·q²·(1 - c)
    assert repr(without) == "attention(1024, head_size=256, scaled=False)"
    assert repr(blocks.attention(4, sigma_v=2)) == "attention(4, sigma_v=2)"
    assert repr(blocks.attention(4, heads=3)) == "attention(4, heads=3)"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: blocks.attention(1), "tokens = 1"),
        (lambda: blocks.attention(4, sigma_q=-1), "sigma_q = -1"),
        (lambda: blocks.attention(4, heads=0), "heads = 0"),
        (
            lambda: gt.architecture([blocks.attention(8)]).propagate(1, correlation=-0.15),
            "correlation = -0.15: must be at least -1/7, as any two of 8 tokens have it",
        ),
        (lambda: blocks.attention(3).softmax(1, -0.6), "correlation = -0.6: must be at least -1/2"),
        (
            lambda: gt.architecture([blocks.batch_norm(), blocks.dense()]).propagate(1, correlation=-0.1),
            "correlation = -0.1: must be at least 0, as any two of a large batch have it",
        ),
        (lambda: blocks.attention(4, scaled="yes"), "scaled = 'yes'"),
        (lambda: gt.architecture([blocks.attention(4), blocks.attention(8)]), "over one number of tokens"),
        (lambda: gt.architecture([blocks.attention(4), blocks.batch_norm()]), "without batch_norm"),
        (lambda: gt.architecture([blocks.attention(3)]).simulate(1, 8, inputs=6), "inputs = 6: must be a multiple"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_tokens_behind_a_norm_become_one_another_at_the_rate_of_the_residual():
    """Beside c = 1 attention takes 1 - c to a number of higher order, so that one half is left of x + f(x), normed."""
    depth_scale = gt.architecture([blocks.residual([blocks.attention(8)]), blocks.layer_norm()]).depth_scale
    assert abs(depth_scale - 1.0 / math.log(2.0)) <= depth_scale.error < 1e-8
    kinked = [blocks.residual([blocks.attention(8)]), blocks.layer_norm(), blocks.dense("relu", 2**0.5)]
    rough = gt.architecture([*kinked, blocks.rms_norm()]).depth_scale  # the slope of relu's map at 1 is 1, with a root
    assert abs(rough - 1.0 / math.log(2.0)) <= rough.error < 1e-2


def test_two_tokens_of_which_one_is_the_opposite_of_the_other():
    """Were divided by 0: the limit of correlations near -1."""
    pair = gt.architecture([blocks.residual([blocks.attention(2)], 0.5)])
    opposite, nearly = pair.propagate(2, correlation=-1), pair.propagate(2, correlation=-1 + 1e-9)
    assert opposite.correlation == pytest.approx([-1, -1, -1])
    assert opposite.variance == pytest.approx(nearly.variance, rel=1e-7)
    assert opposite.gradient == pytest.approx(nearly.gradient, rel=1e-7)
