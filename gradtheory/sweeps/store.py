"""The Zarr store of a sweep: blocks are written one by one, and each is marked when it is whole."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from gradtheory.arithmetic.chunks import Part, unpacked
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument, extra
from gradtheory.sweeps.dataset import dataset
from gradtheory.sweeps.fingerprint import UNKNOWN
from gradtheory.sweeps.plan import GridBlock, Plan

if TYPE_CHECKING:
    from xarray import Dataset

_FINISHED = "finished"
_ALIKE = {
    "function": "a function of this name with other code, or one that uses other values",
    "arguments": "other values of arguments that print alike",
}


@contextmanager
def prepared(out: Any, plan: Plan) -> Iterator[Any]:
    """Make a store, or read the one of a run that was broken off; give which blocks are finished.

    A folder that is made here is removed where an error comes before any block is finished, as for a wrong grid.

    Raises
    ------
    InvalidArgument
        If there is something else.

    """
    if not isinstance(out, str | os.PathLike) or not os.fspath(out):
        raise InvalidArgument("out", out, "must be a path or URL of a Zarr store, such as 'diagram.zarr'")
    is_new = not os.path.exists(out)
    group = _opened(out, plan)
    try:
        yield group[_FINISHED][...]
    except Exception:
        if is_new and not group[_FINISHED][...].any():
            shutil.rmtree(out, ignore_errors=True)  # of a URL nothing is removed
        raise


def _opened(out: Any, plan: Plan) -> Any:
    """Return the Zarr group of a sweep, which is made where there is none."""
    with extra("sweep"):
        import dask.array
        import zarr
    try:
        group = zarr.open_group(os.fspath(out), mode="a")
    except (OSError, ValueError, TypeError) as error:
        raise InvalidArgument("out", out, f"cannot be opened as a Zarr store: {error}") from None
    kept, asked = dict(group.attrs), plan.provenance
    if not kept and not list(group.keys()):
        group.attrs.update(asked)
    elif what := _difference(group, kept, plan):
        raise InvalidArgument("out", out, f"holds something else ({what}); name another store, or delete it")
    if _FINISHED not in group:  # it is made last
        numbers = dask.array.zeros((*plan.shape, plan.width), chunks=(*plan.chunks, -1))
        dataset(plan, numbers).to_zarr(os.fspath(out), mode="a", compute=False, consolidated=False)
        counts = tuple(map(len, plan.chunks))
        names = [f"block_{name}" for name in plan.coordinates]
        group.create_array(
            _FINISHED, shape=counts, chunks=(1,) * len(counts), dtype=bool, fill_value=False, dimension_names=names
        )
    return group


def _difference(group: Any, kept: Mapping[str, Any], plan: Plan) -> str:
    """Return in what the sweep that a store holds is another one; nothing where it is the same."""
    asked = plan.provenance
    for key, value in asked.items():
        if key == "arguments" or (kept.get(key) == value != UNKNOWN):
            continue  # other arguments may print alike, and the same ones otherwise
        name = key.removesuffix("_sha256")
        if key == name or key not in kept or kept.get(name, "") != asked.get(name, ""):
            return f"{name}: {kept.get(name, 'none')}"
        if key == "grid_sha256":
            return _other_axis(group, plan)
        return f"{name} that nothing tells from others" if value == UNKNOWN else _ALIKE[name]
    return ""


def _other_axis(group: Any, plan: Plan) -> str:
    """Return in which axis the grid of a store is another one."""
    for name, values in plan.coordinates.items():
        if name not in group:
            return f"a grid without {name}"
        if not np.array_equal(group[name][...], values):
            return f"a grid of other values of {name}"
    return "a grid of other axes, or of these in another order"


def write(out: str, block: GridBlock, numbers: Array, parts: Sequence[Part], name: str) -> None:
    """Write the numbers of one block, then the mark that they are there."""
    import zarr

    group = zarr.open_group(out, mode="r+")
    for part, values, errors in unpacked(numbers, parts):
        variable = part.named(name)
        group[variable][block.region] = values
        if errors is not None:
            group[f"{variable}_error"][block.region] = errors
    group[_FINISHED][block.number] = True


def read(out: Any) -> "Dataset":
    """Return what a store holds; numbers are read when they are asked for."""
    import xarray

    stored: Dataset = xarray.open_zarr(os.fspath(out), consolidated=False)
    return stored[sorted(set(stored.data_vars) - {_FINISHED})]
