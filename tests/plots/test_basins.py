"""The picture of basins says what share of the starts explodes."""

import math
import re

import numpy as np
import pytest
from matplotlib import pyplot as plt

import gradtheory as gt


@pytest.mark.slow
def test_shares_are_those_that_the_unstable_fixed_points_bound():
    scales = [1.6, 1.7, 1.8]
    axes = gt.plots.basins("gelu", scales, sigma_b=0.05)
    labels = " ".join(axes.get_legend_handles_labels()[1])
    plt.close(axes.figure)
    calm, wild = (int(share) / 100 for share in re.findall(r"\((\d+)%\)", labels))
    unstable = [
        float(point.q)
        for scale in scales
        for point in gt.meanfield.fixed_points("gelu", scale, 0.05)
        if not point.is_stable
    ]
    assert len(unstable) == 3
    expected = sum(math.log(1e2 / q) for q in unstable) / (3 * math.log(1e5))
    assert wild == pytest.approx(expected, abs=0.02)
    assert calm + wild == pytest.approx(1, abs=0.011)


@pytest.mark.parametrize(("activation", "is_marked"), [("gelu", True), ("tanh", False)])
def test_scales_from_which_inputs_settle_elsewhere_are_marked(activation, is_marked):
    axes = gt.plots.depth_scales(activation, [1.2, 1.35, 1.5, 1.7], sigma_b=0.05)
    labels = axes.get_legend_handles_labels()[1]
    drawn = axes.get_lines()[0].get_ydata()
    plt.close(axes.figure)
    assert ("the start decides" in labels) == is_marked
    assert [bool(each) for each in np.isfinite(drawn)] == [True, True, not is_marked, not is_marked]


def test_what_is_known_only_within_an_error_is_not_marked():
    axes = gt.plots.depth_scales("tanh", [1e-8, 1.0, 1e8], sigma_b=0.1)
    labels = axes.get_legend_handles_labels()[1]
    plt.close(axes.figure)
    assert "the start decides" not in labels
