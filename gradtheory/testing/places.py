"""Hard places of an activation: kinks, turns of its slope, how steep it is, and what it tends to.

The catalogue states the monotone branches of its slopes. Of an expression of one's own they would have to be proven,
which may take long or fail; a test needs only good places to look at, so there they are found without a proof.
"""

import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import sympy
from numpy.typing import NDArray

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.numeric import steepest_place
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.arithmetic.effort import within
from gradtheory.arithmetic.enclosure import exactly, limit_at, precision
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided
from gradtheory.testing.pointwise import value_slope_and_bend

_PERIODS = 20
_LINE = (-sympy.oo, sympy.oo)
_NEAR = (sympy.Integer(-64), sympy.Integer(64))  # where switches are sought that have zeros for ever
_EFFORT = 1.0  # for finding where formulas switch
_BITS = 128
_GRID = np.linspace(-20.0, 20.0, 641)
_HALVINGS = 50
_SMOOTH = 1e-9  # of a difference of one-sided slopes, relative


@functools.lru_cache(maxsize=256)
def kinks(record: Activation) -> tuple[float, ...]:
    """Return where σ has no derivative: all such places, or some of those near 0 where they go on for ever.

    Examples
    --------
    >>> import gradtheory as gt
    >>> kinks(gt.activation("hard_tanh")), kinks(gt.activation(sympy.Abs(Z**2 - 4)))
    ((-1.0, 1.0), (-2.0, 2.0))

    """
    if record.branches is not None:
        return tuple(map(float, record.kinks))
    return tuple(place for place in map(float, _switches(record)[0]) if _jumps_at(record, place))


def _jumps_at(record: Activation, place: float) -> bool:
    sides = record.value_and_slope(np.array([np.nextafter(place, -np.inf), np.nextafter(place, np.inf)]))
    return any(abs(right - left) > _SMOOTH * max(1.0, abs(left)) for left, right in sides)


@functools.lru_cache(maxsize=256)
def _switches(record: Activation) -> tuple[tuple[sympy.Expr, ...], bool]:
    """Return where the formula of an expression of one's own switches, and whether these places are all."""
    for region in (_LINE, _NEAR):
        try:
            with within(_EFFORT):
                return breaks(record.expr, Z, *region), region == _LINE
        except Undecided:
            continue
    return (), False


@functools.lru_cache(maxsize=256)
def turns(record: Activation) -> tuple[float, ...]:
    """Return where |σ'| turns, or σ' is 0: the ends of stated branches in some periods, else what a grid shows.

    Examples
    --------
    >>> import gradtheory as gt
    >>> turns(gt.activation("tanh")), [round(each, 6) for each in turns(gt.activation(sympy.exp(-Z**2)))]
    ((0.0,), [-0.707107, 0.0, 0.707107])

    """
    if record.branches is None:
        return tuple(sorted({*_zeros_on_grid(record), *map(float, _switches(record)[0])}))
    ends = itertools.chain.from_iterable((each.left, each.right) for each in record.branches)
    finite = [float(each) for each in dict.fromkeys(ends) if each.is_finite]
    if record.period is None:
        return tuple(finite)
    period = float(record.period)
    return tuple(each + shift * period for shift in range(-_PERIODS, _PERIODS + 1) for each in finite)


def _zeros_on_grid(record: Activation) -> list[float]:
    """Return zeros of σ' and σ'' that a grid shows: signs are proven, so that rounding makes none."""
    functions = value_slope_and_bend(record)

    def signs(z: float) -> list[int]:
        try:
            balls = functions.enclose(exactly(z), _BITS)[1:]
        except Undecided:
            return [0, 0]
        return [1 if ball > 0 else -1 if ball < 0 else 0 for ball in balls]

    with precision(_BITS):
        seen = np.array([signs(float(z)) for z in _GRID])
        return [
            place
            for which in range(2)
            for place in _changes(seen[:, which], functools.partial(lambda which, z: signs(z)[which], which))
        ]


def _changes(signs: NDArray[np.int_], sign_at: Callable[[float], int]) -> Iterator[float]:
    """Yield where a sign changes between points of the grid, and points with 0 between others without."""
    for place in np.flatnonzero(signs[:-1] * signs[1:] < 0):
        yield _bisected(sign_at, float(_GRID[place]), float(_GRID[place + 1]))
    is_alone = (signs[1:-1] == 0) & (signs[:-2] * signs[2:] != 0)
    yield from map(float, _GRID[1:-1][is_alone])


def _bisected(sign: Callable[[float], int], left: float, right: float) -> float:
    at_left = sign(left)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2.0
        left, right = (middle, right) if sign(middle) == at_left else (left, middle)
    return right


@functools.lru_cache(maxsize=256)
def steepest(record: Activation) -> float:
    """Return sup|σ'|: the exact one rounded, or of an expression of one's own the greatest near 0 and at ±oo."""
    if record.branches is not None:
        return float(record.steepest_slope)
    far = [abs(each) for each in (limit(record, 1, to_right=side) for side in (False, True)) if each is not None]
    return max(steepest_place(record.slope, np.concatenate([_GRID, turns(record)]))[1], *far, 0.0)


@functools.lru_cache(maxsize=256)
def limit(record: Activation, order: int, *, to_right: bool) -> float | None:
    """Return the limit of σ, σ' or σ'' at ±oo, rounded; None where there is none, or none is proven quickly."""
    if record.period is not None:
        return None
    if record.branches is None:
        return _proven_limit(record, order, sympy.oo if to_right else -sympy.oo)
    if order == 0:
        exact = record.limits[to_right]
    elif order == 1:
        branch = record.branches[-1 if to_right else 0]
        exact = branch.slope_right if to_right else branch.slope_left
    else:
        exact = sympy.S.Zero
    return float(exact) if exact.is_finite or exact.is_infinite else None


def _proven_limit(record: Activation, order: int, end: sympy.Expr) -> float | None:
    places, are_all = _switches(record)
    if not are_all:
        return None
    outer = (places[-1 if end is sympy.oo else 0]) if places else sympy.S.Zero
    cell = (outer, end) if end is sympy.oo else (end, outer)
    expr = (stable(record.expr), stable(record.slope_expr), record.bend_expr)[order]
    try:
        with within(_EFFORT):
            return float(limit_at(formula_near(expr, Z, inner_point(*cell)), Z, end))
    except Undecided:
        return None
