"""Activations made of straight pieces on both sides: their slope is a step function."""

import numpy as np
from sympy import Abs, Interval, Max, Min, Piecewise, Rational, S

from gradtheory.activations.kernels import linear
from gradtheory.activations.record import Activation, Z
from gradtheory.activations.shapes import steps

identity = Activation(
    name="identity",
    latex=r"\operatorname{id}",
    expr=Z,
    range=S.Reals,
    branches=steps(corners=(), slopes=(S.One,)),
    kernel=linear,
    reference="the linear chain, where every factor is the weight itself",
)


def _hard_sigmoid_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    slope[...] = np.where(np.abs(z) < 3.0, 1.0 / 6.0, 0.0)
    np.clip((z + 3.0) / 6.0, 0.0, 1.0, out=value)


_SIXTH = Rational(1, 6)

hard_sigmoid = Activation(
    name="hard_sigmoid",
    latex=r"\operatorname{hard\,\sigma}",
    expr=Max(0, Min(1, Z / 6 + Rational(1, 2))),
    derivative=Piecewise((0, Abs(Z) >= 3), (_SIXTH, True)),
    range=Interval(0, 1),
    branches=steps(corners=(-S(3), S(3)), slopes=(S.Zero, _SIXTH, S.Zero)),
    kernel=_hard_sigmoid_kernel,
    reference="Howard et al., Searching for MobileNetV3, ICCV (2019), section 5.2; PyTorch's convention",
)


def _hard_tanh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    slope[...] = np.abs(z) < 1.0
    np.clip(z, -1.0, 1.0, out=value)


hard_tanh = Activation(
    name="hard_tanh",
    latex=r"\operatorname{hard\,tanh}",
    expr=Max(-1, Min(1, Z)),
    derivative=Piecewise((0, Abs(Z) >= 1), (1, True)),
    range=Interval(-1, 1),
    branches=steps(corners=(-S.One, S.One), slopes=(S.Zero, S.One, S.Zero)),
    kernel=_hard_tanh_kernel,
    reference="Collobert, Large scale machine learning, PhD thesis, Université Paris 6 (2004)",
)
