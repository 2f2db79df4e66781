"""The widest explosion set over all weights: stationary, unique, and its value and place to any number of digits."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import Activation, T, WidestPoint, Z
from gradtheory.arithmetic.root import Root
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.facts import C, W
from gradtheory.derivation.language import WEAK_NORM, WIDEST_AT, Measure, Slope, Width
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_off_kinks
from gradtheory.explosion import WidestExplosion, widest_explosion
from gradtheory.formulas import WrittenProduct

_DIGITS = 30
_MOST_OPERATIONS = 40  # of an expression that SymPy is asked to simplify: it may take minutes for more


def widest(question: Question) -> Answer:
    """Derive K = sup_w c·|X_w|: where it lies, why nowhere else, and its digits."""
    widest_set = widest_explosion(question.activation)
    definitions = equation(T, C / abs(W)), question.formula, equation(Slope(Z), slope_off_kinks(question))
    return Answer(definitions, tuple(_steps(question, widest_set)))


def why_infinite(record: Activation) -> str:
    """Return the rule by which K is infinite."""
    return "infinite" if record.period is None else "repeats"


def root(question: Question, widest_set: WidestExplosion, digits: int, section: str, rule: str) -> Iterator[Step]:
    """Yield the equation of the zero that K is written with, where a rule says why it is that, and its digits."""
    width, equality = widest_set.width, widest_set.equation
    if not isinstance(width, Root):
        return
    s = Root(width.function, width.lower, width.upper)
    if rule and equality is not None and not equality.has(sympy.Derivative):  # which speaks of m, that has no formula
        at_root = [side.xreplace({width.function.variables[0]: s}) for side in equality.args]
        place = question.activation.widest_point
        level = () if place is None else (("level", place.level.xreplace({place.parameter: s})),)
        yield Step(equation(*at_root), rule, question.meaning, section=section, shown=(*between(s), *level))
    yield Step(Rounded.of(s, s, digits), "digits", question.meaning, section=section)


def between(zero: Root) -> tuple[tuple[str, sympy.Expr], tuple[str, sympy.Expr]]:
    """Return the ends of the interval in which a zero is the only one, for a reason to name."""
    return ("low", zero.lower), ("high", zero.upper)


def _steps(question: Question, widest_set: WidestExplosion) -> Iterator[Step]:
    meaning, record = question.meaning, question.activation
    yield question.fact("width", "measure")
    yield Step(equation(Width(C / T, C), T * Measure(T) / C), "in_level", meaning, section="measure")
    place, stationary = record.widest_point, list[Step]()
    if place is not None:
        stationary += _stationary(question, place)
    yield from stationary
    if widest_set.width.is_infinite:
        yield Step(equation(WEAK_NORM, sympy.oo), why_infinite(record), meaning, section="value")
        return
    is_only_zero = any(step.rule == "factor_at_the_end" for step in stationary)
    yield from root(question, widest_set, _DIGITS, "value", "root_of_factor" * is_only_zero)
    yield Step(
        equation(WEAK_NORM, widest_set.width),
        "norm_value" if widest_set.is_attained else "approached",
        meaning,
        section="value",
    )
    if not widest_set.width.is_Rational:
        yield Step(Rounded.of(WEAK_NORM, widest_set.width, _DIGITS), "digits", meaning, section="value")
    if widest_set.weight.is_infinite:
        return
    rule = "place" if widest_set.is_attained else "place_approached"
    yield Step(equation(WIDEST_AT, widest_set.weight), rule, meaning, section="value")
    if not widest_set.weight.is_Rational:
        yield Step(Rounded.of(WIDEST_AT, widest_set.weight, _DIGITS), "digits", meaning, section="value")
    if widest_set.is_attained:
        yield Step(equation(Width(WIDEST_AT, 1), WEAK_NORM), "attained", meaning, section="value")
    yield question.fact("widest", "value")


def _stationary(question: Question, place: WidestPoint) -> Iterator[Step]:
    """Yield level and measure in one parameter s, the derivative of their product, and the sign of what decides it."""
    meaning = question.meaning
    s = place.parameter
    inside = _range(place, question.activation.steepest_slope)
    rule, half = "parameter", place.measure / 2
    if _is_even_about_0(question.activation):
        at_half = equation(Slope(half), place.level)
        yield Step(at_half, "slope_at_half", meaning, inside, section="stationary", shown=(("half", half),))
        rule = "parameter_of_even"
    measured = equation(Measure(place.level), place.measure)
    yield Step(measured, rule, meaning, inside, section="stationary", shown=(("half", half),))
    product = place.level * place.measure
    if place.equation is None:
        return
    if s not in (place.measure, product):
        both = WrittenProduct(place.level, Measure(place.level))
        yield Step(equation(both, product), "level_times_measure", meaning, inside, section="stationary")
    deciding = place.equation.lhs - place.equation.rhs
    number, factor = _shortest(product.diff(s) / deciding).as_coeff_Mul()
    if number.is_Rational and number != 1:
        content, deciding = sympy.expand(number * deciding).as_content_primitive()
        factor *= content
    else:
        factor *= number
    yield Step(
        equation(sympy.Derivative(product, s), factor * deciding),
        "product_slope",
        meaning,
        inside,
        section="stationary",
    )
    rate = _shortest(deciding.diff(s))
    yield Step(equation(sympy.Derivative(deciding, s), rate), "deciding_slope", meaning, inside, section="stationary")
    if not rate.is_number:
        sign_there = sympy.Gt if rate.subs(s, _inner(place)).evalf() > 0 else sympy.Lt
        yield Step(sign_there(rate, 0, evaluate=False), "one_zero", meaning, inside, section="stationary")
        if place.solution is None and deciding.count_ops() <= _MOST_OPERATIONS and place.level != s:
            for end, side, rule in ((sympy.S.Zero, "+", "factor_at_the_start"), (sympy.oo, "-", "factor_at_the_end")):
                limit = sympy.Limit(deciding, s, end, side)
                yield Step(equation(limit, limit.doit()), rule, meaning, section="stationary")
    if place.solution is not None and place.equation != equation(s, place.solution):
        zero = Equivalent(place.equation, equation(s, place.solution), evaluate=False)
        yield Step(zero, "stationary_at", meaning, inside, section="stationary")


def _is_even_about_0(record: Activation) -> bool:
    """Return whether |σ'| rises up to 0 and falls from there on, as it is written: σ'(-z) = σ'(z)."""
    branches = record.profile.branches
    is_one_hill = [branch.rises for branch in branches] == [True, False] and branches[0].right == 0
    return is_one_hill and record.slope_expr.xreplace({Z: -Z}) == record.slope_expr


def _shortest(expr: sympy.Expr) -> sympy.Expr:
    """Return the shortest form of an expression that SymPy finds."""
    if not expr.has(sympy.cosh, sympy.sinh, sympy.tanh, sympy.exp):
        return sympy.factor(expr)
    if expr.count_ops() > _MOST_OPERATIONS:
        return expr
    in_exponentials = sympy.simplify(expr.rewrite(sympy.exp))
    forms = (expr, sympy.simplify(expr), sympy.simplify(in_exponentials.rewrite(sympy.cosh)), in_exponentials)
    return min(forms, key=sympy.count_ops)


def _range(place: WidestPoint, steepest: sympy.Expr) -> tuple[sympy.Basic, ...]:
    """Return the conditions on the parameter: above 0, and below sup|σ'| where it is the level itself."""
    s = place.parameter
    above = (sympy.Gt(s, 0, evaluate=False),)
    return (*above, sympy.Lt(s, steepest, evaluate=False)) if place.level == s else above


def _inner(place: WidestPoint) -> sympy.Expr:
    return place.solution if place.solution is not None else sum(place.between) / 2
