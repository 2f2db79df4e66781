"""Whether a number that no ball tells from 0 *is* 0: by algebra, which SymPy does, within bounds."""

import sympy

from gradtheory.arithmetic.enclosure.balls import FIRST_BITS, Enclosable, enclose
from gradtheory.arithmetic.expansion import longest_number

_MOST_OPERATIONS = 100
_LONGEST = 512  # bits of a rational: SymPy looks for factors of those under roots and in logarithms
_GREATEST_EXPONENT = 4_000  # of 2
_GREATEST_MULTIPLE = 50  # of a logarithm or an arc, which becomes a power or a tangent of a multiple
_INVERSES = sympy.asinh, sympy.acosh, sympy.atanh


def is_small_number_zero(number: sympy.Expr) -> bool:
    """Return whether a number of less than 1 is shown to be 0; SymPy is not asked where it could take for ever.

    Examples
    --------
    >>> is_small_number_zero(sympy.tanh(1) / 2 - sympy.Rational(1, 2) + 1 / (1 + sympy.exp(2)))
    True
    >>> is_small_number_zero(sympy.atan(2) + sympy.atan(sympy.Rational(1, 2)) - sympy.pi / 2)
    True

    """
    if number.count_ops() > _MOST_OPERATIONS or longest_number(number) > _LONGEST:
        return False
    if held := {part for part in sympy.preorder_traversal(number) if isinstance(part, Enclosable)}:
        shows_zero = getattr(next(iter(held)), "shows_zero", None)
        is_seen = number not in held and sympy.expand(number) == 0  # SymPy would ask such a number itself
        return bool(is_seen or (shows_zero is not None and shows_zero(number, held)))
    for part in sympy.preorder_traversal(number):
        if part.args and isinstance(part, sympy.Expr):
            size = abs(enclose(part, FIRST_BITS)).mid()
            if not size.is_finite() or (not size.is_zero() and abs(int(size.man_exp()[1])) > _GREATEST_EXPONENT):
                return False
    number = number.primitive()[1]
    try:
        return any(way(number) == 0 for way in (sympy.expand, _in_exponentials, _of_logarithms, _of_arcs, _of_roots))
    except (ArithmeticError, RecursionError, NotImplementedError):
        return False


def _in_exponentials(number: sympy.Expr) -> sympy.Expr:
    """Return the numerator of a number whose hyperbolic functions are written by exp, and erfc by erf."""
    return sympy.expand(sympy.numer(sympy.together(number.rewrite(sympy.erfc, sympy.erf).rewrite(sympy.exp))))


def _of_logarithms(number: sympy.Expr) -> sympy.Expr:
    """Return exp(x) - 1, or its numerator, for a number x that is a sum of logarithms."""
    in_logarithms = number.rewrite(_INVERSES, sympy.log)
    if not in_logarithms.has(sympy.log):
        return in_logarithms
    return _in_exponentials(sympy.exp(in_logarithms) - 1) if _has_small_multiples(in_logarithms) else sympy.S.One


def _of_arcs(number: sympy.Expr) -> sympy.Expr:
    """Return tan(x), or its numerator, for a number x that is a sum of arcs: if it is 0, so is an x of less than 1."""
    if not number.has(sympy.atan) or not _has_small_multiples(number) or not abs(enclose(number, FIRST_BITS)) < 1:
        return sympy.S.One
    tangents_of_sums = sympy.expand_trig(sympy.tan(number))
    return _in_exponentials(sympy.expand_trig(tangents_of_sums))


def _has_small_multiples(number: sympy.Expr) -> bool:
    multiples = (part.as_coeff_Mul()[0] for part in sympy.Add.make_args(number))
    return all(max(abs(each.p), each.q) <= _GREATEST_MULTIPLE for each in multiples if each.is_Rational)


def _of_roots(number: sympy.Expr) -> sympy.Expr:
    """Return a number whose nested square roots are taken apart, and whose denominators have none."""
    return sympy.expand(sympy.radsimp(sympy.sqrtdenest(number)))
