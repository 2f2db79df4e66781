"""A derivation of depth 1000 with its LaTeX, every step checked; against the bare gradient product in SymPy's LaTeX."""

import sympy
from sympy.core.cache import clear_cache

import gradtheory as gt


def bench_derivation(compare):
    def peer():
        chain = gt.Chain(depth=1000)
        return sympy.latex(chain.gradient(chain.w[1]))

    compare(
        '`derive("gradient")` and `to_latex()`, L = 1000',
        lambda: gt.derive("gradient", depth=1000).to_latex(),
        "`sympy.latex` of the product alone",
        peer,
        before=clear_cache,
        longest=2.0,
    )


def bench_linear_growth(compare):
    compare(
        '`derive("gradient")` and `to_latex()`, L = 2000',
        lambda: gt.derive("gradient", depth=2000).to_latex(),
        "ours, L = 1000",
        lambda: gt.derive("gradient", depth=1000).to_latex(),
        before=clear_cache,
        budget=20.0,
        largest_ratio=2.5,
    )
