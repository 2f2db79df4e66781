"""Whether a condition follows from others, decided by cases until only polynomials are left, and then by certificates.

|u|, max, min, sgn, ρ and roots are what their definitions say: each falls into cases, in every one of which it is a
polynomial or a new quantity with a polynomial equation. Quantities of other kinds become symbols with their signs.
"""

import functools
from collections.abc import Iterator, Sequence

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.derivation.language import SpectralRadius
from gradtheory.derivation.proofs.systems import Bound, is_empty

_MOST_CASES = 400
_COEFFICIENTS = sympy.symbols("p q", real=True)
_IN_CASES = (SpectralRadius, sympy.Abs, sympy.Max, sympy.Min, sympy.sign)


def follows(statement: sympy.Basic, assumptions: Sequence[sympy.Basic]) -> bool:
    """Return whether it is proven that a statement holds wherever the assumptions hold and both sides are real.

    Parameters
    ----------
    statement : sympy.Basic
        A relation, an equivalence, or such joined by "and" and "or".
    assumptions : sequence of sympy.Basic
        Of the same kinds; beside them the symbols are what they are declared to be.

    """
    statement = statement.replace(_is_below_one, _schur_cohn)
    return _has_no_solution(sympy.And(*assumptions, _negated(statement), evaluate=False))


@functools.lru_cache(maxsize=1024)  # derivations for several activations have conditions in common
def _has_no_solution(conditions: sympy.Basic) -> bool:
    cases = [case for part in _cases(conditions) for case in _plain(part)]
    return len(cases) <= _MOST_CASES and all(map(_is_impossible, cases))


def _is_below_one(part: sympy.Basic) -> bool:
    """Return whether it is ρ(a, b) < 1 of anything but two symbols, for which it is proven by cases."""
    return (
        isinstance(part, sympy.Lt)
        and part.rhs == 1
        and isinstance(part.lhs, SpectralRadius)
        and len(part.lhs.args) > 1
        and not all(each.is_Symbol for each in part.lhs.args)
    )


def _schur_cohn(part: sympy.Lt) -> sympy.Basic:
    """Return ρ(a, b) < 1 as |a| < 1 + b, b < 1, which is the same: of two symbols it is proven by cases."""
    first, last = part.lhs.args
    p, q = _COEFFICIENTS
    condition = sympy.And(1 + q - p > 0, 1 + q + p > 0, 1 - q > 0)
    if not follows(Equivalent(SpectralRadius(p, q) < 1, condition, evaluate=False), ()):
        return part
    return condition.xreplace({p: first, q: last})


def _negated(statement: sympy.Basic) -> sympy.Basic:
    match statement:
        case sympy.And():
            return sympy.Or(*map(_negated, statement.args), evaluate=False)
        case sympy.Or():
            return sympy.And(*map(_negated, statement.args), evaluate=False)
        case Equivalent():
            one, two = statement.args
            return sympy.Or(
                sympy.And(one, _negated(two), evaluate=False),
                sympy.And(two, _negated(one), evaluate=False),
                evaluate=False,
            )
        case Relational():
            return statement.negated
    return sympy.false if statement == sympy.true else sympy.true


def _cases(statement: sympy.Basic) -> list[tuple[Bound, ...]]:
    """Return a statement as cases, each of quantities that are not negative or above 0."""
    match statement:
        case sympy.Or():
            return [case for part in statement.args for case in _cases(part)]
        case sympy.And():
            joined: list[tuple[Bound, ...]] = [()]
            for part in statement.args:
                joined = [(*before, *case) for before in joined for case in _cases(part)]
            return joined
        case Relational():
            gap = statement.lhs - statement.rhs
            by_kind: dict[type, list[tuple[Bound, ...]]] = {
                sympy.Gt: [((gap, True),)],
                sympy.Ge: [((gap, False),)],
                sympy.Lt: [((-gap, True),)],
                sympy.Le: [((-gap, False),)],
                sympy.Eq: [((gap, False), (-gap, False))],
                sympy.Ne: [((gap, True),), ((-gap, True),)],
            }
            return by_kind[type(statement)]
    return [()] if statement == sympy.true else [] if statement == sympy.false else [()]


def _plain(case: tuple[Bound, ...]) -> Iterator[tuple[Bound, ...]]:
    """Yield the cases into which one falls, until none of the functions is left that are defined by cases."""
    case = tuple((gap.replace(sympy.Abs, factorwise), is_strict) for gap, is_strict in case)
    functions = {
        part for gap, _ in case for part in gap.atoms(*_IN_CASES) if not any(a.has(*_IN_CASES) for a in part.args)
    }
    if not functions:
        yield case
        return
    part = min(functions, key=sympy.default_sort_key)
    for bounds, value in _definition(part):
        yield from _plain((*((gap.xreplace({part: value}), is_strict) for gap, is_strict in case), *bounds))


def factorwise(inner: sympy.Expr) -> sympy.Expr:
    """Return the size of an expression as the product of those of its factors."""
    return sympy.Mul(*map(sympy.Abs, sympy.Mul.make_args(sympy.factor_terms(inner))))


def _definition(part: sympy.Expr) -> Iterator[tuple[tuple[Bound, ...], sympy.Expr]]:
    """Yield the cases of a definition, and what the function is there."""
    first = part.args[0]
    match part:
        case sympy.Abs():
            yield ((first, False),), first
            yield ((-first, True),), -first
        case sympy.sign():
            yield ((first, True),), sympy.S.One
            yield ((first, False), (-first, False)), sympy.S.Zero
            yield ((-first, True),), -sympy.S.One
        case SpectralRadius() if len(part.args) == 1:
            yield (), sympy.Abs(first)
        case SpectralRadius():
            last = part.args[1]
            inner = first**2 / 4 - last
            yield ((-inner, True),), sympy.sqrt(last)
            yield ((inner, False),), sympy.Abs(first) / 2 + sympy.sqrt(inner)
        case _:
            rest = part.func(*part.args[1:])
            side = 1 if isinstance(part, sympy.Max) else -1
            yield ((side * (first - rest), False),), first
            yield ((side * (rest - first), True),), rest


def _is_impossible(case: tuple[Bound, ...]) -> bool:
    names: dict[sympy.Expr, sympy.Expr] = {}
    extra: list[Bound] = []
    bounds = [(_without_roots(gap, names, extra), is_strict) for gap, is_strict in case]
    polynomials = [(numerator, is_strict) for gap, is_strict in bounds for numerator in [_numerator(gap)]]
    polynomials += [(_numerator(gap), is_strict) for gap, is_strict in extra]
    symbols = sorted(set().union(*(gap.free_symbols for gap, _ in polynomials)), key=sympy.default_sort_key)
    if not all(gap.is_polynomial(*symbols) for gap, _ in polynomials):
        return False
    return is_empty([*polynomials, *(bound for symbol in symbols for bound in _declared(symbol))], symbols)


def _without_roots(expr: sympy.Expr, names: dict[sympy.Expr, sympy.Expr], extra: list[Bound]) -> sympy.Expr:
    """Return an expression with symbols for its roots and for quantities that are no polynomials."""
    if expr.is_Rational or expr.is_Symbol:
        return expr
    if isinstance(expr, sympy.Add | sympy.Mul):
        return expr.func(*(_without_roots(part, names, extra) for part in expr.args))
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer:
        return _without_roots(expr.base, names, extra) ** expr.exp
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and expr.exp.q == 2:  # a square root
        root = sympy.sqrt(expr.base)
        if root not in names:
            inner = _without_roots(expr.base, names, extra)
            names[root] = sympy.Dummy(positive=True) if expr.base.is_positive else sympy.Dummy(nonnegative=True)
            extra += [(names[root] ** 2 - inner, False), (inner - names[root] ** 2, False)]
        return names[root] ** expr.exp.p
    if isinstance(expr, sympy.exp) and expr.exp.could_extract_minus_sign():
        return 1 / _without_roots(sympy.exp(-expr.exp), names, extra)
    if expr not in names:
        names[expr] = sympy.Dummy(real=True, positive=_known(expr.is_positive), nonnegative=_known(expr.is_nonnegative))
    return names[expr]


def _known(truth: bool | None) -> bool | None:
    return True if truth else None


def _numerator(gap: sympy.Expr) -> sympy.Expr:
    """Return a polynomial of the sign of a quotient: its numerator, times its denominator where that has no sign."""
    numerator, denominator = sympy.fraction(sympy.together(gap))
    if denominator.is_nonnegative:  # and not zero, where the quotient is a number
        return sympy.expand(numerator)
    return sympy.expand(-numerator if denominator.is_nonpositive else numerator * denominator)


def _declared(symbol: sympy.Symbol) -> Iterator[Bound]:
    """Yield what a symbol is declared to be."""
    if symbol.is_positive:
        yield symbol, True
        if symbol.is_integer:
            yield symbol - 1, False
    elif symbol.is_nonnegative:
        yield symbol, False
    elif symbol.is_negative:
        yield -symbol, True
    else:
        yield symbol**2, False
