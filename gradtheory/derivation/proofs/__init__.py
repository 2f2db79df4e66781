"""Proofs of statements that SymPy does not see through: by cases and certificates, by definitions, by normal forms."""

from gradtheory.derivation.proofs.conditions import follows
from gradtheory.derivation.proofs.definitions import by_definition, in_measures
from gradtheory.derivation.proofs.induction import by_induction

__all__ = ["by_definition", "by_induction", "follows", "in_measures"]
