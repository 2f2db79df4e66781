"""Signs of rational functions of exponentials, and the depth bounds that rest on them."""

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.effort import within
from gradtheory.errors import Undecided
from gradtheory.explosion.depth import bound as bound_module
from gradtheory.explosion.depth.bound import is_part_log_concave_in_angles
from gradtheory.explosion.depth.class_n import SmoothPart, membership
from gradtheory.explosion.depth.in_exponentials import cleared, sign_in_exponentials

_E = sympy.exp(Z)


@pytest.mark.parametrize(
    ("expr", "sign"),
    [
        (_E**2 - 2 * _E + 2, 1),
        (-((_E - 1) ** 2), -1),  # it touches 0
        (_E**2 - 3 * _E + 2, 0),
        (_E * (_E - 1), 0),
        (_E - _E**2 - 1, -1),
        (sympy.tanh(Z / 3) ** 2 - 2, -1),
        (sympy.exp(Z / 2) + sympy.exp(-Z / 3), 1),
        (1 / (1 + sympy.exp(Z - sympy.Rational(1, 2))) + sympy.exp(Z + 3), 1),
        (sympy.exp(Z - 1) - 1, 0),
        (sympy.exp(2 * Z) - sympy.exp(Z + sympy.Rational(1, 2)) + 1, 1),  # its discriminant is e - 4
        (-sympy.exp(2 * Z) + 2 * sympy.exp(Z + 1) - sympy.exp(2), None),  # it touches 0, which no digits tell
        (sympy.exp(Z**2) + 1, None),
        (sympy.exp(Z) + Z, None),
        (sympy.exp(sympy.sqrt(2) * Z) + 1, None),
        (sympy.exp(1000 * Z) + _E, None),
        (sympy.exp(Z + sympy.Rational("0.123456789")) + sympy.exp(-Z - 1), None),
        (_E**201 + _E, None),
        ((_E**150 + _E) * (_E**151 + 1), None),
        (Z, None),
        (sympy.coth(sympy.sin(Z)), None),
    ],
)
def test_signs(expr, sign):
    assert sign_in_exponentials(expr) == sign


def test_cleared_of_denominators():
    sum_ = cleared([(Z, 1 / (1 + _E) ** 2), (sympy.S.One, -1 / (1 + _E))])
    assert sympy.expand(sum_ - (Z - 1 - _E)) == 0
    assert cleared([(Z, sympy.erf(Z))]) is None
    assert cleared([(Z, 1 / (_E - 2))]) is None  # whose sign changes
    assert cleared([(Z, 1 / (sympy.exp(Z - 1) - 2))]) is None
    assert cleared([(Z, 1 / (_E + sympy.sqrt(2)))]) is None


@pytest.mark.slow
def test_two_logistic_functions_apart():
    near, far = (gt.activation(gt.expression(f"1/(1 + exp({gap} - z)) + 1/(1 + exp(-{gap} - z))")) for gap in (1, 5))
    assert membership(near).is_member
    assert abs(membership(far).witness) < 5  # |σ'| has two peaks, and is least between them


def largest(slope, low=0.2, high=6):
    """Return max 2q·σ'(q), of an even slope."""
    with mpmath.workdps(30):
        q = mpmath.findroot(
            lambda q: mpmath.diff(lambda x: mpmath.log(x * slope(x)), q), (low, high), solver="anderson"
        )
        return 2 * q * slope(q)


def logistic_slope(x):
    return 1 / (4 * mpmath.cosh(x / 2) ** 2)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("1/(1 + exp(-z)) + 1/(1 + exp(-2*z))", lambda x: logistic_slope(x) + 2 * logistic_slope(2 * x)),
        (
            "log(1 + exp(z)) - log(1 + exp(z - 1))",
            lambda x: 1 / (1 + mpmath.exp(-x - 0.5)) - 1 / (1 + mpmath.exp(-x + 0.5)),
        ),
    ],
)
@pytest.mark.slow
def test_depth_bounds(text, slope):
    bound = gt.depth_bound(gt.expression(text))
    assert bound.widens is False
    with mpmath.workdps(30):
        assert abs(mpmath.mpf(str(bound.value.n(25))) / largest(slope) - 1) < mpmath.mpf("1e-22")


@pytest.mark.slow
def test_a_schwarzian_that_touches_0():
    """For sigmoid(z) + sigmoid(3z) it is 0 at u = 2 ± √3, and negative elsewhere."""
    both = gt.activation(gt.expression("1/(1 + exp(-z)) + 1/(1 + exp(-3*z))"))
    assert membership(both).is_member
    assert str(gt.depth_bound(both).value.n(15)) == "0.718990253371281"


@pytest.mark.parametrize("number", [sympy.sqrt(2), sympy.E, sympy.pi, sympy.log(2)], ids=str)
def test_coefficients_that_are_no_fractions(number):
    assert sign_in_exponentials(_E**2 - 2 * number * _E + number**2 + 1) == 1  # (u - c)² + 1
    assert sign_in_exponentials(_E**2 - 3 * number * _E + number**2) == 0
    assert sign_in_exponentials(number - _E) == 0


@pytest.mark.parametrize("number", ["sqrt(2)", "exp(1)", "pi", "log(2)"])
def test_depth_bounds_with_coefficients_that_are_no_fractions(number):
    bound = gt.depth_bound(gt.expression(f"{number}*z + tanh(z)"), effort=1)
    assert bound.value is None
    assert bound.reason == f"the Schwarzian derivative of σ is positive at z = {bound.witness}"


def test_a_common_denominator_is_charged():
    steep = sympy.tanh(Z) + sympy.tanh(Z / 97)
    assert sign_in_exponentials(steep) == 0
    with within(0.05), pytest.raises(Undecided, match=r"effort=0\.05,"):
        sign_in_exponentials(steep)
    many = sympy.Add(*(sympy.tanh(Z / 97) ** power for power in range(1, 40)))
    assert sign_in_exponentials(sympy.exp(Z) * many) is None


@pytest.mark.parametrize(
    ("text", "effort"), [("tanh(z) + tanh(z/97)", 0.2), ("tanh(z + 0.123456789) + tanh(z - 1)/3", 0.2)]
)
@pytest.mark.slow
def test_steep_and_flat_parts_end_within_the_effort(text, effort):
    with pytest.raises(Undecided, match=f"effort={effort},"):
        gt.depth_bound(gt.expression(text), effort=effort)


@pytest.mark.slow
def test_a_cube_with_a_root_before_it():
    assert not gt.depth_bound(gt.expression("tanh(z) + sqrt(2)*tanh(z)**3"), effort=1).is_in_class_n


def test_where_nothing_is_cleared_the_condition_is_tried_as_it_is(monkeypatch):
    def undecided(_):
        raise Undecided("no sign")

    part = SmoothPart(-sympy.oo, sympy.oo, sympy.exp(-(Z**2)))
    monkeypatch.setattr(bound_module, "cleared", undecided)
    assert is_part_log_concave_in_angles(part, sympy.Integer(2))  # -6z² - 2 ≤ 0
    assert not is_part_log_concave_in_angles(part, sympy.S.Half)
