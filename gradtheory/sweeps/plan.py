"""What a sweep computes: its coordinates, its blocks, and what the numbers of each point are."""

import functools
import hashlib
import itertools
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy

from gradtheory import __version__
from gradtheory.arithmetic.chunks import Part, called, packed, parts_of
from gradtheory.arithmetic.inputs import Array, read_finite_array, read_seed
from gradtheory.arithmetic.kinds import read_function
from gradtheory.errors import InvalidArgument
from gradtheory.sweeps.fingerprint import fingerprint


class GridBlock(NamedTuple):
    """One block of a grid: its place among the blocks, and its slices of the coordinates."""

    number: tuple[int, ...]
    region: tuple[slice, ...]


class Plan(NamedTuple):
    """A function with its arguments over a grid, cut into blocks."""

    function: Callable[..., Any]
    coordinates: Mapping[str, Array]
    arguments: Mapping[str, Any]
    chunks: tuple[tuple[int, ...], ...]
    seed: int | None
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, function: Any, grid: Any, arguments: Mapping[str, Any], points: int, seed: Any) -> "Plan":
        """Read a function and its grid; the function is called once, at the first point."""
        read_function(function, "function", "must take arrays, such as gradtheory.meanfield.depth_scales")
        rule = "must map names of arguments to their values, such as {'sigma_w': [1.0, 1.5]}"
        if not isinstance(grid, Mapping) or not grid or not all(isinstance(name, str) for name in grid):
            raise InvalidArgument("grid", grid, rule)
        coordinates = {name: _values(value, name, rule) for name, value in grid.items()}
        if twice := coordinates.keys() & arguments.keys():
            raise InvalidArgument("grid", sorted(twice), "must not name what is also given beside it")
        from dask.array.core import normalize_chunks

        shape = tuple(map(len, coordinates.values()))
        chunks = normalize_chunks("auto", shape, limit=8 * points, dtype=np.float64)
        plan = cls(function, coordinates, arguments, chunks, None if seed is None else read_seed(seed), ())
        first = GridBlock((0,) * len(shape), (slice(0, 1),) * len(shape))
        try:
            sample = plan.evaluate(first)
        except TypeError as error:
            raise InvalidArgument("function", plan.name, f"cannot be called with this grid: {error}") from None
        parts = tuple(plan.results(sample))
        if not parts:
            raise InvalidArgument("function", plan.name, "must return arrays, or a record of arrays")
        return plan._replace(parts=parts)

    @property
    def name(self) -> str:
        """What the function is called."""
        return str(getattr(self.function, "__name__", "value"))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each coordinate has."""
        return tuple(map(len, self.coordinates.values()))

    @property
    def width(self) -> int:
        """How many numbers there are of each point."""
        return sum(part.width * (1 + part.has_error) for part in self.parts)

    @property
    def provenance(self) -> dict[str, Any]:
        """What the numbers rest on; a store of another provenance is not resumed."""
        module, name = getattr(self.function, "__module__", ""), getattr(self.function, "__qualname__", self.name)
        values = hashlib.sha256()
        for axis, coordinate in self.coordinates.items():
            values.update(axis.encode() + coordinate.tobytes())
        return {
            "function": f"{module}.{name}",
            "function_sha256": fingerprint(self.function),
            "arguments": ", ".join(f"{name}={value!r}" for name, value in self.arguments.items()),
            "arguments_sha256": fingerprint(dict(sorted(self.arguments.items()))),
            "seed": "none" if self.seed is None else self.seed,
            "grid_sha256": values.hexdigest(),
            "blocks": " x ".join(map(_sizes, self.chunks)),
            "python": platform.python_version(),
            "gradtheory": __version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        }

    def empty(self) -> Array:
        """Return an array for all numbers."""
        return np.empty((*self.shape, self.width))

    def blocks(self) -> Iterator[GridBlock]:
        """Yield the blocks."""
        ends = [np.cumsum((0, *sizes)) for sizes in self.chunks]
        for number in itertools.product(*(range(len(sizes)) for sizes in self.chunks)):
            pairs = ((int(end[k]), int(end[k + 1])) for end, k in zip(ends, number, strict=True))
            yield GridBlock(number, tuple(slice(start, stop) for start, stop in pairs))

    def points_of(self, block: GridBlock) -> list[Array]:
        """Return the arguments of a block, each an array of its shape."""
        along = (values[part] for values, part in zip(self.coordinates.values(), block.region, strict=True))
        return list(np.meshgrid(*along, indexing="ij"))

    def results(self, sample: Any) -> Iterator[Part]:
        """Yield what there is of each point; a record may repeat a coordinate, which needs no second array."""
        for part in parts_of(sample, len(self.shape)):
            name = part.named(self.name)
            if part.dtype.kind not in "biuf":
                raise InvalidArgument("function", self.name, f"must return real numbers, and {name} is {part.dtype}")
            if name not in self.coordinates:
                yield part._replace(dtype=np.dtype(bool if part.dtype.kind == "b" else np.float64))
            elif not np.all(np.asarray(part.of(sample)) == self.coordinates[name][0]):
                rule = f"is also the name of a result of {self.name}, which is another number"
                raise InvalidArgument(f"grid[{name!r}]", name, rule)

    def call(self, block: GridBlock) -> Callable[..., Any]:
        """Return the function of the points alone."""
        own = {"seed": _seed(self.seed, block.number)} if self.seed is not None else {}
        inner = getattr(self.function, "of_chunk", self.function)
        return functools.partial(called, inner, tuple(self.coordinates), {**self.arguments, **own})

    def evaluate(self, block: GridBlock) -> Any:
        """Return what the function returns of a block."""
        return self.call(block)(*self.points_of(block))

    def task(self, block: GridBlock) -> Any:
        """Return a block's numbers, side by side, as a task of Dask."""
        import dask

        return dask.delayed(packed, pure=False)(self.call(block), self.parts, *self.points_of(block))


def _values(value: Any, name: Any, rule: str) -> Array:
    values = read_finite_array(value, f"grid[{name!r}]")
    if values.ndim != 1 or not values.size:
        raise InvalidArgument(f"grid[{name!r}]", value, rule)
    return values


def _sizes(of_blocks: tuple[int, ...]) -> str:
    """Return how many blocks of which size stand along an axis, such as "2 of 4, 1 of 3"."""
    return ", ".join(f"{len(list(alike))} of {size}" for size, alike in itertools.groupby(of_blocks))


def _seed(seed: int, number: tuple[int, ...]) -> int:
    """Return a seed for one block, independent of those of others."""
    return int(np.random.SeedSequence([seed, *number]).generate_state(1, np.uint64)[0])
