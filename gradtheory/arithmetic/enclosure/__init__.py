"""Rigorous enclosures of SymPy expressions: the only folder that touches python-flint.

Arb's ball arithmetic returns a midpoint and a radius that is proven to cover every rounding error
(F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 2017).
Everything here that answers a question answers it with a proof, or raises `Undecided`.

`balls` evaluates at points, `intervals` over intervals that may be unbounded; `signs` proves signs between zeros,
`zeros` isolates and refines the zeros, `integral` integrates.
"""

from gradtheory.arithmetic.enclosure.algebra import factored, in_symbols
from gradtheory.arithmetic.enclosure.ball_functions import Ball, as_float, logistic, softplus
from gradtheory.arithmetic.enclosure.balls import (
    FIRST_BITS,
    MOST_BITS,
    Balls,
    Enclosable,
    Evaluator,
    as_rational,
    doubling,
    enclose,
    evaluate,
    evaluator,
    exactly,
    function_of,
    is_finite,
    is_infinite,
    nearest,
    precision,
    rounded,
)
from gradtheory.arithmetic.enclosure.derivatives import derivative
from gradtheory.arithmetic.enclosure.exponential_sums import exponential_sum
from gradtheory.arithmetic.enclosure.integral import integral
from gradtheory.arithmetic.enclosure.intervals import (
    Increasing,
    Interval,
    around,
    bounds,
    hull,
    plus,
    range_over,
    times,
)
from gradtheory.arithmetic.enclosure.signs import MOST_CELLS, Univariate, order, sign, sign_at, sign_on, signed_cells
from gradtheory.arithmetic.enclosure.tails import limit_at, sign_beyond
from gradtheory.arithmetic.enclosure.vanishing import is_small_number_zero
from gradtheory.arithmetic.enclosure.zeros import crossing, has_one_zero, zero, zeros

__all__ = [
    "FIRST_BITS",
    "MOST_BITS",
    "MOST_CELLS",
    "Ball",
    "Balls",
    "Enclosable",
    "Evaluator",
    "Increasing",
    "Interval",
    "Univariate",
    "around",
    "as_float",
    "as_rational",
    "bounds",
    "crossing",
    "derivative",
    "doubling",
    "enclose",
    "evaluate",
    "evaluator",
    "exactly",
    "exponential_sum",
    "factored",
    "in_symbols",
    "function_of",
    "has_one_zero",
    "hull",
    "integral",
    "is_finite",
    "is_infinite",
    "is_small_number_zero",
    "limit_at",
    "logistic",
    "nearest",
    "order",
    "plus",
    "precision",
    "range_over",
    "rounded",
    "sign",
    "sign_at",
    "sign_beyond",
    "sign_on",
    "signed_cells",
    "softplus",
    "times",
    "zero",
    "zeros",
]
