r"""The words that statements are written in, beside SymPy's own: σ and its slopes, partial derivatives, sets and norms.

They print as they are written by hand, and stand for nothing until a `Meaning` says what.
"""

import re
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.enclosure import order
from gradtheory.chains.losses import Loss
from gradtheory.chains.symbols import A, Y
from gradtheory.formulas import WrittenSum
from gradtheory.formulas.spelling import alone


class Named(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """A real function of one argument that prints as a letter with marks."""

    nargs = 1
    is_real = True
    letter = latex_letter = mark = ""

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        called = rf"{self.latex_letter}{self.mark}\left({alone(printer, self.args[0])}\right)"
        return called if exp is None else f"{called}^{{{exp}}}"

    def _sympystr(self, printer: Any) -> str:
        return f"{self.letter}{self.mark}({alone(printer, self.args[0])})"


class OfSigma(Named):
    """σ or one of its derivatives."""

    letter, latex_letter = "σ", r"\sigma"
    quantity = property(lambda self: self.args[0], doc="What it is taken at, which says of which layer it is.")


class Bend(OfSigma):
    """σ''."""

    mark = "''"


class Slope(OfSigma):
    """σ'."""

    mark = "'"

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return σ''."""
        return Bend(self.args[0])


class Sigma(OfSigma):
    """σ, whose derivative is σ'."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return σ'."""
        return Slope(self.args[0])


class Partial(sympy.Expr):  # type: ignore[misc]  # SymPy's classes are untyped
    """∂u/∂v, where v is a quantity on the way to u: everything else on the way follows v."""

    is_commutative = True
    is_real = True
    quantity = property(lambda self: self.args[1], doc="What it is by, which says of which layer it is.")

    def __new__(cls, of: sympy.Expr, by: sympy.Expr) -> "Partial":  # noqa: D102  # the class's docstring
        return sympy.Expr.__new__(cls, of, by)  # type: ignore[no-any-return]  # SymPy is untyped

    def _latex(self, printer: Any) -> str:
        of, by = map(printer._print, self.args)
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def _sympystr(self, printer: Any) -> str:
        of, by = map(printer._print, self.args)
        return f"∂{of}/∂{by}"


class Measure(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """m(t), the length of {z : |σ'(z)| > t}."""

    nargs = 1
    is_nonnegative = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        called = rf"m\left({printer._print(self.args[0])}\right)"
        return called if exp is None else f"{called}^{{{exp}}}"

    def _sympystr(self, printer: Any) -> str:
        return f"m({printer._print(self.args[0])})"


class Width(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """|X_w|, the length of {x : |σ'(wx + b)·w| > c}, as a function of w and c."""

    nargs = 2
    is_nonnegative = True

    def _latex(self, printer: Any) -> str:
        shown = re.sub(r"\\frac\{(\w)\}\{(\w)\}", r"\1/\2", printer._print(self.args[0]))  # no fraction in a subscript
        return rf"\left|X_{{{shown}}}\right|"

    def _sympystr(self, printer: Any) -> str:
        weight = printer._print(self.args[0])
        return f"|X_{weight}|" if weight.isalnum() or self.args[0] == WIDEST_AT else f"|X_({weight})|"


class AffineMeasure(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The length of {z : |d/dz α·σ(kz)| > t}, as a function of α, k and t."""

    nargs = 3
    is_nonnegative = True

    def _latex(self, printer: Any) -> str:
        return rf"\widetilde m\left({printer._print(self.args[2])}\right)"

    def _sympystr(self, printer: Any) -> str:
        return f"m~({printer._print(self.args[2])})"


class ChainMeasure(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The length of {x : |∂a_L/∂x| > c}, as a function of c and the weights, with the same bias in every layer."""

    is_nonnegative = True

    def _latex(self, printer: Any) -> str:
        return (
            rf"\left|\left\{{x : \left|\partial a_L/\partial x\right| > {printer._print(self.args[0])}\right\}}\right|"
        )

    def _sympystr(self, printer: Any) -> str:
        return f"|{{x : |∂a_L/∂x| > {printer._print(self.args[0])}}}|"


class SpectralRadius(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The greatest modulus of the roots of zⁿ + a_1·z^(n-1) + … + a_n, for n = 1 or 2, as a function of a_1, …, a_n."""

    nargs = (1, 2)
    is_nonnegative = True

    @staticmethod
    def of(*coefficients: sympy.Expr) -> sympy.Expr:
        """Return the number, for exact numbers."""
        if len(coefficients) == 1:
            return abs(coefficients[0])
        half, last = coefficients[0] / 2, coefficients[1]
        inner = half**2 - last
        return sympy.sqrt(last) if order(inner, sympy.S.Zero) < 0 else abs(half) + sympy.sqrt(inner)

    def _latex(self, printer: Any) -> str:
        return rf"\rho\left({', '.join(map(printer._print, self.args))}\right)"

    def _sympystr(self, printer: Any) -> str:
        return f"ρ({', '.join(map(printer._print, self.args))})"


class Constant(sympy.AtomicExpr):  # type: ignore[misc]  # SymPy's classes are untyped
    """A number that belongs to an activation, such as sup|σ'|."""

    is_real = True
    is_nonnegative = True
    is_commutative = True

    @property
    def precedence(self) -> int:
        """Of a power: (sup|σ'|)² has brackets, K² has none."""
        return int(PRECEDENCE["Mul"]) + 1 if self.text.startswith("sup") else int(PRECEDENCE["Atom"])

    def __new__(cls, text: str, latex: str) -> "Constant":  # noqa: D102  # the class's docstring
        self = sympy.AtomicExpr.__new__(cls)
        self.text, self.latex_text = text, latex
        return self  # type: ignore[no-any-return]  # SymPy is untyped

    def __getnewargs__(self) -> tuple[str, str]:
        return self.text, self.latex_text

    def _hashable_content(self) -> tuple[str, ...]:
        return (self.text,)

    def _latex(self, _: Any) -> str:
        return str(self.latex_text)

    def _sympystr(self, _: Any) -> str:
        return str(self.text)


LARGEST = Constant("sup|σ|", r"\sup\left|\sigma\right|")
STEEPEST = Constant("sup|σ'|", r"\sup\left|\sigma'\right|")
WEAK_NORM = Constant("K", r"K\left(\sigma\right)")
DEPTH_BOUND = Constant("H", r"H\left(\sigma\right)")
VARIATION = Constant("V", r"V\left(\sigma\right)")
WIDEST_AT = Constant("w∗", r"w_{*}")
LEFT_LIMIT = Constant("σ(-∞)", r"\sigma\left(-\infty\right)")
RIGHT_LIMIT = Constant("σ(∞)", r"\sigma\left(\infty\right)")
RANGE = sympy.Abs(WrittenSum(RIGHT_LIMIT, -LEFT_LIMIT), evaluate=False)  # its length, of a monotone σ


def _no_numbers(*_: Any) -> Any:
    raise AssertionError("what stands for any function has no values")


GENERIC = Activation(
    name="generic",
    symbol=r"\sigma",
    expr=Sigma(Z),
    slope_expr=Slope(Z),
    range=sympy.S.Reals,
    kernel=_no_numbers,
    reference="any differentiable function",
)

_ANY = sympy.Function("ell", real=True)(A, Y)

ANY_LOSS = Loss(
    name="any",
    expr=_ANY,
    slope_expr=sympy.Derivative(_ANY, A),
    kernel=_no_numbers,
    bend=_no_numbers,
)
