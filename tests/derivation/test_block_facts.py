"""Facts on blocks are proven, and false statements near them refused; they say what architectures compute."""

import math

import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.derivation import Check
from gradtheory.derivation.block_facts import BLOCK_FACTS
from gradtheory.derivation.checks import Trial, decide
from gradtheory.derivation.meaning import Meaning
from tests.derivation.mutants import mutants


@pytest.mark.parametrize("which", BLOCK_FACTS)
def test_each_is_proven_and_false_ones_are_refused(which):
    fact, record = gt.fact(which), gt.activation("tanh")
    assert fact.check(record).check is Check.EXACT
    assert fact.applies(record)
    meaning = Meaning(record)
    wrong = list(mutants(fact.statement, meaning))
    assert wrong
    for statement in wrong:
        assert decide(statement, Trial(fact.assumptions, meaning, None, is_tight=True)).is_true is False


def test_they_say_what_architectures_compute():
    relu = blocks.dense("relu", 2**0.5)
    plain = gt.architecture([blocks.residual([relu], 0.5)]).propagate(6)
    assert plain.gradient[0] == pytest.approx((1 + 0.25) ** 6)  # residual_growth, with χ = 1
    pre_norm = gt.architecture([blocks.residual([blocks.rms_norm(), relu])]).propagate(6)
    assert pre_norm.gradient[0] == pytest.approx(7)  # pre_norm_growth
    normed = gt.architecture([blocks.dense("relu"), blocks.batch_norm()]).propagate(6)
    assert normed.gradient[0] / normed.gradient[1] == pytest.approx(math.pi / (math.pi - 1), rel=1e-9)
    dropped = gt.architecture([blocks.dropout("relu", 0.8, 1.0, 0.5)]).propagate(1, correlation=1)
    assert dropped.correlation[1] == pytest.approx((0.5 + 0.25) / (0.5 / 0.8 + 0.25))  # dropout_correlation
    uniform = blocks.residual([blocks.attention(4, sigma_q=0, sigma_v=1.5)], 0.5)
    tokens = gt.architecture([uniform]).propagate(3, correlation=0.1)
    assert tokens.variance * (1 - tokens.correlation) == pytest.approx([0.9] * 4)  # attention_collapse
    assert not gt.fact("recurrent_bound").applies(gt.activation("quadratic"))
