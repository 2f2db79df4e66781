"""What explosion sets of expressions are held against: difference quotients of σ at 120 digits, by mpmath.

Nothing here uses branches, derivatives or balls. Points are tried where the expression itself says that something may
happen (zeros of affine arguments, and places some widths beside them; the middle between neighbouring switches, however
close), and where the answer says so: near each end, in the middle of each interval and of each gap, just outside.
"""

import bisect
import itertools
import random
from collections.abc import Callable, Iterator

import mpmath
import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.explosion.superlevel import Periodic, components_of

_DIGITS = 120
_MOST_PARTS = 60  # of a set whose ends are tried
_BESIDE = sympy.Rational(1, 10**60)  # an end, relative to it
_STEP = mpmath.mpf(10) ** -40
_EXTREMA_DIGITS = 50
_LEAST_STEP = mpmath.mpf(10) ** -18
_LEAST_SIZE = mpmath.mpf(10) ** -4  # of slopes whose local extrema are sought
_GOLDEN = (mpmath.sqrt(5) - 1) / 2
_NARROWER = 60  # golden sections: an interval is 3e-13 as long then
_FUNCTIONS: dict[type, Callable[..., mpmath.mpf]] = {
    sympy.Abs: abs,
    sympy.Max: max,
    sympy.Heaviside: lambda z, at_zero=0: at_zero if z == 0 else mpmath.mpf(z > 0),
    sympy.Min: min,
    sympy.asinh: mpmath.asinh,
    sympy.atan: mpmath.atan,
    sympy.cos: mpmath.cos,
    sympy.cosh: mpmath.cosh,
    sympy.erf: mpmath.erf,
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.sign: mpmath.sign,
    sympy.sin: mpmath.sin,
    sympy.sinh: mpmath.sinh,
    sympy.tanh: mpmath.tanh,
}
_SWITCHES = (sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.Piecewise)
_GREATEST = mpmath.mpf(10) ** 9  # beyond, an exponential takes mpmath long, and is 0 or not of interest


def value(expr: sympy.Basic, z: mpmath.mpf) -> mpmath.mpf:  # noqa: PLR0911  # one a kind
    """Return an expression at a point, by mpmath, without SymPy's help."""
    if expr == Z:
        return z
    if expr.is_Rational:
        return mpmath.mpf(int(expr.p)) / int(expr.q)
    if expr is sympy.pi:
        return +mpmath.pi
    if expr.is_Add:
        return mpmath.fsum(value(each, z) for each in expr.args)
    if expr.is_Mul:
        return mpmath.fprod(value(each, z) for each in expr.args)
    if expr.is_Pow:
        return value(expr.base, z) ** value(expr.exp, z)
    if isinstance(expr, sympy.Piecewise):
        return next(value(part, z) for part, condition in expr.args if _holds(condition, z))
    arguments = [value(each, z) for each in expr.args]
    if isinstance(expr, sympy.exp) and arguments[0] < -_GREATEST:
        return mpmath.mpf(0)
    return _FUNCTIONS[expr.func](*arguments)


def _holds(condition: sympy.Basic, z: mpmath.mpf) -> bool:
    if condition is sympy.true:
        return True
    left, right = (value(each, z) for each in (condition.lhs, condition.rhs))
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[condition.rel_op])


def slopes(expr: sympy.Expr, z: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return the one-sided difference quotients of σ, each of second order."""
    h = _STEP
    at = {k: value(expr, z + k * h) for k in (-2, -1, 0, 1, 2)}
    return (3 * at[0] - 4 * at[-1] + at[-2]) / (2 * h), (-3 * at[0] + 4 * at[1] - at[2]) / (2 * h)


def extreme_size(rng: random.Random, expr: sympy.Expr) -> sympy.Rational | None:
    """Return |σ'| at a local extremum near a zero of an affine part, to 20 digits; None where none is met."""
    parts = _affine(expr)
    with mpmath.workdps(_EXTREMA_DIGITS):

        def size(z: mpmath.mpf) -> mpmath.mpf:
            step = _LEAST_STEP * max(1, abs(z))
            return abs(value(expr, z + step) - value(expr, z - step)) / (2 * step)

        for zero, width in rng.sample(parts, len(parts)):
            places = [value(zero + width * quarters / 4, mpmath.mpf(0)) for quarters in range(-14, 15)]
            sizes = [size(z) for z in places]
            rises = [(there > here) - (there < here) for here, there in itertools.pairwise(sizes)]
            turns = [k for k, (one, other) in enumerate(itertools.pairwise(rises)) if one * other < 0]
            turns = [k for k in turns if sizes[k + 1] > _LEAST_SIZE]
            if turns:
                turn = rng.choice(turns)
                extremum = _extremum(size, places[turn], places[turn + 2], rises[turn])
                return sympy.Rational(str(extremum)) if extremum > _LEAST_SIZE else None  # σ' may be 0 there
    return None


def _extremum(size: Callable[[mpmath.mpf], mpmath.mpf], low: mpmath.mpf, high: mpmath.mpf, sign: int) -> mpmath.mpf:
    """Return the greatest value between two points, or, for a sign of -1, the least, by golden sections."""
    for _ in range(_NARROWER):
        reach = _GOLDEN * (high - low)
        one, other = high - reach, low + reach
        if sign * size(one) > sign * size(other):
            high = other
        else:
            low = one
    return size((low + high) / 2)


def _affine(expr: sympy.Basic) -> list[tuple[sympy.Rational, sympy.Rational]]:
    """Return (zero, width) of each affine part a·z + b of an expression: -b/a and 1/|a|."""
    parts: dict[tuple[sympy.Rational, sympy.Rational], None] = {}
    for part in sympy.preorder_traversal(expr):
        if isinstance(part, sympy.Expr) and part.has(Z) and part.is_polynomial(Z):
            polynomial = sympy.Poly(part, Z)
            if polynomial.degree() == 1:
                a, b = polynomial.all_coeffs()
                parts[-b / a, 1 / abs(a)] = None
    return list(parts)


def _switches(expr: sympy.Expr) -> list[sympy.Rational]:
    """Return, in increasing order, where two affine parts of switches are equal, or one of them is 0."""
    lines = {sympy.S.Zero, sympy.S.One}
    for switch in expr.atoms(*_SWITCHES):
        lines |= {part for part in sympy.preorder_traversal(switch) if isinstance(part, sympy.Expr)}
    affine = [sympy.Poly(line, Z) for line in lines if line.is_polynomial(Z)]
    affine = [line for line in affine if line.degree() <= 1]
    apart = (one - other for one, other in itertools.combinations(affine, 2))
    return sorted({-each.nth(0) / each.nth(1) for each in apart if each.degree() == 1})


def _ends(explosion: sympy.Set) -> list[tuple[sympy.Rational, sympy.Rational]]:
    """Return rationals near the ends of each component, those of one period; infinite ends are replaced."""
    base = explosion.base if isinstance(explosion, Periodic) else explosion
    pairs = []
    for part in components_of(base) if base is not sympy.S.Reals else ():
        low, high = (_digits(end) if end.is_finite else None for end in (part.lower, part.upper))
        if low is None:
            low = -sympy.S.One if high is None else high - 1 - abs(high)
        pairs.append((low, low + 1 + abs(low) if high is None else high))
    return pairs


def points(rng: random.Random, expr: sympy.Expr, explosion: sympy.Set, w: sympy.Rational) -> Iterator[sympy.Rational]:
    """Yield inputs where a set is most easily wrong."""
    ends = _ends(explosion)
    for low, high in rng.sample(ends, min(len(ends), _MOST_PARTS)):
        yield (low + high) / 2
        for end in {low, high}:
            for exponent in (2, 8, 15, 30):
                yield end + rng.choice((1, -1)) * max(abs(end), sympy.Rational(1, 10**9)) / 10**exponent
        apart = max(high - low, sympy.Rational(1, 10**60))
        yield from (low - apart / 97, low + apart / 97, high - apart / 97, high + apart / 97)
    between = [(here[1] + there[0]) / 2 for here, there in itertools.pairwise(sorted(ends))]
    yield from rng.sample(between, min(len(between), _MOST_PARTS))
    switches = _switches(expr)
    for here, there in itertools.pairwise(switches):
        yield from ((here + there) / 2 / w, (here + (there - here) * number(rng)) / w)
    for zero, width in _affine(expr):
        for _ in range(6):
            yield (zero + rng.choice((1, -1)) * width * number(rng)) / w
    for _ in range(12):
        yield rng.choice((1, -1)) * number(rng, -9, 9) / w


def number(rng: random.Random, least: float = -3, most: float = 1.3) -> sympy.Rational:
    """Return a positive rational whose logarithm is uniform."""
    return sympy.Rational(int(10 ** rng.uniform(least, most) * 10**15), 10**15) or sympy.S.One


def _membership(explosion: sympy.Set) -> Callable[[sympy.Rational], bool]:
    """Return what decides whether a point is in a set: by digits of the ends, except beside them.

    SymPy compares a point with each end of a thousand parts, which takes minutes.
    """
    if not isinstance(explosion, sympy.Union | sympy.Interval):
        return lambda x: bool(explosion.contains(x))
    intervals = explosion.args if isinstance(explosion, sympy.Union) else (explosion,)
    parts = sorted(((_digits(each.inf), _digits(each.sup), each) for each in intervals), key=lambda part: part[0])
    starts = [low for low, _, _ in parts]

    def contains(x: sympy.Rational) -> bool:
        place, near = bisect.bisect(starts, x), _BESIDE * abs(x)
        return any(
            bool(part.contains(x)) if min(abs(x - low), abs(x - high)) <= near else bool(low < x < high)
            for low, high, part in parts[max(0, place - 2) : place + 2]
        )

    return contains


def _digits(end: sympy.Expr) -> sympy.Expr:
    return sympy.Rational(str(rounded(end, 500))) if end.is_finite else end


def wrong_point(
    rng: random.Random, expr: sympy.Expr, explosion: sympy.Set, w: sympy.Rational
) -> tuple[int, sympy.Rational | None]:
    """Return how many inputs were tried, and one about which a set is wrong, or None."""
    tried, contains = 0, _membership(explosion)
    with mpmath.workdps(_DIGITS):
        for x in points(rng, expr, explosion, w):
            left, right = slopes(expr, mpmath.mpf(int((w * x).p)) / int((w * x).q))
            if abs(left - right) > mpmath.mpf(10) ** -25 * (abs(left) + abs(right) + mpmath.mpf(10) ** -9):
                continue  # a kink, or beside one
            size = abs(left) * abs(int(w.p)) / int(w.q)
            if abs(size - 1) > mpmath.mpf(10) ** -18:
                tried += 1
                if contains(x) != (size > 1):
                    return tried, x
    return tried, None
