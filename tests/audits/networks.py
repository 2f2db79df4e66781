"""Networks as people initialise them, and with faults planted in them."""

import math

import numpy as np

import gradtheory as gt
from gradtheory.networks import Dense, Elementwise, LayerNorm, Network, Node, Scale, Sum

SCHEMES = {
    "relu": "he", "leaky_relu": "he", "gelu": "he", "silu": "he", "tanh": "xavier", "softsign": "xavier", "elu": "lecun",
    "selu": "lecun",
}  # fmt: skip


def deep(rng, which, depth, width, *, n_in=16, n_out=3, times=None):
    """Dense layers with the usual initial weights; `times` multiplies those of one layer."""
    widths = (n_in,) + (width,) * depth + (n_out,)
    w = [_weights(rng, SCHEMES[which], *shape) for shape in zip(widths[1:], widths[:-1], strict=True)]
    for layer, factor in (times or {}).items():
        w[layer] *= factor
    return gt.Network(widths, [which] * depth + ["identity"], w=w, b=[np.zeros(each) for each in widths[1:]])


def residual(rng, blocks, width, *, n_in=16, n_out=3, times=None, doubled=None):
    """Blocks x + down(gelu(up(norm(x)))); `times` multiplies weights by name, and one shortcut may be doubled."""
    nodes = [Node("embed", Dense(_weights(rng, "lecun", width, n_in)), (-1,))]
    for k in range(blocks):
        start = source = len(nodes) - 1
        shapes = {"up": (2 * width, width), "down": (width, 2 * width)}
        w = {name: (times or {}).get((k, name), 1.0) * _weights(rng, "lecun", *shapes[name]) for name in shapes}
        nodes.append(Node(f"blocks.{k}.norm", LayerNorm(np.ones(width), np.zeros(width), 1e-5), (start,)))
        nodes.append(Node(f"blocks.{k}.up", Dense(w["up"], np.zeros(2 * width)), (len(nodes) - 1,)))
        nodes.append(Node(f"blocks.{k}.activation", Elementwise(gt.activation("gelu")), (len(nodes) - 1,)))
        nodes.append(Node(f"blocks.{k}.down", Dense(w["down"], np.zeros(width)), (len(nodes) - 1,)))
        branch = len(nodes) - 1
        if k == doubled:
            nodes.append(Node(f"blocks.{k}.twice", Scale(np.asarray(2.0)), (start,)))
            source = len(nodes) - 1
        nodes.append(Node(f"blocks.{k}.sum", Sum(), (branch, source)))
    nodes.append(Node("norm", LayerNorm(np.ones(width), np.zeros(width), 1e-5), (len(nodes) - 1,)))
    nodes.append(Node("head", Dense(_weights(rng, "lecun", n_out, width), np.zeros(n_out)), (len(nodes) - 1,)))
    return Network.from_nodes(nodes, n_in)


def _weights(rng, scheme, n_out, n_in):
    deviation = math.sqrt({"he": 2 / n_in, "lecun": 1 / n_in, "xavier": 2 / (n_in + n_out)}[scheme])
    if rng.random() < 0.5:
        return rng.normal(0, deviation, (n_out, n_in))
    return rng.uniform(-deviation * math.sqrt(3), deviation * math.sqrt(3), (n_out, n_in))


def data(rng, n_in=16, samples=64):
    kind = rng.integers(3)
    x = rng.random((samples, n_in)) if kind == 0 else rng.normal(size=(samples, n_in))
    return x * np.exp(rng.normal(size=n_in)) if kind == 2 else x
