"""Random membership checks of explosion sets: `x in set` against |σ'(wx + b)·w| > c at 50 digits and more.

    python -m tests.explosion.fuzz --checks 100000 --seed 1

Points lie anywhere, at the ends and as near to them as 1e-25. The truth comes from difference quotients of σ alone.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import mpmath
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import Periodic
from tests import oracle

_POINTS_OF_A_SET = 20
_SLOPE_DIGITS = 60
_TIE = 1e-50


def magnitude(rng: random.Random, least: float, most: float) -> sympy.Rational:
    """Return a rational whose logarithm is uniform, with few digits."""
    return sympy.Rational(Fraction(10 ** rng.uniform(least, most)).limit_denominator(10**6)) or sympy.S.One


def question(rng: random.Random) -> tuple[str, sympy.Rational, sympy.Rational, sympy.Rational, bool]:
    """Return an activation, w, b, c and whether > or >=; one weight in three is next to the critical one."""
    name = rng.choice(gt.activation_names())
    c = magnitude(rng, -2, 2)
    w = rng.choice((1, -1)) * magnitude(rng, -3, 3)
    critical = gt.critical_weight(name, threshold=c)
    if critical != 0 and rng.random() < 1 / 3:
        nudge = 1 + rng.choice((1, -1)) * sympy.Rational(1, 10 ** rng.randint(1, 25))
        w = rng.choice((1, -1)) * sympy.Rational(str(rounded(critical, 150))) * nudge
    b = rng.choice((0, 1, -1)) * magnitude(rng, -2, 1)
    return name, w, b, c, rng.random() < 0.8


def points(rng: random.Random, exploding: sympy.Set, w: sympy.Rational, b: sympy.Rational) -> Iterator[sympy.Rational]:
    """Yield points anywhere, and on both sides of every end."""
    ends = _ends(exploding, rng)
    for _ in range(_POINTS_OF_A_SET):
        if ends and rng.random() < 0.6:
            near = sympy.Rational(str(rounded(rng.choice(ends), 300)))
            size = max(abs(near), abs(1 / w))
            yield near + rng.choice((1, -1)) * size * sympy.Rational(1, 10 ** rng.randint(1, 25))
        else:
            yield (rng.choice((1, -1)) * magnitude(rng, -3, 2) - b) / w


def _ends(exploding: sympy.Set, rng: random.Random) -> list[sympy.Expr]:
    if isinstance(exploding, Periodic):
        return [end + rng.randint(-9, 9) * exploding.period for end in exploding.base.boundary]
    return [end for end in exploding.boundary if end.is_finite]


def truth(name: str, w: sympy.Rational, b: sympy.Rational, c: sympy.Rational, x: sympy.Rational) -> mpmath.mpf:
    """Return |σ'(wx + b)·w|/c - 1."""
    with mpmath.workdps(200):
        slope = oracle.slope(name, oracle.as_mpf(w * x + b), digits=_SLOPE_DIGITS)
        return abs(slope * oracle.as_mpf(w)) / oracle.as_mpf(c) - 1


def run(checks: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return how many checks were right, wrong, ties, at kinks and undecided, and a line on each wrong one."""
    rng = random.Random(seed)  # no secret
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    while counts["right"] + counts["wrong"] < checks:
        name, w, b, c, strict = question(rng)
        asked = f"{name}, w={w}, b={b}, threshold={c}, strict={strict}"
        try:
            exploding = gt.explosion_set(name, w, b, threshold=c, strict=strict)
        except Undecided:
            counts["undecided"] += 1
            continue
        for x in points(rng, exploding, w, b):
            expected = False
            if w * x + b in gt.activation(name).kinks:
                counts["kinks"] += 1
            else:
                excess = truth(name, w, b, c, x)
                if abs(excess) < _TIE:
                    counts["ties"] += 1
                    continue
                expected = bool(excess > 0)
            is_right = (x in exploding) == expected
            counts["right" if is_right else "wrong"] += 1
            if not is_right:
                wrong.append(f"{asked}: {x}")
    return counts, wrong


def main() -> int:
    """Run the checks asked for; exit with 1 if one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts, wrong = run(arguments.checks, arguments.seed)
    print(dict(counts))
    print(*wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
