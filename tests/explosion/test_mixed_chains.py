"""Random chains of class N with mixed activations against difference quotients at 200 digits."""

import random

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.explosion.whole_chain.pre_activation import Layer, PreActivation
from tests import oracle

_DIGITS = 200
_MIDDLES = {
    "sigmoid": "1/2",
    "cloglog": "0.632",
    "softplus": "0.693",
    "log_sigmoid": "-0.693",
    "relu6": 3,
    "relu": "1/2",
}
_NAMES = (
    *("arctan", "cloglog", "elu", "erf", "gudermannian", "hard_tanh", "identity", "isru", "log_sigmoid"),
    *("relu", "relu6", "sigmoid", "softplus", "softsign", "tanh"),
)


def drawn(seed):
    """Return names, weights, biases and a threshold: weights are log-uniform, biases near the symmetric ones."""
    rng = random.Random(seed)
    names = [rng.choice(_NAMES) for _ in range(rng.randint(1, 12))]
    w = [sympy.Rational(round(1000 * 10 ** rng.uniform(-1, 1.5)), 1000) * rng.choice((-1, 1)) for _ in names]
    b = [
        sympy.Rational(round(100 * rng.gauss(0, 0.5)), 100) - weight * sympy.Rational(_MIDDLES.get(before, 0))
        for weight, before in zip(w, ["", *names], strict=False)
    ]
    return names, w, b, sympy.Rational(rng.choice(("1", "1", "1/10", "10", "1/1000", "1000000")))


def quotient(names, w, b, x, step):
    """Return |f(x + step) - f(x - step)|/(2·step)."""
    values = []
    for a in (x - step, x + step):
        for name, weight, bias in zip(names, w, b, strict=True):
            a = oracle.sigma(name)(oracle.as_mpf(weight) * a + oracle.as_mpf(bias))  # noqa: PLW2901  # layer by layer
        values.append(a)
    return abs(values[1] - values[0]) / (2 * step)


@pytest.mark.parametrize(
    "seeds", [range(3), *(pytest.param(range(start, start + 50), marks=pytest.mark.slow) for start in (0, 50, 100))]
)
def test_against_difference_quotients(seeds):
    ends = 0
    for seed in seeds:
        names, w, b, c = drawn(seed)
        set_ = gt.total_explosion_set(gt.Chain(len(w), names), w=w, b=b, threshold=c)
        if not isinstance(set_, sympy.Interval):
            continue
        with mpmath.workdps(_DIGITS):
            finite = set_.start.is_finite and set_.end.is_finite
            aside = oracle.as_mpf(sympy.Rational(set_.measure.n(20)) if finite else sympy.S.One) / 10**12
            for end, inwards in ((set_.start, aside), (set_.end, -aside)):
                if end.is_finite:
                    x = oracle.as_mpf(end if end.is_Rational else sympy.Rational(end.n(150)))
                    assert quotient(names, w, b, x + inwards, aside / 10**30) > oracle.as_mpf(c) * (1 - 1e-30), seed
                    assert quotient(names, w, b, x - inwards, aside / 10**30) < oracle.as_mpf(c) * (1 + 1e-30), seed
                    ends += 1
    assert ends


def test_sympy_sorts_pre_activations_of_layers_that_differ():
    """So that sums of ends of sets can be formed."""
    tanh, zero, half = gt.activation("tanh"), sympy.S.Zero, sympy.S.Half
    layers = [
        Layer(half, zero, tanh),
        Layer(half, half, tanh),
        Layer(half, zero, tanh, half),
        Layer(sympy.pi, zero, tanh),
    ]
    numbers = [PreActivation(half, 0, (layer,)) for layer in layers]
    orders = {(k, m): one.compare(other) for k, one in enumerate(numbers) for m, other in enumerate(numbers)}
    assert all(abs(order) == (k != m) and order == -orders[m, k] for (k, m), order in orders.items())
