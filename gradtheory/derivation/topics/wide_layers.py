"""The same for layers of many neurons, in matrices."""

from collections.abc import Iterator

import sympy

from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Question
from gradtheory.derivation.wide_layers import (
    BIAS,
    BY_BIAS,
    BY_WEIGHTS,
    ERROR,
    ERROR_ABOVE,
    INPUT,
    PRE_ACTIVATION,
    SLOPE,
    WEIGHTS,
    WEIGHTS_ABOVE,
    WideEquation,
)


def wide_layers(question: Question) -> Iterator[Step]:
    """Yield z_l = W_l a_{l-1} + b_l, δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ σ'(z_l), ∂C/∂W_l = δ_l a_{l-1}ᵀ and ∂C/∂b_l = δ_l."""
    for left, right, reason in (
        (PRE_ACTIVATION, WEIGHTS * INPUT + BIAS, "wide_forward"),
        (ERROR, sympy.HadamardProduct(WEIGHTS_ABOVE.T * ERROR_ABOVE, SLOPE), "wide_recursion"),
        (BY_WEIGHTS, ERROR * INPUT.T, "wide_by_w"),
        (BY_BIAS, ERROR, "wide_by_b"),
    ):
        yield Step(WideEquation(left, right), reason, question.meaning, section="wide")
