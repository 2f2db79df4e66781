"""The stability region of an optimiser on a quadratic: its roots, the conditions of Schur and Cohn, the optimum."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.chains.symbols import equation
from gradtheory.derivation.language import SpectralRadius
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made
from gradtheory.training.stability import StabilityRegion, stability_region
from gradtheory.training.stability.iteration import AFTER, BEFORE, BETA, DECAY, ETA, H

_Z = sympy.Symbol("z", real=True)
_LOW, _HIGH = sympy.symbols("h_1 h_2", positive=True)
_RATE = sympy.Symbol("r", real=True)
_BEST_ETA, _BEST_BETA = sympy.symbols("eta_* beta_*", positive=True)


def stability(question: Question) -> Answer:
    """Derive for which learning rates and momenta an optimiser converges on ½h·w²."""
    region = stability_region(question.optimiser)
    return Answer(
        (*_one_step(region), *_best(region)), tuple(_steps(question, region)), _parts_of_what_is_given(region)
    )


def _parts_of_what_is_given(region: StabilityRegion) -> tuple[str, ...]:
    """Return the names of the sentences that say what the letters of a region are."""
    has = {
        "momentum": region.has_momentum,
        "no_momentum": not region.has_momentum,
        "best": DECAY not in region.matrix.free_symbols,
        "rate": region.has_momentum and DECAY not in region.matrix.free_symbols,
        "decay": DECAY in region.matrix.free_symbols,
        "preconditioned": region.is_preconditioned,
    }
    return tuple(name for name, is_said in has.items() if is_said)


def _one_step(region: StabilityRegion) -> Iterator[sympy.Eq]:
    """Yield what a step does, the momentum first, with which the weight then moves."""
    w, v = BEFORE
    if not region.has_momentum:
        yield equation(AFTER[0], region.iteration[0])
        return
    (kept, of_v), (drawn, of_w) = region.matrix[1, 1::-1], (region.matrix[0, 1], region.matrix[0, 0])
    sums = [each for each in sympy.Mul.make_args(of_v) if each.is_Add]  # (1 - β) h w, as the mean of gradients
    yield equation(AFTER[1], WrittenSum(kept * v, WrittenProduct((*sums, of_v / sympy.Mul(*sums), w))))
    along = sympy.cancel(drawn / kept / -ETA)  # of the new momentum, in a step of η
    beside = sympy.cancel((1 - of_w) / ETA - along * of_v)
    moved = along * AFTER[1] if beside == 0 else WrittenSum(along * AFTER[1], beside * w)
    yield equation(AFTER[0], WrittenSum(w, -WrittenProduct((ETA, moved))))


def _best(region: StabilityRegion) -> Iterator[sympy.Eq]:
    """Yield the best rate r, momentum β_* and learning rate η_* for curvatures from h_1 to h_2."""
    if DECAY in region.matrix.free_symbols:
        return
    if not region.has_momentum:
        yield equation(_BEST_ETA, 2 / (_LOW + _HIGH))
        return
    tuning = region.tuning(_RATE)
    yield equation(_RATE, _in_one_order(sympy.together(region.rule.momentum.best_rate(_HIGH / _LOW))))
    yield equation(_BEST_BETA, tuning.beta)
    for end, scale in ((_LOW, tuning.at_least), (_HIGH, tuning.at_greatest)):
        yield equation(WrittenProduct((_BEST_ETA, end)), scale)


def _in_one_order(quotient: sympy.Expr) -> sympy.Expr:
    """Return (√b - √a)/(√a + √b) with the denominator in the order of the numerator."""
    above, below = sympy.fraction(quotient)
    if not below.is_Add:
        return quotient
    return above / WrittenSum(*sorted(below.args, key=lambda term: term not in above.args))


def _steps(question: Question, region: StabilityRegion) -> Iterator[Step]:
    meaning, matrix = question.meaning, region.matrix
    polynomial = _Written(region)
    radius = SpectralRadius(*polynomial.below)
    inside = (sympy.Gt(ETA, 0), sympy.Gt(H, 0), *_ranges(region))
    if not region.has_momentum:
        size = as_made(sympy.Abs, polynomial.total)
        yield Step(equation(radius, size), "one_root", meaning, inside, section="roots")
    else:
        yield Step(equation(polynomial.determinant, polynomial.at(_Z)), "characteristic", meaning, section="roots")
        yield question.fact("schur_cohn", "roots")
        for place, value, rule in ((1, polynomial.at_one, "at_one"), (-1, polynomial.at_minus_one, "at_minus_one")):
            yield Step(equation(polynomial.determinant_at(place), value), rule, meaning, section="roots")
    below_limit = sympy.Lt(ETA, region.limit, evaluate=False)
    if region.has_momentum:
        positive = sympy.Gt(polynomial.at_minus_one, 0, evaluate=False)
        yield Step(Equivalent(positive, below_limit), "solve_for_eta", meaning, inside, section="region")
    rule = "region" if region.has_momentum else "solve_for_eta"
    yield Step(Equivalent(radius < 1, below_limit), rule, meaning, inside, section="region")
    if DECAY not in matrix.free_symbols:
        yield from _optimum(question, region)


class _Written:
    """The characteristic polynomial z² + p·z + q, or z + p, with the terms of its coefficients in a reader's order."""

    def __init__(self, region: StabilityRegion) -> None:
        self.matrix = region.matrix
        coefficients = [sympy.expand(each) for each in region.polynomial.all_coeffs()]
        parts = sympy.Mul.make_args(_positive(-coefficients[1]))
        self.total = WrittenProduct(parts) if len(parts) > 1 else WrittenSum(*_terms(-coefficients[1]))
        self.last = _positive(coefficients[-1]) if region.has_momentum else sympy.S.Zero
        above, below = sympy.fraction(region.limit)  # p(-1) = above - η·below
        self.at_one, self.at_minus_one = _positive(region.at_one), WrittenSum(sympy.factor(above), -ETA * below)
        turned = as_made(sympy.Mul, sympy.S.NegativeOne, self.total) if region.has_momentum else -self.total
        self.below = [turned, self.last] if region.has_momentum else [turned]

    def at(self, place: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr] = MappingProxyType({})) -> sympy.Expr:
        """Return its value, for a momentum, with values of its letters put in."""
        total = self.total.xreplace(dict(values))
        last = self.last.xreplace(dict(values))
        if place not in (_Z, _RATE):
            return WrittenSum(place**2, WrittenProduct((total, -place)), last)
        moving = as_made(sympy.Mul, sympy.S.NegativeOne, WrittenProduct((total, place)))
        return WrittenSum(place**2, moving, last)

    @property
    def determinant(self) -> sympy.Expr:
        """The polynomial as the determinant of z minus the matrix."""
        moved, kept = WrittenSum(_Z, *_terms(-self.matrix[0, 0])), WrittenSum(_Z, -self.matrix[1, 1])
        return WrittenSum(WrittenProduct((moved, kept)), -self.matrix[0, 1] * self.matrix[1, 0])

    def determinant_at(self, place: int) -> sympy.Expr:
        """Return that determinant at z = 1 or -1."""
        moved, kept = (WrittenSum(*_terms(1 - place * each)) for each in self.matrix.diagonal())
        parts = sympy.Mul.make_args(moved)
        squared = [part**2 if part == kept else part for part in parts]
        product = WrittenProduct(tuple(squared) if kept in parts else (*parts, kept))
        return WrittenSum(product, -self.matrix[0, 1] * self.matrix[1, 0])


def _terms(total: sympy.Expr) -> list[sympy.Expr]:
    """Return the terms of a sum: those without η, numbers first, then η or -η times what is positive."""
    at_rest, *moving = sympy.Poly(total, ETA).all_coeffs()[::-1]
    still = sorted(sympy.Add.make_args(at_rest), key=lambda term: not term.is_number)
    signs = [-1 if _is_negative(each) else 1 for each in moving]
    return [
        *still,
        *(sign * ETA * sympy.collect(sympy.expand(sign * each), H) for sign, each in zip(signs, moving, strict=True)),
    ]


def _is_negative(total: sympy.Expr) -> bool:
    """Return whether a sum is below 0 for h = 1 and no momentum."""
    return bool(total.subs({H: 1, BETA: 0, DECAY: 0}) < 0)


def _positive(polynomial: sympy.Expr) -> sympy.Expr:
    """Return the factors of a polynomial in brackets that begin with a positive number: β (1 - η h), h (1 - β)."""
    parts = sympy.Mul.make_args(sympy.factor(polynomial))
    turned = [part for part in parts if part.is_Add and part.as_coeff_Add()[0].is_negative]
    sign = sympy.Integer(-1) ** len(turned)
    return sympy.Mul(sign, *(-part if part in turned else part for part in parts))


def _optimum(question: Question, region: StabilityRegion) -> Iterator[Step]:
    if not region.has_momentum:  # the only root itself
        for end, sign, rule in ((_LOW, 1, "one_root_at_least"), (_HIGH, -1, "one_root_at_greatest")):
            root = 1 - 2 * end / (_LOW + _HIGH)
            rate = sign * (_HIGH - _LOW) / (_LOW + _HIGH)
            yield Step(equation(root, rate), rule, question.meaning, section="optimum")
        return
    tuning = region.tuning(_RATE)
    is_heavy = tuning.beta == _RATE**2
    for scale, root, rule in (
        (tuning.at_least, _RATE, "root_at_least"),
        (tuning.at_greatest, -_RATE, "root_at_greatest" if is_heavy else "root_at_greatest_of_nesterov"),
    ):
        at_root = _Written(region).at(root, {ETA: scale / H, BETA: tuning.beta})
        yield Step(equation(at_root, sympy.S.Zero), rule, question.meaning, section="optimum")


def _ranges(region: StabilityRegion) -> Iterator[sympy.Basic]:
    if region.has_momentum:
        yield sympy.Ge(BETA, 0)
        yield sympy.Lt(BETA, 1)
    if DECAY in region.matrix.free_symbols:
        yield sympy.Ge(DECAY, 0)
