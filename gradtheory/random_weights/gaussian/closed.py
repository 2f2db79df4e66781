r"""Gaussian expectations in closed form, in SymPy.

For z ~ N(0, q) the integrand is cut into its smooth pieces, and each expanded into terms

    c · z^k · exp(a·z + b·z²) · erf(α·z)^j.

Completing the square makes the exponential a Gaussian of variance v = q/(1 - 2bq) and mean a·v. Truncated moments
then follow from M_k = m·M_{k-1} + (k-1)·v·M_{k-2} - v·[z^{k-1}·φ(z)], and, with erf on the whole line, from Stein's
identity E[z·g(z)] = v·E[g'(z)] and E[erf(αz)²] = (2/π)·asin(2α²v/(1 + 2α²v)) (C. K. I. Williams, "Computation with
infinite networks", Neural Computation 10, 1998, equation 11). Sines and cosines are exponentials of imaginary
argument.
"""

import functools
import itertools
from typing import NamedTuple

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.errors import NoClosedForm

__all__ = ["Q", "closed_expectation"]

Q = sympy.Symbol("q", positive=True)

_MOST_TERMS = 200


class _Term(NamedTuple):
    """c · z^k · exp(a·z + b·z²) · erf(α·z)^j."""

    factor: sympy.Expr
    power: int
    linear: sympy.Expr
    quadratic: sympy.Expr
    scale: sympy.Expr
    erfs: int


@functools.lru_cache(maxsize=256)
def closed_expectation(integrand: sympy.Expr) -> sympy.Expr:
    r"""Return E[f(z)] for z ~ N(0, q) in closed form, in the symbol `Q`.

    Parameters
    ----------
    integrand : sympy.Expr
        f, in the symbol `Z`: products and sums of polynomials, exp of a polynomial of degree 2, sin, cos, sinh, cosh,
        and erf, on pieces.

    Raises
    ------
    NoClosedForm
        If f holds anything else, or the expectation diverges for large q.

    Examples
    --------
    >>> closed_expectation(sympy.Max(0, Z) ** 2), closed_expectation(sympy.erf(Z) ** 2)
    (q/2, 2*asin(2*q/(2*q + 1))/pi)

    """
    corners = (-sympy.oo, *breaks(integrand, Z, -sympy.oo, sympy.oo), sympy.oo)
    total = sympy.S.Zero
    for left, right in itertools.pairwise(corners):
        for term in _terms(formula_near(integrand, Z, inner_point(left, right))):
            total += term.factor * _expected(term._replace(factor=sympy.S.One), left, right)
    return sympy.simplify(total) if total.count_ops() < 60 else total


def _terms(piece: sympy.Expr) -> list[_Term]:
    """Return a smooth formula as a sum of terms."""
    if piece.has(sympy.sin, sympy.cos, sympy.sinh, sympy.cosh):
        piece = piece.rewrite(sympy.exp)
    piece = piece.replace(sympy.erfc, lambda x: 1 - sympy.erf(x))
    expanded = sympy.expand(piece, power_exp=False)
    parts = sympy.Add.make_args(expanded)
    if len(parts) > _MOST_TERMS:
        raise NoClosedForm(f"{piece} has too many terms")
    return [_term(part) for part in parts]


def _term(product: sympy.Expr) -> _Term:
    factor, power, exponent, scale, erfs = sympy.S.One, 0, sympy.S.Zero, sympy.S.One, 0
    for part in sympy.Mul.make_args(product):
        base, raised = (part.base, part.exp) if part.is_Pow and part.base is not sympy.E else (part, sympy.S.One)
        if not part.has(Z):
            factor *= part
        elif base == Z and raised.is_Integer and raised > 0:
            power += int(raised)
        elif base.func is sympy.exp and not raised.has(Z):
            exponent += base.args[0] * raised
        elif base.func is sympy.erf and raised.is_Integer and raised > 0 and not (base.args[0] / Z).has(Z):
            new = base.args[0] / Z
            if erfs and new != scale:
                raise NoClosedForm(f"{product} has no known Gaussian expectation")
            scale, erfs = new, erfs + int(raised)
        else:
            raise NoClosedForm(f"{product} has no known Gaussian expectation")
    polynomial = sympy.Poly(exponent, Z) if exponent.is_polynomial(Z) else None
    if polynomial is None or polynomial.degree() > 2:
        raise NoClosedForm(f"{product} has no known Gaussian expectation")
    constant, linear, quadratic = (polynomial.coeff_monomial(Z**k) for k in range(3))
    return _Term(factor * sympy.exp(constant), power, linear, quadratic, scale, erfs)


def _expected(term: _Term, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    if not term.quadratic.is_nonpositive:
        raise NoClosedForm("the expectation diverges for large q")
    v = Q / (1 - 2 * term.quadratic * Q)
    mean = term.linear * v
    weight = sympy.sqrt(v / Q) * sympy.exp(term.linear * mean / 2)
    whole = left.is_infinite and right.is_infinite
    if term.erfs:
        if not whole or term.linear != 0:
            raise NoClosedForm("a product with erf has a closed form only on the whole line, without exp(a·z)")
        return weight * _with_erf(term.power, term.erfs, term.scale, v)
    if not (whole or term.linear.is_real):
        raise NoClosedForm("a sine has a closed form only on the whole line")
    return weight * _truncated_moment(term.power, mean, v, left, right)


def _truncated_moment(
    power: int, mean: sympy.Expr, variance: sympy.Expr, left: sympy.Expr, right: sympy.Expr
) -> sympy.Expr:
    """Return ∫ z^k over [left, right] under N(mean, variance)."""
    moments = [_below(right, mean, variance) - _below(left, mean, variance)]
    for k in range(1, power + 1):
        before = moments[k - 2] if k > 1 else sympy.S.Zero
        ends = _at_end(right, k - 1, mean, variance) - _at_end(left, k - 1, mean, variance)
        moments.append(mean * moments[k - 1] + (k - 1) * variance * before - variance * ends)
    return moments[power]


def _below(end: sympy.Expr, mean: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    if end.is_infinite:
        return sympy.S.One if end is sympy.oo else sympy.S.Zero
    return sympy.erfc((mean - end) / sympy.sqrt(2 * variance)) / 2


def _at_end(end: sympy.Expr, power: int, mean: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    """Return z^k·φ(z) at an end."""
    if end.is_infinite:
        return sympy.S.Zero
    density = sympy.exp(-((end - mean) ** 2) / (2 * variance)) / sympy.sqrt(2 * sympy.pi * variance)
    return (end**power if power else sympy.S.One) * density


def _with_erf(power: int, erfs: int, scale: sympy.Expr, v: sympy.Expr) -> sympy.Expr:
    """Return E[z^k·erf(αz)^j] for z ~ N(0, v)."""
    if (power + erfs) % 2:
        return sympy.S.Zero
    if erfs == 0:
        return sympy.factorial2(power - 1) * v ** (power // 2)
    if power == 0:
        if erfs == 2:
            twice = 2 * scale**2 * v
            return 2 * sympy.asin(twice / (1 + twice)) / sympy.pi
        raise NoClosedForm(f"E[erf^{erfs}] has no known closed form")
    lower = (power - 1) * _with_erf(power - 2, erfs, scale, v) if power > 1 else sympy.S.Zero
    narrowed = v / (1 + 2 * scale**2 * v)  # exp(-α²z²) joins the Gaussian
    by_erf = erfs * 2 * scale / sympy.sqrt(sympy.pi) * sympy.sqrt(narrowed / v)
    return v * (lower + by_erf * _with_erf(power - 1, erfs - 1, scale, narrowed))
