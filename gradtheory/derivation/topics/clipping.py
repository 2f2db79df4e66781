"""Gradient clipping: how long a step and how far a run can be, and what is left of the direction."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.facts import C
from gradtheory.derivation.language import STEEPEST
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.weight_decay import ETA, steepest
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_MOST, _NORM, _FACTOR, _RATIO, _LEAST = sympy.symbols("M r f rho varepsilon", positive=True)
_CUT, _LARGE = sympy.symbols("s x", real=True)
_STEPS, _NUMBER, _COUNT = sympy.symbols("T t n", integer=True, positive=True)
_START = sympy.Symbol("w_0", real=True)
_WEIGHT, _GRADIENT, _FIRST, _SECOND, _UNCUT = sympy.symbols("w g g_1 g_2 u", real=True)
_SIZES = sympy.symbols("s_1 s_2", real=True)


def clipping(question: Question) -> Answer:
    """Derive what clipping by norm, by value and by the ratio to the weight guarantees."""
    return Answer((equation(_FACTOR, sympy.Min(1, _MOST / _NORM)), question.formula), tuple(_steps(question)))


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    length, most = ETA * sympy.Min(1, _MOST / _NORM) * _NORM, WrittenProduct((ETA, _MOST))
    norm = sympy.sqrt(_FIRST**2 + _SECOND**2)
    clipped = sympy.sqrt((_FACTOR * _FIRST) ** 2 + (_FACTOR * _SECOND) ** 2)
    yield step(equation(clipped, _FACTOR * norm), "clipped_norm", "by_norm")
    yield step(sympy.Le(length, most, evaluate=False), "step_length", "by_norm")
    cosine = (_FACTOR * _FIRST * _FIRST + _FACTOR * _SECOND * _SECOND) / (_FACTOR * norm * norm)
    yield step(equation(cosine, sympy.S.One), "same_direction", "by_norm", sympy.Gt(_FIRST**2 + _SECOND**2, 0))
    travel = WrittenProduct((_STEPS, ETA, _MOST))
    yield step(equation(sympy.Sum(most, (_NUMBER, 1, _STEPS)), travel), "travel", "by_norm")
    yield from steepest(question, "by_norm")
    if question.activation.steepest_slope.is_finite:
        reached = sympy.Gt(WrittenSum(abs(_START), travel), C / STEEPEST, evaluate=False)
        time = sympy.Gt(
            _STEPS,
            as_made(sympy.Mul, C / STEEPEST - abs(_START), as_made(sympy.Pow, most, sympy.S.NegativeOne)),
            evaluate=False,
        )
        yield step(Equivalent(reached, time), "earliest_explosion", "by_norm")

    cut = sympy.Max(-_MOST, sympy.Min(_MOST, _GRADIENT))
    yield step(sympy.Le(abs(cut), _MOST, evaluate=False), "cut", "by_value")
    one, other = _SIZES
    squares = sympy.Le(one**2 + other**2, (one + other) ** 2, evaluate=False)
    yield step(squares, "sum_of_squares", "by_value", sympy.Ge(one, 0), sympy.Ge(other, 0))
    yield step(
        equation((_CUT + _UNCUT) ** 2 - (_CUT**2 + _UNCUT), _UNCUT * (2 * _CUT - 1 + _UNCUT)),
        "square_of_sum",
        "by_value",
    )
    cosine = (_CUT + _UNCUT) / (sympy.sqrt(_CUT**2 + _UNCUT) * sympy.sqrt(_COUNT))
    least = 1 / sympy.sqrt(_COUNT)
    sizes = sympy.Ge(_CUT, 1), sympy.Ge(_UNCUT, 0)
    yield step(sympy.Ge(cosine, least, evaluate=False), "clip_cosine", "by_value", *sizes)
    alone = WrittenSum(_LARGE, _COUNT, sympy.S.NegativeOne) / (sympy.sqrt(_LARGE**2 + _COUNT - 1) * sympy.sqrt(_COUNT))
    yield step(equation(sympy.Limit(alone, _LARGE, sympy.oo), least), "cosine_approached", "by_value")

    size = sympy.Max(abs(_WEIGHT), _LEAST)
    step_taken = sympy.Abs(WrittenSum(_WEIGHT, -ETA * _GRADIENT), evaluate=False)
    moved = sympy.Le(step_taken, WrittenProduct((1 + ETA * _RATIO, size)), evaluate=False)
    yield step(moved, "adaptive_step", "adaptive", sympy.Le(abs(_GRADIENT), _RATIO * size))
    growth = sympy.Product(1 + ETA * _RATIO, (_NUMBER, 1, _STEPS))
    yield step(equation(growth, (1 + ETA * _RATIO) ** _STEPS), "adaptive_growth", "adaptive")
