"""An activation of which nothing is known but that it is differentiable: what holds for it holds for all."""

from typing import Any

import sympy

from gradtheory.activations import Activation, Z


class _Slope(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """σ'."""

    def _latex(self, printer: Any) -> str:
        return rf"\sigma'\left({printer._print(self.args[0])}\right)"


class _Sigma(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """σ, whose derivative is σ'."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Slope(self.args[0])

    def _latex(self, printer: Any) -> str:
        return rf"\sigma\left({printer._print(self.args[0])}\right)"


def _no_numbers(*_: Any) -> None:
    raise AssertionError("the generic activation has no values")


GENERIC = Activation(
    name="generic",
    latex=r"\sigma",
    expr=_Sigma(Z),
    derivative=_Slope(Z),
    range=sympy.S.Reals,
    kernel=_no_numbers,
    reference="any differentiable function",
)
