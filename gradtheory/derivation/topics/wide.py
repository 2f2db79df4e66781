"""The same for layers of many neurons, in matrices."""

from collections.abc import Iterator

import sympy

from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Question
from gradtheory.derivation.wide import Wide, WideEquation

_BELOW, _HERE, _ABOVE = sympy.symbols("n_(l-1) n_l n_(l+1)", integer=True, positive=True)


def wide_layers(question: Question) -> Iterator[Step]:
    """Yield z_l = W_l a_{l-1} + b_l, δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ σ'(z_l), ∂C/∂W_l = δ_l a_{l-1}ᵀ and ∂C/∂b_l = δ_l."""
    below, bias, z, slope, delta = (
        Wide("a_(l-1)", _BELOW, 1),
        *(Wide(name, _HERE, 1) for name in ("b_l", "z_l", "σ'(z_l)", "delta_l")),
    )
    weights, weights_above = Wide("W_l", _HERE, _BELOW), Wide("W_(l+1)", _ABOVE, _HERE)
    above = Wide("delta_(l+1)", _ABOVE, 1)
    equations = (
        (z, weights * below + bias, "wide_forward"),
        (delta, sympy.HadamardProduct(weights_above.T * above, slope), "wide_recursion"),
        (Wide("dC/dW_l", _HERE, _BELOW), delta * below.T, "wide_by_w"),
        (Wide("dC/db_l", _HERE, 1), delta, "wide_by_b"),
    )
    for left, right, reason in equations:
        yield Step(WideEquation(left, right), reason, question.meaning, section="wide")
