"""Inequalities for every positive whole number, by induction."""

from collections.abc import Sequence

import sympy
from sympy.core.relational import Relational

from gradtheory.derivation.proofs.conditions import follows


def by_induction(statement: sympy.Basic, assumptions: Sequence[sympy.Basic]) -> bool:
    """Return whether a comparison is proven for n = 1, and for n + 1 where it holds for n, n being a power in it."""
    powers = {part for part in statement.atoms(sympy.Pow) if part.exp.is_Symbol and part.exp.is_integer}
    numbers = {power.exp for power in powers}
    if not isinstance(statement, Relational) or len(numbers) != 1:
        return False
    (number,) = numbers
    if not number.is_positive or any(number in each.free_symbols for each in assumptions):
        return False

    def at(count: sympy.Expr) -> Relational:
        sides = (side.subs(number, count) for side in statement.args)
        return statement.func(*map(sympy.powsimp if count == 1 else sympy.expand_power_exp, sides), evaluate=False)

    signs = [sympy.Ge(power, 0, evaluate=False) for power in powers if follows(power.base >= 0, assumptions)]
    return follows(at(sympy.S.One), assumptions) and follows(at(number + 1), (*assumptions, *signs, statement))
