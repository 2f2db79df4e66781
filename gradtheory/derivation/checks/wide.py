"""Equations between matrices: tried on sample networks against differences of 100 digits."""

from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import NUMERIC, Verdict, false
from gradtheory.derivation.wide import WideEquation, holds

_DIGITS = 50


def check_wide(statement: WideEquation, trial: Trial) -> Verdict:
    """Compare both sides on the sample networks."""
    return NUMERIC if holds(statement, trial.meaning.activation, _DIGITS) else false("the matrices differ")
