"""Ten thousand proven digits against one elementary function at that precision."""

import flint
from sympy.core.cache import clear_cache

import gradtheory as gt
from gradtheory.arithmetic.enclosure import zero

_BITS = 33_240  # 10,000 digits and some guard bits


def bench_digits(compare):
    width = gt.widest_explosion("sigmoid").width
    with flint.ctx.workprec(_BITS):
        point = flint.arb("0.7717")

    def peer():
        with flint.ctx.workprec(_BITS):
            return point.tanh()

    assert peer().rel_accuracy_bits() > _BITS - 10

    def forget():
        clear_cache()
        zero.cache_clear()

    compare(
        '`widest_explosion("sigmoid").width.n(10000)`',
        lambda: width.n(10_000),
        "one Arb `tanh`, 10000 digits",
        peer,
        before=forget,
        largest_ratio=8.0,
    )
