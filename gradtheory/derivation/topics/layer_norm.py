"""LayerNorm and RMSNorm: what they do to gradients, and what follows before a branch and after it."""

from collections.abc import Iterator

import sympy

from gradtheory.chains.symbols import equation
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_Z, _NORMED, _SIZE = sympy.symbols("z y s", real=True)
_REST, _VARIANCE, _FACTOR = sympy.symbols("r q k", positive=True)
_WIDTH, _LAYER, _DEPTH = sympy.symbols("n l L", integer=True, positive=True)
_DENSITY = sympy.exp(-(_Z**2) / 2) / sympy.sqrt(2 * sympy.pi)


def layer_norm(question: Question) -> Answer:
    """Derive the factor 1/q of a norm, the power law of norms before branches, and the factor 1 of norms after them."""
    return Answer((equation(_NORMED, _normed(_Z, _REST)),), tuple(_steps(question)))


def _normed(z: sympy.Expr, rest: sympy.Expr) -> sympy.Expr:
    """Return an entry over the root mean square of all, of which the others have this sum of squares."""
    return z / sympy.sqrt((z**2 + rest) / _WIDTH)


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    normed = _normed(_Z, _REST)
    yield step(equation(_normed(_FACTOR * _Z, _FACTOR**2 * _REST), normed), "norm_scale", "norm_alone")
    root = sympy.sqrt((_Z**2 + _REST) / _WIDTH)
    slope = WrittenProduct(1 / root, (WrittenSum(sympy.S.One, -(_Z**2) / (_Z**2 + _REST)),))
    yield step(equation(sympy.Derivative(normed, _Z), slope), "norm_slope", "norm_alone")
    wide = (1 - _Z**2 / (_WIDTH * _VARIANCE)) / sympy.sqrt(_VARIANCE)
    yield step(equation(sympy.Limit(wide, _WIDTH, sympy.oo), 1 / sympy.sqrt(_VARIANCE)), "norm_wide", "norm_alone")
    centred = sympy.Limit(_VARIANCE * (1 - 1 / _WIDTH), _WIDTH, sympy.oo)
    yield step(equation(centred, _VARIANCE), "norm_centred", "norm_alone")

    stream = sympy.Sum(_SIZE**2, (_LAYER, 1, _DEPTH))
    yield step(equation(stream, _DEPTH * _SIZE**2), "pre_norm_stream", "norm_before")
    before = WrittenSum(_VARIANCE, _LAYER * _SIZE**2)
    grown = WrittenProduct((before / _VARIANCE, WrittenSum(sympy.S.One, as_made(sympy.Mul, _SIZE**2, 1 / before))))
    after = WrittenSum(_VARIANCE, WrittenProduct((_LAYER + 1, _SIZE**2))) / _VARIANCE
    yield step(equation(grown, after), "pre_norm_telescope", "norm_before")
    yield question.fact("pre_norm_growth", "norm_before")
    yield step(equation(sympy.Limit(1 + 1 / _LAYER, _LAYER, sympy.oo), sympy.S.One), "depth_curse", "norm_before")

    square, slope = (sympy.Integral(each * _DENSITY, (_Z, 0, sympy.oo)) for each in (_Z**2, sympy.S.One))
    yield step(equation(square, slope), "post_norm", "norm_after")
    last = sympy.Limit(1 / (_DEPTH + 1), _DEPTH, sympy.oo)
    yield step(equation(last, sympy.S.Zero), "last_block", "norm_after")
