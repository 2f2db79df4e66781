"""Gated activations z·G(z): no closed form of their superlevel sets is known, so the ends are certified."""

import numpy as np
import scipy.special
from sympy import Expr, Interval, Lambda, Rational, S, cosh, erf, exp, oo, pi, sqrt, tanh

from gradtheory.activations.kernels import exp_minus_square, logistic
from gradtheory.activations.record import Activation, Branch, Curvature, Z
from gradtheory.functions import stable
from gradtheory.root import Root


def _lowest(slope: Expr, lower: Rational, upper: Rational) -> Root:
    """Return the only zero of σ' in [lower, upper], where σ is least."""
    return Root(Lambda(Z, slope), lower, upper)


def _branches(slope: Expr, turns: tuple[Expr, Expr], lowest: Root) -> tuple[Branch, ...]:
    """Return the branches of a slope that falls from 0 at -oo, rises between two turns, and falls to 1 at oo."""
    first, last = turns
    at_first, at_last = slope.subs(Z, first), slope.subs(Z, last)
    return (
        Branch(-oo, first, S.Zero, at_first),
        Branch(first, lowest, at_first, S.Zero),
        Branch(lowest, last, S.Zero, at_last),
        Branch(last, oo, at_last, S.One),
    )


def _turns(shape: Expr, first: tuple[int, int], last: tuple[int, int]) -> tuple[Root, Root]:
    """Return the two zeros of σ'', from isolating intervals."""
    return Root(Lambda(Z, shape), *map(Rational, first)), Root(Lambda(Z, shape), *map(Rational, last))


def _gelu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -40.0)  # both are 0 in float64 from there on
    bell = exp_minus_square(z, 0.5)
    tail = 0.5 * bell * scipy.special.erfcx(np.abs(z) * np.sqrt(0.5))  # Φ(-|z|)
    share = np.where(z < 0.0, tail, 1.0 - tail)
    np.multiply(z, share, out=value)
    np.add(share, np.minimum(z, 40.0) * bell / np.sqrt(2.0 * np.pi), out=slope)


_GELU = Z * (1 + erf(Z / sqrt(2))) / 2
_BELL = exp(-(Z**2) / 2) / sqrt(2 * pi)
_GELU_SLOPE = stable(_GELU.diff(Z))
_GELU_LOWEST = _lowest(_GELU_SLOPE, -S.One, -Rational(1, 2))

gelu = Activation(
    name="gelu",
    latex=r"\operatorname{gelu}",
    expr=_GELU,
    range=Interval(_GELU_LOWEST.map(Lambda(Z, _GELU)), oo),
    branches=_branches(_GELU_SLOPE, (-sqrt(2), sqrt(2)), _GELU_LOWEST),
    curvature=Curvature(_BELL, 2 - Z**2),
    kernel=_gelu_kernel,
    reference="Hendrycks & Gimpel, arXiv:1606.08415 (2016), section 2",
)


def _silu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -800.0)  # both are 0 in float64 from there on
    share, rest = np.empty_like(z), np.empty_like(z)
    logistic(-z, rest, slope)
    logistic(z.copy(), share, slope)
    np.multiply(z, share, out=value)
    np.multiply(share, 1.0 + np.minimum(z, 800.0) * rest, out=slope)


_SILU = Z / (1 + exp(-Z))
_SILU_LOWEST = _lowest(_SILU.diff(Z), -Rational(13, 10), -Rational(5, 4))
_SILU_SHAPE = 2 - Z * tanh(Z / 2)

silu = Activation(
    name="silu",
    latex=r"\operatorname{silu}",
    expr=_SILU,
    range=Interval(_SILU_LOWEST.map(Lambda(Z, _SILU)), oo),
    branches=_branches(_SILU.diff(Z), _turns(_SILU_SHAPE, (-3, -2), (2, 3)), _SILU_LOWEST),
    curvature=Curvature(1 / (2 * cosh(Z / 2)) ** 2, _SILU_SHAPE),
    kernel=_silu_kernel,
    reference="Elfwing, Uchibe & Doya, Neural Networks 107 (2018), eq. 2",
)
