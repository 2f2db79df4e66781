r"""Expectations over two correlated Gaussian pre-activations in closed form, of lines with waves: sine, cosine, snake.

For x₁, x₂ of variance q and covariance p = c·q, and frequencies v, w > 0, the characteristic function gives

    E[cos(v·x₁)·cos(w·x₂)] = e^(-q(v² + w²)/2)·cosh(v·w·p)
    E[sin(v·x₁)·sin(w·x₂)] = e^(-q(v² + w²)/2)·sinh(v·w·p)
    E[x₁·sin(w·x₂)] = w·p·e^(-q·w²/2)

and every product of an odd and an even function has the mean 0.
"""

import math
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import sympy

from gradtheory.activations.record import Z
from gradtheory.arithmetic.guarantee import Estimate

__all__ = ["waves_of"]

_EPSILON = 2.0**-52
_LEAST_FLOAT = 2.0**-1074  # exponentials underflow
_ROUNDINGS = 8.0  # of each term, in units of the last place


class Waves(NamedTuple):
    """A function m·x + k + Σ s_v·sin(v·x) + Σ k_v·cos(v·x)."""

    line: float
    constant: float
    sines: tuple[tuple[float, float], ...]  # (v, s_v)
    cosines: tuple[tuple[float, float], ...]

    @property
    def slope(self) -> "Waves":
        """Its derivative."""
        sines = tuple((v, -v * size) for v, size in self.cosines)
        cosines = tuple((v, v * size) for v, size in self.sines)
        return Waves(0.0, self.line, sines, cosines)

    def mean_product(self, c: float, q: float) -> Estimate:
        """Return E[f(x₁)·f(x₂)], with a bound of the rounding."""
        p, constant = q * c, ((0.0, self.constant),)
        terms = [(self.line * self.line * p, 0.0)]
        for v, size in self.sines:
            damped = 2.0 * self.line * size * v * p * math.exp(-q * v * v / 2.0)
            terms.append((damped, q * v * v * abs(damped)))
        for kind, waves in (("sin", self.sines), ("cos", constant + self.cosines)):
            for v, one in waves:
                for w, other in waves:
                    mean, lost = _of_two_waves(kind, v, w, c, q)
                    terms.append((one * other * mean, abs(one * other) * lost))
        error = math.fsum(_ROUNDINGS * abs(term) + lost for term, lost in terms)
        return Estimate(math.fsum(term for term, _ in terms), _EPSILON * error + len(terms) * _LEAST_FLOAT)


def _of_two_waves(kind: str, v: float, w: float, c: float, q: float) -> tuple[float, float]:
    """Return E[sin(v·x₁)·sin(w·x₂)], or of cosines, and what rounded exponents lose, in units of the last place."""
    apart = q * ((v - w) ** 2 / 2.0 + v * w * (1.0 - c))
    both = q * ((v - w) ** 2 / 2.0 + v * w * (1.0 + c))
    one, other = math.exp(-apart) / 2.0, math.exp(-both) / 2.0
    rounded = q * abs(v - w) * (v + w)  # of the difference of two rounded frequencies
    lost = (_ROUNDINGS * apart + rounded) * one + (_ROUNDINGS * both + rounded) * other
    if kind == "cos":
        return one + other, lost
    twice = 2.0 * v * w * q * c
    return (other * math.expm1(twice) if abs(twice) < 1.0 else one - other), lost


@cache
def waves_of(expr: sympy.Expr) -> Waves | None:
    """Return a line with waves from its expression in z; None for any other."""
    line, constant = sympy.S.Zero, sympy.S.Zero
    sines: dict[float, float] = defaultdict(float)
    cosines: dict[float, float] = defaultdict(float)
    for term in sympy.Add.make_args(expr):
        size, rest = term.as_independent(Z, as_Add=False)
        base, power = rest.as_base_exp()
        if not size.is_finite or not size.is_real:
            return None
        if rest == 1:
            constant += size
        elif rest == Z:
            line += size
        elif isinstance(base, sympy.sin | sympy.cos) and power in (1, 2) and (base.args[0] / Z).is_number:
            v = float(base.args[0] / Z)
            if power == 2:  # sin² = (1 - cos 2·)/2
                constant += size / 2
                cosines[2.0 * abs(v)] += float(size / 2) * (-1.0 if isinstance(base, sympy.sin) else 1.0)
            elif isinstance(base, sympy.sin):
                sines[abs(v)] += float(size) * math.copysign(1.0, v)
            else:
                cosines[abs(v)] += float(size)
        else:
            return None
    if not sines and not cosines:
        return None
    return Waves(float(line), float(constant), tuple(sines.items()), tuple(cosines.items()))
