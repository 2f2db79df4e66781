"""Plots draw what the library computes, on the Axes they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import gradtheory as gt


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("draw", ["gradient_over_layers", "chain_diagram", "activation_and_slope", "width_over_weight"])
def test_axes_in_axes_out(draw):
    _, ax = plt.subplots()
    assert getattr(gt.plots, draw)(ax=ax) is ax
    assert isinstance(getattr(gt.plots, draw)(), Axes)
    assert ax.has_data() or ax.texts


def test_gradients_grow_and_decay_exponentially():
    ax = gt.plots.gradient_over_layers((0.5, 1.5), depth=10)
    for line, factor in zip(ax.lines, (0.5, 1.5), strict=True):
        np.testing.assert_allclose(line.get_ydata(), factor ** np.arange(9, -1, -1.0), rtol=1e-12)


def test_the_marked_maximum_is_the_widest_explosion():
    ax = gt.plots.width_over_weight("tanh", threshold=2)
    curve, mark = ax.lines[:2]
    widest = gt.widest_explosion("tanh", threshold=2)
    assert mark.get_ydata()[0] == float(widest.width)
    assert mark.get_xdata()[0] == float(widest.weight)
    assert curve.get_ydata().max() <= mark.get_ydata()[0]


def test_every_activation_can_be_drawn(name):
    assert len(gt.plots.activation_and_slope(name).lines) == 3
