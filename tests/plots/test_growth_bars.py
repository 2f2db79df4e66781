"""Pictures of growth show how much it differs from network to network."""

import numpy as np
import pytest

import gradtheory as gt


def _bars(axes):
    """Return the bars: those that no end was left out of."""
    (container,) = axes.containers
    return [segment for segment in container[2][0].get_segments() if np.isfinite(segment).all() and len(segment)]


@pytest.mark.slow
def test_bars_of_chains_are_one_standard_deviation_over_100_layers():
    scales = [1.0, 4.0]
    bars = _bars(gt.plots.lyapunov_over_weight("sigmoid", scales))
    assert len(bars) == 2
    for scale, bar in zip(scales, bars, strict=True):
        chain = gt.lyapunov_exponent("sigmoid", scale, 1.0)
        assert bar[:, 1] == pytest.approx(chain.value + np.array([-0.1, 0.1]) * chain.variance**0.5)


@pytest.mark.slow
def test_where_there_is_no_typical_growth_there_are_no_bars():
    assert _bars(gt.plots.lyapunov_over_weight("relu", [1.0, 2.0])) == []
