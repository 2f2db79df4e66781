"""Signs of rational functions of exponentials, and the depth bounds that rest on them."""

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.class_n import membership
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
    with pytest.raises(Undecided, match="is not decided: σ' is not proven"):
        gt.depth_bound(both)
