"""Recurrent layers: how far gradients reach through time, the critical scale of the weights, and a gate."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.functions import Logistic, Mean
from gradtheory.derivation.language import STEEPEST, Sigma, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.weight_decay import steepest
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_STATE, _W, _INPUT, _NEXT_INPUT, _Z, _NEXT = sympy.symbols("h w u v z y", real=True)
_NORMAL, _OTHER, _THIRD, _DRAWN, _GATE = sympy.symbols("xi zeta nu omega g", real=True)
_SIZE, _SLOPES = sympy.symbols("s D", positive=True)
_FED, _BIAS, _VALUE, _SLOPE, _HELD = sympy.symbols("r b a d p", real=True)


def recurrent(question: Question) -> Answer:
    """Derive the spectral condition of recurrent layers, their critical scale σ_w, and the factor of a gated step."""
    state = equation(_NEXT, _after(_STATE, _INPUT))
    return Answer((state, question.formula), tuple(_steps(question)))


def _after(state: sympy.Expr, fed: sympy.Symbol) -> sympy.Expr:
    return WrittenSum(WrittenProduct((_W, Sigma(state))), fed)


def _steps(question: Question) -> Iterator[Step]:
    record, meaning = question.activation, question.meaning

    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, meaning, assumptions, section=section)

    middle = _after(_STATE, _INPUT)
    twice = sympy.Derivative(_after(middle, _NEXT_INPUT), _STATE)
    off = tuple(sympy.Ne(each, kink) for kink in meaning.breaks for each in (_STATE, middle))
    product = WrittenProduct((Slope(middle), _W), (Slope(_STATE), _W))
    yield step(equation(twice, product), "two_steps", "through_time", *off)
    yield from steepest(question, "through_time")
    if record.steepest_slope.is_finite:
        yield question.fact("error_bound", "through_time")
        yield question.fact("recurrent_bound", "through_time")
        grows = (
            sympy.Gt(WrittenProduct((_SIZE, STEEPEST)), 1, evaluate=False),
            sympy.Gt(_SIZE, 1 / STEEPEST, evaluate=False),
        )
        yield step(Equivalent(*grows), "spectral_condition", "through_time")

    parts = WrittenSum(WrittenProduct((_SIZE, _VALUE, _NORMAL)), _FED * _OTHER, _BIAS * _THIRD)
    variance = Mean(Mean(Mean(parts**2, _NORMAL), _OTHER), _THIRD)
    yield step(
        equation(variance, WrittenSum(WrittenProduct((_SIZE**2, _VALUE**2)), _FED**2, _BIAS**2)),
        "recurrent_variance",
        "random_matrix",
    )
    moved = WrittenProduct((_SIZE, _DRAWN, _SLOPE))
    yield step(
        equation(Mean(as_made(sympy.Pow, moved, sympy.Integer(2)), _DRAWN), WrittenProduct((_SIZE**2, _SLOPE**2))),
        "recurrent_gain",
        "random_matrix",
    )
    squared = WrittenProduct((_SIZE**2, _SLOPES))
    critical = sympy.Gt(squared, 1, evaluate=False), sympy.Gt(_SIZE, 1 / sympy.sqrt(_SLOPES), evaluate=False)
    yield step(Equivalent(*critical), "critical_scale", "random_matrix")

    yield step(equation(Logistic(-_Z), WrittenSum(sympy.S.One, -Logistic(_Z))), "gate_symmetry", "gate")
    mixed = WrittenSum(WrittenProduct((_GATE, _HELD, _NORMAL)), WrittenProduct((1 - _GATE, _FED, _OTHER)))
    kept = WrittenSum(_GATE**2 * _HELD**2, WrittenProduct(((1 - _GATE) ** 2, _FED**2)))
    yield step(equation(Mean(Mean(mixed**2, _NORMAL), _OTHER), kept), "gate_variance", "gate")
    back = WrittenSum(_GATE, WrittenProduct((_SIZE, _DRAWN, _SLOPE, WrittenSum(_STATE, -_INPUT))))
    squares = WrittenSum(_GATE**2, WrittenProduct((_SIZE**2, _SLOPE**2, WrittenSum(_STATE, -_INPUT) ** 2)))
    yield step(equation(Mean(back**2, _DRAWN), squares), "gate_gradient", "gate")
