"""Weight decay: why enough of it keeps every weight below its critical weight, at rest and along descent."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.facts import DEEP, LAYER, C
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import LARGEST, STEEPEST, Partial
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

CRITICAL = sympy.Symbol("W", positive=True)
ETA = sympy.Symbol("eta", positive=True)
_BOUND, _DECAY, _OUTPUT, _VALUE, _STEP = sympy.symbols("B lambda D A U", positive=True)
_BEHIND = sympy.Symbol("n", integer=True, nonnegative=True)
_WEIGHT, _GRADIENT, _ERROR, _ACTIVATION, _MOVE = sympy.symbols("w g delta a u", real=True)
_BETA, _BETA_2 = sympy.symbols("beta_1 beta_2", positive=True)
_FIRST, _SECOND = sympy.symbols("g_1 g_2", real=True)

_WITHIN = sympy.Le(abs(_WEIGHT), CRITICAL)
_SLOPED = sympy.Le(abs(_GRADIENT), _BOUND)
_SHORT = sympy.Le(ETA * _DECAY, 1)


def weight_decay(question: Question) -> Answer:
    """Derive which L2, L1 or decoupled weight decay keeps |w| ≤ W = c/sup|σ'|, and so every factor ≤ c."""
    bound = equation(_BOUND, WrittenProduct((C**_BEHIND, _OUTPUT, _VALUE)))
    definitions = equation(CRITICAL, C / STEEPEST), bound, question.formula
    return Answer(definitions, tuple(_steps(question)))


def steepest(question: Question, section: str) -> Iterator[Step]:
    """Yield what sup|σ'| is, and from which weight on a factor can explode.

    Raises
    ------
    InvalidArgument
        Where the slope is 0 almost everywhere: no weight is critical.

    """
    slope = question.activation.steepest_slope
    if slope == 0:
        raise InvalidArgument(
            "activation", question.activation.name, "must have a slope that is not 0 almost everywhere"
        )
    rule = "steepest" if slope.is_finite else "no_critical_weight"
    yield Step(equation(STEEPEST, slope), rule, question.meaning, section=section)
    if slope.is_finite:
        yield question.fact("critical_weight", section)


def _steps(question: Question) -> Iterator[Step]:
    record, meaning = question.activation, question.meaning
    yield from steepest(question, "gradient_bound")
    if record.steepest_slope.is_finite:
        largest = meaning.value(LARGEST, {})
        rule = "largest_value" if largest.is_finite else "no_gradient_bound"
        yield Step(equation(LARGEST, largest), rule, meaning, section="gradient_bound")
        if largest.is_finite:
            yield from _penalties(question, largest)
    decoupled = sympy.Le(abs(_WEIGHT), _STEP / _DECAY), sympy.Le(abs(_MOVE), _STEP)
    moved = sympy.Abs(WrittenSum(_kept(_WEIGHT), -ETA * _MOVE), evaluate=False)
    yield Step(
        sympy.Le(moved, _STEP / _DECAY, evaluate=False),
        "decoupled_step",
        meaning,
        (_SHORT, *decoupled),
        section="decoupled",
    )
    if record.steepest_slope.is_finite:
        enough = sympy.Le(_STEP / _DECAY, CRITICAL), sympy.Ge(_DECAY, _STEP / CRITICAL)
        yield Step(Equivalent(*enough), "enough_decoupled", meaning, section="decoupled")
    mean, square = _BETA * _FIRST + _SECOND, _BETA_2 * _FIRST**2 + _SECOND**2
    root = sympy.sqrt(_BETA_2)
    left = WrittenSum(WrittenProduct((1 + _BETA**2 / _BETA_2, square)), -(mean**2))
    yield Step(equation(left, (root * _FIRST - _BETA * _SECOND / root) ** 2), "cauchy", meaning, section="decoupled")


def _kept(weight: sympy.Expr) -> sympy.Expr:
    """Return (1 - ηλ)·w: what decay leaves of a weight."""
    return WrittenProduct((1 - ETA * _DECAY, weight))


def _penalties(question: Question, largest: sympy.Expr) -> Iterator[Step]:
    """Yield what holds for a bounded activation with a bounded slope."""
    meaning = question.meaning

    def step(statement: sympy.Basic, rule: str, section: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, meaning, assumptions, section=section)

    yield question.fact("chain_rule", "gradient_bound")
    yield question.fact("error_bound", "gradient_bound")
    by_weight = equation(Partial(DEEP.C, DEEP.w[LAYER]), DEEP.delta[LAYER] * DEEP.a[LAYER - 1])
    named = ("z", DEEP.z[LAYER]), ("w", DEEP.w[LAYER]), ("a", DEEP.a[LAYER - 1])
    yield Step(by_weight, "by_w", meaning, chain_rule=ChainRule(DEEP), section="gradient_bound", shown=named)
    sizes = sympy.Le(abs(_ERROR), _OUTPUT), sympy.Le(abs(_ACTIVATION), _VALUE)
    most = WrittenProduct((C**_BEHIND, _OUTPUT, _VALUE))
    bounded = sympy.Le(WrittenProduct((C**_BEHIND, abs(_ERROR), abs(_ACTIVATION))), most, evaluate=False)
    yield step(bounded, "gradient_bound", "gradient_bound", *sizes)

    rest = sympy.Le(abs(-_GRADIENT / _DECAY), _BOUND / _DECAY, evaluate=False)
    yield step(rest, "at_rest", "at_rest", _SLOPED)
    enough = sympy.Lt(_BOUND / _DECAY, CRITICAL), sympy.Gt(_DECAY, _BOUND / CRITICAL)
    yield step(Equivalent(*enough), "enough_decay", "at_rest")
    limit = equation(
        WrittenProduct((_OUTPUT, LARGEST, STEEPEST)), _OUTPUT * largest * question.activation.steepest_slope
    )
    yield step(limit, "decay_limit", "at_rest")

    kept = WrittenSum(_kept(CRITICAL), WrittenProduct((ETA, _BOUND)))
    step_taken = WrittenProduct((ETA, WrittenSum(_GRADIENT, _DECAY * _WEIGHT)))
    moved = sympy.Abs(WrittenSum(_WEIGHT, sympy.Mul(-1, step_taken, evaluate=False)), evaluate=False)
    yield step(sympy.Le(moved, kept, evaluate=False), "decay_step", "descent", _SHORT, _WITHIN, _SLOPED)
    decayed = sympy.Le(_BOUND, WrittenProduct((_DECAY, CRITICAL)))
    yield step(sympy.Le(kept, CRITICAL, evaluate=False), "decay_kept", "descent", decayed)

    subgradient = abs(_GRADIENT + _DECAY * sympy.sign(_WEIGHT))
    apart = sympy.Ne(_WEIGHT, 0), sympy.Lt(_BOUND, _DECAY), _SLOPED
    yield step(sympy.Ge(subgradient, _DECAY - _BOUND, evaluate=False), "subgradient", "lasso", *apart)
    moved = sympy.Abs(WrittenSum(_WEIGHT, -ETA * _GRADIENT), evaluate=False)
    shrunk = as_made(sympy.Max, sympy.S.Zero, WrittenSum(moved, -ETA * _DECAY))
    thresholds = sympy.Le(_BOUND, _DECAY), _SLOPED, _WITHIN
    yield step(sympy.Le(shrunk, CRITICAL, evaluate=False), "soft_threshold", "lasso", *thresholds)
