"""Depth never widens: why the inputs at which a deep chain explodes lie as close together as those of one neuron."""

from collections.abc import Iterator
from dataclasses import replace

import sympy

from gradtheory.activations import Activation, Z, activation
from gradtheory.arithmetic.root import Root
from gradtheory.chains.symbols import equation
from gradtheory.derivation.depth_language import (
    CLASS_N,
    LOG_CONCAVE,
    SCHWARZIAN,
    ChainSlope,
    ChainValue,
    Convex,
    LayerRatios,
    in_angles,
    ratio,
    schwarzian,
)
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.facts import DEEP, LAYER, OTHER_X, C, X
from gradtheory.derivation.language import DEPTH_BOUND, RANGE, WEAK_NORM, Sigma, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.best_pair import P, Pair, Q, at_mirror_images, has_formulas, slope_by, stationary_at
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_formula
from gradtheory.derivation.topics.widest import between
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.depth import DepthBound, depth_bound
from gradtheory.explosion.depth.bound import shape
from gradtheory.explosion.depth.class_n import smooth_parts, support, support_ends
from gradtheory.explosion.depth.logistic import squared_beta
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_DIGITS = 15
_T, _THETA = sympy.symbols("t theta", real=True)
_A, _B = sympy.symbols("A B", positive=True)
_U, _GAP, _LENGTH, _W, _DELTA = sympy.symbols("u d v w Delta", real=True)
_SLOPES = sympy.symbols("m_1 m_2", real=True)  # σ' of the last layer at two inputs
_BEFORE = sympy.symbols("g_1 g_2", real=True)  # the derivative of all layers before it
_MOVED = sympy.Symbol("D", real=True)  # how far those move their output
_G = sympy.Symbol("h_1", positive=True), *sympy.symbols("h_2 h_3", real=True)  # derivatives of a function at k(x)
_H = sympy.Symbol("k_1", positive=True), *sympy.symbols("k_2 k_3", real=True)  # and of k at x


def depth(question: Question) -> Answer:
    """Derive how wide the explosion set of a chain can be at any depth, and why it is one interval."""
    bound = depth_bound(question.activation)
    if bound.value is None:
        raise InvalidArgument("activation", question.activation.name, f"must be of class N: {bound.reason}")
    definitions = (
        equation(DEEP.z[LAYER], DEEP.w[LAYER] * DEEP.a[LAYER - 1] + DEEP.b[LAYER]),
        equation(DEEP.a[LAYER], Sigma(DEEP.z[LAYER])),
        question.formula,
    )
    return Answer(definitions, tuple(_steps(question, bound)))


def _steps(question: Question, bound: DepthBound) -> Iterator[Step]:
    square = squared_beta(question.activation)
    beta = None if not square else sympy.sqrt(square)
    yield from _one_layer(question, square, beta)
    yield from _all_layers(question, beta)
    if bound.pair is None:
        yield Step(equation(DEPTH_BOUND, sympy.oo), "no_depth_bound", question.meaning, section="two_inputs")
        yield from _one_interval(question)
        return
    yield from _greatest(question, bound.value, bound.pair)
    yield question.fact("vanishing_elsewhere", "elsewhere")
    yield from _width(question, bound.factor)
    yield from _one_interval(question)


def _one_layer(question: Question, square: sympy.Expr | None, beta: sympy.Expr | None) -> Iterator[Step]:
    """Yield why the activation is of class N, and what two inputs of one layer have to do with each other."""
    meaning, record = question.meaning, question.activation
    yield from slope_formula(question)
    bend = -_G[2] / (2 * _G[0] ** sympy.Rational(3, 2)) + 3 * _G[1] ** 2 / (4 * _G[0] ** sympy.Rational(5, 2))
    half = WrittenProduct((-1 / (2 * sympy.sqrt(_G[0])), schwarzian(*_G)))
    yield Step(equation(bend, half), "convex_root", meaning, section="class_n")
    if square is not None and not _is_flat(record):
        off = tuple(sympy.Ne(Z, kink) for kink in meaning.breaks)
        yield Step(equation(SCHWARZIAN, -2 * square), "schwarzian", meaning, off, section="class_n")
    yield Step(Convex(CLASS_N), "class_n" if meaning.breaks else "class_n_smooth", meaning, section="class_n")
    if beta is not None:
        beyond = WrittenSum(P, _DELTA)
        moved = WrittenSum(Sigma(beyond), -Sigma(P))
        both = WrittenProduct((Slope(P), Slope(beyond), _DELTA**2))
        identity = equation(both, WrittenProduct(moved**2, ratio(beta * _DELTA) ** 2))
        apart = (sympy.Ne(_DELTA, 0, evaluate=False),)
        named = (("kappa", beta),)
        yield Step(identity, "layer_identity", meaning, apart, section="layer", shown=named)
        below = sympy.Lt(_U, sympy.sinh(_U), evaluate=False)
        yield Step(below, "ratio_below_one", meaning, (sympy.Gt(_U, 0, evaluate=False),), section="layer")
        return
    ends = support(record)[0].left, support(record)[-1].right
    inside = [
        condition
        for place in (P, Q)
        for condition in (sympy.Gt(place, ends[0], evaluate=False), sympy.Lt(place, ends[1], evaluate=False))
        if not condition.rhs.is_infinite
    ]
    between = WrittenSum(WrittenProduct((1 - _T, P)), WrittenProduct((_T, Q)))
    chord = sympy.Le(
        as_made(sympy.Pow, as_made(sympy.Abs, Slope(between)), sympy.Rational(-1, 2)),
        WrittenSum((1 - _T) * CLASS_N.xreplace({Z: P}), _T * CLASS_N.xreplace({Z: Q})),
        evaluate=False,
    )
    share = sympy.Ge(_T, 0), sympy.Le(_T, 1)
    yield Step(chord, "chord", meaning, (*inside, *share), section="layer")
    line = WrittenSum(WrittenProduct((1 - _T, _A)), WrittenProduct((_T, _B)))
    primitive = as_made(sympy.Derivative, as_made(sympy.Mul, _T, 1 / _A, 1 / line), sympy.Tuple(_T, 1))
    yield Step(equation(primitive, 1 / line**2), "primitive", meaning, share, section="layer")
    ordered = (sympy.Ge(Q, P, evaluate=False),)
    least = sympy.Le(Slope(P) * Slope(Q) * (Q - P) ** 2, (Sigma(Q) - Sigma(P)) ** 2, evaluate=False)
    yield Step(least, "layer_inequality", meaning, ordered, section="layer")


def _all_layers(question: Question, beta: sympy.Expr | None) -> Iterator[Step]:
    """Yield how the factors of the layers telescope."""
    meaning = question.meaning
    last = *_SLOPES, _W**2, _MOVED**2
    product = WrittenProduct((*_SLOPES, _W**2), (*_BEFORE, _GAP**2))
    before = WrittenProduct((*_BEFORE, _GAP**2 / _MOVED**2))
    apart = (sympy.Ne(_MOVED, 0, evaluate=False),)
    yield Step(equation(product, WrittenProduct(last, before)), "telescope", meaning, apart, section="layers")
    if beta is not None:
        here, there = ChainSlope(X), ChainSlope(OTHER_X)
        moved = (ChainValue(X) - ChainValue(OTHER_X)) ** 2
        identity = equation(
            here * there * (X - OTHER_X) ** 2, WrittenProduct(moved, LayerRatios(X, OTHER_X, beta) ** 2)
        )
        yield Step(identity, "two_point_identity", meaning, (sympy.Ne(X, OTHER_X),), section="layers")
    yield question.fact("two_point", "layers")


def _greatest(question: Question, value: sympy.Expr, pair: Pair) -> Iterator[Step]:
    """Yield what H is: for a slope that is even and log-concave, in z or in an angle, K; or by calculus."""
    meaning, record = question.meaning, question.activation

    def step(statement: sympy.Basic, rule: str, *assumptions: sympy.Basic) -> Step:
        return Step(statement, rule, meaning, assumptions, section="two_inputs")

    most, reached = (WrittenProduct((*_SLOPES, _W**2, length)) for length in (_MOVED**2, _LENGTH))
    last = sympy.Le(reached, most, evaluate=False)
    yield step(last, "last_layer", sympy.Ge(sympy.Mul(*_SLOPES), 0), sympy.Le(_LENGTH, _MOVED**2))
    form, is_flat, at_mirrors = shape(record), _is_flat(record), None
    if form.is_even and not is_flat and (form.is_log_concave or form.squared_scale is not None):
        mirrored = abs(Slope(form.centre - Z)), abs(Slope(form.centre + Z))
        off = (sympy.Ne(side, kink) for side in (form.centre - Z, form.centre + Z) for kink in meaning.breaks)
        yield step(equation(*mirrored), "even", *off)
        if form.is_log_concave:
            yield step(Convex(LOG_CONCAVE), "log_concave")
        else:
            function = in_angles(form.centre, sympy.sqrt(form.squared_scale), _THETA)
            yield step(Convex(function), "log_concave_in_angles", sympy.Lt(abs(_THETA), sympy.pi / 2, evaluate=False))
        if (at_mirrors := at_mirror_images(record, pair)) is not None:
            mirrored_slope, place, parameter = at_mirrors
            yield step(slope_by(Q, 1), "pair_slope", sympy.Gt(Q, P, evaluate=False))
            above = sympy.Gt(parameter, 0, evaluate=False)
            yield replace(step(mirrored_slope, "pair_at_mirror_images", above), shown=(("place", place),))
        elif has_formulas(pair) and not pair[1].has(Root) and pair[1].is_finite:
            yield step(slope_by(Q, 1), "pair_slope", sympy.Gt(Q, P, evaluate=False))
            yield step(stationary_at(Q, 1, pair), "pair_stationary")
    elif form.is_log_concave and not is_flat:
        yield step(Convex(LOG_CONCAVE), "log_concave_pair")
        at_pair = dict(zip((P, Q), pair, strict=True))
        for place, sign in ((P, -1), (Q, 1)):
            by_place = slope_by(place, sign)
            yield step(by_place, "pair_slope", sympy.Gt(Q, P, evaluate=False))
            if (end := at_pair[place]) in support_ends(record):
                beside = sympy.Limit(by_place.rhs.xreplace(at_pair | {place: Z}), Z, end, "-" if sign > 0 else "+")
                outwards = (sympy.Ge if sign > 0 else sympy.Le)(beside, 0, evaluate=False)
                yield step(outwards, "pair_at_an_end")
            else:
                yield step(stationary_at(place, sign, pair), "pair_root")
    if has_formulas(pair):
        widest = record.widest_point
        if at_mirrors is not None and isinstance(value, Root) and widest is not None and widest.equation is not None:
            zero = Root(value.function, value.lower, value.upper)
            equated = equation(*(side.xreplace({widest.parameter: zero}) for side in widest.equation.args))
            yield replace(step(equated, "root_of_pair"), shown=between(zero))
        yield from _at_pair(question, value, pair)
    yield step(equation(DEPTH_BOUND, value), "depth_value")
    if not value.is_Rational:
        yield step(Rounded.of(DEPTH_BOUND, value, _DIGITS), "digits")
    yield question.fact("two_inputs", "two_inputs")


def _at_pair(question: Question, value: sympy.Expr, pair: Pair) -> Iterator[Step]:
    """Yield that H is attained at a pair, or approached: at ends of the support, from within."""
    p, q = pair
    left, right = support_ends(question.activation)

    def size(first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
        return (second - first) * sympy.sqrt(Slope(first) * Slope(second))

    if question.activation.expr == activation("softsign").expr:
        sizes = abs(P), abs(Q)
        product = WrittenProduct(tuple(WrittenSum(sympy.S.One, each) for each in sizes))
        beyond = equation(WrittenSum(product, *(-each for each in sizes)), 1 + sympy.Mul(*sizes))
        yield Step(beyond, "softsign_below_one", question.meaning, section="two_inputs")
    if _is_flat(question.activation):
        statement, rule = equation(RANGE, value), "range"
    elif not (p.is_finite and q.is_finite):
        first, second = (Z if place is sympy.oo else -Z if place is -sympy.oo else place for place in (p, q))
        limit = sympy.Limit(size(first, second), Z, sympy.oo, "-")
        statement, rule = equation(limit, value), "pair_approached"
    elif p == left:
        limit = sympy.Limit(size(Z, left + right - Z if q == right else q), Z, left, "+")
        statement, rule = equation(limit, value), "pair_approached"
    elif q == right:
        statement, rule = equation(sympy.Limit(size(p, Z), Z, right, "-"), value), "pair_approached"
    else:
        attained = WrittenProduct((q - p, sympy.sqrt(Slope(p) * Slope(q))))
        statement, rule = equation(attained, value), "pair"
    yield Step(statement, rule, question.meaning, section="two_inputs")


def _width(question: Question, factor: sympy.Expr | None) -> Iterator[Step]:
    """Yield how far apart two inputs that explode can be, and whether that is more than for one neuron, if known."""
    meaning = question.meaning
    near = sympy.Le(_GAP, DEPTH_BOUND / C, evaluate=False)
    both = [sympy.Ge(gradient, C, evaluate=False) for gradient in _BEFORE]
    mean = sympy.Pow(sympy.Mul(*_BEFORE, evaluate=False), sympy.S.Half, evaluate=False)
    pair = sympy.Le(_GAP, DEPTH_BOUND / mean, evaluate=False)
    yield Step(near, "near", meaning, (*both, pair), section="any_width")
    yield question.fact("depth", "any_width")
    if factor is None:
        return
    if factor == 1:
        yield Step(equation(DEPTH_BOUND, WEAK_NORM), "never_widens", meaning, section="any_width")
        return
    if factor.is_Rational:
        yield Step(equation(DEPTH_BOUND, factor * WEAK_NORM), "widens", meaning, section="any_width")
    else:
        yield Step(Rounded.of(DEPTH_BOUND / WEAK_NORM, factor, _DIGITS), "widens", meaning, section="any_width")
    if question.activation.expr == activation("softsign").expr:
        yield from _linear_piece(question)


def _linear_piece(question: Question) -> Iterator[Step]:
    """Yield a chain of two softsign layers that is exactly linear on an interval, nearly twice as wide as of one."""
    second = Slope(WrittenSum(WrittenProduct((1 + _A, Sigma(X))), _A))
    slope = WrittenProduct((1 + _A, second), Slope(X))
    inside = sympy.Gt(X, -_A, evaluate=False), sympy.Lt(X, 0, evaluate=False)
    yield Step(equation(slope, 1 / (1 + _A)), "linear_piece", question.meaning, inside, section="any_width")
    limit = sympy.Limit(_A / (1 + _A), _A, sympy.oo, "-")
    yield Step(equation(limit, sympy.S.One), "linear_limit", question.meaning, section="any_width")


def _one_interval(question: Question) -> Iterator[Step]:
    """Yield that the Schwarzian of a composition is not positive either."""
    meaning = question.meaning
    first, second = _G[0] * _H[0], _G[1] * _H[0] ** 2 + _G[0] * _H[1]
    third = _G[2] * _H[0] ** 3 + 3 * _G[1] * _H[0] * _H[1] + _G[0] * _H[2]
    parts = WrittenSum(schwarzian(*_G) * _H[0] ** 2, tuple(schwarzian(*_H).parts))
    yield Step(equation(schwarzian(first, second, third), parts), "composition", meaning, section="one_interval")
    yield question.fact("one_interval", "one_interval")


def _is_flat(record: Activation) -> bool:
    return all(part.slope.is_number for part in smooth_parts(record))
