"""Gated activations z·G(z): no closed form of their superlevel sets is known."""

import numpy as np
import scipy.special
from sympy import Expr, Interval, Lambda, Rational, S, erf, exp, oo, sqrt

from gradtheory.activations.kernels import exp_minus_square, logistic
from gradtheory.activations.record import Activation, Z
from gradtheory.root import Root


def _minimum(expr: Expr, lower: Rational, upper: Rational) -> Root:
    """Return the value of `expr` at the only zero of its derivative in [lower, upper]."""
    return Root(Lambda(Z, expr.diff(Z)), lower, upper, Lambda(Z, expr))


def _gelu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -40.0)  # both are 0 in float64 from there on
    bell = exp_minus_square(z, 0.5)
    tail = 0.5 * bell * scipy.special.erfcx(np.abs(z) * np.sqrt(0.5))  # Φ(-|z|)
    share = np.where(z < 0.0, tail, 1.0 - tail)
    np.multiply(z, share, out=value)
    np.add(share, np.minimum(z, 40.0) * bell / np.sqrt(2.0 * np.pi), out=slope)


_GELU = Z * (1 + erf(Z / sqrt(2))) / 2

gelu = Activation(
    name="gelu",
    latex=r"\operatorname{gelu}",
    expr=_GELU,
    range=Interval(_minimum(_GELU, -S.One, -Rational(1, 2)), oo),
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

silu = Activation(
    name="silu",
    latex=r"\operatorname{silu}",
    expr=_SILU,
    range=Interval(_minimum(_SILU, -Rational(13, 10), -Rational(5, 4)), oo),
    kernel=_silu_kernel,
    reference="Elfwing, Uchibe & Doya, Neural Networks 107 (2018), eq. 2",
)
