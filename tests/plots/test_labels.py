"""Legends and names hide nothing, and are written as formulas are."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

import gradtheory as gt


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("picture", ["settling", "correlation_map"])
def test_a_legend_hides_no_curve(picture):
    ax = getattr(gt.plots, picture)()
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    points = np.concatenate([line.get_transform().transform(line.get_xydata()) for line in ax.get_lines()])
    assert not box.count_contains(points)


@pytest.mark.slow
def test_the_start_that_decides_is_bounded_by_a_smooth_line_and_named_beside_it():
    ax = gt.plots.phase_diagram("gelu")
    (bound,) = (line for line in ax.get_lines() if line.get_linestyle() == ":")
    assert np.abs(np.diff(bound.get_xdata(), 2)).max() < 2e-3
    (name,) = (text for text in ax.texts if text.get_text() == "the start decides")
    ax.figure.canvas.draw()
    lines = [line for line in ax.get_lines() if line.get_linestyle() in (":", "--")]
    points = np.concatenate([line.get_transform().transform(line.get_xydata()) for line in lines])
    assert not Text.get_window_extent(name).count_contains(points)


def test_numbers_and_letters_of_labels_are_those_of_formulas():
    labels = gt.plots.factor_distribution("sigmoid", [1.0]).get_legend_handles_labels()[1]
    assert labels == [r"$\sigma_w = 1$: $5.07 \times 10^{-6}$ explode"]
    labels = gt.plots.lyapunov_over_weight("sigmoid", [1.0]).get_legend_handles_labels()[1]
    assert labels[0] == r"almost every chain: $\Lambda$"  # λ is the decay of weights
