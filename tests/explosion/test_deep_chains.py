"""Explosion sets of chains that spread inputs far: told by pre-activations, against the definition and told by inputs."""

import pickle

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.checker import check
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.whole_chain import deep, turn
from gradtheory.explosion.whole_chain.deep_end import DeepEnd, DeepLength
from tests import oracle

_MIDDLES = {"sigmoid": sympy.S.Half, "cloglog": sympy.Rational(632, 1000)}


def chain_of(names, sizes):
    """Return the arguments of a chain that is steep: each bias brings the usual value of the layer before to about 0."""
    signs = (1, -1, 1)
    w = [sympy.Rational(size) * signs[number % 3] for number, size in enumerate(sizes)]
    b = [
        sympy.Rational(number % 5 - 2, 50) - weight * _MIDDLES.get(before, 0)
        for number, (weight, before) in enumerate(zip(w, ["", *names], strict=False))
    ]
    return gt.Chain(len(w), names), w, b


_MIXED = ["sigmoid", "tanh", "cloglog", "arctan", "softsign"] * 12
_CHAINS = {
    "tanh about 0": (gt.Chain(70, "tanh"), [5] * 70, [0] * 70),
    "sigmoid": chain_of(["sigmoid"] * 70, [20] * 70),
    "mixed": chain_of(_MIXED, [20, 6, 15, 7, 6] * 12),
}
_MORE = list(_CHAINS)[1:]


def log_gradient(chain, w, b, x, digits):
    """Return log|f'(x)|, from the definition at so many digits."""
    with mpmath.workdps(digits):
        a, total = oracle.as_mpf(x), mpmath.mpf(0)
        for activation, weight, bias in zip(chain.layer_activations, w, b, strict=True):
            z = oracle.as_mpf(sympy.S(weight)) * a + oracle.as_mpf(sympy.S(bias))
            total += mpmath.log(abs(oracle.slope(activation.name, z, digits) * oracle.as_mpf(sympy.S(weight))))
            a = oracle.sigma(activation.name)(z)
        return total


@pytest.mark.parametrize("which", ["tanh about 0", *(pytest.param(which, marks=pytest.mark.slow) for which in _MORE)])
def test_the_gradient_is_the_threshold_at_both_ends(which):
    chain, w, b = _CHAINS[which]
    set_ = gt.total_explosion_set(chain, w=w, b=b, threshold="1e-5")
    nudge = sympy.Rational(set_.measure.n(20)) / 10**12
    for end, inwards in ((set_.start, 1), (set_.end, -1)):
        assert isinstance(end, DeepEnd)
        x = sympy.Rational(end.n(70))
        for side in (1, -1):
            assert side * (log_gradient(chain, w, b, x + side * inwards * nudge, 90) - mpmath.log("1e-5")) > 0
    assert isinstance(set_.measure, DeepLength)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tanh about 0", *_MORE])
def test_told_by_inputs_the_set_is_the_same(which, monkeypatch):
    chain, w, b = _CHAINS[which]
    by_turns = gt.total_explosion_set(chain, w=w, b=b)
    monkeypatch.setattr(deep, "_DEEP", float("inf"))
    by_inputs = gt.total_explosion_set(chain, w=w, b=b)
    for one, other in ((by_turns.start, by_inputs.start), (by_turns.end, by_inputs.end)):
        assert abs(one.n(50) - other.n(50)) <= abs(other.n(50)) * sympy.Float("1e-48", 50)
        assert one.by_inputs.n(30) == other.n(30)
    assert by_turns.measure.n(30) == by_inputs.measure.n(30)
    assert by_turns.start < by_inputs.end


@pytest.mark.slow
def test_certificates_tell_the_ends_by_inputs():
    chain, w, b = _CHAINS["sigmoid"]
    document = gt.certificate(chain, w=w, b=b)
    assert check(document).ok


def test_an_end_is_proven_and_survives_pickling():
    chain, w, b = _CHAINS["sigmoid"]
    end = gt.total_explosion_set(chain, w=w, b=b).start
    assert pickle.loads(pickle.dumps(end)) == end
    assert end - end == 0
    assert (end - sympy.Rational(1, 3)).n(10) == (end.n(20) - sympy.Rational(1, 3)).n(10)
    with pytest.raises(InvalidArgument, match="inside and outside of the explosion set"):
        DeepEnd(end.layers, end.near, end.lost, end.threshold, end.outer, end.inner)
    far = tuple(number + 1e6 for number in end.near)  # of no use as guesses
    with pytest.raises(InvalidArgument):
        DeepEnd(end.layers, far, end.lost, end.threshold, end.inner, end.outer)


def test_a_place_that_no_input_reaches():
    sigmoid = gt.activation("sigmoid")
    layers = Layers((sigmoid,) * 2, (sympy.S.One, sympy.Integer(2)), (sympy.S.Zero,) * 2)
    with pytest.raises(Undecided, match="not met"):
        turn.Turn(layers, (0.0,), (0,)).input(enclose(sympy.Integer(3), 96), 96)  # 2·σ < 3


def test_guesses_that_fail_leave_the_search_by_inputs(monkeypatch):
    chain, w, b = _CHAINS["tanh about 0"]
    monkeypatch.setattr(deep, "_CLOSE", ())
    assert not isinstance(gt.total_explosion_set(chain, w=w, b=b).start, DeepEnd)


@pytest.mark.slow
def test_the_work_grows_as_the_depth(monkeypatch):
    def work(depth):
        spent = []
        monkeypatch.setattr("gradtheory.explosion.whole_chain.turn.spend", spent.append)
        monkeypatch.setattr("gradtheory.explosion.depth.chain_in_balls.spend", spent.append)
        gt.total_explosion_set(gt.Chain(depth), w=[8] * depth, b=[-4] * depth)
        return sum(spent)

    assert 0 < work(400) < 2.1 * work(200)


@pytest.mark.slow
def test_ten_thousand_layers():
    """|f'| is 2^10000 at x = 1/2."""
    set_ = gt.total_explosion_set(gt.Chain(10_000), w=[8] * 10_000, b=[-4] * 10_000)
    length = set_.measure.n(12)
    assert sympy.Float("1e-2300") < length < sympy.Float("1e-2000")
