r"""H = sup (q - p)·√(σ'(p)σ'(q)) of a log-concave slope, where it is approached at an end of the support."""

from typing import NamedTuple

import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.exact_zeros import exact_zeros
from gradtheory.arithmetic.enclosure import is_infinite, order
from gradtheory.explosion.depth.class_n import SmoothPart


class Supremum(NamedTuple):
    """H, the pair at which it is attained or which approaches it, why, and whether σ' is known to be equal at both."""

    value: sympy.Expr
    pair: tuple[sympy.Expr, sympy.Expr] | None
    reason: str
    is_of_one_neuron: bool = False


def at_an_end(part: SmoothPart) -> Supremum | None:
    """Return H where it is approached at an end of the one part of a log-concave slope: where pairs with it are best.

    log((q - p)·√(σ'(p)σ'(q))) is then concave in (p, q).
    """
    for end, side in ((part.left, 1), (part.right, -1)):
        slope, rate = (formula.subs(Z, end) for formula in (part.slope, part.log_slope))
        if is_infinite(end) or not (slope.is_finite and rate.is_finite) or order(slope, sympy.S.Zero) == 0:
            continue
        gap = side * (Z - end)
        zeros = exact_zeros(2 + side * gap * part.log_slope, Z, part.left, part.right)
        place = next(iter(zeros), part.right if side > 0 else part.left)  # the other end, if it rises up to it
        if order(side * gap.subs(Z, place) * rate, sympy.Integer(2)) <= 0:
            value = gap.subs(Z, place) * sympy.sqrt(abs(slope * part.slope.subs(Z, place)))
            pair = (end, place) if side > 0 else (place, end)
            return Supremum(value, pair, f"σ' is log-concave, and H is approached at the end of its support, z = {end}")
    return None
