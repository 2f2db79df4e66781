"""The same networks in ball arithmetic, one input at a time: an independent judge of bounds in float64."""

import itertools

import flint
import numpy as np
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.activations.slopes.switches import formula_left_of
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import stable
from gradtheory.networks.nodes import Dense, Elementwise, LayerNorm, Node, Scale, Sum

BITS = 160


def mlp(widths, activation, seed, *, gain=1.0, bias=0.1, last="identity"):
    """Return a network with normal weights of so many times the scale 1/√n."""
    rng = np.random.default_rng(seed)
    w = [rng.normal(size=(b, a)) * gain / np.sqrt(a) for a, b in itertools.pairwise(widths)]
    b = [rng.normal(size=len(each)) * bias for each in w]
    return gt.Network(widths, [activation] * (len(w) - 1) + [last], w=w, b=b)


def residual(seed, activation="gelu", *, is_centred=True):
    """Return a network with norms, a scale and residual sums."""
    rng = np.random.default_rng(seed)
    nodes, width = [Node("embed", Dense(rng.normal(size=(5, 2))), (-1,))], 5
    for block in range(2):
        start = len(nodes) - 1
        norm = LayerNorm(rng.normal(1, 0.2, width), rng.normal(0, 0.2, width), 1e-3, is_centred)
        nodes.append(Node(f"norm{block}", norm, (start,)))
        nodes.append(Node(f"in{block}", Dense(rng.normal(size=(6, width)), rng.normal(size=6)), (len(nodes) - 1,)))
        nodes.append(Node(f"act{block}", Elementwise(gt.activation(activation)), (len(nodes) - 1,)))
        nodes.append(Node(f"out{block}", Dense(rng.normal(size=(width, 6)) / 3), (len(nodes) - 1,)))
        nodes.append(Node(f"scale{block}", Scale(np.asarray(0.5)), (len(nodes) - 1,)))
        nodes.append(Node(f"sum{block}", Sum(), (len(nodes) - 1, start)))
    nodes.append(Node("head", Dense(rng.normal(size=(3, width)), rng.normal(size=3)), (len(nodes) - 1,)))
    return gt.Network.from_nodes(nodes, 2)


def branches(seed, activations=("hard_tanh", "leaky_relu", "tanh"), widths=(2, 2, 2)):
    """Return σ₃(C·(B·σ₁(h) + σ₂(h)) + c) of h = A·x + a: two activations of one layer, whose outputs meet."""
    rng = np.random.default_rng(seed)
    n_in, width, n_out = widths
    first, second, last = (Elementwise(gt.activation(each)) for each in activations)

    def dense(rows, columns):
        return Dense(4.0 * rng.normal(size=(rows, columns)), 3.0 * rng.normal(size=rows))

    nodes = [
        Node("a", dense(width, n_in), (-1,)),
        Node("left", first, (0,)),
        Node("b", dense(width, width), (1,)),
        Node("right", second, (0,)),
        Node("sum", Sum(), (2, 3)),
        Node("c", dense(n_out, width), (4,)),
        Node("out", last, (5,)),
    ]
    return gt.Network.from_nodes(nodes, n_in)


def value_and_slope(record, point):
    """Return balls around σ and σ', at a kink from the left."""
    ball = point if isinstance(point, flint.arb) else exactly(point)
    near = sympy.Rational(float(ball.mid()))
    formulas = (formula_left_of(stable(expr), Z, near) for expr in (record.expr, record.slope_expr))
    return tuple(enclose(formula, BITS, {Z: ball}) for formula in formulas)


def values(network, x):
    """Return the outputs of all nodes at an input as lists of balls."""
    flint.ctx.prec = BITS
    outputs = {-1: [flint.arb(float(each)) for each in x]}
    for place, node in enumerate(network.nodes):
        a, operation = outputs[node.sources[0]], node.operation
        if isinstance(operation, Dense):
            b = np.zeros(len(operation.w)) if operation.b is None else operation.b
            outputs[place] = [
                sum((flint.arb(float(w)) * each for w, each in zip(row, a, strict=True)), flint.arb(float(offset)))
                for row, offset in zip(operation.w, b, strict=True)
            ]
        elif isinstance(operation, Elementwise):
            outputs[place] = [value_and_slope(operation.activation, each)[0] for each in a]
        elif isinstance(operation, Sum):
            outputs[place] = [sum(each, flint.arb(0)) for each in zip(*(outputs[k] for k in node.sources), strict=True)]
        elif isinstance(operation, Scale):
            outputs[place] = [flint.arb(float(operation.factor)) * each for each in a]
        else:
            mean = sum(a, flint.arb(0)) / len(a) if operation.is_centred else flint.arb(0)
            centred = [each - mean for each in a]
            root = (sum((each**2 for each in centred), flint.arb(0)) / len(a) + flint.arb(operation.epsilon)).sqrt()
            outputs[place] = [
                flint.arb(float(gain)) * each / root + flint.arb(float(bias))
                for gain, each, bias in zip(operation.gain, centred, operation.bias, strict=True)
            ]
    flint.ctx.prec = 53
    return outputs
