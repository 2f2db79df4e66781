"""The functions that textbooks write slopes with: S, the normal law's Φ and φ, its means; and log₂."""

from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE

from gradtheory.derivation.language import Named
from gradtheory.formulas import as_made
from gradtheory.formulas.spelling import alone


class Logistic(Named):
    """S(z) = 1/(1 + e^(-z))."""

    letter = latex_letter = "S"

    def written(self) -> sympy.Expr:
        """Return it as a formula."""
        return 1 / (1 + sympy.exp(-self.args[0]))


class NormalDistribution(Named):
    """Φ(z) = (1 + erf(z/√2))/2."""

    letter, latex_letter = "Φ", r"\Phi"

    def written(self) -> sympy.Expr:
        """Return it as a formula."""
        return (1 + sympy.erf(self.args[0] / sympy.sqrt(2))) / 2


class NormalDensity(Named):
    """φ(z) = e^(-z²/2)/√(2π)."""

    letter, latex_letter = "φ", r"\varphi"

    def written(self) -> sympy.Expr:
        """Return it as a formula."""
        return sympy.exp(-(self.args[0] ** 2) / 2) / sympy.sqrt(2 * sympy.pi)


class BinaryLogarithm(Named):
    """log₂ x, of a number that stays as it is made."""

    letter, latex_letter = "log₂", r"\log_2"

    def __new__(cls, number: sympy.Expr) -> sympy.Expr:
        """Return the logarithm of what is written."""
        return as_made(cls, number)

    def written(self) -> sympy.Expr:
        """Return it as a formula."""
        return sympy.log(self.args[0]) / sympy.log(2)


class Mean(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """E_w[p(w)], the mean of a polynomial over a standard normal w; what else is in it is given."""

    nargs = 2
    is_real = True
    precedence = PRECEDENCE["Mul"] + 1  # so that its power has brackets: a square of a mean is no mean of a square
    free_symbols = property(lambda self: self.args[0].free_symbols - {self.args[1]}, doc="Those that are given.")

    def __new__(cls, inner: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
        """Return the mean of what is written, in its order."""
        return as_made(cls, inner, variable)

    def written(self) -> sympy.Expr:
        """Return it as a formula: E[w^n] is (n - 1)!! for even n, and 0 for odd."""
        powers = sympy.Poly(*self.args).all_terms()
        return sympy.Add(*(sympy.factorial2(n - 1) * given for (n,), given in powers if n % 2 == 0))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inner, variable = alone(printer, self.args[0]), printer._print(self.args[1])
        mean = rf"E_{{{variable}}}\left[{inner}\right]"
        return mean if exp is None else rf"\left({mean}\right)^{{{exp}}}"

    def _sympystr(self, printer: Any) -> str:
        return f"E_{printer._print(self.args[1])}[{alone(printer, self.args[0])}]"
