"""BatchNorm: why it makes gradients explode with depth, whatever the weights."""

from collections.abc import Iterator

import sympy

from gradtheory.chains.symbols import equation
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_FREEDOM = sympy.Symbol("nu", real=True)
_Z, _X, _NORMAL, _COMMON, _OWN, _OTHER = sympy.symbols("z x t u v w", real=True)
_SHARED, _APART, _SIZE, _BIAS, _SQUARE, _SLOPES, _MEAN = sympy.symbols("a d s b A D M", real=True)
_COEFFICIENTS = sympy.symbols("h_0:4", real=True)
_DEGREE, _TERM = sympy.symbols("n h", real=True)
_BATCH = sympy.Symbol("B", real=True)


def batch_norm(question: Question) -> Answer:
    """Derive the factor E[σ'²]/Var[σ] of a layer with BatchNorm, that it is 1 at least, and that of small batches."""
    stream = equation(_Z, WrittenSum(_SHARED * _COMMON, _APART * _OWN))
    return Answer((stream,), tuple(_steps(question)))


def _steps(question: Question) -> Iterator[Step]:
    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, question.meaning, assumptions, section=section)

    one, other = (WrittenSum(_SHARED * _COMMON, _APART * own) for own in (_OWN, _OTHER))
    covariance = Mean(Mean(Mean(WrittenProduct((one, other)), _OTHER), _OWN), _COMMON)
    yield step(equation(covariance, _SHARED**2), "batch_covariance", "variances")
    spread = _variance(one, _OWN)
    yield step(equation(spread, _APART**2), "batch_variance", "variances")
    yield step(equation(WrittenSum(one, -Mean(other, _OTHER)), _APART * _OWN), "batch_normed", "variances")
    same, apart = (WrittenSum(WrittenProduct((_SIZE**2, each)), _BIAS**2) for each in (_SQUARE, _MEAN**2))
    left = WrittenProduct((_SIZE**2, WrittenSum(_SQUARE, -(_MEAN**2))))
    taken = as_made(sympy.Mul, sympy.S.NegativeOne, apart)
    yield step(equation(WrittenSum(same, taken), left), "batch_layer", "variances")

    factor = WrittenProduct((_SIZE**2, _SLOPES), 1 / left)
    yield step(equation(factor, _SLOPES / (_SQUARE - _MEAN**2)), "batch_factor", "gradients")
    yield question.fact("batch_norm_rate", "gradients")

    hermite = (sympy.S.One, _NORMAL, _NORMAL**2 - 1, _NORMAL**3 - 3 * _NORMAL)
    sigma = WrittenSum(*(size * each for size, each in zip(_COEFFICIENTS, hermite, strict=True)))
    squares = [sympy.factorial(n) * size**2 for n, size in enumerate(_COEFFICIENTS)]
    previous = as_made(sympy.Mul, sympy.Integer(3), hermite[2])
    yield step(equation(sympy.Derivative(hermite[3], _NORMAL), previous), "hermite_slope", "at_least_1")
    variance = _variance(sigma, _NORMAL)
    yield step(equation(variance, sympy.Add(*squares[1:])), "hermite_variance", "at_least_1")
    pairs = enumerate(zip(_COEFFICIENTS[1:], hermite[:3], strict=True), start=1)
    slope = WrittenSum(*(WrittenProduct((sympy.Integer(n), size, before)) for n, (size, before) in pairs))
    slopes = sympy.Add(*(n * each for n, each in enumerate(squares)))
    yield step(equation(Mean(slope**2, _NORMAL), slopes), "hermite_slopes", "at_least_1")
    terms = sympy.Ge(_DEGREE, 1), sympy.Ge(_TERM, 0)
    term = sympy.Ge(WrittenProduct((_DEGREE, _TERM)), _TERM, evaluate=False)
    yield step(term, "poincare", "at_least_1", *terms)

    density = _X ** (_FREEDOM / 2 - 1) * sympy.exp(-_X / 2)  # of χ², up to a constant
    rate = WrittenProduct((density / 2, WrittenSum((_FREEDOM - 2) / _X, -sympy.S.One)))
    yield step(
        equation(sympy.Derivative(density, _X), rate),
        "chi_square",
        "small_batches",
        sympy.Gt(_X, 0),
        sympy.Gt(_FREEDOM, 2),
    )
    whole = WrittenProduct(_BATCH, ((_BATCH - 1) / _BATCH,), (1 / (_BATCH - 3),), ((_BATCH - 2) / (_BATCH - 1),))
    enough = sympy.Gt(_BATCH, 3)
    yield step(equation(whole, (_BATCH - 2) / (_BATCH - 3)), "batch_linear", "small_batches", enough)
    large = sympy.Limit((_BATCH - 2) / (_BATCH - 3), _BATCH, sympy.oo)
    yield step(equation(large, sympy.S.One), "batch_large", "small_batches")


def _variance(quantity: sympy.Expr, over: sympy.Symbol) -> sympy.Expr:
    """Return E[q²] - E[q]²."""
    square = as_made(sympy.Pow, Mean(quantity, over), sympy.Integer(2))
    return WrittenSum(Mean(quantity**2, over), as_made(sympy.Mul, sympy.S.NegativeOne, square))
