"""Pictures of wide layers show what is computed at their ends, too: where variances are 0, or beyond float64."""

import itertools
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

import gradtheory as gt


@pytest.fixture
def ax():
    return Figure().subplots()


def _dots(ax):
    return {
        round(float(line.get_xdata()[0]), 3): line.get_markerfacecolor() != "white"
        for line in ax.lines
        if line.get_marker() == "o"
    }


@pytest.mark.parametrize("squared", [False, True])
def test_dots_of_edges_are_where_the_variance_is_0(ax, squared):
    names = ["sigmoid", "cosine", "gaussian", "tanh", "gelu", "quadratic"]
    gt.plots.edges(names, points=3, squared=squared, ax=ax)
    assert _dots(ax) == ({1.0: True, 4.0: True} if squared else {1.0: True, 2.0: True})


def test_an_edge_that_is_one_point_is_an_open_dot(ax):
    gt.plots.edges(["relu", "erf"], points=3, ax=ax)
    assert _dots(ax) == {1.414: False, 0.886: True}


@pytest.mark.parametrize("activation", ["tanh", "cosine", "relu", "sigmoid"])
def test_variances_settle_from_0_too(ax, activation):
    gt.plots.settling(activation, [1.3], of="q", starts=[0.0, 1.0], depth=4, ax=ax)
    path = ax.lines[0].get_ydata()
    at_0 = float(gt.activation(activation).value(0.0))
    assert path[:2] == pytest.approx([0.0, (1.3 * at_0) ** 2 + 0.09], rel=1e-15)
    for now, after in itertools.pairwise(path[1:]):
        assert after == pytest.approx(gt.meanfield.variance_map(activation, now, 1.3, 0.3), rel=1e-12)


def test_variances_stay_at_0_where_nothing_takes_them_from_it(ax):
    gt.plots.settling("relu", [1e-100], of="q", sigma_b=0.0, starts=[0.0, 1.0], depth=4, ax=ax)
    assert ax.lines[0].get_ydata().tolist() == [0.0] * 5
    assert ax.lines[1].get_ydata()[2:].tolist() == [0.0] * 3


def test_lines_break_off_where_variances_exceed_float64(ax):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gt.plots.settling("exponential", of="q", depth=6, ax=ax)
        ax.figure.canvas.draw()
    path = ax.lines[0].get_ydata()
    assert path[1] == pytest.approx(gt.meanfield.variance_map("exponential", 1.0, 1.3, 0.3))
    assert np.isfinite(path[:3]).all()
    assert not np.isfinite(path[3:]).any()


@pytest.mark.parametrize("activation", ["softshrink", "log_cosh", "tanhshrink"])
def test_phases_are_drawn_though_the_edge_runs_off_where_biases_are_small(ax, activation):
    """Softshrink is 0 on [-1/2, 1/2], so that the edge of chaos of small biases is at weights of 1e96."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gt.plots.phase_diagram(activation, points=40, ax=ax)
    assert 1.4 < ax.get_xlim()[1] < 12.0
    assert {"ordered: gradients vanish", "chaotic: they explode", "the start decides"} == {
        text.get_text() for text in ax.texts
    }
    dotted = next(line for line in ax.lines if line.get_label() == "explodes beyond, from mean square 1")
    weights, biases = (each[:20:6] for each in dotted.get_data())
    width = ax.get_xlim()[1] / 100  # of a column, in which it is sought
    assert (gt.meanfield.settled_chi(activation, weights + width / 100, biases) > 1.0).all()
    assert (gt.meanfield.settled_chi(activation, weights - width / 100, biases) < 1.0).all()


def test_what_settles_in_one_layer_has_the_colour_of_the_least_scale(ax):
    """White is where nothing settles; variances of sign(z) are the same after one layer, and its scale is 0."""
    gt.plots.depth_scale_map(gt.expression("sign(z)"), [0.5, 1.0], [0.1, 0.3], of="xi_q", ax=ax)
    assert np.ma.filled(ax.collections[0].get_array(), np.nan).tolist() == [[-1.0, -1.0]] * 2


@pytest.mark.parametrize("draw", [gt.plots.depth_scales, gt.plots.trainable_depth])
def test_scales_of_0_are_drawn_without_warnings(ax, draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(gt.expression("Abs(sign(z))"), [0.5, 1.0], ax=ax)
        ax.figure.canvas.draw()
