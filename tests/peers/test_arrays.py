"""Widths and intervals of arrays of other libraries."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.arrays.plan import plan_of

_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
dask_array = pytest.importorskip("dask.array", reason=_REASON)

_WEIGHTS = np.concatenate([np.linspace(-9, 9, 37), [1e-300, -1e308]])
_MAKERS = {"torch": torch.tensor, "dask": lambda each: dask_array.from_array(each, chunks=10)}


_CLOSED = [name for name in gt.activation_names() if plan_of(gt.activation(name)).is_closed]
_OTHER = [name for name in gt.activation_names() if name not in _CLOSED]


@pytest.mark.parametrize("which", _OTHER)
def test_torch_is_refused_where_there_is_no_closed_form(which):
    with pytest.raises(InvalidArgument, match="NumPy"):
        gt.arrays.explosion_width(which, torch.tensor(_WEIGHTS))


@pytest.mark.parametrize(
    ("which", "library"), [*((name, "torch") for name in _CLOSED), *((name, "dask") for name in gt.activation_names())]
)
def test_widths_and_intervals_agree_with_numpy(which, library):
    make = _MAKERS[library]
    widths = gt.arrays.explosion_width(which, make(_WEIGHTS), threshold=1.5)
    assert type(widths) is type(make(_WEIGHTS))
    np.testing.assert_allclose(
        np.asarray(widths), gt.arrays.explosion_width(which, _WEIGHTS, threshold=1.5), rtol=1e-12
    )
    if gt.activation(which).period is None:
        intervals = gt.arrays.explosion_intervals(which, make(_WEIGHTS), 0.5, threshold=make(np.array(1.5)))
        np.testing.assert_allclose(
            np.asarray(intervals), gt.arrays.explosion_intervals(which, _WEIGHTS, 0.5, threshold=1.5), rtol=1e-12
        )


def test_dask_is_lazy_and_float32_stays():
    w = dask_array.from_array(_WEIGHTS[:-1].astype(np.float32), chunks=10)
    widths = gt.arrays.explosion_width("sigmoid", w)
    assert widths.dtype == np.float32
    assert widths.numblocks == w.numblocks
    assert gt.arrays.explosion_width("sigmoid", torch.tensor(_WEIGHTS[:-1]).float()).dtype == torch.float32
    with pytest.raises(InvalidArgument, match="out"):
        gt.arrays.explosion_width("sigmoid", w, out=np.empty(38))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: {"w": torch.tensor([3 + 4j])}, r"^w = .*: must be an array of real numbers"),
        (lambda: {"w": torch.tensor([True])}, r"^w = .*: must be an array of real numbers"),
        (lambda: {"w": dask_array.ones(3) > 0}, r"^w = .*: must be an array of real numbers"),
        (lambda: {"w": torch.ones(3), "b": "a"}, "^b = 'a': must be an array of real numbers"),
        (lambda: {"w": torch.ones(3), "b": [1j]}, r"^b = \[1j\]: must be an array of real numbers"),
        (lambda: {"w": torch.ones(3), "b": torch.ones(4)}, r"^shapes of w, b, threshold = \(\(3,\), \(4,\), \(\)\)"),
        (lambda: {"w": torch.eye(2).to_sparse()}, "must be those of dense arrays that broadcast"),
        (lambda: {"w": torch.ones(3), "threshold": -1}, "^threshold = -1: must be from"),
        (lambda: {"w": dask_array.ones(3), "threshold": 0}, "^threshold = 0: must be from"),
        (lambda: {"w": torch.ones(3), "threshold": torch.tensor([1.0, -1.0, 1.0])}, r"^threshold = .*: must be from"),
    ],
)
def test_what_numpy_refuses_is_refused(make, said):
    with pytest.raises(InvalidArgument, match=said):
        gt.arrays.explosion_intervals("tanh", **make())


def test_arrays_of_numpy_beside_tensors():
    widths = gt.arrays.explosion_width("tanh", torch.tensor([3.0, 4.0]), threshold=np.array([1.0, 0.5]))
    np.testing.assert_allclose(widths, gt.arrays.explosion_width("tanh", [3.0, 4.0], threshold=[1.0, 0.5]), rtol=1e-6)
    tensors = [torch.tensor(3.0, requires_grad=True), torch.tensor(4.0)]
    np.testing.assert_array_equal(
        gt.arrays.explosion_width("tanh", tensors), gt.arrays.explosion_width("tanh", [3.0, 4.0])
    )


def test_thresholds_in_dask_arrays_are_not_looked_at():
    widths = gt.arrays.explosion_width(
        "tanh", dask_array.ones(2), threshold=dask_array.from_array(np.array([-1.0, 0.5]))
    )
    np.testing.assert_allclose(widths.compute(), [np.nan, gt.arrays.explosion_width("tanh", 1.0, threshold=0.5)])
