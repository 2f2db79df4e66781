"""A store is resumed by the same sweep only."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

_REASON = "`make test-peers` installs it and runs this"
dask = pytest.importorskip("dask", reason=_REASON)
for _library in ("xarray", "zarr"):
    pytest.importorskip(_library, reason=_REASON)
pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries are theirs

_GRID = {"x": np.arange(11.0)}


def _broken_off(out, points):
    """Leave a store of which one block is finished; the first call is of the first point."""

    def ten(x):
        ten.calls += 1
        if ten.calls == 3:
            raise RuntimeError("broken off")
        return 10.0 * x

    ten.calls = 0
    with dask.config.set(scheduler="synchronous"), pytest.raises(RuntimeError, match="broken off"):
        gt.sweep(ten, _GRID, out, points=points)
    return ten


@pytest.mark.parametrize(("points", "then", "kept"), [(4, 5, "2 of 4, 1 of 3"), (5, 4, "2 of 5, 1 of 1")])
def test_blocks_of_other_sizes_are_others(tmp_path, points, then, kept):
    """There are three of them both times."""
    out = tmp_path / "g.zarr"
    function = _broken_off(out, points)
    with pytest.raises(InvalidArgument, match=rf"blocks: {kept}\); name another store"):
        gt.sweep(function, _GRID, out, points=then)
    resumed = gt.sweep(function, _GRID, out, points=points)
    np.testing.assert_array_equal(resumed.ten, 10.0 * _GRID["x"])
