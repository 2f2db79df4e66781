"""One of a few words: what was meant by another one."""

from collections.abc import Sequence
from typing import Any

from gradtheory.errors import InvalidArgument, nearest

_MOST_LISTED, _FIRST = 20, 8  # a longer list would not fit a line


def one_of(value: Any, name: str, choices: Sequence[str]) -> str:
    """Return a value that is one of the choices.

    Examples
    --------
    >>> one_of("nag", "optimiser", ("nesterov", "adam"))
    Traceback (most recent call last):
    ...
    gradtheory.errors.InvalidArgument: optimiser = 'nag': must be one of 'nesterov', 'adam'; the nearest is 'nesterov'

    """
    if isinstance(value, str) and value in choices:
        return value
    near = nearest(value, choices) if isinstance(value, str) else None
    meant = "" if near is None else f"; the nearest is {near!r}"
    few = choices if len(choices) <= _MOST_LISTED else choices[:_FIRST]
    more = f", … ({len(choices)} of them)" if len(few) < len(choices) else ""
    raise InvalidArgument(name, value, f"must be one of {', '.join(map(repr, few))}{more}{meant}")
