"""Where a factor explodes: the critical weight, the set of pre-activations, the set of inputs, and its width."""

import itertools
from collections.abc import Iterator, Sequence

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import T, Z
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.activations.slopes.profile import Profile
from gradtheory.chains.symbols import equation
from gradtheory.derivation.language import STEEPEST, Slope, Width
from gradtheory.derivation.proofs.shapes import keeps_shape
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.explosion_in_numbers import in_numbers
from gradtheory.derivation.topics.intervals import conditions, is_unbounded, is_whole, one_period, union
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_off_kinks
from gradtheory.explosion import ExplosionFormula, Regime, explosion_formula
from gradtheory.explosion.superlevel import SuperlevelSet
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_X = sympy.Symbol("x", real=True)
_U = sympy.Symbol("u", real=True)
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
        question.formula,
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
        off = (*(sympy.Ne(neuron, kink) for kink in meaning.breaks), *one_period(record, neuron))
        inside, outside = abs(Slope(neuron) * formula.w) > formula.c, union(regime.intervals, _X)
        if not is_whole(regime.intervals):
            assumed = (*conditions(regime), *off)
            yield Step(Equivalent(inside, outside), "pull_back", meaning, assumed, section="inputs")
        if record.period is None:
            yield Step(
                equation(Width(formula.w, formula.c), regime.width),
                "no_length" if is_unbounded(regime) else "length",
                meaning,
                conditions(regime),
                section="inputs",
            )
            if not several and regime.width.has(sympy.asinh, sympy.acosh):
                yield from _as_logarithm(question, formula, regime)
    yield from in_numbers(question, formula)


def _has_inverse(regime: Regime) -> bool:
    return any(end.has(SlopeInverse) for pair in regime.intervals for end in pair)


def _pulled_back(question: Question, formula: ExplosionFormula) -> Iterator[Step]:
    """Yield what becomes of any interval of z, where its ends have no formula, and the width."""
    lower, upper = sympy.symbols("p q", real=True)
    neuron = formula.w * _X + formula.b
    ends = (lower - formula.b) / formula.w, (upper - formula.b) / formula.w
    for sense, interval in ((sympy.Gt, ends), (sympy.Lt, ends[::-1])):
        yield Step(
            Equivalent(union([(lower, upper)], neuron), union([interval], _X)),
            "pull_back_any",
            question.meaning,
            (sense(formula.w, 0, evaluate=False),),
            section="inputs",
        )
    yield question.fact("width", "inputs")
    yield from in_numbers(question, formula)


def _superlevel(question: Question) -> Iterator[Step]:
    """Yield U_t = {z : |σ'(z)| > t} for each range of t in which it keeps its shape, and first, once, its ends."""
    record, meaning = question.activation, question.meaning
    off = (*(sympy.Ne(Z, kink) for kink in meaning.breaks), *one_period(record, Z))
    solved = _SOLVED.get(record.name)
    ranges = list(_ranges_of_levels(record.profile))
    ends: dict[sympy.Expr, list[tuple[sympy.Basic, ...]]] = {}
    for _, intervals, bounds in ranges:
        for end in dict.fromkeys(end for interval in intervals for end in interval if end.has(T) and solved is None):
            ends.setdefault(end, []).append(bounds)
    for high, intervals, bounds in ranges:
        if solved is not None:
            level = Equivalent(sympy.Gt(record.slope_expr, T), solved, evaluate=False)
            yield Step(level, "solve_level", meaning, section="superlevel")
        for end in [each for each, where in ends.items() if where[0] is bounds]:
            rule = "solves_once" if isinstance(end, SlopeInverse) else "solves"
            first, last = ends[end][0], ends[end][-1]
            whole = *(each for each in first if _is_below(each)), *(each for each in last if not _is_below(each))
            yield Step(equation(abs(Slope(end)), T), rule, meaning, whole, section="superlevel")
        if is_whole(intervals) or _is_period(intervals, record.profile):
            yield Step(sympy.Ge(abs(Slope(Z)), high, evaluate=False), "everywhere", meaning, off, section="superlevel")
            continue
        inside = union(intervals, Z)
        rule = "superlevel" if solved is None else "superlevel_solved"
        yield Step(Equivalent(abs(Slope(Z)) > T, inside), rule, meaning, (*bounds, *off), section="superlevel")


def _is_below(bound: sympy.Basic) -> bool:
    """Return whether a condition on t bounds it from below."""
    return isinstance(bound, sympy.Gt | sympy.Ge)


def _ranges_of_levels(
    profile: Profile,
) -> Iterator[tuple[sympy.Expr, list[tuple[sympy.Expr, sympy.Expr]], tuple[sympy.Basic, ...]]]:
    """Yield the upper end of each range of t in which U_t keeps its shape, its intervals, and the conditions on t."""
    for low, high in itertools.pairwise((sympy.S.Zero, *profile.levels)):
        between = low + 1 if high.is_infinite else (low + high) / 2
        components = SuperlevelSet(profile, between, in_terms_of=T).components()
        intervals = [(component.lower, component.upper) for component in components]
        yield high, intervals, tuple(_range_of_levels(low, high, tuple(intervals), profile))


def _range_of_levels(
    low: sympy.Expr, high: sympy.Expr, intervals: tuple[tuple[sympy.Expr, sympy.Expr], ...], profile: Profile
) -> Iterator[sympy.Basic]:
    """Yield the conditions on t, with a level itself where the formulas hold there too."""
    has_inverse = any(end.has(SlopeInverse) for pair in intervals for end in pair)
    if low != 0:
        yield (sympy.Ge if has_inverse and keeps_shape(intervals, low, profile) else sympy.Gt)(T, low, evaluate=False)
    if not high.is_infinite:
        yield (sympy.Le if has_inverse and keeps_shape(intervals, high, profile) else sympy.Lt)(T, high, evaluate=False)


def _is_period(intervals: Sequence[tuple[sympy.Expr, sympy.Expr]], profile: Profile) -> bool:
    """Return whether intervals are all of the period that branches describe: then those of x are, too."""
    return profile.period is not None and list(intervals) == [(profile.branches[0].left, profile.branches[-1].right)]


def _as_logarithm(question: Question, formula: ExplosionFormula, regime: Regime) -> Iterator[Step]:
    """Yield the width as a logarithm: e to an inverse hyperbolic sine is algebraic."""
    meaning, beyond = question.meaning, conditions(regime)
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
            beyond,
            section="as_logarithm",
        )
        logarithm = WrittenProduct((2 / abs(formula.w), sympy.log(inside)))
    else:
        logarithm = regime.width.rewrite(sympy.log)
    rule = "as_logarithm_of_tanh" if question.activation.name == "tanh" else "as_logarithm"
    yield Step(equation(regime.width, logarithm), rule, meaning, beyond, section="as_logarithm")
