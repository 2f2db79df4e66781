"""Comparisons: proven on an interval of one symbol, or tried at points; a bound must be tight."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy
from sympy.core.relational import Relational

from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import Univariate, sign, sign_on
from gradtheory.derivation.checks.convexity import follows_from_convexity
from gradtheory.derivation.checks.trial import FEWEST_POINTS, POINTS, UNTRIED, Trial
from gradtheory.derivation.checks.verdict import CERTIFIED, EXACT, NUMERIC, Verdict, false, unknown
from gradtheory.derivation.exact import near, truth
from gradtheory.derivation.graph import ChainRule, without_layers
from gradtheory.derivation.language import STEEPEST, Bend, Slope
from gradtheory.derivation.meaning import Point
from gradtheory.derivation.proofs import by_definition, by_induction, is_at_least
from gradtheory.errors import Undecided

_BESIDE = sympy.Rational(1, 2**30)  # how far from the ends of an interval a bound is tried
_FAR = 2**8  # how far out, where there is no end
_SLACK = sympy.Rational(1, 1000)  # of the usual gap between both sides: a tight bound comes closer


def check_comparison(statement: Relational, trial: Trial) -> Verdict:  # noqa: PLR0911  # one for each way to decide
    """Try a comparison inside, near the ends and at the corners of what the assumptions allow; prove it if possible."""
    if trial.chain_rule is not None:
        statement, trial = _in_plain_symbols(statement, trial, trial.chain_rule)
    symbols = trial.symbols(statement)
    if not symbols:
        is_true = truth(trial.meaning.value(statement, {}))
        return unknown() if is_true is None else CERTIFIED if is_true else false()
    gaps = []
    for point in _places(statement, symbols, trial):
        there = trial.value(statement, point)
        is_true = truth(there)
        if is_true is False:
            return false(f"it does not hold at {point}")
        if is_true:
            gaps.append(_gap(there.lhs, there.rhs))
    if len(gaps) < FEWEST_POINTS:
        return unknown(UNTRIED)
    is_sign = isinstance(statement.lhs, Bend) and statement.rhs == 0  # no bound: it need not come near 0
    is_tried = trial.is_tight and not is_sign and not _is_limit_of_slope(statement, trial)
    if is_tried and min(gaps) > _SLACK * sorted(gaps)[len(gaps) // 2]:
        return false("the bound is not tight")
    if _is_certified(statement, symbols, trial) or follows_from_convexity(statement, trial):
        return CERTIFIED
    if isinstance(statement, sympy.Ge) and is_at_least(statement, trial.assumptions, trial.meaning):
        return CERTIFIED
    is_proven = by_definition(statement, trial.assumptions, trial.meaning) or by_induction(statement, trial.assumptions)
    return EXACT if is_proven else NUMERIC


def _in_plain_symbols(statement: Relational, trial: Trial, rule: ChainRule) -> tuple[Relational, Trial]:
    """Return a comparison with its partial derivatives followed along the chain, and symbols for what remains."""
    left, right = (rule.reduced(side, rule.stated(statement.rhs)) for side in (statement.lhs, statement.rhs))
    left, right, *assumptions = without_layers(left, right, *trial.assumptions)
    return statement.func(left, right, evaluate=False), replace(trial, assumptions=tuple(assumptions))


def _places(statement: Relational, symbols: Sequence[sympy.Symbol], trial: Trial) -> Iterator[Point]:
    inner = list(trial.points(symbols, POINTS))
    yield from inner
    if statement.has(STEEPEST):
        yield from filter(trial.holds_at, _where_steepest(statement, inner, trial))
    yield from filter(trial.holds_at, _beside_ends(symbols, trial))
    for point in inner:
        yield from trial.corners(symbols, point)


def _beside_ends(symbols: Sequence[sympy.Symbol], trial: Trial) -> Iterator[Point]:
    """Yield points near the ends of the interval of one symbol."""
    if len(symbols) != 1:
        return
    low, high = trial.interval(symbols[0])
    yield {symbols[0]: near(low) + _BESIDE if low.is_finite else sympy.Integer(-_FAR)}
    yield {symbols[0]: near(high) - _BESIDE if high.is_finite else sympy.Integer(_FAR)}


def _where_steepest(statement: Relational, inner: Sequence[Point], trial: Trial) -> Iterator[Point]:
    """Yield points at which each pre-activation of a statement is a place where |σ'| is greatest."""
    record = trial.meaning.activation
    branches = record.profile.branches
    ends = [end for each in branches for end in ((each.slope_left, each.left), (each.slope_right, each.right))]
    steepest = record.steepest_slope
    place = next((z for slope, z in ends if abs(slope) == steepest and steepest.is_finite and z.is_Rational), None)
    words = {word.args[0] for word in statement.atoms(Slope)}
    if place is not None:
        yield from ({symbol: place if symbol in words else value for symbol, value in point.items()} for point in inner)


def _is_limit_of_slope(statement: Relational, trial: Trial) -> bool:
    """Return whether |σ'| is compared with one of its limits at the ends of monotone branches: no bound is better."""
    if not isinstance(statement, sympy.Ge) or statement.lhs != abs(Slope(Z)):
        return False
    branches = trial.meaning.activation.profile.branches
    return statement.rhs in {abs(slope) for each in branches for slope in (each.slope_left, each.slope_right)}


def _gap(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    if left.is_infinite or right.is_infinite:
        return sympy.oo
    try:
        return abs(near(left - right))  # SymPy would search for the sign of the difference
    except Undecided:
        return sympy.oo


def _is_certified(statement: Relational, symbols: Sequence[sympy.Symbol], trial: Trial) -> bool:
    """Return whether a strict comparison is proven on the whole interval of its one symbol."""
    if len(symbols) != 1 or not isinstance(statement, sympy.Gt | sympy.Lt):
        return False
    meaning, (low, high) = trial.meaning, trial.interval(symbols[0])
    wanted = 1 if isinstance(statement, sympy.Gt) else -1
    if statement.rhs == 0 and statement.lhs == Bend(Z):
        for piece in meaning.activation.profile.pieces:
            if (piece.branch.left, piece.branch.right) == (low, high):
                piece.prove()
                return sign(piece.branch.slope_right - piece.branch.slope_left) == wanted
    inside = next(trial.points(symbols, 1))
    formula = meaning.formula(statement.lhs - statement.rhs, near=inside.get(Z) if meaning.breaks else None)
    try:
        return sign_on(Univariate(formula, symbols[0]), low, high) == wanted
    except Undecided:
        return False
