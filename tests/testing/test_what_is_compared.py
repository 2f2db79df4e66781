"""What implementations may return, and what is said of it."""

import math
import sys

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory import testing
from gradtheory.errors import Undecided
from gradtheory.testing import shrinking
from tests.testing.test_testing import chain_gradients, message, pasted


def wrong_kink(taken):
    def gradients(x, y, w, b):
        z = w[0] * x + b[0]
        slope = np.where(z == 0, taken, z > 0)
        return {"b": [np.sum((np.maximum(z, 0) - y) * slope)]}

    return gradients


@pytest.mark.slow
@pytest.mark.parametrize(
    ("taken", "convention", "either"),
    [(0.0, True, True), (0.5, False, True), (1.0, False, True)],
)
def test_kinks_follow_the_convention_or_either_side(taken, convention, either):
    for at_kinks, passes in (("one-sided", convention), ("either", either)):
        if passes:
            testing.assert_gradients(wrong_kink(taken), "relu", depth=1, at_kinks=at_kinks)
        else:
            text = message(lambda kind=at_kinks: testing.assert_gradients(wrong_kink(taken), "relu", 1, at_kinks=kind))
            assert "depth 1" in text
    assert "wrong" in message(lambda: testing.assert_gradients(wrong_kink(2.0), "relu", 1, at_kinks="either"))


@pytest.mark.slow
def test_nan_is_never_right():
    def saturated(x, y, w, b):
        with np.errstate(all="ignore"):
            z = w[0] * x + b[0]
            a = np.exp(z) / (1 + np.exp(z))
            return {"b": [np.sum((a - y) * a * (1 - a))]}

    text = message(lambda: testing.assert_gradients(saturated, depth=1))
    assert "not finite where the exact number is" in text
    assert "800.0" in text


@pytest.mark.parametrize("error", [ZeroDivisionError("by nought"), RuntimeWarning("overflow"), KeyError("w")])
def test_what_an_implementation_raises_is_a_failure_of_it(error):
    def gradients(x, y, w, b):
        if len(w) > 2:
            raise error
        return chain_gradients("tanh")(x, y, w, b)

    with pytest.raises(AssertionError) as caught:
        testing.assert_gradients(gradients, "tanh")
    assert type(error).__name__ in str(caught.value)
    assert "depth 3" in str(caught.value)
    assert caught.value.__cause__ is error


class OnlyDLPack:
    """What another library's array looks like that NumPy cannot convert by itself."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __len__(self):
        return len(self.array)


class WithGradient:
    """A tensor that converts only when it is detached."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self.array


def of_tensors(array):
    return [WithGradient(each) for each in array] if np.ndim(array) else WithGradient(array)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "wrap", [OnlyDLPack, WithGradient, of_tensors, lambda each: np.asarray(each).tolist(), np.asarray]
)
def test_whatever_converts_is_compared(wrap):
    def change(gradients):
        return {kind: wrap(each) for kind, each in gradients.items()}

    testing.assert_gradients(chain_gradients("tanh", change=change), "tanh", cases=10)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda f: f["w"], "not a mapping with any of 'loss', 'w', 'b', 'x'"),
        (lambda f: {}, "not a mapping with any of"),
        (lambda f: {"w": f["w"], "dw": f["w"]}, "it returned 'dw', and only"),
        (
            lambda f: {"w": f["w"], "x": None},
            "its 'x' is None: give an array of shape (1,), or leave it out of the answer",
        ),
        (lambda f: {"w": f["w"][None]}, r"its 'w' has the shape (1, 1), and must have (1,)"),
        (lambda f: {"loss": np.array([f["loss"]])}, "its 'loss' has the shape (1,), and must have ()"),
        (lambda f: {"x": ["a"]}, "its 'x' does not convert to a NumPy array of real numbers"),
        (lambda f: {"x": ["0.5"]}, "its 'x' does not convert to a NumPy array of real numbers: its type is <U3"),
        (
            lambda f: {"w": f["w"] + 1j},
            "its 'w' does not convert to a NumPy array of real numbers: its type is complex128",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(returned, said):
    text = message(lambda: testing.assert_gradients(chain_gradients("tanh", change=returned), "tanh"))
    assert said in text.splitlines()[0]
    assert "smallest failing case: depth 1" in text


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda f: {"w": f.w[0]}, "its 'w' must be 2 arrays"),
        (lambda f: {"w": [each.T for each in f.w]}, "its 'w' has the shape (2, 3), and must have (3, 2)"),
        (lambda f: {"b": 3.0}, "its 'b' must be 2 arrays, one for each layer"),
    ],
)
def test_what_cannot_be_compared_of_a_network_is_said(returned, said):
    def gradients(x, y, w, b):
        return returned(gt.Network((2, 3, 1), "tanh").backprop(x, y, w, b))

    text = message(lambda: testing.assert_network_gradients(gradients, "tanh", widths=(2, 3, 1)))
    assert said in text.splitlines()[0]


def test_a_wrong_network_is_shown_and_pasted():
    def gradients(x, y, w, b):
        ours = gt.Network((x.shape[1], *map(len, b)), "tanh").backprop(x, y, w, b)
        return {"w": [each + (each.shape[0] > 1) for each in ours.w]}

    text = message(lambda: testing.assert_network_gradients(gradients, "tanh"))
    assert "smallest failing case: widths (1, 2)" in text
    assert "∂C/∂w" in pasted(text, gradients)


@pytest.mark.slow
def test_without_hypothesis_the_cases_are_a_fixed_list(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradtheory.testing.shrinking", None)  # as if its import of hypothesis failed
    testing.assert_gradients(chain_gradients("relu"), "relu")
    for change in (lambda f: {"w": -f["w"]}, lambda f: {"loss": f["loss"] * (1 + 1e-10)}):
        text = message(lambda change=change: testing.assert_gradients(chain_gradients("relu", change=change), "relu"))
        assert "failing case (with hypothesis it is made smaller): depth 1" in text
    assert "batch" in message(lambda: testing.assert_gradients(wrong_kink(1.0), "relu", depth=1))


@pytest.mark.slow
def test_what_hypothesis_misses_is_found_in_the_fixed_list_and_shrunk(monkeypatch):
    smallest = shrinking.smallest
    monkeypatch.setattr(shrinking, "smallest", lambda *given: smallest(*given) if len(given) == 5 else None)

    def gradients(x, y, w, b):
        ours = chain_gradients("tanh")(x, y, w, b)
        return {"loss": math.nan if 800.0 in b else ours["loss"]}

    text = message(lambda: testing.assert_gradients(gradients, "tanh", cases=24))
    assert "smallest failing case: depth 1, tanh, squared loss, batch 1" in text
    assert "b = [800.0]" in text


def test_what_is_proven_nowhere_is_said_and_does_not_pass(monkeypatch):
    def undecided(*_):
        raise Undecided("it is not")

    monkeypatch.setattr("gradtheory.testing.verdict.prove_gradients", undecided)
    with pytest.raises(Undecided, match="nothing was checked"):
        testing.assert_gradients(chain_gradients("tanh"), "tanh", cases=5)
    with pytest.raises(Undecided, match="it is not"):
        testing.assert_gradients_at(chain_gradients("tanh"), [1.0], [0.0], [1.0], [0.0], "tanh")


def test_a_case_that_is_not_proven_is_undecided():
    kink = {"x": [1.0], "y": [0.0], "w": [-1.0, 3.0], "b": [0.0, -1.0], "activation": ["hard_sigmoid", "relu"]}
    with pytest.raises(Undecided, match="kink"):
        testing.assert_gradients_at(lambda x, y, w, b: {"loss": 0.0}, **kink)


@pytest.mark.slow
def test_an_activation_that_is_large_everywhere_ends():
    z = sympy.Symbol("z", real=True)
    own = sympy.tanh(z) + 10**7
    with pytest.raises(AssertionError):
        testing.assert_gradients(chain_gradients(own, change=lambda f: {"w": -f["w"]}), own, cases=5)
