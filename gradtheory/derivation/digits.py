"""Statements about digits: that a number rounds to what is written, and that a formula does with numbers put in."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import sympy
from sympy.core.parameters import distribute
from sympy.printing.precedence import PRECEDENCE, precedence

from gradtheory.arithmetic.brief import LATEX_POWER, POWER
from gradtheory.arithmetic.enclosure import MOST_BITS, sign
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.formulas import WrittenProduct, WrittenSum
from gradtheory.formulas.order import terms

_BITS_PER_DIGIT = 4
_MOST_DIGITS = 60  # of a whole number, or a fraction, that is written out as it is
_MOST_ZEROS, _FEW_ZEROS = 9, 4  # after the point, before a given number, or a result, is written with a power of 10


_ODD = (sympy.erf, sympy.tanh, sympy.sinh, sympy.atan, sympy.asinh)


class Rounded(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """The statement that a real number, rounded to some decimals, is the one that is written.

    Its arguments are the number, the rational that is written, and the number of its decimals: below 0 where the last
    digits of a large number are not written.
    """

    @classmethod
    def of(cls, number: sympy.Expr, value: sympy.Expr, digits: int) -> "Rounded":
        """Return the statement for a name of a number, its value, and the significant digits to be written."""
        if value.is_Integer and abs(value) < 10**_MOST_DIGITS:
            return cls(number, value, sympy.S.Zero)
        written = Decimal(decimal(value.n(2 * digits) if value.is_Integer else value, digits))
        unwritten = max(0, written.adjusted() + 1 - digits)
        decimals = max(-int(written.as_tuple().exponent), -unwritten)
        return cls(number, sympy.Rational(str(written)), sympy.Integer(decimals))

    lhs = property(lambda self: self.args[0], doc="The number.")
    rhs = property(lambda self: self.args[1], doc="What is written.")

    @property
    def half_unit(self) -> sympy.Rational:
        """Half a unit of the last decimal, the farthest that the number may be away."""
        return sympy.Integer(10) ** -self.args[2] / 2

    def written(self, power: str = POWER) -> str:
        """Return the digits, with a power of 10 where many zeros would stand before them, or any after them."""
        value, decimals = self.args[1:]
        digits = str(abs(int(value * sympy.Integer(10) ** decimals)))
        if value and (decimals < 0 or int(decimals) - len(digits) >= _FEW_ZEROS):
            exponent = len(digits) - 1 - int(decimals)
            mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
            return ("-" if value < 0 else "") + power.format(mantissa, exponent)
        digits = digits.rjust(int(decimals) + 1, "0")
        whole, part = digits[: len(digits) - int(decimals)], digits[len(digits) - int(decimals) :]
        return ("-" if value < 0 else "") + (f"{whole}.{part}" if part else whole)

    def _latex(self, printer: Any) -> str:
        return rf"{printer._print(self.lhs)} \approx {self.written(LATEX_POWER)}"

    def _sympystr(self, printer: Any) -> str:
        return f"{printer._print(self.lhs)} ≈ {self.written()}"


def rounds_to(number: sympy.Expr, written: Rounded) -> bool:
    """Return whether a number lies within half a unit of what is written; of tiny ones, terms may cancel."""
    bits = MOST_BITS + _BITS_PER_DIGIT * max(0, int(written.args[-1]))
    above = number - (written.rhs - written.half_unit), written.rhs + written.half_unit - number
    return all(sign(each, bits) >= 0 for each in above)  # SymPy would evaluate an absolute value, however long it takes


class InNumbers(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """The statement that a quantity is an expression, which with numbers put in has a rounded value.

    Its arguments are the quantity, the expression, triples of what is replaced, its number and how that is written, the
    rational that is written as the result, and the number of its decimals. A number is written as it is, or `Rounded`:
    what is computed from it is computed from the number itself, so that roundings do not add up over layers.
    """

    @classmethod
    def of(
        cls,
        lhs: sympy.Expr,
        rhs: sympy.Expr,
        numbers: Mapping[sympy.Expr, sympy.Expr],
        value: sympy.Expr,
        digits: int,
        written: Mapping[sympy.Expr, Rounded] | None = None,
    ) -> "InNumbers":
        """Return the statement whose result has so many significant digits; some numbers may be written rounded."""
        composite = {key: sympy.Dummy() for key in numbers if any(key != part and key.has(part) for part in numbers)}
        shown = rhs.xreplace(composite)  # without what stands in a composite alone, as z in σ'(z)
        used = {
            key: number
            for key, number in numbers.items()
            if shown.has(composite.get(key, key)) or (lhs != key and lhs.has(key))
        }
        rounded = written or {}
        triples = (sympy.Tuple(key, number, rounded.get(key, number)) for key, number in used.items())
        return cls(lhs, rhs, sympy.Tuple(*triples), *Rounded.of(lhs, value, digits).args[1:])

    lhs = property(lambda self: self.args[0], doc="The quantity.")
    rhs = property(lambda self: self.args[1], doc="The expression.")

    @property
    def numbers(self) -> dict[sympy.Expr, sympy.Expr]:
        """What is put in for what."""
        return {key: number for key, number, _ in self.args[2]}

    @property
    def roundings(self) -> tuple[tuple[sympy.Expr, Rounded], ...]:
        """Numbers that are written rounded, each with how."""
        return tuple((number, written) for _, number, written in self.args[2] if isinstance(written, Rounded))

    @property
    def result(self) -> Rounded:
        """The quantity with its digits."""
        return Rounded(self.lhs, *self.args[3:])

    @property
    def written(self) -> dict[sympy.Expr, sympy.Expr]:
        """What is written for what."""
        return {key: value.rhs if isinstance(value, Rounded) else value for key, _, value in self.args[2]}

    @property
    def is_rounded(self) -> bool:
        """Whether something else is written for a number than the number itself."""
        return self.written != self.numbers

    @property
    def is_exact(self) -> bool:
        """Whether the digits that are written are all that there are, and come from what is written for the numbers."""
        return all(self.rhs.xreplace(put_in) == self.result.rhs for put_in in (self.numbers, self.written))

    @property
    def ending(self) -> sympy.Expr | Rounded:
        """What the quantity comes to: of whole numbers a fraction that is exact, else digits."""
        is_fraction = self.is_exact and self.args[-1] >= 0 and all(each.is_Integer for each in self.numbers.values())
        return self.result.rhs if is_fraction else self.result

    def substituted(self) -> sympy.Expr:
        """Return the expression with numbers for its symbols, in their order; in sums 0 and 1 leave no trace."""
        return _put_in(self.rhs, {key: Literal(key, number) for key, number in self.written.items()})


class Literal(sympy.Symbol):  # type: ignore[misc]  # SymPy's classes are untyped
    """A number written in the place of a symbol: it sorts as the symbol, and brings its own parentheses."""

    __slots__ = ("number",)

    def __new__(cls, place: sympy.Expr, number: sympy.Expr) -> "Literal":  # noqa: D102  # the class's docstring
        self = sympy.Symbol.__xnew__(cls, str(place), real=True)
        self.number = number
        return self  # type: ignore[no-any-return]  # SymPy is untyped

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.number)

    @property
    def precedence(self) -> int:
        """How tightly it binds, for printers: a negative number and a fraction have brackets in a product."""
        if self.number.is_negative:
            return int(PRECEDENCE["Add"])
        if not self.number.is_Rational:
            return int(precedence(self.number))
        return int(PRECEDENCE["Add" if self.is_fraction or "10^" in self._written("", POWER) else "Atom"])

    @property
    def is_fraction(self) -> bool:
        """Whether it is written as a fraction."""
        if not self.number.is_Rational or self.number.is_Integer:
            return False
        digits = _digits(self.number)
        return digits is None or len(digits[0]) > _MOST_DIGITS

    def __abs__(self) -> "Literal":
        return Literal(sympy.Symbol(self.name), abs(self.number))

    def _written(self, fraction: str, power: str) -> str:
        number, sign = self.number, "-" if self.number.is_negative else ""
        known = _digits(number)
        if known is None or self.is_fraction:
            return sign + fraction.format(abs(number.p), number.q)
        digits, exponent = known
        first = len(digits) - 1 + exponent
        if first < -_MOST_ZEROS or exponent > _MOST_ZEROS:
            mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
            return sign + power.format(mantissa, first)
        digits = digits.rjust(1 - exponent, "0")
        whole, part = (digits[:exponent], digits[exponent:]) if exponent < 0 else (digits + "0" * exponent, "")
        return sign + (f"{whole}.{part}" if part else whole)

    def _latex(self, printer: Any) -> str:
        if not self.number.is_Rational:
            written = str(printer._print(self.number))
            return "-" + written[2:] if written.startswith("- ") else written
        fraction = "{} / {}" if printer._settings["fold_short_frac"] else r"\frac{{{}}}{{{}}}"
        return self._written(fraction, LATEX_POWER)

    def _sympystr(self, printer: Any) -> str:
        return self._written("{}/{}", POWER) if self.number.is_Rational else str(printer._print(self.number))


def _digits(number: sympy.Rational) -> tuple[str, int] | None:
    """Return the digits of a number's size up to the last that is not 0, and its place; None for endless ones."""
    if number == 0:
        return "0", 0
    twos, fives = (int(sympy.multiplicity(prime, number.q)) for prime in (2, 5))
    if 2**twos * 5**fives != number.q:
        return None
    places = max(twos, fives)
    whole = abs(int(number.p)) * 10**places // int(number.q)
    zeros = int(sympy.multiplicity(10, whole))
    return str(whole // 10**zeros), zeros - places


def _put_in(expr: sympy.Expr, numbers: Mapping[sympy.Expr, Literal]) -> sympy.Expr:
    """Return an expression with numbers in it, none of them after a second sign: a - (-2) is a + 2."""
    if expr in numbers:
        literal = numbers[expr]
        return literal.number if literal.number in (0, 1) else literal
    if not expr.has(*numbers):
        return expr
    if isinstance(expr, WrittenProduct):
        return WrittenProduct(*(tuple(_in_its_place(part, numbers) for part in group) for group in expr.groups))
    if isinstance(expr, sympy.Add):
        summands = expr.parts if isinstance(expr, WrittenSum) else terms(expr.as_ordered_terms())
        put_in = [_signed(_put_in(term, numbers)) for term in summands]
        return WrittenSum(*(term for term in put_in if term != 0)) if any(put_in) else sympy.S.Zero
    args = [_put_in(part, numbers) for part in expr.args]
    if isinstance(expr, sympy.exp) and args[0].is_Rational and args[0] < 0:
        args[0] = Literal(expr, args[0])  # else it is written below, as 1/e^…
    if isinstance(expr, sympy.Abs) and isinstance(args[0], Literal):
        return abs(args[0])
    if expr.is_Pow and isinstance(args[0], Literal) and args[1].is_even:
        args[0] = abs(args[0])
    return _signed(_made(expr, args))


def _in_its_place(factor: sympy.Expr, numbers: Mapping[sympy.Expr, Literal]) -> sympy.Expr:
    """Return a factor with numbers in it, 0 and 1 too; a sum has no second sign: a - (-2) is a + 2."""
    if not isinstance(factor, WrittenSum):
        return factor.xreplace(numbers)
    return WrittenSum(*(_signed(term.xreplace(numbers)) for term in factor.parts))


def _made(expr: sympy.Expr, args: list[sympy.Expr]) -> sympy.Expr:
    """Return an expression from changed arguments, unevaluated where it is: 4/(√2 · 20) is not 2√2/20.

    Nor is tanh(-2) evaluated to -tanh(2), or (1 + erf(1/√2))/2 multiplied out. SymPy looks for the sign of a sum in
    cosh and the like without end where the sum keeps its order.
    """
    if isinstance(expr, _ODD) or (isinstance(expr, sympy.Function) and isinstance(args[0], WrittenSum)):
        return expr.func(*args, evaluate=False)
    if not isinstance(expr, sympy.Mul | sympy.Pow) or expr.func(*expr.args) == expr:
        with distribute(False), suppress(RecursionError):  # from looking for the signs of sums, without end
            return expr.func(*args)
    kept = [each for each in args if each != 1] if expr.is_Mul else args
    return expr.func(*kept, evaluate=False)


def _signed(expr: sympy.Expr) -> sympy.Expr:
    """Return a product whose one negative number stands first, so that its sign is that of the product."""
    powers = (part.as_base_exp() for part in sympy.Mul.make_args(expr))
    negative = [
        base for base, power in powers if isinstance(base, Literal) and base.number.is_negative and power.is_odd
    ]
    if len(negative) != 1 or isinstance(expr, WrittenProduct):
        return expr
    return -expr.xreplace({negative[0]: abs(negative[0])})
