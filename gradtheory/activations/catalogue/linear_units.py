"""Units that are the identity on the right and saturate on the left, beside those of `rectifiers`."""

import numpy as np
from sympy import Expr, Interval, Max, Min, Piecewise, Rational, S, exp, oo, sqrt

from gradtheory.activations.catalogue.shapes import Float64Distance, cube_root_distance, cube_root_excess
from gradtheory.activations.catalogue.shared_kernels import ratio, stretch
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.functions import RealLog
from gradtheory.arithmetic.inputs import read_positive


@Family
def celu(alpha: Expr = S.One) -> Activation:
    """σ(z) = z for z > 0, else alpha·(exp(z/alpha) - 1): once continuously differentiable for every alpha."""
    alpha = read_positive(alpha, "alpha")
    scale, stretched = float(alpha), stretch(1 / alpha)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        y, rest = stretched(np.minimum(z, 0.0))
        bell = np.exp(y)
        slope[...] = np.where(z > 0.0, 1.0, bell + bell * rest)
        value[...] = np.where(z > 0.0, z, scale * (np.expm1(y) + bell * rest))

    return Activation(
        name=celu.name_with_parameters(alpha=alpha),
        symbol=r"\operatorname{celu}",
        expr=Max(0, Z) + alpha * (exp(Min(0, Z) / alpha) - 1),
        slope_expr=Piecewise((1, Z > 0), (exp(Z / alpha), True)),
        range=Interval.open(-alpha, oo),
        branches=(
            Branch(
                -oo,
                S.Zero,
                S.Zero,
                S.One,
                inverse=-alpha * RealLog(1 / T),
                distance=Float64Distance(lambda xp, e: float(alpha) * xp.log1p(e)),
            ),
            Branch(S.Zero, oo, S.One, S.One),
        ),
        sign_of_bend=SignOfBend(exp(Z / alpha) / alpha, S.One),
        kernel=kernel,
        reference="Barron, arXiv:1704.07483 (2017), eq. 2",
        peers={"torch": "torch.nn.functional.celu", "jax": "jax.nn.celu", "keras": "keras.activations.celu"},
    )


@Family
def isrlu(alpha: Expr = S.One) -> Activation:
    """σ(z) = z for z > 0, else z/√(1 + alpha·z²)."""
    alpha = read_positive(alpha, "alpha")
    scale = float(alpha)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        p, q = ratio(np.minimum(z, 0.0))
        size = np.sqrt(q * q + scale * p * p)
        slope[...] = np.where(z > 0.0, 1.0, (q / size) ** 3)
        value[...] = np.where(z > 0.0, z, -p / size)

    return Activation(
        name=isrlu.name_with_parameters(alpha=alpha),
        symbol=r"\operatorname{isrlu}",
        expr=Max(0, Z) + Min(0, Z) / sqrt(1 + alpha * Min(0, Z) ** 2),
        slope_expr=Piecewise((1, Z > 0), ((1 + alpha * Z**2) ** -Rational(3, 2), True)),
        range=Interval.open(-1 / sqrt(alpha), oo),
        branches=(
            Branch(
                -oo,
                S.Zero,
                S.Zero,
                S.One,
                inverse=-sqrt(cube_root_excess(T) / alpha),
                distance=cube_root_distance(alpha),
            ),
            Branch(S.Zero, oo, S.One, S.One),
        ),
        sign_of_bend=SignOfBend(3 * alpha * (1 + alpha * Z**2) ** -Rational(5, 2), -Z),
        kernel=kernel,
        reference="Carlile, Delamarter, Kinney, Marti & Whitney, arXiv:1710.09967 (2017), eq. 1",
    )
