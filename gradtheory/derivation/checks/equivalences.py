"""Equivalences: tried on both sides of every place where one of their comparisons switches, and at rational places."""

import itertools
from collections.abc import Iterator, Sequence

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.enclosure import order
from gradtheory.derivation.checks.simplicity import is_simple
from gradtheory.derivation.checks.trial import Trial, point_count
from gradtheory.derivation.checks.verdict import CERTIFIED, EXACT, NUMERIC, Verdict, false, unknown
from gradtheory.derivation.exact import near, truth
from gradtheory.derivation.meaning import Point
from gradtheory.derivation.proofs import by_definition, is_superlevel
from gradtheory.errors import Undecided

_BESIDE = sympy.Rational(1, 2**30)  # how close to a switch, relatively


def check_equivalence(statement: Equivalent, trial: Trial) -> Verdict:
    """Compare the truth of both sides where they are true and where they are false; at more points without a proof."""
    if _is_solved(statement, trial):
        return EXACT
    seen: set[bool | None] = set()
    verdict = None
    for point in _beside_switches(statement, trial):
        truths = {truth(trial.value(side, point)) for side in statement.args}
        if None in truths:
            continue
        if len(truths) > 1:
            return false(f"the sides differ at {point}"[:200])
        seen |= truths
        if verdict is None and seen == {True, False}:
            verdict = _proven(statement, trial)
            if verdict != NUMERIC:
                break
    return verdict or unknown("no points were found at which it switches")


def _proven(statement: Equivalent, trial: Trial) -> Verdict:
    """Return how an equivalence that was seen to switch is proven, or that it is not."""
    if _is_scaled(statement) or by_definition(statement, trial.assumptions, trial.meaning):
        return EXACT
    return CERTIFIED if is_superlevel(statement, trial.assumptions, trial.meaning) else NUMERIC


def _is_solved(statement: Equivalent, trial: Trial) -> bool:
    """Return whether one side says that a polynomial is 0, and the other names its one zero that is allowed."""
    for given, solved in itertools.permutations(statement.args):
        if not (isinstance(given, sympy.Eq) and isinstance(solved, sympy.Eq)):
            continue
        symbol, zero, difference = solved.lhs, solved.rhs, given.lhs - given.rhs
        if not symbol.is_Symbol or not zero.is_number or not difference.is_polynomial(symbol):
            continue
        polynomial = sympy.Poly(difference, symbol)
        if polynomial.degree() in (1, 2) and all(c.is_Rational for c in polynomial.all_coeffs()):
            allowed = [
                root
                for root in sympy.roots(polynomial)
                if root.is_real
                and not (symbol.is_positive and root <= 0)
                and all(truth(one.xreplace({symbol: root})) for one in trial.assumptions)
            ]
            return len(allowed) == 1 and order(allowed[0], zero) == 0
    return False


def _is_scaled(statement: Equivalent) -> bool:
    """Return whether the two sides are one strict comparison, multiplied by something positive."""
    if not all(isinstance(side, sympy.Gt | sympy.Lt) for side in statement.args):
        return False
    first, second = (side.gts - side.lts for side in statement.args)
    if (first / second).has(SlopeInverse) or not is_simple(first / second):
        return False
    ratio = sympy.simplify(first / second)
    return bool(ratio.is_positive) or (ratio.is_nonnegative is True and ratio.is_zero is not True)


def _beside_switches(statement: Equivalent, trial: Trial) -> Iterator[Point]:
    """Yield sample points, and points on both sides of where a comparison of the statement switches, and there."""
    symbols = trial.symbols(statement)
    relations = [part for part in sympy.preorder_traversal(statement) if isinstance(part, Relational)]
    for point in trial.points(symbols, point_count(statement)):
        yield point
        for relation in relations:
            for symbol, switch in _switches(relation, symbols):
                yield from _around(point, symbol, trial.value(switch, point), trial)


def _around(point: Point, symbol: sympy.Symbol, switch: sympy.Basic, trial: Trial) -> Iterator[Point]:
    """Yield a point with one symbol moved to both sides of a switch, and onto it where it is rational."""
    edge = _rational(switch)
    if edge is None:
        return
    for factor in (1 - _BESIDE, 1 + _BESIDE, *([sympy.S.One] if edge == switch else [])):
        moved = {**point, symbol: edge * factor + (factor - 1)}
        if trial.holds_at(moved) and not (symbol.is_positive and moved[symbol] <= 0):
            yield moved


def _switches(relation: Relational, symbols: Sequence[sympy.Symbol]) -> Iterator[tuple[sympy.Symbol, sympy.Expr]]:
    """Yield the symbols in which a comparison is linear, and for each the value at which it switches."""
    difference = relation.lhs - relation.rhs
    inverses = difference.atoms(SlopeInverse)  # they speak of a z of their own
    hidden = {inverse: sympy.Dummy(real=True) for inverse in inverses}
    shown = {dummy: inverse for inverse, dummy in hidden.items()}
    difference = difference.xreplace(hidden)
    for symbol in symbols:
        if any(symbol in inverse.args[0].free_symbols for inverse in inverses):
            continue
        signed = difference.replace(sympy.Abs, lambda part: part) if abs(symbol) in relation.args else difference
        slope = signed.diff(symbol)
        if slope != 0 and not slope.has(symbol):
            yield symbol, (-signed.subs(symbol, 0) / slope).xreplace(shown)


def _rational(number: sympy.Basic) -> sympy.Rational | None:
    try:
        return near(number) if number.is_finite and number is not sympy.nan else None
    except Undecided:
        return None
