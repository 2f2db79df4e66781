"""Where the whole gradient product explodes, against the product evaluated at 50 digits."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.superlevel import Component
from tests import oracle
from tests.shapes import SHAPES, slow_except

_numbers = st.fractions(min_value=-6, max_value=6, max_denominator=6).filter(bool)
_inputs = st.lists(st.fractions(min_value=-4, max_value=4, max_denominator=50), min_size=10, max_size=10)
# A failure here costs thousands of cuts, and shrinking repeats it hundreds of times.
_unshrunk = settings(phases=(Phase.explicit, Phase.generate))
_CARRIED = (
    *("arctan", "arsinh", "elu", "erf", "gaussian", "gelu", "hard_sigmoid", "hard_tanh", "identity", "leaky_relu"),
    *("relu", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"),
)
_MONOTONE = ("sigmoid", "tanh", "arctan", "softsign", "erf", "hard_tanh", "hard_sigmoid")


def product(name, w, b, x):
    """Return |∂a_L/∂x| from the definition; None at a kink."""
    with mpmath.workdps(60):
        a, factor = oracle.as_mpf(x), mpmath.mpf(1)
        for weight, bias in zip(w, b, strict=True):
            z = oracle.as_mpf(weight) * a + oracle.as_mpf(bias)
            if any(abs(z - oracle.as_mpf(kink)) < 1e-40 for kink in gt.activation(name).kinks):
                return None
            factor *= oracle.slope(name, z) * oracle.as_mpf(weight)
            a = oracle.value(name, z)
        return abs(factor)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("carried", slow_except(set(SHAPES) - {"gelu"}, _CARRIED))
@_unshrunk
@given(layers=st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=4), c=_numbers, inputs=_inputs)
def test_membership(carried, layers, c, inputs):
    w, b = ([sympy.Rational(number) for number in column] for column in zip(*layers, strict=True))
    c = abs(sympy.Rational(c)) + sympy.Rational(1, 1009)  # no product of slopes and weights tends to it
    try:
        set_ = gt.total_explosion_set(gt.Chain(len(w), carried), w=w, b=b, threshold=c)
    except Undecided:
        reject()  # an honest answer: two zeros are too close to each other
    for x in map(sympy.Rational, inputs):
        exact = product(carried, w, b, x)
        if exact is None:
            assert x not in set_
        elif abs(exact - oracle.as_mpf(c)) > 1e-30:
            assert (x in set_) == (exact > oracle.as_mpf(c)), x


@pytest.mark.parametrize("monotone", _MONOTONE)
@_unshrunk
@given(layers=st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=5), c=_numbers)
def test_the_set_is_shorter_than_the_bound_of_any_depth(monotone, layers, c):
    w, b = ([sympy.Rational(number) for number in column] for column in zip(*layers, strict=True))
    c = abs(sympy.Rational(c)) + sympy.Rational(1, 1009)
    chain = gt.Chain(len(w), monotone)
    set_, bound = gt.total_explosion_set(chain, w=w, b=b, threshold=c), gt.total_explosion_bound(chain, threshold=c)
    assert sympy.sympify(set_.measure).n(20) <= bound.n(20)


def test_the_bound_is_nearly_reached():
    chain = gt.Chain(1, "hard_tanh")
    assert gt.total_explosion_set(chain, w=[1], b=[0], threshold="9/10").measure == 2
    assert gt.total_explosion_bound(chain, threshold="9/10") == sympy.Rational(20, 9)
    assert gt.total_explosion_bound(gt.Chain(3, "gelu")) == sympy.oo
    assert gt.total_explosion_bound(gt.Chain(3, "arsinh")) == sympy.oo


@pytest.mark.sampled(6)
@pytest.mark.parametrize("carried", _CARRIED)
def test_one_layer_is_the_explosion_set(carried):
    one = gt.total_explosion_set(gt.Chain(1, carried), w=[7], b=[1])
    other = gt.explosion_set(carried, 7, 1)
    for x in (sympy.Rational(k, 13) for k in range(-30, 31, 3)):
        assert (x in one) == (x in other), x


@pytest.mark.slow
def test_deep_chains_cost_little_more():
    chain = gt.Chain(60, "tanh")
    set_ = gt.total_explosion_set(chain, w=["3/2"] * 60, b=[0] * 60)
    assert set_.is_Interval
    assert set_.contains(0) is sympy.true


@pytest.mark.slow
def test_a_product_that_only_touches():
    assert gt.total_explosion_set(gt.Chain(2, "tanh"), w=[1, 1], b=[0, 0]) is sympy.S.EmptySet
    assert gt.total_explosion_set(gt.Chain(2, "tanh"), w=[1, 1], b=[0, 0], strict=False) == sympy.FiniteSet(0)
    above = gt.total_explosion_set(gt.Chain(2, "silu"), w=[2, "1/2"], b=[0, 0])  # it tends to the threshold from above
    assert above.sup is sympy.oo
    assert abs(above.inf.n(30) - sympy.Float("1.06412152121063990710", 30)) < 1e-19


def test_kinks_are_left_out_and_smooth_joints_are_not():
    relu = gt.total_explosion_set(gt.Chain(2, "leaky_relu(1/2)"), w=[3, 3], b=[0, 1])
    assert relu.contains(0) is sympy.false
    assert relu.contains(1) is sympy.true
    elu = gt.total_explosion_set(gt.Chain(1, "elu"), w=[3], b=[0])
    assert elu.contains(0) is sympy.true


def test_the_ends_survive_pickling():
    set_ = gt.total_explosion_set(gt.Chain(2, "arctan"), w=[2, 2], b=[0, 0])
    again = pickle.loads(pickle.dumps(set_))
    assert again == set_
    assert abs((again.end - set_.end).n(40, chop=True)) < sympy.Float("1e-35")
    assert str(set_) == "Interval.open(ExplosionEnd(-0.366638232336…), ExplosionEnd(0.366638232336…))"


@pytest.mark.parametrize(
    "call",
    [
        lambda: gt.total_explosion_set("sigmoid", w=[1], b=[0]),
        lambda: gt.total_explosion_set(gt.Chain(2), w=[1], b=[0, 0]),
        lambda: gt.total_explosion_set(gt.Chain(2), w=[1, "x"], b=[0, 0]),
        lambda: gt.total_explosion_set(gt.Chain(2), w=3, b=[0, 0]),
        lambda: gt.total_explosion_set(gt.Chain(2), w=[1, 2], b=[0, 0], threshold=-1),
        lambda: gt.total_explosion_set(gt.Chain(sympy.Symbol("L", integer=True)), w=[1], b=[0]),
        lambda: gt.total_explosion_bound(gt.Chain(2), threshold=0),
    ],
)
def test_bad_arguments_are_refused(call):
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert Component(Z, Z).is_point


@pytest.mark.parametrize(("which", "depth"), [("gelu", 2), ("silu", 3)])
def test_an_end_that_is_0_is_said_to_be(which, depth):
    """There each factor is exactly 1: a ball cannot tell it from a number of 1e-39."""
    explosion = gt.total_explosion_set(gt.Chain(depth, which), w=[2] * depth, b=[0] * depth)
    assert explosion == sympy.Interval.open(0, sympy.oo)


@pytest.mark.parametrize(
    ("activations", "w", "b"),
    [
        (("relu", "hard_tanh", "sigmoid"), [1, -5, 4], [0, 5, 0]),
        (("relu", "hard_tanh", "tanh"), [1, 5, 4], [0, -7, 0]),
        (("relu", "relu", "tanh"), [1, 5, 4], [0, -7, 0]),
    ],
)
def test_a_kink_before_a_constant_layer_does_not_prove_that_the_set_is_empty(activations, w, b):
    """At x = 0, where the search begins, the first layer has a kink and the second is constant."""
    explosion = gt.total_explosion_set(gt.Chain(3, activations), w=w, b=b)
    inside = sympy.Rational(7, 5) + sympy.Rational(1, 100) if activations[1] == "relu" else -sympy.Rational(b[1], w[1])
    assert inside in explosion


@pytest.mark.parametrize(
    "activations",
    [
        ("quadratic", "tanh"),
        ("quadratic", "sigmoid", "arctan"),
        ("z**3", "gaussian"),
        ("Max(z**2, 1/3)", "tanh"),  # whose kinks are mirror images, and irrational
        ("tanh", "Max(0, z**2 - 2)"),
        ("Max(1/(1 + z**2), 1/3)", "tanh"),
        ("Abs(tanh(z)**2 - 1/2)", "quadratic", "erf"),
    ],
)
def test_slopes_without_bounds_before_layers_that_flatten_and_mirrored_kinks(activations):
    layers = [gt.activation(gt.expression(each) if "z" in each else each) for each in activations]
    w, b = [2.0, -3.0, 1.5][: len(layers)], [0.0, 1.0, -0.5][: len(layers)]
    set_ = gt.total_explosion_set(gt.Chain(len(layers), layers), w=w, b=b)
    x = np.linspace(-3.0, 3.0, 241) + 1e-4
    a, gradient = x, np.ones_like(x)
    for layer, weight, bias in zip(layers, w, b, strict=True):
        a, slope = layer.value_and_slope(weight * a + bias)
        gradient *= weight * slope
    explodes = np.abs(gradient) > 1.0
    assert explodes.any()
    assert [place in set_ for place in map(sympy.Rational, x)] == list(explodes)
