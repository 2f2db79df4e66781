"""Functions of quotients: in exponentials and logarithms, sines and cosines where they can be, else as they stand."""

from fractions import Fraction

from gradtheory.checker.field import Generator, Quotient, factors

_HIGHEST_MULTIPLE = 8  # of an angle that is expanded
_HALF = Fraction(1, 2)
_SQUARES_OF_SINES = {Fraction(1, 6): Fraction(1, 4), Fraction(1, 4): Fraction(1, 2), Fraction(1, 3): Fraction(3, 4)}


def applied(name: str, u: Quotient) -> Quotient:  # noqa: PLR0911  # one a function
    """Return the function `name` of a quotient."""
    one = u.like(Fraction(1))
    match name:
        case "exp":
            return _exp(u)
        case "log":
            return _log(u)
        case "sinh" | "cosh":
            other = _exp(_minus(u))
            return (_exp(u) + (other if name == "cosh" else _minus(other))) * u.like(_HALF)
        case "tanh" | "coth":
            square = _exp(u * u.like(Fraction(2)))
            ratio = (square + _minus(one)) * (square + one).power(Fraction(-1))
            return ratio if name == "tanh" else ratio.power(Fraction(-1))
        case "sech":
            return _exp(u) * u.like(Fraction(2)) * (_exp(u * u.like(Fraction(2))) + one).power(Fraction(-1))
        case "asinh" | "acosh":
            turn = one if name == "asinh" else _minus(one)
            return _log(u + (u * u + turn).power(_HALF))
        case "atanh":
            return (_log(one + u) + _minus(_log(one + _minus(u)))) * u.like(_HALF)
        case "sin" | "cos" | "tan":
            cosine, sine = _wave(u)
            return {"sin": sine, "cos": cosine}.get(name) or sine * cosine.power(Fraction(-1))
        case "erfc":
            return one + _minus(_odd("erf", u))
    return _odd(name, u)


def _minus(u: Quotient) -> Quotient:
    return u * u.like(Fraction(-1))


def _signed(u: Quotient) -> tuple[Fraction, Quotient]:
    """Return the first coefficient, and the quotient without it."""
    first = min(u.top.items())[1]
    return first, u * u.like(1 / first)


def _odd(name: str, u: Quotient) -> Quotient:
    """Return an odd function without a rule of its own."""
    if not u.top:
        return u
    sign = u.like(Fraction(1 if _signed(u)[0] > 0 else -1))
    inner = sign * u
    return sign * u.home.function(name, inner)


def _exp(u: Quotient) -> Quotient:
    """Return the exponential: of a sum the product of those of its monomials, of a logarithm its argument."""
    result, home = u.like(Fraction(1)), u.home
    if u.bottom:
        first, rest = _signed(u)
        return home.function("exp", rest, first)
    for monomial, coefficient in u.top.items():
        (generator, power), *others = monomial or ((-1, Fraction(0)),)
        known = None if others or power != 1 else home.known[generator]
        if known and known.head == "log" and known.argument:
            result = result * known.argument.power(coefficient)
        else:
            result = result * home.function("exp", Quotient(home, {monomial: Fraction(1)}), coefficient)
    return result


def _log(u: Quotient) -> Quotient:
    """Return the logarithm: of a product of positive generators the sum of theirs."""
    (monomial, coefficient), *others = u.top.items() or [((), Fraction(0))]
    if others or u.bottom or coefficient <= 0 or not all(u.home.known[each].is_positive for each, _ in monomial):
        return _opaque_log(u)
    total = u.like(Fraction(0))
    for factor, times in factors(coefficient):
        total = total + _opaque_log(u.like(Fraction(factor))) * u.like(Fraction(times))
    for generator, power in monomial:
        known = u.home.known[generator]
        inner = known.argument
        logarithm = (
            _opaque_log(u.home.to(generator)) if inner is None else inner if known.head == "exp" else _log(inner)
        )
        total = total + logarithm * u.like(power)
    return total


def _opaque_log(u: Quotient) -> Quotient:
    return u.home.function("log", u)


def _wave(u: Quotient) -> tuple[Quotient, Quotient]:
    """Return cos and sin, by the formulas for sums and whole multiples of angles and the values at parts of π."""
    cosine, sine = u.like(Fraction(1)), u.like(Fraction(0))
    if u.bottom:
        return _turned(cosine, sine, *_at_multiple(*_signed(u)))
    turn = u.pi().top
    for monomial, coefficient in u.top.items():
        angle = Quotient(u.home, {monomial: Fraction(1)})
        part = _at_turn(u, coefficient) if angle.top == turn else _at_multiple(coefficient, angle)
        cosine, sine = _turned(cosine, sine, *part)
    return cosine, sine


def _turned(cosine: Quotient, sine: Quotient, c: Quotient, s: Quotient) -> tuple[Quotient, Quotient]:
    """Return cos and sin of a sum of two angles."""
    return cosine * c + _minus(sine * s), sine * c + cosine * s


def _at_multiple(coefficient: Fraction, angle: Quotient) -> tuple[Quotient, Quotient]:
    size, sign = abs(coefficient), angle.like(Fraction(1 if coefficient > 0 else -1))
    count = int(size) if size.denominator == 1 and size <= _HIGHEST_MULTIPLE else 1
    base, home = angle * angle.like(size / count), angle.home
    s = home.place(("sin", base.key), Generator("sin", base.is_constant, base))
    c = home.place(("cos", base.key), Generator("cos", base.is_constant, base, sine=s))
    cosine, sine = one = home.to(c), home.to(s)
    for _ in range(count - 1):
        cosine, sine = _turned(cosine, sine, *one)
    return cosine, sign * sine


def _at_turn(u: Quotient, turns: Fraction) -> tuple[Quotient, Quotient]:
    """Return cos and sin of a rational multiple of π."""
    quarters = turns.numerator * 2 // turns.denominator
    rest = turns - quarters * _HALF
    if rest in _SQUARES_OF_SINES:
        square = u.like(_SQUARES_OF_SINES[rest])
        cosine, sine = (u.like(Fraction(1)) + _minus(square)).power(_HALF), square.power(_HALF)
    elif rest:
        cosine, sine = _at_multiple(rest, u.pi())
    else:
        cosine, sine = u.like(Fraction(1)), u.like(Fraction(0))
    for _ in range(quarters % 4):
        cosine, sine = _minus(sine), cosine
    return cosine, sine
