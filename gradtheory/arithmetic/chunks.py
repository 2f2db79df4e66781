"""Functions of NumPy arrays over Dask arrays, chunk by chunk: nothing is computed before it is asked for.

What a function returns of one chunk (numbers with errors, a record of arrays, records within records) is laid side by
side in one array, so that all of it is computed at once, by whatever scheduler of Dask is current.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gradtheory.arithmetic.effort import limited
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.inputs import Array, read_real_array
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.errors import InvalidArgument

_Function = TypeVar("_Function", bound=Callable[..., Any])


def is_dask(value: Any) -> bool:
    """Return whether a value is a Dask array, without importing Dask.

    Examples
    --------
    >>> is_dask(np.ones(3))
    False

    """
    return str(getattr(type(value), "__module__", "")).startswith("dask.array")


def by_chunks(function: Callable[..., Any], arrays: Sequence[Any], dtype: Any, core: tuple[int, ...]) -> Any:
    """Return the Dask array whose chunks are what a function makes of those of some arrays of one shape."""
    chunks = arrays[0].chunks
    first, *others = (array.rechunk(chunks) for array in arrays)
    new = list(range(first.ndim, first.ndim + len(core)))
    sizes = (*chunks, *((size,) for size in core))
    return first.map_blocks(
        function, *others, dtype=dtype, new_axis=new, chunks=sizes, meta=np.empty((0,) * len(sizes), dtype)
    )


def lazily(function: _Function, *, of_chunk: Callable[..., Any] | None = None) -> _Function:
    """Make a function of arrays take Dask arrays too, of which it returns the same record of lazy Dask arrays.

    Numbers with errors become a Dask array that carries the Dask array of its errors as `error`. `of_chunk` is called
    for chunks instead, where what the function returns is not made alike for all of them.
    """
    signature = inspect.signature(function)

    @with_other_names
    @limited
    @functools.wraps(function)
    def taking(*args: Any, **options: Any) -> Any:
        if not any(map(is_dask, (*args, *options.values()))):
            return function(*args, **options)
        arguments = signature.bind(*args, **options).arguments
        return Chunks.of(taking, arguments).result()

    vars(taking)["of_chunk"] = of_chunk or taking
    return taking  # type: ignore[return-value]  # its signature is that of the function


class Part(NamedTuple):
    """One array of a result: where it stands, its type, the shape of each value, and whether it has errors."""

    path: tuple[str, ...]
    dtype: np.dtype[Any]
    core: tuple[int, ...]
    has_error: bool

    def named(self, whole: str) -> str:
        """Return a name: the words on the way to it, after that of the whole where there are none, or a number."""
        words = self.path if self.path and not self.path[0].isdigit() else (whole, *self.path)
        return "_".join(words)

    def of(self, result: Any) -> Any:
        """Return the array of a result."""
        return functools.reduce(_item, self.path, result)

    @property
    def width(self) -> int:
        """How many numbers there are of it at each place, without errors."""
        return int(np.prod(self.core, dtype=int))


class Chunks(NamedTuple):
    """What a function makes of Dask arrays: all its numbers side by side along the last axis of one lazy array."""

    whole: Any
    parts: tuple[Part, ...]
    sample: Any
    is_number: bool
    again: Callable[..., Any]

    @classmethod
    def of(cls, function: Callable[..., Any], arguments: Mapping[str, Any], points: Sequence[Array] = ()) -> "Chunks":
        """Return the numbers of a function, of whose arguments some are Dask arrays.

        What it returns of no points, or of some that are given, tells which numbers there are.
        """
        import dask.array

        arrays = {
            name: value if is_dask(value) else dask.array.asarray(read_real_array(value, name))
            for name, value in arguments.items()
            if is_dask(value) or isinstance(value, np.ndarray | list | tuple)
        }
        rest = {name: value for name, value in arguments.items() if name not in arrays}
        try:
            broadcast = dask.array.broadcast_arrays(*arrays.values())
        except ValueError:
            shapes = tuple(array.shape for array in arrays.values())
            raise InvalidArgument(f"shapes of {', '.join(arrays)}", shapes, "must broadcast") from None
        is_number = not broadcast[0].ndim
        broadcast = [np.atleast_1d(array) for array in broadcast]
        inner = functools.partial(called, getattr(function, "of_chunk", function), tuple(arrays), rest)
        ndim = broadcast[0].ndim
        sample = inner(*(points or [np.empty((0,) * ndim)] * len(arrays)))
        parts = tuple(parts_of(sample, ndim))
        width = sum(part.width * (1 + part.has_error) for part in parts)
        whole = by_chunks(functools.partial(packed, inner, parts), broadcast, np.float64, (width,))
        again = functools.partial(_called_lazily, function, arguments)
        return cls(whole, parts, sample, is_number, again)

    def result(self) -> Any:
        """Return what the function returns, with Dask arrays for its arrays."""
        columns = unpacked(self.whole, self.parts)
        lazy = {}
        for part, values, errors in columns:
            array, error = (each if each is None or not self.is_number else each[0] for each in (values, errors))
            if error is not None:
                array.error = error
            lazy[part.path] = array
        return _rebuilt(self.sample, (), lazy, self.again)


def unpacked(whole: Any, parts: Sequence[Part]) -> Iterator[tuple[Part, Any, Any]]:
    """Yield each part with its values, and its errors or None, from numbers side by side; of Dask or of NumPy."""
    start, shape = 0, whole.shape[:-1]

    def columns(width: int) -> Any:
        nonlocal start
        start += width
        return whole[..., start - width : start]

    for part in parts:
        values = columns(part.width).reshape(*shape, *part.core).astype(part.dtype)
        yield part, values, columns(part.width).reshape(*shape, *part.core) if part.has_error else None


def called(function: Callable[..., Any], names: tuple[str, ...], rest: Mapping[str, Any], *arrays: Array) -> Any:
    """Return what a function returns of arrays for some of its arguments, and of what is given for the others."""
    return function(**dict(zip(names, arrays, strict=True)), **rest)


def _called_lazily(function: Callable[..., Any], arguments: Mapping[str, Any], field: str) -> Any:
    """Return what a function that is kept in a field of a record returns, by chunks."""

    def of_field(**values: Any) -> Any:
        return getattr(function(**values), field)()

    return Chunks.of(of_field, arguments).result()


def packed(function: Callable[..., Any], parts: Sequence[Part], *arrays: Array) -> Array:
    """Return the numbers of one chunk side by side."""
    shape, result = arrays[0].shape, function(*arrays)
    columns = []
    for part in parts:
        value = part.of(result)
        if part.dtype == bool and np.asarray(value).dtype != bool:
            raise InvalidArgument(part.named("result"), value, "must be truth values everywhere, as at the first point")
        if part.has_error != isinstance(value, Estimates):
            raise InvalidArgument(part.named("result"), value, "must have errors everywhere or nowhere")
        for numbers in (value, value.error) if part.has_error else (value,):
            plain = np.asarray(numbers, dtype=np.float64)
            columns.append(np.broadcast_to(plain, (*shape, *part.core)).reshape(*shape, part.width))
    return np.concatenate(columns, axis=-1)


def _item(record: Any, name: str) -> Any:
    if isinstance(record, Mapping):
        return record[name]
    return record[int(name)] if isinstance(record, tuple) else getattr(record, name)


def parts_of(value: Any, ndim: int, path: tuple[str, ...] = ()) -> Iterator[Part]:
    """Yield the arrays of a result; texts and functions are none."""
    if isinstance(value, np.ndarray | np.generic | float | int):
        array = np.asarray(value)
        yield Part(path, array.dtype, array.shape[ndim:], isinstance(value, Estimates))
    for name, inner in _items(value):
        yield from parts_of(inner, ndim, (*path, name))


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, tuple):
        yield from ((str(number), inner) for number, inner in enumerate(value))


def _rebuilt(
    value: Any, path: tuple[str, ...], lazy: Mapping[tuple[str, ...], Any], again: Callable[[str], Any]
) -> Any:
    """Return a result with other arrays; what a record's field computes when it is asked for becomes lazy too."""
    if path in lazy:
        return lazy[path]
    if callable(value):
        return functools.partial(again, path[-1])
    inner = {name: _rebuilt(each, (*path, name), lazy, again) for name, each in _items(value)}
    if isinstance(value, tuple):
        return tuple(inner.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **inner)
    return inner or value
