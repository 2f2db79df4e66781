"""Dropout: why two equal inputs part, so that there is no edge of chaos, and how deep a signal reaches."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_KEEP, _SIZE, _SQUARE, _SLOPES = sympy.symbols("k s q D", positive=True)
_VALUE, _OTHER, _REST, _BIAS = sympy.symbols("a c r b", real=True)
_VARIANCE = sympy.Symbol("Q", positive=True)
_DEPTH = sympy.Symbol("L", integer=True, positive=True)


def dropout(question: Question) -> Answer:
    """Derive the moments of masks, the correlation of two equal inputs after a layer, and how deep a signal reaches."""
    return Answer((equation(_VARIANCE, _variance()),), tuple(_steps(question)))


def _variance() -> sympy.Expr:
    return WrittenSum(as_made(sympy.Mul, WrittenProduct((_SIZE**2, _SQUARE)), 1 / _KEEP), _BIAS**2)


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    kept = _VALUE / _KEEP
    for power, rule in ((1, "mask_mean"), (2, "mask_square")):
        left = WrittenSum(*(WrittenProduct((p, z**power)) for p, z in ((_KEEP, kept + _REST), (1 - _KEEP, _REST))))
        right = _VALUE + _REST if power == 1 else WrittenSum(_VALUE**2 / _KEEP, 2 * _VALUE * _REST, _REST**2)
        yield step(equation(left, right), rule, "masks")
    two = WrittenProduct(_KEEP, _KEEP, kept, _OTHER / _KEEP)
    yield step(equation(two, _VALUE * _OTHER), "two_masks", "masks")

    inner = WrittenProduct((_SIZE**2, _SQUARE))
    correlation = as_made(sympy.Mul, WrittenSum(inner, _BIAS**2), 1 / _variance())
    apart = WrittenSum(inner, WrittenProduct((_KEEP, _BIAS**2)))
    gap = as_made(sympy.Mul, WrittenProduct((1 - _KEEP, _SIZE**2, _SQUARE)), 1 / apart)
    yield step(equation(correlation, WrittenSum(sympy.S.One, -gap)), "dropout_gap", "apart")
    yield question.fact("dropout_correlation", "apart")
    yield step(equation(sympy.Limit(correlation, _BIAS, 0), _KEEP), "dropout_unbiased", "apart")

    factor = WrittenProduct((_SIZE**2, _SLOPES))
    settled = (
        sympy.Lt(as_made(sympy.Mul, factor, 1 / _KEEP), 1, evaluate=False),
        sympy.Lt(factor, _KEEP, evaluate=False),
    )
    yield step(Equivalent(*settled), "dropout_slope", "reach")
    faded = sympy.Lt(as_made(sympy.Pow, factor, _DEPTH), _KEEP**_DEPTH, evaluate=False)
    yield step(faded, "dropout_reach", "reach", settled[1])
