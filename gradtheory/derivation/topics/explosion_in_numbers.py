"""An explosion set in numbers: its ends and its width for values of w, b and c, or for an example."""

from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.exact import truth
from gradtheory.derivation.language import STEEPEST, Slope, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.intervals import conditions, is_unbounded, is_whole, one_period, union
from gradtheory.derivation.topics.question import Question
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import ExplosionFormula, Regime
from gradtheory.formulas import WrittenSum, as_made

_X = sympy.Symbol("x", real=True)
_CRITICAL = sympy.Symbol("w_c", real=True)
_DIGITS = 10


def in_numbers(question: Question, formula: ExplosionFormula) -> Iterator[Step]:
    """Yield ends and width for the values of w, b and c, or for an example."""
    numbers = question.numbers(formula.w, formula.b, formula.c)
    section = "numbers" if numbers else "example"
    if not numbers:
        numbers = _example(question, formula)
        if not numbers:
            return
    meaning = question.meaning
    if numbers[formula.w] == 0:
        raise InvalidArgument("values", "w = 0", "must have a weight that is not 0")
    if numbers[formula.c].is_positive is not True:
        raise InvalidArgument("values", f"c = {numbers[formula.c]}", "must have a positive threshold")
    regime = _regime(formula, numbers)
    if regime is None:
        if truth(sympy.Gt(abs(numbers[formula.w]) * question.activation.steepest_slope, numbers[formula.c])):
            rule = "is a weight at which one formula goes over into another: take one beside it"
            raise InvalidArgument("values", f"w = {numbers[formula.w]}", rule)
        critical = InNumbers.of(
            _CRITICAL, formula.c / STEEPEST, numbers, meaning.value(formula.c / STEEPEST, numbers), _DIGITS
        )
        yield Step(critical, "nothing_explodes", meaning, section=section)
        return
    ends = [end for pair in regime.intervals for end in pair if end.is_finite is not False]
    for inverse, place in _places_of_levels(question, ends, numbers):
        height, named = meaning.value(Slope(place), {}), (("inverse", inverse), ("place", place))
        yield Step(equation(Slope(place), height), "place_of_level", meaning, section=section, shown=named)
    for number, end in enumerate(ends, start=1):
        name = sympy.Symbol(f"x_{number}", real=True)
        yield Step(
            InNumbers.of(name, _at_once(end, formula), numbers, meaning.value(end, numbers), _DIGITS),
            "end_in_numbers",
            meaning,
            section=section,
        )
    width = Width(formula.w, formula.c)
    if is_unbounded(regime):
        yield from _unbounded(question, formula, regime, numbers, section)
    else:
        yield Step(
            InNumbers.of(width, regime.width, numbers, meaning.value(regime.width, numbers), _DIGITS),
            "width_in_numbers",
            meaning,
            section=section,
        )


def _places_of_levels(
    question: Question, ends: Sequence[sympy.Expr], numbers: Mapping[sympy.Expr, sympy.Expr]
) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Yield the values of ζ in the ends of a set that are rational: places at which |σ'| is the level."""
    for inverse in dict.fromkeys(part for end in ends for part in sympy.ordered(end.atoms(SlopeInverse))):
        place = question.meaning.value(inverse, numbers)
        if place.is_Rational:
            yield inverse, place


def _unbounded(
    question: Question,
    formula: ExplosionFormula,
    regime: Regime,
    numbers: Mapping[sympy.Expr, sympy.Expr],
    section: str,
) -> Iterator[Step]:
    """Yield a set without a finite length, where its ends have formulas, and that length."""
    meaning, record, weight, threshold = question.meaning, question.activation, numbers[formula.w], numbers[formula.c]
    neuron = weight * _X + numbers[formula.b]
    intervals = [tuple(_put_in(end, numbers, meaning) for end in pair) for pair in regime.intervals]
    if not is_whole(intervals) and not any(end.has(SlopeInverse) for pair in intervals for end in pair):
        inside = sympy.Gt(abs(Slope(neuron) * weight), threshold, evaluate=False)
        off = (*(sympy.Ne(neuron, kink) for kink in meaning.breaks), *one_period(record, neuron))
        rule = "set_in_numbers" if record.period is None else "set_of_one_period"
        yield Step(Equivalent(inside, union(intervals, _X)), rule, meaning, off, section=section)
    why = "no_length" if record.period is None else "repeats"
    yield Step(equation(Width(weight, threshold), sympy.oo), why, meaning, section=section)


def _put_in(end: sympy.Expr, numbers: Mapping[sympy.Expr, sympy.Expr], meaning: Meaning) -> sympy.Expr:
    """Return an end of a set for numbers: the number itself where it is rational."""
    if end.is_infinite:
        return end
    value = meaning.value(end, numbers)
    return value if value.is_Rational else end.xreplace(dict(numbers))


def _regime(formula: ExplosionFormula, numbers: Mapping[sympy.Expr, sympy.Expr]) -> Regime | None:
    """Return the range of weights that a weight lies in, ends excluded."""
    fits = (each for each in formula.regimes if all(truth(part.xreplace(numbers)) for part in conditions(each)))
    return next(fits, None)


def _example(question: Question, formula: ExplosionFormula) -> dict[sympy.Expr, sympy.Expr]:
    """Return w, b and c: w is the first whole number from 7/4 of the critical weight on that is no end of a range.

    Nothing where the set repeats, or is empty for every weight.
    """
    if question.activation.period is not None or not formula.regimes:
        return {}
    slope = question.activation.steepest_slope
    first = 1 if slope.is_infinite else int(sympy.ceiling(sympy.Rational(7, 4) / slope))
    candidates = (
        {formula.w: sympy.Integer(weight), formula.b: sympy.S.One, formula.c: sympy.S.One}
        for weight in range(first, first + len(formula.regimes) + 1)
    )
    return next((numbers for numbers in candidates if _regime(formula, numbers) is not None), {})


def _at_once(end: sympy.Expr, formula: ExplosionFormula) -> sympy.Expr:
    """Return an end of which no formula is known, ζ/w - b/w, as the step before has it: (ζ - b)/w."""
    if not end.has(SlopeInverse):
        return end
    place = sympy.expand(end * formula.w + formula.b)
    return as_made(sympy.Mul, WrittenSum(place, -formula.b), 1 / formula.w)
