"""The law of the factor is drawn to a pixel, whatever its shape."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

import gradtheory as gt

_PIXEL = 1 / 300


@pytest.mark.parametrize(
    ("activation", "sigma_w", "sigma_b", "near"),
    [("tanh", 3.0, 0.01, 0.4597), ("tanh", 8.0, 0.0, 0.4597), ("sine", 3.0, 0.1, 1.5), ("sigmoid", 16.0, 1.0, 1.4)],
)
def test_the_law_of_the_factor_is_drawn_to_a_pixel(activation, sigma_w, sigma_b, near):
    """The law of tanh, whose chains come near 0 and stay, falls steeply about a slope of 1 times a weight."""
    ax = Figure().subplots()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gt.plots.factor_distribution(activation, [sigma_w], sigma_b=sigma_b, ax=ax)
    thresholds, shares = ax.lines[0].get_data()
    assert np.all(np.diff(shares) <= 1e-9)
    middle = int(np.searchsorted(thresholds, near))
    for c in np.append(thresholds[middle - 6 : middle + 7 : 3], near):
        drawn = np.interp(np.log(c), np.log(thresholds), shares)
        assert drawn == pytest.approx(gt.factor_probability(activation, sigma_w, sigma_b, threshold=c), abs=_PIXEL)
