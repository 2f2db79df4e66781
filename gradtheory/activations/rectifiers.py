"""Rectifiers: slope near 0 or small on the left, constant or tending to a constant on the right.

They are written with Max and Min: SymPy folds nested Piecewise, at exponential cost.
"""

import numpy as np
from sympy import Interval, Max, Min, Piecewise, Rational, S, exp, log, oo

from gradtheory.activations.kernels import logistic
from gradtheory.activations.record import Activation, Branch, T, Z
from gradtheory.activations.shapes import steps


def _relu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.heaviside(z, 0.0, out=slope)
    np.maximum(z, 0.0, out=value)


relu = Activation(
    name="relu",
    latex=r"\operatorname{relu}",
    expr=Max(0, Z),
    derivative=Piecewise((1, Z > 0), (0, True)),
    range=Interval(0, oo),
    branches=steps(corners=(S.Zero,), slopes=(S.Zero, S.One)),
    kernel=_relu_kernel,
    reference="Nair & Hinton, ICML (2010)",
)

_LEAK = Rational(1, 100)


def _leaky_relu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    slope[...] = np.where(z > 0.0, 1.0, 0.01)
    value[...] = np.where(z > 0.0, z, z / 100.0)


leaky_relu = Activation(
    name="leaky_relu",
    latex=r"\operatorname{leaky\,relu}",
    expr=Max(Z, _LEAK * Z),
    derivative=Piecewise((1, Z > 0), (_LEAK, True)),
    range=S.Reals,
    branches=steps(corners=(S.Zero,), slopes=(_LEAK, S.One)),
    kernel=_leaky_relu_kernel,
    reference="Maas, Hannun & Ng, ICML workshop (2013); slope 1/100 as in PyTorch",
)


def _elu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    negative = np.minimum(z, 0.0)
    np.exp(negative, out=slope)
    value[...] = np.where(z > 0.0, z, np.expm1(negative))


elu = Activation(
    name="elu",
    latex=r"\operatorname{elu}",
    expr=Max(0, Z) + exp(Min(0, Z)) - 1,
    derivative=exp(Min(0, Z)),
    range=Interval.open(-1, oo),
    branches=(
        Branch(-oo, S.Zero, S.Zero, S.One, inverse=-log(1 / T)),
        Branch(S.Zero, oo, S.One, S.One),
    ),
    kernel=_elu_kernel,
    reference="Clevert, Unterthiner & Hochreiter, ICLR (2016), eq. 15, with alpha = 1",
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
    latex=r"\operatorname{selu}",
    expr=_SCALE * Max(0, Z) + _STEEP * (exp(Min(0, Z)) - 1),
    derivative=Piecewise((_SCALE, Z > 0), (_STEEP * exp(Z), True)),
    range=Interval.open(-_STEEP, oo),
    branches=(
        Branch(-oo, S.Zero, S.Zero, _STEEP, inverse=-log(_STEEP / T)),
        Branch(S.Zero, oo, _SCALE, _SCALE),
    ),
    kernel=_selu_kernel,
    reference="Klambauer, Unterthiner, Mayr & Hochreiter, NIPS (2017), eq. 2",
)


def _softplus_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.logaddexp(0.0, z, out=value)
    logistic(z, slope, np.empty_like(z))


softplus = Activation(
    name="softplus",
    latex=r"\operatorname{softplus}",
    expr=log(1 + exp(Z)),
    derivative=1 / (1 + exp(-Z)),
    range=Interval.open(0, oo),
    branches=(Branch(-oo, oo, S.Zero, S.One, inverse=-log(1 / T - 1)),),
    kernel=_softplus_kernel,
    reference="Dugas, Bengio, Bélisle, Nadeau & Garcia, NIPS (2000), eq. 2",
)
