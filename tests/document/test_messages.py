"""The message catalogues: nothing missing in either language, nothing left over."""

import re

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.derivation import FACTS
from gradtheory.derivation.topics import TOPICS
from gradtheory.document.messages import LANGUAGES, fill, language_of_locale, words
from gradtheory.pages import article
from gradtheory.pages.article.chain import SETTING_STEPS
from gradtheory.training.optimisers.catalogue import RULES

_VALUE = re.compile(r"\{\{ *(\w+) *\}\}")
_MATH = re.compile(r"\$[^$]*\$")


def _flat(table, prefix=""):
    for key, value in table.items() if isinstance(table, dict) else enumerate(table):
        if isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield from _flat(value, f"{prefix}{key}.")


def test_both_languages_say_the_same():
    english, chinese = (dict(_flat(words(lang))) for lang in LANGUAGES)
    assert set(english) == set(chinese)
    for key, text in english.items():
        assert set(_VALUE.findall(text)) == set(_VALUE.findall(chinese[key])), key
        assert bool(text) == bool(chinese[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_words_are_in_their_language_and_formulas_whole(lang):
    for key, text in _flat(words(lang)):
        assert text.count("$") % 2 == 0, key
        assert len(re.findall(r"(?<!\\)\*", _MATH.sub("", text))) % 2 == 0, key
        if lang == "en":
            assert not re.search(r"[\u4e00-\u9fff]", text), key


@pytest.mark.slow
def test_every_reason_is_there_and_used():
    kinds = (
        "sigmoid",
        "gelu",
        "relu",
        "softplus",
        "sine",
        "bent_identity",
        "cloglog",
        "hard_tanh",
        "arsinh",
        "quadratic",
        "isru",
        "softsign",
        "silu",
        "tanh",
    )
    steps = [
        step
        for name in kinds
        for topic in TOPICS
        if "activation" in TOPICS[topic].arguments and (topic != "depth" or gt.depth_bound(name).is_in_class_n)
        for step in gt.derive(topic, activation=name).steps
    ]
    steps += gt.derive("depth", activation=sympy.tanh(sympy.Max(Z, 0))).steps
    steps += [step for topic in TOPICS if not TOPICS[topic].arguments for step in gt.derive(topic).steps]
    steps += [step for name in RULES for step in gt.derive("stability", optimiser=name).steps]
    for wrt in ("w1", "b1", "x"):
        values = {"x": 1, "y": 0, "w1": 1, "b1": 0}
        steps += gt.derive("gradient", depth=1, wrt=wrt, values=values).steps
    for name in ("sigmoid", "relu"):
        steps += gt.derive("gradient", activation=name, wrt="all").steps
    steps += gt.derive("gradient", loss="cross_entropy").steps
    steps += gt.derive("gradient", depth=sympy.Symbol("L", integer=True, positive=True)).steps
    steps += gt.derive("initialisation", values={"sigma_w": 1, "c": 1}).steps
    for w in (1, 7):
        steps += gt.derive("explosion", values={"w": w, "b": 0, "c": 1}).steps
    steps += gt.derive("explosion", activation="sine", values={"w": 7, "b": 0, "c": 1}).steps
    steps += [*SETTING_STEPS, *(step for claim in article.CLAIMS for step in claim.finding().steps)]
    said = words("en")
    assert {step.rule for step in steps if step.fact is None} == set(said["rules"])
    assert {step.section for step in steps} - {""} == set(said["sections"])
    assert set(said["facts"]) == set(FACTS)
    assert set(said["topics"]) == set(TOPICS)
    assert set(said["optimisers"]) <= set(RULES)
    assert set(said["claims"]) == {claim.name for claim in article.CLAIMS}
    assert set(said["verdicts"]) == {verdict.value for verdict in article.ClaimVerdict}


def test_values_are_filled_in():
    assert fill("a {{ b }}", {"b": 1}) == "a 1"
    with pytest.raises(KeyError, match="b"):
        fill("a {{ b }}", {})


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "de_DE"}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale_chooses_the_language(environment, lang):
    assert language_of_locale(environment) == lang
