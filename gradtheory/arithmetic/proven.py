"""A SymPy number without a closed form that encloses itself in balls, with as many proven digits as asked for."""

import functools
import math
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, Context, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Self

import sympy
from sympy.multipledispatch import dispatch
from sympy.printing.precedence import PRECEDENCE, precedence

from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.brief import shown_error, with_power
from gradtheory.errors import Undecided

_DIGITS = 12  # that are printed


class ProvenNumber(sympy.AtomicExpr):  # type: ignore[misc]  # SymPy's classes are untyped
    """A real number that is known by balls around it, each as small as asked for.

    A subclass names its `parts`, which `__new__` takes in that order, and gives `enclosure`; where it must prove that
    the number exists, it does so in its own `__new__`. Then `.n(50)`, comparisons, `Interval`, LaTeX and pickling work,
    and a result that rests on it is certified.

    Notes
    -----
    It is an atom, so that `subs` and hashing cannot reach inside. The digits of `.n` are proven: the ball is refined
    until it decides the binary digits of the Float. As with every SymPy Float, the last decimal that is printed is a
    second rounding.

    Examples
    --------
    >>> class Dottie(ProvenNumber):
    ...     def enclosure(self, bits, at=None):
    ...         s = sympy.Symbol("s")
    ...         return enclosure.zero(sympy.Lambda(s, sympy.cos(s) - s), -sympy.sin(s) - 1, *sympy.S([0, 1]), bits)
    >>> Dottie().n(30), Dottie() < sympy.Rational(3, 4), Dottie()
    (0.739085133215160641655312087674, True, Dottie(0.739085133215…))

    """

    is_number = True
    is_real = True
    is_commutative = True
    parts: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *values: Any) -> Self:
        """Return the number that has these parts."""
        self = super().__new__(cls)
        for name, value in zip(cls.parts, values, strict=True):
            setattr(self, name, value)
        return self  # type: ignore[no-any-return]  # SymPy's constructors are untyped

    def _hashable_content(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.parts)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Return how the number is built again, with its proof: the class and its arguments."""
        return type(self), self._hashable_content()

    def enclosure(self, bits: int, at: enclosure.Balls | None = None) -> enclosure.Ball:
        """Return a ball around the number, computed with `bits` bits; it has no symbols to put balls for."""
        raise NotImplementedError

    def order_to(self, number: sympy.Rational) -> int:
        """Return the proven sign of the difference to a fraction; a subclass may know of a shorter way."""
        return enclosure.sign(self - number)

    @cached_property
    def _sign(self) -> int:
        return enclosure.sign(self)

    def _eval_is_positive(self) -> bool:
        return self._sign > 0

    def _eval_is_negative(self) -> bool:
        return self._sign < 0

    def _eval_is_zero(self) -> bool:
        return self._sign == 0

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def first_digits(self, ellipsis: str, within: str = "±") -> str:
        """Return the number for printing, its first 12 digits or as many as are known; it never fails."""
        ball = self.enclosure(64)
        if ball.contains(0) and not ball.is_zero():
            farthest = enclosure.as_rational(abs(ball).upper())
            return f"0 {within} " + shown_error(Fraction(int(farthest.p), int(farthest.q)))
        digits = min(max(math.floor((ball.rel_accuracy_bits() - 1) * math.log10(2)), 1), _DIGITS)
        context = Context(prec=digits, rounding=ROUND_DOWN, Emin=MIN_EMIN, Emax=MAX_EMAX)
        for bits in (64, 256):  # of numbers just above or below one of so few digits the first do not tell
            ball = self.enclosure(bits)
            with enclosure.precision(bits):
                lower, upper = enclosure.as_rational(ball.lower()), enclosure.as_rational(ball.upper())
            least, most = (context.divide(Decimal(int(end.p)), Decimal(int(end.q))) for end in (lower, upper))
            if least == most:
                break
        first, _, exponent = str(sympy.Float(str(max(least, most, key=abs)), digits)).partition("e")
        return f"{first}{ellipsis}" + (f"e{exponent}" if exponent else "")

    def _sympystr(self, printer: Any) -> str:
        return f"{type(self).__name__}({self.first_digits('…')})"

    def _latex(self, printer: Any) -> str:
        return with_power(self.first_digits(r"\ldots", r"\pm"))

    @property
    def precedence(self) -> int:
        """How closely what is printed binds: a sign or a power of ten needs brackets within a product or a power."""
        if self.is_negative:
            return int(PRECEDENCE["Add"])
        return int(PRECEDENCE["Mul" if "e" in self.first_digits("") else "Atom"])


class Largest(ProvenNumber):
    """The largest of some real numbers of which no two need be told apart.

    Examples
    --------
    >>> Largest((sympy.sqrt(2), sympy.sqrt(3))).n(20)
    1.7320508075688772935

    """

    parts = ("numbers",)
    numbers: tuple[sympy.Expr, ...]

    def enclosure(self, bits: int, at: enclosure.Balls | None = None) -> enclosure.Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        return functools.reduce(lambda one, other: one.max(other), (enclosure.enclose(x, bits) for x in self.numbers))


class Proven(ProvenNumber):
    """A number that has a formula, where SymPy does not tell it from another: it gives up at 100 digits.

    Examples
    --------
    >>> near = sympy.pi + sympy.exp(-1000)
    >>> (Proven(sympy.pi) < near), Proven(sympy.pi)
    (True, pi)

    """

    parts = ("formula",)
    formula: sympy.Expr

    def enclosure(self, bits: int, at: enclosure.Balls | None = None) -> enclosure.Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        return enclosure.enclose(self.formula, bits)

    def _sympystr(self, printer: Any) -> str:
        text: str = printer._print(self.formula)
        return f"({text})" if self.formula.is_Add and printer._print_level > 1 else text

    def _latex(self, printer: Any) -> str:
        text: str = printer._print(self.formula)
        return rf"\left({text}\right)" if self.formula.is_Add else text

    @property
    def precedence(self) -> int:
        """How closely what is printed binds: a sum has its own brackets."""
        return int(PRECEDENCE["Atom"] if self.formula.is_Add else precedence(self.formula))


@dispatch(ProvenNumber, sympy.Rational)
def _eval_is_ge(left: ProvenNumber, right: sympy.Rational) -> bool:
    """Decide a comparison by proof, at any precision; SymPy's own gives up at 100 digits."""
    return left.order_to(right) >= 0


@dispatch(sympy.Rational, ProvenNumber)  # type: ignore[no-redef]  # the other order
def _eval_is_ge(left: sympy.Rational, right: ProvenNumber) -> bool:
    return right.order_to(left) <= 0


@dispatch(sympy.Expr, sympy.Expr)  # type: ignore[no-redef]  # sums and products; SymPy's own leaves all undecided here
def _eval_is_ge(left: sympy.Expr, right: sympy.Expr) -> bool | None:
    if not (left.is_number and right.is_number and (left.has(ProvenNumber) or right.has(ProvenNumber))):
        return None
    try:
        return enclosure.order(left, right) >= 0
    except Undecided:
        return None
