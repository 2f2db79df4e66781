"""A result shows itself in a line or a small table, without addresses in memory."""

import copy
import dataclasses

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.derivation.facts import FACTS
from gradtheory.derivation.topics.question import Answer
from gradtheory.document.model import Document, Paragraph
from gradtheory.pages.article import CLAIMS, Article, Finding, Section
from gradtheory.pages.article.claim import ClaimVerdict
from gradtheory.random_weights.gaussian.quadrature import Gaussians
from gradtheory.training.remedies.activation_choice import ActivationRow

_LONGEST, _LONGEST_LINE = 400, 250
_Z = sympy.Symbol("z", real=True)
_LONG = sum(sympy.sin(k * _Z) / k for k in range(1, 40))
_OF_LONG_FORMULA = dataclasses.replace(gt.activation("tanh"), expr=_LONG)
_FINDING = Finding(ClaimVerdict.HOLDS, (None,) * 50, {str(k): "x" * 50 for k in range(50)})
_SECTION = Section(CLAIMS[0], _FINDING, {"title": "x" * 1000})
_MANY = [np.linspace(-1.0, 1.0, 1000)] * 50
_NETWORK = gt.Network([9] * 31, "tanh", w=[np.eye(9)] * 30, b=[np.zeros(9)] * 30)
_RESULTS = {
    "activation": lambda: _OF_LONG_FORMULA,
    "profile": lambda: gt.activation("gelu").profile,
    "piece": lambda: gt.activation("mish").profile.pieces[0],
    "chain": lambda: gt.Chain(50, ["sigmoid", "tanh"] * 25),
    "chain of a long expression": lambda: gt.Chain(3, _OF_LONG_FORMULA),
    "bound": lambda: gt.Network([2] * 101, "tanh").jacobian_bound(w=[np.eye(2)] * 100),
    "bound on a box": lambda: _NETWORK.jacobian_bound(([-1] * 9, [1] * 9)),
    "layer": lambda: _NETWORK.layer_bounds(([-1] * 9, [1] * 9))[0],
    "region": lambda: gt.explosion_region(gt.Network((1, 1), "tanh", w=[[[2]]], b=[[0]]), ([-1], [1])),
    "state": lambda: gt.optimisers.adam(0.1).start(_MANY),
    "clipped": lambda: gt.remedies.clip_by_global_norm(_MANY, 1.0),
    "row": lambda: ActivationRow("tanh", *[1 / 3] * 7),
    "gaussians": lambda: Gaussians.centred(np.linspace(0.1, 2.0, 1000)),
    "answer": lambda: Answer((_LONG,) * 9, ()),
    "document": lambda: Document("x" * 1000, "", "en", (Paragraph("x" * 1000),) * 9),
    "finding": lambda: _FINDING,
    "section": lambda: _SECTION,
    "article": lambda: Article("en", (_SECTION,) * 9),
    **{f"fact {name}": lambda fact=fact: fact for name, fact in FACTS.items()},
    **{f"claim {claim.name}": lambda claim=claim: claim for claim in CLAIMS},
}


@pytest.mark.parametrize("result", _RESULTS)
def test_a_result_shows_itself_in_a_line(result):
    text = repr(_RESULTS[result]())
    assert len(text) <= _LONGEST
    assert "\n" not in text
    assert " at 0x" not in text


def test_formulas_without_closed_form_show_themselves_in_a_small_table():
    lines = repr(gt.explosion_formula("gelu")).splitlines()
    assert len(lines) <= 8
    assert max(map(len, lines)) <= _LONGEST_LINE
    assert "inverse(σ', 3)(c/w)" in lines[1]


_CHAIN, _DATA = gt.Chain(2, "tanh"), ([0.1, 0.2], [0.0, 1.0], [1.0, 2.0], [0.0, 0.0])
_OF_ARRAYS = {
    "gradients": lambda: _CHAIN.backprop(*_DATA),
    "gradients of a network": lambda: _NETWORK.backprop(np.ones((2, 9)), np.ones((2, 9))),
    "network": lambda: gt.Network((1, 1), "tanh", w=[np.eye(1)], b=[np.zeros(1)]),
    "bound": _NETWORK.jacobian_bound,
    "training": lambda: gt.train(_CHAIN, *_DATA, optimiser=gt.optimisers.adam(0.1), steps=3),
    "guarantee": lambda: gt.remedies.weight_decay_guarantee(_CHAIN, [1.0], [0.0]),
    "kernel": lambda: gt.testing.kernel_errors(np.tanh, "tanh"),
    "propagation": lambda: gt.architecture([gt.blocks.dense("tanh", 1.0, 0.1)]).propagate(5, 1.0, 0.5),
    "audit": lambda: gt.audit(_NETWORK, np.ones((2, 9))).layers[0],
}


@pytest.mark.parametrize("result", _OF_ARRAYS)
def test_a_result_with_arrays_is_compared_and_hashed(result):
    made = _OF_ARRAYS[result]()
    assert made in [made]
    assert made != copy.deepcopy(made)  # as objects: arrays have no one answer
    assert isinstance(hash(made), int)
