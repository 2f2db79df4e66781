"""Whether what an implementation returned is right, entry by entry, and where it went wrong."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array, detached
from gradtheory.errors import Undecided
from gradtheory.random_weights.floats import ALL_TYPES, FLOAT_TYPES, FloatType
from gradtheory.testing.backward import Problem
from gradtheory.testing.cases import ChainCase, NetworkCase
from gradtheory.testing.reference import ReferenceGradients, as_problem, prove_gradients
from gradtheory.testing.tolerance import Tolerances, tolerances

Case: TypeAlias = ChainCase | NetworkCase
Implementation: TypeAlias = Callable[..., Mapping[str, Any]]

KINDS = ("loss", "w", "b", "x")
_LISTED = ", ".join(map(repr, KINDS))
_DIGITS = 20
_SINGLE = FLOAT_TYPES["float32"]
_SINGLE_ERROR = 16.0 * 2.0**-24  # of the size of a number: a few roundings of float32
_LEAST_SINGLE_ERROR = 2.0**-31  # likewise: the greatest of some roundings of float32 is hardly ever less
_MUCH = 1e4  # times what is allowed: float32's unit is 5e8 times that of float64


@dataclass(frozen=True)
class GradientEntry:
    """One number that was returned.

    Attributes
    ----------
    kind : str
        "loss", "w", "b" or "x".
    layer : int
        From 1; 0 for the loss and x.
    place : tuple of int
        Its index in the array of that layer; of the sample first, for x.
    returned, exact, allowed : float
        What was returned, what is right, and how far rounding may take it.

    """

    kind: str
    layer: int
    place: tuple[int, ...]
    returned: float
    exact: float
    allowed: float

    @property
    def ratio(self) -> float:
        """The error in units of what is allowed; 0 where nothing can be said."""
        if not np.isfinite(self.exact):
            return 0.0
        if not np.isfinite(self.returned):
            return np.inf
        return abs(self.returned - self.exact) / self.allowed if np.isfinite(self.allowed) else 0.0

    @property
    def is_right(self) -> bool:
        """Whether rounding explains the error."""
        return self.ratio <= 1.0


@dataclass(frozen=True)
class Failure:
    """A case that an implementation gets wrong.

    Attributes
    ----------
    case : ChainCase or NetworkCase
    entries : tuple of GradientEntry
        What was returned; empty where nothing could be compared.
    trouble : str
        Why nothing could be compared, such as a wrong shape or an exception.
    cause : Exception or None
        The exception that the implementation raised.
    is_float32 : bool
        Whether errors of float32 would explain it.
    either_at_kinks : bool
        Whether any slope between the one-sided ones would have been right on kinks.

    """

    case: Case
    entries: tuple[GradientEntry, ...] = ()
    trouble: str = ""
    cause: Exception | None = None
    is_float32: bool = False
    either_at_kinks: bool = False

    @property
    def wrong(self) -> tuple[GradientEntry, ...]:
        """The entries that rounding does not explain."""
        return tuple(entry for entry in self.entries if not entry.is_right)


class _Unusable(Exception):
    """What was returned cannot be compared, and why."""


def judge(fn: Implementation, case: Case, dtype: FloatType, either_at_kinks: bool) -> Failure | None:
    """Return how an implementation fails on a case; None where it does not.

    Raises
    ------
    Undecided
        If no answer is proven for the case, or rounding may lead to any.

    """
    problem = as_problem(*case)
    exact = prove_gradients(problem, _DIGITS)
    allowed = tolerances(problem, dtype, either_at_kinks=either_at_kinks)
    if any(abs(float(delta)) > dtype.max for layer in exact.b for delta in layer):
        raise Undecided(f"δ overflows {dtype.name}, and so may what is made from it: take smaller numbers")

    def call() -> dict[str, list[Array]]:
        given = _arguments(case, dtype)
        before = [list(each) if isinstance(each, list) else each for each in given]  # the arrays that lists held
        with np.errstate(all="ignore"):  # it is judged by its numbers, not by its warnings
            arrays = _arrays(fn(*given), case)
        for name, after, held, fresh in zip("xywb", given, before, _arguments(case, dtype), strict=True):
            if not _is_unchanged(after, held, fresh):
                raise _Unusable(f"it changes its argument {name} in place, and must leave it as it was: copy it first")
        return arrays

    try:
        arrays = call()
        entries = tuple(_entries(arrays, exact, allowed))
        if all(entry.is_right for entry in entries):
            return None
        again = tuple(_entries(call(), exact, allowed))
        if len(again) != len(entries) or any(map(_differ, entries, again)):
            return Failure(case, trouble="it returns other numbers when it is called again with the same arguments")
    except _Unusable as error:
        return Failure(case, trouble=str(error))
    except Exception as error:  # whatever the implementation raises is a failure of it
        return Failure(case, trouble=f"it raised {type(error).__name__}: {error}", cause=error)

    is_float32 = dtype.bits > _SINGLE.bits and max(entry.ratio for entry in entries) > _MUCH and _is_of_float32(entries)
    is_float32 = is_float32 and _is_right_in_float32(problem, arrays, exact, either_at_kinks=either_at_kinks)
    return Failure(case, entries, is_float32=is_float32, either_at_kinks=either_at_kinks)


def _is_of_float32(entries: tuple[GradientEntry, ...]) -> bool:
    """Return whether every wrong number is off by a few roundings of float32, however wide a tolerance would be."""
    sizes = {kind: max((abs(each.exact) for each in entries if each.kind == kind), default=0.0) for kind in KINDS}
    wrong = [(abs(each.returned - each.exact), sizes[each.kind]) for each in entries if not each.is_right]
    is_enough = any(error >= _LEAST_SINGLE_ERROR * size for error, size in wrong)
    return is_enough and all(error <= _SINGLE_ERROR * size for error, size in wrong)


def _is_right_in_float32(
    problem: Problem, arrays: Mapping[str, list[Array]], exact: ReferenceGradients, *, either_at_kinks: bool
) -> bool:
    try:
        allowed = tolerances(problem, _SINGLE, either_at_kinks=either_at_kinks)
    except Undecided:
        return False
    return all(each.is_right for each in _entries(arrays, exact, allowed))


def _differ(first: GradientEntry, second: GradientEntry) -> bool:
    """Return whether two answers to one question are further apart than rounding explains."""
    apart = abs(first.returned - second.returned)
    return apart > first.allowed or np.isfinite(first.returned) != np.isfinite(second.returned)


def _arguments(case: Case, dtype: FloatType) -> tuple[Any, ...]:
    """Return copies of x, y, w and b."""
    return tuple(
        [np.array(array, dtype.storage) for array in argument]
        if isinstance(argument, tuple)
        else np.array(argument, dtype.storage)
        for argument in case[1:]
    )


def _is_unchanged(after: Any, held: Any, fresh: Any) -> bool:
    """Return whether an array, or a list and the arrays that it held, are as they were."""
    if isinstance(fresh, list):
        return len(after) == len(held) and all(
            now is one and _is_unchanged(now, one, other) for now, one, other in zip(after, held, fresh, strict=True)
        )
    return np.array_equal(after, fresh)


def _arrays(returned: Any, case: Case) -> dict[str, list[Array]]:
    """Return what was returned as float64 arrays in the shapes of a network, a list of one for each layer."""
    if not isinstance(returned, Mapping) or not returned:
        raise _Unusable(f"it returned {returned!r:.60}, not a mapping with any of {_LISTED}")
    if unknown := [kind for kind in returned if kind not in KINDS]:
        raise _Unusable(f"it returned {unknown[0]!r}, and only {_LISTED} are compared")
    is_network = isinstance(case, NetworkCase)
    arrays = {}
    for kind, value in returned.items():
        shapes = _shapes(case)[kind]
        if not isinstance(shapes, list):
            arrays[kind] = [_array(value, kind, shapes)]
        elif not hasattr(value, "__len__") or len(value) != len(shapes):
            raise _Unusable(f"its {kind!r} must be {len(shapes)} arrays, one for each layer")
        else:
            arrays[kind] = [_array(item, kind, shape) for item, shape in zip(value, shapes, strict=True)]
    return arrays if is_network else _as_of_a_network(arrays)


def _array(value: Any, kind: str, shape: tuple[int, ...]) -> Array:
    if value is None:
        raise _Unusable(f"its {kind!r} is None: give an array of shape {shape}, or leave it out of the answer")
    try:
        array = as_array(value)
    except Exception as error:  # a foreign conversion may fail in any way
        raise _Unusable(f"its {kind!r} does not convert to a NumPy array of real numbers: {error}") from error
    if array.shape != shape:
        raise _Unusable(f"its {kind!r} has the shape {array.shape}, and must have {shape}")
    return array


def _shapes(case: Case) -> dict[str, Any]:
    _, x, _, w, b = case
    if isinstance(case, NetworkCase):
        return {"loss": (), "w": [each.shape for each in w], "b": [each.shape for each in b], "x": x.shape}
    return {"loss": (), "w": np.shape(w), "b": np.shape(b), "x": x.shape}


def _as_of_a_network(arrays: dict[str, list[Array]]) -> dict[str, list[Array]]:
    """Return what was returned for a chain in the shapes of a network."""
    shapes = {"loss": (), "w": (-1, 1, 1), "b": (-1, 1), "x": (-1, 1)}
    reshaped = {kind: array.reshape(shapes[kind]) for kind, (array,) in arrays.items()}
    return {kind: list(array) if kind in ("w", "b") else [array] for kind, array in reshaped.items()}


def as_array(value: Any) -> Array:
    """Return whatever converts by ``__array__`` or DLPack, or a sequence of it, as float64.

    Raises
    ------
    TypeError
        If it holds complex numbers, texts or dates, which NumPy would turn into others without a word.

    """
    plain = [detached(each) for each in value] if isinstance(value, list | tuple) else detached(value)
    array = np.asarray(plain)
    if array.dtype == object and hasattr(plain, "__dlpack__"):
        array = np.from_dlpack(plain)
    if array.dtype.kind not in "biufO" and array.dtype.name not in ALL_TYPES:
        raise TypeError(f"its type is {array.dtype}")
    return array.astype(np.float64)


def _entries(
    arrays: Mapping[str, list[Array]], exact: ReferenceGradients, allowed: Tolerances
) -> Iterator[GradientEntry]:
    if "loss" in arrays:
        yield GradientEntry("loss", 0, (), float(arrays["loss"][0]), float(exact.loss), allowed.loss)
    for kind in ("w", "b", "x"):
        is_layered = kind != "x"
        right, most = getattr(exact, kind), getattr(allowed, kind)
        for layer, returned in enumerate(arrays.get(kind, ())):
            numbers = np.array(right[layer] if is_layered else right, dtype=float)
            bounds = most[layer] if is_layered else most
            for place in np.ndindex(returned.shape):
                number = float(numbers[place])
                yield GradientEntry(
                    kind, layer + is_layered, place, float(returned[place]), number, float(bounds[place])
                )
