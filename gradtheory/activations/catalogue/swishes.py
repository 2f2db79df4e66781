"""Activations z·G(z) with a gate G like the sigmoid: swish and its relatives, and mish."""

import numpy as np
from sympy import Expr, Interval, Lambda, Max, Min, Piecewise, Rational, S, cosh, exp, log, oo, tanh

from gradtheory.activations.catalogue.gelu import gated_branches, lowest_of, turns_of
from gradtheory.activations.catalogue.shapes import straight
from gradtheory.activations.catalogue.shared_kernels import logistic, stretch
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.enclosure import as_rational, bounds
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.root import Root

_SWISH = "Ramachandran, Zoph & Le, arXiv:1710.05941 (2017), section 3"


def _gate(beta: Expr, name: str, latex: str, reference: str, peers: dict[str, str]) -> Activation:
    """Return the record of z/(1 + exp(-beta·z))."""
    expr = Z / (1 + exp(-beta * Z))
    slope = expr.diff(Z)
    shape = 2 - beta * Z * tanh(beta * Z / 2)
    least = lowest_of(slope, *_between(-Rational(13, 10) / beta, -Rational(5, 4) / beta))
    first = Root(Lambda(Z, shape), *_between(-3 / beta, -2 / beta))
    last = Root(Lambda(Z, shape), *_between(2 / beta, 3 / beta))
    stretched, farthest = stretch(beta), 800.0 / float(beta)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        z = np.maximum(z, -farthest)  # both are 0 in float64 from there on
        y, error = stretched(z)
        share, rest = np.empty_like(z), np.empty_like(z)
        logistic(-y, rest, slope)
        logistic(y.copy(), share, slope)
        share += share * rest * error
        np.multiply(z, share, out=value)
        np.multiply(share, 1.0 + np.minimum(y, 800.0) * rest, out=slope)

    return Activation(
        name=name,
        symbol=latex,
        expr=expr,
        range=Interval(least.map(Lambda(Z, expr)), oo),
        branches=gated_branches(slope, (first, last), least),
        sign_of_bend=SignOfBend(beta / (2 * cosh(beta * Z / 2)) ** 2, shape),
        kernel=kernel,
        reference=reference,
        peers=peers,
    )


def _between(lower: Expr, upper: Expr) -> tuple[Rational, Rational]:
    """Return rational ends for an isolating interval: the ends themselves, or points just beyond irrational ones."""
    if lower.is_Rational and upper.is_Rational:
        return lower, upper
    around = bounds(lower, upper, 64)
    return as_rational(around.lower), as_rational(around.upper)


silu = _gate(
    S.One,
    "silu",
    r"\operatorname{silu}",
    "Elfwing, Uchibe & Doya, Neural Networks 107 (2018), eq. 2",
    {"torch": "torch.nn.functional.silu", "jax": "jax.nn.silu", "keras": "keras.activations.silu"},
)

quick_gelu = _gate(
    Rational("1.702"),
    "quick_gelu",
    r"\operatorname{quick\,gelu}",
    "Hendrycks & Gimpel, arXiv:1606.08415 (2016), section 2: swish with beta = 1.702",
    {},
)


@Family
def swish(beta: Expr = S.One) -> Activation:
    """z/(1 + exp(-beta·z)), for beta > 0."""
    beta = read_positive(beta, "beta")
    peers = {"jax": "jax.nn.swish", "keras": "keras.activations.swish"}
    return _gate(beta, swish.name_with_parameters(beta=beta), r"\operatorname{swish}", _SWISH, peers)


def _mish_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -800.0)  # both are 0 in float64 from there on
    p, r = np.empty_like(z), np.empty_like(z)
    logistic(-z, r, slope)
    logistic(z.copy(), p, slope)
    size = 1.0 + r * r
    np.multiply(z, p * ((1.0 + r) / size), out=value)
    near = np.minimum(z, 800.0)
    slope[...] = p * ((1.0 + r) * size + 4.0 * near * r * r) / (size * size)


# With p = 1/(1 + exp(-z)) and r = 1 - p: tanh(log(1 + exp(z))) = p(1 + r)/(1 + r²), where nothing cancels.
_P, _R = 1 / (1 + exp(-Z)), 1 / (1 + exp(Z))
_MISH = Z * tanh(log(1 + exp(Z)))
_MISH_SLOPE = _P * (1 + _R) / (1 + _R**2) + 4 * Z * _P * _R**2 / (1 + _R**2) ** 2
_MISH_SHAPE = 2 * (_P + _R) * (_P**2 + 2 * _P * _R + 2 * _R**2) + Z * (
    2 * _R**3 + 2 * _P * _R**2 - 3 * _P**2 * _R - 2 * _P**3
)
_MISH_LOWEST = lowest_of(_MISH_SLOPE, -Rational("1.2"), -Rational("1.19"))

mish = Activation(
    name="mish",
    symbol=r"\operatorname{mish}",
    expr=_MISH,
    slope_expr=_MISH_SLOPE,
    range=Interval(_MISH_LOWEST.map(Lambda(Z, _MISH)), oo),
    branches=gated_branches(
        _MISH_SLOPE,
        turns_of(_MISH_SHAPE, ("-2.3", "-2.2"), ("1.45", "1.55")),
        _MISH_LOWEST,
    ),
    sign_of_bend=SignOfBend(4 * _P * _R**2 / (1 + _R**2) ** 3, _MISH_SHAPE),
    kernel=_mish_kernel,
    reference="Misra, BMVC (2020), eq. 1",
    peers={"torch": "torch.nn.functional.mish", "jax": "jax.nn.mish", "keras": "keras.activations.mish"},
)


def _hard_swish_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -3.0)
    np.multiply(z, np.clip(z + 3.0, 0.0, 6.0) / 6.0, out=value)
    slope[...] = np.where(z <= -3.0, 0.0, np.where(z < 3.0, (2.0 * z + 3.0) / 6.0, 1.0))


_LOW = -Rational(3, 2)

hard_swish = Activation(
    name="hard_swish",
    symbol=r"\operatorname{hard\,swish}",
    expr=Z * Max(0, Min(6, Z + 3)) / 6,
    slope_expr=Piecewise((0, Z <= -3), (1, Z >= 3), (Z / 3 + S.Half, True)),
    range=Interval(-Rational(3, 8), oo),
    branches=(
        Branch(-oo, -S(3), S.Zero, S.Zero),
        Branch(-S(3), _LOW, -S.Half, S.Zero, inverse=_LOW - 3 * T, distance=straight(S(3) / 2)),
        Branch(_LOW, S(3), S.Zero, -_LOW, inverse=_LOW + 3 * T, distance=straight(S(9) / 2)),
        Branch(S(3), oo, S.One, S.One),
    ),
    sign_of_bend=SignOfBend(Rational(1, 3), S.One),
    kernel=_hard_swish_kernel,
    reference="Howard et al., Searching for MobileNetV3, ICCV (2019), section 5.2",
    peers={
        "torch": "torch.nn.functional.hardswish",
        "jax": "jax.nn.hard_swish",
        "keras": "keras.activations.hard_swish",
    },
)
