"""NumPy backprop: against the SymPy chain at 50 digits, shapes, extremes."""

import threading
import warnings

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given, target
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.chains import backprop as room
from gradtheory.errors import InvalidArgument
from tests.chains.rounding import float_chain

_weights = st.floats(-50, 50).map(lambda w: round(w, 6))
_data = st.floats(-3, 3).map(lambda x: round(x, 6))


def sympy_gradients(chain, x, y, w, b, digits):
    """Evaluate the SymPy chain's own equations layer by layer, and its gradients, by mpmath."""
    with mpmath.workdps(digits):
        values = dict(zip((chain.x, chain.y, *chain.w, *chain.b), map(mpmath.mpf, (x, y, *w, *b)), strict=True))
        for equation in (*chain.forward(), *chain.backward()):
            values[equation.lhs] = evaluated(equation.rhs, values)
        gradients = {symbol: evaluated(gradient, values) for symbol, gradient in chain.gradients().items()}
        return values[chain.C], gradients


def digits_needed(names, x, w, b):
    """Return how many digits leave 50 where 1 - σ(z) cancels, and where σ(z) tends to 0 as exp(-z²/2)."""
    value = x
    for name, weight, bias in zip(names, w, b, strict=True):
        z = weight * value + bias
        value = float(gt.activation(name).value(z))
    return 420 + int(min(abs(z), 1e6))


def evaluated(expr, values):
    symbols = sorted(expr.free_symbols, key=str)
    return sympy.lambdify(symbols, expr, "mpmath")(*(values[symbol] for symbol in symbols))


@st.composite
def chains(draw, last=None):
    depth = draw(st.integers(1, 12))
    names = [draw(st.sampled_from(gt.activation_names())) for _ in range(depth)]
    names[-1] = last or names[-1]
    w, b = ([draw(_weights) for _ in range(depth)] for _ in range(2))
    x, y = draw(_data), draw(_data)
    assume(stays_moderate(names, x, w, b))
    return names, x, y, w, b


def stays_moderate(names, x, w, b):
    """Return whether float64 neither overflows, as a few layers of exponential do, nor loses every digit of some z."""
    product = 1.0
    for name, weight, bias in zip(names, w, b, strict=True):
        z = weight * x + bias
        x, slope = gt.activation(name).value(z), gt.activation(name).slope(z)
        product *= max(abs(slope * weight), 1.0)
        if max(abs(z), abs(x)) > 1e100 or product > 1e13:
            return False
    return True


def check_agreement(names, loss, x, y, w, b):
    digits = digits_needed(names, x, w, b) if loss == "cross_entropy" else 420
    chain = gt.Chain(depth=len(names), activation=names, loss=loss)
    ours = chain.backprop(x=x, y=y, w=w, b=b)
    cost, by_w, by_b, by_x = float_chain(names, loss, x, y, w, b)
    exact_cost, exact = sympy_gradients(chain, x, y, w, b, digits)
    ranges = [cost, *by_w, *by_b, by_x]
    floats = [ours.loss, *ours.w, *ours.b, ours.x]
    exacts = [exact_cost, *(exact[symbol] for symbol in (*chain.w, *chain.b, chain.x))]
    for where, number, reference in zip(ranges, floats, exacts, strict=True):
        with mpmath.workdps(60):
            assert reference in where
            assert mpmath.mpf(float(number)) in where
    return ranges


@given(chains())
def test_agrees_with_sympy(case):
    names, x, y, w, b = case
    ranges = check_agreement(names, "squared", x, y, w, b)
    target(float(sum(each.is_narrow for each in ranges)))


@given(chains(last="sigmoid"))
def test_agrees_with_sympy_for_cross_entropy(case):
    names, x, y, w, b = case
    assume(digits_needed(names, x, w, b) < 5_000)
    check_agreement(names, "cross_entropy", x, abs(y) / 3, w, b)


def test_agrees_with_sympy_for_every_activation(shape):
    rng = np.random.default_rng(7)
    narrow = 0
    for depth in (1, 3, 6):
        w, b = rng.normal(0, 2, (2, depth)).round(4).tolist()
        ranges = check_agreement([shape] * depth, "squared", 0.3, 0.8, w, b)
        narrow += sum(each.is_narrow for each in ranges)
    assert narrow > 10, "the bounds are too wide to say anything"


def test_a_wrong_formula_falls_outside_the_bounds():
    names, w, b = ["tanh"] * 3, [1.5, -2.0, 0.7], [0.1, 0.2, -0.3]
    _, by_w, by_b, _ = float_chain(names, "squared", 0.3, 0.8, w, b)
    right = gt.Chain(depth=3, activation="tanh").backprop(x=0.3, y=0.8, w=w, b=b)
    for where, number in zip((*by_w, *by_b), (*right.w, *right.b), strict=True):
        assert float(number) in where
        assert float(number) * (1 + 1e-12) not in where


@pytest.mark.parametrize(
    ("x", "y", "w", "b"),
    [
        ((), (), (3,), (3,)),
        ((4,), (4,), (3,), (3,)),
        ((), (4,), (3,), (3,)),
        ((2, 1), (5,), (3,), (3,)),
        ((2, 5), (2, 5), (3, 2, 5), (3,)),
        ((2, 5), (), (3,), (3, 5)),
        ((2, 5), (), (3, 5), (3,)),
        ((5,), (5,), (3, 1), (3, 2, 1)),
        ((0,), (0,), (3,), (3,)),
        ((1,), (1,), (3,), (3, 1)),
    ],
)
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_shapes_and_sums(x, y, w, b, loss):
    rng = np.random.default_rng(1)
    arrays = {name: rng.uniform(0.1, 0.9, shape) for name, shape in (("x", x), ("y", y), ("w", w), ("b", b))}
    batch = np.broadcast_shapes(x, y, w[1:], b[1:])
    chain = gt.Chain(depth=3, activation=["tanh", "softsign", "sigmoid"], loss=loss)
    total, each = chain.backprop(**arrays), chain.backprop(**arrays, reduction="none")
    assert (total.w.shape, total.b.shape, total.x.shape) == (w, b, x)
    assert (each.loss.shape, each.x.shape, each.w.shape, each.b.shape) == (batch, batch, (3, *batch), (3, *batch))
    assert isinstance(total.loss, float)
    assert total.loss == pytest.approx(each.loss.sum(), rel=1e-13)
    for index in np.ndindex(batch):
        one = chain.backprop(
            **{name: np.broadcast_to(arrays[name], batch)[index] for name in ("x", "y")},
            **{
                name: np.broadcast_to(_aligned(arrays[name], batch), (3, *batch))[(slice(None), *index)]
                for name in ("w", "b")
            },
        )
        for ours, theirs in ((each.loss, one.loss), (each.x, one.x)):
            np.testing.assert_allclose(ours[index], theirs, rtol=1e-13)
        for ours, theirs in ((each.w, one.w), (each.b, one.b)):
            np.testing.assert_allclose(ours[(slice(None), *index)], theirs, rtol=1e-13)
    np.testing.assert_allclose(total.w.sum(), each.w.sum(), rtol=1e-12)
    np.testing.assert_allclose(total.b.sum(), each.b.sum(), rtol=1e-12)
    np.testing.assert_allclose(total.x.sum(), each.x.sum(), rtol=1e-12)


def _aligned(array, batch):
    return array.reshape(3, *(1,) * (len(batch) + 1 - array.ndim), *array.shape[1:])


def test_large_batches_are_taken_in_blocks_with_the_same_result():
    rng = np.random.default_rng(3)
    x, y, w, b = rng.normal(size=40_000), rng.random(40_000), rng.normal(size=5), rng.normal(size=5)
    chain = gt.Chain(depth=5)
    whole, each = chain.backprop(x=x, y=y, w=w, b=b), chain.backprop(x=x, y=y, w=w, b=b, reduction="none")
    np.testing.assert_allclose(whole.w, each.w.sum(axis=1), rtol=1e-11)
    np.testing.assert_allclose(whole.b, each.b.sum(axis=1), rtol=1e-11)
    np.testing.assert_array_equal(whole.x, each.x)
    some = slice(16_380, 16_390)
    np.testing.assert_array_equal(each.w[:, some], chain.backprop(x=x[some], y=y[some], w=w, b=b, reduction="none").w)


def test_blocks_take_each_sample_its_own_parameters():
    rng = np.random.default_rng(4)
    x, y, w, b = rng.normal(size=40_000), rng.random(40_000), rng.normal(size=(2, 40_000)), rng.normal(size=(2, 1))
    chain = gt.Chain(depth=2, activation="tanh")
    whole = chain.backprop(x=x, y=y, w=w, b=b)
    for some in (slice(10), slice(-10, None)):
        one = chain.backprop(x=x[some], y=y[some], w=w[:, some], b=b)
        np.testing.assert_array_equal(whole.w[:, some], one.w)
        np.testing.assert_array_equal(whole.x[some], one.x)


@pytest.mark.parametrize(
    ("depth", "size", "block"),
    [
        (1, 0, 1),
        (3, 10, 10),
        (1, 10**6, 2**15),
        (30, 10**6, 26_214),
        (100, 10**6, 2**13),
        (10**4, 10**6, 1677),
        (10**5, 10**6, 2**10),
    ],
)
def test_blocks_fit_the_cache_or_the_memory(depth, size, block):
    assert room._block_size(depth, size) == block


def test_a_thread_keeps_its_workspace_unless_it_is_large(monkeypatch):
    monkeypatch.setattr(room, "_OF_THREAD", threading.local())
    small, large = room._workspace(2, 8), room._workspace(2, 16)
    assert (small.shape, large.shape) == ((2, 2, 8), (2, 2, 16))
    assert not np.shares_memory(small, large)
    assert np.shares_memory(large, room._workspace(2, 16))
    assert np.shares_memory(large, room._workspace(2, 8))
    most = room._workspace(2, room._KEPT // 4)
    assert np.shares_memory(most, room._workspace(2, 8))
    fresh = room._workspace(2, room._KEPT // 4 + 1)
    assert fresh.shape == (2, 2, room._KEPT // 4 + 1)
    assert not np.shares_memory(fresh, room._workspace(2, 8))


def test_slopes_and_factors_are_those_of_the_chain():
    names, w, b = ("sine", "tanh", "gelu", "quadratic"), [3.0, -2.0, -1.5, 0.5], [0.2, 0.3, -0.4, 3.0]
    chain = gt.Chain(4, names)
    x = np.linspace(-2, 2, 40_000)
    factors = room.factors(chain.layer_activations, x, np.array(w), np.array(b))
    assert factors.shape == (4, 40_000)
    for k in (0, 12_345, -1):
        for layer in range(4):
            exact = chain.substitute(chain.layer_jacobian(layer + 1), x=x[k], w=w, b=b)
            assert factors[layer, k] == pytest.approx(float(exact), rel=1e-9)
    gradients, slopes = room.backprop_and_slopes(chain.layer_activations, chain.loss_record, x, 1.0, w, b)
    np.testing.assert_allclose(slopes, np.abs(factors).max(axis=1) / np.abs(w), rtol=1e-13)
    np.testing.assert_array_equal(gradients.w, chain.backprop(x, 1.0, w, b).w)
    _, none = room.backprop_and_slopes(chain.layer_activations, chain.loss_record, [], [], w, b)
    assert none.tolist() == [0, 0, 0, 0]


def test_factors_overflow_without_a_warning():
    squares = gt.Chain(3, "quadratic").layer_activations
    assert room.factors(squares, np.array([1e200]), np.full(3, 1e200), np.zeros(3))[:, 0].tolist() == [np.inf] * 3


_FITTING = {"x": [1.0, 2.0], "y": [0.0, 1.0], "w": [1.0, 2.0, 3.0], "b": [0.0, 0.0, 0.0]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reduction": "mean"}, "reduction = 'mean': must be 'sum' (over the batch) or 'none' (per sample)"),
        ({"reduction": ["sum"]}, "reduction = ['sum']: must be 'sum' (over the batch) or 'none' (per sample)"),
        ({"w": [1.0]}, "w.shape = (1,): must be (3,) or (3, *batch): one entry per layer first"),
        ({"b": 1.0}, "b.shape = (): must be (3,) or (3, *batch): one entry per layer first"),
        (
            {"w": np.ones((3, 5)), "b": np.ones((3, 4, 1))},
            "shapes of x, y, w[0], b[0] = ((2,), (2,), (5,), (4, 1)): must broadcast to one batch shape",
        ),
        *(({name: [np.nan]}, f"{name} = [nan]: ") for name in "xywb"),
    ],
)
def test_refusals_name_the_argument_its_value_and_the_rule(changes, said):
    with pytest.raises(InvalidArgument) as caught:
        gt.Chain(3).backprop(**(_FITTING | changes))
    assert str(caught.value).startswith(said)


def test_inputs_are_not_changed():
    arrays = [np.full(shape, 2.0) for shape in ((3,), (3,), (4,), (4,))]
    gt.Chain(depth=4).backprop(*arrays)
    assert all((array == 2.0).all() for array in arrays)


@pytest.mark.parametrize("scale", [1e2, 1e4, 1e6, 1e150, 1e300])
def test_never_nan_where_the_answer_is_finite(name, scale):
    rng = np.random.default_rng(5)
    chain = gt.Chain(depth=4, activation=[name, name, name, "sigmoid"])
    w, b = rng.uniform(-1, 1, (2, 4)) * scale
    w[1] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = chain.backprop(x=rng.uniform(-1, 1, 50) * scale, y=rng.random(50), w=w, b=b, reduction="none")
    for array in (result.loss, result.w, result.b, result.x):
        assert not np.isnan(array).any()


def test_overflow_times_zero_is_zero():
    chain = gt.Chain(depth=3, activation="identity")
    result = chain.backprop(x=1.0, y=0.0, w=[1e200, 1e200, 0.0], b=[0.0, 0.0, 2.0])
    assert result.loss == 2.0
    assert result.w.tolist() == [0.0, 0.0, np.inf]
    assert result.x == 0.0
    shared = chain.backprop(x=[1.0, 1.0], y=0.0, w=[1e200, 1e200, 0.0], b=[0.0, 0.0, 2.0])
    assert shared.w.tolist() == [0.0, 0.0, np.inf]


@pytest.mark.parametrize("z", [1e4, -1e4, 800.0, -800.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_cross_entropy_saturates_exactly(z, y):
    result = gt.Chain(depth=1, loss="cross_entropy").backprop(x=1.0, y=y, w=[z], b=[0.0])
    assert result.loss == pytest.approx((y if z < 0 else 1 - y) * abs(z))
    assert result.b[0] == pytest.approx((1 - y) if z > 0 else -y)


def test_cross_entropy_keeps_tiny_errors():
    result = gt.Chain(depth=1, loss="cross_entropy").backprop(x=1.0, y=1.0, w=[50.0], b=[0.0])
    assert result.b[0] == pytest.approx(-np.exp(-50.0), rel=1e-14, abs=0.0)
    assert result.loss == pytest.approx(np.exp(-50.0), rel=1e-14, abs=0.0)


def test_a_sum_of_overflows_leaks_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = gt.Chain(2, "identity").backprop([1e300, -1e300], [0, 0], [1e10, 1e10], [0, 0])
        gt.Chain(2, "identity").backprop(1.0, [1.7e308, -1.7e308], [2.0, 1e5], [0, 0])
    assert np.isnan(result.b).all()  # inf - inf: documented


@given(
    which=st.sampled_from(["tanh", "arctan", "softsign", "erf", "arsinh", "relu"]),
    w=st.lists(_weights, min_size=1, max_size=40),
    x=st.floats(0.01, 3),
)
def test_without_biases_concave_odd_chains_do_not_explode(which, w, x):
    # |z·σ'(z)| <= |σ(z)| telescopes: |∂a_L/∂x| <= |a_L/x|, and with C = a_L²/2 |∂C/∂x| <= 2C/|x|.
    gradients = gt.Chain(depth=len(w), activation=which).backprop(x=x, y=0.0, w=w, b=[0.0] * len(w))
    assert abs(gradients.x) <= 2 * gradients.loss / x * (1 + 1e-13) + 1e-300


def test_with_biases_the_same_chains_do():
    # z = 0 in every layer: b = -w·a
    gradients = gt.Chain(depth=3, activation="tanh").backprop(x=1.0, y=1.0, w=[5.0] * 3, b=[-5.0, 0.0, 0.0])
    assert abs(gradients.x) > 100


def test_gradients_print_their_least_and_greatest_sizes():
    asked = {"x": [1.0, -2.0], "y": [0.0, 0.0], "w": [3.0], "b": [0.0]}
    chain = gt.Chain(1, "identity")
    assert str(chain.backprop(**asked)).splitlines() == [
        "loss       22.5",
        "|∂C/∂w|    15 … 15    (1,)",
        "|∂C/∂b|    3 … 3    (1,)",
        "|∂C/∂x|    9 … 18    (2,)",
    ]
    assert str(chain.backprop(**asked, reduction="none")).splitlines() == [
        "|loss|     4.5 … 18    (2,)",
        "|∂C/∂w|    3 … 12    (1, 2)",
        "|∂C/∂b|    3 … 6    (1, 2)",
        "|∂C/∂x|    9 … 18    (2,)",
    ]
    nothing = chain.backprop(x=[], y=[], w=[3.0], b=[0.0], reduction="none")
    assert str(nothing).splitlines()[0] == "|loss|     0 … 0    (0,)"
