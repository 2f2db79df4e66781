"""Initialisation: how large the factors of a chain can be before training, and with which probability."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.facts import DEPTH, LAYER, C
from gradtheory.derivation.language import STEEPEST
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.weight_decay import CRITICAL, steepest
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import WrittenProduct

_SIGMA, _WIDEST, _EACH = sympy.symbols("sigma_w r p", positive=True)
_WEIGHT = sympy.Symbol("w", real=True)
_MISSED = sympy.Symbol("q", nonnegative=True)
_NONE = sympy.Symbol("P", real=True)
_DIGITS = 10


def initialisation(question: Question) -> Answer:
    """Derive with which probability no factor of a chain exceeds c at any input, for normal and uniform weights."""
    numbers = question.numbers(_SIGMA, C)
    definitions = equation(CRITICAL, C / STEEPEST), question.formula
    return Answer(definitions, tuple(_steps(question, numbers)), numbers=numbers)


def _steps(question: Question, numbers: dict[sympy.Symbol, sympy.Expr]) -> Iterator[Step]:
    yield from steepest(question, "factor_bound")
    if question.activation.steepest_slope.is_infinite:
        return

    def step(statement: sympy.Basic, rule: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section="probability")

    beyond = (
        sympy.Gt(WrittenProduct((_WIDEST, STEEPEST)), C, evaluate=False),
        sympy.Gt(_WIDEST, C / STEEPEST, evaluate=False),
    )
    yield Step(Equivalent(*beyond), "widest_weight", question.meaning, section="factor_bound")
    density = sympy.exp(-(_WEIGHT**2) / (2 * _SIGMA**2)) / (_SIGMA * sympy.sqrt(2 * sympy.pi))
    within = sympy.erf(CRITICAL / (sympy.sqrt(2) * _SIGMA))
    yield step(equation(sympy.Integral(density, (_WEIGHT, -CRITICAL, CRITICAL)), within), "normal_integral")
    uniform = sympy.Integral(1 / (2 * _WIDEST), (_WEIGHT, -CRITICAL, CRITICAL))
    yield step(equation(uniform, CRITICAL / _WIDEST), "uniform_integral", sympy.Lt(CRITICAL, _WIDEST))
    yield step(equation(sympy.Product(_EACH, (LAYER, 1, DEPTH)), _EACH**DEPTH), "independent")
    union = sympy.Ge((1 - _MISSED) ** DEPTH, 1 - DEPTH * _MISSED, evaluate=False)
    yield step(union, "union_bound", sympy.Le(_MISSED, 1))
    if numbers:
        yield _in_numbers(question, numbers)


def _in_numbers(question: Question, numbers: dict[sympy.Symbol, sympy.Expr]) -> Step:
    """Return the probability for the values of σ_w and c."""
    for symbol, number in numbers.items():
        if number.is_positive is not True:
            raise InvalidArgument("values", f"{symbol} = {number}", "must be positive, such as 1")
    if isinstance(question.depth, sympy.Symbol):
        raise InvalidArgument("depth", question.depth, "must be a number where values are given, such as 10")
    none = sympy.erf(C / (sympy.sqrt(2) * STEEPEST * _SIGMA)) ** question.depth
    value = question.meaning.value(none, numbers)
    return Step(
        InNumbers.of(_NONE, none, numbers, value, _DIGITS), "none_explodes", question.meaning, section="numbers"
    )
