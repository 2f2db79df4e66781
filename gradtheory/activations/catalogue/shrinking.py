"""Activations that shrink what is small: 0, or nearly 0, around 0 or below a threshold. Two of them jump."""

from typing import Any

import numpy as np
from sympy import Abs, Expr, FiniteSet, Interval, Le, Max, Min, Piecewise, S, Union, asinh, cosh, oo, sqrt, tanh

from gradtheory.activations.catalogue.shapes import Float64Distance, steps
from gradtheory.activations.catalogue.shared_kernels import exceeds
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, Z
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.pairs import pair_of


@Family
def softshrink(lambd: Expr = S.Half) -> Activation:
    """σ(z) = z moved towards 0 by lambd, but not beyond 0."""
    lambd = read_positive(lambd, "lambd")
    edge = pair_of(lambd)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = exceeds(np.abs(z), edge)
        moved = np.clip(z, -edge[0], edge[0])
        np.subtract(z, moved, out=value, where=np.isfinite(z))
        np.copyto(value, z, where=~np.isfinite(z))
        if edge[1]:
            value -= slope * np.sign(z) * edge[1]

    return Activation(
        name=softshrink.name_with_parameters(lambd=lambd),
        symbol=r"\operatorname{softshrink}",
        expr=Max(0, Z - lambd) + Min(0, Z + lambd),
        slope_expr=Piecewise((0, Abs(Z) <= lambd), (1, True)),
        range=S.Reals,
        branches=steps(corners=(-lambd, lambd), slopes=(S.One, S.Zero, S.One)),
        kernel=kernel,
        reference="Donoho & Johnstone, Biometrika 81 (1994), section 2.2",
        peers={"torch": "torch.nn.functional.softshrink", "keras": "keras.activations.soft_shrink"},
    )


@Family
def hardshrink(lambd: Expr = S.Half) -> Activation:
    """σ(z) = z where |z| > lambd, else 0; it jumps at ±lambd, where it has no derivative."""
    lambd = read_positive(lambd, "lambd")
    edge = pair_of(lambd)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        is_beyond = exceeds(np.abs(z), edge)
        slope[...] = is_beyond
        value[...] = np.where(is_beyond | np.isnan(z), z, 0.0)

    return Activation(
        name=hardshrink.name_with_parameters(lambd=lambd),
        symbol=r"\operatorname{hardshrink}",
        expr=Piecewise((Z, -lambd > Z), (0, lambd >= Z), (Z, True)),
        slope_expr=Piecewise((0, Abs(Z) <= lambd), (1, True)),
        range=Union(Interval.open(-oo, -lambd), FiniteSet(0), Interval.open(lambd, oo)),
        branches=steps(corners=(-lambd, lambd), slopes=(S.One, S.Zero, S.One)),
        kernel=kernel,
        reference="Donoho & Johnstone, Biometrika 81 (1994), section 2.2",
        peers={"torch": "torch.nn.functional.hardshrink", "keras": "keras.activations.hard_shrink"},
    )


@Family
def threshold(threshold: Expr = S.One, value: Expr = S.Zero) -> Activation:
    """σ(z) = z where z > threshold, else value; PyTorch has no defaults: these are of Konda's thresholded relu."""
    edge, low = pair_of(threshold), float(value)
    family, below = _families["threshold"], Le(Z, threshold)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        is_beyond = exceeds(z, edge)
        slope[...] = is_beyond
        value[...] = np.where(is_beyond | np.isnan(z), z, low)

    return Activation(
        name=family.name_with_parameters(threshold=threshold, value=value),
        symbol=r"\operatorname{threshold}",
        expr=Piecewise((value, below), (Z, True)),
        slope_expr=Piecewise((0, below), (1, True)),
        range=Union(FiniteSet(value), Interval.open(threshold, oo)),
        branches=steps(corners=(threshold,), slopes=(S.Zero, S.One)),
        kernel=kernel,
        reference="Konda, Memisevic & Krueger, ICLR (2015), section 2; PyTorch's parameters",
        peers={
            "torch": "torch.nn.functional.threshold(threshold=1, value=0)",
            "keras": "keras.activations.threshold(threshold=1, default_value=0)",
        },
    )


_families = {"threshold": threshold}  # the parameter of that name hides the family inside the builder


def _tanhshrink_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.tanh(z, out=slope)
    # z - tanh(z) cancels near 0; Lambert's fraction tanh(z) = z/(1 + z²/(3 + z²/(5 + …))) does not.
    square = np.minimum(np.square(z), 4.0)
    rest = np.zeros_like(z)
    for odd in range(29, 1, -2):
        rest = square / (odd + rest)
    value[...] = np.where(np.abs(z) < 2.0, z * (rest / (1.0 + rest)), z - slope)
    np.square(slope, out=slope)


_TANHSHRINK_HALF = asinh(1 / sqrt(1 / T - 1), evaluate=False)  # artanh(√t)


def _tanhshrink_distance(xp: Any, e: Any) -> Any:
    return xp.asinh(1.0 / xp.sqrt(e))


tanhshrink = Activation(
    name="tanhshrink",
    symbol=r"\operatorname{tanhshrink}",
    expr=Z - tanh(Z),
    slope_expr=tanh(Z) ** 2,
    range=S.Reals,
    branches=(
        Branch(-oo, S.Zero, S.One, S.Zero, inverse=-_TANHSHRINK_HALF, distance=Float64Distance(_tanhshrink_distance)),
        Branch(S.Zero, oo, S.Zero, S.One, inverse=_TANHSHRINK_HALF, distance=Float64Distance(_tanhshrink_distance)),
    ),
    sign_of_bend=SignOfBend(2 / cosh(Z) ** 2, tanh(Z)),
    kernel=_tanhshrink_kernel,
    reference="Gregor & LeCun, ICML (2010), section 3, as smooth shrinkage; PyTorch's form",
    peers={"torch": "torch.nn.functional.tanhshrink", "keras": "keras.activations.tanh_shrink"},
)
