r"""Widths and intervals of explosion sets over arrays, elementwise, from the branches of |σ'|.

On a branch, |σ'(z)| = t = c/|w| at a distance from its end that depends on the relative excess

    e = (sup - t)/(t - inf) = (sup·|w| - c)/(c - inf·|w|),

whose numerator and denominator are computed to all their digits: nothing cancels, even at the critical weight.
"""

import functools
import math
import operator
from typing import Any

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.pairs import Pair, add, divide, quotient, times
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.arrays import elementwise, namespaces
from gradtheory.explosion.arrays.plan import Part, Plan, plan_of
from gradtheory.typing import ActivationLike, ArrayLike

_LARGEST = float(np.finfo(np.float64).max)
_TINY = 5e-324  # the least positive float64


def explosion_width(
    activation: ActivationLike, w: ArrayLike, *, threshold: ArrayLike = 1.0, out: np.ndarray | None = None
) -> Any:
    r"""Return the total length of {x : |σ'(wx + b)·w| > c} for arrays of weights: |U_t|/|w| with t = c/|w|.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        As in `gradtheory.explosion_set`.
    w, threshold : array_like
        Weights and thresholds c, of shapes that broadcast: what NumPy takes, or Dask arrays, or, where the activation
        has closed forms, arrays of any library with the array API, such as PyTorch.
    out : numpy.ndarray, optional
        Where to write the result.

    Returns
    -------
    array
        Of the broadcast shape; float32 where all arrays are, else float64. 0 where nothing explodes, inf where the set
        is unbounded, nan where w is not finite or |w|/c exceeds float64. Numeric: within 2 ulp where a closed form is
        elementary (2.5 for the sigmoid, 2.25 for tanh and its like), else within 4.

    Raises
    ------
    InvalidArgument
        If an argument is not real, a threshold is not in [1e-250, 1e250] (those in a Dask array are not looked at), or
        shapes do not broadcast; for arrays of other libraries than NumPy and Dask, also where there is no closed form.
    MissingDependency
        If arrays of another library than NumPy are passed, and array-api-compat is not installed.
    Undecided
        If the slope of your own expression cannot be tabulated with a proof.

    Examples
    --------
    >>> explosion_width("tanh", [0.5, 2.0, -2.0])
    array([0.        , 0.88137359, 0.88137359])
    >>> explosion_width("relu", 2.0)
    np.float64(inf)

    """
    plan = plan_of(as_activation(activation))

    def widths(xp: Any, weight: Any, _: Any, level: Any) -> Any:
        return _width(plan, xp, weight, level)

    return _evaluate(widths, plan, w, 0.0, threshold, (), out)


def explosion_intervals(
    activation: ActivationLike,
    w: ArrayLike,
    b: ArrayLike = 0.0,
    *,
    threshold: ArrayLike = 1.0,
    out: np.ndarray | None = None,
) -> Any:
    r"""Return the open intervals of x with |σ'(wx + b)·w| > c for arrays of weights, biases and thresholds.

    Parameters
    ----------
    activation, w, threshold, out
        As in `explosion_width`.
    b : array_like
        Biases.

    Returns
    -------
    array
        Of shape (..., k, 2): the ends of at most k intervals in increasing order, those that do not exist nan. k is
        the greatest number that the activation has at any threshold. Intervals beside a kink share an end.

    Raises
    ------
    InvalidArgument, MissingDependency, Undecided
        As `explosion_width`; InvalidArgument also if the slope is periodic, so that there are infinitely many
        intervals.

    Examples
    --------
    >>> explosion_intervals("arctan", [2.0, 0.5], b=1.0)
    array([[[-1.,  0.]],
           [[nan, nan]]])
    >>> explosion_intervals("gelu", -12.0, b=0.3).shape
    (2, 2)

    """
    plan = plan_of(as_activation(activation))
    if plan.is_periodic:
        raise InvalidArgument(
            "activation", plan.name, "has a periodic slope: use gradtheory.explosion_set with domain="
        )

    def intervals(xp: Any, weight: Any, bias: Any, level: Any) -> Any:
        return _intervals(plan, xp, weight, bias, level)

    return _evaluate(intervals, plan, w, b, threshold, (plan.most_components, 2), out)


def _evaluate(
    function: elementwise.Function,
    plan: Plan,
    w: ArrayLike,
    b: ArrayLike,
    threshold: ArrayLike,
    core: tuple[int, ...],
    out: np.ndarray | None,
) -> Any:
    """Return the values of a function, each of the shape `core`, by NumPy or in the namespace of the arrays given."""

    def told(xp: Any, weight: Any, bias: Any, level: Any) -> Any:
        result = function(xp, weight, bias, level)
        most = level * _LARGEST  # of |w|: inf from 1 on
        if isinstance(most, float) and math.isinf(most):
            return result
        beyond = abs(weight) > most
        return xp.where(xp.reshape(beyond, (*beyond.shape, *(1 for _ in core))), math.nan, result)

    foreign = namespaces.foreign_arrays(w, b, threshold)
    if not foreign:
        return elementwise.evaluate(told, w, b, threshold, core, out)
    if out is not None:
        raise InvalidArgument("out", type(out).__name__, "is taken for NumPy arrays only")
    return namespaces.evaluate(told, plan, (w, b, threshold), foreign, core)


def _width(plan: Plan, xp: Any, weight: Any, level: Any) -> Any:
    size = abs(weight) + _TINY  # which changes 0 only, and is quicker than a choice
    lengths = []
    differences: dict[Any, Pair] = {}  # of the slopes that parts have in common
    for part, count in plan.distinct_parts:
        key = part.steep, part.is_paired
        if key not in differences:
            differences[key] = (
                (size, 0.0) if part.steep is None else part.steep.minus(size, level, is_paired=part.is_paired)
            )
        above = differences[key]
        is_endless = plan.is_periodic or part.reaches_infinity
        lengths.append((count, _length(part, xp, above, size, level, is_endless=is_endless)))
    if not lengths:
        return 0.0 * weight
    if all(isinstance(length[1], float) for _, length in lengths):
        width = functools.reduce(operator.add, (count * (length[0] / size) for count, length in lengths))
    elif len(lengths) == 1:
        count, length = lengths[0]
        width = count * divide(xp, length, size)  # exact: 1 or 2
    else:
        width = divide(xp, functools.reduce(add, (_counted(count, *length) for count, length in lengths)), size)
    return xp.where(weight == 0.0, 0.0, width) if any(part.steep is None for part in plan.parts) else width


def _counted(count: float, high: Any, low: Any) -> Pair:
    return (high, low) if count == 1.0 else times((count, 0.0), (high, low))


def _length(part: Part, xp: Any, above: Pair, size: Any, level: Any, *, is_endless: bool) -> Pair:
    """Return the length of a branch's part in the set of z."""
    if is_endless:
        return xp.where(above[0] > 0, math.inf, 0.0 * size), 0.0
    whole, rest = part.length
    if part.branch.is_flat:
        return xp.where(above[0] > 0, whole, 0.0 * size), xp.where(above[0] > 0, rest, 0.0)
    below = part.shallow.minus(size, level, is_paired=part.is_paired)
    if not part.shallow.parts:  # what lies below is the threshold
        clipped: Pair = xp.clip(above[0], 0.0, None), above[1]
        return part.distance(xp, _over(xp, clipped, below, part.is_paired))
    is_crossed = below[0] < 0
    distance, lost = part.distance(xp, _excess(xp, above, below, (above[0] > 0) & is_crossed, part.is_paired))
    return xp.where(is_crossed, distance, whole), lost if isinstance(lost, float) else xp.where(is_crossed, lost, rest)


def _excess(xp: Any, above: Pair, below: Pair, is_crossed: Any, is_paired: bool) -> Pair:
    """Return above/(-below) where a branch is crossed, and 0 elsewhere."""
    above = xp.where(is_crossed, above[0], 0.0), xp.where(is_crossed, above[1], 0.0) if is_paired else 0.0
    if not isinstance(below[0], float):
        below = xp.where(is_crossed, below[0], -1.0), xp.where(is_crossed, below[1], 0.0) if is_paired else 0.0
    return _over(xp, above, below, is_paired)


def _over(xp: Any, above: Pair, below: Pair, is_paired: bool) -> Pair:
    if isinstance(below[0], float) and below[0] == -1.0:
        return above
    if not is_paired:
        return above[0] / -below[0], 0.0
    high, low = quotient(above, (-below[0], -below[1]))
    return high, xp.where(abs(low) <= abs(high), low, 0.0)  # it is nan where a product overflows


def _intervals(plan: Plan, xp: Any, weight: Any, bias: Any, level: Any) -> Any:
    """Return the intervals, from those of z: neighbours are joined unless a kink lies between."""
    size = abs(weight)
    nothing = math.nan * size
    count = 0 * size
    starts, stops = ([nothing] * plan.most_components for _ in range(2))
    joined = size < 0  # whether the part before reaches the beginning of this one
    for part in plan.parts:
        lower, upper, present = _ends(part, xp, size, level)
        left, right = part.ends
        continues = joined & present & (lower == left)
        count = count + xp.where(present & ~continues, 1.0, 0.0 * size)
        for k in range(plan.most_components):
            here = present & (count == k + 1)
            starts[k] = xp.where(here & ~continues, lower, starts[k])
            stops[k] = xp.where(here, upper, stops[k])
        joined = size < 0
        if part.at_right is not None:
            joined = present & (upper == right) & (part.at_right.minus(size, level)[0] > 0)
    columns = []
    for k in range(plan.most_components):
        lower, upper = starts[k], stops[k]
        for j in range(plan.most_components):  # a negative weight turns them around
            turned = (weight < 0) & (count == j + k + 1)
            lower, upper = xp.where(turned, stops[j], lower), xp.where(turned, starts[j], upper)
        columns.append(xp.stack([(lower - bias) / weight, (upper - bias) / weight], axis=-1))
    return xp.stack(columns, axis=-2)


def _ends(part: Part, xp: Any, size: Any, level: Any) -> tuple[Any, Any, Any]:
    """Return the ends in z of a branch's part in the set, and whether there is one."""
    left, right = part.ends
    zero = 0.0 * size
    above = (size, zero) if part.steep is None else part.steep.minus(size, level)
    present = above[0] > 0
    if part.branch.is_flat:
        return left + zero, right + zero, present
    below = part.shallow.minus(size, level)
    is_crossed = present & (below[0] < 0)
    if part.steep is None:
        excess = (level / xp.where(is_crossed, size, 1.0), zero)
    else:
        high, low = _excess(xp, above, below, is_crossed, part.is_paired)
        excess = xp.where(is_crossed, high, 1.0), low  # elsewhere any place will do: at 0 it may be far out
    anchor, rest, direction = part.anchor
    distance, _ = part.distance(xp, excess)  # the bias is added to it, so that its rounding error does not matter
    crossing = anchor + (direction * distance + rest)
    if part.branch.rises:
        return xp.where(is_crossed, crossing, left), right + zero, present
    return left + zero, xp.where(is_crossed, crossing, right), present
