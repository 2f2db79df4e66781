"""The networks that people have: graphs of dense layers, activations, sums and norms, with their weights.

>>> import numpy as np
>>> network = Network((1, 1), "tanh", w=[np.ones((1, 1))], b=[np.zeros(1)])
>>> network.jvp([[0.0]], [[2.0]])
array([[2.]])

"""

from gradtheory.errors import public
from gradtheory.networks import curvature
from gradtheory.networks.network import Network
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Scale, Sum
from gradtheory.networks.results import JacobianBound, NetworkGradients

__all__ = [
    "INPUT",
    "Dense",
    "Elementwise",
    "JacobianBound",
    "LayerNorm",
    "Network",
    "NetworkGradients",
    "Node",
    "Scale",
    "Sum",
    "curvature",
]


public(__name__)
