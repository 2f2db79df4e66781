"""Smooth rectifiers beside softplus: their slope runs from 0 to 1, or back."""

import numpy as np
from sympy import Expr, Interval, Max, Min, Piecewise, S, asinh, cosh, exp, log, oo, sqrt

from gradtheory.activations.catalogue.shapes import Float64Distance, straight
from gradtheory.activations.catalogue.shared_kernels import logistic
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.functions import RealLog
from gradtheory.arithmetic.inputs import read_positive


def _log_sigmoid_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.negative(np.logaddexp(0.0, -z), out=value)
    logistic(-z, slope, np.empty_like(z))


log_sigmoid = Activation(
    name="log_sigmoid",
    symbol=r"\operatorname{log\,\sigma}",
    expr=-log(1 + exp(-Z)),
    slope_expr=1 / (1 + exp(Z)),
    range=Interval.open(-oo, 0),
    branches=(
        Branch(-oo, oo, S.One, S.Zero, inverse=RealLog(1 / T - 1), distance=Float64Distance(lambda xp, e: xp.log(e))),
    ),
    sign_of_bend=SignOfBend(1 / (2 * cosh(Z / 2)) ** 2, -S.One),
    kernel=_log_sigmoid_kernel,
    reference="the logarithm of the sigmoid, as in cross entropy; PyTorch's name",
    peers={
        "torch": "torch.nn.functional.logsigmoid",
        "jax": "jax.nn.log_sigmoid",
        "keras": "keras.activations.log_sigmoid",
    },
)


_FOUR = S(4)


@Family
def squareplus(b: Expr = _FOUR) -> Activation:
    """(z + √(z² + b))/2, for b > 0."""
    b = read_positive(b, "b")
    root, quarter = float(sqrt(b)), float(b / 2)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        size = np.hypot(z, root)
        tail = quarter / (size + np.abs(z))  # (√(z² + b) - |z|)/2
        np.add(tail, np.maximum(z, 0.0), out=value)
        tail /= size
        slope[...] = np.where(z < 0.0, tail, 1.0 - tail)

    return Activation(
        name=squareplus.name_with_parameters(b=b),
        symbol=r"\operatorname{squareplus}",
        expr=(Z + sqrt(Z**2 + b)) / 2,
        slope_expr=1 / (1 + exp(-2 * asinh(Z / sqrt(b)))),  # (1 + z/√(z² + b))/2 would cancel on the left
        range=Interval.open(0, oo),
        branches=(
            Branch(
                -oo,
                oo,
                S.Zero,
                S.One,
                inverse=sqrt(b) * (T - S.Half) / sqrt(T * (1 - T)),
                distance=Float64Distance(lambda xp, e: float(sqrt(b)) * (1.0 - e) / (2.0 * xp.sqrt(e))),
            ),
        ),
        sign_of_bend=SignOfBend(b / (2 * sqrt(Z**2 + b) ** 3), S.One),
        kernel=kernel,
        reference="Barron, arXiv:2112.11687 (2021), eq. 1; b = 4 as in JAX",
        peers={"jax": "jax.nn.squareplus", "keras": "keras.activations.squareplus"},
    )


def _sparse_plus_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.divide(np.clip(z, -1.0, 1.0) + 1.0, 2.0, out=slope)
    value[...] = np.where(z < 1.0, np.square(slope), z)


sparse_plus = Activation(
    name="sparse_plus",
    symbol=r"\operatorname{sparse\,plus}",
    expr=(1 + Max(-1, Min(1, Z))) ** 2 / 4 + Max(0, Z - 1),
    slope_expr=Piecewise((0, Z <= -1), (1, Z >= 1), ((Z + 1) / 2, True)),
    range=Interval(0, oo),
    branches=(
        Branch(-oo, -S.One, S.Zero, S.Zero),
        Branch(-S.One, S.One, S.Zero, S.One, inverse=2 * T - 1, distance=straight(S(2))),
        Branch(S.One, oo, S.One, S.One),
    ),
    sign_of_bend=SignOfBend(S.Half, S.One),
    kernel=_sparse_plus_kernel,
    reference="Blondel, Martins & Niculae, JMLR 21 (2020), section 6.2, as the integral of the sparse sigmoid",
    peers={"jax": "jax.nn.sparse_plus", "keras": "keras.activations.sparse_plus"},
)
