"""Terms: the expressions of a certificate in a normal form of sums, products and powers.

The normal form decides most equalities that a certificate needs, such as 2 - (-√2)² = 0; `field` decides the rest.
Equal normal forms mean equal functions; the converse is not claimed.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

_ZERO_AT_ZERO = frozenset({"sin", "tan", "sinh", "tanh", "asinh", "atanh", "atan", "erf"})
_ONE_AT_ZERO = frozenset({"exp", "cos", "cosh", "sech", "erfc"})
FUNCTIONS = _ZERO_AT_ZERO | _ONE_AT_ZERO | {"log", "coth", "acosh"}
_SWITCHES = frozenset({"Max", "Min", "Abs", "sign", "Piecewise", "<", "<=", "Eq", "&", "|", "True"})
_LONGEST_NUMBER = 20_000  # bits


class Malformed(ValueError):
    """A text is not a certificate or not an expression of one."""


@dataclass(frozen=True, eq=False)
class Term:
    """A normal form: a number, a name, a sum, a product, a power, or a function of terms.

    Make terms with `number`, `z`, the operators and methods; the constructor itself does not normalise.

    Examples
    --------
    >>> root = number(2).power(Fraction(1, 2))
    >>> number(-2) + root * root == number(0)
    True

    """

    head: str
    args: tuple["Term", ...] = ()
    value: Fraction = Fraction(0)
    key: str = field(init=False, repr=False)  # the whole term as text: comparing and sorting it is quick

    def __post_init__(self) -> None:
        own = str(self.value) if self.value else ""
        object.__setattr__(self, "key", f"{self.head}{own}({','.join(each.key for each in self.args)})")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def like(self, value: Fraction) -> "Term":
        """Return a number, as every kind of scalar that jets are made of can."""
        return number(value)

    def pi(self) -> "Term":
        """Return π."""
        return Term("pi")

    def __add__(self, other: "Term") -> "Term":
        return total((self, other))

    def __neg__(self) -> "Term":
        return _product((number(-1), self))

    def __mul__(self, other: "Term") -> "Term":
        return _product((self, other))

    def apply(self, name: str) -> "Term":
        """Return the function `name` of this term."""
        if self == number(0) and name in _ZERO_AT_ZERO | _ONE_AT_ZERO:
            return number(int(name in _ONE_AT_ZERO))
        if name == "log" and self == number(1):
            return number(0)
        if (name == "log" and self.head == "exp") or (
            name == "exp" and self.head == "log" and self.args[0].is_positive_constant
        ):
            return self.args[0]
        return Term(name, (self,))

    def power(self, exponent: Fraction) -> "Term":
        """Return this term to a rational power."""
        if exponent in (0, 1):
            return self if exponent else number(1)
        whole = exponent.denominator == 1
        match self.head:
            case "number":
                return _number_to(self, exponent)
            case "exp":
                return (self.args[0] * number(exponent)).apply("exp")
            case "*" if whole:
                return _product(each.power(exponent) for each in self.args)
            case "^" if whole and (self.value.denominator == 1 or self.args[0].is_positive_constant):
                return self.args[0].power(self.value * exponent)
        return Term("^", (self,), exponent)

    @property
    def is_positive_constant(self) -> bool:
        """Whether this is a positive number or π: then every law of powers holds."""
        return self.head == "pi" or (self.head == "number" and self.value > 0)

    def heads(self) -> Counter[str]:
        """Return how often each head occurs."""
        return sum((each.heads() for each in self.args), Counter([self.head]))

    @property
    def switches(self) -> bool:
        """Whether Max, Min, Abs, sign or Piecewise occurs."""
        return bool(_SWITCHES & self.heads().keys())


z = Term("z")


def number(value: Fraction | int) -> Term:
    """Return a rational number as a term."""
    fraction = value if isinstance(value, Fraction) else Fraction(value)
    if max(fraction.numerator.bit_length(), fraction.denominator.bit_length()) > _LONGEST_NUMBER:
        raise Malformed("a number is too long")
    return Term("number", (), fraction)


def _number_to(base: Term, exponent: Fraction) -> Term:
    top, bottom = base.value.numerator, base.value.denominator
    if top == 0 and exponent < 0:
        raise Malformed("a division by zero")
    if exponent.denominator == 2 and top >= 0 and math.isqrt(top) ** 2 == top and math.isqrt(bottom) ** 2 == bottom:
        return _number_to(number(Fraction(math.isqrt(top), math.isqrt(bottom))), 2 * exponent)
    if exponent.denominator == 1:
        if (top.bit_length() + bottom.bit_length()) * abs(exponent) > 2 * _LONGEST_NUMBER:
            raise Malformed("a power of a number is too long")
        return number(base.value ** int(exponent))
    return Term("^", (base,), exponent) if base != number(1) else base


def in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return terms in the order that the normal form keeps them in."""
    return tuple(sorted(terms, key=lambda term: term.key))


def total(terms: Iterable[Term]) -> Term:
    """Return a sum."""
    counts: dict[Term, Fraction] = {}
    for term in terms:
        for part in term.args if term.head == "+" else (term,):
            coefficient, rest = _split(part)
            counts[rest] = counts.get(rest, Fraction(0)) + coefficient
    parts = in_order(_product((number(count), rest)) for rest, count in counts.items() if count)
    return parts[0] if len(parts) == 1 else Term("+", parts) if parts else number(0)


def _split(term: Term) -> tuple[Fraction, Term]:
    """Return the number and the rest whose product the term is."""
    if term.head == "number":
        return term.value, number(1)
    if term.head == "*" and term.args[0].head == "number":
        return term.args[0].value, term.args[1] if len(term.args) == 2 else Term("*", term.args[1:])
    return Fraction(1), term


def _product(terms: Iterable[Term]) -> Term:
    coefficient, exponents, exponential = Fraction(1), dict[tuple[Term, bool | None], Fraction](), number(0)
    factors = [part for term in terms for part in (term.args if term.head == "*" else (term,))]
    for factor in factors:
        if factor.head == "number":
            coefficient *= factor.value
        elif factor.head == "exp":
            exponential += factor.args[0]
        else:
            base, power = (factor.args[0], factor.value) if factor.head == "^" else (factor, Fraction(1))
            # x·(1/x) is not 1 where x is 0: powers of one base meet only where their signs agree, or it is positive
            key = (base, None if base.is_positive_constant else power > 0)
            exponents[key] = exponents.get(key, Fraction(0)) + power
    if coefficient == 0:
        return number(0)
    parts = [base.power(power) for (base, _), power in exponents.items() if power]
    if exponential != number(0):
        parts.append(exponential.apply("exp"))
    if any(part.head in {"number", "*"} for part in parts):  # such as √2·√2
        return _product([number(coefficient), *parts])
    if len(parts) == 1 and parts[0].head == "+" and coefficient != 1:
        return total(_product((number(coefficient), each)) for each in parts[0].args)
    first = [] if coefficient == 1 and parts else [number(coefficient)]
    whole = (*first, *in_order(parts))
    return whole[0] if len(whole) == 1 else Term("*", whole)
