"""The oracle finds every planted bug, says where it is, and refuses no right implementation."""

import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

from gradtheory import testing
from tests.shapes import slow_except
from tests.testing.planted import ACTIVATIONS, BUGS, right

_PAGE = Path(__file__).parents[2] / "docs" / "oracle.md"
_PAIRS = [*((name, "squared") for name in ACTIVATIONS), ("sigmoid", "cross_entropy")]


def check(implementation, activation, loss, wide, **options):
    assert_right = testing.assert_network_gradients if wide else testing.assert_gradients
    assert_right(implementation, activation=activation, loss=loss, **options)


def failing(bug):
    with pytest.raises(AssertionError) as caught:
        check(bug.implementation, bug.activation, bug.loss, bug.wide)
    return str(caught.value)


said = cache(failing)


@pytest.mark.slow
@pytest.mark.parametrize("wide", [False, True], ids=["chain", "network"])
@pytest.mark.parametrize(
    ("activation", "loss"),
    _PAIRS,
)
def test_the_right_implementation_passes(activation, loss, wide, cases):
    implementation = right(activation, loss, wide=wide)
    check(implementation, activation, loss, wide, cases=cases)
    check(implementation, activation, loss, wide, cases=20, dtype="float32")


@pytest.mark.slow
@pytest.mark.parametrize("bug", slow_except(BUGS[::4], BUGS), ids=lambda bug: bug.id)
def test_every_bug_is_found_and_the_test_to_paste_fails_alike(bug):
    text = said(bug)
    code = textwrap.dedent(text.partition("paste this into a test:\n")[2])
    names = {"fn": bug.implementation}  # it has no name
    exec(code, names)
    with pytest.raises(AssertionError) as caught:
        names["test_the_smallest_failing_case"]()
    assert str(caught.value) == text


@pytest.mark.sampled(15)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_every_bug_is_found_without_hypothesis(bug, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradtheory.testing.shrinking", None)  # as if its import of hypothesis failed
    assert "with hypothesis it is made smaller" in failing(bug)


_SAID = {
    "sign": ("depth 1", "batch 1", "made from the loss", "is -1 times the exact one, a sign"),
    "no_hidden_slope": ("depth 2", "batch 1", "Layer 1 is where", "δ of layer 2, which is right"),
    "weight_off_by_one": ("depth 2", "Layer 1 is where", "δ of layer 2, which is right"),
    "input_off_by_one": ("depth 1", "∂C/∂w of layer 1 is wrong", "δ is right there, so look at a"),
    "z_for_a": ("depth 2", "∂C/∂w of layer 2 is wrong", "δ is right there, so look at a"),
    "x_without_weight": ("depth 1", "∂C/∂x of sample 0 is wrong", "All else is right"),
    "first_delta": ("depth 2", "∂C/∂b of layer 2 is wrong"),
    "clipped": ("depth 1", "∂C/∂w of layer 1 is wrong: 1.0 in place of"),
    "mean": ("batch 2", "the loss is wrong", "is 0.5 times the exact one, as the mean over the batch of 2"),
    "mean_gradient": ("batch 2", "is 0.5 times the exact one, as the mean over the batch of 2"),
    "no_half": ("batch 1", "the loss is wrong", "is 2 times the exact one, as without the ½ of the loss"),
    "doubled_gradient": ("batch 1", "is 2 times the exact one"),
    "swapped_target": ("cross_entropy loss", "loss='cross_entropy',"),
    "leaky_constant": ("depth 1", "Every wrong number is 100 times the exact one"),
    "sigmoid_nan": ("the loss is wrong: nan in place of 0.5", "b = [800.0]", "not finite where the exact number is"),
    "softplus_overflow": ("the loss is wrong: inf", "not finite where the exact number is"),
    "float32_sum": ("∂C/∂w of layer 1 is wrong", "Errors of this size are float32's: is something"),
    "float32_z": ("The loss is wrong already", "Errors of this size are float32's: is something"),
    "not_transposed": ("widths (2, 1)", "it raised ValueError"),
    "mean_bias": ("widths (1, 1)", "batch 2", "∂C/∂b of layer 1 is wrong", "as the mean over the batch of 2"),
    "first_output": ("widths (1, 2)", "∂C/∂w of layer 1, entry [1, 0] is wrong: 0.0"),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "bug", slow_except(BUGS[::4], [bug for bug in BUGS if bug.id in _SAID]), ids=lambda bug: bug.id
)
def test_the_message_says_where(bug):
    text = said(bug)
    assert [part for part in _SAID[bug.id] if part not in text] == []


def test_every_message_is_of_a_bug():
    assert {bug.id for bug in BUGS} >= set(_SAID)
    assert len({bug.id for bug in BUGS}) == len(BUGS) >= 28


def test_the_page_in_docs_lists_every_bug():
    page = _PAGE.read_text(encoding="utf-8")
    missing = [bug.id for bug in BUGS if f"| {bug.description.replace('|', chr(92) + '|')} | yes |" not in page]
    assert missing == []
    assert f"{len(BUGS)} things to get wrong" in page
