"""Equations between matrices: tried on sample networks against differences of 100 digits, proven entry by entry."""

from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import EXACT, NUMERIC, Verdict, false
from gradtheory.derivation.proofs.matrices import is_matrix_identity
from gradtheory.derivation.wide_layers import WideEquation, holds

_DIGITS = 50


def check_wide(statement: WideEquation, trial: Trial) -> Verdict:
    """Compare both sides on the sample networks, and prove each entry for every number of neurons."""
    if not holds(statement, trial.meaning.activation, _DIGITS):
        return false("the matrices differ")
    return EXACT if is_matrix_identity(statement) else NUMERIC
