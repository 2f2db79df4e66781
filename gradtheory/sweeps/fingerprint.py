"""What tells a function and its arguments from others, also in another process: a store is resumed with the same only.

Of a function that is counts its code, its defaults, what it closes over, and the variables and functions of its module
that it uses, in turn; of gradtheory and of libraries names alone, as their versions are kept beside.
"""

import copyreg
import hashlib
import inspect
import sysconfig
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

UNKNOWN = "unknown"
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")})


def fingerprint(value: Any) -> str:
    """Return a text that is another one for another value; "unknown" where that cannot be told.

    Examples
    --------
    >>> fingerprint({"a": np.zeros(3)}) == fingerprint({"a": np.zeros(3)}) != fingerprint({"a": np.zeros(2)})
    True
    >>> fingerprint(each for each in [1])
    'unknown'

    """
    try:
        return _Teller().told(value)
    except Exception:  # of an object's own __reduce_ex__, whatever it is
        return UNKNOWN


class _Teller:
    """Tells values one from another, each once, and what holds itself."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, Any]] = {}  # with the value, lest its id be given to another
        self._begun: list[int] = []

    def told(self, value: Any) -> str:
        """Return a digest."""
        if id(value) in self._known:
            return self._known[id(value)][0]
        if id(value) in self._begun:
            return f"within itself, {self._begun.index(id(value))}"
        self._begun.append(id(value))
        digest = hashlib.sha256(f"{type(value).__module__}.{type(value).__qualname__}".encode())
        for part in self._parts(value):
            digest.update(part if isinstance(part, bytes) else part.encode())
            digest.update(b"\0")
        self._begun.pop()
        self._known[id(value)] = digest.hexdigest(), value
        return digest.hexdigest()

    def _each(self, values: Iterable[Any]) -> Iterator[str]:
        yield from map(self.told, values)

    def _parts(self, value: Any) -> Iterator[str | bytes]:
        if type(value) in _PLAIN:
            yield repr(value)
        elif isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, type) or (isinstance(value, FunctionType) and _is_installed(value)):
            yield f"{value.__module__}.{value.__qualname__}"
        elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            yield f"{value.dtype!r} {value.shape}"
            yield value.tobytes()
        else:
            yield from self._within(value)

    def _within(self, value: Any) -> Iterator[str | bytes]:
        if isinstance(value, CodeType):
            yield value.co_code
            yield from self._each((value.co_names, value.co_varnames, value.co_freevars, value.co_consts))
        elif isinstance(value, FunctionType):
            yield from self._of_function(value)
        elif isinstance(value, MethodType):
            yield from self._each((value.__func__, value.__self__))
        elif type(value) in (set, frozenset):
            yield from sorted(self._each(value))
        elif type(value) is dict:
            yield from self._each(value.items())
        elif type(value) in (list, tuple):
            yield from self._each(value)
        elif (inner := inspect.unwrap(value)) is not value:
            yield self.told(inner)
        else:
            yield from self._of_object(value)

    def _of_function(self, function: FunctionType) -> Iterator[str | bytes]:
        cells = function.__closure__ or ()
        yield from self._each((function.__code__, function.__defaults__, function.__kwdefaults__))
        yield from self._each(cell.cell_contents for cell in cells)
        known = function.__globals__
        yield from self._each((name, known[name]) for name in sorted(_names(function.__code__)) if name in known)

    def _of_object(self, value: Any) -> Iterator[str | bytes]:
        """Say what pickle would keep, and how it is called if it can be."""
        call = inspect.getattr_static(type(value), "__call__", None)
        if isinstance(call, FunctionType):
            yield self.told(call)
        reduce = copyreg.dispatch_table.get(type(value))
        reduced: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(reduced, str):
            yield f"{getattr(value, '__module__', '')}.{reduced}"
            return
        make, arguments, *rest = reduced
        state, items, pairs = (*rest, None, None, None)[:3]
        yield from self._each((make, arguments, state, list(items or ()), list(pairs or ())))


def _names(code: CodeType) -> set[str]:
    """Return the names that a function's code looks up, functions within it included."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_installed(function: FunctionType) -> bool:
    file = function.__code__.co_filename
    return str(function.__module__).partition(".")[0] == "gradtheory" or file.startswith(_INSTALLED)
