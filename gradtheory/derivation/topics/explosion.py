"""Where a factor explodes: the critical weight, the set of pre-activations, the set of inputs, and its width."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import T, Z
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.activations.slopes.profile import Profile
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.exact import truth
from gradtheory.derivation.language import STEEPEST, Slope, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.shapes import keeps_shape
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_off_kinks
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import ExplosionFormula, Regime, explosion_formula
from gradtheory.explosion.superlevel import SuperlevelSet
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_X = sympy.Symbol("x", real=True)
_U = sympy.Symbol("u", real=True)
_CRITICAL = sympy.Symbol("w_c", real=True)
_DIGITS = 10
# |σ'(z)| > t as a bound of a function whose inverse SymPy knows, from cosh² = 1 + sinh².
_SOLVED = {
    "sigmoid": sympy.Lt(sympy.sinh(Z / 2) ** 2, sympy.Mul(1 / T - 4, sympy.Rational(1, 4), evaluate=False)),
    "tanh": sympy.Lt(sympy.sinh(Z) ** 2, 1 / T - 1),
}


def explosion(question: Question) -> Answer:
    """Derive the set {x : |σ'(wx + b)·w| > c} and its length, in symbols and, where values were passed, in numbers."""
    formula = explosion_formula(question.activation)
    definitions = (
        equation(Z, formula.w * _X + formula.b),
        equation(T, formula.c / abs(formula.w)),
        equation(Slope(Z), slope_off_kinks(question)),
    )
    numbers = question.numbers(formula.w, formula.b, formula.c)
    return Answer(definitions, tuple(_steps(question, formula)), numbers=numbers)


def _steps(question: Question, formula: ExplosionFormula) -> Iterator[Step]:
    record, meaning = question.activation, question.meaning
    yield question.fact("factor", "condition")
    if record.steepest_slope.is_finite:
        yield question.fact("critical_weight", "condition")
        yield Step(
            equation(formula.c / STEEPEST, formula.c / record.steepest_slope),
            "by_supremum",
            meaning,
            section="condition",
        )
    yield from _superlevel(question)
    several = len(formula.regimes) > 1
    if any(regime.width.has(SlopeInverse) or _has_inverse(regime) for regime in formula.regimes):
        yield from _pulled_back(question, formula)
        return
    for regime in formula.regimes:
        neuron = formula.w * _X + formula.b
        off = (*(sympy.Ne(neuron, kink) for kink in meaning.breaks), *_one_period(question, neuron))
        inside, outside = abs(Slope(neuron) * formula.w) > formula.c, _union(regime.intervals, _X)
        if not _is_whole(regime.intervals):
            assumed = (*_conditions(regime), *off)
            yield Step(Equivalent(inside, outside), "pull_back", meaning, assumed, section="inputs")
        if record.period is None:
            yield Step(
                equation(Width(formula.w, formula.c), regime.width),
                "no_length" if regime.width.has(sympy.oo) else "length",
                meaning,
                _conditions(regime),
                section="inputs",
            )
            if not several and regime.width.has(sympy.asinh, sympy.acosh):
                yield from _as_logarithm(question, formula, regime)
    yield from _in_numbers(question, formula)


def _has_inverse(regime: Regime) -> bool:
    return any(end.has(SlopeInverse) for pair in regime.intervals for end in pair)


def _pulled_back(question: Question, formula: ExplosionFormula) -> Iterator[Step]:
    """Yield what becomes of any interval of z, where its ends have no formula, and the width."""
    lower, upper = sympy.symbols("p q", real=True)
    neuron = formula.w * _X + formula.b
    ends = (lower - formula.b) / formula.w, (upper - formula.b) / formula.w
    for sense, interval in ((sympy.Gt, ends), (sympy.Lt, ends[::-1])):
        yield Step(
            Equivalent(_union([(lower, upper)], neuron), _union([interval], _X)),
            "pull_back",
            question.meaning,
            (sense(formula.w, 0, evaluate=False),),
            section="inputs",
        )
    yield question.fact("width", "inputs")
    yield from _in_numbers(question, formula)


def _superlevel(question: Question) -> Iterator[Step]:
    """Yield U_t = {z : |σ'(z)| > t} for each range of t in which it keeps its shape."""
    record, meaning = question.activation, question.meaning
    off = (*(sympy.Ne(Z, kink) for kink in meaning.breaks), *_one_period(question, Z))
    for low, high in itertools.pairwise((sympy.S.Zero, *record.profile.levels)):
        between = low + 1 if high.is_infinite else (low + high) / 2
        components = SuperlevelSet(record.profile, between, in_terms_of=T).components()
        intervals = [(component.lower, component.upper) for component in components]
        bounds = list(_range_of_levels(low, high, tuple(intervals), record.profile))
        solved = _SOLVED.get(record.name)
        if solved is not None:
            level = Equivalent(sympy.Gt(record.slope_expr, T), solved, evaluate=False)
            yield Step(level, "solve_level", meaning, section="superlevel")
        ends = dict.fromkeys(end for interval in intervals for end in interval if end.has(T) and solved is None)
        for end in ends:
            yield Step(equation(abs(Slope(end)), T), "solves", meaning, tuple(bounds), section="superlevel")
        if _is_whole(intervals):
            yield Step(sympy.Ge(abs(Slope(Z)), high, evaluate=False), "everywhere", meaning, off, section="superlevel")
            continue
        inside = _union(intervals, Z)
        rule = "superlevel" if solved is None else "superlevel_solved"
        yield Step(Equivalent(abs(Slope(Z)) > T, inside), rule, meaning, (*bounds, *off), section="superlevel")


def _range_of_levels(
    low: sympy.Expr, high: sympy.Expr, intervals: tuple[tuple[sympy.Expr, sympy.Expr], ...], profile: Profile
) -> Iterator[sympy.Basic]:
    """Yield the conditions on t, with a level itself where the formulas hold there too."""
    has_inverse = any(end.has(SlopeInverse) for pair in intervals for end in pair)
    if low != 0:
        yield (sympy.Ge if has_inverse and keeps_shape(intervals, low, profile) else sympy.Gt)(T, low, evaluate=False)
    if not high.is_infinite:
        yield (sympy.Le if has_inverse and keeps_shape(intervals, high, profile) else sympy.Lt)(T, high, evaluate=False)


def _is_whole(intervals: Sequence[tuple[sympy.Expr, sympy.Expr]]) -> bool:
    """Return whether intervals are the whole line, except for kinks."""
    ends = [end for pair in intervals for end in pair]
    meets = all(left == right for left, right in zip(ends[1:-1:2], ends[2:-1:2], strict=True))
    return bool(ends) and ends[0] == -sympy.oo and ends[-1] == sympy.oo and meets


def _union(intervals: Sequence[tuple[sympy.Expr, sympy.Expr]], variable: sympy.Expr) -> sympy.Basic:
    """Return the condition that a variable lies in one of some open intervals."""
    parts = []
    for lower, upper in intervals:
        above, below = (end.is_finite is not False for end in (lower, upper))
        under = sympy.Lt(variable, upper, evaluate=False) if below else sympy.true
        if above and below:
            parts.append(sympy.And(sympy.Lt(lower, variable, evaluate=False), under, evaluate=False))
        else:
            parts.append(sympy.Gt(variable, lower, evaluate=False) if above else under)
    return sympy.Or(*parts, evaluate=False) if len(parts) > 1 else parts[0]


def _conditions(regime: Regime) -> tuple[sympy.Basic, ...]:
    """Return the range of weights, w < -c for -w > c, without the weight at which a formula goes over into the next."""
    parts = regime.condition.args if isinstance(regime.condition, sympy.And) else (regime.condition,)
    strict = (sympy.Lt(*each.args, evaluate=False) if isinstance(each, sympy.Le) else each for each in parts)
    turned = (each.reversedsign if isinstance(-each.lhs, sympy.Symbol) else each for each in strict)
    return tuple(sorted(turned, key=lambda each: isinstance(each, sympy.Lt)))


def _one_period(question: Question, z: sympy.Expr) -> tuple[sympy.Basic, ...]:
    """Return the condition that a pre-activation lies in the period that the record describes."""
    if question.activation.period is None:
        return ()
    branches = question.activation.profile.branches
    return sympy.Gt(z, branches[0].left, evaluate=False), sympy.Lt(z, branches[-1].right, evaluate=False)


def _as_logarithm(question: Question, formula: ExplosionFormula, regime: Regime) -> Iterator[Step]:
    """Yield the width as a logarithm: e to an inverse hyperbolic sine is algebraic."""
    meaning, conditions = question.meaning, _conditions(regime)
    yield Step(
        equation(sympy.exp(sympy.asinh(_U)), _U + sympy.sqrt(_U**2 + 1)), "exponential", meaning, section="as_logarithm"
    )
    if question.activation.name == "sigmoid":
        size = abs(formula.w) / formula.c
        product = WrittenProduct((size / 2, WrittenSum(sympy.S.One, sympy.sqrt(1 - 4 / size))))
        inside = WrittenSum(product, sympy.S.NegativeOne)
        root = as_made(sympy.Mul, sympy.S.Half, as_made(sympy.Pow, size, sympy.S.Half))
        argument = as_made(sympy.Pow, WrittenSum(sympy.sqrt(size - 4) / 2, root), sympy.Integer(2))
        yield Step(
            equation(argument, inside),
            "logarithm_argument",
            meaning,
            conditions,
            section="as_logarithm",
        )
        logarithm = WrittenProduct((2 / abs(formula.w), sympy.log(inside)))
    else:
        logarithm = regime.width.rewrite(sympy.log)
    yield Step(equation(regime.width, logarithm), "as_logarithm", meaning, conditions, section="as_logarithm")


def _in_numbers(question: Question, formula: ExplosionFormula) -> Iterator[Step]:
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
    for place, height in _places_of_levels(question, ends, numbers):
        yield Step(
            equation(Slope(place), height), "place_of_level", meaning, section=section, shown=(("place", place),)
        )
    for number, end in enumerate(ends, start=1):
        name = sympy.Symbol(f"x_{number}", real=True)
        yield Step(
            InNumbers.of(name, end, numbers, meaning.value(end, numbers), _DIGITS),
            "end_in_numbers",
            meaning,
            section=section,
        )
    width = Width(formula.w, formula.c)
    if regime.width.has(sympy.oo):
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
    """Yield the rational places at which |σ'| is the level, and σ' there: what ζ is in the ends of a set."""
    for inverse in dict.fromkeys(part for end in ends for part in sympy.ordered(end.atoms(SlopeInverse))):
        place = question.meaning.value(inverse, numbers)
        if place.is_Rational:
            yield place, question.meaning.value(Slope(place), {})


def _unbounded(
    question: Question,
    formula: ExplosionFormula,
    regime: Regime,
    numbers: Mapping[sympy.Expr, sympy.Expr],
    section: str,
) -> Iterator[Step]:
    """Yield a set without a finite length, where its ends have formulas, and that length."""
    meaning, weight, threshold = question.meaning, numbers[formula.w], numbers[formula.c]
    neuron = weight * _X + numbers[formula.b]
    intervals = [tuple(_put_in(end, numbers, meaning) for end in pair) for pair in regime.intervals]
    if not _is_whole(intervals) and not any(end.has(SlopeInverse) for pair in intervals for end in pair):
        inside = sympy.Gt(abs(Slope(neuron) * weight), threshold, evaluate=False)
        off = tuple(sympy.Ne(neuron, kink) for kink in meaning.breaks)
        yield Step(Equivalent(inside, _union(intervals, _X)), "set_in_numbers", meaning, off, section=section)
    yield Step(equation(Width(weight, threshold), sympy.oo), "no_length", meaning, section=section)


def _put_in(end: sympy.Expr, numbers: Mapping[sympy.Expr, sympy.Expr], meaning: Meaning) -> sympy.Expr:
    """Return an end of a set for numbers: the number itself where it is rational."""
    if end.is_infinite:
        return end
    value = meaning.value(end, numbers)
    return value if value.is_Rational else end.xreplace(dict(numbers))


def _regime(formula: ExplosionFormula, numbers: Mapping[sympy.Expr, sympy.Expr]) -> Regime | None:
    """Return the range of weights that a weight lies in, ends excluded."""
    fits = (each for each in formula.regimes if all(truth(part.xreplace(numbers)) for part in _conditions(each)))
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
