"""Every option of `derive` with every topic: it changes what is derived, or it is refused by its name."""

from decimal import Decimal

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.derivation import Step
from gradtheory.derivation.checks.verdict import EXACT
from gradtheory.derivation.printing import text
from gradtheory.derivation.topics import TOPICS
from gradtheory.document import FORMATS
from gradtheory.document.model import Code
from gradtheory.document.prose import plain_math
from gradtheory.errors import InvalidArgument

_VALUES = {
    "gradient": {"x": 1, "y": 0, "w1": 2, "b1": 0, "w2": 3, "b2": 0, "w3": 1, "b3": 0},
    "explosion": {"w": 9, "b": 0, "c": 1},
    "initialisation": {"sigma_w": 2, "c": 1},
}
_OTHER = {"activation": "quadratic", "depth": 2, "wrt": "b1", "loss": "cross_entropy", "optimiser": "nesterov"}
_OPTIONS = (*_OTHER, "values")


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch):
    """Steps are taken as shown: what is derived does not depend on it."""
    monkeypatch.setattr(Step, "verdict", property(lambda self: EXACT))


def _said(topic, **asked):
    derivation = gt.derive(topic, **asked)
    return [text(each) for each in derivation.definitions], [text(each.statement) for each in derivation.steps]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("option", _OPTIONS)
def test_an_option_is_honoured_or_refused(option, topic):
    other = _VALUES.get(topic, {"w": 1}) if option == "values" else _OTHER[option]
    if (topic, option) == ("depth", "activation"):
        other = "relu"  # a quadratic is not in class N
    if option not in TOPICS[topic].arguments:
        with pytest.raises(InvalidArgument, match=rf"^{option} = .*is not used by '{topic}'"):
            gt.derive(topic, **{option: other})
        return
    before = {"values": _VALUES[topic]} if option in TOPICS[topic].with_values else {}
    before |= {"activation": "hard_tanh"} if option == "activation" else {}
    assert _said(topic, **before | {option: other}) != _said(topic, **before)


@pytest.mark.parametrize("topic", TOPICS)
def test_letters_are_written_throughout(topic):
    about = {"activation": "hard_tanh"} if "activation" in TOPICS[topic].arguments else {}
    plain, own = (gt.derive(topic, letters=letters, **about).document for letters in (None, {"w": "theta"}))
    formulas = ["".join(block.plain() for block in each.blocks if hasattr(block, "plain")) for each in (plain, own)]
    has_weights = any(letter in formulas[0] for letter in ("w₁", "wₗ", " w", "w ", "|w|"))
    assert ("θ" in formulas[1]) == has_weights
    assert not any(letter in formulas[1] for letter in ("w₁", "wₗ", " w ", "|w|"))


@pytest.mark.sampled(1)
@pytest.mark.parametrize("suffix", [each for each in FORMATS if each != ".pdf"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_example_ends_an_explosion(suffix, lang, tmp_path):
    for name, has_example in (("sigmoid", True), ("sine", False)):
        derivation = gt.derive("explosion", activation=name, lang=lang)
        sections = [step.section for step in derivation.steps]
        assert ("example" in sections) == has_example
        written = derivation.save(tmp_path / f"{name}{suffix}").read_text("utf-8")
        assert (("A worked example" in written) or ("算例" in written) or ("\\u7b97\\u4f8b" in written)) == has_example
        assert "zeta" not in written
        assert "ζ" not in written


def test_places_without_a_formula_are_explained_where_there_are_some():
    for name, has_places in (("sigmoid", False), ("gelu", True)):
        assert ("ζ" in gt.derive("explosion", activation=name).to_text()) == has_places


def test_what_follows_stands_behind_an_arrow():
    derivation = gt.derive("explosion")
    (step,) = (step for step in derivation.steps if step.fact == "critical_weight")
    assert text(step.statement, *step.assumptions) == "|σ'(z) w| > c ⇒ |w| > c/sup|σ'|"
    (block,) = (b for b in derivation.document.blocks if getattr(b, "number", None) == derivation.steps.index(step) + 1)
    assert r"\implies \left|{w}\right| >" in block.latex()
    assert block.condition == ""


def test_primes_and_powers_in_plain_prose():
    assert plain_math(r"\sigma'''/\sigma' - \left(\sigma''/\sigma'\right)^2") == "σ'''/σ' - (σ''/σ')²"
    assert plain_math(r"e^{-u/2} + x^n") == "e^(-u/2) + x^n"
    assert plain_math(r"z/\sqrt 2 + \sqrt{2\pi} + \sqrt{\pi}") == "z/√2 + √(2π) + √π"


def test_an_activation_without_a_name_is_a_formula_in_the_heading():
    own = gt.derive("slope_maximum", activation=gt.expression("z*exp(-z)")).document
    assert own.title == "The greatest slope of z e^(-z)"
    assert own.heading == r"The greatest slope of $z e^{- z}$"
    assert not gt.derive("slope_maximum", activation="sigmoid").document.heading
    assert not gt.derive("slope_maximum", activation=gt.expression("z*exp(-z)"), title="Mine").document.heading


@pytest.mark.parametrize(
    "w", [1.1, np.float32(1.1), np.array(1.1), "1.1", Decimal("1.1"), sympy.Float(1.1), sympy.sqrt(2), np.int64(3)]
)
def test_the_code_derives_the_same_again(w):
    """A float stands for its binary value, which its digits do not say."""
    asked = {"activation": gt.activation("leaky_relu", slope=sympy.sqrt(2) / 3), "values": {"w": w, "b": 0.1, "c": 1}}
    derivation, names = gt.derive("explosion", **asked), {}
    code = next(block.source for block in derivation.document.blocks if isinstance(block, Code))
    exec(code.partition("report")[0], names)  # our own output
    assert [str(step.statement) for step in names["derivation"].steps] == [
        str(step.statement) for step in derivation.steps
    ]
    assert names["derivation"].question.activation == derivation.question.activation


@pytest.mark.parametrize(
    ("topic", "asked", "letter"),
    [
        ("explosion", {"activation": "cosine"}, "pi"),
        ("explosion", {"activation": "gelu"}, "zeta"),
        ("slope_maximum", {"activation": "erf"}, "pi"),  # of the definition of erf
        ("weak_norm", {}, "tau"),  # in the prose alone
        ("depth", {}, "kappa"),
        ("recurrent", {}, "S"),
        ("gradient", {"depth": 2}, "j"),
    ],
)
def test_letters_that_the_document_uses_are_refused(topic, asked, letter):
    with pytest.raises(InvalidArgument, match=f"= '{letter}': stands for something else already"):
        gt.derive(topic, letters={"w": letter}, **asked)
