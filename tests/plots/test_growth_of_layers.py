"""The way of the gradient back is drawn from the output on, where its size is 1."""

import pytest
from matplotlib.figure import Figure

import gradtheory as gt


@pytest.mark.parametrize(("marked", "step"), [("a", [3.0, 1.5]), ("b", [1.5, 0.5]), ("c", [0.5, 1.0])])
def test_the_step_of_any_layer_is_drawn_in_red(marked, step):
    ax = gt.plots.growth_of_layers(
        ["a", "b", "c"], [2.0, 3.0, 0.5], [0.3, 0.4, 0.0], marked=marked, ax=Figure().subplots()
    )
    way, red = ax.lines[:2]
    assert way.get_ydata() == pytest.approx([3.0, 1.5, 0.5, 1.0])
    assert red.get_ydata() == pytest.approx(step)
    assert red.get_xdata().tolist() == ["abc".index(marked), "abc".index(marked) + 1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c", "output"]
    ends = ax.collections[0].get_paths()[0].get_extents()
    assert (ends.x0, ends.x1) == (0.0, 3.0)
