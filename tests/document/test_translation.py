"""Refusals in Chinese: of whatever is typed into a shell or into the explorer, no rule is left in English."""

import re

import pytest

import gradtheory as gt
from gradtheory.activations import text as text_module
from gradtheory.document.translation import refusal
from gradtheory.errors import GradTheoryError, InvalidArgument, Undecided
from gradtheory.explorer import workers
from gradtheory.explorer.state import State

_HAN = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH = re.compile(r"(?<![\w'/.*-])[a-z]{2,} [a-z]{2,}(?![\w'*(-])")


def _rule(error, lang="zh"):
    """Return what is said, without what was passed."""
    return refusal(error, lang).partition(": ")[2]


def _of_expression(text):
    with pytest.raises(GradTheoryError) as caught:
        gt.activation(gt.expression(text))
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z²",
        "z +",
        "tanh(z",
        "z)",
        "2z",
        "2(z)",
        "(" * 70 + "z" + ")" * 70,
        "z" * 20_000,
        "+".join(["z"] * 600),
        "z**101",
        "exp(exp(exp(10)))*z",
        "sqrt(-1)*z",
        "max(sqrt(-1), 0)",
        "tanh",
        "z < 1",
        "z^2",
        "z.real",
        "z(2)",
        "'z'",
        "max(z)",
        "tanh(z, z)",
        "Piecewise(z)",
        "Piecewise((z, z > 0))",
        "Piecewise((z, z), (0, True))",
        "x + 1",
        "tahn(z)",
        "7j*z",
        "1e999*z",
        "z/0",
        "z*9**99**9",
        "1/z",
        "3",
    ],
)
def test_what_a_formula_must_not_be_is_said_in_chinese(text):
    error = _of_expression(text)
    assert _HAN.search(_rule(error)), _rule(error)
    assert not _ENGLISH.search(_rule(error)), _rule(error)
    assert _rule(error, "en") in str(error) or "sympy" in str(error)


@pytest.mark.parametrize(
    "query",
    [
        {"w": "seven"},
        {"w": "9" * 61},
        {"b": "1,2"},
        {"c": "0"},
        {"x": "1e1001"},
        {"sigma_w": "0"},
        {"sigma_w": "-1"},
        {"sigma_b": "-1"},
        {"depth": "0"},
        {"depth": "1001"},
        {"layer": "4"},
        {"lang": "fr"},
    ],
)
def test_what_a_link_must_not_hold_is_said_in_chinese(query):
    with pytest.raises(InvalidArgument) as caught:
        State.of_query(query)
    assert _HAN.search(_rule(caught.value)), _rule(caught.value)
    assert not _ENGLISH.search(_rule(caught.value)), _rule(caught.value)


@pytest.mark.parametrize("called", ["sigmod", "softmax", "elu(2, 3)", "tanh(alpha=1)", "elu(alpha=1, alpha=2)"])
def test_the_explorer_refuses_in_its_own_language(called):
    reason = workers.answered("neuron", State(activation=called, lang="zh")).reason
    assert _HAN.search(reason), reason
    assert not _ENGLISH.search(reason), reason
    assert not _HAN.search(workers.answered("neuron", State(activation=called)).reason)


def test_an_error_without_an_argument_is_translated_whole():
    error = Undecided("not decided within effort=20, about 20 s of work; ask again with effort=200")
    assert refusal(error, "zh") == "在 effort=20（约 20 秒的工作）内未能判定；可以用 effort=200 再试"
    assert refusal(error, "en") == str(error)
    assert refusal(Undecided("whatever else"), "zh") == "无法做到，英文说明如下（whatever else）"


def test_a_page_speaks_of_itself_and_a_shell_of_its_commands():
    with pytest.raises(InvalidArgument) as caught:
        gt.activation("qqqqqq")
    assert "names that `gradtheory activations` lists, such as" in refusal(caught.value, "en")
    assert "names that the page offers, such as" in refusal(caught.value, "en", on_page=True)
    assert "在本页列出的" in refusal(caught.value, "zh", on_page=True)


def test_numbers_are_told_without_those_of_sympy():
    with pytest.raises(InvalidArgument) as caught:
        text_module.parse(7, {})
    assert refusal(caught.value, "zh").startswith("expression = 7: 必须是文字，如 ")
    with pytest.raises(InvalidArgument) as caught:
        gt.explosion_set("tanh", "seven")
    assert refusal(caught.value, "en") == "w = 'seven': must be one finite real number, such as 7, 0.3 or 3/10"
