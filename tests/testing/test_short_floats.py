"""The oracle in float16 and bfloat16: honest implementations pass, rounded after every operation, and bugs do not."""

import ml_dtypes
import numpy as np
import pytest

import gradtheory as gt
from gradtheory import testing
from gradtheory.errors import Undecided
from gradtheory.testing.cases import chain_case, fixed_cases, network_case
from gradtheory.testing.reference import as_problem
from gradtheory.testing.tolerance import tolerances

_SHORT = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
_KINDS = {name: gt.precision.range(name) for name in _SHORT}


def backprop(record, kind, *, bug=""):
    """Return backpropagation through networks, every number rounded to the type after every operation."""
    r = kind.rounded

    def gradients(x, y, w, b):
        x, y, w, b = (
            each.astype(float) if isinstance(each, np.ndarray) else list(map(np.float64, each)) for each in (x, y, w, b)
        )
        entering, slopes = [x], []
        for weight, bias in zip(w, b, strict=True):
            z = np.zeros((len(x), len(bias)))
            for a, column in zip(entering[-1].T, weight.T, strict=True):
                z = r(z + r(np.outer(a, column)))
            value, slope = record.value_and_slope(r(z + bias))
            entering.append(r(value))
            slopes.append(r(slope))
        apart = r(entering[-1] - y)
        delta = apart if bug == "slope" else r(apart * slopes[-1])
        by_w, by_b = [], []
        for layer in range(len(w) - 1, -1, -1):
            total, bias = np.zeros_like(w[layer]), np.zeros_like(b[layer])
            for row, a in zip(delta, entering[layer], strict=True):
                total, bias = r(total + r(np.outer(row, a))), r(bias + row)
            by_w.insert(0, total / len(x) if bug == "mean" else total)
            by_b.insert(0, -bias if bug == "sign" else bias)
            back = np.zeros_like(entering[layer])
            for row, weights in zip(delta.T, w[layer], strict=True):
                back = r(back + r(np.outer(row, weights)))
            delta = r(back * slopes[layer - 1]) if layer else back
        return {"w": by_w, "b": by_b, "x": delta}

    return gradients


@pytest.mark.parametrize("which", ["tanh", "relu", pytest.param("gelu_tanh", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", _SHORT)
def test_honest_implementations_pass(which, kind, monkeypatch):
    monkeypatch.setattr("gradtheory.testing.shrinking.can_shrink", lambda: False)
    right = backprop(gt.activation(which), _KINDS[kind])
    testing.assert_network_gradients(right, which, cases=12, dtype=kind)


@pytest.mark.parametrize("bug", ["slope", "mean", "sign"])
@pytest.mark.parametrize("kind", _SHORT)
def test_bugs_are_found(bug, kind, monkeypatch):
    monkeypatch.setattr("gradtheory.testing.shrinking.can_shrink", lambda: False)
    wrong = backprop(gt.activation("tanh"), _KINDS[kind], bug=bug)
    with pytest.raises(AssertionError, match="is wrong"):
        testing.assert_network_gradients(wrong, "tanh", cases=40, dtype=kind)


@pytest.mark.parametrize("build", [chain_case, network_case])
@pytest.mark.parametrize("kind", _SHORT)
def test_most_cases_are_decided_and_exact_in_the_type(build, kind):
    decided = 0
    cases = fixed_cases(lambda source: build(source, "tanh", None, "squared", kind), 30)
    for case in cases:
        for each in (case.x, case.y, *case.w, *case.b):
            np.testing.assert_array_equal(_KINDS[kind].rounded(each), each)
        try:
            tolerances(as_problem(*case), _KINDS[kind])
        except Undecided:
            continue
        decided += 1
    assert decided > len(cases) / 2  # others may overflow, or are chaotic in so few digits


def test_what_may_overflow_is_undecided():
    def fn(x, y, w, b):
        return {"x": np.float16(1) * w[0] * x}

    with pytest.raises(Undecided, match="may overflow float16"):
        testing.assert_gradients_at(fn, [200.0], [0.0], [400.0], [0.0], "identity", dtype="float16")


def test_arrays_come_in_the_type_and_results_may_be_of_it():
    seen = []

    def gradients(kind):
        def fn(x, y, w, b):
            seen.append(x.dtype)
            return {"b": np.asarray(2 * w * x - y).astype(kind)}

        return fn

    for name, kind in _SHORT.items():
        testing.assert_gradients_at(gradients(kind), [1.0], [1.0], [1.0], [1.0], "identity", dtype=name)
    assert {*seen} == {np.dtype(np.float16), np.dtype(np.float32)}


@pytest.mark.parametrize("kind", _SHORT)
@pytest.mark.parametrize(("which", "derivative"), [("tanh", 0), ("relu", 1)])
def test_kernels_in_the_type(which, derivative, kind):
    record = gt.activation(which)

    def kernel(z):
        return (record.slope if derivative else record.value)(z.astype(float)).astype(_SHORT[kind])

    testing.assert_activation(kernel, which, derivative=derivative, dtype=kind, ulp=0.51)
    errors = testing.kernel_errors(lambda z: 1.02 * kernel(z).astype(float), which, derivative=derivative, dtype=kind)
    assert errors.dtype == kind
    assert errors.worst >= 2.0
    finite = errors.z[np.isfinite(errors.z)]
    np.testing.assert_array_equal(finite.astype(_SHORT[kind]).astype(float), finite)
    assert finite.max() == _KINDS[kind].max
