"""Advice on weights whose squares leave float64."""

import warnings

import numpy as np

import gradtheory as gt


def test_weights_whose_squares_leave_float64_are_advised_on_without_warnings():
    rng = np.random.default_rng(0)
    w = [1e160 * rng.normal(size=(6, 3)), rng.normal(size=(6, 6)), rng.normal(size=(2, 6))]
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 2))
    network = gt.Network((3, 6, 6, 2), ["tanh", "tanh", "identity"], "mse", w=w, b=[np.zeros(6)] * 2 + [np.zeros(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        advice = gt.advise(network, x, y, steps=5)
        assert "layer1" in str(gt.audit(network, x, y))
    assert any(np.isfinite(each.loss_with) for each in advice.remedies if each.kind == "initialisation")
