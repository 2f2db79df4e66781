r"""The pair of the middle of an even σ' and infinity: the limit of (q - p)·√(σ'(p)σ'(q)) as q grows.

Let σ' be even about c, and write p = c + u, q = c + 1/w and r(w) = σ'(q)/w². The size is (1 - u·w)·√(σ'(p)·r(w)). At
u = w = 0 its derivative in u vanishes, and that in w is at most 0 if that of r is: where its logarithm is strictly
concave on a box, it is greatest there.
"""

import numpy as np
import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.enclosure import is_infinite, order, precision, sign
from gradtheory.explosion.depth.class_n import SmoothPart, middle_of_slope, smooth_parts
from gradtheory.explosion.depth.pairs import BestPair, Box, Range, part_around

_BITS = 128


def best_at_infinity(record: Activation, box: Box) -> BestPair | None:
    """Return H of an even σ' if a box holds the middle and infinity, and the size is seen to be greatest there.

    None if it is not, or if σ' is no rational function far out.
    """
    centre, near, far = middle_of_slope(record), part_around(record, box.p), smooth_parts(record)[-1]
    if near is None or not (np.isposinf(box.q[1]) and is_infinite(far.right)):
        return None
    first, low, high = map(sympy.Rational, (box.q[0], *box.p))
    if not (order(low, centre) <= 0 <= order(high, centre) and order(first, far.left) > 0 < order(first, centre)):
        return None
    ratio = sympy.cancel(far.slope.xreplace({Z: centre + 1 / Z}) / Z**2)
    if not ratio.is_rational_function(Z) or sympy.denom(ratio).subs(Z, 0) == 0 or ratio.subs(Z, 0) == 0:
        return None
    beyond = SmoothPart(sympy.S.Zero, 1 / (first - centre), ratio)
    ranges = Range(near.moved(centre), low - centre, high - centre), Range(beyond, beyond.left, beyond.right)
    if sign(beyond.log_slope.subs(Z, 0)) > 0 or not _is_concave(*ranges):
        return None
    size = sympy.sqrt(abs(near.slope.subs(Z, centre) * ratio.subs(Z, 0)))
    return BestPair(size, (centre, sympy.oo), has_equals=True)


def _is_concave(u: Range, w: Range) -> bool:
    """Return whether log(1 - u·w) + (log σ'(p) + log r(w))/2 is proven to be strictly concave."""
    with precision(_BITS):
        mixed = 1 / (1 - u.ball * w.ball) ** 2
        own = [one.over(one.part.log_bend) / 2 - other.ball**2 * mixed for one, other in ((u, w), (w, u))]
        return bool(mixed > 0 and own[0] < 0 and own[1] < 0 and own[0] * own[1] > mixed**2)
