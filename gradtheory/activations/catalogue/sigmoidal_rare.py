"""More S-shaped activations, with a slope that is a bell: those of `sigmoidal` are the common ones."""

from typing import Any

import numpy as np
import sympy
from sympy import Eq, Expr, Interval, Rational, S, asinh, atan, cosh, exp, oo, pi, sqrt, tanh

from gradtheory.activations.catalogue.shapes import arsinh_root, bell, cube_root_distance, cube_root_excess, hyperbola
from gradtheory.activations.catalogue.shared_kernels import doubled_exp, logistic, ratio, stretch
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, WidestPoint, Z
from gradtheory.arithmetic.functions import RealLambertW, RealLog
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.pairs import Pair, two_sum

_s = sympy.Symbol("s", positive=True)


def _gudermannian_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.multiply(2.0, np.arctan(np.tanh(0.5 * z)), out=value)
    np.divide(1.0, np.cosh(z), out=slope)


def _arsinh_hyperbola(xp: Any, e: Pair) -> Pair:
    high, low = hyperbola(xp, e)
    return xp.asinh(high), low / (1.0 + e[0])


def _half_more_arsinh_root(xp: Any, e: Pair) -> Pair:
    high, low = arsinh_root(xp, e)
    total, lost = two_sum(high, 0.5 * high)
    return total, lost + 1.5 * low


gudermannian = Activation(
    name="gudermannian",
    symbol=r"\operatorname{gd}",
    expr=2 * atan(tanh(Z / 2)),
    slope_expr=1 / cosh(Z),
    range=Interval.open(-pi / 2, pi / 2),
    branches=bell(peak=S.One, half_width=asinh(sqrt(1 / T**2 - 1), evaluate=False), distance=_arsinh_hyperbola),
    sign_of_bend=SignOfBend(1 / cosh(Z), -tanh(Z)),
    widest_point=WidestPoint(
        parameter=_s,
        level=1 / cosh(_s),
        measure=2 * _s,
        equation=Eq(_s * tanh(_s), 1, evaluate=False),
        between=(S.One, Rational(3, 2)),
    ),
    kernel=_gudermannian_kernel,
    reference="Abramowitz & Stegun (1964), 4.3.117",
)


@Family
def isru(alpha: Expr = S.One) -> Activation:
    """z/√(1 + alpha·z²)."""
    alpha = read_positive(alpha, "alpha")
    scale = float(alpha)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        p, q = ratio(z)
        size = np.sqrt(q * q + scale * p * p)
        np.copysign(p / size, z, out=value)
        np.power(q / size, 3, out=slope)

    return Activation(
        name=isru.name_with_parameters(alpha=alpha),
        symbol=r"\operatorname{isru}",
        expr=Z / sqrt(1 + alpha * Z**2),
        slope_expr=(1 + alpha * Z**2) ** -Rational(3, 2),
        range=Interval.open(-1 / sqrt(alpha), 1 / sqrt(alpha)),
        branches=bell(peak=S.One, half_width=sqrt(cube_root_excess(T) / alpha), distance=cube_root_distance(alpha)),
        sign_of_bend=SignOfBend(3 * alpha * (1 + alpha * Z**2) ** -Rational(5, 2), -Z),
        widest_point=WidestPoint(
            parameter=_s,
            level=(1 + alpha * _s**2) ** -Rational(3, 2),
            measure=2 * _s,
            equation=Eq(2 * alpha * _s**2, 1, evaluate=False),
            solution=1 / sqrt(2 * alpha),
        ),
        kernel=kernel,
        reference="Carlile, Delamarter, Kinney, Marti & Whitney, arXiv:1710.09967 (2017), section 4",
    )


_AMPLITUDE, _SCALE = Rational(17159, 10000), Rational(2, 3)
_LECUN_PEAK = _AMPLITUDE * _SCALE
_two_thirds = stretch(_SCALE)


def _lecun_tanh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    y, rest = _two_thirds(z)
    tangent = np.tanh(y)
    logistic(2.0 * y, value, slope)
    slope *= float(4 * _LECUN_PEAK) * (1.0 - 2.0 * rest * tangent)
    np.multiply(float(_AMPLITUDE), tangent, out=value)


lecun_tanh = Activation(
    name="lecun_tanh",
    symbol=r"\operatorname{tanh}_{\mathrm{LeCun}}",
    expr=_AMPLITUDE * tanh(_SCALE * Z),
    slope_expr=_LECUN_PEAK / cosh(_SCALE * Z) ** 2,
    range=Interval.open(-_AMPLITUDE, _AMPLITUDE),
    branches=bell(
        peak=_LECUN_PEAK,
        half_width=asinh(sqrt(_LECUN_PEAK / T - 1), evaluate=False) / _SCALE,
        distance=_half_more_arsinh_root,
    ),
    sign_of_bend=SignOfBend(2 * _SCALE * _LECUN_PEAK / cosh(_SCALE * Z) ** 2, -tanh(_SCALE * Z)),
    widest_point=WidestPoint(
        parameter=_s,
        level=_LECUN_PEAK / cosh(_s) ** 2,
        measure=2 * _s / _SCALE,
        equation=Eq(_s * tanh(_s), S.Half, evaluate=False),
        between=(S.Half, S.One),
    ),
    kernel=_lecun_tanh_kernel,
    reference="LeCun, Bottou, Orr & Müller, Efficient BackProp (1998), section 4.4; 1.7159 taken exactly",
)


def _cloglog_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    growth, rest = doubled_exp(np.clip(z, -800.0, 7.0))  # the slope is 0 in float64 from z = 7 on
    shrunk = np.exp(-growth)
    np.multiply(growth, shrunk - shrunk * rest, out=slope)
    np.negative(np.expm1(-growth), out=value)


def _cloglog_log_odds(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    growth = np.exp(z)
    near = np.log(np.expm1(np.clip(growth, 1e-300, 1.0)))
    value[...] = np.where(z < -30.0, z, np.where(z < 0.0, near, growth + np.log1p(-np.exp(-growth))))
    slope[...] = np.where(z < -30.0, 1.0, growth / -np.expm1(-np.maximum(growth, 1e-300)))


# With s for the length of the set, its ends u and v = u·exp(s) solve u·exp(-u) = t.
_u, _v = _s / (exp(_s) - 1), _s / (1 - exp(-_s))

cloglog = Activation(
    name="cloglog",
    symbol=r"\operatorname{cloglog}",
    expr=1 - exp(-exp(Z)),
    slope_expr=exp(Z - exp(Z)),
    range=Interval.open(0, 1),
    branches=(
        Branch(-oo, S.Zero, S.Zero, exp(-1), inverse=RealLog(-RealLambertW(-T))),
        Branch(S.Zero, oo, exp(-1), S.Zero, inverse=RealLog(-RealLambertW(-T, -1))),
    ),
    sign_of_bend=SignOfBend(exp(Z - exp(Z)), 1 - exp(Z)),
    widest_point=WidestPoint(
        parameter=_s,
        level=_u * exp(-_u),
        measure=_s,
        equation=Eq((1 - _u) * (_v - 1), 1, evaluate=False),
        between=(S(2), Rational(9, 4)),
    ),
    kernel=_cloglog_kernel,
    log_odds=_cloglog_log_odds,
    reference="McCullagh & Nelder, Generalized linear models (2nd ed. 1989), section 4.3.1",
)
