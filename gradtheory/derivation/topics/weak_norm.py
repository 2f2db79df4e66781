"""K as the weak-L¹ quasi-norm of σ', the bounds that hold for every activation and at every depth, and how K scales."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import Z
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.facts import ALPHA, FACTS, SCALE, T
from gradtheory.derivation.language import RANGE, VARIATION, WEAK_NORM, WIDEST_AT, Measure, Sigma, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.widest import root, why_infinite
from gradtheory.explosion import total_variation, widest_explosion
from gradtheory.formulas import WrittenProduct

_DIGITS = 15
_SHIFT, _HEIGHT = sympy.symbols("u d", real=True)


def weak_norm(question: Question) -> Answer:
    """Derive the bounds K ≤ V(σ) and ℓ/c, and the scaling law K(α·σ(kz + u) + d) = |α|·K(σ)."""
    return Answer((question.formula,), tuple(_steps(question)))


def _steps(question: Question) -> Iterator[Step]:
    record, meaning = question.activation, question.meaning
    yield question.fact("width", "measure")
    widest_set, variation = widest_explosion(record), total_variation(record)
    norm = widest_set.width
    for name in ("weak_norm", "widest"):
        if FACTS[name].applies(record):
            yield question.fact(name, "norm")
    yield from root(question, widest_set, _DIGITS, "norm", "root_of_widest")
    rule = "norm_of_widest" if norm.is_finite else why_infinite(record)
    yield Step(equation(WEAK_NORM, norm), rule, meaning, section="norm")
    if norm.is_finite and not norm.is_Rational:
        yield Step(Rounded.of(WEAK_NORM, norm, _DIGITS), "digits", meaning, section="norm")
    if widest_set.is_maximum:
        yield Step(equation(WIDEST_AT, widest_set.weight), "place", meaning, section="norm")
    yield Step(equation(VARIATION, variation), "variation", meaning, section="bounds")
    yield question.fact("total_variation", "bounds")
    if FACTS["any_depth"].applies(record):
        span = abs(record.limits[1] - record.limits[0])
        yield Step(equation(RANGE, span), "range", meaning, section="bounds")
        yield question.fact("any_depth", "bounds")
    yield from _scaling(question)


def _scaling(question: Question) -> Iterator[Step]:
    meaning = question.meaning
    inner = SCALE * Z + _SHIFT
    scaled = sympy.Derivative(ALPHA * Sigma(inner) + _HEIGHT, Z)
    off = tuple(sympy.Ne(inner, kink) for kink in meaning.breaks)
    steepness = ALPHA * SCALE
    yield Step(equation(scaled, steepness * Slope(inner)), "scaled_slope", meaning, off, section="scaling")
    yield Step(
        Equivalent(abs(steepness * Slope(inner)) > T, abs(Slope(inner)) > T / abs(steepness)),
        "scaled_level",
        meaning,
        off,
        section="scaling",
    )
    if question.activation.period is None:
        yield question.fact("scaling", "scaling")
    if widest_explosion(question.activation).width.is_infinite:
        return
    level = T / abs(steepness)
    yield Step(
        equation(T * Measure(level) / abs(SCALE), WrittenProduct(abs(ALPHA), (level, Measure(level)))),
        "scaled_norm",
        meaning,
        section="scaling",
    )
