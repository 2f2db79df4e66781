"""Derivations of the blocks of wide networks: proven step by step, and they say what architectures compute."""

import dataclasses

import pytest
import sympy

import gradtheory as gt
from gradtheory import blocks
from gradtheory.derivation import Check
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.topics import TOPICS
from gradtheory.errors import InvalidArgument
from tests.derivation.mutants import mutants
from tests.shapes import slow_except

BLOCKS = ("residual", "layer_norm", "batch_norm", "dropout", "recurrent", "attention")


@pytest.mark.parametrize("topic", slow_except({"residual", "dropout"}, BLOCKS))
def test_every_step_is_proven_and_broken_ones_are_caught(topic):
    assert callable(getattr(blocks, topic))
    for step in gt.derive(topic).steps:
        assert step.check is Check.EXACT or (step.rule == "residual_bound" and step.check is Check.CERTIFIED)
        broken = list(mutants(step.statement, step.meaning))
        assert broken, step
        for statement in broken:
            assert dataclasses.replace(step, statement=statement).verdict.is_true is not True, (step, statement)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tanh", "relu", "relu6", "gelu", "quadratic"])
def test_recurrent_layers_are_derived_for_any_activation(which):
    steps = gt.derive("recurrent", activation=which).steps
    assert all(step.check is Check.EXACT for step in steps if step.section != "through_time")
    assert all(step.verdict.is_true for step in steps)
    assert ("spectral_condition" in {step.rule for step in steps}) == (which != "quadratic")


@pytest.mark.slow
def test_blocks_without_an_activation_take_none():
    derivation = gt.derive("attention")
    assert repr(derivation) == "Derivation('attention', steps=13)"
    assert "gt.derive('attention', lang='en')" in derivation.to_text()
    with pytest.raises(InvalidArgument) as raised:
        gt.derive("attention", activation="relu")
    assert str(raised.value) == "activation = 'relu': is not used by 'attention': leave it out"
    assert [topic for topic in TOPICS if not TOPICS[topic].arguments] == [
        each for each in BLOCKS if each != "recurrent"
    ]


def test_means_are_those_of_the_normal_law():
    w, a = gt.activations.Z, gt.derive("attention").definitions[0].lhs
    for power, moment in enumerate((1, 0, 1, 0, 3, 0, 15, 0, 105)):
        assert Mean(a * w**power, w).written() == a * moment
    assert Mean((a + w) ** 2, w).free_symbols == {a}


def test_the_constants_are_those_of_published_networks():
    """DeepNorm's of 18 layers, and Fixup's of 64 branches of two layers."""
    depth = 18
    alpha, beta = (2 * depth) ** 0.25, (8 * depth) ** -0.25
    assert (round(alpha, 4), round(beta, 4)) == (2.4495, 0.2887)
    (step,) = (step for step in gt.derive("residual").steps if step.rule == "deepnorm")
    (layers,) = step.statement.free_symbols
    assert float(step.statement.rhs.subs(layers, depth)) == pytest.approx((2 * beta**2 / alpha**2) ** 2)
    (step,) = (step for step in gt.derive("residual").steps if step.rule == "fixup")
    scale = step.statement.lhs.function
    assert scale.subs({symbol: {"L": 64, "m": 1}[symbol.name] for symbol in scale.free_symbols}) == sympy.Rational(1, 8)
