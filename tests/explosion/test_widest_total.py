"""The widest explosion set of a chain with given weights, against the definition and other ways to compute it."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from scipy.optimize import minimize
from sympy import exp, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.depth.logistic import logistic

R = sympy.Rational
_STEEP = gt.widest_explosion("sigmoid").weight  # 4cosh²s
_FALLING = 5 - 3 * tanh(Z / 2 - 1)


@pytest.mark.parametrize(
    ("weight", "depth", "value"),
    [
        (10, 2, "0.4209099094913"),
        (10, 3, "0.4170454183456"),
        (10, 4, "0.4164368519294"),
        (10, 5, "0.4163397265223"),
        (10, 8, "0.4163213098326"),
        (_STEEP, 2, "0.3949460554875"),
        (_STEEP, 3, "0.3809617530985"),
        (_STEEP, 4, "0.3765772601991"),
        (_STEEP, 5, "0.3751349155092"),
        (_STEEP, 8, "0.3744368770844"),
    ],
)
def test_sigmoid_chains_against_a_table_of_an_earlier_computation(weight, depth, value):
    widest = gt.widest_total_explosion(gt.Chain(depth), [weight] * (depth - 1))
    assert abs(widest.value - R(value)) < R(1, 10**13)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "lecun_tanh", _FALLING], ids=str)
def test_one_neuron_has_k(activation):
    widest, known = gt.widest_total_explosion(gt.Chain(1, activation), []), gt.widest_explosion(activation)
    assert abs(widest.value.n(50) - known.width.n(50)) < sympy.Float("1e-48")
    assert abs(widest.w[0].n(50) - known.weight.n(50)) < sympy.Float("1e-47")


_CHAINS = [
    (("sigmoid",) * 2, [-3]),
    (("sigmoid",) * 3, [10, -2]),
    (("tanh",) * 2, [1.5]),
    (("tanh", "sigmoid", "lecun_tanh"), [4, -3]),
    (("sigmoid", _FALLING, "tanh"), [5, 0.5]),
]


def _size(parameters, records, weights):
    """Return |x - y|·min(|f'(x)|, |f'(y)|), the width of a set for one c, with w_1 = 1: another w_1 scales x."""
    first, second, *biases = parameters
    a, gradient = np.array([first, second]), np.ones(2)
    for record, w, b in zip(records, [1.0, *weights], [0.0, *biases], strict=True):
        a, slope = record.value_and_slope(w * a + b)
        gradient = gradient * slope * w
    return abs(first - second) * np.min(np.abs(gradient))


@pytest.mark.slow
@pytest.mark.parametrize(("names", "weights"), _CHAINS, ids=str)
def test_no_search_over_the_definition_finds_a_wider_set_and_one_finds_it(names, weights):
    records = [gt.activation(name) for name in names]
    widest = gt.widest_total_explosion(gt.Chain(len(names), list(names)), weights)
    rng, value, best = np.random.default_rng(1), float(widest.value), 0.0
    known = [float(each) for each in widest.b]
    for spread in (0.1, 0.3, 1.0, 1.0, 3.0, 3.0):
        half = rng.uniform(0.2, 2.0)
        start = [known[0] - half, known[0] + half, *(np.array(known[1:]) + rng.normal(0, spread, len(known) - 1))]
        options = {"maxiter": 5000, "maxfev": 5000, "xatol": 1e-9, "fatol": 1e-13}
        search = minimize(lambda point: -_size(point, records, weights), start, method="Nelder-Mead", options=options)
        assert -search.fun <= value * (1 + 1e-9)
        best = max(best, -search.fun)
    assert best > value * (1 - 1e-5)


@pytest.mark.parametrize(("names", "weights"), [*_CHAINS, ((_FALLING, _FALLING), [2])], ids=str)
def test_at_both_ends_the_gradient_is_the_threshold(names, weights):
    widest = gt.widest_total_explosion(gt.Chain(len(names), list(names)), weights, threshold=3)
    half = float(widest.value) / 2
    a, gradient = np.array([-half, half]), np.ones(2)
    for name, w, b in zip(names, widest.w, widest.b, strict=True):
        a, slope = gt.activation(name).value_and_slope(float(w) * a + float(b))
        gradient = gradient * slope * float(w)
    np.testing.assert_allclose(np.abs(gradient), 3, rtol=1e-10)


@pytest.mark.parametrize(
    ("depth", "weights", "c"), [(2, [10], 1), (2, [-3], R(1, 2)), (3, [7, -9], 1)], ids=["10", "-3", "7 -9"]
)
def test_the_parameters_reach_it_and_biases_beside_them_do_not(depth, weights, c):
    chain = gt.Chain(depth)
    widest = gt.widest_total_explosion(chain, weights, threshold=c)
    w, b = [R(str(each.n(20))) for each in widest.w], [R(str(each.n(20))) for each in widest.b]
    assert abs(gt.total_explosion_set(chain, w=w, b=b, threshold=c).measure.n(20) / widest.value.n(20) - 1) < 1e-9
    rng = np.random.default_rng(depth)
    for size in (0.01, 0.5):
        moved = [each + R(int(1000 * step), 1000) for each, step in zip(b, rng.normal(0, size, depth), strict=True)]
        assert moved[1:] != b[1:]
        assert gt.total_explosion_set(chain, w=w, b=moved, threshold=c).measure.n() < widest.value


def test_many_layers_against_the_recursion_from_the_last_to_the_first():
    names = ["tanh", "sigmoid", "lecun_tanh"] * 4
    rng = np.random.default_rng(3)
    weights = [round(float(each), 3) for each in np.exp(rng.uniform(-1, 2, len(names) - 1))]
    widest = gt.widest_total_explosion(gt.Chain(len(names), names), weights)
    with mpmath.workdps(50):
        betas = {"tanh": 1, "sigmoid": mpmath.mpf(1) / 2, "lecun_tanh": mpmath.mpf(2) / 3}
        heights = {"tanh": 2, "sigmoid": 1, "lecun_tanh": mpmath.mpf(17159) / 5000}
        last = most = mpmath.mpf(heights[names[0]] * weights[0])
        for each, weight in zip(names[1:-1], weights[1:], strict=True):
            last = most = heights[each] * weight * mpmath.tanh(betas[each] * most / 2)

        def log_size(share):
            step = share * last
            log = mpmath.log(heights[names[-1]] * mpmath.tanh(betas[names[-1]] * step / 2))
            for place in range(len(names) - 1, -1, -1):
                u = betas[names[place]] * step
                log += mpmath.log(u / mpmath.sinh(u))
                if place:
                    before = names[place - 1]
                    step = 2 / betas[before] * mpmath.atanh(step / (weights[place - 1] * heights[before]))
            return log

        low, high = mpmath.mpf("1e-3"), 1 - mpmath.mpf("1e-30")
        for _ in range(100):
            left, right = low + (high - low) / 3, high - (high - low) / 3
            low, high = (left, high) if log_size(left) < log_size(right) else (low, right)
        best = mpmath.exp(log_size(low))
    assert abs(widest.value.n(30) / sympy.Float(mpmath.nstr(best, 40), 40) - 1) < sympy.Float("1e-25")


@pytest.mark.slow
def test_a_thousand_layers_are_as_quick_as_two():
    deep = gt.widest_total_explosion(gt.Chain(1000), [10] * 999)
    assert R(41632, 10**5) < deep.value < gt.widest_total_explosion(gt.Chain(8), [10] * 7).value
    assert deep.w[0] < R(1, 10**390)  # later layers stretch by 5/2
    assert (len(deep.w), len(deep.b), deep.guarantee.value) == (1000, 1000, "certified")
    assert len(repr(deep)) < 400
    weak = gt.widest_total_explosion(gt.Chain(1000, "tanh"), ["1e-30"] * 999)
    assert 0 < weak.value < R(1, 10**29_900)


def test_large_weights_approach_k_and_a_threshold_divides():
    k = gt.widest_explosion("sigmoid").width
    strong = gt.widest_total_explosion(gt.Chain(4), [10**20] * 3)
    assert 0 < k.n(60) - strong.value.n(60) < sympy.Float("1e-38")
    huge = gt.widest_total_explosion(gt.Chain(4), [-(10**400)] * 3)
    assert abs(k.n(60) / huge.value.n(60) - 1) < sympy.Float("1e-58")
    halved = gt.widest_total_explosion(gt.Chain(2), [10], threshold=2)
    one = gt.widest_total_explosion(gt.Chain(2), [10])
    assert (halved.value, halved.w[0], halved.b) == (one.value / 2, 2 * one.w[0], one.b)


def test_digits_and_pickling():
    widest = gt.widest_total_explosion(gt.Chain(3), [10, -5])
    with mpmath.workdps(520):
        for number in (widest.value, widest.w[0]):
            long, short = number.n(500), number.n(20)
            assert abs(mpmath.mpf(str(long)) - mpmath.mpf(str(short))) < mpmath.mpf(10) ** -18
    copy = pickle.loads(pickle.dumps(widest))
    assert (copy.value, copy.w, copy.b) == (widest.value, widest.w, widest.b)
    assert copy.value.n(40) == widest.value.n(40)
    assert widest.value != widest.w[0]


def test_a_first_weight_is_not_used():
    assert gt.widest_total_explosion(gt.Chain(3), [7, 10, 10]) == gt.widest_total_explosion(gt.Chain(3), [10, 10])


def test_logistic_forms():
    form = logistic(gt.activation(_FALLING))
    assert (form.beta, form.height, form.middle, form.centre) == (R(1, 2), 6, 5, 2)
    assert logistic(gt.activation(3 / (1 + exp(1 - 2 * Z)))).centre == R(1, 2)
    cut = sympy.Max(-R(1, 2), sympy.Min(R(1, 2), tanh(Z)))
    for each in ("erf", "arctan", "hard_tanh", "relu", "gelu", exp(Z), cut):
        assert logistic(gt.activation(each)) is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.widest_total_explosion(gt.Chain(3), [1, 2, 3, 4]), "must be 2 numbers, w_2 to w_3, or all 3: w_1 is not used"),
        (lambda: gt.widest_total_explosion(gt.Chain(3), [1]), "must be 2 numbers, w_2 to w_3, or all 3"),
        (lambda: gt.widest_total_explosion(gt.Chain(1), [1, 2]), "must be 0 numbers"),
        (lambda: gt.widest_total_explosion(gt.Chain(3), [1, 0]), "must not be 0: w_3 is"),
        (lambda: gt.widest_total_explosion(gt.Chain(2), [np.inf]), r"weights\[0\] = inf: must be a finite"),
        (lambda: gt.widest_total_explosion(gt.Chain(2), [Z]), r"weights\[0\] = .*: must be a number without symbols"),
        (lambda: gt.widest_total_explosion(gt.Chain(2), 3), "must be 1 numbers"),
        (lambda: gt.widest_total_explosion(gt.Chain(2, ["tanh", "erf"]), [3]), "such as sigmoid or tanh: not erf"),
        (lambda: gt.widest_total_explosion(gt.Chain(2, "hard_tanh"), [3]), "not hard_tanh"),
        (lambda: gt.widest_total_explosion(gt.Chain(sympy.Symbol("L", integer=True)), [3]), "depth = L"),
        (lambda: gt.widest_total_explosion(gt.Chain(2), [3], threshold=0), "threshold = 0"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_in_one_line(call, said):
    with pytest.raises(InvalidArgument, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
