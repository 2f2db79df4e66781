"""The audit of PyTorch's gains: its page is not stale, and its numbers come out of plain iteration."""

import functools
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations.slopes.branch import Z
from gradtheory.pages import gains
from gradtheory.pages.gains import GainsEntry

_PAGE = Path(__file__).parents[2] / "docs" / "gains.md"
_AUDITED = tuple(audit.record.name for audit in gains.entries())


@functools.cache
def iterated(which, gain, layers=4000):
    """Return q and χ₁ after many layers, from the midpoint rule on the formulas of σ and σ' alone."""
    record = gt.activation(which)
    z = (np.arange(-120_000, 120_000) + 0.5) * 1e-4  # a kink at 0 lies between two points
    weights = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    value, slope = (sympy.lambdify(Z, each, "scipy") for each in (record.expr, record.slope_expr))
    q = gain**2
    for _ in range(layers):
        before, q = q, gain**2 * np.sum(weights * value(math.sqrt(q) * z) ** 2)
        if abs(q - before) < 1e-13 * q:
            break
    return q, gain**2 * np.sum(weights * slope(math.sqrt(q) * z) ** 2)


def test_every_layer_of_pytorch_is_audited():
    layers = {name for name in gt.activation_names() if "torch.nn" in gt.activation(name).peers.get("torch", "")}
    assert set(_AUDITED) == layers | set(gains.TORCH)
    assert {"gelu", "silu", "mish", "selu", "tanh", "sigmoid", "relu"} <= set(_AUDITED)
    page = _PAGE.read_text(encoding="utf-8")
    for name in _AUDITED:
        assert f"\n| {name} | " in page


@pytest.mark.sampled(8)
@pytest.mark.parametrize("which", _AUDITED)
def test_the_exact_gains_are_what_mpmath_finds(which):
    audit = GainsEntry(gt.activation(which))
    for expr, gain in ((audit.record.expr, audit.exact.forward), (audit.record.slope_expr, audit.exact.backward)):
        function = sympy.lambdify(Z, expr, "mpmath")
        kinks = sorted({mpmath.mpf(str(sympy.N(kink, 30))) for kink in audit.record.kinks} | {-10, -3, 0, 3, 10})
        square = mpmath.quad(lambda x, f=function: f(x) ** 2 * mpmath.npdf(x), kinks)
        assert gain == pytest.approx(float(1 / mpmath.sqrt(square)), rel=1e-10)
    assert audit.exact.forward.error < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tanh", "sigmoid", "selu", "softsign"])
def test_the_variance_settles_where_iteration_does(which):
    audit = GainsEntry(gt.activation(which))
    q, chi = iterated(which, float(audit.gain))
    assert audit.q == pytest.approx(q, rel=1e-8)
    assert audit.chi == pytest.approx(chi, rel=1e-8)
    logarithm = math.log(float(np.finfo(np.float32).max if chi > 1 else np.finfo(np.float32).smallest_subnormal))
    assert audit.depth == pytest.approx(2 * logarithm / math.log(chi), abs=1.5)


@pytest.mark.slow
def test_without_a_number_pytorch_takes_that_of_relu():
    for which in ("gelu", "silu", "mish"):
        audit = GainsEntry(gt.activation(which))
        assert audit.stated is None
        assert audit.gain == sympy.sqrt(2)
        assert (audit.q, audit.critical.sigma_b > 0) == (0.0, True)
        slope = float(gt.activation(which).slope(0.0))
        assert audit.chi == pytest.approx(2 * slope**2, rel=1e-12)


def test_relu_and_identity_last_for_ever():
    for which in ("relu", "identity", "leaky_relu"):
        audit = GainsEntry(gt.activation(which))
        for exact in (audit.exact.forward, audit.exact.backward):
            assert abs(exact - float(gains.TORCH[which])) <= exact.error
        assert audit.depth == math.inf


@pytest.mark.slow
def test_a_gradient_whose_factor_tends_to_1_does_not_last_for_ever():
    assert GainsEntry(gt.activation("elu")).depth == 48_057  # by the layers one by one


@pytest.mark.parametrize(("which", "layers"), [("gelu", 300), ("silu", 300), ("hardshrink", 256), ("softplus", 3716)])
def test_depths_at_the_very_end_of_float32_are_exact(which, layers):
    """(1/2)^150 is 0, and 2^128 inf; the layers of softplus one by one, by own quadrature."""
    assert GainsEntry(gt.activation(which)).depth == layers
