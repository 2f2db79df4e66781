"""SymPy's algebra, with exponentials as symbols.

exp(1000001/7) is to SymPy's polynomials the 1000001st power of exp(1/7), as it is in exp(z/7 + 1000001/7). Powers like
these take all memory, or GMP ends the process. Here each exponential whose power would be great has its own symbol.
"""

import functools
from typing import NamedTuple

import sympy

_GREATEST_POWER = 16  # of one exponential: polynomials of great degree take long
_MOST_OPERATIONS = 400  # of an expression that is factored
HYPERBOLIC = (sympy.tanh, sympy.cosh, sympy.sinh, sympy.sech, sympy.coth)


class InSymbols(NamedTuple):
    """An expression in symbols for exponentials; what those of the variable stand for, and those of numbers."""

    rational: sympy.Expr
    generators: dict[sympy.Expr, sympy.Expr]
    constants: dict[sympy.Expr, sympy.Expr]

    def written_out(self, expr: sympy.Expr) -> sympy.Expr:
        """Return an expression with the exponentials in place of their symbols."""
        return expr.xreplace(self.generators).xreplace(self.constants)


def factored(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression as a product of factors, if it is not long; its hyperbolic functions stay as they are.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> factored(sympy.exp(2 * z) - 2 * sympy.exp(z) + 1), factored(sympy.exp(2 * z) - sympy.exp(z / 1000001))
    ((exp(z) - 1)**2, -exp(z/1000001) + exp(2*z))

    """
    if expr.count_ops() > _MOST_OPERATIONS:
        return expr
    symbols = _with_numbers_as_symbols(expr)
    return symbols.written_out(sympy.factor(symbols.rational))


def in_symbols(expr: sympy.Expr, variable: sympy.Symbol) -> InSymbols:
    """Return an expression in symbols, its hyperbolic functions too, with exp(z + c) as exp(z)·exp(c)."""
    split = expr.rewrite(HYPERBOLIC, sympy.exp).replace(sympy.exp, functools.partial(_without_constant, variable))
    return _with_numbers_as_symbols(split)


def _with_numbers_as_symbols(expr: sympy.Expr) -> InSymbols:
    names: dict[sympy.Expr, sympy.Expr] = {}
    rational, generators = exponentials_as_powers(_with_names(expr, names))
    return InSymbols(rational, generators, {name: power for power, name in names.items()})


def _with_names(expr: sympy.Expr, names: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """Return an expression with names for exponentials of numbers, but for those within other functions."""
    if isinstance(expr, sympy.exp) and expr.is_number:
        return names.setdefault(expr, sympy.Dummy())
    if expr.is_Add or expr.is_Mul or isinstance(expr, sympy.exp) or (expr.is_Pow and expr.exp.is_Integer):
        return expr.func(*(_with_names(part, names) for part in expr.args))
    return expr


def _without_constant(variable: sympy.Symbol, exponent: sympy.Expr) -> sympy.Expr:
    constant, moving = sympy.expand(exponent).as_independent(variable, as_Add=True)
    return sympy.exp(constant) * sympy.exp(moving)


def exponentials_as_powers(expr: sympy.Expr) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Expr]]:
    """Return an expression with its exponentials as powers of a few symbols, and these symbols as exponentials.

    Numbers stay as they are. SymPy's polynomials would write exp(1.702*z) as the 851st power of exp(z/500), and would
    not see that exp(-z**3 - z) is a power of exp(z**3 + z). Exponentials whose powers would be great get a symbol each.
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
        bases = {unit: sympy.Dummy() for unit in sorted(units)}  # without assumptions, which SymPy seeks roots for
        generators |= {base: sympy.exp(unit * direction) for unit, base in bases.items()}
        for power, coefficient in coefficients.items():
            unit = common if is_small else abs(coefficient)
            powers[power] = bases[unit] ** (coefficient / unit)
    return expr.xreplace(powers), generators
