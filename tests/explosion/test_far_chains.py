"""Sets of whole chains whose first inputs, or later ones, are far out."""

import contextlib

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import Univariate, enclose, zeros
from gradtheory.errors import Undecided

_FAR = 10**30


@pytest.mark.parametrize(
    ("activation", "b", "lower"),
    [
        ("silu", [-_FAR, 0], "1/2"),  # there both slopes are 1/2, and the weights 2
        ("silu", [0, -_FAR], None),
        pytest.param("gelu", [_FAR, -_FAR], None, marks=pytest.mark.slow),
        pytest.param("mish", [0, -_FAR], None, marks=pytest.mark.slow),
    ],
)
def test_huge_biases(activation, b, lower):
    explosion = gt.total_explosion_set(gt.Chain(2, activation), w=[2, 2], b=b)
    assert explosion.end == sympy.oo
    if lower is None:
        # z_1 = 2x + b_1 is so large that σ(z_1) is z_1 to a million digits; the last slope is then 1/4
        (last,) = gt.explosion_set(activation, w=4).boundary  # at z = 4x
        gap = enclose((2 * (2 * explosion.start + b[0]) + b[1]) - 4 * last, 256)
        assert abs(gap) < 1e-40
    else:
        assert explosion.start == sympy.Rational(lower) * _FAR


def test_a_set_of_inputs_is_that_of_pre_activations():
    chain = gt.Chain(2, "silu")
    in_z = gt.total_explosion_set(chain, w=[1, 2], b=[0, 1], threshold="1/3")
    in_x = gt.total_explosion_set(chain, w=[-3, 2], b=["1/2", 1])
    assert in_x.start == -sympy.oo
    assert in_x.end == (in_z.start - sympy.Rational(1, 2)) / -3
    assert gt.total_explosion_set(chain, w=[0, 2], b=[0, 0]) is sympy.S.EmptySet


def test_cells_far_out_are_cut_between_their_ends():
    z = sympy.Symbol("z", real=True)
    ((lower, upper),) = zeros(Univariate(z - _FAR - sympy.Rational(1, 3), z), sympy.S.Zero, sympy.oo, 300)
    assert lower < _FAR + sympy.Rational(1, 3) < upper


def test_an_end_that_no_float_reaches_is_refused_and_takes_no_memory():
    w = ["1849/1000", "-903/250", "99/125", "43/50", "-919/1000", "-2569/200", "589/1000", "1107/1000"]
    b = [0, "3426386418799/1000000000000", "-391/500", "-256587569789/500000000000", "6/5", 13]
    b += ["-13199654761/40000000000", "-660566460049/500000000000"]
    with pytest.raises(Undecided, match=r"is about 2\*\*\d+ from a place within, which takes too many digits"):
        gt.total_explosion_set(gt.Chain(8, "exponential"), w=w, b=b)


@pytest.mark.parametrize(
    ("which", "w", "b"),
    [
        ("tanh", [2, 3], ["1e400", 0]),
        ("tanh", ["1e400", 3], [0, 0]),
        ("tanh", ["1e-400", 3], ["1e350", 0]),
        ("sigmoid", [2, 3], [10**400, 10**400]),
        ("sigmoid", [2, 10**400], [0, 0]),
    ],
)
def test_weights_and_biases_beyond_float64_are_answered_or_undecided(which, w, b):
    with contextlib.suppress(Undecided):
        gt.total_explosion_set(gt.Chain(2, which), w=w, b=b, effort=1)
    with contextlib.suppress(Undecided):
        gt.exploding_parameter(gt.Chain(2, which), "b1", x="1e400", w=w, b=b, effort=1)


def test_gradients_beyond_all_numbers_far_out_explode_from_where_they_do():
    """At x = 1 five exponentials exceed what balls hold; at 0 they do not."""
    start = gt.total_explosion_set(gt.Chain(5, "exponential"), w=[1] * 5, b=[0] * 5).start
    with mpmath.workdps(40):
        x, total = mpmath.mpf(str(start.n(30))), mpmath.mpf(0)
        for _ in range(5):  # f' is the product of the outputs, and so of exponentials of the inputs
            total, x = total + x, mpmath.exp(x)
        assert abs(total) < 1e-8 * abs(mpmath.mpf(str(start.n(30))))
