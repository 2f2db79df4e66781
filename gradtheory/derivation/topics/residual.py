"""Residual connections: what y = z + α·f(z) does to variances and gradients, and which scales α keep them bounded."""

from collections.abc import Iterator

import sympy

from gradtheory.chains.symbols import equation
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum

_W, _X, _OTHER, _NEXT = sympy.symbols("w z u y", real=True)
_SCALE, _SIZE, _OTHER_SIZE, _SLOPE, _GAIN = sympy.symbols("alpha s t d chi", real=True)
_BLOCKS, _INNER, _NUMBER = sympy.symbols("L m i", integer=True, positive=True)


def residual(question: Question) -> Answer:
    """Derive q' = q + α²·q_f, the gradient's factor 1 + α²·χ, and the scales of Fixup and DeepNorm."""
    stream = equation(_NEXT, WrittenSum(_X, WrittenProduct((_SCALE, _SIZE, _W))))
    return Answer((stream,), tuple(_steps(question)))


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    one = WrittenSum(_X, WrittenProduct((_SCALE, _SIZE, _W)))
    other = WrittenSum(_OTHER, WrittenProduct((_SCALE, _OTHER_SIZE, _W)))
    yield step(equation(Mean(one**2, _W), WrittenSum(_X**2, _SCALE**2 * _SIZE**2)), "residual_variance", "variances")
    both = WrittenSum(WrittenProduct((_X, _OTHER)), _SCALE**2 * _SIZE * _OTHER_SIZE)
    yield step(equation(Mean(WrittenProduct((one, other)), _W), both), "residual_covariance", "variances")

    back = WrittenSum(sympy.S.One, WrittenProduct((_SCALE, _W, _SLOPE)))
    yield step(equation(Mean(back**2, _W), 1 + _SCALE**2 * _SLOPE**2), "residual_gradient", "gradients")
    yield question.fact("residual_growth", "over_layers")
    yield question.fact("residual_limit", "over_layers")
    bounded = sympy.Lt(1 + _GAIN, sympy.exp(_GAIN), evaluate=False)
    yield step(bounded, "residual_bound", "over_layers", sympy.Gt(_GAIN, 0, evaluate=False))

    others = sympy.Product(_BLOCKS ** (-1 / (2 * _INNER)), (_NUMBER, 1, 2 * _INNER))
    yield step(equation(others, 1 / _BLOCKS), "fixup", "scales")
    added = WrittenProduct(sympy.Integer(4), 1 / (8 * _BLOCKS), 1 / (2 * _BLOCKS))
    yield step(equation(added, 1 / (2 * _BLOCKS) ** 2), "deepnorm", "scales")
