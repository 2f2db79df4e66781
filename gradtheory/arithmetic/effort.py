"""How much work a proof may take: counted in operations, so that an answer does not depend on the machine's mood.

Whoever works spends: a budget is opened by the public call, and where it is used up the call ends as `Undecided`.
"""

import functools
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from gradtheory.errors import InvalidArgument, Undecided

if TYPE_CHECKING:
    import sympy

EFFORT = 10.0  # about seconds
_UNITS = 600_000  # of work in one second: operations on balls, more or less


class _Budget:
    def __init__(self, effort: float, help_with: str, places: int) -> None:
        self.effort, self.left, self.help_with = effort, effort * places * _UNITS, help_with


_AROUND, _PLACE = 15, 0.0018  # parts' worth of work of an integral at a place, and units of a part
_OTHER_SCALES = "take scales at which the expression is less steep or narrow, or ask again with effort={more:g}"
_P = ParamSpec("_P")
_R = TypeVar("_R")

_OPEN: ContextVar[_Budget | None] = ContextVar("_OPEN", default=None)


def read_effort(effort: float) -> None:
    """Refuse an effort that is no positive number."""
    number: Any = effort
    if getattr(effort, "ndim", None) == 0 and hasattr(effort, "item"):
        number = effort.item()  # a short NumPy float cannot be compared with the largest float64
    is_real = isinstance(number, Real) and not isinstance(number, bool)
    if not is_real or not 0 < number <= sys.float_info.max:
        raise InvalidArgument("effort", effort, f"must be a positive number, about seconds, such as {EFFORT:g}")


@contextmanager
def within(
    effort: float = EFFORT, help_with: str = "ask again with effort={more:g}", *, places: int = 1
) -> Iterator[None]:
    """Allow so much work, about seconds of it for each of so many places; within another budget that one holds.

    Where it is used up, the message ends with what would help.

    Raises
    ------
    InvalidArgument
        If the effort is no positive number.

    Examples
    --------
    >>> with within(1):
    ...     spend(10**9)
    Traceback (most recent call last):
    gradtheory.errors.Undecided: not decided within effort=1, about 1 s of work; ask again with effort=10

    """
    read_effort(effort)
    if _OPEN.get() is not None:
        yield
        return
    token = _OPEN.set(_Budget(float(effort), help_with, places))
    try:
        yield
    finally:
        _OPEN.reset(token)


def spend(units: float) -> None:
    """Take work from the open budget, if there is one."""
    budget = _OPEN.get()
    if budget is None:
        return
    budget.left -= units
    if budget.left < 0:
        raise Undecided(
            f"not decided within effort={budget.effort:g}, about {budget.effort:g} s of work; "
            + budget.help_with.format(more=10 * budget.effort)
        )


def limited(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a numeric function of an activation end, if that is an expression of one's own.

    Arrays get as much as the keyword `effort` allows for each of their numbers.
    """

    @functools.wraps(call)
    def within_effort(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        subject = args[0] if args else kwargs.get("activation")
        effort: Any = kwargs.get("effort", EFFORT)
        read_effort(effort)
        if hasattr(subject, "free_symbols") or getattr(subject, "branches", ()) is None:
            places = math.prod(max(1, _count(value)) for value in (*args, *kwargs.values()))
            with within(effort, _OTHER_SCALES, places=places):
                return call(*args, **kwargs)
        return call(*args, **kwargs)

    return within_effort


def _count(value: Any) -> int:
    """Return how many numbers an argument holds."""
    size = getattr(value, "size", len(value) if isinstance(value, list | tuple) else 1)
    return size if isinstance(size, int) else 1


def charge_places(expr: "sympy.Basic", places: int) -> None:
    """Take the work of evaluating an expression at so many places in float64, within an integral."""
    spend(places * (_AROUND + size(expr)) * _PLACE)


def charge(expr: "sympy.Basic", bits: int, units: int = 1) -> None:
    """Take the work of evaluating an expression from the open budget, so many units for each of its parts."""
    if _OPEN.get() is not None:
        spend(units * size(expr) * work_of(bits))


def work_of(bits: int) -> float:
    """Return how many units an operation on balls of so many bits is worth: multiplying long numbers takes longer."""
    return (1.0 + bits / 1024) * (1.0 + bits / 16384)


@functools.lru_cache(maxsize=4096)
def size(expr: "sympy.Basic") -> int:
    """Return the number of parts of an expression."""
    return 1 + sum(size(part) for part in expr.args)


@functools.lru_cache(maxsize=4096)
def depth(expr: "sympy.Basic") -> int:
    """Return the levels of nesting of an expression."""
    return 1 + max((depth(part) for part in expr.args), default=0)
