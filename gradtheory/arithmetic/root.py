"""A SymPy number defined by an equation and an isolating interval, with as many proven digits as asked for."""

from functools import cached_property
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE

from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.expansion import longest_number, terms_written_out
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.errors import InvalidArgument

_MOST_OPERATIONS, _MOST_TERMS, _LONGEST = 200, 300, 512  # of an expression that SymPy divides; bits of its numbers
_FACTORS = (1, -1, 2, -2)  # of f, by which formulas on both sides of a switch often differ: u·sign(u) by 2u
_BITS = 256
_LETTER_OF_PROOFS = "z"  # a pre-activation; where an answer prints the equation of its parameter, that is s or t


class Root(ProvenNumber):
    r"""The number v(s), where s is the only zero of a function f in an interval.

    Parameters
    ----------
    function : sympy.Lambda
        f, continuously differentiable on [lower, upper].
    lower, upper : sympy.Rational
        The isolating interval. That f has exactly one zero in it is proven in ball arithmetic when the number is
        built: f has opposite signs at the ends, and f' has no zero between.
    value : sympy.Lambda, optional
        v; the identity if left out.
    slope : sympy.Expr, optional
        f' in the variable of f, where the caller has it already: finding it takes longer than the proof.

    Raises
    ------
    InvalidArgument
        If the proof fails.

    Notes
    -----
    It behaves as a SymPy number: `.n(50)`, comparisons, `Interval`, LaTeX and pickling work. The digits of `.n` are
    proven: the ball around v(s) is refined until it decides the binary digits of the Float. As with every SymPy Float,
    the last decimal that is printed is a second rounding.

    Examples
    --------
    >>> import sympy
    >>> s = sympy.Symbol("s")
    >>> dottie = Root(sympy.Lambda(s, sympy.cos(s) - s), sympy.Rational(7, 10), sympy.Rational(8, 10))
    >>> dottie.n(30)
    0.739085133215160641655312087674
    >>> dottie < sympy.Rational(3, 4)
    True

    """

    function: sympy.Lambda
    lower: sympy.Rational
    upper: sympy.Rational
    _derivative: sympy.Expr
    value: sympy.Expr  # v(s), in the variable of the function

    def __new__(  # noqa: D102  # the class's docstring
        cls,
        function: sympy.Lambda,
        lower: sympy.Rational,
        upper: sympy.Rational,
        value: sympy.Lambda | None = None,
        *,
        slope: sympy.Expr | None = None,
    ) -> "Root":
        (variable,) = function.variables
        derivative = function.expr.diff(variable) if slope is None else slope
        if not enclosure.has_one_zero(function, derivative, lower, upper):
            raise InvalidArgument(
                "function", function, f"must be proven to have exactly one zero in [{lower}, {upper}]"
            )
        self = super().__new__(cls)
        self._derivative = derivative
        self.function, self.lower, self.upper = function, lower, upper
        self.value = value(variable) if value else variable
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Root, (self.function, self.lower, self.upper, self._value_function)

    def _hashable_content(self) -> tuple[Any, ...]:
        return self.function, self.lower, self.upper, self.value

    def map(self, outer: sympy.Lambda) -> "Root":
        """Return outer(v(s)) as a proven number on the same zero."""
        (variable,) = self.function.variables
        value = sympy.Lambda(variable, outer(self.value))
        return Root(self.function, self.lower, self.upper, value, slope=self._derivative)

    @property
    def _value_function(self) -> sympy.Lambda:
        return sympy.Lambda(self.function.variables, self.value)

    @property
    def equation(self) -> sympy.Eq:
        """The equation f(s) = 0 that defines s."""
        return sympy.Eq(self.function.expr, 0, evaluate=False)

    def enclosure(self, bits: int, at: enclosure.Balls | None = None) -> enclosure.Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        (variable,) = self.function.variables
        zero = enclosure.zero(self.function, self._derivative, self.lower, self.upper, bits)
        return enclosure.enclose(self.value, bits, {variable: zero})

    def is_multiple(self, difference: sympy.Expr) -> bool:
        """Return whether an expression in the variable of f is seen to be f times another, without a pole there."""
        (variable,) = self.function.variables
        if any(sympy.expand(difference - factor * self.function.expr) == 0 for factor in _FACTORS):
            return True
        if difference.count_ops() > _MOST_OPERATIONS or longest_number(difference) > _LONGEST:
            return False
        in_exponentials = enclosure.in_symbols(difference / self.function.expr, variable)
        if terms_written_out(in_exponentials.rational) > _MOST_TERMS:
            return False
        _, below = sympy.fraction(sympy.cancel(sympy.together(sympy.expand(in_exponentials.rational))))
        zero = enclosure.zero(self.function, self._derivative, self.lower, self.upper, _BITS)
        return bool(enclosure.enclose(1 / in_exponentials.written_out(below), _BITS, {variable: zero}).is_finite())

    def shows_zero(self, number: sympy.Expr, held: set[sympy.Expr]) -> bool:
        """Return whether a number that holds this and others like it is seen to be 0."""
        roots = [each for each in held if isinstance(each, Root)]
        of_one_zero = len(roots) == len(held) and len({(each.function, each.lower) for each in roots}) == 1
        if of_one_zero and self.is_multiple(number.xreplace({each: each.value for each in held})):
            return True
        return any(each._solves(number) for each in roots if each._is_plain)

    def _solves(self, number: sympy.Expr) -> bool:
        """Return whether a number linear in s is seen to be 0: that for which it would be 0 is a zero of f, too."""
        (variable,) = self.function.variables
        linear = number.xreplace({self: variable})
        slope = linear.diff(variable)
        if not slope.is_Rational or slope.is_zero:
            return False
        other = -linear.xreplace({variable: sympy.S.Zero}) / slope
        low, ball, high = (enclosure.enclose(each, _BITS) for each in (self.lower, other, self.upper))
        if not low < ball < high:  # f has no other zero there
            return False
        value = self.function(other)
        return bool(abs(enclosure.enclose(value, _BITS)) < 1) and enclosure.is_small_number_zero(value)

    @cached_property
    def _sign(self) -> int:
        if self._is_plain and self.lower * self.upper > 0:
            return enclosure.sign(self.lower)
        return super()._sign

    def _sympystr(self, printer: Any) -> str:
        return super()._sympystr(printer) if self._has_no_name else self._bracketed(printer, "({})")

    def _latex(self, printer: Any) -> str:
        return super()._latex(printer) if self._has_no_name else self._bracketed(printer, r"\left({}\right)")

    @property
    def precedence(self) -> int:
        """How closely what is printed binds: a formula has its own brackets."""
        return super().precedence if self._has_no_name else int(PRECEDENCE["Atom"])

    @property
    def _is_plain(self) -> bool:
        """Whether the number is s itself."""
        return self.value in self.function.variables

    @property
    def _has_no_name(self) -> bool:
        """Whether digits are printed: a formula would say nothing without the equation of its letter."""
        return self._is_plain or self.function.variables[0].name == _LETTER_OF_PROOFS

    def _bracketed(self, printer: Any, brackets: str) -> str:
        """Print v(s), in brackets inside a larger expression: for SymPy an atom needs none."""
        text: str = printer._print(self.value)
        alone = printer._print_level == 1 or self.value.is_Symbol
        return text if alone else brackets.format(text)

    def _sympyrepr(self, printer: Any) -> str:
        arguments = (self.function, self.lower, self.upper, self._value_function)
        return f"Root({', '.join(printer._print(each) for each in arguments)})"
