"""Sets of inputs as unions of open intervals, and the range of weights for which such a formula holds."""

from collections.abc import Sequence

import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.explosion import Regime


def is_whole(intervals: Sequence[tuple[sympy.Expr, sympy.Expr]]) -> bool:
    """Return whether intervals are the whole line, except for kinks."""
    ends = [end for pair in intervals for end in pair]
    meets = all(left == right for left, right in zip(ends[1:-1:2], ends[2:-1:2], strict=True))
    return bool(ends) and ends[0] == -sympy.oo and ends[-1] == sympy.oo and meets


def is_unbounded(regime: Regime) -> bool:
    """Return whether a set has no finite length."""
    return bool(
        regime.width.replace(SlopeInverse, lambda *_: sympy.Dummy()).has(sympy.oo)
    )  # whose branch may be -∞ < z


def union(intervals: Sequence[tuple[sympy.Expr, sympy.Expr]], variable: sympy.Expr) -> sympy.Basic:
    """Return the condition that a variable lies in one of some open intervals."""
    parts = []
    for lower, upper in intervals:
        above, below = (end.is_finite is not False for end in (lower, upper))
        under = sympy.Lt(variable, upper, evaluate=False) if below else sympy.true
        if above and below:
            parts.append(sympy.And(sympy.Lt(lower, variable, evaluate=False), under, evaluate=False))
        else:
            parts.append(sympy.Gt(variable, lower, evaluate=False) if above else under)
    return sympy.Or(*parts, evaluate=False) if len(parts) > 1 else parts[0]


def conditions(regime: Regime) -> tuple[sympy.Basic, ...]:
    """Return the range of weights, w < -c for -w > c, without the weight at which a formula goes over into the next."""
    parts = regime.condition.args if isinstance(regime.condition, sympy.And) else (regime.condition,)
    strict = (sympy.Lt(*each.args, evaluate=False) if isinstance(each, sympy.Le) else each for each in parts)
    turned = (each.reversedsign if isinstance(-each.lhs, sympy.Symbol) else each for each in strict)
    return tuple(sorted(turned, key=lambda each: isinstance(each, sympy.Lt)))


def one_period(record: Activation, z: sympy.Expr) -> tuple[sympy.Basic, ...]:
    """Return the condition that a pre-activation lies in the period that the record describes."""
    if record.period is None:
        return ()
    branches = record.profile.branches
    return sympy.Gt(z, branches[0].left, evaluate=False), sympy.Lt(z, branches[-1].right, evaluate=False)
