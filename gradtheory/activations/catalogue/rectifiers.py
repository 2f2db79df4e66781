"""Rectifiers: slope near 0 or small on the left, constant or tending to a constant on the right.

They are written with Max and Min: SymPy folds nested Piecewise, at exponential cost.
"""

from dataclasses import replace

import numpy as np
from sympy import Expr, Interval, Max, Min, Piecewise, Rational, S, cosh, exp, log, oo

from gradtheory.activations.catalogue.shapes import Float64Distance, logarithm, steps
from gradtheory.activations.catalogue.shared_kernels import logistic, stretch
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.functions import RealLog
from gradtheory.arithmetic.inputs import read_positive

_LEAK = Rational(1, 100)


@Family
def leaky_relu(slope: Expr = _LEAK) -> Activation:
    """max(z, 0) + slope·min(z, 0), as PyTorch and Keras write it for any slope."""
    leak = float(slope)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = np.where(z > 0.0, 1.0, leak)
        value[...] = np.where(z > 0.0, z, leak * z)

    return Activation(
        name=leaky_relu.name_with_parameters(slope=slope),
        symbol=r"\operatorname{leaky\,relu}",
        expr=Max(0, Z) + slope * Min(0, Z),
        slope_expr=Piecewise((1, Z > 0), (slope, True)),
        range=S.Reals if sign(slope) > 0 else Interval(0, oo),
        branches=steps(corners=(S.Zero,), slopes=(slope, S.One)),
        kernel=kernel,
        reference="Maas, Hannun & Ng, ICML workshop (2013); slope 1/100 as in PyTorch",
        peers={
            "torch": "torch.nn.functional.leaky_relu",
            "jax": "jax.nn.leaky_relu",
            "keras": "keras.activations.leaky_relu(negative_slope=0.01)",
        },
    )


def _relu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.maximum(z, 0.0, out=value)
    np.sign(value, out=slope)  # np.heaviside takes ten times as long


relu = replace(
    leaky_relu(slope=0),
    name="relu",
    symbol=r"\operatorname{relu}",
    kernel=_relu_kernel,
    reference="Nair & Hinton, ICML (2010)",
    peers={"torch": "torch.nn.functional.relu", "jax": "jax.nn.relu", "keras": "keras.activations.relu"},
)


@Family
def elu(alpha: Expr = S.One) -> Activation:
    """σ(z) = z for z > 0, else alpha·(exp(z) - 1)."""
    alpha = read_positive(alpha, "alpha")
    steep = float(alpha)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        negative = np.minimum(z, 0.0)
        slope[...] = np.where(z > 0.0, 1.0, steep * np.exp(negative))
        value[...] = np.where(z > 0.0, z, steep * np.expm1(negative))

    return Activation(
        name=elu.name_with_parameters(alpha=alpha),
        symbol=r"\operatorname{elu}",
        expr=Max(0, Z) + alpha * (exp(Min(0, Z)) - 1),
        slope_expr=Piecewise((1, Z > 0), (alpha * exp(Z), True)),
        range=Interval.open(-alpha, oo),
        branches=(
            Branch(-oo, S.Zero, S.Zero, alpha, inverse=-RealLog(alpha / T), distance=logarithm),
            Branch(S.Zero, oo, S.One, S.One),
        ),
        sign_of_bend=SignOfBend(alpha * exp(Z), S.One),
        kernel=kernel,
        reference="Clevert, Unterthiner & Hochreiter, ICLR (2016), eq. 15",
        peers={"torch": "torch.nn.functional.elu", "jax": "jax.nn.elu", "keras": "keras.activations.elu"},
    )


# The constants to the 32 digits in which PyTorch states them, taken as exact decimals.
_ALPHA = Rational("1.6732632423543772848170429916717")
_SCALE = Rational("1.0507009873554804934193349852946")
_STEEP = _SCALE * _ALPHA
_SCALE_FLOAT, _STEEP_FLOAT = float(_SCALE), float(_STEEP)


def _selu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    negative = np.minimum(z, 0.0)
    slope[...] = np.where(z > 0.0, _SCALE_FLOAT, _STEEP_FLOAT * np.exp(negative))
    value[...] = np.where(z > 0.0, _SCALE_FLOAT * z, _STEEP_FLOAT * np.expm1(negative))


selu = Activation(
    name="selu",
    symbol=r"\operatorname{selu}",
    expr=_SCALE * Max(0, Z) + _STEEP * (exp(Min(0, Z)) - 1),
    slope_expr=Piecewise((_SCALE, Z > 0), (_STEEP * exp(Z), True)),
    range=Interval.open(-_STEEP, oo),
    branches=(
        Branch(-oo, S.Zero, S.Zero, _STEEP, inverse=-RealLog(_STEEP / T), distance=logarithm),
        Branch(S.Zero, oo, _SCALE, _SCALE),
    ),
    sign_of_bend=SignOfBend(_STEEP * exp(Z), S.One),
    kernel=_selu_kernel,
    reference="Klambauer, Unterthiner, Mayr & Hochreiter, NIPS (2017), eq. 2",
    peers={"torch": "torch.nn.functional.selu", "jax": "jax.nn.selu", "keras": "keras.activations.selu"},
)


@Family
def softplus(beta: Expr = S.One) -> Activation:
    """log(1 + exp(beta·z))/beta; PyTorch's shortcut, z itself where beta·z > 20, differs by less than 2.1e-9/beta."""
    beta = read_positive(beta, "beta")
    scale, stretched = float(beta), stretch(beta)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        y, rest = stretched(z)
        logistic(y.copy(), slope, value)
        slope += value * rest
        value[...] = np.where(y > 40.0, z, (np.logaddexp(0.0, y) + slope * rest) / scale)

    return Activation(
        name=softplus.name_with_parameters(beta=beta),
        symbol=r"\operatorname{softplus}",
        expr=log(1 + exp(beta * Z)) / beta,
        slope_expr=1 / (1 + exp(-beta * Z)),
        range=Interval.open(0, oo),
        branches=(
            Branch(
                -oo,
                oo,
                S.Zero,
                S.One,
                inverse=-RealLog(1 / T - 1) / beta,
                distance=Float64Distance(lambda xp, e: -xp.log(e) / float(beta)),
            ),
        ),
        sign_of_bend=SignOfBend(beta / (2 * cosh(beta * Z / 2)) ** 2, S.One),
        kernel=kernel,
        reference="Dugas, Bengio, Bélisle, Nadeau & Garcia, NIPS (2000), eq. 2",
        peers={
            "torch": "torch.nn.functional.softplus",
            "jax": "jax.nn.softplus",
            "keras": "keras.activations.softplus",
        },
    )
