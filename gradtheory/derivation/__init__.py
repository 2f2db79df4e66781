"""Derivations in which every step has been checked by machine."""

from gradtheory.derivation.generic import GENERIC
from gradtheory.derivation.step import Check, Step, UnprovenStep, compared, equal

__all__ = ["GENERIC", "Check", "Step", "UnprovenStep", "compared", "equal"]
