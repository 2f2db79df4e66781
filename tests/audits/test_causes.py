"""The cause that an audit states where a layer and the rest of the network do opposite things."""

import numpy as np

import gradtheory as gt


def test_a_layer_that_grows_in_a_network_that_fades():
    rng = np.random.default_rng(0)
    w = [rng.normal(0, 0.5 * (2 / 32) ** 0.5, (32, 32)) for _ in range(12)]
    w[6] *= 6.0
    report = gt.audit(gt.Network((32,) * 13, "relu", w=w, b=[np.zeros(32)] * 12), rng.normal(size=(32, 32)))
    assert (report.verdict, report.start) == ("vanishes", "layer7")
    assert report.cause.startswith("its weights are ")
    factor = report.cause.partition("; over other layers the gradient fades by a factor of ")[2]
    assert float(factor) > 10.0
