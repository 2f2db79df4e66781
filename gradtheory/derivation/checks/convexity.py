"""Convexity of a function of σ': proven on each smooth part, tails included, and at the joints."""

import sympy
from sympy.core.relational import Relational

from gradtheory.activations import Z
from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import CERTIFIED, Verdict, false, unknown
from gradtheory.derivation.depth_language import CLASS_N, LOG_CONCAVE, Convex, in_angles
from gradtheory.derivation.language import Sigma, Slope
from gradtheory.explosion.depth.bound import is_part_log_concave, is_part_log_concave_in_angles
from gradtheory.explosion.depth.class_n import membership, smooth_parts, support


def check_convexity(statement: Convex, trial: Trial) -> Verdict:
    """Prove one of the three functions that the theorems ask for to be convex where σ' is not 0."""
    record, function = trial.meaning.activation, statement.function
    (inner,) = {part.args[0] for part in function.atoms(Slope)} or {Z}
    centre, scale = inner.subs(statement.variable, 0), inner.diff(statement.variable).subs(statement.variable, 0)
    is_in_angles = not inner.has(Z) and function == in_angles(centre, scale, statement.variable)
    if function not in (CLASS_N, LOG_CONCAVE) and not is_in_angles:
        return unknown(f"no check is known for {function}")
    belongs = membership(record)  # settles the joints of all three
    if not belongs.is_member:
        return false(belongs.reason)
    parts = smooth_parts(record)
    if function == LOG_CONCAVE and not all(map(is_part_log_concave, parts)):
        return unknown("σ' is not proven to be log-concave")
    if is_in_angles and not all(is_part_log_concave_in_angles(part.moved(centre), scale**2) for part in parts):
        return unknown("σ' is not proven to be log-concave in the angle")
    return CERTIFIED


def follows_from_convexity(statement: Relational, trial: Trial) -> bool:
    """Return whether a comparison is one of two that hold in class N, for an activation that is proven to be in it.

    A convex function lies below its chords; and the mean of σ' = 1/|σ'|^(-1/2)² between two places, along the chord, is
    the geometric mean of σ' at both.
    """
    if not isinstance(statement, sympy.Le):
        return False
    is_stated = _is_chord(statement, trial) or _is_geometric_mean(statement, trial)
    return is_stated and membership(trial.meaning.activation).is_member


def _is_chord(statement: sympy.Le, trial: Trial) -> bool:
    """Return whether it is f((1 - t)p + tq) ≤ (1 - t)f(p) + tf(q) for f = |σ'|^(-1/2), with p, q where σ' is not 0."""
    places = {word.args[0] for word in statement.rhs.atoms(Slope)}
    shares = [each.lhs for each in trial.assumptions if isinstance(each, sympy.Ge) and each.rhs == 0]
    if len(places) != 2 or len(shares) != 1 or sympy.Le(shares[0], 1) not in trial.assumptions:
        return False
    (t,), orders = shares, (tuple(places), tuple(places)[::-1])
    ends = support(trial.meaning.activation)[0].left, support(trial.meaning.activation)[-1].right
    inside = [
        kind(place, end, evaluate=False)
        for place in places
        for kind, end in zip((sympy.Gt, sympy.Lt), ends, strict=True)
        if end.is_finite
    ]
    chords = [
        (CLASS_N.xreplace({Z: (1 - t) * p + t * q}), (1 - t) * CLASS_N.xreplace({Z: p}) + t * CLASS_N.xreplace({Z: q}))
        for p, q in orders
    ]
    return set(inside) <= set(trial.assumptions) and (statement.lhs, statement.rhs) in chords


def _is_geometric_mean(statement: sympy.Le, trial: Trial) -> bool:
    """Return whether it is σ'(p)·σ'(q)·(q - p)² ≤ (σ(q) - σ(p))²."""
    places = {word.args[0] for word in statement.rhs.atoms(Sigma)}
    if len(places) != 2 or trial.chain_rule is not None:
        return False
    p, q = places
    sides = Slope(p) * Slope(q) * (q - p) ** 2, (Sigma(q) - Sigma(p)) ** 2
    return all(sympy.expand(one - two) == 0 for one, two in zip(statement.args, sides, strict=True))
