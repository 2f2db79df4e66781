"""Statements as formulas: in LaTeX, in rows where they are long, and as plain text."""

import re
from collections.abc import Iterator
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.arithmetic.root import Root
from gradtheory.derivation.language import InNumbers, Rounded
from gradtheory.derivation.wide import WideEquation
from gradtheory.document import Formula, tex_text

_SIGNS = {"==": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
_PLAIN_SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_PAIR_DIGITS = 6  # of a number that only a pair of equations names
_LONGEST_ROW = 62  # in letters, as far as they can be counted
_SAFE_NAME = re.compile(r"[A-Za-z]+'?(_?[0-9]+|_[A-Za-z0-9]+|_\*)?")


class _OwnFirst:
    """A printer that prints roots and inverse slopes by its own methods; SymPy would ask the objects instead."""

    _print_level: int  # how deep inside an expression: a root with a formula has brackets there

    def _print(self, expr: sympy.Basic, **settings: Any) -> str:
        if not isinstance(expr, PairRoot | Root | SlopeInverse):
            return str(super()._print(expr, **settings))  # type: ignore[misc]  # SymPy's printers, which come next
        self._print_level += 1
        try:
            return str(getattr(self, f"_print_{type(expr).__name__}")(expr, **settings))
        finally:
            self._print_level -= 1

    def _side(self, expr: sympy.Expr) -> str:
        """Print a side of a relation, which stands alone."""
        level, self._print_level = self._print_level, 0
        try:
            return self._print(expr)
        finally:
            self._print_level = level


class _Latex(_OwnFirst, LatexPrinter):  # type: ignore[misc]  # SymPy's classes are untyped
    """SymPy's LaTeX, except for names, which may come from outside, and roots, which are printed as their unknown."""

    def __init__(self, mul_symbol: str | None = None) -> None:
        super().__init__({"ln_notation": True, "inv_trig_style": "full", "mul_symbol": mul_symbol})

    def _print_Symbol(self, expr: sympy.Symbol) -> str:  # noqa: N802  # SymPy's name
        if _SAFE_NAME.fullmatch(expr.name):
            return str(super()._print_Symbol(expr))
        return rf"\text{{{tex_text(expr.name)}}}"

    def _print_Root(self, expr: Root) -> str:  # noqa: N802  # likewise
        (variable,) = expr.function.variables
        is_named = expr.value == variable and not _is_zero_of_slope(expr)
        return self._print(variable) if is_named else expr._latex(self)

    def _print_PairRoot(self, expr: PairRoot) -> str:  # noqa: N802  # likewise
        digits = rf"{expr.n(_PAIR_DIGITS)}\ldots"
        return digits if expr.is_positive else rf"\left({digits}\right)"

    def _print_asinh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{arsinh}", expr, exp)

    def _print_acosh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{arcosh}", expr, exp)

    def _print_atanh(self, expr: sympy.Expr, exp: str | None = None) -> str:
        return self._named(r"\operatorname{artanh}", expr, exp)

    def _named(self, name: str, expr: sympy.Expr, exp: str | None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{name}{power}\left({self._print(expr.args[0])}\right)"

    def _print_SlopeInverse(self, expr: SlopeInverse, exp: str | None = None) -> str:  # noqa: N802  # likewise
        level, _, left, right = expr.args
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\zeta_{{{self._end(left)},{self._end(right)}}}{power}\left({self._print(level)}\right)"

    def _end(self, end: sympy.Expr) -> str:
        return f"{float(end):.3g}" if end.is_finite and not end.is_Rational else str(self._print(end))

    def _print_And(self, expr: sympy.And) -> str:  # noqa: N802  # likewise
        between = _between(expr)
        if between is None:
            return r" \land ".join(self._print(each) for each in expr.args)
        return " < ".join(self._print(each) for each in between)

    def _print_Or(self, expr: sympy.Or) -> str:  # noqa: N802  # likewise
        return r" \;\lor\; ".join(self._print(each) for each in expr.args)

    def _print_Relational(self, expr: Relational) -> str:  # noqa: N802  # likewise
        return f"{self._side(expr.lhs)} {_SIGNS[expr.rel_op]} {self._side(expr.rhs)}"

    def _print_Limit(self, expr: sympy.Limit) -> str:  # noqa: N802  # likewise
        inner, variable, end, side = expr.args
        mark = "" if end.is_infinite else f"^{{{side}}}"
        return rf"\lim_{{{self._print(variable)} \to {self._print(end)}{mark}}} {self._print(inner)}"


class _Text(_OwnFirst, StrPrinter):  # type: ignore[misc]  # SymPy's classes are untyped
    """Plain text with the same conventions."""

    def _print_Relational(self, expr: Relational) -> str:  # noqa: N802  # SymPy's name
        return f"{self._side(expr.lhs)} {_PLAIN_SIGNS[expr.rel_op]} {self._side(expr.rhs)}"

    def _print_Equality(self, expr: sympy.Eq) -> str:  # noqa: N802  # likewise
        return self._print_Relational(expr)

    def _print_And(self, expr: sympy.And) -> str:  # noqa: N802  # likewise
        between = _between(expr)
        return " < ".join(map(self._print, between)) if between else " and ".join(map(self._print, expr.args))

    def _print_Or(self, expr: sympy.Or) -> str:  # noqa: N802  # likewise
        return " or ".join(map(self._print, expr.args))

    def _print_Equivalent(self, expr: Equivalent) -> str:  # noqa: N802  # likewise
        return " <=> ".join(self._print(each) for each in _sides(expr))

    def _print_SlopeInverse(self, expr: SlopeInverse) -> str:  # noqa: N802  # likewise
        level, _, left, right = expr.args
        ends = ", ".join(f"{float(end):.3g}" if end.is_finite else str(end) for end in (left, right))
        return f"ζ[{ends}]({self._print(level)})"

    def _print_Root(self, expr: Root) -> str:  # noqa: N802  # likewise
        (variable,) = expr.function.variables
        return str(variable) if expr.value == variable and not _is_zero_of_slope(expr) else expr._sympystr(self)

    def _print_PairRoot(self, expr: PairRoot) -> str:  # noqa: N802  # likewise
        digits = f"{expr.n(_PAIR_DIGITS)}…"
        return digits if expr.is_positive else f"({digits})"

    def _print_Limit(self, expr: sympy.Limit) -> str:  # noqa: N802  # likewise
        inner, variable, end, side = expr.args
        return f"lim[{variable} → {end}{'' if end.is_infinite else side}] {self._print(inner)}"

    def _print_Derivative(self, expr: sympy.Derivative) -> str:  # noqa: N802  # likewise
        return f"d/d{expr.variables[0]} ({self._print(expr.expr)})"


_LATEX, _DOTTED, _TEXT = _Latex(), _Latex("dot"), _Text()


def latex(expr: sympy.Basic) -> str:
    """Return an expression or a condition as LaTeX."""
    return str(_LATEX.doprint(expr))


def text(statement: sympy.Basic, *assumptions: sympy.Basic) -> str:
    """Return a statement as plain text, with its assumptions in brackets.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> text(sympy.Le(x**2, 4, evaluate=False))
    'x**2 ≤ 4'

    """
    if assumptions:
        return f"{text(statement)}   ({', '.join(map(text, assumptions))})"
    if isinstance(statement, InNumbers):
        parts = (statement.lhs, statement.rhs, statement.substituted())
        return f"{' = '.join(map(_TEXT.doprint, parts))} ≈ {statement.result._written()}"
    return str(_TEXT.doprint(statement))


def formula(*statements: sympy.Basic) -> Formula:
    """Return a statement as a formula in rows, or several below each other."""
    rows = tuple(row for statement in statements for row in _rows(statement))
    return Formula(rows, lambda: "\n".join(map(text, statements)))


def _rows(statement: sympy.Basic) -> Iterator[tuple[str, str]]:
    printer = _LATEX
    if isinstance(statement, InNumbers):
        yield from _broken(printer, printer.doprint(statement.lhs), "=", statement.rhs)
        yield from _broken(_DOTTED, "", "=", statement.substituted())
        yield "", rf"\approx {statement.result._written()}"
    elif isinstance(statement, Rounded | WideEquation):
        sign = r"\approx" if isinstance(statement, Rounded) else "="
        left, right = statement._latex(printer).split(f" {sign} ", 1)
        yield left, f"{sign} {right}"
    elif isinstance(statement, Equivalent):
        left, right = _sides(statement)
        yield printer.doprint(left), rf"\iff {printer.doprint(right)}"
    elif isinstance(statement, Relational):
        yield from _broken(printer, printer.doprint(statement.lhs), _SIGNS[statement.rel_op], statement.rhs)
    else:
        yield "", printer.doprint(statement)


def _broken(printer: _Latex, left: str, sign: str, right: sympy.Expr) -> Iterator[tuple[str, str]]:
    """Yield the rows of left = right: a long product is broken between its factors."""
    if not isinstance(right, sympy.Mul) or len(right.args) < 4 or any(map(_is_divisor, right.args)):
        yield left, f"{sign} {printer.doprint(right)}"
        return
    row: list[str] = []
    length = 0
    for factor in right.args:
        printed = printer.parenthesize(factor, PRECEDENCE["Mul"])
        if row and length + _length(printed) > _LONGEST_ROW:
            yield left, sign + " " + _joined(row, printer)
            left, sign, row, length = "", r"\quad {}\cdot", [], 0
        row.append(printed)
        length += _length(printed)
    yield left, sign + " " + _joined(row, printer)


def _is_divisor(factor: sympy.Expr) -> bool:
    """Whether a factor is printed below a fraction bar, or is a sign or a number."""
    return bool(factor.is_Rational or (factor.is_Pow and factor.exp.could_extract_minus_sign()))


def _joined(factors: list[str], printer: _Latex) -> str:
    return f" {printer._settings['mul_symbol_latex'].strip() or chr(92) + ','} ".join(factors)


def _length(printed: str) -> int:
    return len(re.sub(r"\\[a-zA-Z]+|[{}^_\\ ]", "", printed)) + 1


def _sides(statement: Equivalent) -> tuple[sympy.Basic, sympy.Basic]:
    """Return the two sides of an equivalence, that of the slope first: SymPy keeps them in a set."""
    left, right = sorted(statement.args, key=lambda side: (not str(side).startswith(("Abs(", "|")), str(side)))
    return left, right


def _between(expr: sympy.And) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr] | None:
    """Return l, x, u for the condition l < x < u."""
    if len(expr.args) != 2 or not all(isinstance(each, sympy.Lt | sympy.Gt) for each in expr.args):
        return None
    for below, above in (expr.args, expr.args[::-1]):
        if below.gts == above.lts:
            return below.lts, below.gts, above.gts
    return None


def _is_zero_of_slope(root: Root) -> bool:
    """Whether a root is a place on the line of z, which has no name of its own."""
    return str(root.function.variables[0]) == "z"
