"""Whether an input belongs to a set that is far narrower than any usual number of digits tells."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import Undecided
from gradtheory.explosion.whole_chain import deep_end
from gradtheory.explosion.whole_chain.deep_end import DeepEnd
from gradtheory.explosion.whole_chain.end import ExplosionEnd

_HALF = sympy.Rational(1, 2)


def _set(depth, weight):
    chain = gt.Chain(depth, "sigmoid")
    return gt.total_explosion_set(chain, w=[weight] * depth, b=[-sympy.Rational(weight) / 2] * depth)


@pytest.mark.parametrize(
    ("depth", "weight", "kind"),
    [
        pytest.param(3, 10**400, ExplosionEnd, id="few"),
        pytest.param(480, 1000, DeepEnd, id="many", marks=pytest.mark.slow),
    ],
)
def test_inputs_belong_by_the_gradient_there(depth, weight, kind):
    narrow = _set(depth, weight)
    assert isinstance(narrow.start, kind)
    assert isinstance(narrow.end, kind)
    size = sympy.Rational(narrow.measure.n(10))
    assert 0 < size < sympy.Rational(1, 10**1020)
    for x in (_HALF, _HALF + size * sympy.Rational(499, 1000), _HALF - size * sympy.Rational(499, 1000)):
        assert x in narrow
    for x in (_HALF + size * sympy.Rational(501, 1000), _HALF - size * sympy.Rational(501, 1000), 0, 1, size):
        assert x not in narrow


def test_ends_of_a_deep_chain_are_told_from_inputs():
    narrow = _set(40, 40)
    assert isinstance(narrow.start, DeepEnd)
    inner, outer = narrow.end.by_inputs.inner, narrow.end.by_inputs.outer
    assert inner < narrow.end < outer
    assert -outer + 1 < narrow.start < 1 - inner  # the set is even about 1/2
    assert not narrow.end <= _HALF
    assert [narrow.start.order_to(x) for x in (sympy.S.Zero, _HALF, sympy.S.One)] == [1, -1, -1]
    assert [narrow.end.order_to(x) for x in (sympy.S.Zero, _HALF, sympy.S.One)] == [1, 1, -1]


def test_an_input_at_the_end_itself_is_not_decided(monkeypatch):
    monkeypatch.setattr(deep_end, "LONGEST", 0)
    end = _set(40, 40).end
    near = sympy.Rational(end.n(400))
    with pytest.raises(Undecided, match="belongs to the set is not decided"):
        end.order_to(near)
