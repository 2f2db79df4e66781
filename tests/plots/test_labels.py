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


@pytest.mark.slow
@pytest.mark.parametrize("width", [4.0, 8.0])
@pytest.mark.parametrize(
    ("activation", "networks"),
    [
        ("relu", [[2.0, 0.0]]),
        ("relu", [[20.0, 0.0]]),
        ("tanh", [[30.0, 0.1]]),
        ("sigmoid", None),
        ("gelu", [[12.0, 0.2]]),
    ],
)
def test_the_name_of_a_phase_is_in_it_or_beside_it_within_the_axes(activation, networks, width):
    axes = plt.figure(figsize=(width, 4), layout="constrained").subplots()
    ax = gt.plots.phase_diagram(activation, points=20, networks=networks, ax=axes)
    ax.figure.canvas.draw()
    edge = next(line for line in ax.get_lines() if len(line.get_xdata()) == 20)
    names = [text for text in ax.texts if text.get_text()]
    boxes = [Text.get_window_extent(text) for text in names]
    assert len(names) >= 2
    for name, box in zip(names, boxes, strict=True):
        assert ax.get_window_extent().containsx(box.x0)
        assert ax.get_window_extent().containsx(box.x1)
        if not hasattr(name, "arrow_patch"):
            middle = name.get_position()[1]
            border = ax.transData.transform((np.interp(middle, edge.get_ydata(), edge.get_xdata()), middle))[0]
            assert box.x1 <= border or box.x0 >= border, name.get_text()
    assert not any(box.overlaps(other) for box in boxes for other in boxes if other is not box)
