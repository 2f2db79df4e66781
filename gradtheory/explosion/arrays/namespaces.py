"""Evaluation of a function of w, b and c over arrays of other libraries than NumPy: Dask, or any with the array API."""

from typing import Any

import numpy as np

from gradtheory.arithmetic.chunks import by_chunks
from gradtheory.arithmetic.inputs import read_array
from gradtheory.errors import InvalidArgument, extra
from gradtheory.explosion.arrays.elementwise import Function, check_levels, unlike_shapes
from gradtheory.explosion.arrays.plan import Plan


def foreign_arrays(*values: Any) -> list[Any]:
    """Return those of some arguments that are arrays of another library than NumPy.

    Raises
    ------
    MissingDependency
        If one seems to be, and array-api-compat is not installed.

    """
    arrays = [value for value in values if hasattr(value, "dtype") and not isinstance(value, np.ndarray | np.generic)]
    if not arrays:
        return []
    with extra("arrays"):
        from array_api_compat import is_array_api_obj
    return [array for array in arrays if is_array_api_obj(array)]


def evaluate(
    function: Function, plan: Plan, arguments: tuple[Any, ...], foreign: list[Any], core: tuple[int, ...]
) -> Any:
    """Return function(xp, w, b, c) in the namespace xp of the foreign arrays: chunk by chunk for Dask, else at once.

    Raises
    ------
    InvalidArgument
        If the activation has no closed form, so that tables for NumPy are needed, and the arrays are not Dask's.

    """
    from array_api_compat import array_namespace, is_array_api_obj, is_dask_array, is_dask_namespace

    xp, like = array_namespace(*foreign), foreign[0]
    is_dask = is_dask_namespace(xp)
    if not (plan.is_closed or is_dask):
        raise InvalidArgument(
            "w", type(like).__name__, f"must be a NumPy or Dask array: {plan.name} has no closed form"
        )
    dtype = xp.float32 if all(array.dtype == xp.float32 for array in foreign) else xp.float64
    device = {} if is_dask else {"device": like.device}
    arrays = []
    for name, value in zip(("w", "b", "threshold"), arguments, strict=True):
        if not is_array_api_obj(value) or isinstance(value, np.ndarray | np.generic):
            arrays.append(xp.asarray(read_array(value, name), **device))
        elif xp.isdtype(value.dtype, ("real floating", "integral")):
            arrays.append(xp.astype(value, xp.float64))
        else:
            raise InvalidArgument(name, value, "must be an array of real numbers, such as 0.5 or [0.5, -1.0]")
    if not is_dask_array(arguments[2]):
        check_levels(arrays[2], arguments[2])
    try:
        arrays = xp.broadcast_arrays(*arrays)
    except (ValueError, RuntimeError):
        raise unlike_shapes(arrays) from None
    return _by_chunks(function, arrays, dtype, core) if is_dask else xp.astype(function(xp, *arrays), dtype)


def _by_chunks(function: Function, arrays: Any, dtype: Any, core: tuple[int, ...]) -> Any:
    """Return the Dask array whose chunks are what NumPy makes of those of the arguments."""

    def chunk(*parts: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(function(np, *parts), dtype)

    return by_chunks(chunk, arrays, dtype, core)
