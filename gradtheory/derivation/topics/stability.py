"""The stability region of an optimiser on a quadratic: its roots, the conditions of Schur and Cohn, the optimum."""

from collections.abc import Iterator

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.language import SpectralRadius
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenSum
from gradtheory.training.stability import StabilityRegion, stability_region
from gradtheory.training.stability.iteration import AFTER, BETA, DECAY, ETA, H

_Z = sympy.Symbol("z", real=True)
_LOW, _HIGH = sympy.symbols("h_1 h_2", positive=True)
_RATE = sympy.Symbol("r", positive=True)


def stability(question: Question) -> Answer:
    """Derive for which learning rates and momenta an optimiser converges on ½h·w²."""
    region = stability_region(question.optimiser)
    definitions = tuple(equation(after, value) for after, value in zip(AFTER, region.iteration, strict=False))
    return Answer(definitions, tuple(_steps(question, region)))


def _steps(question: Question, region: StabilityRegion) -> Iterator[Step]:
    meaning, matrix = question.meaning, region.matrix
    _, *below = region.polynomial.all_coeffs()
    radius = SpectralRadius(*below)
    inside = (sympy.Gt(ETA, 0), sympy.Gt(H, 0), *_ranges(region))
    if len(below) == 1:
        yield Step(equation(radius, abs(below[0])), "one_root", meaning, inside, section="roots")
    else:
        written = _Z**2 + below[0] * _Z + below[1]
        determinant = (_Z - matrix[0, 0]) * (_Z - matrix[1, 1]) - matrix[0, 1] * matrix[1, 0]
        yield Step(equation(determinant, written), "characteristic", meaning, section="roots")
        yield question.fact("schur_cohn", "roots")
        trace, last = below
        product = equation((1 + last) ** 2 - trace**2, region.at_one * region.at_minus_one)
        for sum_, value, rule in (
            ((sympy.S.One, trace, last), region.at_one, "at_one"),
            ((sympy.S.One, -trace, last), region.at_minus_one, "at_minus_one"),
        ):
            yield Step(equation(sympy.Add(*sum_, evaluate=False), value), rule, meaning, section="roots")
        yield Step(product, "second_condition", meaning, section="roots")
    below_limit = sympy.Lt(ETA, region.limit, evaluate=False)
    if len(below) > 1:
        above, below_one = sympy.fraction(region.limit)  # where p(-1) = above - η·below_one is 0
        positive = sympy.Gt(WrittenSum(sympy.factor(above), -ETA * below_one), 0, evaluate=False)
        yield Step(Equivalent(positive, below_limit), "solve_for_eta", meaning, inside, section="region")
    rule = "region" if len(below) > 1 else "solve_for_eta"
    yield Step(Equivalent(radius < 1, below_limit), rule, meaning, inside, section="region")
    if DECAY not in matrix.free_symbols:
        yield from _optimum(question, region)


def _optimum(question: Question, region: StabilityRegion) -> Iterator[Step]:
    if not region.has_momentum:  # the only root itself
        for end, sign, rule in ((_LOW, 1, "root_at_least"), (_HIGH, -1, "root_at_greatest")):
            root = 1 - 2 * end / (_LOW + _HIGH)
            rate = sign * (_HIGH - _LOW) / (_LOW + _HIGH)
            yield Step(equation(root, rate), rule, question.meaning, section="optimum")
        return
    tuning = region.tuning(_RATE)
    below = (sympy.Lt(_RATE, 1),)
    for scale, root, rule in (
        (tuning.at_least, _RATE, "root_at_least"),
        (tuning.at_greatest, -_RATE, "root_at_greatest"),
    ):
        coefficients = [each.xreplace({ETA: scale / H, BETA: tuning.beta}) for each in region.polynomial.all_coeffs()]
        at_root = sum(each * root**power for power, each in enumerate(reversed(coefficients)))
        yield Step(equation(at_root, sympy.S.Zero), rule, question.meaning, below, section="optimum")


def _ranges(region: StabilityRegion) -> Iterator[sympy.Basic]:
    if region.has_momentum:
        yield sympy.Ge(BETA, 0)
        yield sympy.Lt(BETA, 1)
    if DECAY in region.matrix.free_symbols:
        yield sympy.Ge(DECAY, 0)
