"""The identity of two inputs of a chain of any depth, from that of one layer."""

import sympy

from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.depth_language import (
    ChainSlope,
    ChainValue,
    LastInput,
    LayerRatios,
    LayerRatiosBefore,
    ratio,
)
from gradtheory.derivation.language import Sigma, Slope

_P = sympy.Symbol("p", real=True)
_DELTA = sympy.Symbol("Delta", real=True, nonzero=True)


def layer_identity(left: sympy.Expr, right: sympy.Expr, trial: Trial) -> sympy.Eq | None:
    """Return what must hold of one layer for f'(x)·f'(y)·(x - y)² = (f(x) - f(y))²·Π r(Δ_l)² to hold of every chain.

    The left side is Π σ'(p_l)·σ'(q_l)·w_l² times (x - y)²; in layer l, w_l²·(the distance before)² is Δ_l², so that the
    identity of one layer, σ'(p)·σ'(p + Δ)·Δ² = (σ(p + Δ) - σ(p))²·r(βΔ)², puts the distance after in its place. Used in
    all layers but the last it leaves σ'(p_L)·σ'(q_L)·Δ_L², and a product that ends before. None where the sides say
    anything else.
    """
    ratios = right.atoms(LayerRatios)
    if len(ratios) != 1:
        return None
    (product,) = ratios
    x, y, beta = product.args
    after = (ChainValue(x) - ChainValue(y)) ** 2
    if isinstance(product, LayerRatiosBefore):
        after = Slope(LastInput(x)) * Slope(LastInput(y)) * (LastInput(x) - LastInput(y)) ** 2
    telescoped = ChainSlope(x) * ChainSlope(y) * (x - y) ** 2, after * product**2
    if (left, right) != telescoped or sympy.Ne(x, y) not in trial.assumptions:
        return None
    moved = Sigma(_P + _DELTA) - Sigma(_P)
    here = Slope(_P) * Slope(_P + _DELTA) * _DELTA**2
    return sympy.Eq(here, moved**2 * ratio(beta * _DELTA) ** 2, evaluate=False)
