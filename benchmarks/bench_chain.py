"""All 2L + 1 gradients of the chain in symbols: against SymPy on the nested loss, and their growth with L."""

import sympy
from sympy.core.cache import clear_cache

import gradtheory as gt

_PEER_DEPTH = 12


def bench_gradients(compare):
    def peer():
        x, y = sympy.symbols("x y", real=True)
        w = sympy.symbols(f"w1:{_PEER_DEPTH + 1}", real=True)
        b = sympy.symbols(f"b1:{_PEER_DEPTH + 1}", real=True)
        a = x
        for weight, bias in zip(w, b, strict=True):
            a = 1 / (1 + sympy.exp(-(weight * a + bias)))
        return [sympy.diff((a - y) ** 2 / 2, each) for each in (*w, *b, x)]

    peer_name = f"SymPy `diff` of the nested loss, only L = {_PEER_DEPTH}"
    compare("`gradients()`, L = 1000", _gradients(1000), peer_name, peer, before=clear_cache, longest=1.0)


def bench_linear_growth(compare):
    compare(
        "`gradients()`, L = 10000",
        _gradients(10_000),
        "ours, L = 1000",
        _gradients(1000),
        before=clear_cache,
        budget=20.0,
        largest_ratio=15.0,
    )


def _gradients(depth):
    return lambda: gt.Chain(depth=depth).gradients()
