"""A field of functions in which "is it zero?" has an answer: quotients of polynomials in z, exponentials and more.

The generators are z, π, e^m for monomials m, roots of numbers and of quotients, sin and cos of an angle, and every
other function of a quotient as it stands. Hyperbolic functions are written in exponentials, their inverses in
logarithms. If the numerator vanishes, by cos² = 1 - sin² and by r = b for the whole powers of a root r of b, the
function is zero wherever it is defined. The converse is not claimed: functions may be related in ways unknown here.
"""

# Above 300 lines: a field and its quotients need each other.

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from gradtheory.checker import polynomials as p
from gradtheory.checker.jets import derivatives
from gradtheory.checker.polynomials import Key, Monomial, Polynomial
from gradtheory.checker.terms import FUNCTIONS, Term, number, total
from gradtheory.errors import Undecided

PRIMES = (2, 3, 5, 7, 11, 13)
_CHARACTERS_OF_ONE_STEP = 200


@dataclass(frozen=True, eq=False)
class Generator:
    """z, π, a function of a quotient, a switch, or a "root": a positive quotient, whose exponents stay in [0, 1)."""

    head: str
    is_constant: bool
    argument: "Quotient | None" = None
    sine: int | None = None  # of a cosine: the number of its sine

    @property
    def is_positive(self) -> bool:
        """Whether it is positive wherever it is defined."""
        return self.head in {"exp", "root", "pi"}

    def to_the(self, exponent: Fraction, inner: Term | None) -> Term:
        """Return a power as a term, from that of the argument."""
        if inner is None:
            return Term(self.head).power(exponent)
        match self.head:
            case "root":
                return inner.power(exponent)
            case "exp":
                return (inner * number(exponent)).apply("exp")
        return inner.apply(self.head).power(exponent)


@dataclass
class Field:
    """The generators that occur in one check; `spend` counts the work.

    Examples
    --------
    >>> from gradtheory.checker.reading import read
    >>> field = Field(lambda work: None)
    >>> field.value(read("cosh(z)**2 - sinh(z)**2 - 1")).is_zero, field.value(read("sin(z) - z")).is_zero
    (True, False)

    """

    spend: Callable[[int], None]
    known: list[Generator] = field(default_factory=list)
    numbers: dict[Hashable, int] = field(default_factory=dict)
    arguments: dict[int, Term | None] = field(default_factory=dict)  # of generators, as terms

    def number(self, value: Fraction | int) -> "Quotient":
        """Return a number."""
        return Quotient(self, {(): Fraction(value)} if value else {})

    def place(self, name: Hashable, generator: Generator) -> int:
        """Return the number of a generator, new or known by the same name."""
        if name not in self.numbers:
            self.numbers[name] = len(self.known)
            self.known.append(generator)
        return self.numbers[name]

    def function(self, head: str, argument: "Quotient", exponent: Fraction | int = 1) -> "Quotient":
        """Return a power of a function of a quotient, as it stands."""
        return self.to(self.place((head, argument.key), Generator(head, argument.is_constant, argument)), exponent)

    def to(self, generator: int, exponent: Fraction | int = 1) -> "Quotient":
        """Return a power of a generator."""
        return Quotient(self, {((generator, Fraction(exponent)),): Fraction(1)}).reduced()

    def term(self, generator: int, exponent: Fraction) -> Term:
        """Return a power of a generator as a term; nested functions become long ones, which are made once."""
        if generator not in self.arguments:
            argument = self.known[generator].argument
            self.arguments[generator] = None if argument is None else argument.term
        return self.known[generator].to_the(exponent, self.arguments[generator])

    @property
    def z(self) -> "Quotient":
        """The variable."""
        return self.to(self.place("z", Generator("z", is_constant=False)))

    def derivative(self, term: Term, order: int) -> "Quotient":
        """Return a derivative of a term without switches."""
        return derivatives(term, self.z, order)[order]

    def value(self, term: Term, at: "Quotient | None" = None) -> "Quotient":
        """Return a term at a place, by default z; Max, Min, Abs, sign and Piecewise stay as they are."""
        at = self.z if at is None else at
        if not term.switches:
            return derivatives(term, at, 0)[0]
        parts = [self.value(each, at) for each in term.args]
        match term.head:
            case "+" | "*":
                result, *others = parts
                for other in others:
                    result = result + other if term.head == "+" else result * other
                return result
            case "^":
                return parts[0].power(term.value)
            case name if name in FUNCTIONS:
                return parts[0].apply(name)
        if term.head == "Abs" and parts[0].top and min(parts[0].top.items())[1] < 0:  # |-u| = |u|
            parts = [parts[0] * parts[0].like(Fraction(-1))]
        keys = [each.key for each in parts]
        ordered = sorted(keys) if term.head in {"Max", "Min"} else keys
        is_constant = all(each.is_constant for each in parts)
        return self.to(self.place((term.head, *ordered), Generator(term.head, is_constant)))


@dataclass(frozen=True, eq=False)
class Quotient:
    """An element of a field: a polynomial over powers of polynomials."""

    home: Field
    top: Polynomial
    bottom: Mapping[Key, int] = field(default_factory=dict)

    def like(self, value: Fraction) -> "Quotient":
        """Return a number of the same field."""
        return self.home.number(value)

    def pi(self) -> "Quotient":
        """Return π."""
        return self.home.to(self.home.place("pi", Generator("pi", is_constant=True)))

    @property
    def key(self) -> tuple[Key, tuple[tuple[Key, int], ...]]:
        """What names the quotient; equal keys mean equal functions."""
        return p.key(self.top), tuple(sorted(self.bottom.items()))

    @property
    def is_constant(self) -> bool:
        """Whether z is seen not to occur."""
        return all(self.home.known[each].is_constant for each in p.generators([self.top, *map(dict, self.bottom)]))

    @property
    def is_zero(self) -> bool:
        """Whether the quotient is proven to be zero wherever it is defined; False means not proven."""
        least = p.content(self.top)
        cleared = {key: value for key, value in least if value < 0}
        top = p.scaled(self.top, Fraction(1), p.raised(tuple(cleared.items()), -1))
        return not Quotient(self.home, top).reduced().top

    @property
    def term(self) -> Term:
        """The quotient as a term."""
        parts = [self._term(self.top), *(self._term(dict(each)).power(Fraction(-n)) for each, n in self.bottom.items())]
        result, *others = parts
        for other in others:
            result = result * other
        return result

    def _term(self, polynomial: Polynomial) -> Term:
        summands = []
        for monomial, coefficient in polynomial.items():
            product = number(coefficient)
            for generator, exponent in monomial:
                product = product * self.home.term(generator, exponent)
            summands.append(product)
            self.home.spend(1 + len(product.key) // _CHARACTERS_OF_ONE_STEP)
        return total(summands)

    @property
    def signed_top(self) -> Polynomial:
        """The numerator without its common positive generators: it has the same zeros, and the same signs."""
        content = [pair for pair in p.content(self.top) if self.home.known[pair[0]].is_positive]
        return p.scaled(self.top, Fraction(1), p.raised(tuple(content), -1))

    def factors(self, bases: Iterable["Quotient"] = ()) -> tuple[list[Term], list[tuple[Term, int]]]:
        """Return terms whose product with powers of others has the sign of the quotient; the others are never 0.

        The numerator is divided by those of the bases as often as that goes; one that occurs an even number of times
        stands twice, because it may be 0 somewhere.
        """
        top, repeated = self.signed_top, list[Term]()
        for divisor in (base.signed_top for base in bases):
            if all(self.home.known[each].is_constant for each in p.generators([divisor])):
                continue  # it would divide for ever
            times = 0
            while rest := p.divided(top, divisor, self.home.spend):
                top, times = rest, times + 1
            repeated += [self._term(divisor)] * (2 - times % 2) if times else []
        return [self._term(top), *repeated], [(self._term(dict(each)), n) for each, n in self.bottom.items()]

    def is_multiple_of(self, other: "Quotient") -> bool:
        """Whether the quotient is seen to be 0 at every zero of another where both are defined."""
        return p.divided(self.signed_top, other.signed_top, self.home.spend) is not None

    def __add__(self, other: "Quotient") -> "Quotient":
        bottom = {
            factor: max(self.bottom.get(factor, 0), other.bottom.get(factor, 0))
            for factor in {**self.bottom, **other.bottom}
        }
        tops = (each._times(bottom, each.bottom).top for each in (self, other))
        top = p.plus(*tops)
        self.home.spend(1 + len(top) // 50)
        return Quotient(self.home, top, bottom if top else {})

    def _times(self, bottom: Mapping[Key, int], without: Mapping[Key, int]) -> "Quotient":
        """Return the numerator times the factors of one denominator that another lacks."""
        spend, top = self.home.spend, self.top
        for factor, power in bottom.items():
            top = p.times(top, p.to_the(dict(factor), power - without.get(factor, 0), spend), spend)
        return Quotient(self.home, top)

    def __mul__(self, other: "Quotient") -> "Quotient":
        bottom = {
            each: self.bottom.get(each, 0) + other.bottom.get(each, 0) for each in {**self.bottom, **other.bottom}
        }
        top = p.times(self.top, other.top, self.home.spend)
        return Quotient(self.home, top, bottom if top else {}).reduced()

    def reduced(self) -> "Quotient":
        """Return the same with the exponents of roots in [0, 1) and those of cosines below 2."""
        for generator in p.generators([self.top]):
            known = self.home.known[generator]
            base = known.argument if known.head == "root" else None
            if base is None and known.sine is None:
                continue
            self.home.spend(1 + len(self.top) // 50)
            step = 1 if base else 2
            parts: dict[int, dict[Monomial, Fraction]] = {}
            for monomial, coefficient in self.top.items():
                whole = dict(monomial).get(generator, Fraction(0)) // step
                whole = whole if base else max(whole, 0)
                rest = p.joined(monomial, ((generator, Fraction(-step * whole)),) if whole else ())
                parts.setdefault(whole, {})[rest] = coefficient
            if set(parts) <= {0}:
                continue
            base = base or self.like(Fraction(1)) + self.home.to(known.sine or 0, 2) * self.like(Fraction(-1))
            result = self.like(Fraction(0))
            for whole, top in parts.items():
                result = result + Quotient(self.home, top) * base.power(Fraction(whole))
            return result * Quotient(self.home, p.ONE, self.bottom) if self.bottom else result
        return self

    def _split(self) -> tuple[Fraction, Monomial, Polynomial]:
        """Return the first coefficient and the common monomial of the numerator, and what is left."""
        first, monomial = min(self.top.items())[1], p.content(self.top)
        return first, monomial, p.scaled(self.top, 1 / first, p.raised(monomial, -1))

    def _inverse(self) -> "Quotient":
        if not self.top:
            raise Undecided("a division by zero")
        first, monomial, rest = self._split()
        top = {p.raised(monomial, -1): 1 / first}
        over = Quotient(self.home, top)._times(self.bottom, {})
        return Quotient(self.home, over.top, {} if rest == p.ONE else {p.key(rest): 1}).reduced()

    def power(self, exponent: Fraction) -> "Quotient":
        """Return a rational power; the base of one that is not whole is positive where that is defined."""
        whole = exponent.numerator // exponent.denominator
        if exponent != whole:
            return self.power(Fraction(whole)) * self._root(exponent - whole)
        if whole < 0:
            return self._inverse().power(-exponent)
        bottom = {each: power * whole for each, power in self.bottom.items()} if whole else {}
        return Quotient(self.home, p.to_the(self.top, whole, self.home.spend), bottom).reduced()

    def _root(self, exponent: Fraction) -> "Quotient":
        """Return a power between 0 and 1: powers of what is positive, times the root of the rest."""
        if not self.top:
            raise Undecided("a root of zero")
        first, monomial, rest = self._split()
        result = self._number_to(abs(first), exponent)
        positive = [(each, power) for each, power in monomial if self.home.known[each].is_positive]
        others = tuple(pair for pair in monomial if pair not in positive)
        for generator, power in positive:
            result = result * self.home.to(generator, power * exponent)
        inner = Quotient(self.home, p.scaled(rest, Fraction(1 if first > 0 else -1), others), self.bottom)
        if inner.top == p.ONE and not inner.bottom:
            return result
        return result * self.home.function("root", inner, exponent)

    def _number_to(self, value: Fraction, exponent: Fraction) -> "Quotient":
        result = self.like(Fraction(1))
        for prime, power in factors(value):
            result = result * self.home.function("root", self.like(Fraction(prime)), power * exponent)
        return result

    def apply(self, name: str) -> "Quotient":
        """Return a function of the quotient."""
        from gradtheory.checker.field_functions import applied  # not at the top: the two files need each other

        return applied(name, self)


def factors(value: Fraction) -> list[tuple[int, int]]:
    """Return factors of a positive number with their powers: small primes, and what is left."""
    result, rest = [], [value.numerator, value.denominator]
    for prime in PRIMES:
        powers = [0, 0]
        for i in (0, 1):
            while rest[i] % prime == 0:
                rest[i], powers[i] = rest[i] // prime, powers[i] + 1
        result.append((prime, powers[0] - powers[1]))
    result += [(rest[0], 1), (rest[1], -1)]
    return [(factor, power) for factor, power in result if factor != 1 and power]
