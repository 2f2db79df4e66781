"""The functions that textbooks write slopes with: the logistic function S, and the normal law's Φ and φ."""

import sympy

from gradtheory.derivation.language import Named


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
