"""Activations of one's own: their branches are found, proven, and agree with what the catalogue states."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Abs, Max, Min, Piecewise, Rational, asinh, atan, cosh, erf, exp, log, pi, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.activations.slopes import mending
from gradtheory.activations.slopes.analysis import find_branches
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.errors import GradTheoryError, InvalidArgument, Undecided
from gradtheory.explosion.superlevel import Periodic, components_of
from tests.explosion.test_explosion import ends_of

U = sympy.Symbol("u", real=True)
_TWINS = {
    "sigmoid": 1 / (1 + exp(-U)),
    "tanh": tanh(U),
    "arctan": atan(U),
    "softsign": U / (1 + Abs(U)),
    "erf": erf(U),
    "arsinh": asinh(U),
    "gaussian": exp(-(U**2)),
    "relu": Max(0, U),
    "leaky_relu": Max(U, U / 100),
    "elu": Piecewise((U, U > 0), (exp(U) - 1, True)),
    "softplus": log(1 + exp(U)),
    "hard_tanh": Max(-1, Min(1, U)),
    "gelu": U * (1 + erf(U / sqrt(2))) / 2,
    "silu": U / (1 + exp(-U)),
    "identity": U,
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("twin", _TWINS)
@pytest.mark.parametrize("w", ["-7/2", "11/10", "40"])
def test_found_branches_give_the_sets_of_the_catalogue(twin, w):
    own, stated = gt.explosion_set(_TWINS[twin], w, 1), gt.explosion_set(twin, w, 1)
    ours, theirs = ends_of(own), ends_of(stated)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert abs((one - other).n(50, chop=True)) < sympy.Float("1e-45")


@pytest.mark.parametrize(
    ("expr", "turns"),
    [
        (U * exp(-(U**2)), [-sqrt(Rational(3, 2)), -1 / sqrt(2), 0, 1 / sqrt(2), sqrt(Rational(3, 2))]),
        (U * exp(-U), [1, 2]),
        (U**2 * Abs(U), [0]),
        (exp(U), []),
        (sqrt(1 + U**2), [0]),
        (Abs(U - 1) + U / 2, [1]),
        (Max(0, U) ** 2, [0]),
        (Max(U**2 - 2, 0), [-sqrt(2), sqrt(2)]),
    ],
)
def test_turning_points_zeros_and_kinks_are_all_found(expr, turns):
    branches = find_branches(expr.subs(U, Z).diff(Z))
    assert branches[0].left == -sympy.oo
    assert branches[-1].right == sympy.oo
    ends = [branch.right for branch in branches[:-1]]
    assert len(ends) == len(turns)
    for one, other in zip(ends, turns, strict=True):
        assert abs((one - other).n(40, chop=True)) < sympy.Float("1e-35")


@pytest.mark.slow
@pytest.mark.parametrize("w", [2, -3])
@pytest.mark.parametrize(
    ("expr", "twin"), [(sympy.sin(U), "sine"), (sympy.cos(U), "cosine"), (U + sympy.sin(U) ** 2, "snake")]
)
def test_periodic_slopes_are_found(expr, twin, w):
    domain = (-5, 7)
    ours = gt.explosion_set(expr, w, "1/3", domain=domain)
    theirs = gt.explosion_set(twin, w, "1/3", domain=domain)
    for one, other in zip(components_of(ours), components_of(theirs), strict=True):
        for end, same in ((one.lower, other.lower), (one.upper, other.upper)):
            assert abs((end - same).n(30, chop=True)) < sympy.Float("1e-25")
    assert isinstance(gt.explosion_set(expr, w), Periodic)
    assert gt.widest_explosion(expr).width is sympy.oo


@pytest.mark.slow
def test_other_periodic_slopes():
    set_ = gt.explosion_set(exp(sympy.sin(3 * U)), 2, domain=(-4, 4))
    for x in (Rational(k, 7) for k in range(-27, 28)):
        slope = abs(6 * exp(sympy.sin(6 * x)) * sympy.cos(6 * x)).n(30)
        assert (x in set_) == bool(slope > 1)


@pytest.mark.slow
def test_a_slope_without_limits_is_undecided_not_wrong():
    for expr in (U * sympy.sin(U), sympy.sin(U**2), sympy.sin(U) + sympy.sin(sqrt(2) * U)):
        with pytest.raises(Undecided, match=r"oscillate for ever; where the call takes domain=, ask on a bounded one"):
            gt.explosion_set(expr, 3)


def test_it_is_a_record_like_any_other():
    record = gt.activation(U * exp(-(U**2)))
    assert record.expr == Z * exp(-(Z**2))
    assert pickle.loads(pickle.dumps(record)).expr == record.expr
    chain = gt.Chain(depth=2, activation=record)
    assert chain.gradient(chain.w[1]).has(chain.w[2])
    result = chain.backprop(0.3, 1.0, [1.5, -2.0], [0.1, 0.2])
    assert np.isfinite(result.x)


@pytest.mark.parametrize("twin", _TWINS)
@given(z=st.floats(-30, 30))
def test_the_kernel_is_the_function(twin, z):
    assume(abs(z) > 1e-3 and abs(abs(z) - 1) > 1e-3)  # not at kinks
    own, stated = gt.activation(_TWINS[twin]), gt.activation(twin)
    assert own.value(z) == pytest.approx(stated.value(z), rel=1e-9, abs=1e-12)
    assert own.slope(z) == pytest.approx(stated.slope(z), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Integer(3),
        sympy.Symbol("u"),
        sympy.Symbol("u", positive=True),
        U + sympy.Symbol("v", real=True),
        sympy.gamma(U),
        sympy.Interval(0, 1),
        sympy.Eq(U, 1),
        sympy.true,
        pytest.param(sympy.Add(*((U + k) ** 2 / (k + 1) for k in range(400))), marks=pytest.mark.slow),
    ],
)
def test_what_is_no_activation_is_refused(expr):
    with pytest.raises(GradTheoryError) as caught:
        gt.activation(expr)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_parameters_make_other_records():
    assert gt.activation("elu(2)") == gt.activation("elu", alpha="2") == gt.activation("elu(alpha=2)")
    assert gt.activation("elu(1)") is gt.activation("elu")
    assert gt.critical_weight("elu(alpha=2)") == Rational(1, 2)
    assert gt.explosion_set("leaky_relu(1/5)", w=6) == sympy.Union(
        sympy.Interval.open(-sympy.oo, 0), sympy.Interval.open(0, sympy.oo), evaluate=False
    )
    assert pickle.loads(pickle.dumps(gt.activation("elu(2)"))) == gt.activation("elu(2)")
    for slope in (sympy.sqrt(2) / 3, sympy.pi / 10, sympy.exp(-1), sympy.cbrt(2)):
        record = gt.activation("leaky_relu", slope=slope)
        assert pickle.loads(pickle.dumps(record)) == gt.activation(record.name) == record


@pytest.mark.parametrize(
    "call",
    [
        lambda: gt.activation("elu(0)"),
        lambda: gt.activation("elu(1, 2)"),
        lambda: gt.activation("elu(beta=2)"),
        lambda: gt.activation("elu(2)", alpha=2),
        lambda: gt.activation("elu(alpha=2, alpha=3)"),
        lambda: gt.activation("elu(x)"),
        lambda: gt.activation("elu(nan)"),
        lambda: gt.activation("sigmoid(2)"),
        lambda: gt.activation("sigmoid", alpha=2),
        lambda: gt.activation(U, alpha=2),
        lambda: gt.activation("elu(__import__('os'))"),
    ],
)
def test_wrong_parameters_are_refused(call):
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_widest_explosion_of_ones_own():
    widest = gt.widest_explosion(tanh(U))
    assert abs((widest.width - gt.widest_explosion("tanh").width).n(60)) < sympy.Float("1e-55")
    assert widest.guarantee.value == "certified"
    rational = gt.widest_explosion(U / (1 + U**2))
    assert abs(rational.width.n(30) - Rational(1, 2)) < sympy.Float("1e-28")
    assert gt.widest_explosion(U * tanh(log(1 + exp(U)))).width == sympy.oo
    assert gt.widest_explosion(exp(U)).width == sympy.oo


@pytest.mark.slow
def test_the_widest_explosion_is_the_greatest_on_a_grid():
    expr = U * exp(-(U**2) / 2)
    widest = gt.widest_explosion(expr)
    for k in range(1, 40, 4):
        assert gt.explosion_width(expr, 1 + Rational(k, 5)).n(20) <= widest.width.n(20)
    assert abs((gt.explosion_width(expr, Rational(str(widest.weight.n(40)))) - widest.width).n(30)) < sympy.Float(
        "1e-30"
    )


@pytest.mark.slow
def test_the_longest_component():
    total, longest = gt.widest_explosion("gaussian"), gt.widest_explosion("gaussian", component="longest")
    assert abs((total.width / 2 - longest.width).n(40)) < sympy.Float("1e-35")
    assert gt.widest_explosion("sigmoid", component="longest").width == gt.widest_explosion("sigmoid").width
    with pytest.raises(InvalidArgument, match="component"):
        gt.widest_explosion("sigmoid", component="widest")


def test_growth_without_bound_has_no_critical_weight():
    assert gt.critical_weight(exp(U)) == 0
    assert abs((gt.explosion_set(exp(U), 2, 1).start + (1 + log(2)) / 2).n(30, chop=True)) < sympy.Float("1e-28")
    assert cosh(U).subs(U, pi).is_real  # the names above are SymPy's


@pytest.mark.parametrize(
    "expr",
    [
        *(1 / U, 1 / (U**2 - 2), log(U), log(-1 - U**2), sqrt(U), U ** Rational(1, 3), U**U, sympy.tan(U)),
        *(sympy.coth(U), tanh(U) / U, sqrt(Max(U, 0)), Piecewise((1 / U, U > -1), (U, True))),
    ],
    ids=str,
)
def test_what_is_not_finite_and_real_everywhere_is_refused(expr):
    with pytest.raises(InvalidArgument, match="must be finite and real for every z"):
        gt.activation(expr)


@pytest.mark.parametrize(
    "expr",
    [1 / (U**2 - U + 1), log(Max(U, 1)), Piecewise((1 / U, U > 1), (U, True)), Abs(U) ** Rational(3, 2)],
    ids=str,
)
def test_what_is_so_piece_by_piece_is_accepted(expr):
    assert gt.explosion_set(expr, 100) is not sympy.S.EmptySet


def test_where_the_slope_is_infinite_is_no_derivative():
    set_ = gt.explosion_set(sympy.sign(U) * Abs(U) ** Rational(1, 3), 2)
    assert set_.contains(0) is sympy.false
    assert set_.contains(Rational(1, 10**9)) is sympy.true


_STEEP = sympy.sign(U) * sympy.sqrt(Abs(U))


def test_an_infinite_slope_is_infinite_in_float64():
    record = gt.activation(_STEEP)
    assert record.infinite_slopes == (0,)
    values, slopes = record.value_and_slope([-4.0, 0.0, -0.0, 4.0])
    assert values.tolist() == [-2, 0, 0, 2]
    assert slopes.tolist() == [0.25, np.inf, np.inf, 0.25]
    assert gt.activation(-_STEEP).slope(0.0) == -np.inf
    assert gt.activation(sympy.sqrt(Abs(U - 1))).slope(1.0) == -np.inf  # from the left


@pytest.mark.parametrize(
    "ask",
    [
        gt.widest_explosion,
        pytest.param(lambda own: gt.compare_activations([own]), marks=pytest.mark.slow),
        pytest.param(lambda own: gt.derive("widest", activation=own), marks=pytest.mark.slow),
    ],
)
def test_an_infinite_slope_is_named_where_it_stops_a_proof(ask):
    with pytest.raises(Undecided, match="its slope is infinite at 0"):
        ask(_STEEP)


@pytest.mark.slow
def test_an_infinite_slope_is_named_in_mean_field():
    assert [(point.chi, point.is_stable) for point in gt.meanfield.fixed_points(_STEEP, 1)] == [
        (np.inf, False),
        (np.inf, True),
    ]
    with pytest.raises(Undecided, match="its slope is infinite at 0, so is χ₁"):
        gt.meanfield.depth_scales(_STEEP, 1, 1)
    with pytest.raises(InvalidArgument, match=r"has no finite E\[σ'²\] in layer 1"):
        gt.meanfield.gradients(_STEEP, 3, 1, 1)
    assert gt.meanfield.critical_initialisation(_STEEP).reason.endswith("σ' is infinite at 0")
    with pytest.raises(Undecided, match="its slope is infinite at 0"):
        gt.gaussian.correlated(sympy.sign(U) * Abs(U) ** Rational(9, 10), 0.5, 1, of="slope")
    assert gt.activation("tanh").infinite_slopes == gt.activation(exp(U)).infinite_slopes == ()


@pytest.mark.slow
def test_advice_for_an_infinite_slope():
    advice = gt.advise(gt.Chain(2, _STEEP), [1.0, 0.0], [0.5, 0.2], [1.0, 1.0], [0.0, 0.0])
    assert advice.total_factor == np.inf


def test_decimal_coefficients_cost_no_more_than_small_ones():
    """SymPy's polynomials would have degree 3702."""
    own = gt.activation(U / (1 + exp(-Rational("1.851") * U)))
    assert gt.explosion_width(own, 1).is_infinite


@pytest.mark.slow
def test_decimal_coefficients_of_several_exponentials_make_no_large_polynomials():
    """Both are powers of exp(z/500): the 1370th and the 123rd."""
    set_ = gt.explosion_set(tanh(U * Rational("1.37")) * U + tanh(U * Rational("0.123")), Rational(9, 7))
    assert len(set_.args) == 2


@pytest.mark.parametrize(
    ("own", "z", "value", "slope"),
    [
        ("z*tanh(log(1 + exp(z)))", 800.0, 800.0, 1.0),
        ("exp(z)/(1 + exp(z))", 1000.0, 1.0, 0.0),
        ("log(1 + exp(z))", 750.0, 750.0, 1.0),
        ("Max(z, 0)*exp(z)/(1 + exp(z))", 720.0, 720.0, 1.0),
        ("z/(1 + exp(-z))", -1000.0, 0.0, 0.0),
        ("log(cosh(z))", 1e12, 1e12 - np.log(2), 1.0),
        ("log(cosh(z))", -800.0, 800.0 - np.log(2), -1.0),
        ("log(1 + exp(z) + exp(2*z))", 400.0, 800.0, 2.0),
        ("asinh(sinh(z))", 400.0, 400.0, 1.0),
        ("sqrt(1 + z**2)", 1e300, 1e300, 1.0),
        ("log(1 + z**100)/100", 1e4, np.log(1e4), 1e-4),
        ("Max(log(cosh(z)), 1)", 1e5, 1e5 - np.log(2), 1.0),
        ("sqrt(z**4 + 1) - z**2", 1e100, 5e-201, -1e-300),
        ("sqrt(z**4 + 1) - z**2", 3e7, 5e-16 / 0.9, -1 / 27e21),
        ("sqrt(z**4 + 1) - z**2", 4229.0, 0.5 / 4229.0**2, 0.75 / 4229.0**7 - 1 / 4229.0**3),
        ("log(1 + z**2)", 1e-8, 1e-16, 2e-8),
        ("abs(z)*z/(1 + z**2)", 1e160, 1.0, 0.0),
        ("z/(1 + z**2)", 1e160, 1e-160, 0.0),
        ("1 - exp(-z**60)", 1e-3, 1e-180, 6e-176),
    ],
)
def test_what_overflows_on_the_way_is_found_in_ball_arithmetic(own, z, value, slope):
    record = gt.activation(gt.expression(own))
    values, steepness = record.value_and_slope([z, 0.5, np.nan])
    assert values[0] == pytest.approx(value, rel=2e-15, abs=1e-300)
    assert steepness[0] == pytest.approx(slope, rel=2e-15, abs=1e-300)
    assert np.isfinite(values[1])
    assert np.isnan(values[2])


def test_many_values_far_out_are_interpolated_to_the_last_digits():
    z = np.concatenate([-np.geomspace(720, 1e30, 500), np.geomspace(720, 1e30, 500)])
    values, slopes = gt.activation(log(cosh(U))).value_and_slope(z)
    assert values == pytest.approx(np.abs(z) - np.log(2), rel=1e-15)
    assert slopes == pytest.approx(np.sign(z), rel=1e-15)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_many_values_beside_a_zero_of_the_slope_keep_their_digits(side, monkeypatch):
    asked = []
    monkeypatch.setattr(mending, "enclose", lambda *of: asked.append(of) or enclose(*of))
    zero = sympy.sqrt(15)
    places = side * float(zero) * (1.0 + np.concatenate([np.geomspace(1e-15, 2e-11, 500), [-1e-15, -1e-13]]))
    slopes = gt.activation(U**30 * exp(-(U**2))).slope(places)
    assert len(asked) < 100
    with mpmath.workdps(60):
        for place, slope in zip(places[::25], slopes[::25], strict=True):
            z = mpmath.mpf(place)
            true = (30 * z**29 - 2 * z**31) * mpmath.exp(-(z**2))
            assert abs(slope / float(true) - 1.0) < 2e-15


@pytest.mark.parametrize(
    ("expr", "place"),
    [
        (U**30 * exp(-(U**2)), 27.0),
        (U**30 * exp(-(U**2)), 28.03),
        ((U - 3) ** 21 * exp(-(U**2)), -27.4),
        (U**50 / cosh(U) ** 2, -411.9),
        ((U**2 + 1) ** 40 * exp(-7 * Abs(U)), -142.5),
        (U**30 * exp(-(U**2)), 1e11),
    ],
)
def test_a_factor_that_underflows_beside_a_huge_one_keeps_its_digits(expr, place):
    with mpmath.workdps(60):
        true = float(sympy.lambdify(U, expr, "mpmath")(mpmath.mpf(place)))
    assert gt.activation(expr).value(place) == pytest.approx(true, rel=3e-13, abs=0.0)


def test_a_kink_where_great_numbers_cancel_is_one():
    """The place of a switch is found in plain float64, which is exact there."""
    record = gt.activation(Abs(U - 20_000))
    assert record.slope([19_999.0, 20_000.0, 20_001.0]).tolist() == [-1, -1, 1]


@pytest.mark.parametrize("place", [-550.0, -355.0, -40.0, -9.5, 3.0, 40.0, 360.0, 600.0])
@pytest.mark.parametrize(
    "own",
    [
        "z*sigmoid(1.2*z)",
        "exp(z)/(1 + exp(z))",
        "exp(z)/(1 + exp(z))**2",
        "log(1 + exp(z))*atan(z)",
        "sinh(z)/cosh(z)**2",
        "exp(-3*z)*(1 + exp(z))**2/(1 + exp(-z))**3",
    ],
)
def test_small_values_and_slopes_far_out_keep_their_digits(own, place):
    record = gt.activation(gt.expression(own))
    numbers = record.value_and_slope(place)
    for number, formula in zip(numbers, (record.expr, record.slope_expr), strict=True):
        truth = formula.subs(Z, Rational(place)).evalf(600)
        assert abs(number - truth) <= 3e-13 * abs(truth) + 1e-290


@pytest.mark.parametrize("expr", [sympy.I * Z, Z + sympy.I])
def test_the_imaginary_unit_is_refused(expr):
    with pytest.raises(InvalidArgument, match="must be written in real numbers, without I"):
        gt.activation(expr)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Piecewise((z, log(z) < log(z) + 1), (z/4, True))", r"log\(z\)"),
        ("Piecewise((z, 1/z < 1/z + 1), (z/4, True))", "1/z"),
        ("Piecewise((z, z > 0), (z/2, log(z) < 1), (z/4, True))", r"log\(z\)"),
        ("z*sign(log(z)**2 + 1)", r"log\(z\)"),
        ("sign(1/z)", "1/z"),
        ("abs(sqrt(z) + 1)*z", r"sqrt\(z\)"),
        ("max(z, log(z))", r"log\(z\)"),
    ],
)
def test_what_a_switch_looks_at_must_be_defined(text, part):
    with pytest.raises(InvalidArgument, match=f"must be finite and real for every z: {part} is not proven to be for "):
        gt.activation(gt.expression(text))


def test_an_expression_that_cancels_to_a_number_is_no_activation():
    with pytest.raises(InvalidArgument, match="must depend on z"):
        gt.activation(gt.expression("max(1/z, 1/z - 1)*z"))


_TENTH = Rational(1, 10)  # the float 0.1 lies above it


@pytest.mark.parametrize(
    ("own", "z", "value"),
    [
        (U + sympy.Heaviside(U), 0.0, 0.5),
        (U + sympy.Heaviside(U, 1), 0.0, 1.0),
        (U + sympy.sign(U - _TENTH), 0.1, 1.1),
        (U + sympy.Piecewise((1, U > _TENTH), (0, True)), 0.1, 1.1),
        (U + sympy.sign(U) ** 2, 0.0, 0.0),
        (sympy.Piecewise((U, U < 0), (1, U <= 0), (U, True)), 0.0, 1.0),
        (U + U**3 / sympy.Abs(U), 0.0, np.nan),
        (sympy.log(sympy.cosh(U)) + sympy.Abs(U - 2**200), 2.0**200, 2.0**200),  # no jump, where there is no ball
    ],
)
def test_values_at_jumps_are_those_of_the_expression(own, z, value):
    values = gt.activation(own).value([z, -1.0, z])
    assert values[[0, 2]] == pytest.approx(value, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize(
    ("activation", "z", "bend"),
    [
        (sympy.Max(U**2, U**3), 1.0, 2.0),
        (U * sympy.Abs(U), 0.0, -2.0),
        (sympy.Max(0, U) ** 2, 0.0, 0.0),
        (sympy.Piecewise((U**3, U < 2), (U**2, True)), 2.0, 12.0),
        ("softsign", 0.0, 2.0),
    ],
)
def test_at_a_kink_the_bend_is_that_from_the_left(activation, z, bend):
    assert gt.activation(activation).bend([z, z]).tolist() == [bend, bend]
    assert float(gt.testing.reference_activation(activation, z, derivative=2)) == bend


@pytest.mark.parametrize(
    ("own", "z", "value", "slope"),
    [
        (sympy.Max(sympy.erf(U), sympy.Min(1, U)), 1e3, 1.0, 0.0),
        (sympy.Max(sympy.tanh(3 * U), sympy.Min(1, U)), 1e3, 1.0, 0.0),
        (U * sympy.Max(1, sympy.tanh(U)), 1e16, 1e16, 1.0),
        (sympy.Max(sympy.log(sympy.cosh(U)), sympy.Abs(U) - sympy.log(2)), -1e4, 1e4 - np.log(2), -1.0),
    ],
    ids=str,
)
def test_formulas_that_no_digits_tell_apart_are_one_in_float64(own, z, value, slope):
    record, places = gt.activation(own), np.array([z, 0.5, *np.linspace(z, z * 0.9, 100)])
    assert record.value(places)[0] == pytest.approx(value, rel=1e-15)
    assert record.slope(places)[0] == pytest.approx(slope, rel=1e-15)
    assert np.isfinite(record.value(places)).all()
    assert record.slope(places)[2:] == pytest.approx(slope, rel=1e-12)
    assert gt.Chain(1, own).backprop([z], [0.0], [1.0], [0.0]).b[0] == pytest.approx(value * slope, rel=1e-15)


@pytest.mark.parametrize("assumption", ["nonnegative", "nonzero", "nonpositive", "irrational", "positive", "even"])
def test_symbols_that_stand_for_some_numbers_alone_are_refused(assumption):
    letter = sympy.Symbol("q", real=True, **{assumption: True})
    with pytest.raises(InvalidArgument, match="any real number"):
        gt.activation(sympy.tanh(letter))


def test_powers_of_negative_numbers_are_refused():
    with pytest.raises(InvalidArgument, match="powers of negative numbers"):
        gt.activation(sympy.sin(Z + sympy.sign(Z - 3) * pi))  # SymPy makes (-1)**sign(z - 3)·sin(z) of it


def test_what_is_infinite_at_a_place_is_refused():
    with pytest.raises(InvalidArgument, match="DiracDelta"):
        gt.activation(sympy.tanh(Z) + sympy.DiracDelta(Z))


@pytest.mark.parametrize(
    ("expr", "slope"),
    [
        (sympy.Piecewise(((sympy.exp(U) - 1) / U, sympy.Ne(U, 0)), (1, True)), 0.5),
        (sympy.Piecewise((U / (1 - sympy.exp(-U)), sympy.Ne(U, 0)), (1, True)), 0.5),
        (U * sympy.sqrt(sympy.Abs(U)), 0.0),
        (U + U * sympy.sqrt(sympy.Abs(U)), 1.0),
    ],
)
def test_the_slope_where_the_formula_is_0_by_0_is_the_limit(expr, slope):
    assert gt.activation(expr).slope(0.0) == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("place", [0.3, 5.0, 17.0, 19.0, 25.0, 200.0])
def test_tails_that_cancel_keep_their_digits(place):
    odd = gt.activation(sympy.tanh(3 * U) - sympy.tanh(U))
    z = sympy.Rational(place)
    exact = (sympy.tanh(3 * z) - sympy.tanh(z)).n(300), (3 / sympy.cosh(3 * z) ** 2 - 1 / sympy.cosh(z) ** 2).n(300)
    assert (odd.value(place), odd.slope(place)) == pytest.approx(tuple(map(float, exact)), rel=1e-9)


def test_a_range_that_is_not_known_is_no_bound_at_all():
    clipped = sympy.Min(sympy.S.One, sympy.log(1 + sympy.exp(U)))
    chain = gt.Chain(2, [clipped, "sigmoid"])
    for call in (
        lambda: gt.derive("weight_decay", activation=clipped),
        lambda: gt.remedies.weight_decay_guarantee(chain, [1.0], [0.0]),
        lambda: gt.largest_lyapunov_exponent(clipped),
        lambda: gt.total_explosion_bound(
            gt.Chain(1, sympy.Max(1 / (1 + sympy.exp(-U)), sympy.Min(1, sympy.Max(-1, U))))
        ),
    ):
        with pytest.raises(Undecided, match="between which numbers"):
            call()
    with pytest.raises(InvalidArgument, match="values whose bounds are not known"):
        gt.Chain(2, ["tanh", clipped / 2 + sympy.Rational(1, 4)], "cross_entropy")


@pytest.mark.parametrize(
    ("own", "values", "slopes"),
    [
        (U / (1 + U**2), [0, 0], [0, 0]),
        (U * sympy.exp(-sympy.Abs(U)), [0, 0], [0, 0]),
        (sympy.sqrt(1 + U**2), [np.inf, np.inf], [-1, 1]),
        (sympy.Max(0, U) - sympy.Max(0, U - 1), [0, 1], [0, 0]),
        (U * sympy.sign(U - 3), [np.inf, np.inf], [-1, 1]),
        (sympy.sin(U) / (1 + U**2), [0, 0], [0, 0]),
        (U * sympy.sin(U), [np.nan, np.nan], [np.nan, np.nan]),  # there is none
    ],
    ids=str,
)
def test_at_infinity_it_is_the_limit(own, values, slopes):
    record, ends = gt.activation(own), [-np.inf, np.inf]
    np.testing.assert_array_equal(record.value(ends), values)
    np.testing.assert_array_equal(record.slope(ends), slopes)
    assert np.isnan(record.value([np.nan])[0])


def test_towers_of_exponentials_are_refused():
    with pytest.raises(Undecided, match="may be too large for that"):
        gt.explosion_set(gt.expression("2**(3**(4**(5**z)))"), 2)
    with pytest.raises(Undecided):  # it is no number anywhere in float64
        _ = gt.activation(tanh(exp(exp(exp(exp(Z)))))).steepest_slope
