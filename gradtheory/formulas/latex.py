"""Formulas in LaTeX: SymPy's printer, with the order, the names and the signs of textbooks."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.simplify.radsimp import fraction

from gradtheory.arithmetic.brief import LATEX_POWER
from gradtheory.formulas.decimals import digits, is_long
from gradtheory.formulas.order import factors, one_root, terms, with_one_root
from gradtheory.formulas.spelling import PLAIN, OwnFirst, Spelling, alone, between, cases, pieces, sides
from gradtheory.formulas.text import GREEK
from gradtheory.formulas.written import WrittenProduct, WrittenSum

SIGNS: Mapping[str, str] = {"==": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
_SAFE_NAME = re.compile(r"[A-Za-z]+'?(_?[0-9]+|_[A-Za-z0-9]+|_\*)?")
_PAIR_DIGITS = 6  # of a number that only a pair of equations names
_BARE = ("cosh", "sinh", "tanh", "cos", "sin", "tan", "log")  # functions of one symbol or number: cosh s, ln 2
_PLAIN = (sympy.erf, sympy.erfc)  # whose powers have brackets: erf² is no textbook's
_SHORT = re.compile(r"[A-Za-z](?:_\{(?:\w+|\*)\})?|[0-9]+")
_WITHOUT_BRACKETS = rf"(\\(?:cosh|sinh|tanh|cos|sin|tan|ln)(?:\^\{{\w+\}})?) ({_SHORT.pattern}|\\left\|\S+\\right\|)"
_FOLLOWED, _LAST = re.compile(rf"{_WITHOUT_BRACKETS} (?=\\left\()"), re.compile(rf"{_WITHOUT_BRACKETS}$")
_TEX_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: f"\\{character}" for character in "&%$#_{}"
}
_TEX_SPECIAL |= {below: rf"\textsubscript{{{digit}}}" for digit, below in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_TEX_SPECIAL |= {
    above: rf"\textsuperscript{{{letter}}}" for letter, above in zip("0123456789-nx", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿˣ", strict=True)
}
_TEX_SPECIAL |= {"√": r"$\surd$", "·": r"$\cdot$", "≤": r"$\le$", "≥": r"$\ge$", "∞": r"$\infty$"}
_TEX_SPECIAL |= {letter: rf"$\{name}$" for name, letter in GREEK.items() if name != "lamda"}


class LatexWriter(OwnFirst, LatexPrinter):  # type: ignore[misc]  # SymPy's classes are untyped
    """SymPy's LaTeX, except for names, which may come from outside, and for order.

    Parameters
    ----------
    spelling : Spelling
        Names of roots and letters of symbols; a root without a name is printed as its unknown or its digits.
    mul_symbol : {"dot"}, optional
        What stands between factors.
    bare : bool
        Whether cosh s and the like are written without brackets.

    """

    ellipsis, power = r"\ldots", LATEX_POWER

    def __init__(self, spelling: Spelling = PLAIN, mul_symbol: str | None = None, *, bare: bool = True) -> None:
        super().__init__({"ln_notation": True, "inv_trig_style": "full", "mul_symbol": mul_symbol, "order": "none"})
        self.spelling, self.bare = spelling, bare

    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        canonical = expr.as_ordered_terms()
        return canonical if isinstance(expr, WrittenSum) else terms(canonical)

    def _print_Mul(self, expr: sympy.Expr) -> str:  # noqa: N802  # SymPy's name
        if expr.as_coeff_Mul()[0].is_negative and expr.args[0].is_Rational:
            return f"- {self.negated(-expr)}"
        ordered = sympy.Mul._from_args(factors(expr))
        above, below = fraction(ordered, exact=True)
        below = with_one_root(below)
        if below == 1:
            return self._in_a_row(ordered)
        if (root := one_root(above, below)) is not None:
            return self._print(root)
        if self._settings["fold_short_frac"]:
            top = self._part(above) if above.is_Mul else self.parenthesize(above, PRECEDENCE["Mul"], strict=True)
            top = _LAST.sub(r"\1\\left(\2\\right)", top)  # cosh(z)/2, which is not cosh(z/2)
            return f"{top} / {self.parenthesize(below, PRECEDENCE['Mul'])}"
        with self.folded():
            return rf"\frac{{{self._part(above)}}}{{{self._part(below)}}}"

    def _print_Rational(self, expr: sympy.Rational) -> str:  # noqa: N802  # likewise
        if is_long(expr):
            return ("-" if expr < 0 else "") + self._print(digits(expr))
        return str(super()._print_Rational(expr))

    def _print_Float(self, expr: sympy.Float) -> str:  # noqa: N802  # likewise
        return str(super()._print_Float(expr)).replace(r"\cdot 10", r"\times 10")

    def _part(self, part: sympy.Expr) -> str:
        """Print a numerator or denominator, whose factors are in order."""
        return self._in_a_row(part) if part.is_Mul and not isinstance(part, WrittenProduct) else self._print(part)

    def _in_a_row(self, product: sympy.Mul) -> str:
        """Print factors in their order; a function that brackets follow gets its own: tanh(s) (s + 1)."""
        return _FOLLOWED.sub(r"\1\\left(\2\\right) ", super()._print_Mul(product))

    def _print_Function(self, expr: sympy.Function, exp: str | None = None) -> str:  # noqa: N802  # likewise
        if exp is not None and isinstance(expr, _PLAIN):
            return rf"{self.bracketed(self._print(expr))}^{{{exp}}}"
        return self._bare(expr, exp) or _applied(super()._print_Function(expr, exp))

    def _print_log(self, expr: sympy.log, exp: str | None = None) -> str:
        return self._bare(expr, exp) or self._named(r"\ln", expr, exp)

    def _bare(self, expr: sympy.Function, exp: str | None) -> str:
        """Return cosh² s and ln|s| without brackets about the s; nothing where they are needed."""
        name, (inside, *_) = type(expr).__name__, expr.args
        printed = self._print(inside)
        if not self.bare or name not in _BARE or not (_SHORT.fullmatch(printed) or isinstance(inside, sympy.Abs)):
            return ""
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\{'ln' if name == 'log' else name}{power} {printed}"

    @contextmanager
    def folded(self) -> Iterator[None]:
        """Write short fractions in one line: those inside a fraction or an exponent."""
        before, self._settings["fold_short_frac"] = self._settings["fold_short_frac"], True
        try:
            yield
        finally:
            self._settings["fold_short_frac"] = before

    def _print_ExpBase(self, expr: sympy.exp, exp: str | None = None) -> str:  # noqa: N802  # likewise
        with self.folded():
            return str(super()._print_ExpBase(expr, exp))

    def _print_Pow(self, expr: sympy.Pow) -> str:  # noqa: N802  # likewise
        if self._settings["fold_short_frac"] and expr.exp.is_Rational and expr.exp.is_negative:
            return f"1 / {self.parenthesize(1 / expr, PRECEDENCE['Mul'])}"
        return str(super()._print_Pow(expr))

    def _helper_print_standard_power(self, expr: sympy.Pow, template: str) -> str:  # SymPy's
        with self.folded():
            power = self._print(expr.exp)
        base = self.parenthesize(expr.base, PRECEDENCE["Pow"])
        return template % (self.parenthesize_super(base) if expr.base.is_Symbol else base, power)

    def _print_Symbol(self, expr: sympy.Symbol) -> str:  # noqa: N802  # likewise
        name = self.spelling.name(expr.name)
        if _SAFE_NAME.fullmatch(name):
            return str(super()._print_Symbol(expr if name == expr.name else sympy.Symbol(name)))
        return rf"\text{{{tex_text(name)}}}"

    def _print_Transpose(self, expr: sympy.Transpose) -> str:  # noqa: N802  # likewise
        return rf"{self.parenthesize(expr.arg, PRECEDENCE['Pow'])}^{{\text{{T}}}}"

    def _print_Product(self, expr: sympy.Product) -> str:  # noqa: N802  # likewise
        return self._over_limits(r"\prod", expr)

    def _print_Sum(self, expr: sympy.Sum) -> str:  # noqa: N802  # likewise
        return self._over_limits(r"\sum", expr)

    def _print_Integral(self, expr: sympy.Integral) -> str:  # noqa: N802  # likewise
        ((variable, first, last),) = expr.limits
        with self.folded():
            limits = rf"_{{{self._print(first)}}}^{{{self._print(last)}}}"
        inside = self.parenthesize(expr.function, PRECEDENCE["Mul"], strict=True)
        return rf"\int{limits} {inside}\, d{self._print(variable)}"

    def _over_limits(self, sign: str, expr: sympy.Product | sympy.Sum) -> str:
        """Print a product or sum over layers: what it is of stands in brackets unless it cannot be read otherwise."""
        (index, first, last), *_ = expr.limits
        limits = rf"_{{{self._print(index)}={self._print(first)}}}^{{{self._print(last)}}}"
        inside = self._print(expr.function)
        is_single = expr.function.is_Atom or expr.function.is_Pow or expr.function.is_Function
        is_single = is_single or hasattr(expr.function, "quantity")
        is_single = is_single or (isinstance(expr, sympy.Sum) and expr.function.is_Mul)
        return f"{sign}{limits} " + (inside if is_single else rf"\left({inside}\right)")

    def _print_asinh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{arsinh}", expr, exp)

    def _print_acosh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{arcosh}", expr, exp)

    def _print_atanh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{artanh}", expr, exp)

    def _print_Derivative(self, expr: sympy.Derivative) -> str:  # noqa: N802  # likewise
        printed, inner = str(super()._print_Derivative(expr)), self._print(expr.expr)
        above, below = fraction(expr.expr)
        words = [part for part in sympy.Mul.make_args(above) if not part.is_number]
        is_alone = expr.expr.is_Add or (below == 1 and len(words) < 2)
        return printed if is_alone else f"{printed.removesuffix(inner)}{self.bracketed(inner)}"

    def _print_sign(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{sgn}", expr, exp)

    def _named(self, name: str, expr: sympy.Expr, exp: str | None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{name}{power}\left({self._print(expr.args[0])}\right)"

    def bracketed(self, printed: str) -> str:
        """Return what is printed in brackets."""
        return rf"\left({printed}\right)"

    def _own_PairRoot(self, expr: Any) -> str:  # noqa: N802  # the class's name
        digits = rf"{expr.n(_PAIR_DIGITS)}\ldots"
        return digits if expr.is_positive else rf"\left({digits}\right)"

    def _own_SlopeInverse(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802  # likewise
        level, _, left, right = expr.args
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\zeta_{{{self.end(left)},{self.end(right)}}}{power}\left({self._print(level)}\right)"

    def _print_And(self, expr: sympy.And) -> str:  # noqa: N802  # SymPy's name
        inside = between(expr)
        if inside is None:
            return r" \;\land\; ".join(self._print(part) for part in expr.args)
        return " ".join(SIGNS[part] if isinstance(part, str) else self._print(part) for part in inside)

    def _print_Or(self, expr: sympy.Or) -> str:  # noqa: N802  # likewise
        return r" \;\lor\; ".join(self._print(part) for part in pieces(expr))

    def _print_Equivalent(self, expr: Equivalent) -> str:  # noqa: N802  # likewise
        return r" \iff ".join(self._print(side) for side in sides(expr))

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:  # noqa: N802  # likewise
        rows = (f"{self._print(value)}, & {self._print(condition)}" for value, condition in cases(expr))
        inside = r" \\ ".join(rows)
        return rf"\begin{{cases}} {inside} \end{{cases}}"

    def _print_Relational(self, expr: Relational) -> str:  # noqa: N802  # likewise
        return f"{alone(self, expr.lhs)} {SIGNS[expr.rel_op]} {alone(self, expr.rhs)}"

    def _print_Limit(self, expr: sympy.Limit) -> str:  # noqa: N802  # likewise
        inner, variable, end, side = expr.args
        mark = "" if end.is_infinite else f"^{{{side}}}"
        printed = self._print(inner)
        body = rf"\left({printed}\right)" if inner.is_Add else printed
        return rf"\lim_{{{self._print(variable)} \to {self._print(end)}{mark}}} {body}"


def _applied(printed: str) -> str:
    """Return a function and its bracket without the braces about the bracket, which would set a space before it."""
    name, bracket, inside = printed.partition(r"{\left(")
    return rf"{name.rstrip()}\left({inside.removesuffix('}')}" if bracket else printed


def tex_text(text: str) -> str:
    r"""Return words as LaTeX that prints exactly these.

    Examples
    --------
    >>> tex_text("100% of $x_1$")
    '100\\% of \\$x\\_1\\$'
    >>> tex_text("θ₁")
    '$\\theta$\\textsubscript{1}'

    """
    escaped = "".join(_TEX_SPECIAL.get(character, character) for character in printable(text))
    return escaped.replace("--", "-{}-")  # which TeX would make one dash


def printable(text: str) -> str:
    """Return text in one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


_LATEX = LatexWriter()


def latex(expr: sympy.Basic) -> str:
    r"""Return an expression or a condition as LaTeX.

    Examples
    --------
    >>> w, x, b = sympy.symbols("w x b")
    >>> latex(w * x + b), latex(-x + w)
    ('w x + b', 'w - x')

    """
    return str(_LATEX.doprint(expr))
