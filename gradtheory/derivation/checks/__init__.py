"""Whether a statement is true, decided by machine: proven, or else tried to 50 digits where its assumptions hold.

One file for each kind of statement, and a row of `CHECKS`. A check sees the statement and the `Trial`, and nothing of
how the statement was come by.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import activation
from gradtheory.derivation.checks.comparisons import check_comparison
from gradtheory.derivation.checks.convexity import check_convexity
from gradtheory.derivation.checks.equations import check_equation
from gradtheory.derivation.checks.equivalences import check_equivalence
from gradtheory.derivation.checks.numbers import check_in_numbers, check_rounded
from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import CERTIFIED, EXACT, NUMERIC, Check, Verdict, unknown
from gradtheory.derivation.checks.wide_layers import check_wide
from gradtheory.derivation.depth_language import Convex
from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.wide_layers import WideEquation
from gradtheory.errors import Undecided

__all__ = ["CERTIFIED", "CHECKS", "EXACT", "NUMERIC", "Check", "Trial", "Verdict", "decide", "unknown"]

# The first kind that fits: an equation is a relation too.
CHECKS: Mapping[type, Callable[[Any, Trial], Verdict]] = MappingProxyType(
    {
        Rounded: check_rounded,
        InNumbers: check_in_numbers,
        WideEquation: check_wide,
        Convex: check_convexity,
        sympy.Eq: check_equation,
        Equivalent: check_equivalence,
        Relational: check_comparison,
    }
)


def decide(statement: sympy.Basic, trial: Trial) -> Verdict:
    """Decide a statement.

    Parameters
    ----------
    statement : sympy.Basic
        An equation, a comparison, an equivalence of two of them, or a number with its digits.
    trial : Trial
        The assumptions, and what its words stand for.

    Returns
    -------
    Verdict
        Undecided where no check is known, or where a check cannot be carried out.

    """
    if trial.chain_rule is None and all(map(_is_wordless, (statement, *trial.assumptions))):
        return _decide_wordless(statement, trial.assumptions, is_tight=trial.is_tight)
    return _decide(statement, trial)


def _decide(statement: sympy.Basic, trial: Trial) -> Verdict:
    check = next((CHECKS[kind] for kind in CHECKS if isinstance(statement, kind)), None)
    if check is None:
        return unknown(f"no check is known for {statement}")
    try:
        return check(statement, trial)
    except Undecided as error:
        return unknown(str(error))


def _is_wordless(statement: sympy.Basic) -> bool:
    """Return whether a statement is in SymPy's own functions and means of them, so that it says nothing of σ."""
    parts = sympy.preorder_traversal(statement)
    return all(isinstance(part, Mean) or type(part).__module__.startswith("sympy.") for part in parts)


@functools.lru_cache(maxsize=1024)
def _decide_wordless(statement: sympy.Basic, assumptions: tuple[sympy.Basic, ...], *, is_tight: bool) -> Verdict:
    """Decide once, for all activations, a statement that says nothing of σ."""
    return _decide(statement, Trial(assumptions, Meaning(activation("identity")), is_tight=is_tight))
