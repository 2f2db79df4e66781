"""A function over a grid, block by block."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from gradtheory.arithmetic.inputs import read_count
from gradtheory.errors import extra
from gradtheory.sweeps import store
from gradtheory.sweeps.dataset import dataset
from gradtheory.sweeps.plan import Plan

if TYPE_CHECKING:
    from xarray import Dataset

_MOST_POINTS = 10**8  # of a block: a gigabyte for each number


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Any],
    out: str | os.PathLike[str] | None = None,
    *,
    points: int = 10_000,
    seed: int | None = None,
    **arguments: Any,
) -> "Dataset":
    r"""Return a function's numbers over a grid: an xarray Dataset with coordinates, units, errors and provenance.

    The grid is cut into blocks, and each is one task of Dask: of threads, of processes or of a cluster, whichever
    scheduler is current. With `out` each block is written to a Zarr store as soon as it is known; the same call on the
    store of a run that was broken off computes what is missing. On a terminal a bar shows how far it has come, and a
    cluster's dashboard does.

    A call is the same if its grid, arguments, seed and points are, Python, gradtheory, NumPy and SciPy, and the code of
    the function; and what that finds in its closure or in its module: variables, also those that it writes to, and
    functions in turn. Of classes and libraries it is the name.

    Parameters
    ----------
    function : callable
        It takes arrays of one shape and returns an array, `Estimates`, or a mapping or record of these, as the
        functions of `gradtheory.meanfield` do. Workers of a cluster must be able to import it.
    grid : mapping of str to array_like of shape (n,)
        The values of each argument over which the function is swept; they become the coordinates.
    out : path or URL, optional
        A Zarr store; without one the numbers are kept in memory.
    points : int
        About how many points a block has.
    seed : int, optional
        With one the function is called with a `seed=` of its own for each block.
    **arguments
        Other arguments of the function, the same everywhere.

    Returns
    -------
    xarray.Dataset
        A variable for each array, named as in the record, and its errors as `…_error`: of type float64, or bool for
        truth values. Its attributes state the
        function, its arguments, the seed and the versions. From a store it is read when it is asked for.

    Raises
    ------
    InvalidArgument
        If the function cannot be called so, or returns other kinds of numbers elsewhere than at the first point; the
        grid is not of finite numbers; or the store holds something else, such as a sweep by another version.
    MissingDependency
        Without the extra `sweep`.

    Examples
    --------
    >>> import gradtheory as gt
    >>> scales = {"sigma_w": [1.0, 1.5, 2.0], "sigma_b": [0.0, 0.3]}
    >>> diagram = gt.sweep(gt.meanfield.depth_scales, scales, activation="tanh")  # doctest: +SKIP
    >>> diagram.xi_c.sel(sigma_w=2.0, sigma_b=0.3), diagram.xi_c_error.max()  # doctest: +SKIP

    """
    with extra("sweep"):
        import dask
    plan = Plan.of(function, grid, arguments, read_count(points, "points", _MOST_POINTS), seed)
    blocks = list(plan.blocks())
    if out is None:
        whole = plan.empty()
        for block, numbers in zip(blocks, _computed(map(plan.task, blocks)), strict=True):
            whole[block.region] = numbers
        return dataset(plan, whole)
    write = dask.delayed(store.write)
    with store.prepared(out, plan) as finished:
        rest = (block for block in blocks if not finished[block.number])
        _computed(write(os.fspath(out), block, plan.task(block), plan.parts, plan.name) for block in rest)
    return store.read(out)


def _computed(tasks: Iterable[Any]) -> tuple[Any, ...]:
    import dask

    with _bar():
        results: tuple[Any, ...] = dask.compute(*tasks)
    return results


def _bar() -> AbstractContextManager[Any]:
    """Return a bar of progress, on a terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from dask.diagnostics import ProgressBar

    return ProgressBar(out=sys.stderr)  # type: ignore[no-any-return]  # Dask has no types
