"""Random activations of one's own: their explosion sets against difference quotients of σ by mpmath.

    python -m tests.explosion.own_fuzz --cases 500 --seed 1

Sums, products, compositions, shifts and scales from 1e-8 to 1e8, switches, features that are far away or narrow,
thresholds beside local extrema, waves that fade. The table counts what is wrong, undecided, and how long it takes.
"""

import argparse
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction

import mpmath
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import as_rational, enclose, rounded
from gradtheory.errors import GradTheoryError, Undecided
from gradtheory.explosion.superlevel import Periodic

_DIGITS = 80
_STEP = mpmath.mpf(10) ** -35
_MOST_SECONDS = 60
_FUNCTIONS: dict[type, Callable[..., mpmath.mpf]] = {
    sympy.Abs: abs,
    sympy.Max: max,
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
    return _FUNCTIONS[expr.func](*(value(each, z) for each in expr.args))


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


def number(rng: random.Random, least: float = -1, most: float = 1) -> sympy.Rational:
    """Return a rational of few digits whose logarithm is uniform."""
    size = Fraction(10 ** rng.uniform(least, most)).limit_denominator(10 ** max(2, int(2 - least)))
    return sympy.Rational(size) or sympy.S.One


def place(rng: random.Random) -> sympy.Rational:
    """Return where a feature lies: mostly near 0, sometimes far away."""
    return rng.choice((1, -1)) * number(rng, *rng.choice(((-1, 1), (-1, 1), (1, 3), (3, 8))))


def _inner(rng: random.Random) -> sympy.Expr:
    scale = number(rng, *rng.choice(((-1, 1), (-1, 1), (-1, 1), (-8, 0), (0, 8))))
    return rng.choice((1, -1)) * scale * (Z - place(rng))


def _step(rng: random.Random) -> sympy.Expr:
    u = _inner(rng)
    return rng.choice(
        (sympy.tanh(u), 1 / (1 + sympy.exp(-u)), sympy.atan(u), sympy.erf(u), sympy.log(1 + sympy.exp(u)))
    )


def _bump(rng: random.Random) -> sympy.Expr:
    u = _inner(rng)
    return rng.choice((sympy.exp(-(u**2)), 1 / (1 + u**2), u * sympy.exp(-(u**2)), 1 / sympy.cosh(u)))


def _sum(rng: random.Random) -> sympy.Expr:
    parts = (rng.choice((_step, _bump))(rng) for _ in range(rng.choice((2, 2, 3))))
    return sympy.Add(*(rng.choice((1, -1)) * number(rng) * part for part in parts))


def _product(rng: random.Random) -> sympy.Expr:
    return rng.choice((Z, _step(rng), Z - place(rng))) * rng.choice((_step, _bump))(rng)


def _composition(rng: random.Random) -> sympy.Expr:
    inner = rng.choice((_step(rng) * number(rng), Z + Z**3 * number(rng, -2, 0), Z + _bump(rng)))
    return rng.choice((sympy.tanh, sympy.atan, sympy.asinh, sympy.erf))(inner)


def _switched(rng: random.Random) -> sympy.Expr:
    one, other, cut = _sum(rng), _step(rng), place(rng)
    line = number(rng) * (Z - cut)
    return rng.choice(
        (
            sympy.Abs(line) + other,
            sympy.Max(line, number(rng) * line),
            sympy.Min(one, line),
            sympy.Piecewise((one, sympy.Lt(Z, cut)), (other, True)),
            line * sympy.Abs(line) + other,
            other + number(rng) * sympy.sign(Z - cut),
            sympy.Max(0, sympy.Min(1, number(rng, 0, 8) * line)) + other,
        )
    )


def _wave(rng: random.Random) -> sympy.Expr:
    u = number(rng) * (Z - place(rng))
    wave = rng.choice((sympy.sin, sympy.cos))(number(rng, -0.5, 0.7) * u)
    return rng.choice((sympy.exp(-(u**2)) * wave, wave / (1 + u**2), wave, Z + wave, sympy.tanh(wave)))


FAMILIES = {"sum": _sum, "product": _product, "composition": _composition, "switched": _switched, "wave": _wave}


def question(rng: random.Random) -> tuple[str, sympy.Expr, sympy.Rational]:
    """Return a family, an expression, and a weight; every third weight is beside a local extremum of the slope."""
    family = rng.choice(list(FAMILIES))
    expr = FAMILIES[family](rng)
    while expr.free_symbols != {Z}:
        expr = FAMILIES[family](rng)
    return family, expr, rng.choice((1, -1)) * number(rng, -2, 3)


def beside_an_extremum(expr: sympy.Expr, rng: random.Random) -> sympy.Rational | None:
    """Return a weight whose level lies within 1e-6 of a local extremum of |σ'|."""
    ends = [branch.slope_right for branch in gt.activation(expr).profile.branches[:-1]]
    balls = [abs(enclose(end, 256)) for end in ends if end.is_finite]
    sizes = [as_rational(ball) for ball in balls if ball > 1e-30]
    return 1 / rng.choice(sizes) * (1 + rng.choice((1, -1)) * number(rng, -9, -6)) if sizes else None


def points(rng: random.Random, expr: sympy.Expr, found: sympy.Set, w: sympy.Rational) -> Iterator[sympy.Rational]:
    """Yield inputs near every end that was found, near the features of the expression, and anywhere."""
    base = found.base if isinstance(found, Periodic) else found
    for end in sorted(base.boundary, key=sympy.default_sort_key):
        if end.is_finite:
            near = sympy.Rational(str(rounded(end, 300)))
            for exponent in (2, 8, 15):
                yield near + rng.choice((1, -1)) * max(abs(near), 1) * sympy.Rational(1, 10**exponent)
    centres = sorted(each for each in expr.atoms(sympy.Rational) if abs(each) < 10**9)
    for _ in range(30):
        z = rng.choice((0, *centres, *(-each for each in centres))) + rng.choice((1, -1)) * number(rng, -9, 4)
        yield sympy.Rational(z) / w
    for _ in range(10):
        yield rng.choice((1, -1)) * number(rng, -3, 9) / w


def wrong_point(rng: random.Random, expr: sympy.Expr, found: sympy.Set, w: sympy.Rational) -> sympy.Rational | None:
    """Return an input about which a set is wrong; None where there is none among those tried."""
    with mpmath.workdps(_DIGITS):
        for x in points(rng, expr, found, w):
            left, right = slopes(expr, mpmath.mpf(int((w * x).p)) / int((w * x).q))
            if abs(left - right) > mpmath.mpf(10) ** -25 * (abs(left) + abs(right) + mpmath.mpf(10) ** -9):
                continue  # a kink, or beside one
            size = abs(left) * abs(int(w.p)) / int(w.q)
            if abs(size - 1) > mpmath.mpf(10) ** -18 and bool(found.contains(x)) != (size > 1):
                return x
    return None


class _TooLong(Exception):
    pass


def _stop(*_: object) -> None:
    raise _TooLong


def run(cases: int, seed: int, *, talk: bool = False) -> tuple[Counter[str], list[str], list[float]]:
    """Return counts of outcomes, descriptions of what is wrong, and the time of each case."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    seconds: list[float] = []
    for case in range(cases):
        family, expr, w = question(rng)
        start = time.process_time()
        outcome, text = "right", ""
        try:
            if case % 3 == 0:
                w = beside_an_extremum(expr, rng) or w
            found = gt.explosion_set(expr, w)
            seconds.append(time.process_time() - start)
            x = wrong_point(rng, expr, found, w)
            if x is not None:
                outcome, text = "wrong", f"explosion_set({expr}, w={w}) = {found} about x = {x}"
        except Undecided as error:
            outcome, text = "undecided", f"{expr}, w={w}: {error}"
            seconds.append(time.process_time() - start)
        except GradTheoryError as error:
            outcome, text = "refused", f"{expr}, w={w}: {error}"
        except _TooLong:
            outcome, text = "hung", f"{expr}, w={w}"
            seconds.append(float(_MOST_SECONDS))
        counts[outcome] += 1
        counts[f"{family} {outcome}"] += 1
        if outcome == "wrong":
            wrong.append(text)
        if talk and outcome != "right":
            print(f"{case} {family} {outcome} {time.process_time() - start:.1f} s: {text[:300]}", flush=True)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            if talk:
                signal.setitimer(signal.ITIMER_REAL, _MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return counts, wrong, seconds


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    signal.signal(signal.SIGALRM, _stop)
    counts, wrong, seconds = run(arguments.cases, arguments.seed, talk=True)
    ordered = sorted(seconds)
    print(dict(counts))
    print(
        f"median {statistics.median(ordered):.2f} s, 90 % {ordered[int(0.9 * len(ordered))]:.2f} s, "
        f"95 % {ordered[int(0.95 * len(ordered))]:.2f} s"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
