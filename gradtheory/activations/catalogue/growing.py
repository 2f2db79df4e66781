"""Activations without bounds on both sides, or with an unbounded slope: every weight but 0 explodes there."""

from typing import Any

import numpy as np
from sympy import Interval, S, asinh, cosh, exp, log, oo, sqrt, tanh

from gradtheory.activations.catalogue.shapes import Float64Distance
from gradtheory.activations.catalogue.shared_kernels import ratio
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.functions import RealLog


def _exponential_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.exp(z, out=value)
    slope[...] = value


exponential = Activation(
    name="exponential",
    symbol=r"\exp",
    expr=exp(Z),
    range=Interval.open(0, oo),
    branches=(Branch(-oo, oo, S.Zero, oo, inverse=RealLog(T), distance=Float64Distance(lambda xp, t: xp.log(t))),),
    sign_of_bend=SignOfBend(exp(Z), S.One),
    kernel=_exponential_kernel,
    reference="Keras; a Poisson regression's inverse link (McCullagh & Nelder, 2nd ed. 1989, chapter 6)",
    peers={"torch": "torch.exp", "jax": "jax.numpy.exp", "keras": "keras.activations.exponential"},
)


def _quadratic_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.multiply(z, 2.0, out=slope)
    np.square(z, out=value)


quadratic = Activation(
    name="quadratic",
    symbol=r"\operatorname{sq}",
    expr=Z**2,
    range=Interval(0, oo),
    branches=(
        Branch(-oo, S.Zero, -oo, S.Zero, inverse=-T / 2, distance=Float64Distance(lambda xp, t: t / 2.0)),
        Branch(S.Zero, oo, S.Zero, oo, inverse=T / 2, distance=Float64Distance(lambda xp, t: t / 2.0)),
    ),
    sign_of_bend=SignOfBend(S(2), S.One),
    kernel=_quadratic_kernel,
    reference="Livni, Shalev-Shwartz & Shamir, NIPS (2014), section 1",
    peers={"torch": "torch.square", "jax": "jax.numpy.square", "keras": "keras.ops.square"},
)


def _log_cosh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    size = np.abs(z)
    near = 0.5 * np.log1p(np.square(np.sinh(np.minimum(size, 1.0))))
    far = (size - np.log(2.0)) + np.log1p(np.exp(-2.0 * size))
    value[...] = np.where(size < 1.0, near, far)
    np.tanh(z, out=slope)


_LOG_COSH_HALF = asinh(1 / sqrt(1 / T**2 - 1), evaluate=False)  # artanh(t)


def _log_cosh_distance(xp: Any, e: Any) -> Any:
    return 0.5 * xp.log1p(2.0 / e)  # artanh(1/(1 + e))


log_cosh = Activation(
    name="log_cosh",
    symbol=r"\operatorname{log\,cosh}",
    expr=log(cosh(Z)),
    slope_expr=tanh(Z),
    range=Interval(0, oo),
    branches=(
        Branch(-oo, S.Zero, -S.One, S.Zero, inverse=-_LOG_COSH_HALF, distance=Float64Distance(_log_cosh_distance)),
        Branch(S.Zero, oo, S.Zero, S.One, inverse=_LOG_COSH_HALF, distance=Float64Distance(_log_cosh_distance)),
    ),
    sign_of_bend=SignOfBend(1 / cosh(Z) ** 2, S.One),
    kernel=_log_cosh_kernel,
    reference="Hyvärinen, IEEE Trans. Neural Networks 10 (1999), eq. 13",
)


def _bent_identity_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    p, q = ratio(z)
    size = np.sqrt(p * p + q * q)
    np.multiply(z, 1.0 + np.copysign(p, z) / (2.0 * (size + q)), out=value)
    np.add(1.0, np.copysign(p, z) / (2.0 * size), out=slope)


bent_identity = Activation(
    name="bent_identity",
    symbol=r"\operatorname{bent}",
    expr=(sqrt(Z**2 + 1) - 1) / 2 + Z,
    slope_expr=1 + Z / (2 * sqrt(Z**2 + 1)),
    range=S.Reals,
    branches=(
        Branch(
            -oo,
            oo,
            S.Half,
            S(3) / 2,
            inverse=2 * (T - 1) / sqrt((2 * T - 1) * (3 - 2 * T)),
            distance=Float64Distance(lambda xp, e: (1.0 - e) / (2.0 * xp.sqrt(e))),
        ),
    ),
    sign_of_bend=SignOfBend(1 / (2 * sqrt(Z**2 + 1) ** 3), S.One),
    kernel=_bent_identity_kernel,
    reference="without a first paper; listed by Kunc & Kléma, arXiv:2402.09092 (2024)",
)
