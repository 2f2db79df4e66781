"""Convexity of a function of σ': proven on each smooth part, tails included, and at the joints."""

from gradtheory.activations import Z
from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import CERTIFIED, Verdict, false, unknown
from gradtheory.derivation.deep import CLASS_N, LOG_CONCAVE, Convex, in_angles
from gradtheory.derivation.language import Slope
from gradtheory.explosion.depth.bound import is_part_log_concave, is_part_log_concave_in_angles
from gradtheory.explosion.depth.class_n import membership, smooth_parts


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
