"""Short float types against ml_dtypes, loss scales against counting, and GradScaler's rule against them."""

import math

import ml_dtypes
import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.floats import ALL_TYPES

_RNG = np.random.default_rng(0)
_NUMPY = {"float16", "float32", "float64"}


def _dtype(name):
    return np.dtype(name if name in _NUMPY else getattr(ml_dtypes, name))


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_limits_and_rounding_are_those_of_ml_dtypes(kind):
    name = kind
    ours, theirs = gt.precision.range(name), ml_dtypes.finfo(_dtype(name))
    for limit in ("max", "smallest_normal", "smallest_subnormal", "eps"):
        assert getattr(ours, limit) == float(getattr(theirs, limit))
    assert gt.precision.range(_dtype(name)) == ours
    overflow = 1e308 if name == "float64" else float(ours.overflow)
    ends = np.outer([overflow, ours.max / 2, float(ours.underflow)], [1, -1]).ravel()
    near = np.outer(ends, [0.99, 1.01]).ravel()  # ml_dtypes rounds by way of float32
    numbers = _RNG.standard_normal(4000) * 2.0 ** _RNG.integers(-30, 20, 4000)
    numbers = np.concatenate([numbers, ends, near, [0.0, -0.0, np.inf, -np.inf, np.nan]])
    with np.errstate(all="ignore"):
        expected = numbers.astype(_dtype(name)).astype(float)
    np.testing.assert_array_equal(ours.rounded(numbers), expected)
    assert ours.storage == (_dtype(name) if name in _NUMPY else np.float32)


def test_e4m3_is_the_variant_of_deep_learning_and_no_other():
    assert gt.precision.range("float8_e4m3").name == "float8_e4m3fn"
    with pytest.raises(InvalidArgument, match="take 'float8_e4m3fn'"):
        gt.precision.range(ml_dtypes.float8_e4m3)
    with pytest.raises(InvalidArgument, match="must be one of 'float8_e4m3fn', 'float8_e5m2', 'float16'"):
        gt.precision.range("float8")
    with pytest.raises(InvalidArgument, match="must be one of 'float16', 'bfloat16'"):
        gt.overflow_depth(2, "float8_e5m2")
    assert "max 448" in repr(gt.precision.range("float8_e4m3"))


def _gradients():
    return {"first": 1e-6 * _RNG.standard_normal((30, 40)), "second": 1e-3 * _RNG.standard_normal(700) ** 3}


@pytest.mark.parametrize("kind", ["float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "float32"])
@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_ends_are_where_gradients_are_lost(kind, flush, share):
    name = kind
    kind, gradients = gt.precision.range(name), _gradients()
    scales = gt.precision.loss_scale(gradients, name, share=share, flush=flush)
    least = kind.smallest_normal if flush else kind.smallest_subnormal
    for gradient, lower, upper in zip(gradients.values(), scales.lower, scales.upper, strict=True):

        def underflow(scale, gradient=gradient):
            return np.mean(np.abs(kind.rounded(scale * gradient)) < least)

        def overflows(scale, gradient=gradient):
            with np.errstate(over="ignore"):
                return not np.isfinite(kind.rounded(scale * gradient)).all()

        assert underflow(lower * (1 + 1e-12)) <= share < underflow(lower * (1 - 1e-12))
        assert not overflows(upper * (1 - 1e-12))
        assert overflows(upper * (1 + 1e-12))


def test_sizes_between_powers_of_2_are_right_among_powers_of_2():
    gradients = _gradients()
    sizes = {name: gt.precision.GradientSizes.of([each]) for name, each in gradients.items()}
    exact, rough = (gt.precision.loss_scale(each, share=0.02) for each in (gradients, sizes))
    assert rough.upper == pytest.approx(exact.upper)
    for lower, least in zip(rough.lower, exact.lower, strict=True):
        assert math.log2(lower).is_integer()
        assert lower / 2 <= least <= lower
    empty = gt.precision.GradientSizes.of([np.zeros(3)])
    assert repr(empty) == "no entries other than 0"
    nothing = gt.precision.loss_scale({"dead": np.zeros(3), "too": empty})
    assert (nothing.least, nothing.most) == (0, math.inf)
    edges = gt.precision.GradientSizes.of([np.array([0.5, 0.5000001, 1.0, -4.0])], [np.array([9.0])])
    assert (edges.largest, edges.exponents, edges.counts) == (9.0, (-1, 0, 2), (1, 2, 1))


def test_layers_of_an_architecture_have_gaussian_gradients():
    share, count, rms = 0.01, 4000, 1e-7
    flow = gt.architecture([blocks.dense("relu", 2)]).propagate(4)
    scales = gt.precision.loss_scale(flow, share=share, output=rms, entries=count)
    assert scales.layers == ("input", "after layer 1", "after layer 2", "after layer 3", "output")
    assert scales.lower[:-1] / scales.lower[1:] == pytest.approx(1 / math.sqrt(2))  # χ = σ_w²/2 = 2
    kind, draws = gt.precision.range("float16"), rms * _RNG.standard_normal((100, count))
    lost = np.mean(kind.rounded(scales.lower[-1] * draws) == 0)
    assert lost == pytest.approx(share, abs=5 * math.sqrt(share / draws.size))
    overflow = np.mean(np.isinf(kind.rounded(scales.upper[-1] * draws)).any(axis=1))
    assert overflow <= 0.05  # a probability of at most 0.01
    growth = gt.precision.loss_scale(
        gt.Growth("exponential", gt.Estimate(2, 0), (4, 8), (math.log(16), math.log(256))), share=share, output=rms
    )
    assert growth.layers[-1] == "4 layers before the output"
    assert growth.lower[-1] == pytest.approx(scales.lower[0])


def test_what_explodes_over_the_range_has_no_scale():
    flow = gt.architecture([blocks.dense("relu", 2)]).propagate(90)
    scales = gt.precision.loss_scale(flow)
    assert scales.is_empty
    assert not scales.suits_grad_scaler
    assert repr(scales).startswith("no loss scale for float16: output asks for more than")
    assert not gt.precision.loss_scale(flow, "bfloat16").is_empty


def test_an_audit_knows_the_sizes_of_its_gradients():
    w = [_RNG.normal(0, (2 / 16) ** 0.5, (16, 16)) for _ in range(3)]
    network = gt.Network((16,) * 4, "relu", w=w, b=[np.zeros(16)] * 3)
    x, y = _RNG.normal(size=(8, 16)), _RNG.normal(size=(8, 16))
    scales = gt.precision.loss_scale(gt.audit(network, x, y), share=0.02)
    back = network.backprop(x, y, w, [np.zeros(16)] * 3)
    arrays = {f"layer{k}": np.concatenate([np.ravel(back.w[k - 1]), back.b[k - 1]]) for k in (1, 2, 3)}
    exact = gt.precision.loss_scale(arrays, share=0.02)
    assert scales.layers == ("layer1", "layer2", "layer3")
    assert np.all((exact.lower <= scales.lower) & (scales.lower <= 2 * exact.lower))
    assert np.all(scales.upper <= exact.upper * (1 + 1e-12))


@pytest.mark.parametrize("most", [0.3, 1000.0, 2.0**14, 1e9])
def test_grad_scaler_stays_within_a_factor_of_2_below_the_most(most):
    steps = 60_000
    run = gt.precision.grad_scaler(most, steps)
    down, up = math.log2(2**16 / most), math.log2(most / 2**16)
    settled = 2000 * max(0, math.ceil(up) + 1) + max(0, math.ceil(down) + 1)
    taken = run.scales[settled:][~run.is_skipped[settled:]]
    assert np.all((taken < most) & (taken >= most / 2))
    assert np.mean(run.is_skipped[settled:]) == pytest.approx(1 / 2001, rel=0.1)
    assert np.all(run.scales[run.is_skipped] >= most)
    assert f"{steps} steps" in repr(run)


def test_a_scale_that_suits_grad_scaler_loses_no_more_than_its_share():
    gradients = {"layer": 1e-4 * _RNG.standard_normal(1000)}
    scales = gt.precision.loss_scale(gradients, share=0.01)
    assert scales.suits_grad_scaler
    run = gt.precision.grad_scaler(scales, 30_000)
    taken = run.scales[-10_000:][~run.is_skipped[-10_000:]]
    kind = gt.precision.range("float16")
    for scale in np.unique(taken):
        rounded = kind.rounded(scale * gradients["layer"])
        assert np.isfinite(rounded).all()
        assert np.mean(rounded == 0) <= 0.01
    shrinking = gt.precision.grad_scaler(np.geomspace(1e6, 1.0, 400))
    assert np.array_equal(shrinking.is_skipped, shrinking.scales >= np.geomspace(1e6, 1.0, 400))
    assert gt.precision.grad_scaler(1e308, 5, initial=2.0**126, growth_interval=1).scales[-1] == 2.0**127
    with pytest.raises(InvalidArgument, match="initial"):
        gt.precision.grad_scaler(1e308, 5, initial=1e39)


@pytest.mark.parametrize(
    ("sizes", "suits"),
    [
        ([1e-60, 2e-60], False),  # ask for more than 2.98e52
        ([1e-46, 2e-46], False),  # for more than 2.98e38
        ([2e-46, 2e-46], True),  # 2^127 is right, though the greatest is 3.3e50
        ([1e38, 2e38], True),
        ([1e43, 2e43], False),  # the reciprocal of 3e-39 is beyond float32
        ([2.0**-28, 4095], False),  # 8 rounds the first to 0, and 16 the second to inf
        ([2.0**-27, 4095], True),
    ],
)
def test_scales_that_suit_grad_scaler_are_float32(sizes, suits):
    scales = gt.precision.loss_scale({"layer": sizes})
    run = gt.precision.grad_scaler(scales, 300_000)
    scale = run.scales[~run.is_skipped][-1]
    with np.errstate(over="ignore"):
        rounded = gt.precision.range("float16").rounded(scale * np.array(sizes))
        is_right = np.isfinite(rounded).all() and rounded.all() and np.isfinite(np.float32(1 / scale))
    assert scales.suits_grad_scaler == is_right == suits


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.precision.loss_scale({}), "gradients = {}: must be a Growth or Propagation"),
        (lambda: gt.precision.loss_scale(3), "gradients = 3: must be a Growth or Propagation"),
        (lambda: gt.precision.loss_scale({"a": [np.inf]}), r"gradients\['a'\]"),
        (lambda: gt.precision.loss_scale({"a": [1.0]}, share=1), "share = 1: must be below 1"),
        (lambda: gt.precision.loss_scale({"a": [1.0]}, share=1e-300), "share = 1e-300: must be at least 1e-200"),
        (lambda: gt.precision.loss_scale({"a": [1.0]}, flush="no"), "flush = 'no'"),
        (
            lambda: gt.precision.loss_scale({"a": gt.precision.GradientSizes.of([np.array([1.0, np.nan])])}),
            r"gradients\['a'\] = 1 entries other than 0, and some that are nan: must be finite",
        ),
        (lambda: gt.precision.grad_scaler([[1.0]]), r"most.shape = \(1, 1\)"),
        (lambda: gt.precision.grad_scaler(1, growth_factor=1), "growth_factor = 1: must be more than 1"),
        (lambda: gt.precision.grad_scaler(1, backoff_factor=1), "backoff_factor = 1: must be less than 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_a_loss_scale_beyond_float64_is_said_plainly():
    tiny = gt.precision.loss_scale({"first": [5e-324, 5e-324]})
    assert (tiny.least, tiny.most, tiny.is_empty) == (math.inf, math.inf, True)
    assert repr(tiny) == "no loss scale for float16: first asks for more than any float64"
    zero = gt.precision.loss_scale({"first": [0.0]})
    assert repr(zero) == "loss scale between 0 and any float64 for float16 (numeric)"


def test_a_product_that_leaves_float64_on_the_way_does_no_harm():
    great = gt.precision.loss_scale({"first": [1e308]}, output=1e10)
    assert great.most == pytest.approx(65520 / 1e308 / 1e10, rel=1e-6)
    small = gt.precision.loss_scale({"first": [1e-200]}, "bfloat16", output=1e-130)
    assert small.least == pytest.approx(2.0**-134 / 1e-200 / 1e-130, rel=1e-6)
    subnormal = {"first": gt.precision.GradientSizes.of([np.array([5e-324])])}
    assert gt.precision.loss_scale(subnormal, "float64").least == 0.5


@pytest.mark.parametrize(
    ("made", "rate"),
    [
        ([blocks.dense("relu"), blocks.batch_norm()], math.pi / (math.pi - 1)),
        ([blocks.dense("identity", 0.5, 0.75**0.5), blocks.rms_norm()], 1 / 4),  # q = 1/4 + 3/4
    ],
    ids=["grows", "fades"],
)
def test_mean_squares_that_leave_float64_have_roots_within(made, rate):
    """rate^±2048 is far beyond float64, its root is not, or the scale."""
    made, depth, log = gt.architecture(made), 2048, math.log(rate)
    flow = made.propagate(depth)
    assert flow.log_gradient == pytest.approx(log * np.arange(depth, -1, -1), rel=1e-9, abs=1e-9)
    with np.errstate(all="ignore"):
        assert flow.gradient == pytest.approx(np.exp(flow.log_gradient), rel=1e-9)
    assert f"e^{log * depth:.2f}" in repr(flow)
    for gradients, first in ((flow, "input"), (made.growth, f"{depth} layers before the output")):
        scales = gt.precision.loss_scale(gradients, "bfloat16", output=1e-4)
        assert scales.layers[0] == first
        of_one = gt.precision.loss_scale(made.propagate(1), "bfloat16", output=1e-4)
        for end, least in ((scales.lower, of_one.lower), (scales.upper, of_one.upper)):
            expected = math.log(least[-1]) - log * depth / 2
            assert end[0] == math.inf if expected > 709.7 else math.log(end[0]) == pytest.approx(expected, abs=1e-6)


def test_a_gradient_of_0_asks_for_no_scale():
    flow = gt.architecture([blocks.dense(gt.expression("sign(z)"))]).propagate(3)
    assert flow.log_gradient.tolist() == [-math.inf, -math.inf, -math.inf, 0.0]
    scales = gt.precision.loss_scale(flow)
    assert (scales.lower[0], scales.upper[0]) == (0.0, math.inf)
    assert not scales.is_empty
