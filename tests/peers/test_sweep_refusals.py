"""A sweep that is refused leaves no store, and says in which axis another store differs."""

import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from tests.peers import swept

_REASON = "`make test-peers` installs it and runs this"
dask = pytest.importorskip("dask", reason=_REASON)
for _library in ("xarray", "zarr"):
    pytest.importorskip(_library, reason=_REASON)
pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries are theirs

_WRONG, _RIGHT = {"q": [1.0], "sigma_w": [1.0, -2.0]}, {"q": [1.0], "sigma_w": [1.0, 2.0]}


def test_a_wrong_grid_leaves_no_store(tmp_path):
    out = tmp_path / "g.zarr"
    with pytest.raises(InvalidArgument, match="sigma_w"):
        gt.sweep(gt.meanfield.chi, _WRONG, out, activation="tanh")
    assert not out.exists()
    assert gt.sweep(gt.meanfield.chi, _RIGHT, out, activation="tanh").chi.shape == (1, 2)


def test_finished_blocks_stay(tmp_path):
    calls = []

    def twice(x):
        """Answer for the first point, which a sweep tries, and for one block."""
        calls.append(x)
        if len(calls) > 2:
            raise ValueError("once too often")
        return x

    with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match="once too often"):
        gt.sweep(twice, {"x": [1.0, 2.0, 3.0]}, tmp_path / "g.zarr", points=1)
    assert (tmp_path / "g.zarr").exists()


def test_a_folder_that_was_there_stays(tmp_path):
    with pytest.raises(InvalidArgument, match="sigma_w"):
        gt.sweep(gt.meanfield.chi, _WRONG, tmp_path, activation="tanh")
    assert tmp_path.exists()


def test_another_grid_is_told_by_its_axis(tmp_path):
    out = tmp_path / "g.zarr"
    gt.sweep(gt.meanfield.chi, _RIGHT, out, activation="tanh")
    for grid, said in (
        ({"q": [1.0], "sigma_w": [1.0, 3.0]}, "a grid of other values of sigma_w"),
        ({"q": [1.0, 2.0], "sigma_w": [1.0, 2.0]}, "a grid of other values of q"),
        ({"sigma_w": [1.0, 2.0]}, "arguments: "),
        ({"sigma_w": [1.0, 2.0], "q": [1.0]}, "a grid of other axes, or of these in another order"),
    ):
        rest = {} if "q" in grid else {"q": 1.0}
        with pytest.raises(InvalidArgument, match=said):
            gt.sweep(gt.meanfield.chi, grid, out, activation="tanh", **rest)


def test_an_axis_that_a_store_has_not_is_told(tmp_path):
    out, grid = tmp_path / "own.zarr", {"x": [0.0, 1.0], "y": [1.0]}
    gt.sweep(swept.record, grid, out)
    with pytest.raises(InvalidArgument, match="a grid without scale"):
        gt.sweep(swept.record, grid | {"scale": [2.0]}, out)


def test_a_sweep_names_the_nearest_argument(tmp_path):
    with pytest.raises(InvalidArgument, match="argument 'sigma'; the nearest are 'sigma_w' and 'sigma_b'"):
        gt.sweep(gt.meanfield.depth_scales, {"sigma": [1.0, 2.0]}, activation="tanh")


_FEW = {"x": [1.0, 2.0, 3.0]}


def test_whole_numbers_at_the_first_point_cut_no_others_off():
    def halved(x):
        return x.astype(int) if x[0] == 1.0 else x / 2.0

    assert gt.sweep(halved, _FEW, points=1).halved.values.tolist() == [1.0, 1.0, 1.5]


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (lambda x: x > 2.0, lambda x: x / 2.0, r"result = .*: must be truth values everywhere, as at the first point"),
        (lambda x: x, lambda x: gt.Estimates(x, 0.1), "result = .*: must have errors everywhere or nowhere"),
        (lambda x: gt.Estimates(x, 0.1), lambda x: x, "result = .*: must have errors everywhere or nowhere"),
        (lambda x: 1j * x, None, "function = 'either': must return real numbers, and either is complex128"),
        (lambda x: {"a": x.astype(str)}, None, "must return real numbers, and a is <U"),
    ],
)
def test_results_of_other_kinds_are_refused(first, then, said):
    def either(x):
        return first(x) if x[0] == 1.0 else then(x)

    with pytest.raises(InvalidArgument, match=said):
        gt.sweep(either, _FEW, points=1)


def test_a_result_with_the_name_of_a_coordinate_is_refused():
    def moved(q):
        return {"q": q + 1.0}

    with pytest.raises(InvalidArgument, match="is also the name of a result of moved, which is another number"):
        gt.sweep(moved, {"q": [0.0, 1.0]})
