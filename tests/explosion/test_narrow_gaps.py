"""Sets whose parts are closer together than SymPy can tell: their ends are compared by proofs."""

import pickle

import pytest
import sympy

import gradtheory as gt

_TINY = sympy.Rational(1, 10**300)
_CASES = [
    ("gelu", {"w": "1e300"}),
    ("silu", {"w": 1, "threshold": "1e-300"}),
    (gt.expression("exp(-(z - 1)**2)"), {"w": "1e300"}),
    ("sine", {"w": 1, "threshold": "1e-300", "domain": (0, 9)}),
    ("snake", {"w": "1e300", "domain": (0, "9e-300")}),
]


@pytest.mark.parametrize(("activation", "asked"), _CASES)
def test_a_union_with_a_narrow_gap_can_be_measured_and_asked(activation, asked):
    union = gt.explosion_set(activation, **asked)
    lower, upper = union.args[0].end, union.args[1].start
    assert lower < upper
    assert 0 < (upper - lower).n(400) < 20 * _TINY
    assert union.contains((lower + upper) / 2) is sympy.false
    assert union.contains(lower - _TINY**3) is sympy.true
    length = union.measure
    assert length == sympy.oo or abs(length - (union.sup - union.inf)).n(400) < 20 * _TINY
    assert union.inf < union.sup
    assert union.intersect(sympy.Interval(lower, upper)) == sympy.S.EmptySet
    assert pickle.loads(pickle.dumps(union)) == union
    assert gt.guarantee(union) is gt.Guarantee.CERTIFIED


def test_a_proven_number_with_a_formula_prints_it():
    union = gt.explosion_set("sine", w=1, threshold="1e-100", domain=(0, 9))
    assert "pi - atan(" in str(union)
    assert r"\pi - \operatorname{atan}" in sympy.latex(union)
    assert (2 * union.args[0].end).n(30) == sympy.pi.n(30)


def test_a_wider_gap_keeps_its_closed_forms():
    assert gt.guarantee(gt.explosion_set("sine", w=1, threshold="1e-80", domain=(0, 9))) is gt.Guarantee.EXACT
