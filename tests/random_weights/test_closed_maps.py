"""Where weights are shared by all layers, and behind gates: closed maps are right by simulation, or refused."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument

_ADDED = "residual adds outputs of recurrent to a stream that holds earlier ones"
_GATED = "behind gated_recurrent the stream is not Gaussian"
_RESIDUAL_RNN = [blocks.residual([blocks.recurrent("tanh", 1, 0.1, input_size=0.5)])]
_REFUSED = {
    "residual": (_RESIDUAL_RNN, _ADDED),
    "pre-norm": ([blocks.residual([blocks.rms_norm(), blocks.recurrent("relu", 1.4)])], _ADDED),
    "post-norm": ([*_RESIDUAL_RNN, blocks.rms_norm()], _ADDED),
    "behind dense": ([blocks.residual([blocks.dense("relu", 1.4), blocks.recurrent("relu")])], _ADDED),
    "two": ([blocks.residual([blocks.recurrent("relu"), blocks.recurrent("relu")], 0.5)], _ADDED),
    "nested": ([blocks.residual([*_RESIDUAL_RNN, blocks.recurrent("relu")])], _ADDED),
    "beside dense": ([blocks.residual([blocks.dense("relu")]), *_RESIDUAL_RNN], _ADDED),
    "with a gate": ([*_RESIDUAL_RNN, blocks.gated_recurrent(3)], _ADDED),
    "gate, tanh": ([blocks.gated_recurrent(), blocks.dense("tanh", 3)], _GATED),
    "tanh, gate": ([blocks.dense("tanh", 3), blocks.gated_recurrent()], _GATED),
    "gate, recurrent": ([blocks.gated_recurrent(), blocks.layer_norm(), blocks.recurrent("tanh", 3)], _GATED),
    "gate, batch norm": ([blocks.gated_recurrent(), blocks.batch_norm()], _GATED),
    "gate in a branch": ([blocks.residual([blocks.gated_recurrent(), blocks.dense("tanh")])], _GATED),
    "gate after a branch": ([blocks.residual([blocks.dense("tanh")]), blocks.gated_recurrent(3)], _GATED),
}
_CLOSED = {
    "recurrent, residual": [blocks.recurrent("tanh", 1.4, 0.2), blocks.residual([blocks.dense("relu", 1.4)])],
    "residual, dense": [blocks.residual([blocks.recurrent("relu", 1.4, 0.2)]), blocks.dense("tanh", 1.1)],
    "dense at the end": [blocks.residual([blocks.rms_norm(), blocks.recurrent("relu", 1.4), blocks.dense("relu")])],
    "nested": [blocks.residual([blocks.residual([blocks.recurrent("relu", 1, 0.4)]), blocks.dense("relu")], 0.5)],
    "gate, linear": [blocks.gated_recurrent(3), blocks.dense("identity", 2), blocks.dense("tanh", 2)],
    "gate, norm": [blocks.recurrent("identity", 1.4, 0.2), blocks.gated_recurrent(3), blocks.layer_norm()],
}


@pytest.mark.parametrize("which", _REFUSED)
def test_what_variances_do_not_decide_is_refused(which):
    made, why = gt.architecture(_REFUSED[which][0]), _REFUSED[which][1]
    for asked in (
        lambda: made.propagate(3),
        lambda: made.growth,
        lambda: made.depth_scale,
        made.critical,
    ):
        with pytest.raises(InvalidArgument, match=f"have no closed maps: {why}"):
            asked()


def _ratios(made, depth, c, width=512, networks=12):
    flow = gt.architecture(made).propagate(depth, correlation=c)
    sample = gt.architecture(made).simulate(depth, width, networks=networks, inputs=32, correlation=c, seed=1)
    parts = zip(
        (sample.variance, sample.correlation, sample.gradient),
        (flow.variance[1:], flow.correlation[1:], flow.gradient[:-1]),
        strict=True,
    )
    return [(measured.mean / limit - 1, measured.standard_error / limit) for measured, limit in parts]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", _CLOSED)
def test_closed_maps_agree_with_simulation(which):
    """Only weights of `recurrent` are those of all layers: with tied dense layers "dense at the end" would differ."""
    for apart, error in _ratios(_CLOSED[which], 4, 0.5):
        assert np.all(np.abs(apart) <= 4.5 * error + 0.03), (apart, error)


def test_a_residual_recurrent_layer_is_simulated_with_one_matrix():
    """z' = z + W·tanh(z) + u + b, computed here: variances of 3.1 and 5.5 after two and three steps, not 2.4 and 3.2."""
    rng, n, squares = np.random.default_rng(0), 512, []
    for _ in range(8):
        w, b, z = rng.normal(0, n**-0.5, (n, n)), rng.normal(0, 0.1, n), rng.normal(0, 1, n)
        path = []
        for _ in range(3):
            z = z + w @ np.tanh(z) + rng.normal(0, 0.5, n) + b
            path.append(np.mean(z**2))
        squares.append(path)
    sample = gt.architecture(_RESIDUAL_RNN).simulate(3, n, networks=8, inputs=16, seed=1)
    expected = np.mean(squares, axis=0)
    assert expected[1:] == pytest.approx([3.1, 5.45], rel=0.05)
    assert sample.variance.mean == pytest.approx(expected, rel=0.05)


def test_depth_scales_are_those_of_streams_whose_variance_has_settled():
    """With dropout the correlation moves with the variance, which may take longer to settle."""
    made = gt.architecture([blocks.dropout("relu", 0.9, 1.25, 0.2)])
    settled = made.propagate(500).variance[-1]
    for start, scale in ((settled, made.depth_scale), (1.0, -1.0 / np.log(1.25**2 / 0.9 / 2))):
        c = made.propagate(200, start, 0.3).correlation
        apart = np.abs(c - c[-1])
        layers = np.flatnonzero((apart < 1e-5) & (apart > 1e-9))
        assert -1 / np.polyfit(layers, np.log(apart[layers]), 1)[0] == pytest.approx(scale, rel=1e-3)
