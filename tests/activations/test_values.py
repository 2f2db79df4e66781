"""The range of your own activation, and what follows from it: cross entropy, and a bound at any depth."""

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Abs, Heaviside, Interval, Max, Min, Piecewise, S, Union, cos, cosh, erf, exp, log, oo, sign, sin, tanh

import gradtheory as gt
from gradtheory.arithmetic.enclosure import order
from gradtheory.chains.curvature import hessian
from gradtheory.chains.losses import LOSSES
from gradtheory.errors import Undecided
from gradtheory.explosion import largest_value

Z = sympy.Symbol("z", real=True)

_RANGES = {
    tanh(Z): Interval.open(-1, 1),
    1 / (1 + exp(-Z)): Interval.open(0, 1),
    (1 + erf(Z)) / 2: Interval.open(0, 1),
    Z: S.Reals,
    exp(Z): Interval.open(0, oo),
    log(1 + exp(Z)): Interval.open(0, oo),
    Max(0, tanh(Z)): Interval.Ropen(0, 1),
    Min(1, Max(0, Z)): Interval(0, 1),
    1 / cosh(Z): Interval.Lopen(0, 1),
    Z**2: Interval(0, oo),
    2 * sin(Z): Interval(-2, 2),
    cos(Z) ** 2: Interval(0, 1),
    Abs(sin(Z)): Interval(0, 1),
    Z + sin(Z): S.Reals,
    sign(Z): sympy.FiniteSet(-1, 0, 1),
    Z + sign(Z): Union(Interval.open(-oo, -1), sympy.FiniteSet(0), Interval.open(1, oo)),
    Heaviside(Z) * tanh(Z): Interval.Ropen(0, 1),
    Piecewise((tanh(Z), Z < 0), (tanh(Z) + 1, True)): Union(Interval.open(-1, 0), Interval.Ropen(1, 2)),
}


@pytest.mark.parametrize("expr", _RANGES, ids=str)
def test_the_range_is_found(expr):
    assert gt.activation(expr).range.doit() == _RANGES[expr].doit()


def test_the_range_ends_where_the_slope_is_zero():
    values = gt.activation(Z * exp(-(Z**2))).range
    assert values.sup.n(30) == (exp(S(-1) / 2) / sympy.sqrt(2)).n(30)
    assert (values.left_open, values.right_open) == (False, False)


_DRIFTING = {  # whether they take all numbers
    Z + 10 * sign(sin(Z)): False,
    Z + sign(sin(Z)): False,
    -Z / 2 + sign(sin(Z)): False,
    Z + sympy.pi / 2 * sign(sin(Z)): False,
    Z - sympy.pi / 2 * sign(sin(Z)): False,
    Z + 10**6 * sign(sin(Z)): False,
    Z - sign(cos(Z)) / 100: False,
    Z + sympy.pi * sign(sin(Z)): True,
    Z + 5 * cos(Z) + 2 * Heaviside(sin(Z)): True,
    Z - 10 * cos(Z) * sign(sin(Z)): True,
    Z + 3 * Abs(sin(Z)): True,
}


@pytest.mark.parametrize("expr", _DRIFTING, ids=str)
def test_what_drifts_and_jumps_takes_all_numbers_where_its_jumps_overlap(expr):
    """Against values at many places: those near ±1e6 are what a jump by as much brings near 0."""
    record = gt.activation(expr)
    assert (record.range, record.proven_ends, largest_value(record)) == (S.Reals, (-oo, oo), oo)
    near = np.linspace(-100.0, 100.0, 200_000)
    values = np.sort(record.value(np.concatenate((near - 1e6, near, near + 1e6))))
    widest = np.max(np.diff(values[np.abs(values) < 12]))
    if _DRIFTING[expr]:
        assert record.proven_range == S.Reals
        assert widest < 0.01
    else:
        with pytest.raises(Undecided, match="gaps that come again"):
            record.proven_range  # noqa: B018  # it is found when it is asked for
        assert widest > 0.01


def test_a_range_that_is_not_proven_is_the_line():
    assert gt.activation(Z * sin(Z)).range == S.Reals


@pytest.mark.slow
def test_the_bound_of_any_depth():
    assert gt.total_explosion_bound(gt.Chain(2, tanh(Z))).n(15) == gt.depth_bound("tanh").value.n(15)


def _defined(expr, y):
    def loss(z):
        value = sympy.lambdify(Z, expr, "mpmath")(z)  # the expressions of this table alone
        return -y * mpmath.log(value) - (1 - y) * mpmath.log(1 - value)

    return loss


@pytest.mark.parametrize("z", [-6.0, -1.0, 0.25, 2.0, 5.5])
@pytest.mark.parametrize("expr", [1 / (1 + exp(-Z)), (1 + erf(Z)) / 2, exp(-exp(-Z)), (1 + tanh(3 * Z)) / 2], ids=str)
def test_cross_entropy_of_ones_own_is_its_definition(expr, z):
    chain = gt.Chain(1, expr, loss="cross_entropy")
    by = chain.backprop([z], [0.25], [1.0], [0.0])
    with mpmath.workdps(200):
        loss = _defined(expr, mpmath.mpf(1) / 4)
        first, second = (mpmath.diff(loss, mpmath.mpf(z), order, h=mpmath.mpf(10) ** -30) for order in (1, 2))
        assert by.loss == pytest.approx(float(loss(mpmath.mpf(z))), rel=1e-12)
        assert by.b[0] == pytest.approx(float(first), rel=1e-11)
        with np.errstate(all="ignore"):
            bend = LOSSES["cross_entropy"].bend(chain.layer_activations[0], np.array([0.25]), np.array([z]))[0]
        assert bend == pytest.approx(float(second), rel=1e-9, abs=1e-12)


_HALF, _QUARTER = S.Half, S.One / 4
_KINKED = [  # with a place, and σ' just before it
    (_HALF + Abs(tanh(Z)) / 4, 0.0, -0.25),
    (_HALF + Max(-_QUARTER, Min(_QUARTER, Z)), 0.25, 1.0),
    (_HALF + Max(-_QUARTER, Min(_QUARTER, Z)), -0.25, 0.0),
    ((Max(tanh(Z), tanh(2 * Z)) + 2) / 4, 0.0, 0.25),
    (S.One / 2000 + Abs(tanh(Z)) / 4, 0.0, -0.25),  # so near to 0 that float64 cancels
    (_HALF + sign(Z) / 4 + Z / (1 + Abs(Z)) / 100, 0.0, 0.01),
    (S.One / 2000 + Heaviside(Z) / 2 + Z / (1 + Abs(Z)) / 4000, 0.0, 1 / 4000),
]


@pytest.mark.parametrize(("expr", "z", "slope"), _KINKED, ids=str)
def test_cross_entropy_of_ones_own_takes_the_slope_from_the_left_at_kinks(expr, z, slope):
    chain, value, y = gt.Chain(1, expr, loss="cross_entropy"), float(expr.subs(Z, z)), 0.3125
    expected = (value - y) / (value * (1 - value)) * slope
    assert chain.backprop([z], [y], [1.0], [0.0]).b[0] == pytest.approx(expected, rel=1e-12)
    proven = gt.testing.reference_gradients(chain, [z], [y], [1.0], [0.0], digits=15)
    assert float(proven.b[0]) == pytest.approx(expected, rel=1e-14)
    if not expr.has(sign, Heaviside):
        bend, before = (hessian(chain, [place], [y], [1.0], [0.0])[1, 1] for place in (z, z - 1e-12))
        assert bend == pytest.approx(before, rel=1e-6)


def test_the_bend_of_cross_entropy_keeps_its_digits_far_out():
    record = gt.activation("cloglog")  # C = -log(1 - exp(-exp(z))) = -z + exp(z)/2 + … for y = 1
    bend = LOSSES["cross_entropy"].bend(record, np.ones(1), np.array([-30.0]))[0]
    assert bend == pytest.approx(np.exp(-30.0) / 2, rel=1e-6)


def test_the_bend_of_a_number_is_a_number(shape):
    bend = gt.activation(shape).bend
    for z in (0.25, -1.5, np.float64(2.0), np.array(0.75)):
        assert np.ndim(bend(z)) == 0
        assert bend(z) == bend([z, 1.0])[0]


_SMOOTH = [
    pytest.param(name, marks=pytest.mark.slow) if name == "gelu" else name
    for name in gt.activation_names()
    if gt.activation(name).sign_of_bend is not None
]


@pytest.mark.parametrize("called", _SMOOTH)
def test_bends_keep_their_digits_near_and_far(called):
    record = gt.activation(called)
    value = sympy.lambdify(Z, record.expr, "mpmath")
    for z in (-600.0, -36.5, -2.3, -0.3, 1e-9, 0.2, 1.1, 19.0, 80.0, 690.0):
        with mpmath.workdps(200):
            exact = float(mpmath.re(mpmath.diff(value, mpmath.mpf(z), 2, h=mpmath.mpf(10) ** -30)))
        assert record.bend(z) == pytest.approx(exact, rel=1e-12, abs=1e-100)


@pytest.mark.parametrize(
    "inner", [Z**3 + Z, sympy.sinh(Z), Z + sympy.sin(Z) / 2, Z + sympy.tanh(Z)], ids=["cubic", "sinh", "wave", "tanh"]
)
def test_what_is_cut_at_a_place_without_a_closed_form_has_the_values_of_the_cut(inner):
    cut = gt.activation(sympy.Max(-1, sympy.Min(1, inner)))
    assert order(cut.range.inf, sympy.Integer(-1)) == 0
    assert order(cut.range.sup, sympy.S.One) == 0
    assert float(cut.kinks[0]) == pytest.approx(-float(cut.kinks[1]))


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("Abs(z - exp(-z))", Interval(0, S.Infinity)),
        ("Abs(tanh(z) - 1/2)", Interval.Ropen(0, sympy.Rational(3, 2))),
        ("Max(-1/2, tanh(z))", Interval.Ropen(-sympy.Rational(1, 2), 1)),
    ],
)
def test_what_is_a_fraction_at_an_irrational_place_is_written_as_one(written, values):
    assert gt.activation(gt.expression(written)).proven_range == values


def test_a_number_is_in_a_range_out_of_it_or_undecided():
    values = gt.activation(gt.expression("sin(2*tanh(z))")).proven_range  # cos(2 tanh z) is 0 at its ends
    assert (0 in values, 2 in values, -2 in values) == (True, False, False)
    for end in (-1, 1):
        with pytest.raises(Undecided):
            assert end in values
