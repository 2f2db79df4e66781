"""Validation of arguments that are no numbers: objects by their kind, flags, functions and sequences.

As in `gradtheory.arithmetic.inputs`, each function returns what it was asked to read, or raises InvalidArgument.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from gradtheory.arithmetic.later import np
from gradtheory.errors import InvalidArgument

_T = TypeVar("_T")


def read_kind(value: Any, name: str, kind: type[_T], rule: str) -> _T:
    """Return an object of one class; `rule` says what must be passed, and how it is made.

    Examples
    --------
    >>> read_kind(3, "chain", str, "must be a text, such as 'tanh'")
    Traceback (most recent call last):
    ...
    gradtheory.errors.InvalidArgument: chain = 3: must be a text, such as 'tanh'

    """
    if isinstance(value, kind):
        return value
    raise InvalidArgument(name, value, rule)


def read_flag(value: Any, name: str) -> bool:
    """Return True or False; nothing else is taken for one of them."""
    if isinstance(value, bool) or isinstance(value, np.bool_):  # noqa: SIM101  # the second loads NumPy
        return bool(value)
    raise InvalidArgument(name, value, "must be True or False")


def read_function(value: Any, name: str, rule: str) -> Callable[..., Any]:
    """Return something that can be called; `rule` says what it must take and return."""
    if callable(value):
        return value  # type: ignore[no-any-return]  # it can be called, as was just checked
    raise InvalidArgument(name, value, rule)


def read_items(value: Any, name: str, rule: str) -> list[Any]:
    """Return the items of a list, a tuple, an array or another iterable; texts, mappings and sets are none.

    Examples
    --------
    >>> read_items((1, 2), "widths", "must be a sequence of widths, such as (2, 3, 1)")
    [1, 2]

    """
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | AbstractSet | type):
        try:
            return list(value)
        except TypeError:  # an array without dimensions, or a set of SymPy without an order
            pass
    raise InvalidArgument(name, value, rule)


def read_mapping(value: Any, name: str, rule: str) -> Mapping[str, Any]:
    """Return a mapping whose keys are texts."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise InvalidArgument(name, value, rule)


def dtype_name(dtype: Any) -> Any:
    """Return the name of a NumPy dtype; anything else, such as None or a name, is returned as it is."""
    if isinstance(dtype, str) or dtype is None:
        return dtype
    try:
        return np.dtype(dtype).name
    except (TypeError, ValueError, RuntimeError):  # some come from showing what was passed
        return dtype
