"""Equations: proven by SymPy, or tried to 50 digits at sample points."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import sympy

from gradtheory.activations import T, Z
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import enclose, order
from gradtheory.derivation.checks.simplicity import is_simple
from gradtheory.derivation.checks.telescoping import layer_identity
from gradtheory.derivation.checks.trial import FEWEST_POINTS, POINTS, UNTRIED, Trial, point_count
from gradtheory.derivation.checks.verdict import CERTIFIED, EXACT, NUMERIC, Verdict, false, unknown
from gradtheory.derivation.graph import without_layers
from gradtheory.derivation.language import AffineMeasure, ChainMeasure, Measure, OfSigma, Sigma, Slope, Width
from gradtheory.derivation.meaning import Meaning, Point
from gradtheory.derivation.proofs import (
    in_measures,
    in_shares,
    is_equal_number,
    is_identity,
    is_length,
    is_nonzero_somewhere,
    solves,
    with_signs,
)
from gradtheory.derivation.proofs.signs import factored
from gradtheory.errors import Undecided

_DIGITS = 50
_BITS = 320


def check_equation(statement: sympy.Eq, trial: Trial) -> Verdict:
    """Compare both sides at sample points, and ask SymPy whether their difference is zero."""
    left, right = map(_evaluated, statement.args)
    rule = trial.chain_rule
    if rule is not None and rule.stated(left):
        if rule.chain.is_symbolic and rule.by_induction(left, rule.factors_of_layers(right)):
            return EXACT
        known = rule.stated(right)
        whole = left, right
        left, right = rule.reduced(left, known), rule.reduced(right, known)
        if left != right and known:  # derivatives of a layer by the one before it, which the left side passes through
            left, right = map(rule.reduced, whole)
    verdict = _check_sides(left, right, trial)
    if verdict.is_true is True or rule is None:
        return verdict
    shown = rule.with_activations(left), rule.with_activations(right)  # a_L - y is σ(z_L) - y
    return _check_sides(*shown, trial) if shown != (left, right) else verdict


def _check_sides(left: sympy.Expr, right: sympy.Expr, trial: Trial) -> Verdict:
    if left == right:
        return EXACT
    left, right = without_layers(left, right)
    symbols = trial.symbols(left, right)
    if not symbols:
        return _compare_numbers(left, right, trial.meaning)
    count = point_count(left, right)
    verdict, tried = unknown(UNTRIED), 0
    for point in trial.points(symbols, 2 * POINTS):
        agrees = _agree_at(left, right, trial, point)
        if agrees is False:
            return false(f"the sides differ at {point}"[:200])
        tried += agrees is True
        if agrees and tried == FEWEST_POINTS:
            verdict = _proven(left, right, trial)
        if verdict in (EXACT, CERTIFIED) or tried == count:
            break
    return verdict


def _proven(left: sympy.Expr, right: sympy.Expr, trial: Trial) -> Verdict:
    """Return how an equation that holds at some points is proven, or that it is not."""
    try:
        _ = trial.meaning.breaks
    except Undecided:  # of a wave there may be switches without end
        return NUMERIC
    parts = _independent(left, right)
    is_proven = len(parts) > 1 and all(_is_proven(*pair, trial) for pair in parts)
    if is_proven or _is_proven(left, right, trial) or _is_same(*map(in_measures, (left, right))):
        return EXACT
    one_layer = layer_identity(left, right, trial)
    if one_layer is not None and check_equation(one_layer, replace(trial, assumptions=())) == EXACT:
        return EXACT
    return _by_branches(left, right, trial)


def _by_branches(left: sympy.Expr, right: sympy.Expr, trial: Trial) -> Verdict:
    """Return whether lengths of sets, and places where |σ'| = t, are proven from the branches of σ'."""
    meaning = trial.meaning
    is_place = isinstance(left, sympy.Abs) and isinstance(left.args[0], Slope) and right == T
    if is_place and solves(left.args[0].args[0], trial.assumptions, meaning):
        return CERTIFIED
    return CERTIFIED if is_length(left, right, trial.assumptions, meaning) else NUMERIC


def _evaluated(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression as SymPy has it: products that were kept in order multiplied, derivatives and sums done."""
    if isinstance(expr, sympy.Mul | sympy.Add):
        return expr.func(*map(_evaluated, expr.args))
    if isinstance(expr, sympy.Limit) and expr.has(Sigma, Slope):
        return expr  # the meaning takes it, of the formula on its side
    if expr.has(sympy.Derivative, sympy.Integral, sympy.Sum) or isinstance(expr, sympy.Limit | sympy.Product):
        return expr.doit()
    return expr


def _compare_numbers(one: sympy.Expr, other: sympy.Expr, meaning: Meaning) -> Verdict:
    left, right = (meaning.value(side, {}) for side in (one, other))
    if left == right:
        return EXACT
    try:
        is_equal = order(left, right, ask_sympy=is_simple(left - right)) == 0
    except Undecided:  # no ball can prove that roots of different equations are equal
        if not _agree(left, right):
            return unknown(f"{left} may be {right}")
        has_roots = any(power.exp == sympy.S.Half for power in left.atoms(sympy.Pow))
        pairs = [(left, right), (one, other)]
        pairs += [(left**2, right**2)] if has_roots else []  # they agree, so in sign too
        return EXACT if any(is_equal_number(*pair, meaning) for pair in pairs) else NUMERIC
    return EXACT if is_equal else false(f"{left} is not {right}")


def _agree_at(left: sympy.Expr, right: sympy.Expr, trial: Trial, point: Point) -> bool | None:
    try:
        return _agree(trial.meaning.value(left, point), trial.meaning.value(right, point))
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


def _is_proven(left: sympy.Expr, right: sympy.Expr, trial: Trial) -> bool:
    """Return whether SymPy proves the difference zero, on each smooth piece of σ that the assumptions leave."""
    if right.has(SlopeInverse) or left.has(SlopeInverse):
        return False  # no formula to see through
    low, high = trial.interval(Z)
    difference = _in_parameters(left - right, trial)
    assumptions, (signed,) = with_signs(trial.assumptions, left - right)
    meaning = trial.meaning
    if (by_place := _by_places(in_shares(assumptions, signed), meaning)) is not None and is_identity(by_place):
        return True
    is_one_place = not meaning.breaks or {word.args[0] for word in difference.atoms(OfSigma)} <= {Z}
    ends = (-sympy.oo, *meaning.breaks, sympy.oo)
    overlaps = (order(low, right) < 0 < order(high, left) for left, right in itertools.pairwise(ends))
    places = [place for place, is_met in zip(meaning.pieces(), overlaps, strict=True) if is_met]
    return bool(places) and all(
        any(map(_is_zero, _on_piece(difference, place, meaning)))
        or (
            is_one_place
            and any(is_identity(form) for side in (difference, signed) for form in _on_piece(side, place, meaning))
        )
        for place in places
    )


def _by_places(expr: sympy.Expr, meaning: Meaning) -> sympy.Expr | None:
    """Return an expression with the formula of σ that holds at the place of each word, where signs tell which does."""
    if not meaning.breaks:
        return None
    while words := expr.atoms(OfSigma):
        word = next(each for each in words if not each.args[0].has(OfSigma))
        above = [factored(word.args[0] - each).is_positive for each in meaning.breaks]
        below = [factored(word.args[0] - each).is_negative for each in meaning.breaks]
        if not all(one or other for one, other in zip(above, below, strict=True)):
            return None
        expr = expr.xreplace({word: meaning.formula(word, near=meaning.pieces()[above.count(True)])})
    return expr


def _on_piece(difference: sympy.Expr, place: sympy.Rational | None, meaning: Meaning) -> Iterator[sympy.Expr]:
    """Yield an expression as formulas on the smooth piece of σ around a place."""
    for formula in meaning.formulas(difference, near=place):
        yield formula_near(formula, Z, place) if formula.free_symbols == {Z} and place is not None else formula


def _independent(left: sympy.Expr, right: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Return an equation of products as equations of those of their factors that share symbols."""
    groups: list[tuple[set[sympy.Symbol], list[sympy.Expr], list[sympy.Expr]]] = []
    for is_right, factors in enumerate(map(sympy.Mul.make_args, (left, right))):
        for factor in factors:
            symbols, mine, other = set(factor.free_symbols), *(([], [factor]) if is_right else ([factor], []))
            touching = [group for group in groups if group[0] & symbols or not (group[0] or symbols)]
            for group in touching:
                groups.remove(group)
                symbols, mine, other = symbols | group[0], mine + group[1], other + group[2]
            groups.append((symbols, mine, other))
    return [(sympy.Mul(*mine), sympy.Mul(*other)) for _, mine, other in groups]


def _is_same(left: sympy.Expr, right: sympy.Expr) -> bool:
    if left == right or left.has(SlopeInverse) or right.has(SlopeInverse):  # no formula to see through
        return bool(left == right)
    difference = _without_lengths(left - right)
    return is_simple(difference) and not is_nonzero_somewhere(difference) and sympy.simplify(difference) == 0


def _in_parameters(expr: sympy.Expr, trial: Trial) -> sympy.Expr:
    """Return an expression with a quantity above or below a positive bound as bound·(1 + u²) or bound/(1 + u²)."""
    for bound in trial.assumptions:
        if not isinstance(bound, sympy.Gt | sympy.Lt) or not bound.rhs.is_positive:
            continue
        factor = 1 + sympy.Dummy(positive=True) ** 2
        size = bound.rhs * factor if isinstance(bound, sympy.Gt) else bound.rhs / factor
        replaced = expr.subs(bound.lhs, size)
        if not replaced.free_symbols & bound.lhs.free_symbols:
            expr = replaced
    return expr


def _is_zero(difference: sympy.Expr) -> bool:
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    if not is_simple(difference):
        return False
    difference = _without_lengths(difference)
    if is_nonzero_somewhere(difference):
        return False
    forms = (difference, difference.rewrite(sympy.exp), difference.rewrite(sympy.log))
    return any(sympy.simplify(form) == 0 for form in dict.fromkeys(forms))


def _without_lengths(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with a symbol for each length of a set, in which SymPy would search for long."""
    lengths = expr.atoms(AffineMeasure, ChainMeasure, Measure, Width)
    return expr.xreplace({length: sympy.Dummy(nonnegative=True) for length in lengths})
