"""Explosion sets of deep chains: the widest against a search in float64, the set of one chain at growing depths."""

import math

import pytest
import sympy
from scipy.optimize import minimize_scalar
from sympy.core.cache import clear_cache

import gradtheory as gt
from gradtheory.explosion.depth import widest_total
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.whole_chain import explosion_set

_W = 10


def _ours(depth):
    return gt.widest_total_explosion(gt.Chain(depth), [_W] * (depth - 1)).value.n(15)


def _by_search(depth):
    """Return the maximum over Δ_L of tanh(Δ_L/4)·Π r(Δ_l), from the last layer to the first."""

    def negative(last):
        step, size = last, math.tanh(last / 4)
        for _ in range(depth):
            size *= step / 2 / math.sinh(step / 2) if step else 1.0
            step = 4 * math.atanh(step / _W)
        return -size

    return -minimize_scalar(negative, bounds=(0.0, 6.0), method="bounded", options={"xatol": 1e-9}).fun


def _forget():
    clear_cache()
    widest_total._widest.cache_clear()


@pytest.mark.parametrize("depth", [10, 100, 1000])
def bench_widest_total_explosion(compare, depth):
    assert abs(float(_ours(depth)) / _by_search(depth) - 1) < 1e-12
    compare(
        f"`widest_total_explosion`, sigmoid, L = {depth}, 15 digits, proven",
        lambda: _ours(depth),
        "SciPy `minimize_scalar` in float64, no proof",
        lambda: _by_search(depth),
        before=_forget,
        largest_ratio=100.0,
    )


def bench_widest_total_explosion_grows_linearly(compare):
    compare(
        "`widest_total_explosion`, sigmoid, L = 10000",
        lambda: _ours(10_000),
        "ours, L = 1000",
        lambda: _ours(1000),
        before=_forget,
        largest_ratio=15.0,
    )


def _set(depth, weight):
    w, b = [sympy.Rational(weight)] * depth, [-sympy.Rational(weight) / 2] * depth
    return gt.total_explosion_set(gt.Chain(depth), w=w, b=b)


def _by_cells(depth):
    w, b = (sympy.Integer(5),) * depth, (-sympy.Rational(5, 2),) * depth
    return list(explosion_set._by_cells(Layers((gt.activation("sigmoid"),) * depth, w, b), sympy.S.One, strict=True))


def bench_total_explosion_set(compare):
    compare(
        "`total_explosion_set`, sigmoid, w = 5, L = 10, certified",
        lambda: _set(10, 5),
        "zeros isolated on each smooth piece",
        lambda: _by_cells(10),
        before=clear_cache,
        largest_ratio=1.0,
    )


@pytest.mark.parametrize(
    ("depth", "weight", "width"),
    [(1_000, "4.1", "2e-8"), (1_000, "5", "5e-67"), (10_000, "4.1", "6e-73"), (10_000, "5", "4e-662")],
)
def bench_total_explosion_set_of_deep_chains(compare, depth, weight, width):
    compare(
        f"`total_explosion_set`, sigmoid, w = {weight}, L = {depth} (set {width} wide)",
        lambda: _set(depth, weight),
        f"ours, L = {depth // 10}",
        lambda: _set(depth // 10, weight),
        before=clear_cache,
        largest_ratio=20.0,
    )
