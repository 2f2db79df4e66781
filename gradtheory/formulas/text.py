"""Formulas as text: ∂C/∂a₃, δ₂, σ'(z₁) w₁, in Unicode and in the order of the mathematics."""

import re
from collections.abc import Mapping
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent
from sympy.printing.conventions import requires_partial
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter
from sympy.simplify.radsimp import fraction

from gradtheory.arithmetic.brief import POWER
from gradtheory.formulas.decimals import digits, is_long
from gradtheory.formulas.order import factors, one_root, terms, with_one_root
from gradtheory.formulas.spelling import PLAIN, OwnFirst, Spelling, alone, between, cases, pieces, sides
from gradtheory.formulas.written import WrittenSum

_SIGNS: Mapping[str, str] = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_GREEK_NAMES = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
GREEK: Mapping[str, str] = {
    **dict(zip(_GREEK_NAMES.split(), "αβγδεζηθκλμνξπρστφχψω", strict=True)),
    "lamda": "λ",
    "varepsilon": "ε",
    "Delta": "Δ",
}
_SUBSCRIPTS = str.maketrans("0123456789+-()lknmxhpst", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₗₖₙₘₓₕₚₛₜ")
_SUPERSCRIPTS = str.maketrans("0123456789-+()nxT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁽⁾ⁿˣᵀ")
_NAMES: Mapping[str, str] = {
    "log": "ln",
    "ell": "ℓ",
    "asinh": "arsinh",
    "acosh": "arcosh",
    "atanh": "artanh",
    "atan": "arctan",
    "asin": "arcsin",
    "acos": "arccos",
    "sign": "sgn",
    "Min": "min",
    "Max": "max",
}
_NUMBER = re.compile(r"\(?-?[0-9./]+…?\)?[⁰¹²³⁴⁵⁶⁷⁸⁹]*")
_PAIR_DIGITS = 6  # of a number that only a pair of equations names


class TextWriter(OwnFirst, StrPrinter):  # type: ignore[misc]  # SymPy's classes are untyped
    """Unicode text with the conventions of `LatexWriter`.

    Parameters
    ----------
    spelling : Spelling
        Names of roots and letters of symbols.

    """

    ellipsis, power = "…", POWER

    def __init__(self, spelling: Spelling = PLAIN) -> None:
        super().__init__()
        self.spelling = spelling

    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        canonical = expr.as_ordered_terms()
        return canonical if isinstance(expr, WrittenSum) else terms(canonical)

    def _print_Add(self, expr: sympy.Add, order: Any = None) -> str:  # noqa: N802  # likewise
        """Print a sum; a term that is itself one of negative terms, as in a written sum, has its minus before it."""
        written = ""
        for term in self._as_ordered_terms(expr, order):
            is_turned = term.is_Add and all(part.could_extract_minus_sign() for part in term.args)
            printed = self._print(-term if is_turned else term)
            is_negative = is_turned or (printed.startswith("-") and not term.is_Add)
            inside = printed if is_turned else printed.removeprefix("-") if is_negative else printed
            if term.is_Add or precedence(term) < PRECEDENCE["Add"]:
                inside = f"({inside})"
            sign = "-" if is_negative else "+"
            written += f" {sign} {inside}" if written else f"{sign.strip('+')}{inside}"
        return written

    def parenthesize(self, item: sympy.Expr, level: int, strict: bool = False) -> str:
        """Print an operand; what has a name in the document needs no brackets."""
        return self._print(item) if item in self.spelling.names else str(super().parenthesize(item, level, strict))

    def _print_Symbol(self, expr: sympy.Symbol) -> str:  # noqa: N802  # SymPy's name
        return subscripted(self.spelling.name(expr.name))

    def _own_LayerVariable(self, expr: sympy.Indexed) -> str:  # noqa: N802  # the class's name
        return subscripted(self.spelling.name(str(expr.base.label)), str(expr.indices[0]).replace(" ", ""))

    def _own_WrittenProduct(self, expr: Any) -> str:  # noqa: N802  # likewise
        if expr.is_turned:
            return f"-{self._print(-expr)}"
        return " · ".join(self._joined(group) for group in expr.groups if group)

    def _print_Mul(self, expr: sympy.Expr) -> str:  # noqa: N802  # likewise
        if expr.args[0].is_Rational and expr.args[0].is_negative:
            return f"-{self.negated(-expr)}"
        above, below = fraction(sympy.Mul._from_args(factors(expr)), exact=True)
        below = with_one_root(below)
        if (root := one_root(above, below)) is not None:
            return self._print(root)
        top = self._joined(sympy.Mul.make_args(above))
        return top if below == 1 else f"{top}/{self.parenthesize(below, PRECEDENCE['Mul'])}"

    def _joined(self, parts: Any) -> str:
        """Print factors side by side, with a dot before a number."""
        written = ""
        for part in parts:
            is_beside = written or (part is not parts[-1] and not part.is_number)
            strict = not part.could_extract_minus_sign() and not (is_beside and _is_fraction(part))
            printed = self.parenthesize(part, PRECEDENCE["Mul"], strict=strict)
            touches = written and _NUMBER.fullmatch(printed)
            written += f"{' · ' if touches else ' ' if written else ''}{printed}"
        return written

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:  # noqa: N802  # SymPy's
        base, power = expr.args
        if power.is_Rational and power.is_negative:
            below = self._print(base ** (-power)) if power != -1 else self.parenthesize(base, PRECEDENCE["Mul"])
            return f"1/{below}"
        if power == sympy.S.Half:
            is_bare = base.is_Atom and base.is_nonnegative
            return f"√{self._print(base)}" if is_bare else f"√({self._print(base)})"
        written: str = self.parenthesize(base, PRECEDENCE["Pow"])
        is_open = isinstance(base, sympy.Integral) or (isinstance(base, sympy.log) and written.endswith("|"))
        printed = f"({written})" if is_open else written  # "dz²" would be d(z²), and "ln|z|²" the logarithm of z²
        raised = str(power)
        if power.is_Integer or raised in ("n", "x"):
            return printed + raised.translate(_SUPERSCRIPTS)
        return f"{printed}^{self.parenthesize(power, PRECEDENCE['Atom'], strict=True)}"

    def _print_exp(self, expr: sympy.exp) -> str:
        (power,) = expr.args
        printed = self._print(power)
        is_bare = (power.is_Symbol and not printed.startswith("-")) or (power.is_Integer and power > 0)
        return f"e^{printed}" if is_bare else f"e^({printed})"

    def _print_Rational(self, expr: sympy.Rational) -> str:  # noqa: N802  # likewise
        if is_long(expr):
            return ("-" if expr < 0 else "") + self._print(digits(expr))
        return str(super()._print_Rational(expr))

    def _print_Exp1(self, _: sympy.Expr) -> str:  # noqa: N802  # likewise
        return "e"

    def _print_Pi(self, _: sympy.Expr) -> str:  # noqa: N802  # likewise
        return "π"

    def _print_Infinity(self, _: sympy.Expr) -> str:  # noqa: N802  # likewise
        return "∞"

    def _print_NegativeInfinity(self, _: sympy.Expr) -> str:  # noqa: N802  # likewise
        return "-∞"

    def _print_Abs(self, expr: sympy.Abs) -> str:  # noqa: N802  # likewise
        return f"|{alone(self, expr.args[0])}|"

    def _print_Function(self, expr: sympy.Function) -> str:  # noqa: N802  # likewise
        name = type(expr).__name__
        if isinstance(expr, sympy.log) and isinstance(expr.args[0], sympy.Abs):
            return f"ln{self._print(expr.args[0])}"
        return f"{_NAMES.get(name, name)}({', '.join(self._print(part) for part in expr.args)})"

    _print_Min = _print_Max = _print_Function  # noqa: N815  # likewise

    def _own_LayerProduct(self, expr: sympy.Product) -> str:  # noqa: N802  # likewise
        return self._print_Product(expr)

    def _print_Product(self, expr: sympy.Product) -> str:  # noqa: N802  # likewise
        return f"∏{self._limits(expr)} {self._inside(expr.function)}"

    def _print_Sum(self, expr: sympy.Sum) -> str:  # noqa: N802  # likewise
        inside = self._print(expr.function) if expr.function.is_Mul else self._inside(expr.function)
        return f"∑{self._limits(expr)} {inside}"

    def _print_Integral(self, expr: sympy.Integral) -> str:  # noqa: N802  # likewise
        return f"∫{self._limits(expr)} {self._inside(expr.function)} d{self._print(expr.limits[0][0])}"

    def _limits(self, expr: Any) -> str:
        index, first, last = (self._print(part) for part in expr.limits[0])
        return f"[{index} = {first} … {last}]"

    def _inside(self, expr: sympy.Expr) -> str:
        printed = self._print(expr)
        is_single = expr.is_Atom or expr.is_Pow or expr.is_Function or hasattr(expr, "quantity")
        return printed if is_single else f"({printed})"

    def _print_Derivative(self, expr: sympy.Derivative) -> str:  # noqa: N802  # likewise
        sign = "∂" if requires_partial(expr.expr) else "d"
        return f"{sign}/{sign}{self._print(expr.variables[0])} ({self._print(expr.expr)})"

    def _print_Limit(self, expr: sympy.Limit) -> str:  # noqa: N802  # likewise
        inner, variable, end, side = expr.args
        mark = "" if end.is_infinite else str(side).translate(_SUPERSCRIPTS)
        body = f"({self._print(inner)})" if inner.is_Add else self._print(inner)
        return f"lim[{self._print(variable)} → {self._print(end)}{mark}] {body}"

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:  # noqa: N802  # likewise
        return "{" + "; ".join(f"{self._print(value)}, {self._print(each)}" for value, each in cases(expr)) + "}"

    def _print_Relational(self, expr: Relational) -> str:  # noqa: N802  # likewise
        return f"{alone(self, expr.lhs)} {_SIGNS[expr.rel_op]} {alone(self, expr.rhs)}"

    def _print_Equality(self, expr: sympy.Eq) -> str:  # noqa: N802  # likewise
        return self._print_Relational(expr)

    def _print_And(self, expr: sympy.And) -> str:  # noqa: N802  # likewise
        inside = between(expr)
        if inside is None:
            return " ∧ ".join(map(self._print, expr.args))
        return " ".join(_SIGNS[part] if isinstance(part, str) else self._print(part) for part in inside)

    def _print_Or(self, expr: sympy.Or) -> str:  # noqa: N802  # likewise
        return " ∨ ".join(map(self._print, pieces(expr)))

    def _print_Equivalent(self, expr: Equivalent) -> str:  # noqa: N802  # likewise
        return " ⇔ ".join(self._print(side) for side in sides(expr))

    def _print_HadamardProduct(self, expr: sympy.HadamardProduct) -> str:  # noqa: N802  # likewise
        return " ∘ ".join(self._print(part) for part in pieces(expr))

    def _print_MatMul(self, expr: sympy.MatMul) -> str:  # noqa: N802  # likewise
        return " ".join(self._print(part) for part in expr.args)

    def _print_Transpose(self, expr: sympy.Transpose) -> str:  # noqa: N802  # likewise
        return f"{self._print(expr.args[0])}ᵀ"

    def bracketed(self, printed: str) -> str:
        """Return what is printed in brackets."""
        return f"({printed})"

    def _own_PairRoot(self, expr: Any) -> str:  # noqa: N802  # likewise
        digits = f"{expr.n(_PAIR_DIGITS)}…"
        return digits if expr.is_positive else f"({digits})"

    def _own_SlopeInverse(self, expr: Any) -> str:  # noqa: N802  # likewise
        level, _, left, right = expr.args
        return f"ζ[{self.end(left)}, {self.end(right)}]({self._print(level)})"

    def _own_NormalCDF(self, expr: Any) -> str:  # noqa: N802  # likewise
        return f"Φ({self._print(expr.args[0])})"


def subscripted(name: str, index: str | None = None) -> str:
    """Return a name with Greek letters and, where Unicode has them, subscripts: w_1 is w₁, eta is η.

    Examples
    --------
    >>> subscripted("delta_12"), subscripted("sigma_w"), subscripted("a", "l-1")
    ('δ₁₂', 'σ_w', 'aₗ₋₁')

    """
    letter, _, rest = name.partition("_")
    below = rest if index is None else index
    if not below and re.fullmatch(r"[A-Za-z]+[0-9]+", letter):
        letter, below = re.fullmatch(r"([A-Za-z]+)([0-9]+)", letter).groups()  # type: ignore[union-attr]  # it matches
    written = GREEK.get(letter, letter)
    if not below:
        return written
    if below == "*":
        return f"{written}∗"
    lowered = below.translate(_SUBSCRIPTS)
    return (
        written + lowered
        if not re.search(r"[A-Za-z*(]", lowered)
        else f"{written}_{below if below.isalnum() else f'({below})'}"
    )


def _is_fraction(expr: sympy.Expr) -> bool:
    return bool(fraction(expr, exact=True)[1] != 1)


_TEXT = TextWriter()


def text(expr: sympy.Basic) -> str:
    """Return an expression or a condition as text.

    Examples
    --------
    >>> w, x, b = sympy.symbols("w_1 x b_1")
    >>> text(w * x**2 + b), text(sympy.Le(abs(w), sympy.sqrt(2), evaluate=False))
    ('w₁ x² + b₁', '|w₁| ≤ √2')

    """
    return str(_TEXT.doprint(expr))
