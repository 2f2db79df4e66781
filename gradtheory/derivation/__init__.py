"""Derivations in which every step has been checked by machine."""

from gradtheory.derivation.checks import Check, Verdict
from gradtheory.derivation.derivation import Derivation, Tally, derive
from gradtheory.derivation.facts import FACTS, Fact, fact
from gradtheory.derivation.language import GENERIC
from gradtheory.derivation.step import Step

__all__ = ["FACTS", "GENERIC", "Check", "Derivation", "Fact", "Step", "Tally", "Verdict", "derive", "fact"]
