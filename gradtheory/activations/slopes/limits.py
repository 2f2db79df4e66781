"""One-sided limits of a smooth formula: read off where it is rational in z and one exponential, else by SymPy."""

import functools

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided

MOST_OPERATIONS = 300  # of an expression that SymPy is asked about: it may take very long
HYPERBOLIC = (sympy.tanh, sympy.cosh, sympy.sinh, sympy.sech, sympy.coth)
_GREATEST_POWER = 16  # of one exponential: polynomials of great degree take long


def limit(slope: sympy.Expr, end: sympy.Expr, side: str) -> sympy.Expr:
    """Return the one-sided limit of a smooth expression in `Z` at an end, finite or not; the side is "+" or "-".

    Raises
    ------
    Undecided
        If there is no limit, or SymPy finds none.

    Examples
    --------
    >>> limit(Z * sympy.tanh(Z) / (1 + 2 * Z), -sympy.oo, "+")
    -1/2

    """
    if isinstance(end, Root):
        return end.map(sympy.Lambda(Z, slope))
    if end.is_finite:
        value = slope.subs(Z, end)
        if value.is_finite and value.is_extended_real:
            return value
    if slope.count_ops() > MOST_OPERATIONS:
        raise Undecided(f"the limit of {slope} at {end} is not sought: the expression is too large")
    if end.is_infinite and (leading := _by_leading_terms(slope, end)) is not None:
        return leading
    try:
        value = sympy.limit(slope.rewrite(sympy.erf), Z, end, side)
    except (NotImplementedError, ValueError, TypeError, RecursionError, AttributeError) as error:
        raise Undecided(f"SymPy finds no limit of {slope} at {end}: {type(error).__name__}") from None
    if not value.is_extended_real or not value.is_number or value.has(sympy.AccumBounds, sympy.Limit):
        raise Undecided(f"{slope} has no limit at {end} that SymPy finds")
    return value


def _by_leading_terms(slope: sympy.Expr, end: sympy.Expr) -> sympy.Expr | None:
    """Return the limit at oo or -oo of an expression that is rational in z and the exponential of one polynomial.

    In the numerator and the denominator the greatest power of the exponential wins, and then that of z.
    """
    towards = slope.subs(Z, -Z) if end is -sympy.oo else slope
    rational, generators = in_exponentials(towards.rewrite(HYPERBOLIC, sympy.exp))
    variables, directions = (*generators, Z), [each.args[0] for each in generators.values()]
    known = len(generators) <= 1 and all(each.is_polynomial(Z) for each in directions)
    if not (known and rational.is_rational_function(*variables)):
        return None
    for power, direction in zip(generators, directions, strict=True):
        if sign(sympy.LC(direction, Z)) < 0:
            rational = rational.xreplace({power: 1 / power})
    above, below = (sympy.Poly(part, *variables) for part in sympy.fraction(sympy.together(rational)))
    if sign(above.LC()) == 0 or sign(below.LC()) == 0:
        return None
    ratio = above.LC() / below.LC()
    growth = tuple(up - down for up, down in zip(above.monoms()[0], below.monoms()[0], strict=True))
    if any(growth):
        return sign(ratio) * sympy.oo if growth > (0,) * len(growth) else sympy.S.Zero
    return sympy.simplify(ratio)


def in_exponentials(expr: sympy.Expr) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Expr]]:
    """Return an expression with its exponentials as powers of a few symbols, and these symbols as exponentials.

    SymPy's polynomials would write exp(1.702*z) as the 851st power of exp(z/500), and would not see that
    exp(-z**3 - z) is a power of exp(z**3 + z). Exponentials whose powers would be great get a symbol each.
    """
    by_direction: dict[sympy.Expr, dict[sympy.Expr, sympy.Rational]] = {}
    for power in expr.atoms(sympy.exp):
        if power.is_number:
            continue
        coefficient, direction = sympy.expand(power.args[0]).primitive()
        if direction.could_extract_minus_sign():
            coefficient, direction = -coefficient, -direction
        by_direction.setdefault(direction, {})[power] = coefficient
    powers: dict[sympy.Expr, sympy.Expr] = {}
    generators: dict[sympy.Expr, sympy.Expr] = {}
    for direction, coefficients in by_direction.items():
        common = functools.reduce(sympy.gcd, coefficients.values())
        is_small = all(abs(each) <= _GREATEST_POWER * common for each in coefficients.values())
        units = {common} if is_small else {abs(each) for each in coefficients.values()}
        bases = {unit: sympy.Dummy(positive=True) for unit in sorted(units)}
        generators |= {base: sympy.exp(unit * direction) for unit, base in bases.items()}
        for power, coefficient in coefficients.items():
            unit = common if is_small else abs(coefficient)
            powers[power] = bases[unit] ** (coefficient / unit)
    return expr.xreplace(powers), generators
