"""The slope of one's own activation at a number that is one of its switches."""

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.switches import formula_left_of, switches
from gradtheory.arithmetic.effort import within
from gradtheory.errors import Undecided


def slopes_at_number(record: Activation, z: sympy.Expr, place: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """Return, for σ' and σ'' of one's own activation in a named z, the numbers that they are at a place: from the left.

    SymPy's derivative of what has switches, in which it leaves sign(0) and DiracDelta, is another number there.
    """
    slope = record.slope_expr
    if record.branches is not None or place.free_symbols or not switches(slope):
        return {}
    try:
        with within():
            at = formula_left_of(slope, Z, place)
    except Undecided:
        return {}
    pairs = ((slope, at), (slope.diff(Z), at.diff(Z)))
    return {each.xreplace({Z: z}): left.xreplace({Z: place}) for each, left in pairs if each.has(Z)}
