"""Proofs of statements that SymPy does not see through: by cases and certificates, by definitions, by normal forms."""

from gradtheory.derivation.proofs.conditions import follows
from gradtheory.derivation.proofs.definitions import by_definition, in_measures
from gradtheory.derivation.proofs.induction import by_induction
from gradtheory.derivation.proofs.normal_forms import is_identity, is_nonzero_somewhere
from gradtheory.derivation.proofs.numbers import is_equal_number
from gradtheory.derivation.proofs.sets import is_at_least, is_length, is_superlevel
from gradtheory.derivation.proofs.shapes import solves
from gradtheory.derivation.proofs.signs import in_shares, with_signs

__all__ = [
    "by_definition",
    "by_induction",
    "follows",
    "in_measures",
    "in_shares",
    "is_at_least",
    "is_equal_number",
    "is_identity",
    "is_length",
    "is_nonzero_somewhere",
    "is_superlevel",
    "solves",
    "with_signs",
]
