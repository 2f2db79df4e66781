"""References: against mpmath at more digits, and against central differences of the nested loss."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory import testing
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.testing import Enclosed
from tests import oracle

_SMOOTH = ("sigmoid", "tanh", "gelu", "sine", "softplus", "mish", "arctan", "snake")
_Z = (0.3, -1.75, 4.0, -12.5, 30.0)


def close(proven, exact, digits=50):
    with mpmath.workdps(400):
        middle = mpmath.mpf(proven.middle.numerator) / proven.middle.denominator
        return abs(middle - exact) <= mpmath.mpf(10) ** -digits * abs(exact) + mpmath.mpf(10) ** -320


@pytest.mark.parametrize("z", _Z)  # none is a kink of the catalogue
def test_values_and_slopes_to_50_digits(name, z):
    assert close(testing.reference_activation(name, z), oracle.value(name, z))
    assert close(testing.reference_activation(name, z, derivative=1), oracle.slope(name, z, digits=200))


def test_second_derivatives_to_30_digits(name):
    record, step = gt.activation(name), mpmath.mpf(10) ** -60
    for z in (0.3, -1.75, 5.0):
        with mpmath.workdps(400):
            at = mpmath.mpf(z)
            values = [oracle.sigma(name)(at + shift * step) for shift in (-1, 0, 1)]
            bend = (values[0] - 2 * values[1] + values[2]) / step**2
            proven = testing.reference_activation(record, z, derivative=2)
            middle = mpmath.mpf(proven.middle.numerator) / proven.middle.denominator
            assert abs(middle - bend) <= mpmath.mpf(10) ** -30 * max(1, abs(bend)), z


@given(
    which=st.sampled_from(_SMOOTH),
    z=st.floats(-40, 40),
    digits=st.sampled_from([1, 15, 50, 200]),
    derivative=st.sampled_from([0, 1, 2]),
)
def test_as_many_digits_as_asked_and_never_beside_the_number(which, z, digits, derivative):
    proven = testing.reference_activation(which, z, derivative=derivative, digits=digits)
    better = testing.reference_activation(which, z, derivative=derivative, digits=digits + 100)
    assert proven.lower <= better.upper
    assert better.lower <= proven.upper
    assert proven.upper - proven.lower <= Fraction(10) ** -digits * 2 * abs(proven.middle) + Fraction(1, 10**323)


@pytest.mark.only(lambda record: record.kinks)
def test_on_kinks_the_slope_is_the_kernels(name):
    record = gt.activation(name)
    for kink in record.kinks:
        value, slope = record.value_and_slope(float(kink))
        assert float(testing.reference_activation(record, kink)) == pytest.approx(float(value), rel=1e-15)
        assert float(testing.reference_activation(record, kink, derivative=1)) == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize(
    ("which", "z", "derivative", "expected"),
    [
        ("softplus", 1e300, 0, 1e300),
        ("softplus", -1e300, 0, 0.0),
        ("silu", 1e300, 0, 1e300),
        ("silu", -1e300, 1, 0.0),
        ("sigmoid", 1e300, 0, 1.0),
        ("tanh", -1e300, 0, -1.0),
        ("log_sigmoid", -1e300, 0, -1e300),
        ("log_cosh", 1e300, 1, 1.0),
        ("mish", -1e5, 0, 0.0),
        ("quadratic", 1e200, 0, float("inf")),
        ("tanhshrink", 5e-324, 0, 0.0),
        ("sine", 1e300, 0, -0.8178819121159085),
    ],
)
def test_far_out(which, z, derivative, expected):
    assert float(testing.reference_activation(which, z, derivative=derivative)) == expected


def test_activations_of_ones_own():
    z = sympy.Symbol("z", real=True)
    proven = testing.reference_activation(z * sympy.Abs(z) / (1 + z**2), -2.0, derivative=1)
    assert Fraction(4, 25) in proven
    assert testing.reference_activation(sympy.Abs(z), 0.0, derivative=1) == Enclosed(
        Fraction(-1), Fraction(-1)
    )  # from the left


def nested_loss(names, loss, x, y, w, b):
    """Return the loss of a chain or a network from the definitions, in mpmath."""
    a = [mpmath.mpf(each) for each in x]
    for name, weights, biases in zip(names, w, b, strict=True):
        z = [
            sum(weight * each for weight, each in zip(row, a, strict=True)) + bias
            for row, bias in zip(weights, biases, strict=True)
        ]
        a = [oracle.sigma(name)(each) for each in z]
    if loss == "squared":
        return sum((each - target) ** 2 / 2 for each, target in zip(a, y, strict=True))
    return -sum(
        target * mpmath.log(output) + (1 - target) * mpmath.log(1 - output) for output, target in zip(a, y, strict=True)
    )


def check_against_differences(network, x, y, w, b):
    """Compare every gradient with a central difference at so many digits that its error does not matter."""
    names = [record.name for record in network.layer_activations]
    gradients = testing.reference_gradients(network, x, y, w, b)
    with mpmath.workdps(180):
        step = mpmath.mpf(10) ** -60
        weights = [[[mpmath.mpf(float(e)) for e in row] for row in each] for each in w]
        biases = [[mpmath.mpf(float(e)) for e in each] for each in b]

        def total(inputs):
            return sum(
                nested_loss(names, network.loss, *sample, weights, biases) for sample in zip(inputs, y, strict=True)
            )

        inputs = [[mpmath.mpf(float(e)) for e in row] for row in x]
        places = [(gradients.w[k][i], weights[k][i]) for k in range(len(w)) for i in range(len(w[k]))]
        places += [(gradients.b[k], biases[k]) for k in range(len(b))]
        places += list(zip(gradients.x, inputs, strict=True))
        assert close(gradients.loss, total(inputs), 40)
        for enclosed, numbers in places:
            for place, number in enumerate(numbers):
                numbers[place] = number + step
                above = total(inputs)
                numbers[place] = number - step
                difference = (above - total(inputs)) / (2 * step)
                numbers[place] = number
                middle = mpmath.mpf(enclosed[place].middle.numerator) / enclosed[place].middle.denominator
                assert abs(middle - difference) < mpmath.mpf(10) ** -45 * (1 + abs(difference))


@pytest.mark.parametrize(
    ("widths", "which", "loss"),
    [
        ((1, 1, 1, 1), ("tanh", "gelu", "sigmoid"), "cross_entropy"),
        ((1, 1), "cloglog", "cross_entropy"),
        ((1, 1, 1), "mish", "squared"),
        ((2, 3, 2), "sine", "squared"),
        ((3, 2, 2, 1), ("selu", "relu", "sigmoid"), "cross_entropy"),
        ((1, 4, 1), "hard_swish", "squared"),
    ],
)
def test_gradients_are_central_differences_of_the_nested_loss(widths, which, loss):
    network = gt.Network(widths, which, loss)
    rng = np.random.default_rng(4)
    w = [rng.normal(0, 1.2, shape).round(3) for shape in zip(widths[1:], widths[:-1], strict=True)]
    b = [rng.normal(0, 0.5, width).round(3) for width in widths[1:]]
    x, y = rng.normal(0, 1, (2, widths[0])).round(3), rng.random((2, widths[-1])).round(3)
    check_against_differences(network, x, y, w, b)


def test_a_chain_is_a_network_of_width_1():
    chain, network = gt.Chain(3, ["tanh", "relu", "gelu"]), gt.Network((1, 1, 1, 1), ["tanh", "relu", "gelu"])
    x, y, w, b = [0.5, -1.0], [1.0, 0.25], [2.0, -3.0, 1.5], [0.25, 1.0, -0.5]
    one = testing.reference_gradients(chain, x, y, w, b)
    columns = [[[each] for each in numbers] for numbers in (x, y)]
    wide = testing.reference_gradients(network, *columns, [[[each]] for each in w], [[each] for each in b])
    assert one.loss == wide.loss
    assert one.w == tuple(matrix[0][0] for matrix in wide.w)
    assert one.b == tuple(vector[0] for vector in wide.b)
    assert one.x == tuple(row[0] for row in wide.x)


def test_a_scalar_sample_is_a_batch_of_one():
    chain = gt.Chain(2)
    one = testing.reference_gradients(chain, 0.5, 1.0, [1.0, 2.0], [0.0, 0.0])
    assert one == testing.reference_gradients(chain, [0.5], [1.0], [1.0, 2.0], [0.0, 0.0])


def test_samples_that_cancel_are_enclosed_around_0():
    chain = gt.Chain(2, "tanh")  # odd without biases: the gradients by the biases cancel
    gradients = testing.reference_gradients(chain, [0.7, -0.7], [0.0, 0.0], [1.5, 0.5], [0.0, 0.0])
    for gradient in gradients.b:
        assert 0 in gradient
        assert gradient.error < 1e-200


def test_saturation_keeps_its_digits():
    chain = gt.Chain(1, loss="cross_entropy")
    gradients = testing.reference_gradients(chain, [1.0], [1.0], [60.0], [0.0])
    with mpmath.workdps(80):
        assert close(gradients.b[0], -1 / (1 + mpmath.exp(60)))
        assert close(gradients.loss, mpmath.log1p(mpmath.exp(-60)))


def test_a_kink_that_is_not_told_from_its_neighbours_is_undecided():
    chain = gt.Chain(2, ["hard_sigmoid", "relu"])  # a_1 = 1/3, and z_2 = 3·a_1 - 1 = 0
    with pytest.raises(Undecided, match="kink"):
        testing.reference_gradients(chain, [1.0], [0.0], [-1.0, 3.0], [0.0, -1.0])


def test_an_exact_kink_is_decided():
    chain = gt.Chain(2, ["relu", "relu"])
    gradients = testing.reference_gradients(chain, [1.0], [-1.0], [1.0, 1.0], [-1.0, 0.0])
    assert [float(each) for each in (*gradients.w, *gradients.b)] == [0.0] * 4


def test_thread_precision_is_left_alone():
    import flint

    testing.reference_gradients(gt.Chain(2), [1.0], [0.0], [1.0, 2.0], [0.0, 0.0], digits=300)
    assert flint.ctx.prec == 53


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [
        (Fraction(1, 2), Fraction(1, 2), "0.5 ± 0 (certified)"),
        (Fraction(314158, 10**5), Fraction(314160, 10**5), "3.14159 ± 1e-5 (certified)"),
        (-Fraction(1, 10**30), Fraction(1, 10**30), "0 ± 1e-30 (certified)"),
    ],
)
def test_enclosed_numbers_show_what_is_proven(lower, upper, shown):
    number = Enclosed(lower, upper)
    assert repr(number) == str(number) == shown
    assert number.guarantee is gt.Guarantee.CERTIFIED
    assert number.error >= (upper - lower) / 2
    assert lower in number
    assert upper + 1 not in number
    assert float(np.array([number, number], dtype=float).sum()) == 2 * float(number)


_CHAIN = gt.Chain(1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: testing.reference_activation("nope", 1.0), "nope"),
        (lambda: testing.reference_activation("tanh", float("nan")), "z = nan"),
        (lambda: testing.reference_activation("tanh", 1.0, derivative=3), "derivative = 3"),
        (lambda: testing.reference_activation("tanh", 1.0, digits=0), "digits = 0"),
        (lambda: testing.reference_gradients("tanh", [1.0], [0.0], [1.0], [0.0]), "chain = 'tanh'"),
        (lambda: testing.reference_gradients(_CHAIN, [1.0], [0.0, 1.0], [1.0], [0.0]), "shapes of x, y"),
        (lambda: testing.reference_gradients(_CHAIN, [1.0], [0.0], [1.0, 2.0], [0.0]), r"w.shape = \(2,\)"),
        (lambda: testing.reference_gradients(_CHAIN, [np.nan], [0.0], [1.0], [0.0]), "x = "),
        (lambda: testing.reference_gradients(_CHAIN, [1.0], [0.0], [1.0], [0.0], digits=10**6), "digits = 1000000"),
        (
            lambda: testing.reference_gradients(gt.Chain(sympy.Symbol("L", integer=True)), 1.0, 0.0, [1.0], [0.0]),
            "depth = L",
        ),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_out_of_range_is_said():
    with pytest.raises(Undecided, match="out of range"):
        testing.reference_activation("exponential", 1e300)
    with pytest.raises(Undecided, match="out of range"):
        testing.reference_gradients(gt.Chain(2, "exponential"), [1e5], [0.0], [1e5, 1e5], [0.0, 0.0])


def test_more_bits_tell_a_pre_activation_from_a_kink():
    for near, slope in ((1e-30, 0), (-1e-30, 1), (1e-200, 0)):
        gradients = testing.reference_gradients(gt.Chain(1, "hard_tanh"), [near], [0.0], [1.0], [1.0], digits=5)
        assert round(float(gradients.b[0])) == slope


def test_digits_that_are_not_shown_count_as_an_error():
    assert str(testing.reference_activation("identity", 0.1)) == "0.10000000000000001 ± 5e-18 (certified)"
    assert str(testing.reference_activation("identity", 0.5)) == "0.5 ± 0 (certified)"


@pytest.mark.parametrize("digits", [1, 5, 17, 30, 59, 61, 100])
@pytest.mark.parametrize("z", [-8.0, 0.1, 3.0, 1e-5])
def test_what_is_shown_is_true(digits, z):
    proven = testing.reference_activation("gelu", z, digits=digits)
    shown, error = (Fraction(part) for part in str(proven).removesuffix(" (certified)").split(" ± "))
    assert shown - error <= proven.lower <= proven.upper <= shown + error
    assert error <= max(2 * (proven.upper - proven.lower), abs(shown) / 10**58)  # and not much more than is proven
