"""What letters are declared to be is said: beside each step that rests on it, or once in the document."""

import re
from dataclasses import replace

import pytest
import sympy

import gradtheory as gt
from gradtheory.derivation import FACTS, Check, Step
from gradtheory.derivation.checks.verdict import EXACT
from gradtheory.derivation.declared import assumed, declaration, unsaid
from gradtheory.derivation.topics import TOPICS
from gradtheory.derivation.writing import fact_in_words
from gradtheory.document.messages import LANGUAGES
from gradtheory.document.model import Formula, Heading, Paragraph
from gradtheory.formulas import latex
from gradtheory.training.optimisers.catalogue import RULES
from tests.derivation.derived import derived

_L = sympy.Symbol("L", integer=True, positive=True)
_ACTIVATIONS = ("sigmoid", "softsign", "relu")


def _asked():
    for topic in TOPICS:
        subjects = [{}] if not TOPICS[topic].arguments else [{"activation": name} for name in _ACTIVATIONS]
        for asked in [{"optimiser": name} for name in RULES] if topic == "stability" else subjects:
            if topic != "depth" or gt.depth_bound(asked["activation"]).is_in_class_n:
                yield topic, asked
    yield "gradient", {"depth": _L}


@pytest.fixture
def _unchecked(monkeypatch):
    """Steps are taken as shown: what their letters are declared to be does not depend on it."""
    monkeypatch.setattr(Step, "verdict", property(lambda self: EXACT))


def _prose(document):
    """Return what a document says outside of its steps, and the definitions that it gives."""
    blocks = (
        block for block in document.blocks if not isinstance(block, Heading) and getattr(block, "number", None) is None
    )
    return " ".join(
        block.text if isinstance(block, Paragraph) else block.latex()
        for block in blocks
        if isinstance(block, Paragraph | Formula)
    )


def _is_said(symbol, prose):
    kind = re.escape(declaration(symbol))
    name = re.escape(latex(symbol))
    plain = re.escape(symbol.name)
    return re.search(rf"\$(?:[^$]*, )?(?:{name}|\\?{plain})(?:, [^$<>=]*)? {kind}", prose)


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize(("topic", "asked"), list(_asked()), ids=str)
def test_a_document_says_what_its_letters_are_declared_to_be(topic, asked):
    derivation = gt.derive(topic, **asked)
    defined = {each.lhs for each in derivation.definitions if each.rhs.is_positive or str(each.lhs) in ("t", "W")}
    for lang in LANGUAGES:
        prose = _prose(replace(derivation, lang=lang).document)
        for step in derivation.steps:
            for symbol in assumed(step.statement, step.assumptions):
                assert symbol in defined or _is_said(symbol, prose), (lang, symbol, str(step))
    kinds = {}
    for step in derivation.steps:
        for symbol in step.statement.free_symbols:
            if isinstance(symbol, sympy.Symbol):
                assert kinds.setdefault(symbol.name, declaration(symbol)) == declaration(symbol), (symbol, str(step))


def test_conditions_that_steps_say_are_not_said_twice():
    h, s = sympy.Symbol("h", positive=True), sympy.Symbol("s", real=True)
    assert assumed(sympy.Gt(h, s, evaluate=False)) == [h]
    assert assumed(sympy.Gt(h, s, evaluate=False), (sympy.Gt(h, 0, evaluate=False),)) == []
    steps = gt.derive("widest").steps
    assert {symbol.name for symbol in unsaid((), steps)} == {"c", "t"}
    assert "s > 0" not in _prose(derived("widest").document)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("which", FACTS)
def test_facts_say_it_among_their_conditions(which, lang):
    known, said = gt.fact(which), fact_in_words(gt.fact(which), lang)["conditions"]
    assert all(_is_said(symbol, said) for symbol in assumed(known.statement, known.assumptions))


@pytest.mark.parametrize(
    ("topic", "rule", "needed"),
    [
        ("batch_norm", "poincare", 2),
        ("depth", "last_layer", 2),
        ("depth", "near", 3),
        ("dropout", "dropout_correlation", 1),
        ("dropout", "dropout_reach", 1),
    ],
)
def test_a_step_is_refuted_without_a_condition(topic, rule, needed):
    (step,) = (each for each in derived(topic).steps if each.rule == rule)
    assert len(step.assumptions) == needed
    assert step.check is Check.EXACT
    for left_out in step.assumptions:
        fewer = tuple(each for each in step.assumptions if each is not left_out)
        assert replace(step, assumptions=fewer, fact=None).verdict.is_true is False, left_out
