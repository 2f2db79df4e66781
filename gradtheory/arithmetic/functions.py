"""SymPy functions whose digits are proven, where SymPy's own lose them, and expressions rewritten so that none cancel.

`.n()` of log(1 + 1e-30) is 0 in SymPy, which rounds the argument first; mpmath's Lambert W loses all digits near the
branch point -1/e. Explosion sets just above the critical weight end in such numbers.
"""

import functools
from typing import Any

import sympy

from gradtheory.arithmetic import enclosure


class _Proven:
    """Evaluate by ball arithmetic; print as the function this one refines."""

    args: tuple[sympy.Expr, ...]
    refines: Any
    is_real = True

    def enclosure(self, bits: int, at: enclosure.Balls) -> enclosure.Ball:
        """Return a ball around the number, computed with `bits` bits."""
        return enclosure.function_of(self.refines)(*(enclosure.evaluate(each, bits, at) for each in self.args))

    @property
    def _plain(self) -> sympy.Expr:
        return self.refines(*self.args, evaluate=False)

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _sympystr(self, printer: Any) -> str:
        return str(printer._print(self._plain))

    def _latex(self, printer: Any) -> str:
        return str(printer._print(self._plain))


class RealLambertW(_Proven, sympy.LambertW):  # type: ignore[misc]  # SymPy's classes are untyped
    """A real branch of Lambert's W: branch 0 unless -1 is given as second argument."""

    refines = sympy.LambertW


class RealLog(_Proven, sympy.log):  # type: ignore[misc]  # SymPy's classes are untyped
    """The logarithm of a positive number."""

    refines = sympy.log


_ROOT_HALF = sympy.sqrt(sympy.Rational(1, 2))


class NormalCDF(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The distribution function Φ of the standard normal law, in place of (1 + erf(x/√2))/2, which cancels on the left.

    SymPy rewrites erfc(-x) as 2 - erfc(x), so that cannot stand for it.
    """

    nargs = 1
    is_real = True
    limits = (0, 1)  # at -oo and oo; it increases

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
        """Return the values that are known exactly."""
        known = {sympy.S.Zero: sympy.S.Half, sympy.oo: sympy.S.One, -sympy.oo: sympy.S.Zero}
        return known.get(x)

    @property
    def plain(self) -> sympy.Expr:
        """The same by erfc, which does not cancel on the left."""
        return sympy.erfc(-self.args[0] / sympy.sqrt(2)) / 2

    @staticmethod
    def ball(x: enclosure.Ball) -> enclosure.Ball:
        """Return Φ of a ball."""
        return (-x * enclosure.evaluate(_ROOT_HALF, 0, {})).erfc() / 2

    def enclosure(self, bits: int, at: enclosure.Balls) -> enclosure.Ball:
        """Return a ball around the number, computed with `bits` bits."""
        return self.ball(enclosure.evaluate(self.args[0], bits, at))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:  # SymPy's name
        """Return the density."""
        return sympy.exp(-(self.args[0] ** 2) / 2) / sympy.sqrt(2 * sympy.pi)

    def _eval_rewrite_as_erf(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return (1 + sympy.erf(x / sympy.sqrt(2))) / 2

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _sympystr(self, printer: Any) -> str:
        return f"({printer._print(self.rewrite(sympy.erf))})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\Phi{power}\left({printer._print(self.args[0])}\right)"


_HALF_LINES: dict[type, Any] = {
    sympy.erf: lambda x: 2 * NormalCDF(sympy.sqrt(2) * x),
    sympy.tanh: lambda x: 2 / (1 + sympy.exp(-2 * x)),
}


@functools.lru_cache(maxsize=1024)
def stable(expr: sympy.Expr) -> sympy.Expr:
    """Return an equal expression in which no 1 + erf, 1 + tanh or 1 - tanh² cancels where it is small.

    Numbers stay as they are: they cancel with themselves in one spelling only.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> stable(1 - sympy.tanh(z))
    2/(exp(2*z) + 1)
    >>> stable(2 - 2 * sympy.tanh(z) ** 2)
    2/cosh(z)**2

    """
    plain = expr.replace(sympy.erfc, lambda x: 1 - sympy.erf(x) if x.free_symbols else sympy.erfc(x))
    if plain.has(sympy.sinh):
        plain = plain.replace(lambda part: part.is_Mul and part.has(sympy.sinh), _with_tanh)
    return plain.replace(lambda part: part.is_Add and part.has(*_HALF_LINES), _without_cancelling)


def _with_tanh(product: sympy.Mul) -> sympy.Expr:
    """Return a product with tanh in place of sinh/cosh, of which both are huge."""
    powers = product.as_powers_dict()
    for base, exponent in list(powers.items()):
        if isinstance(base, sympy.sinh) and base.free_symbols and exponent.is_Integer and exponent > 0:
            cosh = sympy.cosh(base.args[0])
            count = min(exponent, -powers.get(cosh, sympy.S.Zero))
            if count > 0:
                product *= sympy.tanh(base.args[0]) ** count * cosh**count / base**count
    return product


def _without_cancelling(total: sympy.Add) -> sympy.Expr:
    constant, rest = total.as_coeff_Add()
    terms = list(sympy.Add.make_args(rest))
    if not constant:
        return total
    for place, term in enumerate(terms):
        factor, function = term.as_coeff_Mul()
        if not function.free_symbols:
            continue
        if factor * constant < 0 and function.is_Pow and function.exp == 2 and isinstance(function.base, sympy.tanh):
            terms[place] = -factor / sympy.cosh(function.base.args[0]) ** 2
            constant += factor
        elif abs(factor) == abs(constant) and function.func in _HALF_LINES:
            terms[place] = constant * _HALF_LINES[function.func](function.args[0] * sympy.sign(factor * constant))
            constant = sympy.S.Zero
        if not constant:
            break
    return sympy.Add(constant, *terms)


def gathered(total: sympy.Expr) -> sympy.Expr:
    """Return a sum in which every exponential stands once, times the sum of its factors, whose sign decides.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> gathered(z**2 * sympy.exp(-z) - 2 * sympy.exp(-z) + z)
    z + (z**2 - 2)*exp(-z)

    """
    factors: dict[sympy.Expr, list[sympy.Expr]] = {}
    for term in sympy.Add.make_args(total):
        exponentials, others = sympy.sift(
            sympy.Mul.make_args(term), lambda each: isinstance(each, sympy.exp), binary=True
        )
        factors.setdefault(sympy.Mul(*exponentials), []).append(sympy.Mul(*others))
    return sympy.Add(*(exponential * sympy.Add(*terms) for exponential, terms in factors.items()))
