"""Whether a statement is true, decided by machine: proven, or else tried to 50 digits where its assumptions hold."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import Z, activation
from gradtheory.activations.slopes.branch import SlopeInverse
from gradtheory.activations.slopes.limits import HYPERBOLIC
from gradtheory.arithmetic.enclosure import Univariate, enclose, order, sign, sign_on
from gradtheory.chains.symbols import LayerProduct, LayerVariable
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import AffineMeasure, Bend, InNumbers, Partial, Rounded, Sigma, Slope, Width
from gradtheory.derivation.meaning import Meaning, Point
from gradtheory.derivation.samples import corners, ends, holds, near, points, truth
from gradtheory.derivation.wide import WideEquation
from gradtheory.errors import Undecided

_DIGITS = 50
_BITS = 320
_COUNT = 8  # points at which a statement is tried
_FEW = 3  # where every end is a root to be found
_FEWEST = 2  # below which nothing is said
_MOST_OPERATIONS = 80  # of a difference that SymPy is asked to simplify
_MOST_DENOMINATOR = 100  # in it: SymPy writes exp(1.702*z) as a power of exp(z/500)
_BESIDE = sympy.Rational(1, 2**30)  # how closely equivalences are tried beside the places where they switch
_FAR = 2**8  # how far out the tightness of a bound is measured
_SLACK = sympy.Rational(1, 1000)


class Check(Enum):
    """How a step was checked; the value is the word that is shown."""

    EXACT = "exact"  # SymPy proves both sides equal
    CERTIFIED = "certified"  # decided in ball arithmetic
    NUMERIC = "numeric"  # true to 50 digits at sample points


class Outcome(Enum):
    """What became of a check."""

    TRUE = "true"
    UNKNOWN = "unknown"
    FALSE = "false"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Parameters
    ----------
    outcome : Outcome
    check : Check or None
        How a true statement was shown.
    reason : str
        Why it is false or unknown.

    """

    outcome: Outcome
    check: Check | None = None
    reason: str = ""


EXACT, CERTIFIED, NUMERIC = (Verdict(Outcome.TRUE, check) for check in Check)


def decide(
    statement: sympy.Basic,
    assumptions: Sequence[sympy.Basic],
    meaning: Meaning,
    rule: ChainRule | None = None,
    *,
    is_tight: bool = True,
) -> Verdict:
    """Decide a statement under assumptions.

    Parameters
    ----------
    statement : sympy.Basic
        An equation, a comparison, an equivalence of two of them, or a number with its digits (`Rounded`).
    assumptions : sequence of relations
        What holds for its symbols, beside what they are declared to be.
    meaning : Meaning
        What σ and the constants stand for.
    rule : ChainRule, optional
        What ∂C/∂v and δ_l stand for.
    is_tight : bool
        Whether a comparison is to be refused where a better bound would do.

    Notes
    -----
    An equation is proven by SymPy, or tried. A comparison is certified in ball arithmetic on an interval of one
    symbol, or tried; it must be tight, so that no better bound would do. An equivalence is tried on both sides of
    every place where one of its comparisons switches, and at the place if it is rational.

    """
    if rule is None and all(map(_is_wordless, (statement, *assumptions))):
        return _decided_once(statement, tuple(assumptions), is_tight=is_tight)
    return _decided(statement, assumptions, meaning, rule, is_tight=is_tight)


def _is_wordless(statement: sympy.Basic) -> bool:
    """Return whether a statement is in SymPy's own functions alone, so that it says nothing of σ."""
    return all(type(part).__module__.startswith("sympy.") for part in sympy.preorder_traversal(statement))


@functools.lru_cache(maxsize=1024)
def _decided_once(statement: sympy.Basic, assumptions: tuple[sympy.Basic, ...], *, is_tight: bool) -> Verdict:
    return _decided(statement, assumptions, Meaning(activation("identity")), None, is_tight=is_tight)


def _decided(  # noqa: PLR0911  # one for each kind of statement
    statement: sympy.Basic,
    assumptions: Sequence[sympy.Basic],
    meaning: Meaning,
    rule: ChainRule | None,
    *,
    is_tight: bool,
) -> Verdict:
    try:
        if isinstance(statement, Rounded):
            return _rounded(statement, meaning)
        if isinstance(statement, InNumbers):
            return _in_numbers(statement, meaning)
        if isinstance(statement, WideEquation):
            return _wide(statement, meaning)
        if isinstance(statement, sympy.Eq):
            return _equal(statement, assumptions, meaning, rule)
        if isinstance(statement, Equivalent):
            return _equivalent(statement, assumptions, meaning)
        if isinstance(statement, Relational):
            return _compared(statement, assumptions, meaning, rule, is_tight=is_tight)
    except Undecided as error:
        return Verdict(Outcome.UNKNOWN, reason=str(error))
    return Verdict(Outcome.UNKNOWN, reason=f"no check is known for {statement}")


def _rounded(statement: Rounded, meaning: Meaning) -> Verdict:
    number = meaning.at(statement.lhs, {})
    if number.is_infinite:
        return Verdict(Outcome.FALSE, reason=f"{statement.lhs} is infinite")
    if order(abs(number - statement.rhs), statement.half_unit) <= 0:
        return CERTIFIED
    return Verdict(Outcome.FALSE, reason=f"{statement.lhs} does not round to {statement.rhs}")


def _without_layers(*sides: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return expressions with plain symbols for products over layers and for quantities of a symbolic layer."""
    for kind in (Partial, LayerProduct, LayerVariable):
        found = set().union(*(side.atoms(kind) for side in sides))
        names = {each: sympy.Dummy(f"d{number}", real=True) for number, each in enumerate(sorted(found, key=str))}
        sides = tuple(side.xreplace(names) for side in sides)
    return sides


def _in_numbers(statement: InNumbers, meaning: Meaning) -> Verdict:
    """Check the result; the equation in symbols that it belongs to is checked as a step of its own."""
    numbers, result = statement.numbers, statement.result
    sides = [statement.rhs, statement.lhs] if statement.lhs.has(Width) else [statement.rhs]
    for side in sides:
        if order(abs(meaning.at(side, numbers) - result.rhs), result.half_unit) > 0:
            return Verdict(Outcome.FALSE, reason=f"{side} does not round to {result.rhs}")
    return CERTIFIED


def _wide(statement: WideEquation, meaning: Meaning) -> Verdict:
    return NUMERIC if statement.holds(meaning, _DIGITS) else Verdict(Outcome.FALSE, reason="the matrices differ")


def _equal(
    statement: sympy.Eq, assumptions: Sequence[sympy.Basic], meaning: Meaning, rule: ChainRule | None
) -> Verdict:
    left, right = (_folded(each) for each in statement.args)
    if rule is not None and rule.stated(left):
        if rule.chain.is_symbolic and not rule.stated(right) and rule.by_induction(left, right):
            return EXACT
        known = rule.stated(right)
        left, right = rule.reduced(left, known), rule.reduced(right, rule.stated(right))
    if left == right:
        return EXACT
    left, right = _without_layers(left, right)
    symbols = _symbols(left, right, *assumptions)
    if not symbols:
        return _equal_numbers(meaning.at(left, {}), meaning.at(right, {}))
    tried = 0
    for point in points(symbols, assumptions, meaning, 2 * _COUNT):
        agrees = _agrees_at(left, right, meaning, point)
        if agrees is False:
            return Verdict(Outcome.FALSE, reason=f"the sides differ at {point}"[:200])
        tried += agrees is True
        if tried == _count(left, right):
            break
    if tried < _FEWEST:
        return Verdict(Outcome.UNKNOWN, reason="no points were found at which it can be tried")
    return EXACT if _proven_equal(left, right, assumptions, meaning) else NUMERIC


def _equal_numbers(left: sympy.Expr, right: sympy.Expr) -> Verdict:
    if left == right:
        return EXACT
    try:
        is_equal = order(left, right, asks=_is_simple(left - right)) == 0
    except Undecided:  # no ball can prove that roots of different equations are equal
        return NUMERIC if _agree(left, right) else Verdict(Outcome.UNKNOWN, reason=f"{left} may be {right}")
    return EXACT if is_equal else Verdict(Outcome.FALSE, reason=f"{left} is not {right}")


def _agrees_at(left: sympy.Expr, right: sympy.Expr, meaning: Meaning, point: Point) -> bool | None:
    try:
        return _agree(meaning.at(left, point), meaning.at(right, point))
    except Undecided:
        return None


def _agree(left: sympy.Expr, right: sympy.Expr) -> bool | None:
    """Return whether two exact numbers agree to 50 digits; None where one cannot be computed."""
    if left.is_infinite or right.is_infinite:
        return bool(left == right)
    try:
        difference, scale = enclose(left - right, _BITS), enclose(left, _BITS)
    except Undecided:
        return None
    if not difference.contains(0):
        return False
    return bool(difference.rad() < (1 + abs(scale)) * 10**-_DIGITS) or None


def _proven_equal(left: sympy.Expr, right: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether SymPy finds the difference zero, on each smooth piece of σ that the assumptions leave."""
    if right.has(SlopeInverse) or left.has(SlopeInverse):
        return False  # no formula to see through
    low, high = ends(Z, assumptions)
    difference = _in_parameters(left - right, assumptions)
    pieces = [each for each in meaning.pieces() if each is None or (order(low, each) < 0 < order(high, each))]
    return bool(pieces) and all(any(map(_is_zero, meaning.formulas(difference, near=each))) for each in pieces)


def _in_parameters(expr: sympy.Expr, assumptions: Sequence[sympy.Basic]) -> sympy.Expr:
    """Return an expression with a quantity above or below a positive bound as bound·(1 + u²) or bound/(1 + u²)."""
    for each in assumptions:
        if not isinstance(each, sympy.Gt | sympy.Lt) or not each.rhs.is_positive:
            continue
        factor = 1 + sympy.Dummy(positive=True) ** 2
        written = each.rhs * factor if isinstance(each, sympy.Gt) else each.rhs / factor
        said = expr.subs(each.lhs, written)
        if not said.free_symbols & each.lhs.free_symbols:
            expr = said
    return expr


def _is_zero(difference: sympy.Expr) -> bool:
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    if not _is_simple(difference):
        return False
    written = (difference, difference.rewrite(sympy.exp), difference.rewrite(sympy.log))
    return any(sympy.simplify(each) == 0 for each in dict.fromkeys(written))


def _is_simple(expr: sympy.Expr) -> bool:
    """Return whether SymPy can be asked to simplify an expression without taking long."""
    most = _MOST_OPERATIONS // 2 if expr.has(sympy.exp, *HYPERBOLIC) else _MOST_OPERATIONS
    has_decimals = any(each.q > _MOST_DENOMINATOR for each in expr.atoms(sympy.Rational))
    return expr.count_ops() <= most and not (has_decimals or expr.has(sympy.Max, sympy.Min, sympy.DiracDelta))


def _compared(
    statement: Relational,
    assumptions: Sequence[sympy.Basic],
    meaning: Meaning,
    rule: ChainRule | None,
    *,
    is_tight: bool,
) -> Verdict:
    if rule is not None:
        left = rule.reduced(statement.lhs, rule.stated(statement.rhs))
        right = rule.reduced(statement.rhs, rule.stated(statement.rhs))
        left, right, *assumptions = _without_layers(left, right, *assumptions)
        statement = statement.func(left, right, evaluate=False)
    symbols = _symbols(statement, *assumptions)
    if not symbols:
        found = truth(meaning.at(statement, {}))
        return Verdict(Outcome.UNKNOWN) if found is None else CERTIFIED if found else Verdict(Outcome.FALSE)
    gaps = []
    inner = list(points(symbols, assumptions, meaning, _COUNT))
    edges = (each for each in _edges(symbols, assumptions) if holds(assumptions, each, meaning))
    at_corners = (corner for point in inner for corner in corners(symbols, assumptions, meaning, point))
    for point in (*inner, *edges, *at_corners):
        at = _at(statement, meaning, point)
        found = truth(at)
        if found is False:
            return Verdict(Outcome.FALSE, reason=f"it does not hold at {point}")
        if found:
            gaps.append(_distance(at.lhs, at.rhs))
    if len(gaps) < _FEWEST:
        return Verdict(Outcome.UNKNOWN, reason="no points were found at which it can be tried")
    if is_tight and min(gaps) > _SLACK * sorted(gaps)[len(gaps) // 2]:
        return Verdict(Outcome.FALSE, reason="the bound is not tight")
    return CERTIFIED if _is_certified(statement, symbols, assumptions, meaning) else NUMERIC


def _distance(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    if left.is_infinite or right.is_infinite:
        return sympy.oo
    try:
        return near(abs(left - right))
    except Undecided:
        return sympy.oo


def _edges(symbols: Sequence[sympy.Symbol], assumptions: Sequence[sympy.Basic]) -> Iterator[Point]:
    """Yield points near the ends of the interval of one symbol."""
    if len(symbols) != 1:
        return
    low, high = ends(symbols[0], assumptions)
    yield {symbols[0]: near(low) + _BESIDE if low.is_finite else sympy.Integer(-_FAR)}
    yield {symbols[0]: near(high) - _BESIDE if high.is_finite else sympy.Integer(_FAR)}


def _is_certified(
    statement: Relational, symbols: Sequence[sympy.Symbol], assumptions: Sequence[sympy.Basic], meaning: Meaning
) -> bool:
    """Return whether a strict comparison is proven on the whole interval of its one symbol."""
    if len(symbols) != 1 or not isinstance(statement, sympy.Gt | sympy.Lt):
        return False
    low, high = ends(symbols[0], assumptions)
    wanted = 1 if isinstance(statement, sympy.Gt) else -1
    if statement.rhs == 0 and statement.lhs == Bend(Z):
        profile = meaning.activation.profile
        stated = [each for each in profile.branches if (each.left, each.right) == (low, high)]
        for branch in stated:
            profile.prove(branch)
            return sign(branch.slope_right - branch.slope_left) == wanted
    inside = next(points(symbols, assumptions, meaning, 1))
    formula = meaning.formula(statement.lhs - statement.rhs, near=inside.get(Z) if meaning.breaks else None)
    try:
        return sign_on(Univariate(formula, symbols[0]), low, high) == wanted
    except Undecided:
        return False


def _equivalent(statement: Equivalent, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> Verdict:
    symbols = _symbols(statement, *assumptions)
    seen: set[bool | None] = set()
    for point in _beside_switches(statement, symbols, assumptions, meaning):
        found = {truth(_at(side, meaning, point)) for side in statement.args}
        if None in found:
            continue
        if len(found) > 1:
            return Verdict(Outcome.FALSE, reason=f"the sides differ at {point}"[:200])
        seen |= found
    if seen != {True, False}:
        return Verdict(Outcome.UNKNOWN, reason="no points were found at which it switches")
    return EXACT if _scaled(statement, meaning) else NUMERIC


def _scaled(statement: Equivalent, meaning: Meaning) -> bool:
    """Return whether the two sides are one strict comparison, multiplied by something positive."""
    if not all(isinstance(side, sympy.Gt | sympy.Lt) for side in statement.args):
        return False
    one, other = (side.gts - side.lts for side in statement.args)
    if (one / other).has(SlopeInverse) or not _is_simple(one / other):
        return False
    ratio = sympy.simplify(one / other)
    return bool(ratio.is_positive) or (ratio.is_nonnegative is True and ratio.is_zero is not True)


def _beside_switches(
    statement: Equivalent, symbols: Sequence[sympy.Symbol], assumptions: Sequence[sympy.Basic], meaning: Meaning
) -> Iterator[Point]:
    """Yield sample points, and points on both sides of where a comparison of the statement switches, and there."""
    relations = [each for each in sympy.preorder_traversal(statement) if isinstance(each, Relational)]
    for point in points(symbols, assumptions, meaning, _count(statement)):
        yield point
        for relation in relations:
            for symbol, other in _solved(relation, symbols):
                exact = _at(other, meaning, point)
                edge = _edge(exact)
                if edge is None:
                    continue
                for factor in (1 - _BESIDE, 1 + _BESIDE, *([sympy.S.One] if edge == exact else [])):
                    moved = {**point, symbol: edge * factor + (factor - 1)}
                    if holds(assumptions, moved, meaning) and not (symbol.is_positive and moved[symbol] <= 0):
                        yield moved


def _solved(relation: Relational, symbols: Sequence[sympy.Symbol]) -> Iterator[tuple[sympy.Symbol, sympy.Expr]]:
    """Yield the symbols in which a comparison is linear, each with the value at which it switches."""
    difference = relation.lhs - relation.rhs
    inverses = difference.atoms(SlopeInverse)  # they speak of a z of their own
    hidden = {each: sympy.Dummy(real=True) for each in inverses}
    shown = {dummy: each for each, dummy in hidden.items()}
    difference = difference.xreplace(hidden)
    for symbol in symbols:
        if any(symbol in each.args[0].free_symbols for each in inverses):
            continue
        difference_in = difference.replace(sympy.Abs, lambda part: part) if abs(symbol) in relation.args else difference
        slope = difference_in.diff(symbol)
        if slope != 0 and not slope.has(symbol):
            yield symbol, (-difference_in.subs(symbol, 0) / slope).xreplace(shown)


def _at(expr: sympy.Basic, meaning: Meaning, point: Point) -> sympy.Basic:
    """Return what an expression is at a point; nan where that is not decided."""
    try:
        return meaning.at(expr, point)
    except Undecided:
        return sympy.nan


def _edge(number: sympy.Basic) -> sympy.Rational | None:
    try:
        return near(number) if number.is_finite and number is not sympy.nan else None
    except Undecided:
        return None


def _count(*expressions: sympy.Basic) -> int:
    """Return at how many points to try: fewer where each value takes a search for roots."""
    return _FEW if any(each.has(SlopeInverse, AffineMeasure) for each in expressions) else _COUNT


def _symbols(*expressions: sympy.Basic) -> list[sympy.Symbol]:
    found = set().union(*(each.free_symbols for each in expressions))
    return sorted(found - {each for each in found if not isinstance(each, sympy.Symbol)}, key=str)


def _folded(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with products that were kept in order for printing as SymPy has them."""
    if isinstance(expr, sympy.Mul | sympy.Add):
        return expr.func(*(_folded(each) for each in expr.args))
    if isinstance(expr, sympy.Limit) and expr.has(Sigma, Slope):
        return expr  # the meaning finds it, from the formula on its side
    if expr.has(sympy.Derivative, sympy.Integral, sympy.Sum) or isinstance(expr, sympy.Limit | sympy.Product):
        return expr.doit()
    return expr
