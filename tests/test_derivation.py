"""Steps are checked when they are made; a false one cannot be made."""

import pytest
import sympy

from gradtheory.derivation import GENERIC, Check, UnprovenStep, compared, equal

_X, _Y = sympy.symbols("x y", positive=True)


def test_exact_and_numeric_steps_say_so():
    assert equal((_X + 1) ** 2, _X**2 + 2 * _X + 1, "why").check is Check.EXACT
    hidden = sympy.Piecewise((sympy.asinh(_X), _X > 0), (0, True))
    assert equal(hidden, sympy.log(_X + sympy.sqrt(_X**2 + 1)), "why").check in (Check.EXACT, Check.NUMERIC)
    ramanujan = sympy.cbrt(sympy.cbrt(2) - 1) - (1 - sympy.cbrt(2) + sympy.cbrt(4)) / sympy.cbrt(9)
    assert equal(ramanujan * _X, sympy.S.Zero, "why").check in (Check.EXACT, Check.NUMERIC)
    assert equal(_X, _X, "why", latex="shown").latex == "shown"


def test_numeric_steps_are_numeric(monkeypatch):
    monkeypatch.setattr(sympy, "simplify", lambda expr: expr)
    step = equal(sympy.cosh(_X) ** 2, 1 + sympy.sinh(_X) ** 2 + 0 * _Y, "why")
    assert step.check is Check.NUMERIC


@pytest.mark.parametrize(
    ("left", "right"),
    [(_X, -_X), (_X * _Y, _X), (_X + _Y, _X + _Y + sympy.Rational(1, 10**30)), (sympy.sin(_X), _X)],
)
def test_false_steps_are_caught(left, right):
    with pytest.raises(UnprovenStep, match="not shown"):
        equal(left, right, "why")


def test_comparisons_are_certified():
    assert (
        compared(sympy.Gt(sympy.pi, sympy.Rational(22, 7) - sympy.Rational(1, 100), evaluate=False), "why").check
        is Check.CERTIFIED
    )
    for relation in (sympy.Gt, sympy.Ge):
        with pytest.raises(UnprovenStep):
            compared(relation(sympy.pi, sympy.Rational(22, 7), evaluate=False), "why")


def test_the_generic_activation_has_no_numbers():
    assert sympy.latex(GENERIC.expr) == r"\sigma\left(z\right)"
    assert sympy.latex(GENERIC.derivative) == r"\sigma'\left(z\right)"
    with pytest.raises(AssertionError, match="no values"):
        GENERIC.value(1.0)
