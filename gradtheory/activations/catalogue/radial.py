"""Radial activations: functions of |z| that fade on both sides."""

import numpy as np
import sympy
from sympy import Eq, Interval, Rational, S, coth, exp, oo, sinh, sqrt

from gradtheory.activations.catalogue.shared_kernels import exp_minus_square
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, WidestPoint, Z
from gradtheory.arithmetic.functions import RealLambertW


def _gaussian_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    value[...] = exp_minus_square(z)
    np.multiply(-2.0 * np.clip(z, -40.0, 40.0), value, out=slope)


# |σ'(z)| = t reads u·exp(-u) = t²/2 with u = 2z²; Lambert's W has two real branches there, one on each side of u = 1.
# sqrt(u/2) = (t/2)·exp(u/2), with u = -W, keeps SymPy from taking roots of negative numbers.
_NEAR = T / 2 * exp(-RealLambertW(-(T**2) / 2) / 2)
_FAR = T / 2 * exp(-RealLambertW(-(T**2) / 2, -1) / 2)
_TURN = 1 / sqrt(2)
_STEEPEST = sqrt(2) * exp(-Rational(1, 2))

# With far/near = exp(s): u_near = s·exp(-s)/sinh(s), hence level and measure without W.
_s = sympy.Symbol("s", positive=True)
_u = _s * exp(-_s) / sinh(_s)

gaussian = Activation(
    name="gaussian",
    symbol=r"\operatorname{gauss}",
    expr=exp(-(Z**2)),
    range=Interval.Lopen(0, 1),
    branches=(
        Branch(-oo, -_TURN, S.Zero, _STEEPEST, inverse=-_FAR),
        Branch(-_TURN, S.Zero, _STEEPEST, S.Zero, inverse=-_NEAR),
        Branch(S.Zero, _TURN, S.Zero, -_STEEPEST, inverse=_NEAR),
        Branch(_TURN, oo, -_STEEPEST, S.Zero, inverse=_FAR),
    ),
    sign_of_bend=SignOfBend(2 * exp(-(Z**2)), 2 * Z**2 - 1),
    widest_point=WidestPoint(
        parameter=_s,
        level=sqrt(2 * _u) * exp(-_u / 2),
        measure=sqrt(2 * _u) * (exp(_s) - 1),
        equation=Eq((1 + coth(_s / 2)) / 2, (1 + coth(_s) - 1 / _s) * (1 - _u / 2), evaluate=False),
        between=(Rational(7, 5), Rational(8, 5)),
    ),
    kernel=_gaussian_kernel,
    reference="Broomhead & Lowe, Complex Systems 2 (1988), section 3",
)
