"""A store is resumed by the same sweep only, also where another one prints alike; and by the same one always."""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument
from gradtheory.sweeps.fingerprint import UNKNOWN, fingerprint

_REASON = "`make test-peers` installs it and runs this"
dask = pytest.importorskip("dask", reason=_REASON)
for _library in ("xarray", "zarr"):
    pytest.importorskip(_library, reason=_REASON)
pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries are theirs

_GRID = {"x": np.arange(11.0)}


def _linear(x, table):
    return x * table[5000]


def _weighted(x, weight):
    return weight(x)


def _times(factor):
    def times(x):
        return factor * x

    return times


def _broken_off(out, points):
    """Leave a store of which one block is finished; the first call is of the first point."""

    def ten(x):
        ten.calls += 1
        if ten.calls == 3:
            raise RuntimeError("broken off")
        return 10.0 * x

    ten.calls = 0
    with dask.config.set(scheduler="synchronous"), pytest.raises(RuntimeError, match="broken off"):
        gt.sweep(ten, _GRID, out, points=points)
    return ten


@pytest.mark.parametrize(("points", "then", "kept"), [(4, 5, "2 of 4, 1 of 3"), (5, 4, "2 of 5, 1 of 1")])
def test_blocks_of_other_sizes_are_others(tmp_path, points, then, kept):
    """There are three of them both times."""
    out = tmp_path / "g.zarr"
    function = _broken_off(out, points)
    with pytest.raises(InvalidArgument, match=rf"blocks: {kept}\); name another store"):
        gt.sweep(function, _GRID, out, points=then)
    resumed = gt.sweep(function, _GRID, out, points=points)
    np.testing.assert_array_equal(resumed.ten, 10.0 * _GRID["x"])


def test_arguments_that_print_alike_are_told(tmp_path):
    first, second = np.ones(10001), np.ones(10001)
    second[5000] = 7.0
    assert repr(first) == repr(second)
    gt.sweep(_linear, _GRID, tmp_path / "g.zarr", table=first)
    with pytest.raises(InvalidArgument, match="other values of arguments that print alike"):
        gt.sweep(_linear, _GRID, tmp_path / "g.zarr", table=second)
    again = gt.sweep(_linear, _GRID, tmp_path / "g.zarr", table=first.copy())
    np.testing.assert_array_equal(again._linear, _GRID["x"])


def test_arguments_that_print_otherwise_may_be_the_same(tmp_path):
    """The text of a function holds its address."""
    first, same, other = (_times(factor) for factor in (2.0, 2.0, 3.0))
    gt.sweep(_weighted, _GRID, tmp_path / "g.zarr", weight=first)
    again = gt.sweep(_weighted, _GRID, tmp_path / "g.zarr", weight=same)
    np.testing.assert_array_equal(again._weighted, 2.0 * _GRID["x"])
    with pytest.raises(InvalidArgument, match="arguments: weight=<function"):
        gt.sweep(_weighted, _GRID, tmp_path / "g.zarr", weight=other)


def test_functions_of_one_name_are_told(tmp_path):
    gt.sweep(lambda x: 2.0 * x, _GRID, tmp_path / "g.zarr")
    with pytest.raises(InvalidArgument, match="a function of this name with other code, or one that uses other values"):
        gt.sweep(lambda x: 3.0 * x, _GRID, tmp_path / "g.zarr")


def test_what_nothing_tells_from_others_is_not_resumed(tmp_path):
    numbers = (number for number in range(9))
    gt.sweep(lambda x, numbers: x, _GRID, tmp_path / "g.zarr", numbers=numbers)
    with pytest.raises(InvalidArgument, match=r"holds something else \(arguments that nothing tells from others"):
        gt.sweep(lambda x, numbers: x, _GRID, tmp_path / "g.zarr", numbers=numbers)


_SCALE = 3.0


def _scaled(x):
    return _helper(x) * _SCALE


def _helper(x):
    return x + 1.0


def test_what_a_function_uses_counts(monkeypatch):
    told = [fingerprint(_scaled)]
    monkeypatch.setitem(globals(), "_SCALE", 4.0)
    told.append(fingerprint(_scaled))
    monkeypatch.setitem(globals(), "_helper", lambda x: x + 2.0)
    told.append(fingerprint(_scaled))
    monkeypatch.undo()
    assert len(set(told)) == 3
    assert fingerprint(_scaled) == told[0]


class _Call:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x


def _values(other):
    """Return pairs that differ, each beside its like."""
    own = "+".join(f"tanh({k}*z)/{k * k}" for k in range(1, 40))
    holds_itself = [other]
    holds_itself.append(holds_itself)
    return {
        "array": np.full(3, other, dtype=float),
        "type": np.zeros(3, dtype=np.float32 if other else np.float64),
        "shape": np.zeros((2, 3) if other else (3, 2)),
        "objects": np.array([{"a": other}, None], dtype=object),
        "set": {"a", "b", "c", str(other)},
        "dict": {"a": [1, other]},
        "own activation": gt.activation(gt.expression(own.replace("tanh(30*z)", "tanh(31*z)") if other else own)),
        "activation": gt.activation("gelu" if other else "tanh"),
        "expression": sympy.Symbol("z") ** 2 + other,
        "architecture": gt.architecture([blocks.dense("relu", 1 + other)]),
        "chain": gt.Chain(depth=2 + other),
        "partial": functools.partial(_linear, table=other),
        "method": _Call(other).__call__,
        "object": _Call(other),
        "universal": np.cos if other else np.sin,
        "generator": np.random.default_rng(other),
        "holds itself": holds_itself,
        "library": gt.meanfield.chi if other else gt.meanfield.gain,
        "type of number": 1 if other else 1.0,
    }


def _told(other):
    return {name: fingerprint(value) for name, value in _values(other).items()}


def test_values_are_told_by_what_they_are():
    first, same, other = _told(0), _told(0), _told(1)
    assert first == same
    assert [name for name in first if first[name] == other[name]] == []
    assert UNKNOWN not in first.values()


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_tells_them_alike(seed):
    """Sets have another order there, and functions stand elsewhere."""
    run = "from tests.peers import test_sweep_resumed as here; print(here._told(0))"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    out = subprocess.run([sys.executable, "-c", run], env=environment, check=True, capture_output=True, text=True)
    assert out.stdout.strip() == str(_told(0))
