"""An audit goes on where theory has no prediction: its moments leave float64, or diverge."""

import math
import warnings

import numpy as np
import pytest

import gradtheory as gt


def network(activation):
    rng = np.random.default_rng(0)
    w = [rng.normal(size=(6, 3)), rng.normal(size=(6, 6)), rng.normal(size=(2, 6))]
    b = [np.zeros(6), np.zeros(6), np.zeros(2)]
    return gt.Network((3, 6, 6, 2), [activation, activation, "identity"], "mse", w=w, b=b)


def test_moments_beyond_float64_are_no_prediction():
    """Units of mean square 4,000 have E[exp(2z)] = exp(8,000), while the gradient through them is 1e75."""
    exponential = network("exponential")
    report = gt.audit(exponential, np.random.default_rng(1).normal(size=(16, 3)))
    first, second, _ = report.layers
    expected = gt.meanfield.chi("exponential", first.mean_square_z, first.sigma_w) ** 0.5
    assert first.predicted_gain == pytest.approx(expected)
    assert math.isnan(second.predicted_gain)
    assert report.verdict == "explodes"
    assert "theory" in str(report)


def test_slopes_without_a_mean_square_are_no_prediction():
    steep = gt.expression("Abs(z)**(1/3)")
    report = gt.audit(network(steep), np.random.default_rng(1).normal(size=(16, 3)))
    assert math.isnan(report.layers[0].predicted_gain)
    assert report.layers[0].gain > 0.0


def test_the_page_of_softshrink_has_its_phases():
    rng = np.random.default_rng(2)
    report = gt.audit(network("softshrink"), rng.normal(size=(16, 3)), rng.normal(size=(16, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = report.to_html()
    assert page.count("<svg") >= 2
