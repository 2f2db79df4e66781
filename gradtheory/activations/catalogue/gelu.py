"""Gated activations z·G(z): no closed form of their superlevel sets is known, so the ends are certified."""

import functools

import mpmath
import numpy as np
from sympy import Expr, Interval, Lambda, Rational, S, cosh, erf, exp, oo, pi, sqrt, tanh

from gradtheory.activations.catalogue.shared_kernels import exp_minus_square, logistic
from gradtheory.activations.record import Activation, Branch, SignOfBend, Z
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.pairs import pair_of, two_product
from gradtheory.arithmetic.root import Root


def lowest_of(slope: Expr, lower: Rational, upper: Rational) -> Root:
    """Return the only zero of σ' in [lower, upper], where σ is least."""
    return Root(Lambda(Z, slope), lower, upper)


def gated_branches(slope: Expr, turns: tuple[Expr, Expr], lowest: Root) -> tuple[Branch, ...]:
    """Return the branches of a slope that falls from 0 at -oo, rises between two turns, and falls to 1 at oo."""
    first, last = turns
    at_first, at_last = slope.subs(Z, first), slope.subs(Z, last)
    return (
        Branch(-oo, first, S.Zero, at_first),
        Branch(first, lowest, at_first, S.Zero),
        Branch(lowest, last, S.Zero, at_last),
        Branch(last, oo, at_last, S.One),
    )


def turns_of(shape: Expr, first: tuple[str, str], last: tuple[str, str]) -> tuple[Root, Root]:
    """Return the two zeros of σ'', from isolating intervals."""
    return Root(Lambda(Z, shape), *map(Rational, first)), Root(Lambda(Z, shape), *map(Rational, last))


_PER_UNIT, _FIRST_NODE, _LAST_NODE = 128, -6, 9  # of a table of Φ and φ; from 9 on, Φ is 1 and zφ is 0 beside it


@functools.cache
def _table_of_normal() -> tuple[np.ndarray, np.ndarray]:
    with mpmath.workdps(30):
        nodes = [mpmath.mpf(k) / _PER_UNIT for k in range(_FIRST_NODE * _PER_UNIT, _LAST_NODE * _PER_UNIT + 1)]
        shares, bells = ([float(law(node)) for node in nodes] for law in (mpmath.ncdf, mpmath.npdf))
    return np.array(shares), np.array(bells)


def _gelu_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    if not z.size or _FIRST_NODE <= z.min() <= z.max() <= _LAST_NODE:
        _gelu_near(z, value, slope)
        return
    _gelu_near(np.fmin(np.fmax(z, _FIRST_NODE), _LAST_NODE), value, slope)
    right = np.flatnonzero(z > _LAST_NODE)
    value[right], slope[right] = z[right], 1.0
    rest = np.flatnonzero(~(z >= _FIRST_NODE))  # and nan
    if rest.size:
        value[rest], slope[rest] = _gelu_far_left(z[rest])


def _gelu_near(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    """Write zΦ(z) and Φ(z) + zφ(z), where Φ(z) is Φ at the nearest node n and the integral of φ from there.

    φ and its first two derivatives at both ends give it (Hermite's rule), with h = (n - z)/2:
    Φ(z) = Φ(n) - h·(P - h/2.5·(Q - h/6·(R - P))), where P = φ(z) + φ(n), Q = zφ(z) - nφ(n) and R = z²φ(z) + n²φ(n).
    SciPy's erf takes longer for Φ alone, and loses its relative accuracy for z < 0.
    """
    shares, bells = _table_of_normal()
    node = z * _PER_UNIT
    np.rint(node, node)
    place = node.astype(np.intp)
    place -= _FIRST_NODE * _PER_UNIT
    share, bell_at_node = shares.take(place, mode="wrap"), bells.take(place, mode="wrap")  # the fastest: all are within
    node *= 1.0 / _PER_UNIT
    half = node - z
    half *= 0.5
    bell = z + node
    bell *= half
    np.exp(bell, bell)
    bell *= bell_at_node
    np.multiply(z, bell, slope)
    by_node = node * bell_at_node
    p = bell_at_node
    p += bell
    r = node
    r *= by_node
    np.multiply(z, slope, bell)
    r += bell
    q = np.subtract(slope, by_node, by_node)
    r -= p
    r *= half
    r *= 1.0 / 6.0
    q -= r
    q *= half
    q *= 0.4
    p -= q
    p *= half
    share -= p
    slope += share
    np.multiply(z, share, value)


def _gelu_far_left(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy import special  # here, because it takes as long to import as SymPy

    z = np.maximum(z, -40.0)  # both are 0 in float64 from there on
    bell = exp_minus_square(z, 0.5)
    share = 0.5 * bell * special.erfcx(z * -(0.5**0.5))
    return z * share, share + z * bell * (2.0 * np.pi) ** -0.5


_GELU = Z * (1 + erf(Z / sqrt(2))) / 2
_BELL = exp(-(Z**2) / 2) / sqrt(2 * pi)
_GELU_SLOPE = stable(_GELU.diff(Z))
_GELU_LOWEST = lowest_of(_GELU_SLOPE, -S.One, -Rational(1, 2))

gelu = Activation(
    name="gelu",
    symbol=r"\operatorname{gelu}",
    expr=_GELU,
    range=Interval(_GELU_LOWEST.map(Lambda(Z, _GELU)), oo),
    branches=gated_branches(_GELU_SLOPE, (-sqrt(2), sqrt(2)), _GELU_LOWEST),
    sign_of_bend=SignOfBend(_BELL, 2 - Z**2),
    kernel=_gelu_kernel,
    reference="Hendrycks & Gimpel, arXiv:1606.08415 (2016), section 2",
    peers={
        "torch": "torch.nn.functional.gelu",
        "jax": "jax.nn.gelu(approximate=False)",
        "keras": "keras.activations.gelu(approximate=False)",
    },
)


# The argument z·(c₁ + c₃z²) of the gate is taken to 100 bits, as exp makes each of its ulp |argument| ulp of its own.
_A = Rational(44715, 10**6)
_FIRST, _THIRD = pair_of(2 * sqrt(2 / pi)), pair_of(2 * sqrt(2 / pi) * _A)


def _gelu_tanh_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    z = np.maximum(z, -40.0)  # both are 0 in float64 from there on
    near = np.minimum(z, 40.0)
    square, square_rest = two_product(near, near)
    cubic, cubic_rest = two_product(square, _THIRD[0])
    factor = _FIRST[0] + cubic
    added = factor - _FIRST[0]
    factor_rest = (_FIRST[0] - (factor - added)) + (cubic - added) + _FIRST[1] + cubic_rest
    factor_rest += square_rest * _THIRD[0] + square * _THIRD[1]
    argument, rest = two_product(near, factor)
    rest += near * factor_rest
    share, other = np.empty_like(z), np.empty_like(z)
    logistic(-argument, other, slope)
    logistic(argument.copy(), share, slope)
    share += share * other * rest
    np.multiply(z, share, out=value)
    np.multiply(share, 1.0 + near * (factor + 2.0 * cubic) * other, out=slope)


_HALF_ARGUMENT = sqrt(2 / pi) * Z * (1 + _A * Z**2)
_STEEPNESS = 1 + 3 * _A * Z**2  # (half the argument)' = √(2/π)·this
_GELU_TANH = Z * (1 + tanh(_HALF_ARGUMENT)) / 2
_GELU_TANH_SLOPE = 1 / (1 + exp(-2 * _HALF_ARGUMENT)) + Z * sqrt(2 / pi) * _STEEPNESS / (2 * cosh(_HALF_ARGUMENT) ** 2)
_GELU_TANH_SHAPE = 4 / _STEEPNESS - 2 / _STEEPNESS**2 - 2 * sqrt(2 / pi) * Z * tanh(_HALF_ARGUMENT)
_GELU_TANH_LOWEST = lowest_of(_GELU_TANH_SLOPE, -Rational(19, 25), -Rational(3, 4))

gelu_tanh = Activation(
    name="gelu_tanh",
    symbol=r"\operatorname{gelu}_{\tanh}",
    expr=_GELU_TANH,
    slope_expr=_GELU_TANH_SLOPE,
    range=Interval(_GELU_TANH_LOWEST.map(Lambda(Z, _GELU_TANH)), oo),
    branches=gated_branches(
        _GELU_TANH_SLOPE,
        turns_of(_GELU_TANH_SHAPE, ("-1.45", "-1.4"), ("1.4", "1.45")),
        _GELU_TANH_LOWEST,
    ),
    sign_of_bend=SignOfBend(sqrt(2 / pi) * _STEEPNESS**2 / (2 * cosh(_HALF_ARGUMENT) ** 2), _GELU_TANH_SHAPE),
    kernel=_gelu_tanh_kernel,
    reference="Hendrycks & Gimpel, arXiv:1606.08415 (2016), section 2: the tanh approximation",
    peers={
        "torch": "torch.nn.functional.gelu(approximate='tanh')",
        "jax": "jax.nn.gelu(approximate=True)",
        "keras": "keras.activations.gelu(approximate=True)",
    },
)
