"""Rigorous enclosures of SymPy expressions: the only room that touches python-flint.

Arb's ball arithmetic returns a midpoint and a radius that is proven to cover every rounding error
(F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 2017).
Everything here that answers a question answers it with a proof, or raises `Undecided`.

`balls` evaluates at points, `intervals` over intervals that may be unbounded; `isolation` finds and refines zeros,
`integral` integrates.
"""

from gradtheory.arithmetic.enclosure.balls import (
    FIRST_BITS,
    MOST_BITS,
    Ball,
    Balls,
    enclose,
    evaluate,
    exactly,
    function_of,
    nearest,
    order,
    precision,
    rounded,
    sign,
)
from gradtheory.arithmetic.enclosure.integral import integral
from gradtheory.arithmetic.enclosure.intervals import Interval, around, bounds, hull, plus, range_over, times
from gradtheory.arithmetic.enclosure.isolation import (
    Univariate,
    as_rational,
    crossing,
    derivative,
    has_one_zero,
    sign_at,
    sign_on,
    zero,
    zeros,
)

__all__ = [
    "FIRST_BITS",
    "MOST_BITS",
    "Ball",
    "Balls",
    "Interval",
    "Univariate",
    "around",
    "as_rational",
    "bounds",
    "crossing",
    "derivative",
    "enclose",
    "evaluate",
    "exactly",
    "function_of",
    "has_one_zero",
    "hull",
    "integral",
    "nearest",
    "order",
    "plus",
    "precision",
    "range_over",
    "rounded",
    "sign",
    "sign_at",
    "sign_on",
    "times",
    "zero",
    "zeros",
]
