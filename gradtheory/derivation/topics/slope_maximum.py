"""The slope of an activation: its formula, where it rises and falls, its limits, and so its supremum."""

import itertools
from collections.abc import Iterator

import sympy

from gradtheory.activations import Activation, Branch, Z, activation
from gradtheory.activations.slopes.switches import formula_near, switches
from gradtheory.arithmetic.root import Root
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.functions import Logistic, NormalDensity, NormalDistribution
from gradtheory.derivation.language import STEEPEST, Bend, Sigma, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum
from gradtheory.formulas.spelling import cases

# σ' as a function of σ, which `Z` stands for, where σ solves such a differential equation.
SLOPE_OF_VALUE = {
    "arctan": sympy.cos(Z) ** 2,
    "arsinh": 1 / sympy.cosh(Z),
    "gudermannian": sympy.cos(Z),
    "log_sigmoid": 1 - sympy.exp(Z),
    "sigmoid": Z * (1 - Z),
    "softsign": (1 - sympy.Abs(Z)) ** 2,
    "tanh": 1 - Z**2,
}
_AFTER_LOGISTIC = WrittenSum(sympy.S.One, WrittenProduct((Z, WrittenSum(sympy.S.One, -Logistic(Z)))))
# σ' as textbooks write it, where that is neither the derivative as SymPy finds it nor a function of σ; and the rule.
_TEXTBOOK = {
    "gelu": (WrittenSum(NormalDistribution(Z), Z * NormalDensity(Z)), "slope_by_normal"),
    "silu": (WrittenProduct((Logistic(Z), _AFTER_LOGISTIC)), "slope_by_logistic"),
}
_SQUARE_AND_1 = (1 + sympy.exp(Z)) ** 2 + 1
_BEND_OF_TEXTBOOKS = {
    "gelu": WrittenProduct((WrittenSum(sympy.Integer(2), -(Z**2)), NormalDensity(Z))),
    "mish": WrittenProduct(
        (
            4 * sympy.exp(Z) / _SQUARE_AND_1**3,
            WrittenSum(
                WrittenProduct((sympy.Integer(2), 1 + sympy.exp(Z), _SQUARE_AND_1)),
                WrittenProduct(
                    (Z, WrittenSum(sympy.Integer(2), 2 * sympy.exp(Z), -3 * sympy.exp(2 * Z), -2 * sympy.exp(3 * Z)))
                ),
            ),
        )
    ),
    "silu": WrittenSum(sympy.Integer(2), -Z * sympy.tanh(Z / 2)) / (4 * sympy.cosh(Z / 2) ** 2),
}
_DIGITS = 12


def slope_maximum(question: Question) -> Answer:
    """Derive sup|σ'| by calculus: the monotone branches of σ', and its values and limits at their ends."""
    return Answer((question.formula,), tuple(_steps(question)))


def slope_formula(question: Question) -> Iterator[Step]:
    """Yield what σ' is: on the whole line, and where it is one, as a function of σ."""
    record, slope = question.activation, slope_off_kinks(question)
    is_written_everywhere = slope == record.slope_expr
    places = record.kinks
    if record.branches is None and record.period is None and switches(slope):  # at which SymPy's derivative is another
        places = question.meaning.breaks
    off = tuple(sympy.Ne(Z, place) for place in places if is_written_everywhere)
    rule = "differentiate_sigmoid" if record.name == "sigmoid" else "differentiate"
    yield Step(equation(Slope(Z), slope), rule, question.meaning, off, section="slope")
    by_hand = slope_by_hand(record)
    if by_hand is not None:
        named = "logistic" if record.name == "sigmoid" else None
        _, rule = _TEXTBOOK.get(record.name, (None, "slope_of_value"))
        yield Step(equation(Slope(Z), by_hand), rule, question.meaning, fact=named, section="slope")


def slope_by_hand(record: Activation) -> sympy.Expr | None:
    """Return σ' as textbooks put it into a product: as a function of σ, or of S, Φ and φ; None where there is none."""
    if record.name in SLOPE_OF_VALUE:
        return SLOPE_OF_VALUE[record.name].xreplace({Z: Sigma(Z)})
    written, _ = _TEXTBOOK.get(record.name, (None, ""))
    return written


def slope_off_kinks(question: Question) -> sympy.Expr:
    """Return σ' by cases that leave the kinks out, where there is no slope: for relu 1 for z > 0, and 0 for z < 0."""
    record = question.activation
    slope = record.slope_expr
    if not isinstance(slope, sympy.Piecewise) or set(record.kinks) != set(question.meaning.breaks):
        return slope
    pairs = [
        (value, condition.replace(sympy.Ge, sympy.Gt).replace(sympy.Le, sympy.Lt)) for value, condition in cases(slope)
    ]
    return sympy.Piecewise(*pairs)


def _steps(question: Question) -> Iterator[Step]:
    record, meaning = question.activation, question.meaning
    yield from slope_formula(question)
    bend = _bend(record)
    if bend is not None:
        yield Step(equation(Bend(Z), bend), "bend_of_value", meaning, section="monotone")
    branches = record.profile.branches
    for branch in branches:
        where = within(branch)
        if branch.is_flat:
            yield Step(equation(Slope(Z), branch.slope_left), "flat", meaning, where, section="monotone")
        else:
            reason = ("rises" if branch.rises else "falls") + ("" if branch.direction > 0 else "_below_0")
            bend = formula_near(record.slope_expr, Z, branch.inside).diff(Z)
            if bend.is_number:
                yield Step(equation(Bend(Z), bend), reason, meaning, where, section="monotone")
                continue
            sense = sympy.Gt if branch.rises == (branch.direction > 0) else sympy.Lt
            yield Step(sense(Bend(Z), 0, evaluate=False), reason, meaning, where, section="monotone")
    yield from _at_ends(question, record)
    steepest = record.steepest_slope
    yield Step(equation(STEEPEST, _at_a_zero(record) or steepest), "greatest_of_ends", meaning, section="supremum")
    if not steepest.is_Rational and steepest.is_finite:
        yield Step(Rounded.of(STEEPEST, steepest, _DIGITS), "digits", meaning, section="supremum")


def _bend(record: Activation) -> sympy.Expr | None:
    """Return σ'' in terms of σ and σ', or as textbooks write it; None where neither says where the slope rises."""
    in_sigma = SLOPE_OF_VALUE.get(record.name)
    if in_sigma is None or in_sigma.has(sympy.Abs):
        known = (bend for name, bend in _BEND_OF_TEXTBOOKS.items() if record.expr == activation(name).expr)
        return next(known, None)
    rate = in_sigma.diff(Z).xreplace({Z: Sigma(Z)})
    return WrittenProduct((Slope(Z), rate)) if rate.is_Add else rate * Slope(Z)


def _at_a_zero(record: Activation) -> sympy.Expr | None:
    """Return |σ'(z_k)| where that is sup|σ'|, and z_k a zero of σ'' without a formula."""
    for branch in record.profile.branches:
        place = branch.right
        if has_no_formula(place) and abs(branch.slope_right) == record.steepest_slope:
            return Slope(place) if branch.slope_right.is_positive else -Slope(place)
    return None


def has_no_formula(place: sympy.Expr) -> bool:
    """Return whether a place on the line of z is known by an equation only."""
    return isinstance(place, Root) and place.value in place.function.variables and str(place.value) == "z"


def _at_ends(question: Question, record: Activation) -> Iterator[Step]:
    """Yield the values of σ' at the ends of the branches, one-sided where they differ."""
    meaning, branches = question.meaning, record.profile.branches
    first, last = branches[0], branches[-1]
    if record.period is None:
        yield _limit(question, -sympy.oo, "+", first.slope_left)
    for left, right in itertools.pairwise(branches):
        if left.right in record.kinks:
            yield _limit(question, left.right, "-", left.slope_right)
            yield _limit(question, left.right, "+", right.slope_left)
        else:
            place, value = left.right, left.slope_right
            written = place.has(Root) and not value.is_Rational
            statement = Rounded.of(Slope(place), value, _DIGITS) if written else equation(Slope(place), value)
            rule = "place_of_zero" if has_no_formula(place) and value == 0 else "value"
            yield Step(statement, rule, meaning, section="ends")
    if record.period is None:
        yield _limit(question, sympy.oo, "-", last.slope_right)


def _limit(question: Question, end: sympy.Expr, side: str, value: sympy.Expr) -> Step:
    limit = sympy.Limit(Slope(Z), Z, end, side)
    return Step(equation(limit, value), "limit", question.meaning, section="ends")


def within(branch: Branch) -> tuple[sympy.Basic, ...]:
    """Return the condition that z lies in a branch."""
    bounds = []
    if branch.left.is_finite:
        bounds.append(sympy.Gt(Z, branch.left, evaluate=False))
    if branch.right.is_finite:
        bounds.append(sympy.Lt(Z, branch.right, evaluate=False))
    return tuple(bounds)
