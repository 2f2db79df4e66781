"""The words of statements on chains of any depth: the output, the gradient, what each layer loses, and convexity.

They print for depth L, and are checked on a chain of two layers.
"""

from typing import Any

import sympy

from gradtheory.activations import Z
from gradtheory.derivation.language import Bend, Named, OfSigma, Sigma, Slope
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

# The chain of two layers on which statements are checked: σ(6·(σ(x/4 + 1/7) - σ(1/7))), in which both layers matter.
_WEIGHTS = sympy.Rational(1, 4), sympy.Integer(6)
_BIAS = sympy.Rational(1, 7)


class Third(OfSigma):
    """σ'''."""

    mark = "'''"


def schwarzian(first: sympy.Expr, second: sympy.Expr, third: sympy.Expr) -> sympy.Expr:
    """Return the Schwarzian derivative of a function, by its first three, as textbooks write it."""
    square = as_made(sympy.Pow, second / first, sympy.Integer(2))
    return WrittenSum(third / first, WrittenProduct((-sympy.Rational(3, 2), square)))


SCHWARZIAN = schwarzian(Slope(Z), Bend(Z), Third(Z))
CLASS_N = 1 / sympy.sqrt(abs(Slope(Z)))
LOG_CONCAVE = -sympy.log(abs(Slope(Z)))


class _OfChain(Named):
    """A quantity of the chain, at an input."""

    letter = latex_letter = "f"

    def layers(self) -> list[sympy.Expr]:
        """Return the pre-activations, in the words σ and σ'."""
        first = _WEIGHTS[0] * self.args[0] + _BIAS
        return [first, _WEIGHTS[1] * (Sigma(first) - Sigma(_BIAS))]


class ChainValue(_OfChain):
    """f(x) = a_L, the output of the chain."""

    def written(self) -> sympy.Expr:
        """Return it in the word σ."""
        return Sigma(self.layers()[-1])


class LastInput(_OfChain):
    """z_L(x), the pre-activation of the last layer."""

    letter, latex_letter = "z_L", "z_{L}"

    def written(self) -> sympy.Expr:
        """Return it in the word σ."""
        return self.layers()[-1]


class ChainSlope(_OfChain):
    """f'(x), the product of all factors."""

    mark = "'"

    def written(self) -> sympy.Expr:
        """Return it in the words σ and σ'."""
        return sympy.Mul(*_WEIGHTS, *map(Slope, self.layers()))


class LayerRatios(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """Π r(Δ_l) with r(Δ) = βΔ/sinh(βΔ), of two inputs and β."""

    nargs = 3
    is_real = True
    last = "L"

    def written(self) -> sympy.Expr:
        """Return it in the word σ."""
        x, y, beta = self.args
        here, there = (self._layers(each) for each in (x, y))
        return sympy.Mul(*(ratio(beta * (q - p)) for p, q in zip(here, there, strict=True)))

    def _layers(self, x: sympy.Expr) -> list[sympy.Expr]:
        return ChainValue(x).layers()

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"  # of a product: that of every factor
        return rf"\prod_{{l=1}}^{{{self.last}}} r\left(\Delta_{{l}}\right){power}"

    def _sympystr(self, printer: Any) -> str:
        return f"∏[l = 1 … {self.last}] r(Δₗ)"


class LayerRatiosBefore(LayerRatios):
    """The same of all layers but the last."""

    last = "L-1"

    def _layers(self, x: sympy.Expr) -> list[sympy.Expr]:
        return super()._layers(x)[:-1]


_AT_MOST, _AT_LEAST = r"\le", r"\ge"


class Convex(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """The statement that a function of σ' is convex in its one symbol where σ' is not 0."""

    function = property(lambda self: self.args[0], doc="The function.")
    variable = property(lambda self: next(iter(self.args[0].free_symbols)), doc="Its symbol.")

    @property
    def _written(self) -> tuple[sympy.Expr, bool]:
        """The function, or its negative where that has no sign, which is then concave."""
        is_concave = self.function.could_extract_minus_sign()
        return (-self.function if is_concave else self.function), is_concave

    def _latex(self, printer: Any) -> str:
        variable, (function, is_concave) = printer._print(self.variable), self._written
        bend = rf"\frac{{d^{{2}}}}{{d{variable}^{{2}}}} \left({printer._print(function)}\right)"
        return f"{bend} {_AT_MOST if is_concave else _AT_LEAST} 0"

    def _sympystr(self, printer: Any) -> str:
        function, is_concave = self._written
        return f"d²/d{printer._print(self.variable)}² ({printer._print(function)}) {'≤' if is_concave else '≥'} 0"


def ratio(length: sympy.Expr) -> sympy.Expr:
    """Return x/sinh x."""
    return length / sympy.sinh(length)


def in_angles(centre: sympy.Expr, scale: sympy.Expr, angle: sympy.Symbol) -> sympy.Expr:
    """Return -log(|σ'(centre + scale·tan θ)|/cos²θ)."""
    return -sympy.log(abs(Slope(centre + scale * sympy.tan(angle))) / sympy.cos(angle) ** 2)
