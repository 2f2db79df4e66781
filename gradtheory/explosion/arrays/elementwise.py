"""Evaluation of a function of w, b and c over NumPy arrays that broadcast: block by block, in threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import read_real_array
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike

Function: TypeAlias = Callable[[Any, Any, Any, Any], Any]  # of an array namespace, weights, biases and thresholds

_BLOCK = 131_072  # elements at a time and thread: they stay in cache
_KEPT = 2**22 - 2**10  # floats: almost the 32 MiB up to which glibc learns from what is freed
_LEAST, _MOST = 1e-250, 1e250  # thresholds: far from where float64 ends


def evaluate(
    function: Function, w: ArrayLike, b: ArrayLike, threshold: ArrayLike, core: tuple[int, ...], out: np.ndarray | None
) -> Any:
    """Return function(numpy, w, b, c), computed in float64; each value has the shape `core`.

    Raises
    ------
    InvalidArgument
        If an argument is not real, a threshold is too small or too large, or shapes do not fit.

    """
    arrays = [_read(value, name) for value, name in ((w, "w"), (b, "b"), (threshold, "threshold"))]
    check_levels(arrays[2].astype(np.float64), threshold)  # short floats hold no such bounds
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        raise unlike_shapes(arrays) from None
    kinds = [value.dtype for value in (w, b, threshold) if isinstance(value, np.ndarray | np.generic)]
    dtype = np.dtype(np.float32 if kinds and all(kind == np.float32 for kind in kinds) else np.float64)
    result = np.empty((*shape, *core), dtype) if out is None else _read_out(out, (*shape, *core), dtype)
    target = result if result.flags.c_contiguous else np.empty((*shape, *core), dtype)
    _fill(function, [_flatten(array, shape) for array in arrays], target.reshape(-1, *core))
    if target is not result:
        result[...] = target
    return result[()] if out is None else result


def check_levels(levels: Any, threshold: ArrayLike) -> None:
    """Refuse thresholds, float64 of any library, that are too small, too large or nan."""
    if not ((levels >= _LEAST) & (levels <= _MOST)).all():
        raise InvalidArgument("threshold", threshold, f"must be from {_LEAST:g} to {_MOST:g} throughout, such as 1.0")


def unlike_shapes(arrays: Sequence[Any]) -> InvalidArgument:
    """Return the error of arrays that do not broadcast."""
    shapes = tuple(tuple(array.shape) for array in arrays)
    return InvalidArgument("shapes of w, b, threshold", shapes, "must be those of dense arrays that broadcast")


def _fill(function: Function, arrays: list[np.ndarray], target: np.ndarray) -> None:
    """Write the results, block by block; NumPy releases the interpreter's lock, so that blocks run in parallel."""

    def fill(start: int) -> None:
        block = slice(start, start + _BLOCK)
        weight, *rest = (array if array.ndim == 0 else array[block] for array in arrays)
        weight = np.broadcast_to(weight, target[block].shape[:1]).astype(np.float64, copy=False)
        others = (array.astype(np.float64, copy=False) if array.ndim else float(array) for array in rest)
        with np.errstate(all="ignore"):
            target[block] = function(np, weight, *others)

    starts = range(0, len(target), _BLOCK)
    if len(starts) < 2:
        for start in starts:
            fill(start)
        return
    np.empty(_KEPT)  # allocated and freed once, so that glibc stops giving blocks of this size back to the system
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, starts):
            pass


def _flatten(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return array if array.ndim == 0 else np.broadcast_to(array, shape).reshape(-1)


def _read(value: ArrayLike, name: str) -> np.ndarray:
    """Return an argument as an array of float32 or float64."""
    array = read_real_array(value, name)
    with np.errstate(over="ignore"):  # of a long double
        return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _read_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    if isinstance(out, np.ndarray) and out.shape == shape and out.dtype.kind == dtype.kind:
        return out
    kind = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
    raise InvalidArgument("out", kind, f"must be a NumPy array of {dtype} of shape {shape}")
