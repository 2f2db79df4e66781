"""Numbers of many arguments: found together from panels where there are many of them, and one by one else."""

from collections.abc import Callable

import numpy as np

from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_array
from gradtheory.errors import InvalidArgument

_MANY = 200  # as many double integrals take as long as the panels between which they are interpolated
_ENOUGH = 1e-9  # an error at which an interpolated number is kept


def read_correlations(c: object) -> Array:
    """Return correlations from -1 to 1 as an array."""
    numbers = read_array(c, "c")
    if not (np.abs(numbers) <= 1.0).all():
        raise InvalidArgument("c", c, "must lie between -1 and 1, such as 0.5")
    return numbers


def together(
    numbers: tuple[Array, ...],
    one: Callable[..., Estimate],
    many: Callable[[], tuple[Array, Array]],
    known: Callable[[], bool],
) -> Estimate | Estimates:
    """Return one number; or an array, found together if it is large, else, and where that fails, one by one."""
    shape = numbers[0].shape
    if not shape:
        return one(*map(float, numbers))
    flat = [each.reshape(-1) for each in numbers]
    count = len(flat[0])
    value, error = many() if count >= _MANY or known() else np.full((2, count), np.nan)
    for which in np.flatnonzero(~(error <= _ENOUGH * np.maximum(1.0, np.abs(value)))):
        number = one(*(float(each[which]) for each in flat))
        value[which], error[which] = number, number.error
    return Estimates(value, error).reshape(shape)
