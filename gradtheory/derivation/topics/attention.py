"""Attention at initialisation: the Jacobian of softmax, what 1/√d is for, and why tokens become one another."""

from collections.abc import Iterator

import sympy

from gradtheory.chains.symbols import equation
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_LOGIT, _OTHER, _QUERY, _KEY, _COVARIANCE = sympy.symbols("x y u v p", real=True)
_REST, _SIZE, _VARIANCE, _TOTAL, _GROWN = sympy.symbols("r s q T g", positive=True)
_SHARE, _OTHER_SIZE, _APART = sympy.symbols("a t D", real=True)
_TOKENS, _HEAD, _NUMBER = sympy.symbols("n d i", integer=True, positive=True)


def attention(question: Question) -> Answer:
    """Derive the derivatives of softmax, its entropy, the variance of logits, and the collapse of tokens."""
    share = equation(_SHARE, sympy.exp(_LOGIT) / (sympy.exp(_LOGIT) + _REST))
    return Answer((share,), tuple(_steps(question)))


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    own = sympy.exp(_LOGIT)
    share = own / (own + _REST)
    slope = WrittenProduct(share, WrittenSum(sympy.S.One, -share))
    yield step(equation(sympy.Derivative(share, _LOGIT), slope), "softmax_slope", "softmax")
    whole = own + sympy.exp(_OTHER) + _REST
    across = sympy.Derivative(own / whole, _OTHER)
    yield step(equation(across, -own * sympy.exp(_OTHER) / whole**2), "softmax_across", "softmax")
    half = (_SHARE - sympy.Rational(1, 2)) ** 2
    yield step(equation(WrittenSum(sympy.Rational(1, 4), -_SHARE * (1 - _SHARE)), half), "softmax_most", "softmax")
    uniform = WrittenSum(
        WrittenProduct(_TOKENS, 1 / _TOKENS**2, (1 - 1 / _TOKENS) ** 2),
        WrittenProduct((_TOKENS, _TOKENS - 1), 1 / _TOKENS**4),
    )
    yield step(equation(uniform, (_TOKENS - 1) / _TOKENS**2), "softmax_uniform", "softmax")
    gone = sympy.Limit(own * _REST / (own + _REST) ** 2, _LOGIT, sympy.oo)
    yield step(equation(gone, sympy.S.Zero), "softmax_saturated", "softmax")
    entropy = -_SHARE * sympy.log(_SHARE) - (1 - _SHARE) * sympy.log(1 - _SHARE)
    yield step(equation(sympy.Limit(entropy, _SHARE, 1, "-"), sympy.S.Zero), "entropy_saturated", "softmax")

    variance = _SIZE**2 * _OTHER_SIZE**2
    product = WrittenProduct((_SIZE, _QUERY), (_OTHER_SIZE, _KEY))
    logit = Mean(Mean(as_made(sympy.Pow, product, sympy.Integer(2)), _KEY), _QUERY)
    yield step(equation(logit, variance), "logit_product", "logits")
    for term, rule in ((variance, "logit_sum"), (variance / _HEAD, "logit_scaled")):
        total = variance if rule == "logit_scaled" else WrittenProduct(_HEAD, variance)
        yield step(equation(sympy.Sum(term, (_NUMBER, 1, _HEAD)), total), rule, "logits")

    rest = 1 - _SHARE
    mixed = WrittenSum(
        _SHARE**2 * _VARIANCE,
        WrittenProduct((rest**2, _VARIANCE)),
        WrittenProduct((sympy.Integer(2), _SHARE, rest, _COVARIANCE)),
    )
    squares = WrittenSum(_SHARE**2, rest**2)
    kept = WrittenSum(_COVARIANCE, WrittenProduct((WrittenSum(_VARIANCE, -_COVARIANCE), squares)))
    yield step(equation(mixed, kept), "attention_variance", "tokens")
    yield question.fact("attention_total", "tokens")
    yield question.fact("attention_collapse", "tokens")
    whole = WrittenSum(_TOTAL * _GROWN, WrittenProduct((_TOKENS - 1, _APART)))
    correlation = (_TOTAL * _GROWN - _APART) / whole
    yield step(equation(sympy.Limit(correlation, _GROWN, sympy.oo), sympy.S.One), "rank_collapse", "tokens")
