"""Weights that a network is given as one array of three axes are its matrices."""

import numpy as np

import gradtheory as gt


def test_one_array_of_matrices():
    network = gt.Network((2, 2, 2), "tanh", w=np.ones((2, 2, 2)), b=np.zeros((2, 2)))
    assert [each.shape for each in (*network.w, *network.b)] == [(2, 2)] * 2 + [(2,)] * 2
    assert gt.advise(network, [[1.0, 2.0]], [[0.0, 1.0]], steps=2).remedies
