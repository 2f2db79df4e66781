"""Statements about digits: that a number rounds to what is written, and that a formula does with numbers put in."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sympy

from gradtheory.arithmetic.guarantee import decimal
from gradtheory.formulas import WrittenProduct, WrittenSum


class Rounded(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """The statement that a real number, rounded to some decimals, is the one that is written.

    Its arguments are the number, the rational that is written, and the number of its decimals.
    """

    @classmethod
    def of(cls, number: sympy.Expr, value: sympy.Expr, digits: int) -> "Rounded":
        """Return the statement for a name of a number, its value, and the significant digits to be written."""
        written = Decimal(decimal(value, digits))
        decimals = max(0, -int(written.as_tuple().exponent))
        return cls(number, sympy.Rational(str(written)), sympy.Integer(decimals))

    lhs = property(lambda self: self.args[0], doc="The number.")
    rhs = property(lambda self: self.args[1], doc="What is written.")

    @property
    def half_unit(self) -> sympy.Rational:
        """Half a unit of the last decimal, the farthest that the number may be away."""
        return sympy.Rational(1, 2 * 10 ** int(self.args[2]))

    def _written(self) -> str:
        value, decimals = self.args[1:]
        digits = str(abs(int(value * 10**decimals))).rjust(int(decimals) + 1, "0")
        whole, part = digits[: len(digits) - int(decimals)], digits[len(digits) - int(decimals) :]
        return ("-" if value < 0 else "") + (f"{whole}.{part}" if part else whole)

    def _latex(self, printer: Any) -> str:
        return rf"{printer._print(self.lhs)} \approx {self._written()}"

    def _sympystr(self, printer: Any) -> str:
        return f"{printer._print(self.lhs)} ≈ {self._written()}"


class InNumbers(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """The statement that a quantity is an expression, which with numbers put in has a rounded value.

    Its arguments are the quantity, the expression, the pairs of what is replaced and its number, the rational that is
    written as the result, and the number of its decimals.
    """

    @classmethod
    def of(
        cls, lhs: sympy.Expr, rhs: sympy.Expr, numbers: Mapping[sympy.Expr, sympy.Expr], value: sympy.Expr, digits: int
    ) -> "InNumbers":
        """Return the statement whose result has so many significant digits."""
        used = {key: number for key, number in numbers.items() if rhs.has(key)}
        pairs = sympy.Tuple(*(sympy.Tuple(*pair) for pair in used.items()))
        return cls(lhs, rhs, pairs, *Rounded.of(lhs, value, digits).args[1:])

    lhs = property(lambda self: self.args[0], doc="The quantity.")
    rhs = property(lambda self: self.args[1], doc="The expression.")

    @property
    def numbers(self) -> dict[sympy.Expr, sympy.Expr]:
        """What is put in for what."""
        return {key: number for key, number in self.args[2]}  # noqa: C416  # pairs are Tuples

    @property
    def result(self) -> Rounded:
        """The quantity with its digits."""
        return Rounded(self.lhs, *self.args[3:])

    def substituted(self) -> sympy.Expr:
        """Return the expression with the numbers written into it, as one writes them by hand: 7 for |7|/1."""
        return _tidied(self.rhs.xreplace({key: Literal(key, number) for key, number in self.numbers.items()}))


def _tidied(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression without |7|, 7/1, 0/3 and -(-1), where its numbers are written in the places of symbols."""
    if isinstance(expr, WrittenProduct | WrittenSum):
        return type(expr)(*(tuple(map(_tidied, group)) for group in expr.groups))
    if not expr.args:
        return expr
    args = [_tidied(each) for each in expr.args]
    if isinstance(expr, sympy.Abs) and isinstance(args[0], Literal):
        return args[0].positive()
    if isinstance(expr, sympy.Mul):
        args = _tidied_factors(args)
    return expr.func(*args)


def _tidied_factors(factors: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Return the factors of a product: 0 for 0/3, no 1 beside words or below a fraction, and one minus for two."""
    bases = [1 / each if each.is_Pow and each.exp == -1 else each for each in factors]
    literals = [base for base in bases if isinstance(base, Literal)]
    is_of_numbers = all(base.is_Rational or isinstance(base, Literal) for base in bases)
    above = [factor for factor in factors if isinstance(factor, Literal)]
    if is_of_numbers and len(above) == 1 and above[0].number == 0:  # 1 · 0 is left as it is
        return [sympy.S.Zero]
    kept = [
        factor
        for factor, base in zip(factors, bases, strict=True)
        if not (isinstance(base, Literal) and base.number == 1) or (factor is base and is_of_numbers)
    ]
    is_fraction = any(factor is not base for factor, base in zip(factors, bases, strict=True))
    negative = [base for base in literals if base.number < 0]
    if not negative or not is_of_numbers or not (is_fraction or kept[0] == -1):
        return kept
    positive = {each: each.positive() for each in negative}
    return [sympy.Integer((-1) ** len(negative)), *(factor.xreplace(positive) for factor in kept)]


class Literal(sympy.Symbol):  # type: ignore[misc]  # SymPy's classes are untyped
    """A number written in the place of a symbol: it sorts as the symbol, and brings its own parentheses."""

    __slots__ = ("number",)

    def __new__(cls, place: sympy.Expr, number: sympy.Expr) -> "Literal":  # noqa: D102  # the class's docstring
        self = sympy.Symbol.__xnew__(cls, str(place), real=True)
        self.number = number
        return self  # type: ignore[no-any-return]  # SymPy is untyped

    def positive(self) -> "Literal":
        """Return its absolute value, in the same place."""
        return Literal(sympy.Symbol(self.name, real=True), abs(self.number))

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.number)

    def _written(self, fraction: str) -> str:
        number = self.number
        if number.is_Rational and not number.is_Integer and 10**12 % number.q:
            text = fraction.format(abs(number.p), number.q)
            return text if number > 0 else "-" + text
        return format(Decimal(int(number.p)) / int(number.q), "f")

    def _latex(self, _: Any) -> str:
        text = self._written(r"\frac{{{}}}{{{}}}")
        return text if self.number.is_nonnegative and "frac" not in text else rf"\left({text}\right)"

    def _sympystr(self, _: Any) -> str:
        text = self._written("{}/{}")
        return text if self.number.is_nonnegative and "/" not in text else f"({text})"
