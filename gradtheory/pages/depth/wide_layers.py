"""Networks of more than one neuron a layer, with sets wider than any chain's: found by search, proven in balls.

A search with SciPy's SLSQP, which made the least f' on an interval as great as it gets, found these weights. What is
proven of them is that f' > c on the whole interval, and so that c·width is at least c times its length.
"""

import functools
import itertools
import math
from typing import NamedTuple

import sympy

from gradtheory.arithmetic.enclosure import enclose, evaluator, precision
from gradtheory.errors import Undecided

X = sympy.Symbol("x", real=True)
_BITS = 64
_DECIMALS = 4
_BOXES = 8  # to begin with
_MOST_BOXES = 20_000


class Pair(NamedTuple):
    """Two neurons of a hidden layer, of the input weight `weight`, `shift` to the left and to the right of 0."""

    shift: str
    weight: str
    share: str  # v_i, up to a common factor


class Layer(NamedTuple):
    """A hidden layer that is symmetric about 0: pairs of neurons, and perhaps one in the middle, of share 1."""

    pairs: tuple[Pair, ...]
    middle: str | None = None

    @property
    def neurons(self) -> int:
        """N."""
        return 2 * len(self.pairs) + (self.middle is not None)


LAYERS = (
    Layer((Pair("0.6629866", "3.1491896", "1"),)),
    Layer((Pair("0.8566899", "6.1647187", "0.4146590"),), "2.9643935"),
    Layer((Pair("0.4079368", "4.1490657", "2.2651597"), Pair("0.9162002", "9.9407254", "0.8377512"))),
    Layer((Pair("0.6335836", "6.1997609", "0.5137253"), Pair("0.9468749", "15.3195975", "0.2107558")), "3.9062916"),
)  # each for -1 < x < 1


class Network(NamedTuple):
    """σ(A·g(x)) of an odd function g, by its derivative, for -reach < x < reach."""

    slope: sympy.Expr
    reach: sympy.Expr


def _sigma(z: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-z))


def _slope(z: sympy.Expr) -> sympy.Expr:
    return 1 / (4 * sympy.cosh(z / 2) ** 2)


def layer(of: Layer) -> Network:
    """Return Σ v_i·σ(w_i·(x - s_i)) with Σ|v_i| = 1."""
    terms = [
        (sympy.Rational(pair.share), sympy.Rational(pair.weight), sign * sympy.Rational(pair.shift))
        for pair, sign in itertools.product(of.pairs, (-1, 1))
    ]
    if of.middle is not None:
        terms.append((sympy.S.One, sympy.Rational(of.middle), sympy.S.Zero))
    total = sum(share for share, _, _ in terms)
    return Network(sum(v * w * _slope(w * (X - s)) for v, w, s in terms) / total, sympy.S.One)


def two_before_one(gain: str, shift: str, reach: str) -> Network:
    """Return σ(A·(σ(x - d) + σ(x + d) - 1))."""
    a, d = sympy.Rational(gain), sympy.Rational(shift)
    inner = a * (_sigma(X - d) + _sigma(X + d) - 1)
    return Network(_slope(inner) * a * (_slope(X - d) + _slope(X + d)), sympy.Rational(reach))


def skip(gain: str, share: str, weight: str) -> Network:
    """Return σ(A·(x + v·(σ(wx) - 1/2)))."""
    a, v, w = (sympy.Rational(each) for each in (gain, share, weight))
    inner = a * (X + v * (_sigma(w * X) - sympy.S.Half))
    return Network(_slope(inner) * a * (1 + v * w * _slope(w * X)), sympy.S.One)


@functools.cache
def proven_width(network: Network) -> str:
    """Return a lower bound of c·width in four decimals, proven: f' is greater than c between -reach and reach.

    Raises
    ------
    Undecided
        If f' is not proven to be so great.

    """
    slope = evaluator(network.slope)
    with precision(_BITS):
        reach = enclose(network.reach, _BITS)
        places = [reach * number / 1000 for number in range(1001)]
        least = min(float((slope(_BITS, {X: x}) * 2 * reach).mid()) for x in places)
        claim = math.floor(least * 10**_DECIMALS - 1e-2) / 10**_DECIMALS
        level = enclose(sympy.Rational(f"{claim:.{_DECIMALS}f}"), _BITS) / (2 * reach)
        ends = [reach * number / _BOXES for number in range(_BOXES + 1)]
        waiting = list(itertools.pairwise(ends))  # f' is even
        for _ in range(_MOST_BOXES):
            if not waiting:
                return f"{claim:.{_DECIMALS}f}"
            left, right = waiting.pop()
            if not slope(_BITS, {X: left.union(right)}) > level:
                middle = (left + right) / 2
                waiting += [(left, middle), (middle, right)]
    raise Undecided(f"c·width of at least {claim} is not proven with {_MOST_BOXES} intervals")
