"""The length of a deep chain's set: right to its digits, with few passes through the chain."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.explosion.whole_chain.turn import Turn


@pytest.mark.parametrize("digits", [15, pytest.param(100, marks=pytest.mark.slow)])
def test_a_length_takes_few_passes(monkeypatch, digits):
    passes = []
    gradient = Turn.gradient
    monkeypatch.setattr(Turn, "gradient", lambda turn, z, bits: passes.append(bits) or gradient(turn, z, bits))
    depth = 60 + digits % 2  # a chain of its own, of which nothing is known yet
    w = [sympy.Rational(200 + 7 * (number % 5), 8) for number in range(depth)]
    shifts = [sympy.Rational(number % 7 - 3, 64) for number in range(depth)]
    b = [shift - weight / 2 if number else shift for number, (weight, shift) in enumerate(zip(w, shifts, strict=True))]
    narrow = gt.total_explosion_set(gt.Chain(depth, "sigmoid"), w=w, b=b)
    del passes[:]
    length = narrow.measure.n(digits)
    assert passes
    assert len(passes) <= (12 if digits == 15 else 28)
    ends = [end.by_inputs for end in (narrow.end, narrow.start)]
    assert abs((ends[0] - ends[1]).n(digits + 5) / length - 1) < sympy.Float(10, 30) ** (1 - digits)
