"""Random activations of one's own, and the same functions written in other ways.

Sums, products, compositions, shifts and scales from 1e-8 to 1e8, switches, features that are far away or narrow, waves
that fade.
"""

import random
from collections.abc import Callable
from fractions import Fraction

import sympy

from gradtheory.activations import Z


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


FAMILIES: dict[str, Callable[[random.Random], sympy.Expr]] = {
    "sum": _sum,
    "product": _product,
    "composition": _composition,
    "switched": _switched,
    "wave": _wave,
}


def question(rng: random.Random) -> tuple[str, sympy.Expr, sympy.Rational]:
    """Return a family, an expression, and a weight."""
    family = rng.choice(list(FAMILIES))
    expr = FAMILIES[family](rng)
    while expr.free_symbols != {Z}:
        expr = FAMILIES[family](rng)
    return family, expr, rng.choice((1, -1)) * number(rng, -2, 3)


# ---- the same function in other words


def _other_abs(rng: random.Random, u: sympy.Expr) -> sympy.Expr:
    return rng.choice((sympy.Max(u, -u), -sympy.Min(u, -u), sympy.Piecewise((-u, u < 0), (u, True)), u * sympy.sign(u)))


def _other_max(rng: random.Random, *parts: sympy.Expr) -> sympy.Expr:
    best, *others = parts
    for part in others:
        best = rng.choice(
            (
                (best + part + sympy.Abs(best - part)) / 2,
                sympy.Piecewise((part, best < part), (best, True)),
                best + sympy.Heaviside(part - best, 0) * (part - best),
                -sympy.Min(-best, -part),
            )
        )
    return best


def _other_min(rng: random.Random, *parts: sympy.Expr) -> sympy.Expr:
    return -_other_max(rng, *(-part for part in parts))


def _other_sign(rng: random.Random, u: sympy.Expr) -> sympy.Expr:
    return rng.choice((2 * sympy.Heaviside(u) - 1, sympy.Piecewise((-1, u < 0), (0, u <= 0), (1, True))))


def _other_piecewise(rng: random.Random, *pairs: tuple[sympy.Expr, sympy.Basic]) -> sympy.Expr:
    (first, condition), (second, _) = pairs
    switch = sympy.Heaviside(condition.lhs - condition.rhs, 1)
    return rng.choice((first + switch * (second - first), sympy.Piecewise((second, ~condition), (first, True))))


_OTHERS: dict[type, Callable[..., sympy.Expr]] = {
    sympy.Abs: _other_abs,
    sympy.Max: _other_max,
    sympy.Min: _other_min,
    sympy.Piecewise: _other_piecewise,
    sympy.sign: _other_sign,
}


def in_other_words(expr: sympy.Expr, rng: random.Random) -> sympy.Expr:
    """Return the same function with every Abs, Max, Min, sign and Piecewise written by another of them."""
    if not expr.args:
        return expr
    args = [in_other_words(part, rng) for part in expr.args]
    return _OTHERS[expr.func](rng, *args) if expr.func in _OTHERS else expr.func(*args)
