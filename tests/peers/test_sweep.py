"""Sweeps over grids, in memory, into Zarr and on a cluster, and lazy Dask arrays."""

import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
from tests.peers import swept

_REASON = "`make test-peers` installs it and runs this"
distributed = pytest.importorskip("distributed", reason=_REASON)  # first, for the others are there without it
dask = pytest.importorskip("dask", reason=_REASON)
da = pytest.importorskip("dask.array", reason=_REASON)
xarray = pytest.importorskip("xarray", reason=_REASON)
zarr = pytest.importorskip("zarr", reason=_REASON)
pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries are theirs

_SCALES = {"sigma_w": np.linspace(0.6, 2.4, 12), "sigma_b": np.linspace(0.0, 0.5, 10)}
_WEIGHT, _BIAS = np.meshgrid(*_SCALES.values(), indexing="ij")


# ---- sweeps


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_sweep_has_coordinates_units_errors_and_provenance(tmp_path, is_stored):
    out = tmp_path / "diagram.zarr" if is_stored else None
    diagram = gt.sweep(gt.meanfield.depth_scales, _SCALES, out, points=30, activation="tanh").load()
    direct = gt.meanfield.depth_scales("tanh", _WEIGHT, _BIAS)
    assert diagram.xi_c.dims == ("sigma_w", "sigma_b")
    finite = np.isfinite(direct.xi_c.plain)
    off = np.abs(diagram.xi_c.values[finite] - direct.xi_c.plain[finite])
    assert (off <= (diagram.xi_c_error.values + direct.xi_c.error)[finite]).all()
    np.testing.assert_array_equal(diagram.point_is_stable, direct.point.is_stable)
    assert diagram.point_is_stable.dtype == bool
    assert diagram.xi_c.attrs["units"] == diagram.xi_c_error.attrs["units"] == "layers"
    assert diagram.xi_c.attrs["ancillary_variables"] == "xi_c_error"
    np.testing.assert_array_equal(diagram.sigma_b, _SCALES["sigma_b"])
    assert diagram.sigma_w.attrs["units"] == "1"
    assert diagram.attrs["function"].endswith("depth_scales")
    assert diagram.attrs["arguments"] == "activation='tanh'"
    assert diagram.attrs["gradtheory"] == gt.__version__
    assert diagram.attrs["seed"] == "none"


def test_records_mappings_and_axes_of_ones_own_become_variables(tmp_path):
    for out in (None, tmp_path / "own.zarr"):
        own = gt.sweep(swept.record, swept.GRID, out, points=swept.POINTS, scale=2.0).load()
        x, y = np.meshgrid(*swept.GRID.values(), indexing="ij")
        np.testing.assert_array_equal(own.total, 2.0 * x + y)
        np.testing.assert_array_equal(own.total_error, np.full(x.shape, 1e-3))
        np.testing.assert_array_equal(own.is_large, x > 0.5)
        np.testing.assert_array_equal(own.inner_powers, np.stack([x, x * y], axis=-1))
        assert set(own.data_vars) == {"total", "total_error", "is_large", "inner_product", "inner_powers"}


def test_fixed_points_are_padded(tmp_path):
    points = gt.sweep(gt.meanfield.fixed_points, _SCALES, points=30, activation="gelu")
    first, second = gt.meanfield.fixed_points("gelu", _WEIGHT, _BIAS)
    np.testing.assert_allclose(points.fixed_points_0_q, first.q.plain, atol=1e-12)
    np.testing.assert_allclose(points.fixed_points_1_q, second.q.plain, rtol=1e-9)
    assert np.isnan(points.fixed_points_3_q).all()


def test_more_fixed_points_than_are_kept_are_refused():
    lazy = gt.meanfield.fixed_points("tanh", da.ones(2), 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["gradtheory.random_weights.meanfield.fixed_points"], "_RANKS", 0)
        with pytest.raises(Undecided, match="are more than the 0 that are kept of Dask arrays"):
            lazy[0].q.compute()


def test_every_block_has_a_seed_of_its_own():
    draw = {"x": np.zeros(12)}
    first, again, other = (gt.sweep(swept.drawn, draw, points=4, seed=seed).drawn for seed in (1, 1, 2))
    assert len(np.unique(first)) == 12
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


_RUN = """
import sys
import gradtheory as gt
from tests.peers import swept
gt.sweep(swept.slow, swept.GRID, sys.argv[1], points=swept.POINTS)
"""


def test_a_killed_run_resumes_where_it_stopped(tmp_path):
    out, log = tmp_path / "killed.zarr", tmp_path / "log"
    environment = {**os.environ, "SWEPT_LOG": str(log), "SWEPT_SECONDS": "0.4", "DASK_NUM_WORKERS": "1"}
    run = subprocess.Popen([sys.executable, "-c", _RUN, str(out)], env=environment)
    try:
        while _finished(out) < 2:
            assert run.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    done, blocks = _finished(out), 12
    assert 2 <= done < blocks
    before = log.read_text().splitlines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWEPT_LOG", str(log))
        resumed = gt.sweep(swept.slow, swept.GRID, out, points=swept.POINTS)
        calls = log.read_text().splitlines()[len(before) :]
        assert len(calls) == 1 + blocks - done  # the first point, to see what the function returns, and what is missing
        x, y = np.meshgrid(*swept.GRID.values(), indexing="ij")
        np.testing.assert_array_equal(resumed.slow, x - y)
        gt.sweep(swept.slow, swept.GRID, out, points=swept.POINTS)
        assert len(log.read_text().splitlines()) == len(before) + len(calls) + 1


def _finished(out):
    try:
        return int(zarr.open_group(out, mode="r")["finished"][...].sum())
    except (OSError, KeyError, ValueError):
        return 0


def test_a_cluster_of_two_workers_computes_the_same(tmp_path):
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        arguments = {"points": 30, "activation": gt.activation("gelu")}
        stored = gt.sweep(gt.meanfield.depth_scales, _SCALES, tmp_path / "cluster.zarr", **arguments).load()
        lazy = gt.meanfield.variance_map("tanh", da.from_array(_WEIGHT, chunks=6), 1.5, 0.1)
        assert isinstance(lazy, da.Array)
        values = lazy.compute()
    direct = gt.sweep(gt.meanfield.depth_scales, _SCALES, **arguments)
    assert set(stored.data_vars) == set(direct.data_vars)
    for name in ("point_q", "c", "xi_q", "xi_c", "xi_gradient"):
        np.testing.assert_allclose(stored[name], direct[name], rtol=1e-9)
        assert (np.isfinite(stored[f"{name}_error"]) == np.isfinite(direct[f"{name}_error"])).all()
    np.testing.assert_allclose(values, gt.meanfield.variance_map("tanh", _WEIGHT, 1.5, 0.1), rtol=1e-12)


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [_Terminal, io.StringIO])
def test_a_bar_is_shown_on_a_terminal_only(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    gt.sweep(swept.record, swept.GRID, points=swept.POINTS)
    assert ("100% Completed" in sys.stderr.getvalue()) is (stream is _Terminal)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda _: gt.sweep("tanh", swept.GRID), "function = 'tanh': must take arrays"),
        (lambda _: gt.sweep(swept.record, {}), "grid = {}: must map names"),
        (lambda _: gt.sweep(swept.record, {"x": [[1.0]], "y": [1.0]}), r"grid\['x'\] = \[\[1.0\]\]: must map"),
        (lambda _: gt.sweep(swept.record, {"x": [np.nan]}, y=1.0), r"grid\['x'\] = .*: must be finite"),
        (lambda _: gt.sweep(swept.record, {"u": [1.0]}), "function = 'record': cannot be called with this grid"),
        (lambda _: gt.sweep(swept.record, {"x": [1.0], "y": [1.0]}, y=2.0), r"grid = \['y'\]: must not name"),
        (lambda _: gt.sweep(lambda x: "text", {"x": [1.0]}), "must return arrays"),
        (lambda _: gt.sweep(swept.record, swept.GRID, 3), "out = 3: must be a path"),
        (lambda folder: gt.sweep(swept.record, swept.GRID, folder / "file"), "cannot be opened as a Zarr store"),
        (lambda folder: gt.sweep(swept.record, swept.GRID, folder / "own.zarr"), r"holds something else \(arguments: "),
    ],
)
def test_what_cannot_be_swept_is_refused(tmp_path, call, said):
    (tmp_path / "file").write_text("no store")
    gt.sweep(swept.record, swept.GRID, tmp_path / "own.zarr", scale=3.0)
    with pytest.raises(InvalidArgument, match=said):
        call(tmp_path)


def test_a_store_that_is_half_made_is_finished(tmp_path):
    out = tmp_path / "own.zarr"
    gt.sweep(swept.record, swept.GRID, out)
    del zarr.open_group(out, mode="a")["finished"]
    own = gt.sweep(swept.record, swept.GRID, out)
    assert not np.isnan(own.total).any()


# ---- lazy arrays


_LAZY = {
    "fixed_points": lambda w, b: gt.meanfield.fixed_points("tanh", w, b)[0].q,
    "depth_scales": lambda w, b: gt.meanfield.depth_scales("relu", w, b).xi_gradient,
    "variance_map": lambda w, b: gt.meanfield.variance_map("gelu", 0.7, w, b),
    "chi": lambda w, b: gt.meanfield.chi("gelu", b + 0.1, w),
    "chi_parallel": lambda w, b: gt.meanfield.chi_parallel("gelu", b + 0.1, w),
    "correlation_map": lambda w, b: gt.meanfield.correlation_map("relu", b, 0.7, w),
    "correlation_slope": lambda w, b: gt.meanfield.correlation_slope("relu", b, 0.7, w),
    "gradients": lambda w, b: gt.meanfield.gradients("tanh", 4, w, b),
    "jacobian_moments": lambda w, b: gt.meanfield.jacobian_moments("tanh", 4, b + 0.1, w).variance,
    "gain": lambda w, _: gt.meanfield.gain("tanh", w).backward,
    "edge_of_chaos": lambda _, b: gt.meanfield.edge_of_chaos("tanh", b).sigma_w,
    "settled_chi": lambda w, b: gt.meanfield.settled_chi("tanh", w, b),
    "moment": lambda w, _: gt.gaussian.moment("tanh", w),
    "lyapunov_exponent": lambda w, _: gt.lyapunov_exponent("tanh", w[:2, 0], 1.0).value,
    "survival": lambda w, _: gt.lyapunov_exponent("relu", w[:2, 0], 0.0).surviving_value,
}


@pytest.mark.parametrize("which", _LAZY)
def test_dask_arrays_give_lazy_dask_arrays(which):
    few = _WEIGHT[::4, ::5], _BIAS[::4, ::5]
    chunked = (da.from_array(each, chunks=(2, 2)) for each in few)
    lazy, direct = _LAZY[which](*chunked), _LAZY[which](*few)
    assert isinstance(lazy, da.Array)
    np.testing.assert_allclose(lazy.compute(), np.asarray(direct), rtol=1e-9)
    if isinstance(direct, gt.Estimates):
        bound, known = lazy.error.compute(), direct.error
        assert bound.shape == known.shape
        assert (np.isfinite(bound) == np.isfinite(known)).all()


def test_a_lazy_number_is_a_number_and_shapes_must_broadcast():
    weight = da.from_array(np.array(1.5))
    assert gt.meanfield.depth_scales("tanh", weight, 0.1).c.compute() == pytest.approx(
        float(gt.meanfield.depth_scales("tanh", 1.5, 0.1).c), abs=1e-10
    )
    with pytest.raises(InvalidArgument, match=r"^shapes of sigma_w, sigma_b = .*: must broadcast"):
        gt.meanfield.depth_scales("tanh", da.ones(3), [0.1, 0.2])
    with pytest.raises(InvalidArgument, match="must be positive"):
        gt.meanfield.chi("tanh", da.zeros(3), 1.0).compute()


def test_a_result_that_repeats_a_coordinate_is_no_second_variable():
    edges = gt.sweep(gt.meanfield.edge_of_chaos, {"sigma_b": [0.0, 0.1]}, activation="tanh")
    assert "sigma_b" in edges.coords
    assert "sigma_b" not in edges.data_vars
    assert edges.sigma_w.values == pytest.approx(gt.meanfield.edge_of_chaos("tanh", [0.0, 0.1]).sigma_w)
