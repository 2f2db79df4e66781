"""Whether an expression is identically zero: one exponential, roots of polynomials, and logarithms as a last resort.

Where both sides of an equation are real, it is enough that one normal form of their difference is zero.
"""

import functools
import itertools
from collections.abc import Iterator

import sympy

from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.enclosure.algebra import HYPERBOLIC
from gradtheory.arithmetic.functions import NormalCDF
from gradtheory.derivation.proofs.signs import factored
from gradtheory.errors import Undecided

_BITS = 320
_MOST_OPERATIONS = 150
_UNSEEN = (sympy.Piecewise, sympy.Max, sympy.Min, sympy.nan, sympy.Lambda)  # into which no normal form sees
_INVERSES = (sympy.asinh, sympy.acosh, sympy.atanh)


@functools.lru_cache(maxsize=512)
def is_identity(difference: sympy.Expr) -> bool:
    """Return whether an expression is proven to be zero wherever it is real.

    Parameters
    ----------
    difference : sympy.Expr
        In functions of SymPy; |w| of a symbol is taken as a number above 0.

    """
    difference = _without_lambert(difference.replace(NormalCDF, lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2))
    if difference == 0:
        return True
    if difference.count_ops() > _MOST_OPERATIONS or difference.has(*_UNSEEN):
        return False
    return any(_is_zero(form) for form in _forms(_in_positive(difference)))


def is_nonzero_somewhere(expr: sympy.Expr) -> bool:
    """Return whether an expression is proven not to be zero at one place: a search for an identity would be in vain."""
    symbols = sorted(expr.free_symbols, key=sympy.default_sort_key)
    if any(symbol.is_integer for symbol in symbols):
        return False
    places = {each: (7 + 5 * k) / sympy.Integer(6 + 3 * k) for k, each in enumerate(symbols)}
    balls = {each: enclose(-place if each.is_nonpositive else place, _BITS) for each, place in places.items()}
    try:
        return not enclose(expr, _BITS, balls).contains(0)
    except Undecided:
        return False


def _without_lambert(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression in Lambert's W(-k·tⁿ) as -v, so that k·tⁿ = v·e^(-v); v > 0 on both branches."""
    functions = expr.atoms(sympy.LambertW)
    arguments = {each.args[0] for each in functions}
    if len(functions) != 1 or len(arguments) != 1:
        return expr
    (argument,) = arguments
    coefficient, power = argument.as_coeff_Mul()
    t, exponent = power.as_base_exp()
    if not (t.is_Symbol and t.is_positive and coefficient.is_negative and exponent.is_positive):
        return expr
    v = sympy.Dummy(positive=True)
    level = (v / -coefficient) ** (1 / exponent) * sympy.exp(-v / exponent)
    return expr.xreplace(dict.fromkeys(functions, -v)).xreplace({t: level})


def _forms(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield an expression as it is, and in exponentials of positive symbols as powers of one new symbol."""
    yield expr
    if not expr.has(sympy.exp, *HYPERBOLIC):
        return
    in_exponentials = expr.rewrite(sympy.exp)
    symbols = set().union(*(part.exp.free_symbols for part in in_exponentials.atoms(sympy.exp)))
    if len(symbols) == 1 and all(
        part.exp.is_polynomial(*symbols) and sympy.degree(part.exp, *symbols) == 1
        for part in in_exponentials.atoms(sympy.exp)
    ):
        (symbol,) = symbols
        base = 1 + sympy.Dummy(positive=True) if symbol.is_positive else sympy.Dummy(positive=True)
        powers = {part: _as_power(part.exp, symbol, base) for part in in_exponentials.atoms(sympy.exp)}
        yield in_exponentials.xreplace(powers).subs(symbol, sympy.log(base))


def _as_power(exponent: sympy.Expr, symbol: sympy.Symbol, base: sympy.Expr) -> sympy.Expr:
    rate = exponent.coeff(symbol)
    return base**rate * sympy.exp(exponent - rate * symbol)


def _in_positive(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with positive symbols for the sizes of symbols that it speaks of by their size alone."""
    sizes = {size: sympy.Dummy(positive=True) for size in expr.atoms(sympy.Abs) if size.args[0].is_Symbol}
    replaced = expr.xreplace(sizes)
    hidden = {size.args[0] for size in sizes}
    return expr if replaced.free_symbols & hidden else replaced


def _is_zero(expr: sympy.Expr) -> bool:
    expr = _tidy(expr.rewrite(sympy.log) if expr.has(*_INVERSES) else expr)
    return _is_radical_zero(expr) or _is_zero_of_logarithms(expr)


def _tidy(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with what stands under roots in factors: SymPy takes positive squares out."""
    if not expr.args:
        return expr
    kind = next((each for each in (sympy.Add, sympy.Mul) if isinstance(expr, each)), expr.func)  # not kept in order
    expr = kind(*map(_tidy, expr.args))
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and not expr.exp.is_Integer:
        inner = factored(sympy.together(expr.base))
        return sympy.powdenest(inner**expr.exp) if inner != expr.base else expr
    return expr


def _is_radical_zero(expr: sympy.Expr) -> bool:
    """Return whether a quotient of polynomials in quantities and square roots is zero modulo the roots' equations."""
    numerator, denominator = sympy.fraction(sympy.together(expr))
    equations: dict[sympy.Dummy, sympy.Expr] = {}
    names: dict[sympy.Expr, sympy.Dummy] = {}
    rest = sympy.expand(_named(sympy.expand(numerator), names, equations))
    if denominator == 0:
        return False
    for root in sorted(equations, key=lambda each: each.dummy_index, reverse=True):
        if rest == 0:
            return True
        if not rest.is_polynomial(root):
            return False
        rest = sympy.fraction(sympy.together(sympy.rem(rest, root**2 - equations[root], root)))[0]
        rest = sympy.expand(rest)
    return bool(rest == 0)


def _named(
    expr: sympy.Expr, names: dict[sympy.Expr, sympy.Dummy], equations: dict[sympy.Dummy, sympy.Expr]
) -> sympy.Expr:
    """Return an expression with symbols for its square roots, and their equations."""
    if isinstance(expr, sympy.Add | sympy.Mul):
        return expr.func(*(_named(part, names, equations) for part in expr.args))
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer:
        return _named(expr.base, names, equations) ** expr.exp
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and expr.exp.q == 2:  # a square root
        if expr.base not in names:
            inner = _named(expr.base, names, equations)
            names[expr.base] = sympy.Dummy()
            equations[names[expr.base]] = inner
        return names[expr.base] ** expr.exp.p
    return expr


def _is_zero_of_logarithms(expr: sympy.Expr) -> bool:
    """Return whether rational multiples of logarithms of one factor add up to zero: their powers multiply to 1."""
    expr = sympy.expand(expr)
    logarithms = sorted(expr.atoms(sympy.log), key=sympy.default_sort_key)
    if not logarithms or any(one.has(sympy.log) for each in logarithms for one in each.args):
        return False
    names = {each: sympy.Dummy() for each in logarithms}
    linear = sympy.expand(expr.xreplace(names))
    shares = [linear.coeff(name) for name in names.values()]
    rest = sympy.expand(linear - sum(share * name for share, name in zip(shares, names.values(), strict=True)))
    if not _is_radical_zero(rest) or any(share.has(*names.values()) for share in shares):
        return False
    ratios = [sympy.simplify(share / next(each for each in shares if each != 0)) for share in shares]
    if not all(ratio.is_Rational for ratio in ratios):
        return False
    scale = sympy.ilcm(1, 1, *(ratio.q for ratio in ratios))
    powers = [(each.args[0], int(ratio * scale)) for each, ratio in zip(logarithms, ratios, strict=True)]
    above, below = (
        sympy.Mul(*itertools.chain.from_iterable([base] * (sign * power) for base, power in powers if sign * power > 0))
        for sign in (1, -1)
    )
    return _is_radical_zero(_tidy(above - below))
