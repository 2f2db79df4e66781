"""One step of a derivation: a statement with the reason for it, checked from the statement alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import sympy

from gradtheory.derivation.checks import Check, Trial, Verdict, decide
from gradtheory.derivation.facts import FACTS
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import formula, text


@dataclass(frozen=True)
class Step:
    """A statement, why it holds, and on what assumptions.

    Parameters
    ----------
    statement : sympy.Basic
        A SymPy relation, an equivalence of two, or a number with its digits.
    rule : str
        The key of the reason in the message catalogues.
    meaning : Meaning
        What σ stands for.
    assumptions : tuple of sympy.Basic
        What holds for the symbols, beside what they are declared to be.
    chain_rule : ChainRule, optional
        The chain that the statement speaks of.
    fact : str, optional
        The id of the named fact that the statement is.
    section : str
        The key of the heading that it stands under.
    shown : tuple of pairs of str and sympy.Basic
        What the reason has a place for, by name.

    """

    statement: sympy.Basic
    rule: str
    meaning: Meaning
    assumptions: tuple[sympy.Basic, ...] = ()
    chain_rule: ChainRule | None = None
    fact: str | None = None
    section: str = ""
    shown: tuple[tuple[str, sympy.Basic], ...] = ()

    @cached_property
    def verdict(self) -> Verdict:
        """What became of the check."""
        if self.fact is not None:
            fact = FACTS[self.fact]
            if self.statement != fact.statement:
                return Verdict(False, reason=f"it is not the fact {self.fact}")
            if set(fact.assumptions) <= set(self.assumptions) and self.chain_rule == fact.rule:
                return fact.check(self.meaning.activation)
        trial = Trial(self.assumptions, self.meaning, self.chain_rule, is_tight=self.fact is None)
        return decide(self.statement, trial)

    @property
    def check(self) -> Check | None:
        """How the statement was shown to be true; None where it was not."""
        return self.verdict.check

    def __reduce__(self) -> NoReturn:
        raise TypeError("a step is not pickled, since SymPy would evaluate what it says: pickle its derivation")

    def __copy__(self) -> "Step":
        return self

    def __deepcopy__(self, _: Any) -> "Step":
        return self

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {formula(self.statement).latex()}$"

    def __str__(self) -> str:
        return f"{text(self.statement)} ({self.verdict.status})"
