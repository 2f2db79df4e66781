"""S-shaped activations: smooth or once differentiable, increasing, with a slope that is a bell."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

from typing import Any

import sympy
from sympy import Abs, Eq, Interval, Rational, S, asinh, atan, cosh, erf, exp, pi, sign, sqrt, tanh

from gradtheory.activations.catalogue.shapes import Float64Distance, arsinh_root, bell, hyperbola, logarithm
from gradtheory.activations.catalogue.shared_kernels import exp_minus_square, linear, logistic, ratio
from gradtheory.activations.record import Activation, SignOfBend, T, WidestPoint, Z
from gradtheory.arithmetic.functions import RealLog
from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.pairs import Pair, plus, root

_s = sympy.Symbol("s", positive=True)
_HALF = Rational(1, 2)
# evaluate=False: SymPy would look long for a simpler form of an arsinh or an equation, and there is none


sigmoid = Activation(
    name="sigmoid",
    symbol=r"\sigma",
    expr=1 / (1 + exp(-Z)),
    slope_expr=1 / (4 * cosh(Z / 2) ** 2),
    range=Interval.open(0, 1),
    branches=bell(
        peak=Rational(1, 4),
        half_width=2 * asinh(sqrt(1 / T - 4) / 2, evaluate=False),
        distance=Float64Distance(lambda xp, e: 2.0 * xp.asinh(xp.sqrt(e))),
    ),
    sign_of_bend=SignOfBend(1 / (4 * cosh(Z / 2) ** 2), -tanh(Z / 2)),
    widest_point=WidestPoint(
        parameter=_s,
        level=1 / (4 * cosh(_s) ** 2),
        measure=4 * _s,
        equation=Eq(_s * tanh(_s), _HALF, evaluate=False),
        between=(_HALF, S.One),
    ),
    kernel=logistic,
    log_odds=linear,
    reference="Rumelhart, Hinton & Williams, Nature 323 (1986), eq. 2",
    peers={"torch": "torch.sigmoid", "jax": "jax.nn.sigmoid", "keras": "keras.activations.sigmoid"},
)


_CANCELS = 0.25  # where 1 - exp(-2|z|) loses more than a bit


def _tanh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.abs(z, slope)
    near_0 = np.flatnonzero(slope < _CANCELS)
    np.multiply(slope, -2.0, slope)
    np.exp(slope, slope)
    np.subtract(1.0, slope, value)
    inverse = 1.0 / (1.0 + slope)
    value *= inverse
    np.copysign(value, z, value)
    small = z[near_0]
    q = small * small
    value[near_0] = (
        small * (10395.0 + q * (1260.0 + q * 21.0)) / (10395.0 + q * (4725.0 + q * (210.0 + q)))
    )  # Lambert's
    slope *= 4.0
    slope *= inverse
    slope *= inverse


hyperbolic_tangent = Activation(
    name="tanh",
    symbol=r"\tanh",
    expr=tanh(Z),
    slope_expr=1 / cosh(Z) ** 2,
    range=Interval.open(-1, 1),
    branches=bell(peak=S.One, half_width=asinh(sqrt(1 / T - 1), evaluate=False), distance=arsinh_root),
    sign_of_bend=SignOfBend(2 / cosh(Z) ** 2, -tanh(Z)),
    widest_point=WidestPoint(
        parameter=_s,
        level=1 / cosh(_s) ** 2,
        measure=2 * _s,
        equation=Eq(_s * tanh(_s), _HALF, evaluate=False),
        between=(_HALF, S.One),
    ),
    kernel=_tanh_kernel,
    reference="LeCun, Bottou, Orr & Müller, Efficient BackProp (1998), section 4.4",
    peers={"torch": "torch.tanh", "jax": "jax.numpy.tanh", "keras": "keras.activations.tanh"},
)


def _arctan_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    p, q = ratio(z)
    np.arctan(z, out=value)
    np.divide(q * q, p * p + q * q, out=slope)


arctan = Activation(
    name="arctan",
    symbol=r"\arctan",
    expr=atan(Z),
    range=Interval.open(-pi / 2, pi / 2),
    branches=bell(peak=S.One, half_width=sqrt(1 / T - 1), distance=root),
    sign_of_bend=SignOfBend(2 / (1 + Z**2) ** 2, -Z),
    widest_point=WidestPoint(
        parameter=_s, level=1 / (1 + _s**2), measure=2 * _s, equation=Eq(_s**2, 1, evaluate=False), solution=S.One
    ),
    kernel=_arctan_kernel,
    reference="Abramowitz & Stegun (1964), 4.4",
    peers={"torch": "torch.atan", "jax": "jax.numpy.arctan", "keras": "keras.ops.arctan"},
)


def _softsign_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    p, q = ratio(z)
    np.copysign(p / (p + q), z, out=value)
    np.square(q / (p + q), out=slope)


def _root_minus_1(xp: Any, e: Pair) -> Pair:
    return plus(-1.0, root(xp, plus(1.0, e)))


softsign = Activation(
    name="softsign",
    symbol=r"\operatorname{softsign}",
    expr=Z / (1 + Abs(Z)),
    slope_expr=1 / (1 + Abs(Z)) ** 2,
    range=Interval.open(-1, 1),
    branches=bell(peak=S.One, half_width=1 / sqrt(T) - 1, distance=_root_minus_1),
    sign_of_bend=SignOfBend(2 / (1 + Abs(Z)) ** 3, -sign(Z)),
    widest_point=WidestPoint(
        parameter=_s, level=1 / (1 + _s) ** 2, measure=2 * _s, equation=Eq(_s, 1, evaluate=False), solution=S.One
    ),
    kernel=_softsign_kernel,
    reference="Bergstra, Desjardins, Lamblin & Bengio, report 1337, Université de Montréal (2009)",
    peers={
        "torch": "torch.nn.functional.softsign",
        "jax": "jax.nn.soft_sign",
        "keras": "keras.activations.softsign",
    },
)


def _erf_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    from scipy import special  # here, because it takes as long to import as SymPy

    np.multiply(2.0 / np.sqrt(np.pi), exp_minus_square(z), out=slope)
    special.erf(z, out=value)


error_function = Activation(
    name="erf",
    symbol=r"\operatorname{erf}",
    expr=erf(Z),
    range=Interval.open(-1, 1),
    branches=bell(
        peak=2 / sqrt(pi),
        half_width=sqrt(RealLog(2 / (sqrt(pi) * T))),
        distance=lambda xp, e: root(xp, logarithm(xp, e)),
    ),
    sign_of_bend=SignOfBend(4 * exp(-(Z**2)) / sqrt(pi), -Z),
    widest_point=WidestPoint(
        parameter=_s,
        level=2 * exp(-(_s**2)) / sqrt(pi),
        measure=2 * _s,
        equation=Eq(_s**2, _HALF, evaluate=False),
        solution=1 / sqrt(2),
    ),
    kernel=_erf_kernel,
    reference="Williams, Computing with infinite networks, NIPS (1996), eq. 11",
    peers={"torch": "torch.erf", "jax": "jax.scipy.special.erf", "keras": "keras.ops.erf"},
)


def _arsinh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    p, q = ratio(z)
    np.arcsinh(z, out=value)
    np.divide(q, np.sqrt(p * p + q * q), out=slope)


# Its slope falls so slowly that the explosion interval keeps widening with |w|: the supremum 2/c is not reached.
arsinh = Activation(
    name="arsinh",
    symbol=r"\operatorname{arsinh}",
    expr=asinh(Z),
    range=S.Reals,
    branches=bell(peak=S.One, half_width=sqrt(1 / T**2 - 1), distance=hyperbola),
    sign_of_bend=SignOfBend((1 + Z**2) ** -Rational(3, 2), -Z),
    widest_point=WidestPoint(parameter=_s, level=_s, measure=2 * sqrt(1 / _s**2 - 1), solution=S.Zero),
    kernel=_arsinh_kernel,
    reference="Abramowitz & Stegun (1964), 4.6",
    peers={"torch": "torch.asinh", "jax": "jax.numpy.arcsinh", "keras": "keras.ops.arcsinh"},
)
